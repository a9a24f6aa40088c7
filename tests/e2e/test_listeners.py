# tests/e2e/test_listeners.py - an application of the boards that listens on a second port: boards/apps/admin.
# Layer: tests. Source: boards/board.h, board_listen.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import re
import subprocess
import time

import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
from helloworld import greeter_pb2, greeter_pb2_grpc

from conftest import ROOT
from targets import emulator, free_port

UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED


def ports_of(process, known):
    """Where it serves: known, or what it says itself."""
    ports = list(known)
    while True:
        line = process.stdout.readline()
        assert line, "it has ended"
        ports += [int(n) for n in re.findall(r"listens on port (\d+)", line)]
        ready = re.search(r"ready on \S+:(\d+)", line)
        if ready:
            return (known or [int(ready.group(1)), *ports])[:2]


@pytest.fixture(params=["linux", "lm3s6965evb"])
def ports(request):
    """The application's, and its own second one."""
    known = []
    if request.param == "linux":
        command = [os.path.join(ROOT, "build/linux/admin"), "--port", "0"]
    else:
        known = [free_port(), free_port()]
        image = os.path.join(ROOT, "build/lm3s6965evb/admin.elf")
        forward = "-:50051,hostfwd=tcp:127.0.0.1:%d-:50052" % known[1]
        command = [
            word.replace("-:50051", forward) for word in emulator("lm3s6965evb", known[0], image)
        ]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield ports_of(process, known)
    finally:
        process.terminate()
        process.wait()


def greet(port, stub_of, request):
    with grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
        return (
            stub_of(channel).SayHello(request(name="two"), timeout=60, wait_for_ready=True).message
        )


def test_each_port_has_its_server(ports):
    first, second = ports
    theirs = (greeter_pb2_grpc.GreeterStub, greeter_pb2.HelloRequest)
    assert (
        greet(first, helloworld_pb2_grpc.GreeterStub, helloworld_pb2.HelloRequest) == "Hello, two!"
    )
    assert greet(first, *theirs) == "Hello, two!"
    assert greet(second, *theirs) == "Hello, two!"
    with pytest.raises(grpc.RpcError) as error:
        greet(second, helloworld_pb2_grpc.GreeterStub, helloworld_pb2.HelloRequest)
    assert error.value.code() is UNIMPLEMENTED


def test_who_fills_the_first_leaves_the_second(ports):
    """All connections of the first server are taken, by clients who keep theirs."""
    first, second = ports
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            channel = stack.enter_context(
                grpc.insecure_channel(
                    "127.0.0.1:%d" % first, options=[("grpc.use_local_subchannel_pool", 1)]
                )
            )
            stub = helloworld_pb2_grpc.GreeterStub(channel)
            request = helloworld_pb2.HelloRequest(name="one")
            assert stub.SayHello(request, timeout=60, wait_for_ready=True).message == "Hello, one!"
        began = time.monotonic()
        theirs = (greeter_pb2_grpc.GreeterStub, greeter_pb2.HelloRequest)
        assert greet(second, *theirs) == "Hello, two!"
        assert time.monotonic() - began < 30
