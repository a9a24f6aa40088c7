# tests/python/test_channel.py - grpcio's calls through nanorpc.serial_channel and a relay, to a device on a pty.
# Layer: tests. Source: docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import socket
import termios
import threading
import time

import grpc
import pytest
from helloworld import greeter_pb2

import nanorpc
import served
from nanorpc import channel as channels
from nanorpc import link, port, relay
from served import board  # noqa: F401 (fixture)

REQUEST = greeter_pb2.HelloRequest(name="you")


def greet(channel, name="you", **options):
    stub = served.Stub(channel)
    return stub.SayHello(greeter_pb2.HelloRequest(name=name), timeout=20, **options).message


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)


def succeeds(call):
    """Calls until it is not UNAVAILABLE; what it returned."""
    end = time.monotonic() + 20
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE and time.monotonic() < end, error
            time.sleep(0.05)


def test_calls(board):
    with nanorpc.serial_channel(board.path) as channel:
        assert isinstance(channel, grpc.Channel)
        stub = served.Stub(channel)
        assert greet(channel) == "Hello, you!"
        assert greet(channel, metadata=[("who", "me")]) == "Hello, me!"
        replies = [reply.message for reply in stub.Replies(REQUEST, timeout=20)]
        assert replies == ["Hello, %d you!" % i for i in range(5)]
        names = (greeter_pb2.HelloRequest(name=str(i)) for i in range(5))
        replies = [reply.message for reply in stub.Both(names, timeout=20)]
        assert replies == ["Hello, %d!" % i for i in range(5)]
        with pytest.raises(grpc.RpcError) as error:
            greet(channel, "nobody")
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        long = "x" * 20000
        assert greet(channel, long) == "Hello, %s!" % long


def test_in_parallel(board):
    with nanorpc.serial_channel(board.path) as channel:
        stub = served.Stub(channel)
        calls = [
            stub.SayHello.future(greeter_pb2.HelloRequest(name=str(i)), timeout=30)
            for i in range(20)
        ]
        assert [call.result().message for call in calls] == ["Hello, %d!" % i for i in range(20)]


def test_several_channels_share_the_port(board):
    """One relay; each its own text. The port is free when the last is closed, and the device's links are, too."""
    texts = [], []
    options = [("grpc.use_local_subchannel_pool", 1)]
    one, two = (
        nanorpc.serial_channel(board.path, on_text=text.append, options=options) for text in texts
    )
    assert greet(one) == greet(two) == "Hello, you!"
    assert len(channels.SharedRelay._all) == 1 and len(board.device.links) == 2
    board.device.text = b"hello there\r\n"
    until(lambda: all(b"".join(text) == b"hello there\r\n" for text in texts))
    with pytest.raises(ValueError, match="open with baudrate=115200"):
        nanorpc.serial_channel(board.path, 9600)
    one.close()
    one.close()  # does no harm
    assert greet(two) == "Hello, you!"
    with pytest.raises(nanorpc.PortError, match="busy.*nanorpc relay"):
        port.Port(board.path, 115200)
    two.close()
    until(lambda: not board.device.links)
    assert channels.SharedRelay._all == []
    assert not [thread for thread in threading.enumerate() if thread.name == "nanorpc relay"]
    port.Port(board.path, 115200).close()


def test_unplugged(board):
    """Calls under way fail, so do new ones, and when it is there again they succeed: twice."""
    with nanorpc.serial_channel(board.path) as channel:
        for _ in range(2):
            assert succeeds(lambda: greet(channel)) == "Hello, you!"
            stub = served.Stub(channel)
            waiting = stub.SayHello.future(greeter_pb2.HelloRequest(name="sleeper"), timeout=20)
            until(lambda: board.device.links)
            board.unplug()
            assert waiting.exception().code() == grpc.StatusCode.UNAVAILABLE
            with pytest.raises(grpc.RpcError) as error:
                greet(channel)
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
            board.plug()
        assert succeeds(lambda: greet(channel)) == "Hello, you!"


def test_device_is_reset(board):
    with nanorpc.serial_channel(board.path) as channel:
        assert greet(channel) == "Hello, you!"
        stub = served.Stub(channel)
        waiting = stub.SayHello.future(greeter_pb2.HelloRequest(name="sleeper"), timeout=20)
        board.is_plugged = False
        board.thread.join()
        board.is_plugged = True
        board.device.reset()
        board.thread = threading.Thread(target=board.serve, daemon=True)
        board.thread.start()
        assert unavailable(waiting.result).startswith("the device was restarted (")
        assert succeeds(lambda: greet(channel)) == "Hello, you!"


# --- What a caller reads -----------------------------------------------------------------------------------


def unavailable(call):
    """The details of a call that ends so; `str` has them, too."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert error.value.details() in str(error.value)
    return error.value.details()


@pytest.fixture
def full(tmp_path):
    """A device with no connection for anybody."""
    made = served.Board(tmp_path, links=0)
    made.plug()
    yield made
    made.close()


FULL = "the device has no connection left for another client (failed to connect"


def test_why_for_all_kinds_of_calls(full):
    with nanorpc.serial_channel(full.path) as channel:
        stub = served.Stub(channel)
        done = []
        future = stub.SayHello.future(REQUEST, timeout=20)
        future.add_done_callback(done.append)
        stream = stub.Both(iter([REQUEST]), timeout=20)
        for call in (
            lambda: stub.SayHello(REQUEST, timeout=20),
            lambda: stub.SayHello.with_call(REQUEST, timeout=20),
            future.result,
            lambda: list(stub.Replies(REQUEST, timeout=20)),
            lambda: stub.Requests(iter([REQUEST]), timeout=20),
            lambda: list(stream),
        ):
            assert unavailable(call).startswith(FULL)
        for call in (future, stream):
            assert isinstance(call, grpc.Call) and call.details().startswith(FULL)
        assert future.exception() is future and isinstance(future, grpc.Future)
        until(lambda: done)
        assert done == [future]
        assert FULL.startswith(channel.why_unavailable)


def test_why_for_all_kinds_of_calls_in_asyncio(full):
    async def collected(stream):
        return [reply async for reply in stream]

    async def calls():
        async with nanorpc.aio.serial_channel(full.path) as channel:
            stub = served.Stub(channel)
            kinds = {
                stub.SayHello(REQUEST, timeout=20): grpc.aio.UnaryUnaryCall,
                stub.Requests(iter([REQUEST]), timeout=20): grpc.aio.StreamUnaryCall,
                stub.Replies(REQUEST, timeout=20): grpc.aio.UnaryStreamCall,
                stub.Both(iter([REQUEST]), timeout=20): grpc.aio.StreamStreamCall,
            }
            writing = stub.Both(timeout=20).write(REQUEST)
            reading = stub.Replies(REQUEST, timeout=20).read()
            ends = [
                call if hasattr(kind, "__await__") else collected(call)
                for call, kind in kinds.items()
            ]
            for end in [writing, reading, *ends]:
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await end
                assert error.value.code() == grpc.StatusCode.UNAVAILABLE
                assert error.value.details().startswith(FULL)
                assert FULL in str(error.value)
            for call, kind in kinds.items():
                assert isinstance(call, kind) and (await call.details()).startswith(FULL)

    asyncio.run(calls())


def test_why_while_it_is_unplugged(board, monkeypatch):
    """A call under way, a new one; then it is there, and may not be opened, or is busy; then it works."""
    with nanorpc.serial_channel(board.path) as channel:
        assert greet(channel) == "Hello, you!"
        waiting = served.Stub(channel).SayHello.future(
            greeter_pb2.HelloRequest(name="sleeper"), timeout=20
        )
        until(lambda: board.device.links)
        board.unplug()
        gone = "%s has gone (" % board.path
        assert unavailable(waiting.result).startswith(gone)
        assert unavailable(lambda: greet(channel)).startswith(gone)
        opens = port.serial.serial_for_url
        for number, why in ((13, "may not be opened by you"), (16, "is busy: another program")):
            error = port.serial.SerialException(number, "could not open port")

            def refuse(*arguments, error=error, **named):
                raise error

            monkeypatch.setattr(port.serial, "serial_for_url", refuse)
            if number == 13:
                board.plug()
            until(lambda why=why: why in channel.why_unavailable)
            assert why in unavailable(lambda: greet(channel))
        assert waiting.details().startswith(gone)  # still its own
        monkeypatch.setattr(port.serial, "serial_for_url", opens)
        assert succeeds(lambda: greet(channel)) == "Hello, you!"
        # What the device itself says stays as it is.
        assert unavailable(lambda: greet(channel, "absent")) == "the sensor is off"


def test_why_of_a_device_that_does_not_answer(board):
    board.is_plugged = False
    board.thread.join()
    with nanorpc.serial_channel(board.path) as channel:
        details = unavailable(lambda: greet(channel))
    assert details.startswith("the device does not answer: is it the right port and rate")
    board.is_plugged = True
    board.thread = threading.Thread(target=board.serve, daemon=True)
    board.thread.start()


def test_trouble():
    """A call gets the reason of its time: the first since it began, or the one that still stands."""
    trouble = relay.Trouble()
    assert trouble.last == trouble.since(0) == ""
    trouble.tell("one")
    assert trouble.last == trouble.since(0) == trouble.since(1) == "one"
    trouble.end()
    assert trouble.since(0) == "one" and trouble.since(1) == "" and trouble.last == "one"
    trouble.tell("two")
    trouble.tell("three")
    assert [trouble.since(n) for n in range(4)] == ["one", "two", "three", "three"]


def test_aio(board):
    async def calls():
        async with nanorpc.aio.serial_channel(board.path) as channel:
            assert isinstance(channel, grpc.aio.Channel)
            stub = served.Stub(channel)
            await channel.channel_ready()
            replies = await asyncio.gather(*(stub.SayHello(REQUEST, timeout=30) for _ in range(20)))
            assert {reply.message for reply in replies} == {"Hello, you!"}
            stream = stub.Replies(REQUEST, timeout=20)
            assert [reply.message async for reply in stream] == [
                "Hello, %d you!" % i for i in range(5)
            ]

    asyncio.run(calls())
    assert channels.SharedRelay._all == []


def serve(board, body, *addresses):
    """Runs a relay in an event loop of its own; `body` with the addresses in a thread beside it. What was logged."""
    log = []

    async def run():
        it = relay.Relay(board if isinstance(board, str) else board.path, log=log.append)
        await it.open()
        listening = [await it.listen(address) for address in addresses]
        try:
            await asyncio.get_running_loop().run_in_executor(None, body, *listening)
        finally:
            await it.close()

    asyncio.run(run())
    return log


def test_relay(board, tmp_path):
    """TCP and unix sockets; more clients than the device has connections."""

    def body(tcp, unix):
        assert not tcp.endswith(":0")
        options = [("grpc.use_local_subchannel_pool", 1)]
        targets = [tcp, unix, tcp]
        clients = [grpc.insecure_channel(target, options) for target in targets]
        for client in clients:
            assert greet(client) == "Hello, you!"
        with grpc.insecure_channel(tcp, options) as beyond:
            with pytest.raises(grpc.RpcError) as error:
                greet(beyond)
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        clients[0].close()
        with grpc.insecure_channel(unix, options) as another:
            assert succeeds(lambda: greet(another)) == "Hello, you!"
        for client in clients:
            client.close()

    (tmp_path / "socket").touch()
    os.unlink(tmp_path / "socket")
    log = serve(board, body, "127.0.0.1:0", "unix:%s" % (tmp_path / "socket"))
    assert any("no connection left" in line for line in log)
    until(lambda: not board.device.links)


def test_relay_without_a_port(board):
    """While it is unplugged clients are closed at once; the log says why."""

    def body(tcp):
        host, number = tcp.split(":")
        board.unplug()
        begin = time.monotonic()
        until(lambda: closed_at_once(host, int(number)))
        assert time.monotonic() - begin < 10
        board.plug()
        with grpc.insecure_channel(tcp) as channel:
            assert succeeds(lambda: greet(channel)) == "Hello, you!"

    def closed_at_once(host, number):
        with socket.create_connection((host, number), timeout=0.2) as client:
            try:
                return client.recv(1) == b""
            except socket.timeout:
                return False
            except ConnectionResetError:
                return True

    log = serve(board, body, "127.0.0.1:0")
    assert any("has gone" in line for line in log) and any("there again" in line for line in log)


def test_client_that_does_not_read(board):
    """The device is told to wait; the other clients go on."""
    stuck = socket.socket(socket.AF_UNIX)

    def body(unix):
        stuck.connect(unix[len("unix:") :])
        until(lambda: board.device.links)
        (one,) = board.device.links.values()
        one.connection = Endless()
        until(lambda: one.host_busy)
        with grpc.insecure_channel(unix) as channel:
            assert greet(channel) == "Hello, you!"
        assert one.host_busy
        end = time.monotonic() + 20
        while one.host_busy:
            assert stuck.recv(4096) and time.monotonic() < end
        stuck.close()
        until(lambda: len(board.device.links) == 0)

    class Endless:
        room, ends, held = 0, False, b""

        def take(self, data):
            return len(data)

        def give(self, most):
            return b"x" * most

    serve(board, body, "unix:%s.socket" % board.path)


def test_socket_port(board):
    """A line that another program offers on TCP."""
    listener = socket.create_server(("127.0.0.1", 0))

    def bridge():
        peer, _ = listener.accept()
        peer.setblocking(False)
        slave = os.open(board.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        while True:
            time.sleep(0.001)
            try:
                data = peer.recv(4096)
                if not data:
                    break
                os.write(slave, data)
            except BlockingIOError:
                pass
            try:
                peer.send(os.read(slave, 4096))
            except BlockingIOError:
                pass
        os.close(slave)

    thread = threading.Thread(target=bridge)
    thread.start()
    with nanorpc.serial_channel("socket://127.0.0.1:%d" % listener.getsockname()[1]) as channel:
        assert greet(channel) == "Hello, you!"
    thread.join()
    listener.close()


@pytest.mark.parametrize("rtscts", [False, True])
def test_how_the_port_is_opened(board, rtscts):
    """Rate, RTS and CTS."""
    with nanorpc.serial_channel(board.path, 38400, rtscts=rtscts) as channel:
        assert greet(channel) == "Hello, you!"
        flags = termios.tcgetattr(board.slave)
        assert bool(flags[2] & termios.CRTSCTS) is rtscts
        assert flags[4:6] == [termios.B38400, termios.B38400]


def test_link_that_is_open_when_the_next_host_comes(board):
    """One that was killed has said no goodbye."""
    line = link.Line(115200)
    gone = port.Port(board.path, 115200)
    line.open(link.User(), 0.0)
    gone.write(line.transmit(0.0))
    until(lambda: board.device.links)
    gone.close()
    with nanorpc.serial_channel(board.path) as channel:
        assert greet(channel) == "Hello, you!"
    assert board.device.opened == 2


# --- What cannot be opened ---------------------------------------------------------------------------------


def test_no_such_port(monkeypatch):
    monkeypatch.setattr(port, "ports", lambda: ["/dev/ttyACM7  a Pico"])
    with pytest.raises(
        nanorpc.PortError, match="(?s)no port /dev/nothing; there are:.*/dev/ttyACM7"
    ):
        nanorpc.serial_channel("/dev/nothing")
    monkeypatch.setattr(port, "ports", lambda: [])
    with pytest.raises(nanorpc.PortError, match="no serial device here: plug it in"):
        nanorpc.serial_channel("/dev/nothing")
    assert channels.SharedRelay._all == []


def test_no_permission(board, monkeypatch):
    def refuse(*arguments, **named):
        raise port.serial.SerialException(13, "could not open port: Permission denied")

    monkeypatch.setattr(port.serial, "serial_for_url", refuse)
    monkeypatch.setattr(port, "_group", lambda path: "dialout")
    with pytest.raises(nanorpc.PortError, match="usermod -aG dialout"):
        nanorpc.serial_channel(board.path)


def test_no_port_at_all(tmp_path):
    (tmp_path / "file").touch()
    for url, why in (
        (str(tmp_path / "file"), "is no serial port"),
        ("loop://", "socket://HOST:PORT"),
        ("socket://127.0.0.1:1", "is something listening"),
        ("nonsense://a", "socket://HOST:PORT"),
    ):
        with pytest.raises(nanorpc.PortError, match=why):
            nanorpc.serial_channel(url)


def test_what_is_known():
    assert "Pico" in port.known(0x2E8A, 0x000A) and "Raspberry" in port.known(0x2E8A, 0xFFFF)
    assert port.known(1, 2) == ""
