# tests/e2e/test_ports.py - what each port owes the core: its timers run when they are due.
# Layer: tests. Source: nanorpc/conn.h, nrpc_conn_tick.
# SPDX-License-Identifier: Apache-2.0
import time

from rawh2 import Peer
from targets import our_server  # noqa: F401 (a fixture)

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
