# tests/e2e/nameserver.py - a DNS server for tests, on a port of 127.0.0.1.
# Layer: tests. Source: RFC 1035.
# SPDX-License-Identifier: Apache-2.0
import queue
import socket
import struct
import threading

import pytest


class Names:
    """A DNS server (RFC 1035) for one name; `answer` is its address, "" for no such name, None for silence."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = queue.Queue()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(512)
            if query == b"stop":
                self.socket.close()
                return
            end = query.index(0, 12) + 5
            self.asked.put(query[12:end])
            if self.answer is None:
                continue
            found = self.answer != ""
            reply = (
                query[:2]
                + struct.pack(">HHHHH", 0x8180 if found else 0x8183, 1, found, 0, 0)
                + query[12:end]
            )
            if found:  # the name as a pointer to the question, A, IN, TTL 0
                reply += struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(self.answer)
            self.socket.sendto(reply, peer)

    def stop(self):
        self.socket.sendto(b"stop", ("127.0.0.1", self.port))


@pytest.fixture
def names():
    server = Names("10.0.2.2")
    yield server
    server.stop()
