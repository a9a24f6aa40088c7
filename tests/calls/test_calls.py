# tests/calls/test_calls.py - our client's role against gRPC's own server: a device makes calls to order.
# Layer: tests. Source: gRPC "Core concepts"; nanorpc/client.h.
# SPDX-License-Identifier: Apache-2.0
"""Each target runs boards/apps/caller/caller.c. A test tells it what to call, and it tells what came of that."""

import concurrent.futures
import threading
import time

import caller_pb2
import caller_pb2_grpc
import grpc
import pytest
import simpletest_pb2
import simpletest_pb2_grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

from nameserver import names  # noqa: F401 (a fixture)
from targets import Server, chosen, free_port, use

TARGETS = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]
HOST = {"posix": "127.0.0.1"}
SECONDS = 60
HEADERS, REPLY, DONE = caller_pb2.Event.HEADERS, caller_pb2.Event.REPLY, caller_pb2.Event.DONE
GET_ONE, GET_LIST, POST_LIST, POST_AND_POST = range(4)


class Simple(simpletest_pb2_grpc.SimpleTestServicer):
    """What a request's text says, it does."""

    def __init__(self):
        self.seen = []  # (method, texts, metadata x-token)
        self.ended = threading.Semaphore(0)  # calls that have ended, in whatever way
        self.release = threading.Event()

    def note(self, method, texts, context):
        metadata = dict(context.invocation_metadata())
        self.seen.append((method, texts, metadata.get("x-token", "")))
        context.add_callback(self.ended.release)
        self.time_left = context.time_remaining()
        if "x-token" in metadata:
            context.send_initial_metadata((("x-token", "first " + metadata["x-token"]),))
            context.set_trailing_metadata((("x-token", "last"), ("unasked", "x")))

    def act(self, text, context):
        if text.startswith("fail "):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, text[5:])
        if text.startswith("details "):
            detail = any_pb2.Any()
            detail.Pack(simpletest_pb2.ResponseOne(result=text[8:]))
            context.abort_with_status(
                rpc_status.to_status(
                    status_pb2.Status(code=5, message="not here", details=[detail])
                )
            )
        if text == "wait":
            self.release.wait(SECONDS)

    def GetOne(self, request, context):
        self.note("GetOne", [request.hello], context)
        self.act(request.hello, context)
        return simpletest_pb2.ResponseOne(result="Hello !! " + request.hello)

    def GetList(self, request, context):
        self.note("GetList", [request.hello], context)
        for i in range(5):
            if i == 2:
                self.act(request.hello, context)
            yield simpletest_pb2.ResponseList(resultlist="test%d" % i)

    def PostList(self, requests, context):
        texts = [request.namelist for request in requests]
        self.note("PostList", texts, context)
        return simpletest_pb2.ResponseOne(result="PostList OK %d" % len(texts))

    def PostAndPost(self, requests, context):
        self.note("PostAndPost", [], context)
        for request in requests:
            self.act(request.namelist, context)
            yield simpletest_pb2.ResponseList(resultlist="Hello !! " + request.namelist)


class Service:
    def __init__(self, port=0):
        self.simple = Simple()
        self.port = port
        self.start()

    def start(self):
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)]
        )
        simpletest_pb2_grpc.add_SimpleTestServicer_to_server(self.simple, self.server)
        self.port = self.server.add_insecure_port("0.0.0.0:%d" % self.port)
        assert self.port
        self.server.start()

    def stop(self):
        stopped = self.server.stop(None)  # calls that still wait are cut off, not answered
        self.simple.release.set()
        stopped.wait(SECONDS)


class Device:
    def __init__(self, server):
        self.host = HOST.get(server.name, "10.0.2.2")
        self.channel = grpc.insecure_channel(server.target())
        self.stub = caller_pb2_grpc.CallerStub(self.channel)

    def order(self, port, method, *requests, **more):
        return self.stub.Run(
            caller_pb2.Order(host=self.host, port=port, method=method, requests=requests, **more),
            timeout=SECONDS,
            wait_for_ready=True,
        )

    def run(self, *arguments, **more):
        """[(what, text, status, message)]"""
        return [(e.what, e.text, e.status, e.message) for e in self.order(*arguments, **more)]


@pytest.fixture(params=chosen(TARGETS))
def device(request):
    for server in use(request.param, "caller"):
        device = Device(server)
        yield device
        device.channel.close()


@pytest.fixture
def service():
    service = Service()
    yield service
    service.stop()


def replies(*texts):
    return [(REPLY, text, 0, "") for text in texts]


def good(*texts):
    return [(HEADERS, "", 0, "")] + replies(*texts) + [(DONE, "", 0, "")]


def test_four_kinds(device, service):
    assert device.run(service.port, GET_ONE, "you") == good("Hello !! you")
    assert device.run(service.port, GET_LIST, "x") == good(*("test%d" % i for i in range(5)))
    assert device.run(service.port, POST_LIST, "a", "b", "c") == good("PostList OK 3")
    assert device.run(service.port, POST_LIST) == good("PostList OK 0")
    assert sorted(device.run(service.port, POST_AND_POST, "a", "b")) == sorted(
        good("Hello !! a", "Hello !! b")
    )
    assert service.simple.seen == [
        ("GetOne", ["you"], ""),
        ("GetList", ["x"], ""),
        ("PostList", ["a", "b", "c"], ""),
        ("PostList", [], ""),
        ("PostAndPost", [], ""),
    ]


def test_many_calls_on_a_link(device, service):
    for i in range(30):
        assert device.run(service.port, i % 2, "n%d" % i)[-1] == (DONE, "", 0, "")
    assert len(service.simple.seen) == 30


def test_statuses(device, service):
    text = "no such sensor: 100 % caf\u00e9"
    assert device.run(service.port, GET_ONE, "fail " + text[:15])[-1] == (DONE, "", 9, text[:15])
    assert device.run(service.port, GET_ONE, "fail 100 % caf\u00e9")[-1] == (
        DONE,
        "",
        9,
        "100 % caf\u00e9",
    )
    events = device.run(service.port, GET_LIST, "fail later")
    assert events == [(HEADERS, "", 0, "")] + replies("test0", "test1") + [(DONE, "", 9, "later")]


def test_metadata(device, service):
    events = device.run(service.port, GET_ONE, "you", token="abc")
    assert events == [(HEADERS, "first abc ", 0, "")] + replies("Hello !! you") + [
        (DONE, "first abc last ", 0, "")
    ]
    assert service.simple.seen == [("GetOne", ["you"], "abc")]


def test_deadline(device, service):
    assert device.run(service.port, GET_ONE, "wait", timeout_ms=700)[-1][:3] == (DONE, "", 4)
    assert 0 < service.simple.time_left <= 0.701
    service.simple.ended.acquire(timeout=SECONDS)
    service.simple.release.set()
    assert device.run(service.port, GET_ONE, "you", timeout_ms=60000) == good("Hello !! you")


def test_cancel(device, service):
    events = device.run(service.port, GET_LIST, "wait", cancel_after=2)
    assert events == [(HEADERS, "", 0, "")] + replies("test0", "test1") + [(DONE, "", 1, "enough")]
    assert service.simple.ended.acquire(timeout=SECONDS)  # the server is told
    assert device.run(service.port, GET_ONE, "x", cancel_at_once=True)[-1] == (
        DONE,
        "",
        1,
        "at once",
    )
    service.simple.release.set()
    assert device.run(service.port, GET_ONE, "you") == good("Hello !! you")


def test_status_details(device, service):
    event = list(device.order(service.port, GET_ONE, "details of it"))[-1]
    assert (event.what, event.status, event.message, event.detail) == (DONE, 5, "not here", "of it")
    event = list(device.order(service.port, GET_ONE, "fail without"))[-1]
    assert (event.what, event.status, event.message, event.detail) == (DONE, 9, "without", "")


def blocking(*texts):
    return replies(*texts) + [(DONE, "", 0, "")]


def test_blocking(device, service):
    def run(*arguments, **more):
        return device.run(service.port, *arguments, blocking=True, **more)

    assert run(GET_ONE, "you") == blocking("Hello !! you")
    assert run(GET_LIST, "x") == blocking(*("test%d" % i for i in range(5)))
    assert run(POST_LIST, "a", "b", "c") == blocking("PostList OK 3")
    assert run(POST_LIST) == blocking("PostList OK 0")
    assert run(POST_AND_POST, "a", "b") == blocking("Hello !! a", "Hello !! b")
    assert service.simple.seen == [
        ("GetOne", ["you"], ""),
        ("GetList", ["x"], ""),
        ("PostList", ["a", "b", "c"], ""),
        ("PostList", [], ""),
        ("PostAndPost", [], ""),
    ]


def test_blocking_with_metadata(device, service):
    events = list(device.order(service.port, GET_ONE, "you", blocking=True, token="abc"))
    assert [(e.what, e.text, e.status) for e in events] == [
        (REPLY, "Hello !! you", 0),
        (DONE, "first abc last ", 0),
    ]
    event = list(device.order(service.port, GET_LIST, "details of it", blocking=True, token="d"))[
        -1
    ]
    assert (event.status, event.message, event.text, event.detail) == (
        5,
        "not here",
        "first d ",
        "of it",
    )  # grpcio: the details in place of "last"
    assert [token for _, _, token in service.simple.seen] == ["abc", "d"]


def test_blocking_that_fails(device, service):
    def run(*arguments, **more):
        return device.run(service.port, *arguments, blocking=True, **more)

    assert run(GET_ONE, "fail 100 % caf\u00e9") == [(DONE, "", 9, "100 % caf\u00e9")]
    assert run(GET_LIST, "fail later") == replies("test0", "test1") + [(DONE, "", 9, "later")]
    assert run(POST_AND_POST, "a", "fail b") == replies("Hello !! a") + [(DONE, "", 9, "b")]
    assert run(GET_LIST, "wait", cancel_after=2) == replies("test0", "test1") + [
        (DONE, "", 1, "enough")
    ]
    assert run(GET_ONE, "wait", timeout_ms=300)[-1][:3] == (DONE, "", 4)
    assert run(GET_LIST, "wait", timeout_ms=300)[-1][:3] == (DONE, "", 4)
    assert run(POST_AND_POST, "wait", timeout_ms=300)[-1][:3] == (DONE, "", 4)
    service.simple.release.set()
    assert device.run(free_port(), GET_ONE, "x", blocking=True)[-1][2] == 14
    assert run(GET_ONE, "you", wait_for_ready=True) == blocking("Hello !! you")


def test_unimplemented(device):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("0.0.0.0:0")
    server.start()
    assert device.run(port, GET_ONE, "x")[-1][2] == 12
    server.stop(0).wait(SECONDS)


def test_nobody_listens(device):
    assert device.run(free_port(), GET_ONE, "x")[-1][2] == 14
    assert device.run(free_port(), GET_ONE, "x", timeout_ms=300, wait_for_ready=True)[-1][2] == 4


def test_wait_for_ready(device):
    port = free_port()
    events = device.order(port, GET_ONE, "you", wait_for_ready=True)
    service = Service(port)
    assert [e.text for e in events if e.what == REPLY] == ["Hello !! you"]
    service.stop()


def test_server_restarts(device, service):
    assert device.run(service.port, GET_ONE, "a") == good("Hello !! a")
    for i in range(3):
        waiting = device.order(service.port, GET_LIST, "wait")
        assert next(waiting).what == HEADERS
        service.stop()
        assert list(waiting)[-1].status in (1, 14)
        service.simple.release.clear()
        service.start()
        assert device.run(service.port, GET_ONE, "b", wait_for_ready=True) == good("Hello !! b")


# --- What each port owes to its dials ---------------------------------------------------------------------


@pytest.mark.parametrize("is_there", [True, False])
def test_deadlines_are_not_late(device, service, is_there):
    """With a link, and without one. A port that slept through a dial's timers would take a second for each."""
    if is_there:
        assert device.run(service.port, GET_ONE, "you") == good("Hello !! you")
    else:
        service.stop()
    began = time.monotonic()
    for _ in range(20):
        assert (
            device.run(service.port, GET_ONE, "wait", timeout_ms=50, wait_for_ready=True)[-1][2]
            == 4
        )
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("target", chosen(["hostsim-raw", "hostsim-sockets"]))
def test_name(service, names, target):
    """Looked up with lwIP's DNS, and again for the next link. A call that does not wait is told of a name that is not
    there."""
    with Server(target, ["--dns", "10.0.2.2:%d" % names.port], app="caller") as server:
        device = Device(server)
        device.host = "other.test"
        assert device.run(service.port, GET_ONE, "a") == good("Hello !! a")
        assert names.asked.get(timeout=SECONDS) == b"\5other\4test\0\0\1\0\1"
        service.stop()
        names.answer = ""
        assert device.run(service.port, GET_ONE, "b")[-1][2] == 14
        waiting = device.order(service.port, GET_ONE, "c", wait_for_ready=True)
        names.asked.get(timeout=SECONDS)
        service.start()
        names.answer = "10.0.2.2"
        assert [event.text for event in waiting if event.what == REPLY] == ["Hello !! c"]
        device.channel.close()
