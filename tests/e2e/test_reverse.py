# tests/e2e/test_reverse.py - reverse calls: devices dial host-sim/relay.py, and grpcio calls them through it.
# Layer: tests. Source: nanorpc/dial.h.
# SPDX-License-Identifier: Apache-2.0
import collections
import os
import queue
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import children
import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc

from nameserver import names  # noqa: F401 (a fixture)
from rawh2 import PREFACE, Peer, message, messages
from targets import BOOT_SECONDS, ROOT, Server, chosen, free_port

SECONDS = 120  # of patience: a device that could not dial waits longer and longer
HOST = {
    "posix": "localhost",
    "hostsim-raw": "10.0.2.2",
    "hostsim-sockets": "10.0.2.2",
    "lm3s6965evb": "10.0.2.2",
}
LINKS = {"lm3s6965evb": 2}  # of an image; others are told
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Lines:
    """What a program prints, line by line."""

    def __init__(self, process):
        self.queue = queue.Queue()
        self.all = []
        threading.Thread(target=self.read, args=(process.stdout,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.all.append(line)
            self.queue.put(line)
        self.queue.put("")

    def wait(self, *texts, count=1):
        """Reads on until lines with all of these texts have come `count` times. Returns the last one."""
        while count:
            line = self.queue.get(timeout=SECONDS)
            assert line, "it has ended:\n" + "".join(self.all)
            count -= all(text in line for text in texts)
        return line


class Relay:
    def __init__(self, routes=1, device_address=""):
        self.ports = [(free_port(), free_port()) for _ in range(routes)]
        self.device_address = device_address
        self.start()

    def start(self):
        command = [sys.executable, "-B", os.path.join(ROOT, "host-sim", "relay.py"), "--verbose"]
        for devices, clients in self.ports:
            command += ["--devices", self.device_address + str(devices), "--clients", str(clients)]
        self.process = subprocess.Popen(
            children.tied(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = Lines(self.process)
        for _ in self.ports:
            self.lines.wait("relay: devices on")

    def device_port(self, route=0):
        return self.ports[route][0]

    def channel(self, route=0):
        """With a connection of its own, which tries anew often."""
        return grpc.insecure_channel(
            "127.0.0.1:%d" % self.ports[route][1],
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_reconnect_backoff_ms", 500),
                ("grpc.initial_reconnect_backoff_ms", 100),
            ],
        )

    def stop(self):
        self.process.kill()
        self.process.wait()
        print("".join(self.lines.all))


@pytest.fixture
def relay():
    relay = Relay()
    yield relay
    relay.stop()


@pytest.fixture(params=chosen(list(HOST)))
def target(request):
    return request.param


devices = collections.defaultdict(list)


@pytest.fixture(autouse=True)
def stop_devices():
    yield
    for device in devices.pop("running", []):
        device.stop()
        print(device.new_output())


def board_image(target, host, port):
    """A copy of the board's image with this relay: boards/apps/reverse/reverse.c."""
    with open(os.path.join(ROOT, "build", target, "reverse.elf"), "rb") as file:
        image = bytearray(file.read())
    at = image.index(b"@RELAY@\0")
    image[at + 8 : at + 64] = struct.pack("<54sH", host.encode(), port)
    path = os.path.join(tempfile.mkdtemp(), "greeter.elf")
    with open(path, "wb") as file:
        file.write(image)
    return path


def start_device(target, port, links=2, host=None, extra=()):
    host = host or HOST[target]
    if target in LINKS:
        image = board_image(target, host, port)
        device = Server(target, image=image)
        shutil.rmtree(os.path.dirname(image))
    else:
        device = Server(
            target, ["--reverse", "%s:%d" % (host, port), "--links", str(links), *extra]
        )
    devices["running"].append(device)
    return device


def stop_device(device):
    devices["running"].remove(device)
    device.stop()


def hello(channel, name="World"):
    """Waits for a device, however long it takes it to dial."""
    request = helloworld_pb2.HelloRequest(name=name)
    return (
        helloworld_pb2_grpc.GreeterStub(channel)
        .SayHello(request, wait_for_ready=True, timeout=SECONDS)
        .message
    )


class Talk:
    """An open bidi call."""

    def __init__(self, channel):
        self.requests = queue.Queue()
        stub = simpletest_pb2_grpc.SimpleTestStub(channel)
        self.answers = stub.PostAndPost(
            iter(self.requests.get, None), wait_for_ready=True, timeout=SECONDS
        )

    def say(self, text):
        self.requests.put(simpletest_pb2.RequestList(namelist=text))
        assert next(self.answers).resultlist == "Hello !! " + text

    def end(self):
        self.requests.put(None)
        assert list(self.answers) == []


def test_calls(relay, target):
    """Also with a listener in the same program, which goes on."""
    device = start_device(target, relay.device_port())
    with relay.channel() as channel:
        for name in ("World", "once more"):
            assert hello(channel, name) == "Hello, %s!" % name
        stub = simpletest_pb2_grpc.SimpleTestStub(channel)
        answers = stub.GetList(simpletest_pb2.RequestOne(hello="x"), timeout=SECONDS)
        assert [answer.resultlist for answer in answers] == ["test%d" % i for i in range(5)]
        talk = Talk(channel)
        talk.say("a")
        assert device.serves()
        talk.say("b")
        talk.end()


def test_one_client_after_another(relay, target):
    """Each uses up a link; the device dials anew."""
    start_device(target, relay.device_port())
    for i in range(8):
        with relay.channel() as channel:
            assert hello(channel, str(i)) == "Hello, %d!" % i


def test_several_links(relay, target):
    """As many clients at once as there are links; one more finds none, and disturbs nobody."""
    links = LINKS.get(target, 3)
    start_device(target, relay.device_port(), links)
    channels = [relay.channel() for _ in range(links)]
    talks = [Talk(channel) for channel in channels]
    for text in ("a", "b"):
        for i, talk in enumerate(talks):
            talk.say(text + str(i))
    with relay.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        helloworld_pb2_grpc.GreeterStub(channel).SayHello(
            helloworld_pb2.HelloRequest(name="x"), timeout=SECONDS
        )
    assert caught.value.code() == UNAVAILABLE
    for talk in talks:
        talk.say("c")
        talk.end()
    for channel in channels:
        channel.close()


def test_relay_restarts(relay, target):
    start_device(target, relay.device_port())
    with relay.channel() as channel:
        talk = Talk(channel)
        talk.say("a")
        relay.stop()
        with pytest.raises(grpc.RpcError) as caught:
            next(talk.answers)
        assert caught.value.code() == UNAVAILABLE
        relay.start()
        assert hello(channel) == "Hello, World!"


def test_device_before_relay(relay, target):
    relay.stop()
    start_device(target, relay.device_port())
    relay.start()
    with relay.channel() as channel:
        assert hello(channel) == "Hello, World!"


def test_device_goes(relay, target):
    """In the middle of a call; and comes back."""
    device = start_device(target, relay.device_port())
    with relay.channel() as channel:
        talk = Talk(channel)
        talk.say("a")
        device.process.kill()
        with pytest.raises(grpc.RpcError) as caught:
            next(talk.answers)
        assert caught.value.code() == UNAVAILABLE
        stop_device(device)
        start_device(target, relay.device_port())
        assert hello(channel) == "Hello, World!"


@pytest.mark.parametrize("api", chosen(["hostsim-raw", "hostsim-sockets"]))
def test_syn_comes_twice(relay, api):
    """Before the answer to its SYN is back the device sends it again. What the client has sent meanwhile must not be
    lost in libslirp, as it was the other way round (tests/e2e/test_hostsim_cli.py)."""
    start_device(api, relay.device_port(), links=1, extra=["--delay", "600"])
    relay.lines.wait("is here")
    with Peer(relay.ports[0][1], wait=False, timeout=SECONDS) as peer:
        streams = [
            peer.begin("/Greeter/SayHello", message(str(i)), ("x-long", ("%02d" % i) * 200))
            for i in range(12)
        ]
        answers = [messages(peer.finish(stream).data) for stream in streams]
    assert answers == [["Hello, %d!" % i] for i in range(12)]


def test_weather(relay):
    start_device(
        "hostsim-raw",
        relay.device_port(),
        extra=["--loss", "5", "--delay", "20", "--reorder", "10"],
    )
    for i in range(5):
        with relay.channel() as channel:
            assert hello(channel, str(i)) == "Hello, %d!" % i


# --- Names, on lwIP ------------------------------------------------------------------------------------


@pytest.fixture(params=chosen(["hostsim-raw", "hostsim-sockets"]))
def hostsim(request):
    return request.param


def test_name(relay, names, hostsim):
    device = start_device(
        hostsim, relay.device_port(), host="relay.test", extra=["--dns", "10.0.2.2:%d" % names.port]
    )
    with relay.channel() as channel:
        assert hello(channel) == "Hello, World!"
    assert names.asked.get(timeout=SECONDS) == b"\5relay\4test\0\0\1\0\1"
    assert device.serves()


@pytest.mark.parametrize("first", ["", None])
def test_name_that_is_not_there_yet(relay, names, hostsim, first):
    """Nobody answers, or there is no such name: the device serves on, and asks again."""
    names.answer = first
    device = start_device(
        hostsim, relay.device_port(), host="relay.test", extra=["--dns", "10.0.2.2:%d" % names.port]
    )
    for _ in range(2):
        names.asked.get(timeout=SECONDS)
        assert device.serves()
    names.answer = "10.0.2.2"
    with relay.channel() as channel:
        assert hello(channel) == "Hello, World!"


@pytest.mark.parametrize("board", chosen(list(LINKS)))
def test_board_without_names(board):
    """The emulated network's DNS server knows no such name, or does not answer: the board serves on."""
    device = start_device(board, 1, host="no-such-host.invalid")
    for _ in range(3):
        assert device.serves()


# --- The relay's own, with one target -----------------------------------------------------------------


def test_no_device(relay):
    """The answer does not wait for the client's deadline."""
    with relay.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        helloworld_pb2_grpc.GreeterStub(channel).SayHello(
            helloworld_pb2.HelloRequest(name="x"), timeout=SECONDS
        )
    assert caught.value.code() == UNAVAILABLE
    relay.lines.wait("finds no device")


def test_routes():
    """Devices with a port each: every client gets its own."""
    relay = Relay(routes=2)
    try:
        device = start_device("posix", relay.device_port(1))
        with relay.channel(0) as channel, relay.channel(1) as other:
            assert hello(other) == "Hello, World!"
            with pytest.raises(grpc.RpcError) as caught:
                helloworld_pb2_grpc.GreeterStub(channel).SayHello(
                    helloworld_pb2.HelloRequest(name="x"), timeout=SECONDS
                )
            assert caught.value.code() == UNAVAILABLE
            stop_device(device)
            start_device("posix", relay.device_port(0))
            assert hello(channel) == "Hello, World!"
    finally:
        relay.stop()


def test_two_devices_on_one_port(relay):
    """In turn; when one goes the other serves on."""
    first, second = (start_device("posix", relay.device_port(), links=1) for _ in range(2))
    with relay.channel() as channel, relay.channel() as other:
        talks = [Talk(channel), Talk(other)]
        for talk in talks:
            talk.say("a")
        first.process.kill()
        ended = 0
        for talk in talks:
            try:
                talk.say("b")
                talk.end()
            except grpc.RpcError as error:
                assert error.code() == UNAVAILABLE
                ended += 1
        assert ended == 1


def test_strangers_get_no_link(relay):
    """Who speaks no HTTP/2, and who says nothing, uses up none of the device's links."""
    start_device("posix", relay.device_port(), links=1)
    relay.lines.wait("is here; 1 idle")
    with socket.create_connection(("127.0.0.1", relay.ports[0][1])) as silent:
        with socket.create_connection(("127.0.0.1", relay.ports[0][1])) as web:
            web.sendall(b"GET / HTTP/1.1\r\n\r\n")
            web.settimeout(SECONDS)
            with pytest.raises(ConnectionResetError):
                assert web.recv(1) == b"" and not web.recv(1)
                raise ConnectionResetError
        relay.lines.wait("does not speak HTTP/2; 1 idle")
        with relay.channel() as channel:
            assert hello(channel) == "Hello, World!"
        assert silent.fileno() >= 0


@pytest.fixture
def ends(relay):
    """Plain sockets in the places of a device and of its client, paired."""
    with socket.create_connection(("127.0.0.1", relay.device_port())) as device:
        with socket.create_connection(("127.0.0.1", relay.ports[0][1])) as client:
            device.sendall(b"first")
            client.sendall(PREFACE)
            for end in (device, client):
                end.settimeout(SECONDS)
            relay.lines.wait("calls")
            assert take(client, 5) == b"first" and take(device, len(PREFACE)) == PREFACE
            yield device, client


def take(end, n):
    data = b""
    while len(data) < n:
        more = end.recv(min(65536, n - len(data)))
        assert more, "closed after %d bytes" % len(data)
        data += more
    return data


def test_bytes_pass_as_they_are(ends):
    sent = [os.urandom(3000000) for _ in ends]
    threads = [threading.Thread(target=end.sendall, args=(data,)) for end, data in zip(ends, sent)]
    got = [[], []]
    threads += [
        threading.Thread(target=lambda end=end, into=into: into.append(take(end, 3000000)))
        for end, into in zip(ends, got)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] == [sent[1]] and got[1] == [sent[0]]


@pytest.mark.parametrize("sender", [0, 1])
def test_relay_holds_back_who_is_not_read(ends, sender):
    """TCP's buffers and a little: the relay does not gather the rest."""
    end, other = ends[sender], ends[1 - sender]
    end.settimeout(2)
    sent, piece = 0, bytes(65536)
    try:
        while sent < 1 << 28:
            sent += end.send(piece)
    except socket.timeout:
        pass
    assert sent < 1 << 26
    assert take(other, sent) == bytes(sent)


@pytest.mark.parametrize("leaver", [0, 1])
def test_both_ends_close(ends, leaver):
    """What was sent before still arrives."""
    ends[leaver].sendall(b"last words")
    ends[leaver].close()
    assert take(ends[1 - leaver], 10) == b"last words"
    assert ends[1 - leaver].recv(1) == b""


# --- Names and addresses, on Linux --------------------------------------------------------------------

RESOLVER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
typedef int resolve(const char *, const char *, const struct addrinfo *, struct addrinfo **);
/* slow.test: no answer, ever. many.test: two addresses. All others: the system's. */
int getaddrinfo(const char *name, const char *port, const struct addrinfo *hint, struct addrinfo **list)
{
    resolve *next = (resolve *)dlsym(RTLD_NEXT, "getaddrinfo");
    int result;
    if (!name || (strcmp(name, "slow.test") && strcmp(name, "many.test")))
        return next(name, port, hint, list);
    if (hint->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    if (!strcmp(name, "slow.test"))
        for (;;)
            pause();
    result = next("127.0.0.2", port, hint, list);
    return result ? result : next("127.0.0.1", port, hint, &(*list)->ai_next);
}
"""


@pytest.fixture(scope="module")
def resolver(tmp_path_factory):
    """A library that takes the place of the system's resolver."""
    folder = tmp_path_factory.mktemp("resolver")
    (folder / "resolver.c").write_text(RESOLVER)
    done = subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", "resolver.so", "resolver.c", "-ldl"],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return {"LD_PRELOAD": str(folder / "resolver.so")}


def start_with(environment, *arguments):
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        server = Server("posix", arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
    devices["running"].append(server)
    return server


def test_lookup_holds_up_nobody(resolver):
    """A name that the system never finds: the same program goes on serving, and ends when it is told to."""
    server = start_with(resolver, "--reverse", "slow.test:1", "--links", "3")
    for _ in range(20):
        assert server.serves()
    server.process.terminate()
    assert server.process.wait(BOOT_SECONDS) == 0


def test_every_address_is_tried(relay, resolver):
    """Nobody listens on the first one."""
    start_with(resolver, "--reverse", "many.test:%d" % relay.device_port())
    with relay.channel() as channel:
        assert hello(channel) == "Hello, World!"


def test_address_that_does_not_answer(relay, resolver):
    """The first one's backlog is full: it takes no connections. After NRPC_DIAL_TIMEOUT_MS the next has its turn."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.2", relay.device_port()))
        deaf.listen(0)
        full = []
        for _ in range(4):
            full.append(socket.socket())
            full[-1].setblocking(False)
            full[-1].connect_ex(("127.0.0.2", relay.device_port()))
        server = start_with(
            resolver, "--reverse", "many.test:%d" % relay.device_port(), "--links", "1"
        )
        with relay.channel() as channel:
            assert hello(channel) == "Hello, World!"
        assert server.serves()
        for one in full:
            one.close()


def test_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    relay = Relay(device_address="[::1]:")
    try:
        start_device("posix", relay.device_port(), host="[::1]")
        with relay.channel() as channel:
            assert hello(channel) == "Hello, World!"
    finally:
        relay.stop()


def test_only_dialling():
    """A Linux program that listens on nothing."""
    relay = Relay()
    program = os.path.join(ROOT, "build", "linux", "greeter")
    process = subprocess.Popen(
        children.tied([program, "--reverse", "127.0.0.1:%d" % relay.device_port()]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        lines = Lines(process)
        lines.wait("Greeter linked to")
        with relay.channel() as channel:
            assert hello(channel) == "Hello, World!"
        process.terminate()
        assert process.wait(BOOT_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        relay.stop()


@pytest.mark.parametrize(
    "host, why",
    [
        ("no-such-host.invalid", "no-such-host.invalid"),
        ("127.0.0.1", "refused"),
        ("[::1]", "::1 port"),
    ],
)
def test_dial_errors_are_shown(host, why):
    """And do not keep the listener from serving."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else will
        server = Server("posix", ["--reverse", "%s:%d" % (host, taken.getsockname()[1])])
        devices["running"].append(server)
        while not any(why in line for line in server.output):
            assert server.serves()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reverse", "x"],
        ["--reverse", ":1"],
        ["--reverse", "x:0"],
        ["--links", "0"],
        ["--reverse", "x:65536"],
        ["--reverse", "x:1", "--links", "1000"],
    ],
)
def test_linux_options(arguments):
    program = os.path.join(ROOT, "build", "linux", "greeter")
    done = subprocess.run(
        [program] + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and arguments[-2] in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reverse", "x"],
        ["--reverse", ":1"],
        ["--reverse", "x:0"],
        ["--links", "17"],
        ["--dns", "10.0.2.2"],
        ["--dns", "name:53"],
    ],
)
def test_hostsim_options(arguments):
    program = os.path.join(ROOT, "build", "host-sim", "greeter")
    done = subprocess.run(
        [program, "--port", "0"] + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and arguments[0] in done.stdout


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        (["--help"], 0, "--patience"),
        ([], 2, "--devices"),
        (["--devices", "1", "--clients", "1", "--clients", "2"], 2, "as many"),
        (["--devices", "nowhere:x", "--clients", "0"], 1, "cannot listen on nowhere:x"),
    ],
)
def test_relay_options(arguments, code, text):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "host-sim", "relay.py")] + arguments,
        timeout=60,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code and text in done.stdout
