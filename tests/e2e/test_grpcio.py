# tests/e2e/test_grpcio.py - calls by an unmodified grpcio client, on every target and on gRPC's own server.
# Layer: tests. Source: gRPC "Status codes and their use", "Core concepts".
# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import grpc
import grpc.aio
import helloworld.greeter_pb2 as package_pb2
import helloworld.greeter_pb2_grpc as package_grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc

from rawh2 import Peer
from targets import RECOVER_SECONDS, ROOT, Server, chosen, free_port, our_server, server  # noqa: F401 (fixtures)

SECONDS = 60  # of patience with one call: no test fails because the machine is slow
LONGEST = 48  # bytes of a name, proto/helloworld.options
CODE = grpc.StatusCode


def open_channel(server, *options):
    """A channel with a connection of its own."""
    return grpc.insecure_channel(
        server.target(), options=[("grpc.use_local_subchannel_pool", 1), *options]
    )


@pytest.fixture
def channel(server):
    with open_channel(server) as channel:
        yield channel


@pytest.fixture
def greeter(channel):
    return helloworld_pb2_grpc.GreeterStub(channel)


@pytest.fixture
def simple(channel):
    return simpletest_pb2_grpc.SimpleTestStub(channel)


def hello(name):
    return helloworld_pb2.HelloRequest(name=name)


def lists(*texts):
    return iter([simpletest_pb2.RequestList(namelist=text) for text in texts])


def code_of(call, *arguments, **more):
    """The status of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        answer = call(*arguments, timeout=SECONDS, **more)
        list(answer)
    return caught.value.code(), caught.value.details()


class Typist:
    """Requests of a stream that are sent one by one."""

    def __init__(self):
        self.queue = queue.Queue()

    def send(self, text):
        self.queue.put(simpletest_pb2.RequestList(namelist=text))

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


# --- The methods, the four kinds --------------------------------------------------------------------


def run_client(*arguments):
    program = os.path.join(ROOT, "tests", "e2e", "greeter_client.py")
    done = subprocess.run(
        [sys.executable, program, *arguments],
        text=True,
        timeout=120,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout)
    return done.returncode, done.stdout


def test_tutorial_client(server):
    """The script that tutorials begin with, by the name `localhost`."""
    code, text = run_client("localhost:%d" % server.port)
    assert code == 0 and "Greeter client received: Hello, you!" in text
    code, text = run_client("localhost:%d" % server.port, "microcontroller")
    assert (
        code == 0 and "Hello, microcontroller!" in text and "Hello again, microcontroller!" in text
    )


@pytest.mark.parametrize(
    "stub,messages",
    [(helloworld_pb2_grpc.GreeterStub, helloworld_pb2), (package_grpc.GreeterStub, package_pb2)],
)
def test_greeters(channel, stub, messages):
    """With and without a package."""
    stub = stub(channel)
    request = messages.HelloRequest(name="World")
    assert stub.SayHello(request, timeout=SECONDS).message == "Hello, World!"
    assert stub.SayHelloAgain(request, timeout=SECONDS).message == "Hello again, World!"
    assert stub.Test(request, timeout=SECONDS).message == "Test OK, World!"


def test_unary(simple):
    answer = simple.GetOne(simpletest_pb2.RequestOne(hello="one"), timeout=SECONDS)
    assert answer.result == "Hello !! one"


def test_server_streaming(simple):
    for _ in range(3):
        answers = simple.GetList(simpletest_pb2.RequestOne(hello="x"), timeout=SECONDS)
        assert [answer.resultlist for answer in answers] == ["test%d" % i for i in range(5)]


@pytest.mark.parametrize("count", [0, 1, 5, 50])
def test_client_streaming(simple, count):
    answer = simple.PostList(lists(*["n%d" % i for i in range(count)]), timeout=SECONDS)
    assert answer.result == "PostList OK"


@pytest.mark.parametrize("count", [0, 1, 5, 50])
def test_bidi(simple, count):
    answers = simple.PostAndPost(lists(*["n%d" % i for i in range(count)]), timeout=SECONDS)
    assert [answer.resultlist for answer in answers] == ["Hello !! n%d" % i for i in range(count)]


def test_bidi_in_turns(simple):
    """Each answer comes before the next request goes out; then the half-close."""
    typist = Typist()
    answers = simple.PostAndPost(iter(typist), timeout=SECONDS)
    for i in range(10):
        typist.send("turn %d" % i)
        assert next(answers).resultlist == "Hello !! turn %d" % i
    typist.end()
    assert list(answers) == [] and answers.code() == CODE.OK


def test_streams_side_by_side(simple):
    """Bidirectional calls in turns: no stream waits for another."""
    typists = [Typist() for _ in range(3)]
    calls = [simple.PostAndPost(iter(typist), timeout=SECONDS) for typist in typists]
    for i in range(5):
        for number, (typist, call) in enumerate(zip(typists, calls)):
            typist.send("%d of %d" % (i, number))
            assert next(call).resultlist == "Hello !! %d of %d" % (i, number)
    for typist, call in zip(reversed(typists), reversed(calls)):
        typist.end()
        assert list(call) == []


def test_metadata(greeter):
    """Answers carry content-type and no surprises; ours to the server are read over, binary ones too."""
    answer, call = greeter.SayHello.with_call(
        hello("m"),
        timeout=SECONDS,
        metadata=(
            ("x-request-id", "42"),
            ("authorization", "Bearer " + "t" * 200),
            ("trace-bin", bytes(range(256))),
        ),
    )
    assert answer.message == "Hello, m!" and call.code() == CODE.OK
    assert not [key for key, _ in call.initial_metadata() if key.startswith("grpc-")]


# --- Names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "Zoë",
        "日本語",
        "🙂🙃",
        "x" * LONGEST,
        "é" * (LONGEST // 2),
        "%20 %",
        "line\nline\ttab",
    ],
)
def test_names(greeter, name):
    assert greeter.SayHello(hello(name), timeout=SECONDS).message == "Hello, %s!" % name


@pytest.mark.parametrize("length", [LONGEST + 1, LONGEST + 10, 1000, 100000])
def test_names_over_the_limit(greeter, length):
    """RESOURCE_EXHAUSTED, and the connection goes on."""
    code, details = code_of(greeter.SayHello, hello("x" * length))
    assert code == CODE.RESOURCE_EXHAUSTED, details
    assert greeter.SayHello(hello("next"), timeout=SECONDS).message == "Hello, next!"


def test_message_over_the_limit_in_a_stream(server, simple):
    code, details = code_of(simple.PostList, lists("a", "b", "x" * 200, "c"))
    assert code == CODE.RESOURCE_EXHAUSTED, details
    code, details = code_of(simple.PostAndPost, lists("x" * 200))
    assert code == CODE.RESOURCE_EXHAUSTED, details


def test_message_that_does_not_decode(channel):
    """Bytes that are no protobuf: INTERNAL, as from gRPC's own servers."""
    call = channel.unary_unary("/Greeter/SayHello", None, None)
    assert code_of(call, b"\xff\xff\xff\xff")[0] == CODE.INTERNAL
    assert code_of(call, b"\x0a\x7fcut")[0] == CODE.INTERNAL


def test_unknown_field_is_ignored(channel):
    """RFC: protobuf; a newer client's field 15."""
    call = channel.unary_unary("/Greeter/SayHello", None, helloworld_pb2.HelloReply.FromString)
    assert call(b"\x0a\x01a\x7a\x03new", timeout=SECONDS).message == "Hello, a!"


# --- What there is not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/Greeter/SayGoodbye",
        "/Nobody/SayHello",
        "/helloworld.Greeter/SayHell",
        "/helloworld.Greeter/SayHelloAgai",
        "/Greeter/SayHelloAgainAndAgain",
        "/Greeter/",
        "/" + "long." * 60 + "Service/Method",
    ],
)
def test_unknown_methods(channel, path):
    for kind in (channel.unary_unary, channel.unary_stream):
        assert code_of(kind(path, None, None), b"")[0] == CODE.UNIMPLEMENTED
    assert (
        code_of(channel.stream_stream(path, None, None), iter([b"", b""]))[0] == CODE.UNIMPLEMENTED
    )


def test_compressed_requests(server):
    """We have no compression: UNIMPLEMENTED, which names the reason; gRPC's own server has it."""
    with grpc.insecure_channel(server.target(), compression=grpc.Compression.Gzip) as channel:
        greeter = helloworld_pb2_grpc.GreeterStub(channel)
        if not server.ours:
            assert greeter.SayHello(hello("a" * 40), timeout=SECONDS).message == "Hello, %s!" % (
                "a" * 40
            )
            return
        code, details = code_of(greeter.SayHello, hello("a" * 40))
        assert code == CODE.UNIMPLEMENTED and "encoding" in details


def test_large_metadata(server):
    """Under 8 KiB it is read over; above it the call fails, and the next one does not."""
    with open_channel(server) as channel:
        greeter = helloworld_pb2_grpc.GreeterStub(channel)
        many = [("x-key-%02d" % i, "v" * 100) for i in range(40)]
        assert greeter.SayHello(hello("a"), timeout=SECONDS, metadata=many).message == "Hello, a!"
        long = [("x-long", "w" * 6000)]
        assert greeter.SayHello(hello("b"), timeout=SECONDS, metadata=long).message == "Hello, b!"
        code, details = code_of(greeter.SayHello, hello("c"), metadata=[("x-long", "w" * 70000)])
        assert code in (CODE.RESOURCE_EXHAUSTED, CODE.INTERNAL, CODE.UNAVAILABLE, CODE.UNKNOWN), (
            details
        )
        assert (
            greeter.SayHello(hello("d"), timeout=SECONDS, wait_for_ready=True).message
            == "Hello, d!"
        )


# --- Many ------------------------------------------------------------------------------------------------


def test_1000_sequential_calls(greeter):
    for i in range(1000):
        assert greeter.SayHello(hello("%d" % i), timeout=SECONDS).message == "Hello, %d!" % i


def test_200_concurrent_calls(greeter):
    """On one connection: far more than it has streams."""
    futures = [greeter.SayHello.future(hello("%d" % i), timeout=2 * SECONDS) for i in range(200)]
    for i, future in enumerate(futures):
        assert future.result().message == "Hello, %d!" % i


def test_200_concurrent_calls_of_all_kinds(simple):
    calls = []
    for i in range(50):
        calls.append(
            simple.GetOne.future(simpletest_pb2.RequestOne(hello=str(i)), timeout=2 * SECONDS)
        )
        calls.append(simple.PostList.future(lists("a", "b"), timeout=2 * SECONDS))
        calls.append(simple.GetList(simpletest_pb2.RequestOne(), timeout=2 * SECONDS))
        calls.append(simple.PostAndPost(lists("x", "y"), timeout=2 * SECONDS))
    for i in range(50):
        assert calls[4 * i].result().result == "Hello !! %d" % i
        assert calls[4 * i + 1].result().result == "PostList OK"
        assert [a.resultlist for a in calls[4 * i + 2]] == ["test%d" % k for k in range(5)]
        assert [a.resultlist for a in calls[4 * i + 3]] == ["Hello !! x", "Hello !! y"]


def test_concurrent_connections(server):
    """As many as there may be, up to 8, each with calls under way at once."""
    channels = [open_channel(server) for _ in range(min(8, server.connections or 8))]
    try:
        stubs = [helloworld_pb2_grpc.GreeterStub(channel) for channel in channels]
        futures = [
            (i, stub.SayHello.future(hello("%d" % i), timeout=2 * SECONDS, wait_for_ready=True))
            for i in range(200 // len(stubs))
            for stub in stubs
        ]
        for i, future in futures:
            assert future.result().message == "Hello, %d!" % i
    finally:
        for channel in channels:
            channel.close()


def test_50_reconnects(server):
    for i in range(50):
        with open_channel(server) as channel:
            stub = helloworld_pb2_grpc.GreeterStub(channel)
            reply = stub.SayHello(hello("%d" % i), timeout=SECONDS, wait_for_ready=True)
            assert reply.message == "Hello, %d!" % i


# --- Connections over the limit -----------------------------------------------------------------------------


@pytest.fixture
def peers():
    """Raw connections that are closed in any case."""
    peers = []
    yield peers
    for peer in peers:
        peer.socket.close()


def fill(peers, server):
    """Opens connections, each with a call, since those without one would give way, until the server refuses one.
    Those of the tests before may hold their places a while."""
    end = time.monotonic() + RECOVER_SECONDS
    while len(peers) <= server.connections:
        try:
            peers.append(Peer(server.port))
            peers[-1].start("/simpletest.SimpleTest/PostAndPost")
        except (OSError, EOFError) as error:
            assert not isinstance(error, TimeoutError), "neither served nor refused"
            if len(peers) == server.connections or time.monotonic() > end:
                return
            time.sleep(0.1)


def test_connections_over_the_limit(our_server, peers):
    """One too many is refused after a while; the others do not notice; a place that is given up is free."""
    fill(peers, our_server)
    assert len(peers) == our_server.connections
    for peer in peers[:3] + peers[-3:]:
        assert peer.say_hello("full") == "Hello, full!"
    peers.pop().socket.close()
    with open_channel(our_server) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        assert (
            stub.SayHello(hello("x"), timeout=SECONDS, wait_for_ready=True).message == "Hello, x!"
        )
    assert peers[0].say_hello("still") == "Hello, still!"


def test_grpcio_over_the_limit(our_server, peers):
    """grpcio is told UNAVAILABLE; with wait_for_ready it gets in when there is a place."""
    fill(peers, our_server)
    with open_channel(our_server) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        assert code_of(stub.SayHello, hello("no"))[0] == CODE.UNAVAILABLE
        future = stub.SayHello.future(hello("yes"), timeout=SECONDS, wait_for_ready=True)
        for peer in peers:
            peer.socket.close()
        assert future.result().message == "Hello, yes!"


# --- Clients that stop -----------------------------------------------------------------------------------------


def test_cancel(channel, simple):
    """More cancelled calls than there are streams: each gives its place back."""
    for i in range(30):
        typist = Typist()
        call = simple.PostAndPost(iter(typist), timeout=SECONDS)
        typist.send("%d" % i)
        assert next(call).resultlist == "Hello !! %d" % i
        call.cancel()
        typist.end()
        with pytest.raises(grpc.RpcError):
            next(call)
        assert call.code() == CODE.CANCELLED
    assert (
        simple.GetOne(simpletest_pb2.RequestOne(hello="x"), timeout=SECONDS).result == "Hello !! x"
    )


def test_cancel_before_anything(simple):
    for _ in range(30):
        simple.GetList(simpletest_pb2.RequestOne(), timeout=SECONDS).cancel()
    assert (
        simple.GetOne(simpletest_pb2.RequestOne(hello="x"), timeout=SECONDS).result == "Hello !! x"
    )


def test_deadline_of_the_client(simple):
    """A call that the client never half-closes ends with its deadline."""
    typist = Typist()
    calls = [simple.PostAndPost(iter(typist), timeout=0.3) for _ in range(4)]
    for call in calls:
        with pytest.raises(grpc.RpcError):
            list(call)
        assert call.code() == CODE.DEADLINE_EXCEEDED
        typist.end()
    assert (
        simple.GetOne(simpletest_pb2.RequestOne(hello="x"), timeout=SECONDS).result == "Hello !! x"
    )


MIDSTREAM = """
import sys, threading, grpc
import simpletest_pb2 as m, simpletest_pb2_grpc as g
forever = threading.Event()
def requests():
    yield m.RequestList(namelist="a")
    forever.wait()
stub = g.SimpleTestStub(grpc.insecure_channel(sys.argv[1]))
calls = [stub.PostAndPost(requests()) for _ in range(3)]
for call in calls:
    next(call)
print("in mid-stream", flush=True)
forever.wait()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_client_killed_in_mid_stream(server, how):
    """Its calls are open when it dies (or merely stops, and is killed later); others are served."""
    client = subprocess.Popen(
        [sys.executable, "-c", MIDSTREAM, server.target()], stdout=subprocess.PIPE, text=True
    )
    try:
        assert client.stdout.readline() == "in mid-stream\n"
        client.send_signal(how)
        with open_channel(server) as channel:
            stub = helloworld_pb2_grpc.GreeterStub(channel)
            for i in range(10):
                assert (
                    stub.SayHello(hello("%d" % i), timeout=SECONDS, wait_for_ready=True).message
                    == "Hello, %d!" % i
                )
    finally:
        client.kill()
        client.wait()


# --- Other ways to use a client -------------------------------------------------------------------------------


def test_asyncio(server):
    async def calls():
        async with grpc.aio.insecure_channel(server.target()) as channel:
            greeter = helloworld_pb2_grpc.GreeterStub(channel)
            simple = simpletest_pb2_grpc.SimpleTestStub(channel)
            replies = await asyncio.gather(
                *[greeter.SayHello(hello("%d" % i), timeout=SECONDS) for i in range(50)]
            )
            assert [reply.message for reply in replies] == ["Hello, %d!" % i for i in range(50)]
            listed = [
                a.resultlist
                async for a in simple.GetList(simpletest_pb2.RequestOne(), timeout=SECONDS)
            ]
            assert listed == ["test%d" % i for i in range(5)]
            call = simple.PostAndPost(timeout=SECONDS)
            for i in range(5):
                await call.write(simpletest_pb2.RequestList(namelist="%d" % i))
                assert (await call.read()).resultlist == "Hello !! %d" % i
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF and await call.code() == CODE.OK
            posted = await simple.PostList(lists("a", "b"), timeout=SECONDS)
            assert posted.result == "PostList OK"

    asyncio.run(asyncio.wait_for(calls(), 2 * SECONDS))


def until_lost(channel):
    """Waits until the channel knows that its connection has ended: a call that comes before would end with it."""
    lost = threading.Event()
    channel.subscribe(lambda state: state is grpc.ChannelConnectivity.READY or lost.set())
    assert lost.wait(SECONDS)


@pytest.mark.parametrize(
    "name",
    chosen(["reference", "posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb", "mps2_an385"]),
)
def test_wait_for_ready(name):
    """The client is there first; then the server; the server goes, and comes again."""
    port = free_port()
    options = [
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 500),
    ]
    with grpc.insecure_channel("127.0.0.1:%d" % port, options=options) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        assert code_of(stub.SayHello, hello("nobody"))[0] == CODE.UNAVAILABLE
        for i in range(2):
            future = stub.SayHello.future(hello("%d" % i), timeout=2 * SECONDS, wait_for_ready=True)
            time.sleep(0.5)
            assert not future.done()
            with Server(name, port=port):
                assert future.result().message == "Hello, %d!" % i
            until_lost(channel)


@pytest.mark.parametrize("name", chosen(["hostsim-raw", "hostsim-sockets"]))
def test_bad_weather(name):
    """5 % loss, 50 ms delay: slower, that is all."""
    with Server(name, extra=["--loss", "5", "--delay", "50", "--seed", "7"]) as server:
        with open_channel(server) as channel:
            stub = helloworld_pb2_grpc.GreeterStub(channel)
            done = []

            def calls(who):
                for i in range(25):
                    name = "%d of %d" % (i, who)
                    reply = stub.SayHello(hello(name), timeout=4 * SECONDS, wait_for_ready=True)
                    done.append(reply.message == "Hello, %s!" % name)

            threads = [threading.Thread(target=calls, args=(who,)) for who in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert done == [True] * 100
