# tests/calls/test_links.py - what becomes of calls when their link, or the server, goes: sent again, given up.
# Layer: tests. Source: RFC 9113 6.8, 8.7; gRPC "Retry" (transparent), "Connection Backoff Protocol".
# SPDX-License-Identifier: Apache-2.0
"""boards/apps/caller/caller.c calls servers that do one thing wrong, made of the library `h2`, and gRPC's own, which
stops."""

import socket
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from h2.errors import ErrorCodes

from rawh2 import message
from targets import chosen
from test_calls import (
    DONE,
    GET_LIST,
    GET_ONE,
    HEADERS,
    POST_LIST,
    REPLY,
    SECONDS,
    TARGETS,
    Service,
    device,  # noqa: F401 (a fixture)
    good,
)


class Plan:
    """A server on a free port; on each stream that is ended it does the next step of its plan: a function of
    (connection, stream). When the plan is over it answers GetOne."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.calls = []  # (number of the link, stream)
        self.headers = {}  # of the last request
        self.links = 0
        self.breaches = []  # of HTTP/2, by the device
        self.listener = socket.create_server(("0.0.0.0", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        assert self.breaches == []

    def accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.links += 1
            threading.Thread(target=self.serve, args=(link, self.links), daemon=True).start()

    def serve(self, link, number):
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http2.initiate_connection()
        try:
            link.sendall(http2.data_to_send())
            while data := link.recv(65536):
                for event in http2.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.headers = {name: value for name, value in event.headers}
                    if isinstance(event, h2.events.StreamEnded):
                        self.calls.append((number, event.stream_id))
                        (self.steps.pop(0) if self.steps else answer)(http2, event.stream_id)
                link.sendall(http2.data_to_send())
                if http2.state_machine.state is h2.connection.ConnectionState.CLOSED:
                    break  # after a GOAWAY
            while link.recv(65536):  # the client is to close
                pass
        except h2.exceptions.ProtocolError as error:
            self.breaches.append(repr(error))
        except OSError:
            pass
        link.close()


def answer(http2, stream):
    http2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    http2.send_data(stream, message("fine"))
    http2.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def refuse(http2, stream):
    http2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)


def begin_and_refuse(http2, stream):
    http2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    refuse(http2, stream)


def go_away(http2, stream):
    """Takes nothing from this stream on."""
    http2.close_connection(last_stream_id=max(0, stream - 2))


def test_refused_stream(device):  # noqa: F811
    """Is sent again, on the same link; GOAWAY's is sent on the next one. Neither shows."""
    with Plan(refuse) as server:
        assert device.run(server.port, GET_ONE, "x") == good("fine")
        assert server.calls == [(1, 1), (1, 3)]
    with Plan(go_away) as server:
        assert device.run(server.port, GET_ONE, "x", wait_for_ready=True) == good("fine")
        assert server.calls == [(1, 1), (2, 1)]
    with Plan(answer, go_away) as server:
        assert device.run(server.port, GET_ONE, "x") == good("fine")
        assert device.run(server.port, POST_LIST, "x", wait_for_ready=True) == good("fine")
        assert server.calls == [(1, 1), (1, 3), (2, 1)]


@pytest.mark.parametrize(
    "device",  # noqa: F811
    [name for name in chosen(TARGETS) if "hostsim" in name or name == "posix"],
    indirect=True,
)
def test_deadline_of_the_server(device):  # noqa: F811
    """The server's clock says first that a call's time is up, as grpc-go's does, and its reset is here first: this is
    no CANCELLED. (Not on emulated boards, whose clocks lose time without limit when the host is busy; by how much a
    clock may differ, deadline_of_the_server in test_client_goaway.c has.)"""

    def reset_in_time(http2, stream):
        milliseconds = int(server.headers[b"grpc-timeout"].removesuffix(b"m"))
        time.sleep(milliseconds / 1000 - 0.005)
        http2.reset_stream(stream, ErrorCodes.CANCEL)

    with Plan(*[reset_in_time] * 10) as server:
        statuses = [
            device.run(server.port, GET_ONE, "x", timeout_ms=200 + i, wait_for_ready=True)[-1][2]
            for i in range(10)
        ]
    assert statuses == [4] * 10


def answer_and_leave(http2, stream):
    """As nginx does after keepalive_requests."""
    answer(http2, stream)
    http2.close_connection(last_stream_id=stream)


def test_server_that_takes_few_calls_a_link(device):  # noqa: F811
    """No call is lost or told, though none waits for ready. (That there is no wait between the links is
    goaway_takes_not_all's in test_client_ends.c: this device's NRPC_BACKOFF_MIN_MS is short.)"""
    with Plan(*[answer, answer_and_leave] * 8) as server:
        for _ in range(16):
            assert device.run(server.port, GET_ONE, "x") == good("fine")
        assert server.calls == [(link, stream) for link in range(1, 9) for stream in (1, 3)]


def test_refused_twice(device):  # noqa: F811
    with Plan(refuse, refuse) as server:
        assert [e[0::2] for e in device.run(server.port, GET_ONE, "x")] == [(DONE, 14)]
        assert device.run(server.port, GET_ONE, "x") == good("fine")
        assert server.calls == [(1, 1), (1, 3), (1, 5)]


def test_no_retry_that_is_not_safe(device):  # noqa: F811
    """The server has begun to answer; or it has our second request, and the first is gone."""
    with Plan(begin_and_refuse) as server:
        assert [e[0::2] for e in device.run(server.port, GET_ONE, "x")] == [
            (HEADERS, 0),
            (DONE, 14),
        ]
        assert server.calls == [(1, 1)]
    with Plan(refuse) as server:
        assert [e[0::2] for e in device.run(server.port, POST_LIST, "a", "b")] == [(DONE, 14)]
        assert server.calls == [(1, 1)]


def test_server_that_stops_in_good_order(device):  # noqa: F811
    """gRPC's server says GOAWAY twice and lets calls finish; the next call goes to its successor."""
    service = Service()
    waiting = device.order(service.port, GET_LIST, "wait")
    assert [next(waiting).what for _ in range(3)] == [HEADERS, REPLY, REPLY]
    stopped = service.server.stop(SECONDS)
    service.simple.release.set()
    assert [(e.text, e.status) for e in waiting] == [
        ("test2", 0),
        ("test3", 0),
        ("test4", 0),
        ("", 0),
    ]
    stopped.wait(SECONDS)
    service.start()
    assert device.run(service.port, GET_ONE, "b", wait_for_ready=True) == good("Hello !! b")
    service.stop()


def test_attempts_become_rare(device):  # noqa: F811
    """Against a port that takes links and closes them: from NRPC_BACKOFF_MIN_MS, 50 here, 1.6 times longer each time,
    less 20 % for chance. Slowness can only make the attempts fewer."""
    attempts = 9
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        began = time.monotonic()
        waiting = device.order(port, GET_ONE, "you", wait_for_ready=True)
        for _ in range(attempts):
            listener.accept()[0].close()
        seconds = time.monotonic() - began
    assert seconds > 0.9 * sum(0.05 * 0.8 * 1.6**i for i in range(attempts - 1))
    service = Service(port)
    assert [e.text for e in waiting if e.what == REPLY] == ["Hello !! you"]
    service.stop()


@pytest.mark.parametrize("target", chosen(["posix"]))
def test_name_of_the_system(target):
    """Looked up by the OS: /etc/hosts, DNS, whatever it has. (The port itself knows "localhost" alone.)"""
    from targets import Server
    from test_calls import Device

    try:
        socket.getaddrinfo("LocalHost", 1)
    except OSError:
        pytest.skip("this system does not know LocalHost")
    service, server = Service(), Server(target, app="caller")
    try:
        device = Device(server)  # noqa: F811
        device.host = "LocalHost"
        assert device.run(service.port, GET_ONE, "a", wait_for_ready=True) == good("Hello !! a")
        device.host = "no-such-name.invalid"
        assert device.run(service.port, GET_ONE, "b")[-1][2] == 14
        device.host = "LocalHost"
        assert device.run(service.port, GET_ONE, "c", wait_for_ready=True) == good("Hello !! c")
        device.channel.close()
    finally:
        server.stop()
        service.stop()
