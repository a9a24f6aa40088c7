# tests/interop/tap.py - a TCP proxy that sees which messages were compressed, by their flags on the wire.
# Layer: tests. Source: RFC 9113; gRPC over HTTP2, "Length-Prefixed-Message".
# SPDX-License-Identifier: Apache-2.0
import collections
import select
import socket
import ssl
import threading

import secure

PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
DATA, PADDED = 0, 8

# The flags of the messages of each call. A call that failed has no reply.
FLAGS = {
    "client_compressed_unary": [[0], [1], [0]],
    "server_compressed_unary": [[1], [0]],
    "client_compressed_streaming": [[0], [1, 0]],
    "server_compressed_streaming": [[1, 0]],
}


class Side:
    """The messages of one direction of a connection. order: of all of its direction, a call's bytes as it began."""

    def __init__(self, skip, order):
        self.skip, self.order, self.bytes = skip, order, bytearray()
        self.streams = collections.defaultdict(bytearray)

    def take(self, data):
        self.bytes += data
        if self.skip:
            if len(self.bytes) < self.skip:
                return
            del self.bytes[: self.skip]
            self.skip = 0
        while len(self.bytes) >= 9:
            length = int.from_bytes(self.bytes[:3], "big")
            if len(self.bytes) < 9 + length:
                return
            kind, flags = self.bytes[3], self.bytes[4]
            stream, payload = int.from_bytes(self.bytes[5:9], "big"), self.bytes[9 : 9 + length]
            del self.bytes[: 9 + length]
            if kind == DATA:
                if flags & PADDED:
                    payload = payload[1 : len(payload) - payload[0]]
                if stream not in self.streams:
                    self.order.append(self.streams[stream])
                self.streams[stream] += payload


def flags_of(calls):
    """For each call in turn: the compressed flags of its messages."""
    found = []
    for data in calls:
        flags, at = [], 0
        while at + 5 <= len(data):
            flags.append(data[at])
            at += 5 + int.from_bytes(data[at + 1 : at + 5], "big")
        assert at == len(data) or not found, "a message is cut"
        if flags:
            found.append(flags)
    return found


class Secured:
    """A connection over TLS that may be read in one thread while another one writes."""

    def __init__(self, link):
        """link: after its handshake."""
        self.link, self.lock = link, threading.Lock()
        link.setblocking(False)

    def do(self, what, data):
        while True:
            with self.lock:
                try:
                    return what(data)
                except ssl.SSLWantReadError:
                    wanted = [self.link], []
                except ssl.SSLWantWriteError:
                    wanted = [], [self.link]
            select.select(*wanted, [])

    def recv(self, n):
        return self.do(self.link.recv, n)

    def sendall(self, data):
        while data:
            data = data[self.do(self.link.send, data) :]

    def shutdown(self, how):
        self.link.shutdown(how)


class Tap:
    """Between a client that connects to `port` and the server at server_port, both on 127.0.0.1; tls: over TLS."""

    def __init__(self, server_port=None, tls=False):
        """server_port: None: set later, before a client connects."""
        self.server_port = server_port
        self.tls = tls
        self.requests, self.replies = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def target(self):
        return "127.0.0.1:%d" % self.port

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        server = socket.create_connection(("127.0.0.1", self.server_port))
        for link in (client, server):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            server = Secured(
                secure.client_context().wrap_socket(server, server_hostname=secure.HOST)
            )
            client = Secured(secure.server_context().wrap_socket(client, server_side=True))
        sides = Side(PREFACE, self.requests), Side(0, self.replies)
        for source, to, side in ((client, server, sides[0]), (server, client, sides[1])):
            threading.Thread(target=self.move, args=(source, to, side), daemon=True).start()

    @staticmethod
    def move(source, to, side):
        try:
            data = source.recv(65536)
            while data:
                side.take(data)
                to.sendall(data)
                data = source.recv(65536)
        except OSError:
            pass
        for end in (source, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def check(self, case):
        """Which messages of a case had to be compressed, whatever client ran it."""
        seen = flags_of(self.requests if case.startswith("client") else self.replies)
        assert seen == FLAGS[case], "compressed flags: %s, not %s" % (seen, FLAGS[case])
