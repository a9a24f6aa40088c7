# tests/e2e/test_http2_errors.py - what must be refused, by the right answer, and floods; others are served on.
# Layer: tests. Source: RFC 9113, gRPC over HTTP2; CVEs as named.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import signal
import socket
import struct
import time

import pytest

import rawh2 as h2
import targets
from rawh2 import Peer, frame, message, messages, request
from targets import raw_server  # noqa: F401 (fixture)


@pytest.fixture
def peer(raw_server):
    with Peer(raw_server.port) as peer:
        yield peer


def sends(peer, fields, flags=h2.END_STREAM, data=None):
    """A request with just these fields: what came back."""
    stream = peer.new_stream()
    peer.send(peer.headers(stream, fields, flags))
    if data is not None:
        peer.send(frame(h2.DATA, h2.END_STREAM, stream, data))
    return peer.finish(stream)


def failed(answer, status):
    assert (answer.http_status, answer.grpc_status) == ("200", str(status)), vars(answer)
    assert answer.reset in (None, h2.NO_ERROR)


# --- HTTP answers ------------------------------------------------------------------------------------------


def changed(name, value):
    return [(name, value) if field[0] == name else field for field in request()]


@pytest.mark.parametrize(
    "status,fields",
    [
        (405, changed(":method", "GET")),
        (405, changed(":method", "PUT")),
        (405, changed(":method", "POSTS")),
        (415, changed("content-type", "application/json")),
        (415, changed("content-type", "application/grp")),
        (415, changed("content-type", "text/plain")),
        (415, changed("content-type", "application/grpc-web+proto")),
        (415, changed("content-type", "application/grpc-web-text")),
        (415, changed("content-type", "")),
        (415, request(without=("content-type",))),
        (431, request("/Greeter/SayHello", *[("x-%d" % i, "v" * 200) for i in range(50)])),
        (431, request("/Greeter/SayHello", ("x-long", "~" * 9000))),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
def test_http_answers(peer, status, fields):
    """An HTTP status, and a body of 5 bytes or more that keeps to the window; then a good call."""
    for data in (None, message("x")):
        answer = sends(peer, fields, 0 if data else h2.END_STREAM, data)
        assert answer.http_status == str(status) and answer.grpc_status is None, vars(answer)
        assert len(answer.data) >= 5 and answer.ended
        assert answer.reset in (None, h2.NO_ERROR)
    assert peer.say_hello() == "Hello, h2!"


def test_http_answer_under_flow_control(raw_server):
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 0) as peer:
        stream = peer.new_stream()
        peer.send(peer.headers(stream, changed("content-type", "text/html"), h2.END_STREAM))
        answer = peer.streams[stream]
        peer.until(lambda: answer.blocks)
        peer.quiet(0.2)
        assert answer.http_status == "415" and not answer.data
        peer.send(h2.window_update(stream, 100))
        assert len(peer.finish(stream).data) >= 5


def test_431_leaves_the_table_right(peer):
    """The block is decoded to its end: later ones may name its entries."""
    fields = request(
        "/Greeter/SayHello",
        ("x-a", "1"),
        *[("x-%d" % i, "v" * 300) for i in range(40)],
        ("x-z", "26"),
    )
    assert sends(peer, fields).http_status == "431"
    stream = peer.new_stream()
    peer.send(
        peer.headers(stream, request("/Greeter/SayHello", ("x-39", "v" * 300), ("x-z", "26"))),
        frame(h2.DATA, h2.END_STREAM, stream, message("t")),
    )
    assert messages(peer.finish(stream).data) == ["Hello, t!"]


# --- gRPC statuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/Greeter/Nothing",
        "/",
        "/Greeter",
        "/Greeter/",
        "//",
        "/Greeter/SayHello/",
        "/greeter/SayHello",
        "/helloworld.Greeter",
        "/" + "x" * 2000,
    ],
)
def test_unknown_paths(peer, path):
    answer = peer.call(path)
    failed(answer, 12)
    assert answer.header("content-type") == "application/grpc"


def test_unknown_method_while_the_client_sends(peer):
    """Finished before END_STREAM: trailers, RST_STREAM(NO_ERROR); DATA on its way is put up with."""
    for _ in range(5):
        stream = peer.start("/Greeter/Nothing")
        peer.until(lambda: peer.streams[stream].reset is not None)
        failed(peer.streams[stream], 12)
        assert peer.streams[stream].reset == h2.NO_ERROR
        peer.send(frame(h2.DATA, 0, stream, message("late")), frame(h2.DATA, h2.END_STREAM, stream))
    assert peer.say_hello() == "Hello, h2!"


@pytest.mark.parametrize(
    "status,data,extra",
    [
        (13, message("x", flag=1), ()),  # compressed, without grpc-encoding
        (12, message("x", flag=1), [("grpc-encoding", "gzip")]),
        (12, message("x"), [("grpc-encoding", "br")]),
        (13, message("cut off")[:-1], ()),
        (13, message("x")[:3], ()),
        (13, b"", ()),
        (13, message("a") + message("b"), ()),  # two requests of a unary call
        (13, struct.pack(">BI", 0, 3) + b"\xff\xff\xff", ()),  # no protobuf
        (
            13,
            struct.pack(">BI", 0, 60) + bytes(45),
            (),
        ),  # a length alone is no fault: it is cut off
        (13, struct.pack(">BI", 0, 0xFFFFFFFF), ()),
        (13, struct.pack(">BI", 0, 0x80000000), ()),
        (13, struct.pack(">BI", 0, 0xFFFFFFFB), ()),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
@pytest.mark.parametrize(
    "method", ["/Greeter/SayHello", "/simpletest.SimpleTest/PostAndPost"], ids=["unary", "bidi"]
)
def test_bad_messages(peer, status, data, extra, method):
    if method.endswith("PostAndPost") and data in (b"", message("a") + message("b")):
        return  # right in a stream
    answer = peer.call(method, data, *extra)
    failed(answer, status)
    if status == 12:
        assert "identity" in answer.header("grpc-accept-encoding")
    assert peer.say_hello() == "Hello, h2!"


# --- Malformed requests: stream errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        request("/Greeter/SayHello", ("X-Upper", "a")),
        request("/Greeter/SayHello", ("connection", "close")),
        request("/Greeter/SayHello", ("keep-alive", "1")),
        request("/Greeter/SayHello", ("upgrade", "h2c")),
        request("/Greeter/SayHello", ("transfer-encoding", "chunked")),
        request("/Greeter/SayHello", ("", "empty")),
        request("/Greeter/SayHello", ("proxy-connection", "1")),
        request("/Greeter/SayHello", ("x y", "space")),
        request("/Greeter/SayHello", ("x\x00y", "nul")),
        request("/Greeter/SayHello", ("x", "a\r\nb")),
        request("/Greeter/SayHello", (":path", "/late")),
        request("/Greeter/SayHello", (":status", "200")),
        request("/Greeter/SayHello", (":other", "1")),
        [(":method", "POST")] + request(),
        [(":path", "/Greeter/SayHello")] + request(),
        request(without=(":path",)),
        request(without=(":method",)),
        request(without=(":scheme",)),
        changed(":path", ""),
        changed("te", "gzip"),
        [("x-first", "1")] + request(),
        [],
    ],
    ids=lambda fields: None,
)
def test_malformed_requests(peer, fields):
    """RFC 9113 8.1.1: PROTOCOL_ERROR for the stream; the connection goes on."""
    answer = sends(peer, fields, 0, message("x"))
    assert answer.reset == h2.PROTOCOL_ERROR and not answer.blocks, vars(answer)
    assert peer.say_hello() == "Hello, h2!"


@pytest.mark.parametrize("length", ["5", "1000", "x", "-1", "99999999999999999999"])
def test_wrong_content_length(peer, length):
    answer = peer.call("/Greeter/SayHello", message("x"), ("content-length", length))
    assert answer.reset == h2.PROTOCOL_ERROR
    assert peer.say_hello() == "Hello, h2!"


# --- Stream errors -------------------------------------------------------------------------------------------------


def test_window_update_of_zero(peer):
    """On a stream it ends that stream. Bug of peers: a deadlock."""
    stream = peer.start("/simpletest.SimpleTest/PostAndPost")
    peer.send(h2.window_update(stream, 0))
    assert peer.finish(stream).reset == h2.PROTOCOL_ERROR
    stream = peer.start("/simpletest.SimpleTest/PostAndPost")
    peer.send(h2.window_update(stream, 0x7FFFFFFF))
    assert peer.finish(stream).reset == h2.FLOW_CONTROL_ERROR
    assert peer.say_hello() == "Hello, h2!"


def test_our_window_is_enforced(peer):
    """More DATA than it allows: FLOW_CONTROL_ERROR. Bug of peers: never noticed."""
    assert peer.say_hello() == "Hello, h2!"  # our acknowledgement of its SETTINGS is there by now
    stream = peer.start("/simpletest.SimpleTest/PostList")
    peer.send(frame(h2.DATA, 0, stream, bytes(peer.settings[h2.INITIAL_WINDOW] + 1)))
    assert peer.finish(stream).reset == h2.FLOW_CONTROL_ERROR
    assert peer.say_hello() == "Hello, h2!"


def test_frames_after_the_end(peer):
    """DATA after END_STREAM: STREAM_CLOSED, for the stream or the connection, RFC 9113 5.1."""
    stream = peer.begin()
    peer.finish(stream)
    peer.send(
        frame(h2.DATA, h2.END_STREAM, stream, message("more")), frame(h2.PING, 0, 0, b"12345678")
    )
    try:
        peer.until(lambda: peer.streams[stream].reset is not None or peer.goaway)
    except EOFError:
        pass
    assert h2.STREAM_CLOSED in (peer.streams[stream].reset, peer.goaway and peer.goaway[1])


def test_late_frames_are_put_up_with(peer):
    """WINDOW_UPDATE, RST_STREAM and PRIORITY of a stream that is over."""
    stream = peer.begin()
    peer.finish(stream)
    peer.send(
        h2.window_update(stream, 10),
        h2.rst_stream(stream, h2.NO_ERROR),
        frame(h2.PRIORITY, 0, stream, struct.pack(">IB", 0, 1)),
    )
    assert peer.say_hello() == "Hello, h2!"


# --- Connection errors -----------------------------------------------------------------------------------------

HEAD = b"\x82"
BAD = {
    "data on an idle stream": (h2.PROTOCOL_ERROR, frame(h2.DATA, 0, 7, b"x")),
    "data on stream 0": (h2.PROTOCOL_ERROR, frame(h2.DATA, 0, 0, b"x")),
    "headers on stream 0": (h2.PROTOCOL_ERROR, frame(h2.HEADERS, 5, 0, HEAD)),
    "headers on an even stream": (h2.PROTOCOL_ERROR, frame(h2.HEADERS, 5, 2, HEAD)),
    "continuation of nothing": (h2.PROTOCOL_ERROR, frame(h2.CONTINUATION, 4, 1, HEAD)),
    "ping within a block": (
        h2.PROTOCOL_ERROR,
        frame(h2.HEADERS, 0, 1, HEAD) + frame(h2.PING, 0, 0, bytes(8)),
    ),
    "another stream within a block": (
        h2.PROTOCOL_ERROR,
        frame(h2.HEADERS, 0, 1, HEAD) + frame(9, 4, 3, HEAD),
    ),
    "unknown frame within a block": (
        h2.PROTOCOL_ERROR,
        frame(h2.HEADERS, 0, 1, HEAD) + frame(0xFA, 0, 1, b"x"),
    ),
    "push promise": (h2.PROTOCOL_ERROR, frame(h2.PUSH_PROMISE, 4, 1, bytes(4) + HEAD)),
    "rst of an idle stream": (h2.PROTOCOL_ERROR, h2.rst_stream(9)),
    "rst of stream 0": (h2.PROTOCOL_ERROR, h2.rst_stream(0)),
    "rst of 5 bytes": (
        h2.FRAME_SIZE_ERROR,
        frame(h2.HEADERS, 4, 1, HEAD[:0]) + frame(h2.RST_STREAM, 0, 1, bytes(5)),
    ),
    "window update of an idle stream": (h2.PROTOCOL_ERROR, h2.window_update(9, 1)),
    "window update of 0": (h2.PROTOCOL_ERROR, h2.window_update(0, 0)),
    "window overflow": (h2.FLOW_CONTROL_ERROR, h2.window_update(0, 0x7FFFFFFF)),
    "window update of 3 bytes": (h2.FRAME_SIZE_ERROR, frame(h2.WINDOW_UPDATE, 0, 0, bytes(3))),
    "settings of 5 bytes": (h2.FRAME_SIZE_ERROR, frame(h2.SETTINGS, 0, 0, bytes(5))),
    "settings on a stream": (h2.PROTOCOL_ERROR, frame(h2.SETTINGS, 0, 1)),
    "settings ack with a payload": (h2.FRAME_SIZE_ERROR, frame(h2.SETTINGS, 1, 0, bytes(6))),
    "initial window over 2^31-1": (h2.FLOW_CONTROL_ERROR, h2.settings(h2.INITIAL_WINDOW, 1 << 31)),
    "frame size under 16384": (h2.PROTOCOL_ERROR, h2.settings(h2.MAX_FRAME, 16383)),
    "frame size over 2^24-1": (h2.PROTOCOL_ERROR, h2.settings(h2.MAX_FRAME, 1 << 24)),
    "push of 2": (h2.PROTOCOL_ERROR, h2.settings(h2.ENABLE_PUSH, 2)),
    "ping of 7 bytes": (h2.FRAME_SIZE_ERROR, frame(h2.PING, 0, 0, bytes(7))),
    "ping on a stream": (h2.PROTOCOL_ERROR, frame(h2.PING, 0, 1, bytes(8))),
    "goaway of 7 bytes": (h2.FRAME_SIZE_ERROR, frame(h2.GOAWAY, 0, 0, bytes(7))),
    "goaway on a stream": (h2.PROTOCOL_ERROR, frame(h2.GOAWAY, 0, 1, bytes(8))),
    "a frame of 16385 bytes": (h2.FRAME_SIZE_ERROR, frame(h2.DATA, 0, 1, bytes(16385))),
    "padding of the whole frame": (h2.PROTOCOL_ERROR, frame(h2.HEADERS, 12, 1, b"\x05" + bytes(4))),
    "no room for the pad length": (h2.FRAME_SIZE_ERROR, frame(h2.HEADERS, 12, 1)),
    "priority on stream 0": (h2.PROTOCOL_ERROR, frame(h2.PRIORITY, 0, 0, bytes(5))),
    "hpack: index 0": (h2.COMPRESSION_ERROR, frame(h2.HEADERS, 5, 1, b"\x80")),
    "hpack: an index that is not there": (h2.COMPRESSION_ERROR, frame(h2.HEADERS, 5, 1, b"\xbe")),
    "hpack: an integer modulo 2^32": (
        h2.COMPRESSION_ERROR,
        frame(h2.HEADERS, 5, 1, b"\xff\x83\xff\xff\xff\x0f"),
    ),
    "hpack: ends in a field": (h2.COMPRESSION_ERROR, frame(h2.HEADERS, 5, 1, b"\x82\x40\x05a")),
    "hpack: an index that has been pushed out": (
        h2.COMPRESSION_ERROR,
        frame(
            h2.HEADERS,
            5,
            1,
            b"".join(b"\x40\x01a\x7f\xd1\x07" + bytes([48 + i]) * 1104 for i in range(4)) + b"\xc1",
        ),
    ),
    "hpack: a table over the limit": (
        h2.COMPRESSION_ERROR,
        frame(h2.HEADERS, 5, 1, b"\x3f\xe2\x1f\x82"),
    ),
    "hpack: bad Huffman padding": (h2.COMPRESSION_ERROR, frame(h2.HEADERS, 5, 1, b"\x04\x81\x18")),
}


@pytest.mark.parametrize("what", BAD)
def test_connection_errors(peer, what):
    """GOAWAY with the right code, then the end of the connection; RFC 9113 5.4.1."""
    code, data = BAD[what]
    peer.send(data)
    assert peer.ends() == code


def test_window_of_a_stream_overflows(raw_server):
    """By SETTINGS_INITIAL_WINDOW_SIZE, RFC 9113 6.9.2; not when the stream had ended before."""
    with Peer(raw_server.port) as peer:
        stream = peer.start("/simpletest.SimpleTest/PostAndPost")
        peer.send(h2.window_update(stream, 0x7FFFFFFF - 65535))
        peer.send(frame(h2.DATA, h2.END_STREAM, stream, b""))
        peer.finish(stream)
        peer.send(h2.settings(h2.INITIAL_WINDOW, 0x7FFFFFFF))
        assert peer.say_hello() == "Hello, h2!"
        peer.send(h2.settings(h2.INITIAL_WINDOW, 65535))
        stream = peer.start("/simpletest.SimpleTest/PostAndPost")
        peer.send(h2.window_update(stream, 1000), h2.settings(h2.INITIAL_WINDOW, 0x7FFFFFFF))
        assert peer.ends() == h2.FLOW_CONTROL_ERROR


def test_streams_must_ascend(peer):
    peer.next_stream = 9
    assert peer.say_hello() == "Hello, h2!"
    peer.send(peer.headers(5, request(), h2.END_STREAM))
    assert peer.ends() in (h2.PROTOCOL_ERROR, h2.STREAM_CLOSED)


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        h2.PREFACE[:20] + b"XX\r\n",
        h2.PREFACE + frame(h2.PING, 0, 0, bytes(8)),
        h2.PREFACE + frame(h2.SETTINGS, h2.ACK, 0),
    ],
    ids=["HTTP/1.1", "TLS", "a wrong preface", "PING first", "ACK first"],
)
def test_no_http2_client(raw_server, hello):
    """The connection ends with PROTOCOL_ERROR (RFC 9113 3.4), and that can be read."""
    with socket.create_connection(("127.0.0.1", raw_server.port), 30) as link:
        link.sendall(hello)
        received = b""
        while True:
            try:
                data = link.recv(1000)
            except ConnectionResetError:
                break
            if not data:
                break
            received += data
    assert (
        struct.pack(">BBII", h2.GOAWAY, 0, 0, 0) + struct.pack(">I", h2.PROTOCOL_ERROR) in received
    )


@pytest.mark.parametrize("count", [0, 10, 24, 30])
def test_hang_up_early(raw_server, count):
    """Connections that end within the preface or a frame, one after another."""
    data = h2.PREFACE + h2.settings(1, 4096)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", raw_server.port), 30) as link:
            link.sendall(data[:count])


def test_link_half_closed(raw_server):
    """A client whose side of the TCP connection has ended has gone: so do its calls, and the connection."""
    with Peer(raw_server.port) as peer:
        peer.send(frame(h2.DATA, 0, peer.start("/simpletest.SimpleTest/PostAndPost"), message("a")))
        peer.until(lambda: peer.streams[1].data)
        peer.socket.shutdown(socket.SHUT_WR)
        peer.ends()


SLOW = {
    "nothing": b"",
    "half a preface": h2.PREFACE[:10],
    "no SETTINGS": h2.PREFACE,
    "half a frame": h2.PREFACE + h2.settings() + b"\0\0\x10\1\4\0",
    "half a header block": h2.PREFACE + h2.settings() + frame(h2.HEADERS, 0, 1, HEAD),
}


def test_slow_loris():
    """Clients that begin and do not go on lose their places after 20 s, on all targets at once (for its time)."""
    with contextlib.ExitStack() as stack:
        links = []
        for name in targets.chosen(targets.RAW):
            server = next(targets.use(name))
            for hello in list(SLOW.values())[: server.connections]:
                link = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 60))
                link.sendall(hello)
                links.append((server, link))
        for server, link in links:
            try:
                while link.recv(1000):
                    pass
            except ConnectionResetError:
                pass
        assert all(server.serves() for server, _ in links)


@pytest.mark.parametrize("name", targets.chosen(["posix", "hostsim-raw", "hostsim-sockets"]))
def test_stopped_by_a_signal(name):
    """The server says GOAWAY, lets the open call come to its end, and ends well itself."""
    with targets.Server(name) as server:
        with Peer(server.port) as peer:
            stream = peer.start("/simpletest.SimpleTest/PostAndPost")
            peer.send(frame(h2.DATA, 0, stream, message("a")))
            peer.until(lambda: peer.streams[stream].data)
            server.process.send_signal(signal.SIGINT)
            if name == "posix":
                peer.until(lambda: peer.goaway)
                assert peer.goaway[1] == h2.NO_ERROR
                refused = peer.begin()
                peer.send(frame(h2.DATA, h2.END_STREAM, stream, message("b")))
                assert messages(peer.finish(stream).data) == ["Hello !! a", "Hello !! b"]
                assert peer.streams[refused].reset in (h2.REFUSED_STREAM, None)
            peer.ends()
        assert server.process.wait(30) == 0


# --- Floods: GOAWAY(ENHANCE_YOUR_CALM), and other connections are served on -----------------------


def flood(raw_server, make, codes=(h2.ENHANCE_YOUR_CALM,), rounds=600):
    """Sends make(peer, i) until the server has had enough; meanwhile and afterwards another is served."""
    with (
        Peer(raw_server.port) as other,
        Peer(raw_server.port, timeout=15) as peer,
    ):  # sooner than a timer
        end = time.monotonic() + 60
        for i in range(rounds):
            peer.reply(make(peer, i))
            peer.receive(0)
            if i % 20 == 0:
                assert other.say_hello() == "Hello, h2!"
            if peer.goaway or peer.closed or time.monotonic() > end:
                break
        assert peer.ends() in codes
        assert other.say_hello("on") == "Hello, on!"
        return peer.goaway


def test_rapid_reset(raw_server):
    """CVE-2023-44487"""

    def make(peer, _):
        stream = peer.new_stream()
        return peer.headers(stream, request("/simpletest.SimpleTest/PostAndPost")) + h2.rst_stream(
            stream
        )

    flood(raw_server, make)


def test_made_you_reset(raw_server):
    """CVE-2025-8671: the client makes the server reset."""

    def make(peer, _):
        stream = peer.new_stream()
        return peer.headers(
            stream, request("/simpletest.SimpleTest/PostAndPost")
        ) + h2.window_update(stream, 0)

    flood(raw_server, make)


def test_refused_streams(raw_server):
    """Far over the stream limit, again and again."""

    def make(peer, i):
        stream = peer.new_stream()
        return peer.headers(stream, request("/simpletest.SimpleTest/PostAndPost"))

    flood(raw_server, make)


def test_ping_flood(raw_server):
    """CVE-2019-9512; gRPC's clients look for `too_many_pings`."""
    goaway = flood(raw_server, lambda peer, i: frame(h2.PING, 0, 0, bytes(8)))
    assert goaway[2] == b"too_many_pings"


def test_settings_flood(raw_server):
    """CVE-2019-9515"""
    flood(raw_server, lambda peer, i: h2.settings(h2.INITIAL_WINDOW, 65535))


def test_priority_flood(raw_server):
    """CVE-2019-9513"""
    flood(raw_server, lambda peer, i: frame(h2.PRIORITY, 0, 2 * i + 1, struct.pack(">IB", 0, 1)))


def test_empty_data_flood(raw_server):
    """CVE-2019-9518"""

    def make(peer, i):
        if i == 0:
            peer.open = peer.start("/simpletest.SimpleTest/PostList")
        return frame(h2.DATA, 0, peer.open)

    flood(raw_server, make)


@pytest.mark.parametrize("part", [b"", b"\x00\x01a\x01b" * 20])
def test_continuation_flood(raw_server, part):
    """CVE-2024-27316 and kin."""

    def make(peer, i):
        return frame(h2.CONTINUATION if i else h2.HEADERS, 0, 1, part) * (1 if i == 0 else 10)

    flood(raw_server, make)


def test_malformed_flood(raw_server):
    def make(peer, _):
        return peer.headers(
            peer.new_stream(), request("/Greeter/SayHello", ("connection", "close")), h2.END_STREAM
        )

    flood(raw_server, make)


def test_hpack_bomb(raw_server):
    """CVE-2016-6581: a field of 4000 bytes, named a thousand times."""
    with Peer(raw_server.port) as other, Peer(raw_server.port) as peer:
        stream = peer.new_stream()
        block = (
            peer.encoder.encode(request())
            + b"\x40\x01x\x7f"
            + bytes([4000 - 127 & 127 | 128, 4000 - 127 >> 7])
            + b"y" * 4000
            + b"\xbe" * 1000
        )
        peer.send(frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, stream, block))
        assert peer.finish(stream).http_status == "431"
        peer.encoder = h2.Encoder()
        peer.encoder.header_table_size = 0  # it does not know of that entry
        assert peer.say_hello() == "Hello, h2!"
        assert other.say_hello() == "Hello, h2!"
