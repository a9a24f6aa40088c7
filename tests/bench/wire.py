# tests/bench/wire.py - counts the bytes that grpcio and a server exchange, frame by frame.
# Layer: test. Source: RFC 9113 4.1.
# SPDX-License-Identifier: Apache-2.0
"""A TCP relay between a grpcio channel and a server; it reads the frames that pass."""

import socket
import threading
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PING = 6


@dataclass
class Bytes:
    """Of one call, both on average; frame headers included, PINGs left out."""

    request: float  # from the client
    request_stream: float  # of it, on the call's own stream
    response: float  # from the server
    pings: float  # bytes of PINGs, both ways


class Direction:
    """One way of a connection: keeps what has passed and sums it up by stream and frame type."""

    def __init__(self):
        self.buffer = bytearray()
        self.begun = False
        self.total = self.stream = self.pings = 0

    def feed(self, data, preface):
        self.buffer += data
        if preface and not self.begun:
            if len(self.buffer) < len(PREFACE):
                return
            assert self.buffer.startswith(PREFACE)
            del self.buffer[: len(PREFACE)]
        self.begun = True
        while len(self.buffer) >= 9:
            size = 9 + int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < size:
                return
            self.count(self.buffer[3], int.from_bytes(self.buffer[5:9], "big"), size)
            del self.buffer[:size]

    def count(self, kind, stream, size):
        if kind == PING:
            self.pings += size
            return
        self.total += size
        if stream:
            self.stream += size

    def snapshot(self):
        return self.total, self.stream, self.pings


class Relay:
    """Listens for one client, forwards to a server; forwarded bytes are counted before they leave."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.up, self.down = Direction(), Direction()
        self.links = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.server_port))
        self.links = [client, server]
        for link in self.links:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pump, args=(client, server, self.up), daemon=True).start()
        threading.Thread(target=self.pump, args=(server, client, self.down), daemon=True).start()

    def pump(self, source, sink, direction):
        try:
            while data := source.recv(65536):
                direction.feed(data, direction is self.up)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # either side has gone: the measurement is over

    def close(self):
        self.listener.close()
        for link in self.links:
            link.close()


def measure(server_port, method, request, warm_up=100, calls=400):
    """Bytes of one call when `calls` follow one another, after `warm_up` others."""
    import grpc

    relay = Relay(server_port)
    with grpc.insecure_channel(f"127.0.0.1:{relay.port}") as channel:
        call = channel.unary_unary(method)
        for _ in range(warm_up):
            call(request)
        before = relay.up.snapshot(), relay.down.snapshot()
        for _ in range(calls):
            call(request)
        after = relay.up.snapshot(), relay.down.snapshot()
    relay.close()
    (total, stream, up_pings), (response, _, down_pings) = (
        tuple(b - a for a, b in zip(old, new)) for old, new in zip(before, after)
    )
    return Bytes(total / calls, stream / calls, response / calls, (up_pings + down_pings) / calls)
