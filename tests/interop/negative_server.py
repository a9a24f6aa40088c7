# tests/interop/negative_server.py - an HTTP/2 server that misbehaves as the negative cases want, to a UnaryCall.
# Layer: tests. Source: gRPC "HTTP/2 Interop Test Case Descriptions"; HTTP/2 is the library `h2`.
# SPDX-License-Identifier: Apache-2.0
"""goaway: GOAWAY after the first call of a connection. rst_after_header, rst_during_data, rst_after_data: RST_STREAM
there. ping: PING around the headers, among DATA, at the end. max_streams: one at a time.
NegativeServer tells afterwards what it saw."""

import collections
import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.settings import SettingCodes

import rawh2
import secure
from cases import messages_pb2, payload

CASES = ["goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams"]
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
TRAILERS = [("grpc-status", "0")]
FRAME = 16384  # bytes of DATA at most
PINGS = 10  # until the last DATA
RESET = ["rst_after_header", "rst_during_data", "rst_after_data"]


class Reply:
    """What is still to be sent on a stream."""

    def __init__(self, data):
        self.data, self.half = data, len(data) // 2


class Connection:
    def __init__(self, server, link):
        self.server, self.socket, self.case = server, link, server.case
        self.http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.requests = collections.defaultdict(bytearray)
        self.replies = {}  # by stream, with headers sent and trailers not
        self.active = set()
        self.ended = []  # streams that lack only their trailers
        self.said_goaway = False

    def run(self):
        try:
            if self.server.context:
                self.socket = self.server.context.wrap_socket(self.socket, server_side=True)
            self.http2.initiate_connection()
            if self.case == "max_streams":
                self.http2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
            self.flush()
            data = self.socket.recv(65536)
            while data and not self.said_goaway:
                for event in self.http2.receive_data(data):
                    self.handle(event)
                self.flush()
                data = self.socket.recv(65536)
            while data:  # h2 takes nothing after a GOAWAY; the client is to close
                data = self.socket.recv(65536)
        except h2.exceptions.ProtocolError as error:
            self.server.breaches.append(repr(error))
        except OSError:
            pass
        except Exception as error:
            self.server.breaches.append("the test's own: %r" % error)
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.http2.data_to_send())

    def ping(self):
        if self.case == "ping":
            self.server.pings += 1
            self.http2.ping(struct.pack(">Q", self.server.pings))

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.active.add(event.stream_id)
            self.server.most_active = max(self.server.most_active, len(self.active))
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id] += event.data
            self.http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.begin(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.replies.pop(event.stream_id, None)
            self.active.discard(event.stream_id)
        elif isinstance(event, h2.events.PingAckReceived):
            self.server.pongs += 1
            self.finish()
        elif isinstance(event, h2.events.WindowUpdated):
            for stream in list(self.replies):
                self.go_on(stream)

    def begin(self, stream):
        """The request is there."""
        self.server.calls += 1
        data = self.requests.pop(stream)
        request = messages_pb2.SimpleRequest.FromString(bytes(data[5:]))
        body = messages_pb2.SimpleResponse(
            payload=payload(request.response_size)
        ).SerializeToString()
        self.ping()
        self.http2.send_headers(stream, HEADERS)
        self.ping()
        if self.case == "rst_after_header":
            self.end(stream, reset=True)
            return
        self.replies[stream] = Reply(rawh2.prefixed(body))
        self.go_on(stream)

    def go_on(self, stream):
        """Sends what the windows allow."""
        reply = self.replies[stream]
        while reply.data:
            n = min(self.http2.local_flow_control_window(stream), FRAME, len(reply.data))
            if n <= 0:
                return
            self.http2.send_data(stream, reply.data[:n])
            reply.data = reply.data[n:]
            if self.server.pings < PINGS:
                self.ping()
            if self.case == "rst_during_data" and len(reply.data) <= reply.half:
                self.end(stream, reset=True)
                return
        self.end(stream, reset=self.case == "rst_after_data")

    def end(self, stream, reset):
        self.replies.pop(stream, None)
        self.active.discard(stream)
        if reset:
            self.http2.reset_stream(stream)
            return
        self.ping()
        self.ended.append(stream)
        self.finish()

    def finish(self):
        """Trailers, when all PINGs have been answered: the client may close as soon as it has them."""
        while self.ended and self.server.pongs == self.server.pings:
            stream = self.ended.pop()
            self.http2.send_headers(stream, TRAILERS, end_stream=True)
            if self.case == "goaway":
                self.http2.close_connection(last_stream_id=stream)
                self.said_goaway = True


class NegativeServer:
    """One case, on a free port of 127.0.0.1."""

    def __init__(self, case, tls=False):
        self.case = case
        self.context = secure.server_context() if tls else None
        self.connections = self.calls = self.pings = self.pongs = self.most_active = 0
        self.breaches = []  # of HTTP/2, by the client
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def check(self):
        """What the server must have seen, when the client has done its case."""
        assert self.pongs == self.pings
        assert self.pings > 4 or self.case != "ping"
        assert self.connections == (2 if self.case == "goaway" else 1)
        assert self.calls == {"goaway": 2, "max_streams": 11}.get(self.case, 1)
        assert self.most_active == 1
        assert self.breaches == []

    def target(self):
        return "127.0.0.1:%d" % self.port

    def accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=Connection(self, link).run, daemon=True).start()
