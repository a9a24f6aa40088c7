# tests/serial/test_hostsim.py - the simulated device on a serial line (host-sim --serial), by grpcio and the command.
# Layer: tests. Source: docs/serial.md; host-sim/serial.c.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import re
import subprocess
import sys
import time

import children
import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest

from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "ports", "python"))
import nanorpc  # noqa: E402

SECONDS = 120  # of patience
WAYS = {"pty": ["--serial"], "tcp": ["--serial=tcp", "--port", "0"]}


@contextlib.contextmanager
def simulated(*options):
    """The line's name."""
    program = os.path.join(ROOT, "build", "host-sim", "greeter")
    process = subprocess.Popen(
        children.tied([program, *options]), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        ready = process.stdout.readline().decode()
        assert ready, process.stderr.read()
        yield re.fullmatch(r"nanorpc: Greeter ready on (\S+)\n", ready).group(1)
    finally:
        process.terminate()
        out, error = process.communicate(timeout=SECONDS)
    assert (process.returncode, error) == (0, b"") and b"nanorpc: stopped" in out


def hello(channel, name):
    stub = helloworld_pb2_grpc.GreeterStub(channel)
    request = helloworld_pb2.HelloRequest(name=name)
    return stub.SayHello.future(request, timeout=SECONDS, wait_for_ready=True)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_programs_come_and_go(way):
    """One after the other; calls at once; the command."""
    with simulated(*WAYS[way]) as line:
        for program in range(3):
            with nanorpc.serial_channel(line) as channel:
                calls = [hello(channel, "%d%d" % (program, i)) for i in range(10)]
                for i, call in enumerate(calls):
                    assert call.result().message == "Hello, %d%d!" % (program, i)
        done = subprocess.run(
            [sys.executable, "-B", "-m", "nanorpc", "call", line, "Greeter/SayHello"]
            + ['{"name": "you"}', "--proto", "proto/helloworld.proto", "--timeout", str(SECONDS)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
        )
        assert done.returncode == 0 and '"Hello, you!"' in done.stdout, done.stderr


def test_a_line_that_loses_and_alters():
    """At 57600 baud, one of 250 bytes lost, one of 250 another: about every third frame is broken."""
    damage = ["--baud", "57600", "--loss", "0.4", "--noise", "0.4", "--seed", "3"]
    with simulated("--serial", *damage) as line:
        with nanorpc.serial_channel(line, 57600) as channel:
            for i in range(10):
                assert hello(channel, "n%d" % i).result().message == "Hello, n%d!" % i


def test_nothing_but_noise():
    """No call passes: with the options the line is as bad as they say."""
    with simulated("--serial", "--noise", "50") as line:
        with nanorpc.serial_channel(line) as channel:
            stub = helloworld_pb2_grpc.GreeterStub(channel)
            with pytest.raises(grpc.RpcError) as refused:
                stub.SayHello(helloworld_pb2.HelloRequest(name="x"), timeout=3, wait_for_ready=True)
            assert refused.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_baud_rate():
    """2400 bits a second are 240 bytes: a first call, of 400 bytes and more, needs a second at least."""
    with simulated("--serial", "--baud", "2400") as line:
        with nanorpc.serial_channel(line, 2400) as channel:
            begun = time.monotonic()
            assert hello(channel, "x").result().message == "Hello, x!"
            assert time.monotonic() - begun > 1


def test_port_taken():
    with simulated("--serial=tcp", "--port", "0") as line:
        port = line.rsplit(":", 1)[1]
        done = subprocess.run(
            [os.path.join(ROOT, "build", "host-sim", "greeter"), "--serial=tcp", "--port", port],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1 and "port " + port in done.stderr and "--port" in done.stderr
