# tests/rtos/test_rtos.py - several tasks: streams that other tasks push, calls that wait in tasks, stacks.
# Layer: tests. Source: ports/lwip/nrpc_lwip_sockets_tasks.h; docs/rtos.md.
# SPDX-License-Identifier: Apache-2.0
"""boards/apps/telemetry on FreeRTOS (freertos_an385, in QEMU), and on lwIP's Unix threads layer
with the sanitizers."""

import concurrent.futures
import threading
import time

import grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc
import telemetry_pb2
import telemetry_pb2_grpc
from helloworld import greeter_pb2, greeter_pb2_grpc

from targets import BOARD, PROBES, Server, chosen, use

SECONDS = 60
QUEUE, DIRECT, INTERRUPT = range(3)
CALLERS = 3
# The task that serves waits for up to a second where nothing wakes it: so many samples without a wake would take over
# a minute, as each is asked for when the one before has left.
SAMPLES = 150
HOST = "10.0.2.2"  # the tests, from inside
FAILED_PRECONDITION, E_STATE = 9, -2

BOARD["freertos_an385"] = "boards/freertos_an385"
PROBES["telemetry"] = lambda peer: (
    peer.call("/telemetry.Telemetry/Misuse", b"\0\0\0\0\0").grpc_status == "0"
)


@pytest.fixture(params=chosen(["hostsim-sockets", "freertos_an385"]))
def device(request):
    yield from use(request.param, app="telemetry")


@pytest.fixture
def stub(device):
    with grpc.insecure_channel(device.target()) as channel:
        yield telemetry_pb2_grpc.TelemetryStub(channel)


def greeter(channel):
    return greeter_pb2_grpc.GreeterStub(channel)


def greet(stub, name):
    return stub.SayHello(greeter_pb2.HelloRequest(name=name), timeout=SECONDS).message


def follow(stub, source, count):
    which = telemetry_pb2.Which(source=source, count=count)
    return stub.Follow(which, timeout=SECONDS, wait_for_ready=True)


def numbers(stub, source, count):
    return [sample.number for sample in follow(stub, source, count)]


def in_a_row(got, count):
    return len(got) == count and got == list(range(got[0], got[0] + count))


# --- Streams ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [QUEUE, DIRECT, INTERRUPT])
def test_a_push_goes_out_at_once(stub, source):
    assert in_a_row(numbers(stub, source, SAMPLES), SAMPLES)


def test_all_at_the_same_time(device, stub):
    """Three streams that tasks and an interrupt fill, and unary calls over another connection."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(numbers, stub, source, SAMPLES) for source in range(3)]
        with grpc.insecure_channel(device.target()) as channel:
            for i in range(50):
                assert greet(greeter(channel), "%d" % i) == "Hello, %d" % i
        assert all(in_a_row(stream.result(), SAMPLES) for stream in streams)


def test_a_client_that_goes(device, stub):
    """In mid-stream, by a cancellation and by the end of its connection: the source serves the next one."""
    for source in range(3):
        for leaves in ("call", "channel"):
            with grpc.insecure_channel(device.target()) as channel:
                call = follow(telemetry_pb2_grpc.TelemetryStub(channel), source, 1000000)
                for _ in range(5):
                    next(call)
                if leaves == "call":
                    call.cancel()
            assert in_a_row(again(stub, source, 10), 10)


def again(stub, source, count):
    """As soon as the device knows that the client before has gone."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return numbers(stub, source, count)
        except grpc.RpcError as error:
            if error.details() != "one client a source" or time.monotonic() > end:
                raise
            time.sleep(0.02)


# --- Calls that wait -------------------------------------------------------------------------------------


class Simple(simpletest_pb2_grpc.SimpleTestServicer):
    """Answers the first calls when as many tasks are waiting as there are."""

    def __init__(self):
        self.together = threading.Barrier(CALLERS)
        self.n = 0
        self.lock = threading.Lock()

    def GetOne(self, request, context):
        with self.lock:
            self.n += 1
            is_first = self.n <= CALLERS
        if is_first:
            self.together.wait(SECONDS)
        return simpletest_pb2.ResponseOne(result="Hello !! " + request.hello)

    def GetList(self, request, context):
        for i in range(5):
            yield simpletest_pb2.ResponseList(resultlist="test%d" % i)


def ordered(stub, port, calls, timeout_ms=SECONDS * 1000):
    order = telemetry_pb2.Order(host=HOST, port=port, calls=calls, timeout_ms=timeout_ms)
    return stub.Call(order, timeout=2 * SECONDS)


def test_tasks_wait_at_the_same_time(device, stub):
    """Three tasks in blocking calls, unary and streaming, while others push into streams that this device serves."""
    simple = Simple()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2 * CALLERS))
    simpletest_pb2_grpc.add_SimpleTestServicer_to_server(simple, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        streams = [pool.submit(numbers, stub, source, 40) for source in range(3)]
        result = ordered(stub, port, 20)
        assert (result.good, result.status, result.message) == (20 * CALLERS, 0, "")
        assert all(in_a_row(stream.result(), 40) for stream in streams)
    assert simple.n == 10 * CALLERS
    server.stop(None).wait()


def test_nobody_answers(device, stub):
    """The tasks' deadlines pass, or the dial fails; then the tasks are free again."""
    with grpc.insecure_channel(device.target()) as channel:
        for timeout_ms in (200, 300):
            result = ordered(stub, 9, 2, timeout_ms)
            assert result.good == 0
            assert result.status in (
                grpc.StatusCode.UNAVAILABLE.value[0],
                grpc.StatusCode.DEADLINE_EXCEEDED.value[0],
            )
            assert greet(greeter(channel), "still here") == "Hello, still here"


def test_misuse_is_refused(device, stub):
    """A handler and an interrupt that make calls which wait, and a handler that polls, get an answer."""
    if device.name != "hostsim-sockets":  # which has no interrupt
        assert in_a_row(numbers(stub, INTERRUPT, 2), 2)
    for _ in range(3):
        reply = stub.Misuse(telemetry_pb2.MisuseRequest(), timeout=SECONDS)
        assert reply.status == FAILED_PRECONDITION
        assert reply.message == "handlers and interrupts cannot wait for calls"
        assert reply.poll == E_STATE
        assert reply.interrupt == (0 if device.name == "hostsim-sockets" else FAILED_PRECONDITION)


# --- The board -------------------------------------------------------------------------------------------


def stacks(stub):
    return list(stub.Tasks(telemetry_pb2.TasksRequest(), timeout=SECONDS, wait_for_ready=True))


@pytest.fixture
def board():
    if not chosen(["freertos_an385"]):
        pytest.skip("not among TARGETS")
    yield from use("freertos_an385", app="telemetry")


def test_a_few_hundred_calls(board):
    """50 in turn, 100 at once, 10 clients one after another: and lwIP has no object more than before."""
    with grpc.insecure_channel(board.target()) as channel:
        before = stacks(telemetry_pb2_grpc.TelemetryStub(channel))[0].objects
        for i in range(50):
            assert greet(greeter(channel), "%d" % i) == "Hello, %d" % i
        for _ in range(3):
            futures = [
                greeter(channel).SayHello.future(
                    greeter_pb2.HelloRequest(name="%d" % i), timeout=SECONDS
                )
                for i in range(100)
            ]
            assert [f.result().message for f in futures] == ["Hello, %d" % i for i in range(100)]
    for i in range(10):
        with grpc.insecure_channel(board.target()) as channel:
            assert greet(greeter(channel), "client %d" % i) == "Hello, client %d" % i
    assert settles(board, before)


def settles(board, objects):
    """lwIP holds a socket of a client that has gone for a moment."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with grpc.insecure_channel(board.target()) as channel:
            if stacks(telemetry_pb2_grpc.TelemetryStub(channel))[0].objects <= objects:
                return True
        time.sleep(0.1)
    return False


def test_a_stack_that_overflows():
    """The board stops, and says which task's it was."""
    if not chosen(["freertos_an385"]):
        pytest.skip("not among TARGETS")
    with Server("freertos_an385", app="telemetry") as server:
        with grpc.insecure_channel(server.target()) as channel:
            stub = telemetry_pb2_grpc.TelemetryStub(channel)
            stub.Misuse(telemetry_pb2.MisuseRequest(overflow=True), timeout=SECONDS)
            follow(stub, QUEUE, 1)
            end = time.monotonic() + SECONDS
            while "panic" not in "".join(server.output) and time.monotonic() < end:
                time.sleep(0.02)
        assert (
            "nanorpc: task queue: nanorpc: panic: stack overflow, make its stack larger"
            in server.output
        )


def test_stacks(board):
    """After all of the above every stack has a fifth left; a stack that grew shows here first."""
    with grpc.insecure_channel(board.target()) as channel:
        found = stacks(telemetry_pb2_grpc.TelemetryStub(channel))
    for stack in found:
        print("%-8s %5d bytes, %5d never used" % (stack.name, stack.bytes, stack.unused))
    assert [stack.name for stack in found] == [
        "main", "lwip", "net", "queue", "direct", "caller", "caller", "caller", "isr",
    ]  # fmt: skip
    assert [stack.name for stack in found if stack.unused * 5 < stack.bytes] == []
