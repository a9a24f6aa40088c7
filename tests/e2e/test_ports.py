# tests/e2e/test_ports.py - what each port owes the core: its timers run when they are due, and links end in order.
# Layer: tests. Source: nanorpc/conn.h, nrpc_conn_tick; lwIP 2.2, api_msg.c and tcp_in.c.
# SPDX-License-Identifier: Apache-2.0
import socket
import struct
import time

import blobs_pb2
import pytest

import rawh2
from rawh2 import Peer
from targets import Server, chosen, our_server  # noqa: F401 (a fixture)

CALLS = 30


def test_deadlines_are_not_late(our_server):
    """The server's own, one call after another. A port that sleeps for the second that an idle connection's timers
    allow needs a second for each; one that wakes up in time needs 20 ms."""
    with Peer(our_server.port) as peer:
        began = time.monotonic()
        for _ in range(CALLS):
            answer = peer.finish(
                peer.start("/simpletest.SimpleTest/PostAndPost", ("grpc-timeout", "20m"))
            )
            assert answer.grpc_status == "4"
        assert time.monotonic() - began < CALLS * 0.6


@pytest.mark.parametrize("name", chosen(["posix", "hostsim-raw", "hostsim-sockets"]))
def test_endless_reply_is_heard_over(name):
    """A client that takes all that the server can send, at once, is still listened to, and so are the others. With
    other tasks in its way the sockets API's thread is always slower than lwIP, which then has always room."""
    most = (1 << 31) - 1
    with Server(
        name, ["--preempt", "3000"] if name == "hostsim-sockets" else [], app="blobs"
    ) as server:
        with Peer(server.port, rawh2.INITIAL_WINDOW, most) as peer, Peer(server.port) as other:
            peer.send(rawh2.window_update(0, most - 65535))
            ask = blobs_pb2.Ask(bytes=10000, count=1 << 20).SerializeToString()
            number = peer.begin("/blobs.Blobs/GetAll", rawh2.prefixed(ask))
            stream = peer.streams[number]
            for one in (peer, other):
                peer.until(lambda: stream.data)
                stream.data = b""
                one.send(rawh2.frame(rawh2.PING, 0, 0, b"12345678"))
                received = 0
                while not one.pongs:
                    peer.receive(60)
                    other.receive(0)
                    received += len(stream.data)
                    stream.data = b""
                    assert received < 1 << 26, "more than all buffers on the way can hold"
            peer.send(rawh2.rst_stream(number))


def fin_at_once(peer):
    """It is there before the server's GOAWAY has left."""
    peer.socket.shutdown(socket.SHUT_WR)
    peer.ends()


def fin_when_told(peer):
    peer.until(lambda: peer.goaway)


def reset(peer):
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("name", chosen(["hostsim-raw", "hostsim-sockets"]))
@pytest.mark.parametrize("client_ends", [fin_at_once, fin_when_told, reset])
def test_both_end(name, client_ends):
    """Server and client end a connection at the same time, while other tasks hold up the server's. lwIP's sockets
    free a connection behind the application's back when it was shut down by halves."""
    with Server(name, ["--delay", "2", "--preempt", "20000"]) as server:
        for _ in range(30):
            with Peer(server.port, wait=False) as peer:
                peer.send(rawh2.frame(rawh2.PING, 0, 1, b"a stream"))  # a connection error
                client_ends(peer)
            assert server.process.poll() is None, "it has stopped"
        assert server.serves()
