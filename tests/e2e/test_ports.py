# tests/e2e/test_ports.py - what each port owes the core: its timers run when they are due, and links end in order.
# Layer: tests. Source: nanorpc/conn.h, nrpc_conn_tick; lwIP 2.2, api_msg.c and tcp_in.c.
# SPDX-License-Identifier: Apache-2.0
import socket
import struct
import time

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
            answer = peer.finish(peer.start("/simpletest.SimpleTest/PostAndPost", ("grpc-timeout", "20m")))
            assert answer.grpc_status == "4"
        assert time.monotonic() - began < CALLS * 0.6


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
    server = Server(name, ["--delay", "2", "--preempt", "20000"])
    try:
        for _ in range(30):
            with Peer(server.port, wait=False) as peer:
                peer.send(rawh2.frame(rawh2.PING, 0, 1, b"a stream"))  # a connection error
                client_ends(peer)
            assert server.process.poll() is None, "it has stopped"
        assert server.serves()
    finally:
        server.stop()
        print(server.new_output())
