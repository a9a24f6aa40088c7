# tests/e2e/rawh2.py - an HTTP/2 client made of frames, for what no well-behaved client would send.
# Layer: tests. Source: RFC 9113; it shares nothing with nanorpc's own code. HPACK is the library `hpack`.
# SPDX-License-Identifier: Apache-2.0
import collections
import select
import socket
import struct
import time

from hpack import Decoder, Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
) = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_HEADER_LIST = range(1, 7)
(
    NO_ERROR,
    PROTOCOL_ERROR,
    INTERNAL_ERROR,
    FLOW_CONTROL_ERROR,
    _,
    STREAM_CLOSED,
    FRAME_SIZE_ERROR,
    REFUSED_STREAM,
    CANCEL,
    COMPRESSION_ERROR,
    _,
    ENHANCE_YOUR_CALM,
) = range(12)
TIMEOUT = 30
SHOWN = 8  # streams in what is said of a timeout

Frame = collections.namedtuple("Frame", "type flags stream payload")


def frame(kind, flags, stream, payload=b""):
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def setting(*pairs):
    """The payload of SETTINGS from identifier, value, identifier, value..."""
    return b"".join(struct.pack(">HI", *pairs[i : i + 2]) for i in range(0, len(pairs), 2))


def settings(*pairs):
    return frame(SETTINGS, 0, 0, setting(*pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def field1(text):
    """A protobuf message whose field 1 is this string (or these bytes), shorter than 128 bytes."""
    data = text.encode() if isinstance(text, str) else text
    return b"\x0a" + bytes([len(data)]) + data if data else b""


def prefixed(data, flag=0):
    """A length-prefixed gRPC message."""
    return struct.pack(">BI", flag, len(data)) + data


def message(text="", flag=0):
    """One of RequestOne and the like."""
    return prefixed(field1(text), flag)


def messages(data):
    """The texts of field 1 in a sequence of length-prefixed messages; every byte is accounted for."""
    texts = []
    while data:
        flag, length = struct.unpack(">BI", data[:5])
        body, data = data[5 : 5 + length], data[5 + length :]
        assert flag == 0 and len(body) == length, "cut or compressed"
        assert body == field1(body[2:])
        texts.append(body[2:].decode())
    return texts


def request(path="/Greeter/SayHello", *extra, without=()):
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost:50051"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    return [field for field in fields if field[0] not in without] + list(extra)


class Stream:
    """What came on one stream."""

    def __init__(self):
        self.blocks = []  # header lists: headers and trailers
        self.data = b""
        self.frames = []  # sizes of DATA
        self.ended = False  # END_STREAM
        self.reset = None  # RST_STREAM's code

    def header(self, name):
        """The value of a header or trailer, None when there is none."""
        values = [value for block in self.blocks for key, value in block if key == name]
        assert len(values) < 2, "%s twice" % name
        return values[0] if values else None

    @property
    def grpc_status(self):
        return self.header("grpc-status")

    @property
    def http_status(self):
        return self.header(":status")

    def over(self):
        return self.ended or self.reset is not None


class Peer:
    """One connection. Answers SETTINGS and PING as it must, gives no window on its own."""

    def __init__(
        self,
        port,
        *first,
        wait=True,
        timeout=TIMEOUT,
        receive_buffer=None,
        context=None,
        source=None,
    ):
        """first: settings, as for settings(); wait: for the server's, as grpcio does; context: of ssl, for TLS;
        source: the address of this machine to come from."""
        self.timeout = timeout
        self.received = b""
        self.encoder, self.decoder = Encoder(), Decoder()
        self.streams = collections.defaultdict(Stream)
        self.next_stream = 1
        self.block = None  # an unfinished header block
        self.settings = None  # the server's
        self.acked = 0  # SETTINGS of ours that it has acknowledged
        self.pongs = []
        self.windows = collections.Counter()  # WINDOW_UPDATE, by stream
        self.goaway = None  # (last stream, code, debug data)
        self.closed = False
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(("127.0.0.1", port))
            if context:
                self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            self.pending = self.socket.pending if context else lambda: 0
            self.poll = select.poll()
            self.poll.register(self.socket, select.POLLIN)
            self.send(PREFACE + settings(*first))
            if wait:
                self.until(lambda: self.settings is not None and self.acked)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    # --- Receiving -----------------------------------------------------------------------------

    def take(self):
        """The next frame out of what has been received, or None."""
        if len(self.received) < 9:
            return None
        length = int.from_bytes(self.received[:3], "big")
        if len(self.received) < 9 + length:
            return None
        kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
        payload, self.received = self.received[9 : 9 + length], self.received[9 + length :]
        return Frame(kind, flags, stream, payload)

    def receive(self, seconds):
        """Reads and handles what comes within this time. False: nothing came, or the end."""
        if self.closed or not (self.pending() or self.poll.poll(1000 * seconds)):
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.closed = not data
        self.received += data
        item = self.take()
        while item:
            self.handle(item)
            item = self.take()
        return bool(data)

    def until(self, condition):
        """Receives until the condition holds; EOFError when the connection ends before."""
        end = time.monotonic() + self.timeout
        while not condition():
            if self.closed:
                raise EOFError("the connection ended; GOAWAY: %s" % (self.goaway,))
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(
                    "nothing came for %d s; GOAWAY: %s, the last streams: %s"
                    % (
                        self.timeout,
                        self.goaway,
                        {k: vars(v) for k, v in list(self.streams.items())[-SHOWN:]},
                    )
                )
            self.receive(left)

    def quiet(self, seconds=0.3):
        """Receives for this long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.closed:
            self.receive(max(0.0, end - time.monotonic()))

    def handle(self, item):
        assert self.block is None or item.type == CONTINUATION, "a header block is interrupted"
        if item.type == SETTINGS and item.flags & ACK:
            assert not item.payload
            self.acked += 1
        elif item.type == SETTINGS:
            assert len(item.payload) % 6 == 0 and item.stream == 0
            pairs = [
                struct.unpack(">HI", item.payload[i : i + 6])
                for i in range(0, len(item.payload), 6)
            ]
            self.settings = dict(pairs)
            self.encoder.header_table_size = min(4096, self.settings.get(TABLE_SIZE, 4096))
            self.reply(frame(SETTINGS, ACK, 0))
        elif item.type == PING and item.flags & ACK:
            self.pongs.append(item.payload)
        elif item.type == PING:
            self.reply(frame(PING, ACK, 0, item.payload))
        elif item.type == GOAWAY:
            self.goaway = struct.unpack(">II", item.payload[:8]) + (item.payload[8:],)
        elif item.type == WINDOW_UPDATE:
            self.windows[item.stream] += struct.unpack(">I", item.payload)[0]
        elif item.type == RST_STREAM:
            self.streams[item.stream].reset = struct.unpack(">I", item.payload)[0]
        elif item.type in (HEADERS, CONTINUATION):
            self.handle_headers(item)
        elif item.type == DATA:
            stream = self.streams[item.stream]
            assert not stream.over() and not item.flags & PADDED
            stream.data += item.payload
            stream.frames.append(len(item.payload))
            stream.ended = bool(item.flags & END_STREAM)
        elif item.type < 10:
            raise AssertionError("a server does not send %s" % (item,))

    def handle_headers(self, item):
        if item.type == HEADERS:
            assert not item.flags & (PADDED | HAS_PRIORITY), "not made by our servers"
            self.block = (item.stream, bool(item.flags & END_STREAM), b"")
        stream, ended, data = self.block
        self.block = (stream, ended, data + item.payload)
        if item.flags & END_HEADERS:
            fields = [tuple(field) for field in self.decoder.decode(self.block[2])]
            assert not self.streams[stream].over()
            self.streams[stream].blocks.append(fields)
            self.streams[stream].ended = ended
            self.block = None

    def reply(self, data):
        try:
            self.send(data)
        except OSError:
            pass  # the server has closed; what it said before is still to be read

    # --- Calls ---------------------------------------------------------------------------------

    def new_stream(self):
        self.next_stream += 2
        return self.next_stream - 2

    def headers(self, stream, fields, flags=0, huffman=True):
        """One HEADERS frame with the whole block."""
        return frame(
            HEADERS, flags | END_HEADERS, stream, self.encoder.encode(fields, huffman=huffman)
        )

    def start(self, path="/Greeter/SayHello", *extra, flags=0):
        """Opens a stream, sends headers, gives its number."""
        stream = self.new_stream()
        self.send(self.headers(stream, request(path, *extra), flags))
        return stream

    def begin(self, path="/Greeter/SayHello", data=message("h2"), *extra):
        """Sends a whole request, gives the stream's number."""
        stream = self.new_stream()
        self.send(
            self.headers(stream, request(path, *extra)), frame(DATA, END_STREAM, stream, data)
        )
        return stream

    def chat(self, text, path="/simpletest.SimpleTest/PostAndPost"):
        """A stream that has had an answer, and goes on."""
        stream = self.start(path)
        self.say(stream, text)
        return stream

    def say(self, stream, text):
        """One more message on it, and its answer."""
        state = self.streams[stream]
        state.data = b""
        self.send(frame(DATA, 0, stream, message(text)))
        self.until(lambda: state.data or state.over())
        assert not state.over(), vars(state)

    def finish(self, stream):
        """Waits for the end of a stream, which is its Stream."""
        self.until(self.streams[stream].over)
        return self.streams[stream]

    def call(self, path="/Greeter/SayHello", data=message("h2"), *extra):
        return self.finish(self.begin(path, data, *extra))

    def say_hello(self, name="h2"):
        """A call that must go well: its text."""
        answer = self.call(data=message(name))
        assert answer.reset is None and answer.http_status == "200" and answer.grpc_status == "0", (
            vars(answer)
        )
        assert answer.header("content-type").startswith("application/grpc")
        return messages(answer.data)[0]

    def ends(self):
        """Waits until the server has closed the connection; GOAWAY's code, or None."""
        end = time.monotonic() + self.timeout
        while not self.closed and time.monotonic() < end:
            self.receive(max(0.0, end - time.monotonic()))
        assert self.closed, "the server keeps the connection open; GOAWAY: %s" % (self.goaway,)
        return self.goaway and self.goaway[1]
