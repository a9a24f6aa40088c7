# tests/boards/test_boards.py - every board that an emulator runs, called by grpcio: over TCP, or through the relay.
# Layer: tests. Source: boards/*/board.mk, which says what there is: a new board needs nothing here.
# SPDX-License-Identifier: Apache-2.0
"""What each board must do. All that the core and the ports must is tests/e2e's, on fewer of them. The last result of
each board goes to build/BOARD/tested, for `make boards`."""

import contextlib
import hashlib
import os
import re
import socket
import struct
import subprocess
import sys
import time

import children
import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc

import rawh2
from conftest import ROOT
from targets import Server, board_variables, chosen, emulated, emulator, free_port

SECONDS = 60  # of patience: no test fails because the machine is slow
CODE = grpc.StatusCode


def is_serial(board):
    return board_variables("boards/" + board)["BOARD_PORT"] == "serial"


def image_of(board):
    image = os.path.join(ROOT, "build", board, "greeter.elf")
    assert os.path.exists(image), "%s is not built: run make" % image
    return image


class Program:
    """One that runs until it is stopped; its output is looked at for a line."""

    def __init__(self, command, ready):
        self.process = subprocess.Popen(
            children.tied(command),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.ready, self.text = ready, b""

    def wait_ready(self):
        end = time.monotonic() + SECONDS
        os.set_blocking(self.process.stdout.fileno(), False)
        while not re.search(self.ready, self.text):
            assert self.process.poll() is None and time.monotonic() < end, self.text
            self.text += self.process.stdout.read() or b""
            time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


class SerialBoard:
    """Its UART is at a TCP port; where the emulator can, whoever connects first starts it, and misses no text."""

    def __init__(self, name):
        self.name, self.port = name, free_port()
        self.start()

    def start(self):
        command = emulator(self.name, self.port, image_of(self.name))
        self.waits = any("wait=off" in word for word in command)
        command = [word.replace("wait=off", "wait=on") for word in command]
        self.emulator = Program(command, b"waiting for connection" if self.waits else b"")
        self.emulator.wait_ready()

    def stop(self):
        self.emulator.stop()

    @contextlib.contextmanager
    def relayed(self):
        """A target for grpcio."""
        port = free_port()
        relay = Program(
            [sys.executable, "-B", "-m", "nanorpc", "relay", "socket://127.0.0.1:%d" % self.port]
            + ["--listen", "127.0.0.1:%d" % port, "--monitor"],
            rb"nanorpc: Greeter ready on a serial line" if self.waits else b"",
        )
        try:
            relay.wait_ready()
            yield "127.0.0.1:%d" % port
        finally:
            relay.stop()


@contextlib.contextmanager
def running(board):
    """The board in its emulator; a target for grpcio."""
    with contextlib.ExitStack() as stack:
        if is_serial(board):
            serial = SerialBoard(board)
            stack.callback(serial.stop)
            yield stack.enter_context(serial.relayed())
        else:
            yield stack.enter_context(Server(board)).target()


@pytest.fixture(scope="module", params=chosen(emulated()))
def target(request):
    """One emulator a board for all of these tests."""
    failed = request.session.testsfailed
    result = os.path.join(ROOT, "build", request.param, "tested")
    if os.path.exists(result):
        os.remove(result)
    with running(request.param) as target:
        yield target
    with open(image_of(request.param), "rb") as file:
        image = hashlib.sha256(file.read()).hexdigest()
    with open(result, "w", encoding="utf-8") as file:
        file.write(
            "%s %s\n" % ("passed" if request.session.testsfailed == failed else "FAILED", image)
        )


@pytest.fixture
def channel(target):
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel


def request(name):
    return helloworld_pb2.HelloRequest(name=name)


def hello(channel, name):
    """True when the board answers as it should."""
    stub = helloworld_pb2_grpc.GreeterStub(channel)
    reply = stub.SayHello(request(name), timeout=SECONDS, wait_for_ready=True)
    return reply.message == "Hello, %s!" % name


def test_calls_in_turn(channel):
    assert all(hello(channel, "n%d" % i) for i in range(20))


def test_calls_at_once(channel):
    """More than a connection has streams: the others wait for theirs."""
    say = helloworld_pb2_grpc.GreeterStub(channel).SayHello
    calls = [
        say.future(request("p%d" % i), timeout=SECONDS, wait_for_ready=True) for i in range(50)
    ]
    assert [call.result().message for call in calls] == ["Hello, p%d!" % i for i in range(50)]


def test_streams(channel):
    simple = simpletest_pb2_grpc.SimpleTestStub(channel)
    replies = simple.GetList(simpletest_pb2.RequestOne(), timeout=SECONDS, wait_for_ready=True)
    assert [reply.resultlist for reply in replies] == ["test%d" % i for i in range(5)]
    sent = iter([simpletest_pb2.RequestList(namelist="m%d" % i) for i in range(20)])
    replies = simple.PostAndPost(sent, timeout=SECONDS)
    assert [reply.resultlist for reply in replies] == ["Hello !! m%d" % i for i in range(20)]


def test_deadlines(channel):
    """The board takes back what expired calls held: more of them than it has streams; then one that is served."""
    assert hello(channel, "before")
    simple = simpletest_pb2_grpc.SimpleTestStub(channel)
    for _ in range(2):
        calls = [simple.PostList.future(endless(), timeout=0.2) for _ in range(4)]
        assert [call.code() for call in calls] == [CODE.DEADLINE_EXCEEDED] * 4
    assert hello(channel, "after")


def endless():
    """Requests that the client has not ended when its deadline comes."""
    yield simpletest_pb2.RequestList(namelist="x")
    time.sleep(0.3)


def test_statuses(channel):
    """An unknown method; a message that is larger than the board has room for; and metadata that nobody wants."""
    assert hello(channel, "before")
    nothing = channel.unary_unary("/Greeter/Nothing")
    say = helloworld_pb2_grpc.GreeterStub(channel).SayHello
    for call, argument, code in (
        (nothing, b"", CODE.UNIMPLEMENTED),
        (say, request("x" * 300), CODE.RESOURCE_EXHAUSTED),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call(argument, timeout=SECONDS)
        assert refused.value.code() == code
    reply = say(request("m"), timeout=SECONDS, metadata=[("x-unknown", "y" * 100)])
    assert reply.message == "Hello, m!"


def test_clients_that_vanish(target):
    """In the middle of a request, without a word, more of them than the board has connections; the next is served."""
    host, port = target.split(":")
    served, end = 0, time.monotonic() + SECONDS
    while served < 4:
        assert time.monotonic() < end
        with contextlib.suppress(ConnectionError):  # the one before may still have its place
            with socket.create_connection((host, int(port)), SECONDS) as gone:
                gone.sendall(rawh2.PREFACE + rawh2.settings())
                served += len(gone.recv(1))  # of the board's SETTINGS: it has a connection
                gone.sendall(rawh2.frame(rawh2.HEADERS, 0, 1, b"\x83"))
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        assert hello(channel, "next")


# --- Where a UART is the link: the plug is pulled, and put in again --------------------------------------


@pytest.fixture(params=chosen([board for board in emulated() if is_serial(board)]))
def serial_board(request):
    board = SerialBoard(request.param)
    yield board
    board.stop()


def test_the_board_is_unplugged_and_plugged_in(serial_board):
    with serial_board.relayed() as target, grpc.insecure_channel(target) as channel:
        assert hello(channel, "a")
        serial_board.stop()
        with pytest.raises(grpc.RpcError) as refused:
            helloworld_pb2_grpc.GreeterStub(channel).SayHello(request("b"), timeout=SECONDS)
        assert refused.value.code() == CODE.UNAVAILABLE
        serial_board.start()
        assert hello(channel, "c")


def test_serial_channel_and_the_command(serial_board):
    import nanorpc

    port = "socket://127.0.0.1:%d" % serial_board.port
    with nanorpc.serial_channel(port) as channel:
        assert hello(channel, "you")
    serial_board.stop()
    serial_board.start()
    done = subprocess.run(
        [sys.executable, "-B", "-m", "nanorpc", "call", port, "Greeter/SayHello", '{"name": "you"}']
        + ["--proto", "proto/helloworld.proto", "--timeout", str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    assert done.returncode == 0 and '"Hello, you!"' in done.stdout, done.stderr
