# tests/calls/test_reporter.py - the reporter against host-sim/collector.py: no reading is lost when that restarts.
# Layer: tests. Source: none.
# SPDX-License-Identifier: Apache-2.0
import os
import queue
import struct
import sys
import time

import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest

from targets import ROOT, Server, chosen, command

sys.path.insert(0, os.path.join(ROOT, "host-sim"))
import collector  # noqa: E402

TARGETS = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]
SECONDS = 90
KEPT = 64  # REPORTER_READINGS


class Service(collector.Collector):
    def __init__(self):
        super().__init__(show=lambda line: None)
        self.readings, self.port, self.refuses = queue.Queue(), 0, 0
        self.start()

    def start(self):
        self.server, self.port = collector.serve(self, self.port)
        assert self.port

    def stop(self):
        self.server.stop(0).wait(SECONDS)

    def Report(self, request, context):
        if self.refuses:
            self.refuses -= 1
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "not now")
        self.readings.put(request)
        return super().Report(request, context)

    def wait(self, n):
        """The next n readings, each once."""
        found = [self.readings.get(timeout=SECONDS)]
        while len(found) < n:
            reading = self.readings.get(timeout=SECONDS)
            if reading.sequence != found[-1].sequence:
                found.append(reading)
        return found


def image(target, port, period_ms, folder):
    """The program with another collector and period: see boards/apps/reporter/reporter.c."""
    host = "127.0.0.1" if target == "posix" else "10.0.2.2"
    path = [
        part
        for part in command(target, 0, "reporter")
        if os.path.basename(part).startswith("reporter")
    ][0]
    with open(path, "rb") as file:
        program = bytearray(file.read())
    at = program.index(b"@REPORT\0")
    program[at + 8 : at + 68] = struct.pack("<52sII", host.encode(), port, period_ms)
    path = os.path.join(folder, os.path.basename(path))
    with open(path, "wb") as file:
        file.write(program)
    os.chmod(path, 0o755)
    return path


@pytest.fixture
def service():
    service = Service()
    yield service
    service.stop()


@pytest.fixture(params=chosen(TARGETS))
def start(request, service, tmp_path):
    """Starts the device with a period."""
    devices = []

    def begin(period_ms):
        devices.append(
            Server(
                request.param,
                app="reporter",
                image=image(request.param, service.port, period_ms, tmp_path),
            )
        )
        return devices[0]

    yield begin
    for device in devices:
        device.stop()


def greet(device):
    with grpc.insecure_channel(device.target()) as channel:
        stub = helloworld_pb2_grpc.GreeterStub(channel)
        return stub.SayHello(
            helloworld_pb2.HelloRequest(name="World"), timeout=SECONDS, wait_for_ready=True
        ).message


def test_restarts_lose_nothing(start, service):
    device = start(100)
    readings = service.wait(5)
    for _ in range(3):
        service.stop()
        assert greet(device) == "Hello, World!"  # the server in the same image
        service.start()
        readings += service.wait(10)
    sequences = list(dict.fromkeys(reading.sequence for reading in readings))
    assert sequences == list(range(1, len(sequences) + 1))
    assert not any(reading.lost for reading in readings)
    assert {reading.device for reading in readings} == {"reporter"}


def test_once_a_second(start, service):
    start(1000)
    first, second, third = service.wait(3)
    assert (first.sequence, second.sequence, third.sequence) == (1, 2, 3)
    assert 21000 <= first.millidegrees < 21500


def test_what_there_is_no_room_for_is_counted(start, service):
    start(20)
    last, lost = service.wait(1)[0].sequence, 0
    while not lost:  # until the device has had the time to take more than it keeps
        service.stop()
        time.sleep(3 * KEPT * 0.02)
        service.start()
        sequences = list(
            dict.fromkeys([last] + [reading.sequence for reading in service.wait(KEPT + 20)])
        )
        assert sequences == list(range(last, sequences[-1] + 1))  # what was kept has no gap
        reading = service.wait(1)[0]
        last, lost = reading.sequence, reading.lost


def test_refused_readings_come_again(start, service):
    service.refuses = 2
    start(100)
    assert [reading.sequence for reading in service.wait(4)] == [1, 2, 3, 4]
