# tests/e2e/test_http2.py - frames that real clients send, and bugs of other servers, at the level of the socket.
# Layer: tests. Source: RFC 9113, RFC 7541, gRPC over HTTP2; each test names what it is about.
# SPDX-License-Identifier: Apache-2.0
import os
import socket
import struct
import subprocess
import time

import pytest

import rawh2 as h2
from rawh2 import Peer, message, messages, request
from targets import ROOT, our_server, raw_server  # noqa: F401 (fixtures)

FIVE = ["test%d" % i for i in range(5)]
REPLY = len(message("Hello, h2!"))


@pytest.fixture
def peer(raw_server):
    with Peer(raw_server.port) as peer:
        yield peer


def fine(answer, *texts):
    """A call that ended well, with these messages."""
    assert (answer.reset, answer.http_status, answer.grpc_status) == (None, "200", "0"), vars(
        answer
    )
    assert messages(answer.data) == list(texts)


def failed(answer, status):
    assert (answer.http_status, answer.grpc_status) == ("200", str(status)), vars(answer)
    assert answer.reset in (None, h2.NO_ERROR)


# --- curl, nghttp: peers that do not wait for SETTINGS -----------------------------------------------------


def run(*command):
    done = subprocess.run(command, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    print(text)
    assert done.returncode == 0
    return text


@pytest.mark.parametrize(
    "path,texts", [("Greeter/SayHello", ["Hello, curl!"]), ("simpletest.SimpleTest/GetList", FIVE)]
)
def test_curl(our_server, tmp_path, path, texts):
    """The body has a content-length. One call a process: 7.88.1 fails to use a connection twice, on any server."""
    body, answer, head = tmp_path / "body", tmp_path / "answer", tmp_path / "head"
    body.write_bytes(message("curl"))
    run(
        "curl",
        "-sS",
        "--max-time",
        "60",
        "--http2-prior-knowledge",
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        "--data-binary",
        "@%s" % body,
        "-D",
        str(head),
        "-o",
        str(answer),
        "http://127.0.0.1:%d/%s" % (our_server.port, path),
    )
    assert messages(answer.read_bytes()) == texts
    assert "grpc-status: 0" in head.read_text()


def test_nghttp(our_server, tmp_path):
    """PRIORITY frames, and HEADERS with priority on stream 13; many calls at once over one connection."""
    body = tmp_path / "body"
    body.write_bytes(message("nghttp"))
    url = "http://127.0.0.1:%d/Greeter/SayHello" % our_server.port
    text = run(
        "nghttp",
        "-v",
        "-t",
        "60",
        "-d",
        str(body),
        "-H",
        ":method: POST",
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        url,
    )
    assert "grpc-status: 0" in text and ":status: 200" in text and "END_STREAM" in text
    text = run(
        "nghttp",
        "-nv",
        "-t",
        "60",
        "-m",
        "4",
        "-d",
        str(body),
        "-H",
        ":method: POST",
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        url,
    )
    assert text.count("grpc-status: 0") == 4


def test_everything_at_once(raw_server):
    """tonic, hyper: preface, SETTINGS, window and requests in one segment, before our SETTINGS."""
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 2 << 20, h2.ENABLE_PUSH, 0, wait=False) as peer:
        peer.send(
            h2.window_update(0, 5 << 20),
            *[
                part
                for stream in (1, 3)
                for part in (
                    peer.headers(stream, request()),
                    h2.frame(h2.DATA, h2.END_STREAM, stream, message("t%d" % stream)),
                )
            ],
        )
        fine(peer.finish(1), "Hello, t1!")
        fine(peer.finish(3), "Hello, t3!")


def pipelined(peer, stream, count):
    """A call of so many tiny messages in one DATA frame, and one behind it."""
    return [
        peer.headers(stream, request("/simpletest.SimpleTest/PostAndPost")),
        h2.frame(h2.DATA, h2.END_STREAM, stream, message("a") * count),
        peer.headers(stream + 2, request()),
        h2.frame(h2.DATA, h2.END_STREAM, stream + 2, message("behind")),
    ]


@pytest.mark.parametrize("count", [8, 500])
def test_tiny_messages_at_once(raw_server, count):
    """connect-go, tonic, nginx: more of them than the server's block holds, before it is known how much that is. They
    wait in TCP, and so does what comes behind them."""
    with Peer(raw_server.port, wait=False) as peer:
        peer.send(*pipelined(peer, 1, count))
        fine(peer.finish(1), *["Hello !! a"] * count)
        fine(peer.finish(3), "Hello, behind!")


def test_window_behind_tiny_messages(raw_server):
    """What they wait for stands behind them. The server waits for 5 seconds; then that call ends, no other."""
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 0, wait=False) as peer:
        began = time.monotonic()
        peer.send(*pipelined(peer, 1, 500), h2.window_update(1, 65535), h2.window_update(3, 65535))
        failed(peer.finish(1), 8)
        assert 4 < time.monotonic() - began < 12
        fine(peer.finish(3), "Hello, behind!")
        assert peer.goaway is None


def test_byte_by_byte(raw_server):
    """Every byte in a segment of its own."""
    with Peer(raw_server.port) as peer:
        data = peer.headers(1, request()) + h2.frame(h2.DATA, h2.END_STREAM, 1, message("bytes"))
        for i in range(len(data)):
            peer.send(data[i : i + 1])
        fine(peer.finish(1), "Hello, bytes!")


def test_preface_byte_by_byte(raw_server):
    with socket.create_connection(("127.0.0.1", raw_server.port), 30) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in h2.PREFACE + h2.settings(h2.INITIAL_WINDOW, 70000):
            link.sendall(bytes([byte]))
        received = b""
        while h2.frame(h2.SETTINGS, h2.ACK, 0) not in received:
            data = link.recv(1000)
            assert data
            received += data
        assert received[3] == h2.SETTINGS, "our SETTINGS are the first frame (RFC 9113 3.4)"


def captured():
    """Header blocks of real clients: {client: [block]}"""
    blocks = {}
    with open(os.path.join(ROOT, "tests", "vectors", "captured.txt"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                client, _, block = line.strip().split("|")
                blocks.setdefault(client, []).append(bytes.fromhex(block))
    return blocks


@pytest.mark.parametrize("client", captured())
def test_captured_headers(peer, client):
    """What real clients sent, in their order: tables, Huffman, indexed paths."""
    for block in captured()[client]:
        stream = peer.new_stream()
        name = message("1234")[: 9 + 2]  # some state a content-length of 9
        peer.send(
            h2.frame(h2.HEADERS, h2.END_HEADERS, stream, block),
            h2.frame(h2.DATA, h2.END_STREAM, stream, message("hi") if name else b""),
        )
        answer = peer.finish(stream)
        assert (answer.http_status, answer.grpc_status) == ("200", "0"), vars(answer)


# --- Requests in odd, but right form ---------------------------------------------------------------------------


def test_padding(peer):
    block = peer.encoder.encode(request())
    for pad in (0, 1, 255):
        stream = peer.new_stream()
        head = h2.frame(
            h2.HEADERS, h2.END_HEADERS | h2.PADDED, stream, bytes([pad]) + block + bytes(pad)
        )
        block = peer.encoder.encode(request())
        data = message("pad")
        if pad == 255:  # no more than the window
            pad = max(0, min(255, peer.settings[h2.INITIAL_WINDOW] - len(data) - 1))
        peer.send(
            head,
            h2.frame(h2.DATA, h2.PADDED | h2.END_STREAM, stream, bytes([pad]) + data + bytes(pad)),
        )
        fine(peer.finish(stream), "Hello, pad!")


def test_priority(peer):
    """RFC 7540 5.3: PRIORITY of idle streams, HEADERS with priority; ignored."""
    for stream, depends in ((3, 0), (5, 0), (7, 0), (9, 7), (11, 3)):
        peer.send(h2.frame(h2.PRIORITY, 0, stream, struct.pack(">IB", depends, 200)))
    for flags in (h2.HAS_PRIORITY, h2.HAS_PRIORITY | h2.PADDED):
        stream = 13 if flags == h2.HAS_PRIORITY else 15
        pad = b"\x03" if flags & h2.PADDED else b""
        block = (
            pad
            + struct.pack(">IB", 11 | 1 << 31, 15)
            + peer.encoder.encode(request())
            + bytes(len(pad) * 3)
        )
        peer.send(
            h2.frame(h2.HEADERS, flags | h2.END_HEADERS, stream, block),
            h2.frame(h2.DATA, h2.END_STREAM, stream, message("first")),
            h2.frame(h2.PRIORITY, 0, stream, struct.pack(">IB", 0, 1)),
        )
        fine(peer.finish(stream), "Hello, first!")


def test_continuation(peer):
    """A header block over several frames, cut anywhere, empty ones too. Bug of peers: it closes the connection."""
    for cut in (0, 1, 5, 20, 40):
        block = peer.encoder.encode(request("/Greeter/SayHello", ("x-cut", str(cut))))
        stream = peer.new_stream()
        middle = block[cut : cut + 3]
        peer.send(
            h2.frame(h2.HEADERS, 0, stream, block[:cut]),
            h2.frame(h2.CONTINUATION, 0, stream, middle),
            h2.frame(h2.CONTINUATION, 0, stream),
            h2.frame(h2.CONTINUATION, h2.END_HEADERS, stream, block[cut + len(middle) :]),
            h2.frame(h2.DATA, h2.END_STREAM, stream, message("cut")),
        )
        fine(peer.finish(stream), "Hello, cut!")


def test_continuation_after_end_stream(peer):
    """END_STREAM stands in HEADERS, END_HEADERS in CONTINUATION: no request message."""
    block = peer.encoder.encode(request())
    stream = peer.new_stream()
    peer.send(
        h2.frame(h2.HEADERS, h2.END_STREAM, stream, block[:4]),
        h2.frame(h2.CONTINUATION, h2.END_HEADERS, stream, block[4:]),
    )
    failed(peer.finish(stream), 13)


def test_unknown_frames_and_settings(peer):
    """RFC 9113 5.5: ignored wherever they stand (but within a header block). Bug of peers: desynchronised."""
    peer.send(
        h2.frame(0xFA, 0xFF, 0, b"x" * 300),
        h2.frame(0x0B, 0, 0),
        h2.settings(0xFE03, 1, 0x99, 7, 8, 1),
    )
    stream = peer.start()
    peer.send(
        h2.frame(0xFA, 0xFF, stream, b"y" * 16384),
        h2.frame(h2.DATA, h2.END_STREAM, stream, message("u")),
    )
    fine(peer.finish(stream), "Hello, u!")
    peer.until(lambda: peer.acked == 2)


@pytest.mark.parametrize(
    "extra",
    [
        [("x-127", "v" * 127)],
        [("x-128", "v" * 128)],
        [("x-" + "n" * 200, "v" * 300)],
        [("x-huge", "~" * 7000)],
        [("x-bytes", "\t ~\xe9\u20ac")],
        [("x-empty", "")],
        [("trace-bin", "AAECAw")],
        [("host", "other")],
        [("cookie", "a=b"), ("cookie", "c=d")],
        [("grpc-timeout", "99999999H")],
        [("grpc-encoding", "identity")],
        [("x-%d" % i, str(i)) for i in range(100)],
    ],
    ids=lambda extra: extra[0][0][:12],
)
@pytest.mark.parametrize("huffman", [False, True], ids=["plain", "huffman"])
def test_header_fields(peer, extra, huffman):
    """Twice: the second time out of the table. Bug of peers: fields over 127 bytes kill the connection."""
    for _ in range(2):
        stream = peer.new_stream()
        peer.send(
            peer.headers(stream, request("/Greeter/SayHello", *extra), huffman=huffman),
            h2.frame(h2.DATA, h2.END_STREAM, stream, message("f")),
        )
        fine(peer.finish(stream), "Hello, f!")


def test_without_te_and_with_host(peer):
    """Missing `te` is tolerated; `host` may stand in for :authority."""
    stream = peer.new_stream()
    fields = request("/Greeter/SayHello", ("host", "localhost"), without=("te", ":authority"))
    peer.send(peer.headers(stream, fields), h2.frame(h2.DATA, h2.END_STREAM, stream, message("h")))
    fine(peer.finish(stream), "Hello, h!")


@pytest.mark.parametrize(
    "kind", ["application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc"]
)
def test_content_types(peer, kind):
    stream = peer.new_stream()
    fields = request("/Greeter/SayHello", ("content-type", kind), without=("content-type",))
    peer.send(peer.headers(stream, fields), h2.frame(h2.DATA, h2.END_STREAM, stream, message("c")))
    fine(peer.finish(stream), "Hello, c!")


def test_table_size_of_zero(raw_server):
    """Our encoder keeps to a client's table of 0, then of 4096 again; responses are the same."""
    with Peer(raw_server.port, h2.TABLE_SIZE, 0) as peer:
        peer.decoder.max_allowed_table_size = 0  # it insists on a size update, RFC 7541 4.2
        for _ in range(3):
            assert peer.say_hello() == "Hello, h2!"
        assert not peer.decoder.header_table.dynamic_entries
        peer.decoder.max_allowed_table_size = 4096
        peer.send(h2.settings(h2.TABLE_SIZE, 4096))
        for _ in range(3):
            assert peer.say_hello() == "Hello, h2!"


def test_responses_shrink(peer):
    """From the second call on, response headers and trailers are a few bytes."""
    sizes = []
    for _ in range(4):
        stream, size, handle = peer.begin(), [], peer.handle
        peer.handle = lambda item: (
            size.append(9 + len(item.payload)) if item.stream == stream else None,
            handle(item),
        )
        peer.finish(stream)
        peer.handle = handle
        sizes.append(sum(size))
    assert sizes[1] == sizes[3] <= 50 + REPLY, sizes


def test_requests_that_repeat(peer):
    """The same bytes mean the same as long as the table does, and something else once it has changed."""
    for path, text in (
        ("SayHello", "Hello, r!"),
        ("SayHelloAgain", "Hello again, r!"),
        ("Test", "Test OK, r!"),
    ):
        whole = request("/Greeter/" + path)
        peer.encoder.header_table_size = 0  # and 4096 again: the table is empty
        peer.encoder.header_table_size = 4096
        for _ in range(3):
            stream = peer.new_stream()
            peer.send(
                peer.headers(stream, whole), h2.frame(h2.DATA, h2.END_STREAM, stream, message("r"))
            )
            fine(peer.finish(stream), text)


# --- Messages and frames ---------------------------------------------------------------------------------------


def test_data_in_single_bytes(peer):
    """The 5-byte prefix may be cut anywhere; DATA boundaries mean nothing."""
    stream = peer.start()
    data = message("single")
    peer.send(
        *[h2.frame(h2.DATA, 0, stream, data[i : i + 1]) for i in range(len(data))],
        h2.frame(h2.DATA, h2.END_STREAM, stream),
    )
    fine(peer.finish(stream), "Hello, single!")


def test_several_messages_in_a_frame(peer):
    stream = peer.start("/simpletest.SimpleTest/PostAndPost")
    data = message("") + message("a") + message("bc")
    peer.send(h2.frame(h2.DATA, 0, stream, data + message("def")[:3]))
    peer.until(lambda: peer.streams[stream].data.count(b"Hello") == 3)
    peer.send(h2.frame(h2.DATA, h2.END_STREAM, stream, message("def")[3:]))
    fine(peer.finish(stream), "Hello !! ", "Hello !! a", "Hello !! bc", "Hello !! def")


@pytest.mark.parametrize("path,texts", [("PostList", ["PostList OK"]), ("PostAndPost", [])])
def test_streams_of_no_message(peer, path, texts):
    """END_STREAM in HEADERS, or in empty DATA. Bug of peers: a client stream of no message fails."""
    stream = peer.start("/simpletest.SimpleTest/" + path, flags=h2.END_STREAM)
    fine(peer.finish(stream), *texts)
    fine(peer.call("/simpletest.SimpleTest/" + path, b""), *texts)


def test_empty_data_frames(peer):
    stream = peer.start("/simpletest.SimpleTest/PostList")
    peer.send(
        *[h2.frame(h2.DATA, 0, stream) for _ in range(5)],
        h2.frame(h2.DATA, 0, stream, message("a")),
        h2.frame(h2.DATA, h2.END_STREAM, stream),
    )
    fine(peer.finish(stream), "PostList OK")


def test_half_close_by_trailers(peer):
    """A request may end with trailers, RFC 9113 8.1."""
    stream = peer.start("/simpletest.SimpleTest/PostList")
    peer.send(
        h2.frame(h2.DATA, 0, stream, message("a")),
        peer.headers(stream, [("x-trailer", "1")], h2.END_STREAM),
    )
    fine(peer.finish(stream), "PostList OK")


def test_goaway_from_the_client(peer):
    """Calls under way go on to their end."""
    stream = peer.start("/simpletest.SimpleTest/PostAndPost")
    peer.send(
        h2.frame(h2.GOAWAY, 0, 0, struct.pack(">II", 0, 0) + b"bye"),
        h2.frame(h2.DATA, h2.END_STREAM, stream, message("last")),
    )
    fine(peer.finish(stream), "Hello !! last")


def test_ping(peer):
    for i in range(10):
        peer.send(h2.frame(h2.PING, 0, 0, b"ping %03d" % i))
        peer.until(lambda: peer.pongs == [b"ping %03d" % k for k in range(i + 1)])
    peer.send(h2.frame(h2.PING, h2.ACK, 0, b"unasked!"))
    assert peer.say_hello() == "Hello, h2!"
    assert len(peer.pongs) == 10


def test_a_ping_with_every_reply(peer):
    """grpc-go and C-core measure bandwidth so: no limit may end that."""
    for i in range(300):
        peer.send(h2.frame(h2.PING, 0, 0, b"%08d" % i))
        assert peer.say_hello() == "Hello, h2!"


def test_settings_are_acknowledged_each(peer):
    for i in range(20):
        peer.send(h2.settings(h2.INITIAL_WINDOW, 60000 + i))
    peer.until(lambda: peer.acked == 21)


# --- Windows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", range(8))
def test_small_windows(raw_server, window):
    """0 to 7 bytes at a time. Bugs of peers: with 0 to 4 left the response is lost; too large ones wait for ever."""
    with Peer(raw_server.port, h2.INITIAL_WINDOW, window) as peer:
        stream = peer.begin()
        sent, answer = window, peer.streams[stream]
        while not answer.over():
            peer.until(lambda: answer.over() or len(answer.data) == min(sent, REPLY))
            if not answer.over() and len(answer.data) < REPLY:
                step = max(1, window)
                peer.send(h2.window_update(stream, step))
                sent += step
            elif not answer.over():
                peer.finish(stream)
        fine(answer, "Hello, h2!")
        assert max(answer.frames) <= max(1, window)


def test_window_of_the_connection(raw_server):
    """The connection's 65535 bytes are used up to the last one; then one byte at a time."""
    with Peer(raw_server.port) as peer:
        left = 65535
        full = len(message("Hello, %s!" % ("x" * 40)))
        while left > 2 * full:
            assert peer.say_hello("x" * 40)
            left -= full
        first = left - 3 - len(message("Hello, !"))
        if first > 40:
            assert peer.say_hello("x" * 20)
            first -= len(message("Hello, %s!" % ("x" * 20)))
        assert peer.say_hello("x" * first) and 0 <= first <= 48
        stream = peer.begin()
        answer = peer.streams[stream]
        for got in range(3, REPLY):
            peer.until(lambda: len(answer.data) == got)
            peer.send(h2.window_update(0, 1))
        fine(peer.finish(stream), "Hello, h2!")
        waiting = peer.begin(data=message("1")), peer.begin(data=message("2"))
        peer.quiet(0.2)
        assert not any(peer.streams[stream].data for stream in waiting)
        peer.send(h2.window_update(0, 1000))
        for number, stream in enumerate(waiting, 1):
            fine(peer.finish(stream), "Hello, %d!" % number)


def test_negative_window(raw_server):
    """SETTINGS_INITIAL_WINDOW_SIZE shrinks under a stream that has used its window, RFC 9113 6.9.2."""
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 1000) as peer:
        stream = peer.start("/simpletest.SimpleTest/PostAndPost")
        answer = peer.streams[stream]
        first = len(message("Hello !! a"))
        peer.send(h2.frame(h2.DATA, 0, stream, message("a")))
        peer.until(lambda: len(answer.data) == first)
        peer.send(h2.settings(h2.INITIAL_WINDOW, 0))  # the window is now -first
        peer.until(lambda: peer.acked == 2)
        peer.send(h2.frame(h2.DATA, 0, stream, message("b")), h2.window_update(stream, first))
        peer.quiet(0.2)
        assert len(answer.data) == first
        peer.send(h2.window_update(stream, 1))
        peer.until(lambda: len(answer.data) == first + 1)
        peer.send(h2.settings(h2.INITIAL_WINDOW, 5))
        peer.until(lambda: len(answer.data) == first + 6)
        peer.send(h2.settings(h2.INITIAL_WINDOW, 65535), h2.frame(h2.DATA, h2.END_STREAM, stream))
        fine(peer.finish(stream), "Hello !! a", "Hello !! b")


def test_window_shrinks_while_stalled(raw_server):
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 3) as peer:
        stream = peer.begin()
        answer = peer.streams[stream]
        peer.until(lambda: len(answer.data) == 3)
        for size in (0, 2, 1, 3):
            peer.send(h2.settings(h2.INITIAL_WINDOW, size))
        peer.until(lambda: peer.acked == 5)
        peer.quiet(0.1)
        assert len(answer.data) == 3
        peer.send(h2.window_update(stream, 1000))
        fine(peer.finish(stream), "Hello, h2!")


def test_one_stalled_stream_holds_up_nobody(raw_server):
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 0) as peer:
        stalled = peer.begin()
        stream = peer.begin(data=message("other"))
        peer.send(h2.window_update(stream, 1000))
        fine(peer.finish(stream), "Hello, other!")
        stream = peer.begin("/simpletest.SimpleTest/GetList", message())
        peer.send(h2.window_update(stream, 1000))
        fine(peer.finish(stream), *FIVE)
        peer.send(h2.window_update(stalled, 1000))
        fine(peer.finish(stalled), "Hello, h2!")


def test_server_stream_in_small_windows(raw_server):
    """Messages are pulled only as they can leave."""
    with Peer(raw_server.port, h2.INITIAL_WINDOW, 4) as peer:
        stream = peer.begin("/simpletest.SimpleTest/GetList", message("x"))
        answer, sent = peer.streams[stream], 4
        total = 5 * len(message("test0"))
        while sent < total:
            peer.until(lambda: len(answer.data) == sent)
            peer.send(h2.window_update(stream, 7))
            sent += 7
        fine(peer.finish(stream), *FIVE)


def test_our_window_opens_again(peer):
    """Far more than one window of requests on one stream, never more at once than it allows."""
    window = peer.settings[h2.INITIAL_WINDOW]
    stream = peer.start("/simpletest.SimpleTest/PostList")
    data, sent = message("x" * 40) * 200, 0
    end = time.monotonic() + 60
    while sent < len(data) and time.monotonic() < end:
        room = window + peer.windows[stream] - sent
        if room > 0:
            part = data[sent : sent + min(room, 33)]
            peer.send(h2.frame(h2.DATA, 0, stream, part))
            sent += len(part)
        else:
            peer.until(lambda: window + peer.windows[stream] > sent)
    peer.send(h2.frame(h2.DATA, h2.END_STREAM, stream))
    fine(peer.finish(stream), "PostList OK")


def test_our_window_of_the_connection_opens_again(peer):
    """Also for DATA of calls that had ended: 200 KB of it, RFC 9113 5.1."""
    window = peer.settings[h2.INITIAL_WINDOW]
    body = b"\x00\x00\x00\x10\x00" + bytes(min(16000, window) - 5)
    sent = 0
    while sent < 200000:
        peer.until(lambda: 65535 + peer.windows[0] - sent >= len(body))
        stream = peer.start()
        peer.send(h2.frame(h2.DATA, h2.END_STREAM, stream, body))
        sent += len(body)
        failed(peer.finish(stream), 13)
    assert peer.say_hello() == "Hello, h2!"


def test_slow_reader(raw_server):
    """As many calls as may be open, and nobody reads for a while; nothing is lost."""
    with Peer(raw_server.port) as peer:
        count = min(100, peer.settings[h2.MAX_STREAMS])
        streams = [peer.begin("/simpletest.SimpleTest/GetList", message("x")) for _ in range(count)]
        time.sleep(1)
        for stream in streams:
            fine(peer.finish(stream), *FIVE)


def test_slow_reader_of_bidi(raw_server):
    """A receive buffer as small as can be, all windows used up in requests of 5 bytes: their answers are larger."""
    with Peer(raw_server.port, receive_buffer=1) as peer:
        count = min(100, peer.settings[h2.MAX_STREAMS])
        each = peer.settings[h2.INITIAL_WINDOW] // len(message())
        streams = [peer.start("/simpletest.SimpleTest/PostAndPost") for _ in range(count)]
        peer.send(
            *[h2.frame(h2.DATA, h2.END_STREAM, stream, message() * each) for stream in streams]
        )
        time.sleep(1)
        for stream in streams:
            fine(peer.finish(stream), *["Hello !! "] * each)


# --- A strict peer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("calls_before", [0, 1])
@pytest.mark.parametrize("sizes", [(0,), (0, 4096), (300, 50, 200)], ids=str)
def test_tables_that_shrink_in_mid_stream(raw_server, calls_before, sizes):
    """Python's h2 ends the connection when trailers do not begin with the update that is due, RFC 7541 4.2."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import DataReceived, SettingsAcknowledged, StreamEnded, TrailersReceived
    from h2.settings import SettingCodes

    conn = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    link = socket.create_connection(("127.0.0.1", raw_server.port), timeout=h2.TIMEOUT)

    def until(kind):
        while True:
            link.sendall(conn.data_to_send())
            data = link.recv(65536)
            assert data, "closed"
            events = conn.receive_data(data)
            for event in events:
                if isinstance(event, DataReceived):
                    conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            found = [event for event in events if isinstance(event, kind)]
            if found:
                return found, events

    with link:
        conn.initiate_connection()
        until(SettingsAcknowledged)
        for number in range(calls_before):
            conn.send_headers(2 * number + 1, request())
            conn.send_data(2 * number + 1, message("h2"), end_stream=True)
            until(StreamEnded)
        stream = conn.get_next_available_stream_id()
        conn.send_headers(stream, request("/simpletest.SimpleTest/PostAndPost"))
        conn.send_data(stream, message("x"))
        until(DataReceived)
        acknowledged = 0
        for size in sizes:
            conn.update_settings({SettingCodes.HEADER_TABLE_SIZE: size})
        while acknowledged < len(sizes):
            acknowledged += len(until(SettingsAcknowledged)[0])
        conn.end_stream(stream)
        ((trailers,), _) = until(TrailersReceived)
        assert ("grpc-status", "0") in trailers.headers


# --- Streams over the limit -----------------------------------------------------------------------


def test_streams_over_the_limit(peer):
    """REFUSED_STREAM, safe to retry; those that are open go on, a place that is free is taken."""
    path, limit = "/simpletest.SimpleTest/PostAndPost", peer.settings[h2.MAX_STREAMS]
    streams = [peer.start(path) for _ in range(limit)]
    refused = [peer.begin(data=message("r")) for _ in range(3)]
    for stream in refused:
        assert peer.finish(stream).reset == h2.REFUSED_STREAM
    for number, stream in enumerate(streams):
        peer.send(h2.frame(h2.DATA, h2.END_STREAM, stream, message("%d" % number)))
    for number, stream in enumerate(streams):
        fine(peer.finish(stream), "Hello !! %d" % number)
    assert peer.say_hello() == "Hello, h2!"


def test_reset_frees_a_stream(peer):
    path, limit = "/simpletest.SimpleTest/PostAndPost", peer.settings[h2.MAX_STREAMS]
    for _ in range(3):
        streams = [peer.start(path) for _ in range(min(limit, 40))]
        peer.send(
            *[h2.frame(h2.DATA, 0, stream, message("x")) for stream in streams],
            *[h2.rst_stream(stream) for stream in streams],
        )
        assert peer.say_hello() == "Hello, h2!"
