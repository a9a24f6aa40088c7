# tests/serial/test_boards.py - boards whose UART is the link, in an emulator: called by grpcio through the relay.
# Layer: tests. Source: docs/serial.md, boards/*/board.mk.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import re
import subprocess
import sys
import time

import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc

from conftest import ROOT
from targets import emulator, free_port

BOARDS = ["lm3s811evb", "stm32vldiscovery", "pico", "pico_uart"]
SECONDS = 60


class Program:
    """One that runs until it is stopped; its output is looked at for a line."""

    def __init__(self, command, ready):
        self.process = subprocess.Popen(
            command,
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


class Board:
    """An emulated one, its UART at a TCP port, which whoever connects first starts."""

    def __init__(self, name):
        self.name, self.serial = name, free_port()
        self.emulator = None

    def start(self):
        image = os.path.join(ROOT, "build", self.name, "greeter.elf")
        assert os.path.exists(image), "%s is not built: run make" % image
        command = [
            word.replace("wait=off", "wait=on") for word in emulator(self.name, self.serial, image)
        ]
        self.emulator = Program(command, b"waiting for connection")
        self.emulator.wait_ready()

    def stop(self):
        self.emulator.stop()


@contextlib.contextmanager
def relayed(board):
    """(target, the relay's program)"""
    port = free_port()
    relay = Program(
        [sys.executable, "-B", "-m", "nanorpc", "relay", "socket://127.0.0.1:%d" % board.serial]
        + ["--listen", "127.0.0.1:%d" % port, "--monitor"],
        rb"nanorpc: Greeter ready on a serial line",
    )
    try:
        yield "127.0.0.1:%d" % port, relay
    finally:
        relay.stop()


@pytest.fixture(params=BOARDS)
def board(request):
    board = Board(request.param)
    board.start()
    yield board
    board.stop()


def hello(stub, name, **how):
    return stub.SayHello(helloworld_pb2.HelloRequest(name=name), timeout=SECONDS, **how).message


def test_calls(board):
    """One after the other, many at once, and a stream of replies; the text of the firmware is shown beside."""
    with relayed(board) as (target, relay), grpc.insecure_channel(target) as channel:
        relay.wait_ready()
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        for i in range(50):
            assert hello(stub, "n%d" % i, wait_for_ready=True) == "Hello, n%d!" % i
        calls = [
            stub.SayHello.future(helloworld_pb2.HelloRequest(name="p%d" % i), timeout=SECONDS)
            for i in range(50)
        ]
        assert [call.result().message for call in calls] == ["Hello, p%d!" % i for i in range(50)]
        lists = simpletest_pb2_grpc.SimpleTestStub(channel)
        names = [r for r in lists.GetList(simpletest_pb2.RequestOne(), timeout=SECONDS)]
        assert len(names) == 5


def test_the_board_is_unplugged_and_plugged_in(board):
    with relayed(board) as (target, relay), grpc.insecure_channel(target) as channel:
        relay.wait_ready()
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        assert hello(stub, "a", wait_for_ready=True) == "Hello, a!"
        board.stop()
        with pytest.raises(grpc.RpcError) as refused:
            hello(stub, "b")
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        board.start()
        assert hello(stub, "c", wait_for_ready=True) == "Hello, c!"


def test_serial_channel_and_the_command(board):
    import nanorpc

    port = "socket://127.0.0.1:%d" % board.serial
    with nanorpc.serial_channel(port) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        assert hello(stub, "you", wait_for_ready=True) == "Hello, you!"
    board.stop()
    board.start()
    done = subprocess.run(
        [sys.executable, "-B", "-m", "nanorpc", "call", port, "Greeter/SayHello", '{"name": "you"}']
        + ["--proto", "proto/helloworld.proto", "--timeout", str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )
    assert done.returncode == 0 and '"Hello, you!"' in done.stdout, done.stderr
