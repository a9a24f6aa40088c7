# tests/fuzz/seeds.py - writes what the fuzz targets begin with: good conversations, and what once broke something.
# Layer: tests. Source: RFC 9113, RFC 7541, RFC 1952; the targets' own first bytes stand in their sources.
# SPDX-License-Identifier: Apache-2.0
"""Use: seeds.py FOLDER [PROGRAM...]   Writes FOLDER/TARGET/NAME, a file for each input. PROGRAM: a unit test, whose
inputs for whole connections are taken as well: it keeps them where NRPC_KEEP says."""

import os
import subprocess
import sys
import tempfile
import zlib

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
LARGEST = 4096  # FUZZ_INPUT
END, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32

# What a fuzzer has found, in hex, by target: a name says what it was. Each stays here for ever.
REGRESSIONS = {
    "server": {
        "goaway_after_an_errors": "2e010323",  # GOAWAY(2^31-1, NO_ERROR) of a shutdown behind that of an error
    },
}


def frame(kind, flags, stream, payload=b""):
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def integer(value, prefix, first=0):
    """RFC 7541 5.1."""
    top = (1 << prefix) - 1
    if value < top:
        return bytes((first | value,))
    out, value = bytes((first | top,)), value - top
    while value >= 128:
        out, value = out + bytes((value & 127 | 128,)), value >> 7
    return out + bytes((value,))


def text(value):
    return integer(len(value), 7) + value.encode()


def literal(name, value, index=0):
    """Without indexing; or, with 0x40, into the table."""
    return bytes((index,)) + text(name) + text(value)


def request(path, *more, index=0):
    return (
        b"\x83\x86"
        + (b"\x44" if index else b"\x04")
        + text(path)
        + b"\x01\x01h\x0f\x10\x10application/grpc"
        + literal("te", "trailers", index)
        + b"".join(literal(*field, index) for field in more)
    )


def message(data, flag=0):
    return bytes((flag,)) + len(data).to_bytes(4, "big") + data


def varint(value):
    return integer(value, 0)[1:] if value > 0x7F else bytes((value,))


def field(number, value):
    """Of protobuf: bytes, or a number."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def numbers(kind, stream, value):
    return frame(kind, 0, stream, value.to_bytes(4, "big"))


def setting(number, value):
    return frame(SETTINGS, 0, 0, number.to_bytes(2, "big") + value.to_bytes(4, "big"))


CONTROL = {
    "ping": frame(PING, 0, 0, b"01234567"),
    "window": numbers(WINDOW, 0, 100) + numbers(WINDOW, 1, 100),
    "settings": setting(1, 0)
    + setting(4, 3)
    + setting(4, 70000)
    + setting(5, 20000)
    + setting(3, 1),
    "priority": frame(PRIORITY, 0, 1, b"\0\0\0\3\7"),
    "goaway": frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0debug"),
    "unknown": frame(77, 255, 1, b"unknown"),
    "reset": numbers(RST, 1, 8),
}


def compact(data):
    """The same frames as fuzz_bytes takes them, whose lengths a mutation does not spoil."""
    out, data = data[:2] + bytes((data[2] | 64,)), data[3:]
    while data:
        size, body = int.from_bytes(data[:3], "big"), data[9:]
        kind, flags, stream = data[3], data[4], data[8]
        if (
            kind == DATA
            and not flags & PADDED
            and size >= 5
            and int.from_bytes(body[1:5], "big") == size - 5
        ):
            kind, flags, body = 14, flags | body[0] << 7, body[5:size] + body[size:]
            size -= 5
        if size > 255 or kind > 15:
            return None
        out, data = out + bytes((kind, flags, stream, size)) + body[:size], body[size:]
    return out


def both(seeds):
    for name, data in seeds:
        yield name, data
        if data[3:].startswith(b"PRI") or not compact(data):
            continue
        yield name + "_compact", compact(data)


def server():
    return both(server_seeds())


def client():
    return both(client_seeds())


def server_seeds():
    acked, blobs = b"\0\1\4", b"\0\2\5"
    for method, body in (
        ("Echo", message(b"hi")),
        ("List", message(b"3:40")),
        ("Collect", message(b"a") + message(b"")),
        ("Bidi", message(b"a") + message(b"b")),
        ("Fail", message(b"D no")),
        ("Hold", message(b"x") * 3),
        ("Later", message(b"")),
        ("First", b""),
        ("Push", message(b"")),
        ("None", message(b"")),
    ):
        head = request("/test.Raw/" + method, ("grpc-timeout", "2S"))
        yield method, acked + frame(HEADERS, END_HEADERS, 1, head) + frame(DATA, END, 1, body)
    echo = request("/test.Raw/Echo", ("x-y", "z"), index=0x40)
    again = b"\x83\x86\xc0\x01\x01h\x0f\x10\x10application/grpc\xbf\xbe"
    for name, control in CONTROL.items():
        yield (
            name,
            acked
            + frame(HEADERS, END_HEADERS, 1, echo)
            + control
            + frame(DATA, END, 1, message(b"hi"))
            + frame(HEADERS, END_HEADERS, 3, again)
            + frame(DATA, END, 3, message(b"ho")),
        )
    yield (
        "pieces",
        acked
        + frame(HEADERS, 0, 1, echo[:9])
        + frame(CONTINUATION, 0, 1, echo[9:30])
        + frame(CONTINUATION, END_HEADERS, 1, echo[30:])
        + frame(DATA, 0, 1, message(b"hi")[:3])
        + frame(DATA, END, 1, message(b"hi")[3:]),
    )
    yield (
        "padded",
        acked
        + frame(
            HEADERS, END_HEADERS | PADDED | HAS_PRIORITY, 1, b"\3\0\0\0\0\x0f" + echo + b"\0\0\0"
        )
        + frame(DATA, END | PADDED, 1, b"\2" + message(b"hi") + b"\0\0"),
    )
    yield (
        "gzip",
        acked
        + frame(
            HEADERS,
            END_HEADERS,
            1,
            request("/test.Raw/Echo", ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")),
        )
        + frame(DATA, END, 1, message(zlib.compress(b"h" * 50, wbits=31), 1)),
    )
    meta = [("x-token", "abc"), ("trace-bin", "AAEC,AwQ"), ("x-token", "d"), ("trace-bin", "AAEC")]
    for name, index in ("meta", 0), ("meta_indexed", 0x40):
        yield (
            name,
            b"\0\3\x24"
            + b"".join(
                frame(HEADERS, END_HEADERS, stream, request("/test.Meta/Show", *meta, index=index))
                + frame(DATA, END, stream, message(b""))
                for stream in (1, 3, 5)
            ),
        )
    yield "unknown_path", acked + frame(HEADERS, END_HEADERS | END, 1, request("/test.Raw/Ech"))
    yield "no_greeting", b"\0\3\2PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
    named = (
        field(1, b"name")
        + field(2, field(1, b"text/x") + field(2, b"0123456789" * 20) + field(3, 9))
        + field(3, b"note")
    )
    for method, body in (
        ("Put", message(named)),
        ("PutAll", message(named) * 2),
        ("Exchange", message(field(2, b"abc")) * 2),
        ("Get", message(field(1, 300))),
        ("GetAll", message(field(1, 90) + field(3, 3))),
    ):
        calls = frame(HEADERS, END_HEADERS, 1, request("/blobs.Blobs/" + method)) + frame(
            DATA, END, 1, body
        )
        zipped = frame(
            HEADERS, END_HEADERS, 1, request("/blobs.Blobs/" + method, ("grpc-encoding", "deflate"))
        ) + frame(DATA, END, 1, message(zlib.compress(body[5:]), 1))
        yield "blobs_%s_zipped" % method, blobs + zipped
        for name, first in ("", blobs), ("_held", b"\0\2\x0d"), ("_pieces", b"\0\2\x15"):
            yield "blobs_" + method + name, first + calls


def services():
    acked, unknown = b"\0\1\4", b"no.such.Name"
    info = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    rows = [
        ("hello", "/Greeter/SayHello", message(field(1, b"nanopb"))),
        ("list", "/simpletest.SimpleTest/GetList", message(field(1, b"x"))),
        ("post", "/simpletest.SimpleTest/PostAndPost", message(field(1, b"a")) + message(b"")),
        ("left_out", "/simpletest.SimpleTest/GetOne", message(b"")),
        ("check", "/grpc.health.v1.Health/Check", message(field(1, b"Greeter"))),
        ("watch", "/grpc.health.v1.Health/Watch", message(field(1, b""))),
        ("watch_unknown", "/grpc.health.v1.Health/Watch", message(field(1, unknown))),
    ]
    for name, body in (
        ("list", field(7, b"")),
        ("file", field(3, b"helloworld.proto")),
        ("symbol", field(4, b"Greeter.SayHello")),
        ("extension", field(5, field(1, b"HelloRequest") + field(2, 7))),
        ("extensions", field(6, b"HelloRequest")),
        ("unknown", field(4, unknown)),
        ("host", field(1, b"a host") + field(3, b"simpletest.proto")),
    ):
        rows.append(("info_" + name, info, message(body) * 2))
        rows.append(("alpha_" + name, info.replace("v1", "v1alpha"), message(body)))
    for name, path, body in rows:
        yield (
            name,
            acked + frame(HEADERS, END_HEADERS, 1, request(path)) + frame(DATA, END, 1, body),
        )
        yield (
            name + "_open",
            acked
            + frame(HEADERS, END_HEADERS, 1, request(path))
            + setting(4, 9)
            + frame(DATA, 0, 1, body)
            + numbers(WINDOW, 1, 1000)
            + frame(PING, 0, 0, b"01234567"),
        )
        packed = message(zlib.compress(body[5:], wbits=31), 1)
        yield (
            name + "_zipped",
            b"\0\1\5"
            + frame(
                HEADERS,
                END_HEADERS,
                1,
                request(path, ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")),
            )
            + frame(DATA, END, 1, packed),
        )


def client_seeds():
    first = b"\0\1\0"
    answer = b"\x88\x0f\x10\x10application/grpc"
    trailers = (
        literal("grpc-status", "0") + literal("grpc-message", "a%20b") + literal("x-token", "t")
    )
    headers = frame(HEADERS, END_HEADERS, 1, answer)
    end = frame(HEADERS, END_HEADERS | END, 1, trailers)
    for name, control in CONTROL.items():
        yield name, first + headers + control + frame(DATA, 0, 1, message(b"hi")) + end
    for stream in 1, 3, 5:
        yield (
            "stream%d" % stream,
            first
            + frame(HEADERS, END_HEADERS, stream, answer)
            + frame(DATA, 0, stream, message(b"m0") + message(b"m1"))
            + frame(HEADERS, END_HEADERS | END, stream, trailers),
        )
    yield (
        "held",
        b"\0\2\2"
        + frame(HEADERS, END_HEADERS, 3, answer)
        + frame(DATA, 0, 3, message(b"m") * 5)
        + frame(HEADERS, END_HEADERS | END, 3, trailers),
    )
    yield "fails", b"\0\2\4" + headers + frame(DATA, 0, 1, message(b"hi")) + end
    yield "trailers_only", first + frame(HEADERS, END_HEADERS | END, 1, answer + trailers)
    yield (
        "interim",
        first
        + frame(HEADERS, END_HEADERS, 1, b"\x08\x03100")
        + headers
        + frame(DATA, END, 1, message(b"hi")),
    )
    yield (
        "refused",
        first + numbers(RST, 1, 7) + frame(HEADERS, END_HEADERS | END, 7, answer + trailers),
    )
    yield "http", first + frame(HEADERS, END_HEADERS | END, 1, b"\x8d")
    yield "push", first + frame(PUSH, END_HEADERS, 1, b"\0\0\0\2\x88")
    yield (
        "gzip",
        first
        + frame(HEADERS, END_HEADERS, 1, answer + literal("grpc-encoding", "gzip"))
        + frame(DATA, 0, 1, message(zlib.compress(b"h" * 50, wbits=31), 1))
        + end,
    )
    yield "no_settings", b"\0\1\1" + headers
    yield "late_settings", b"\0\1\1" + setting(4, 5) + frame(SETTINGS, ACK, 0) + headers + end


def hpack():
    def blocks(*those):
        return b"".join(bytes((len(block),)) + block for block in those)

    yield "plain", blocks(request("/test.Raw/Echo"))
    yield (
        "indexed",
        blocks(
            request("/test.Raw/Echo", ("x-token", "abc"), ("trace-bin", "AAEC"), index=0x40),
            b"\x83\x86\xbe\xbf\xc0\xc1\xc2",
        ),
    )
    yield (
        "never",
        blocks(
            literal("x-token", "secret", 0x10),
            literal("x-token", "b", 0x40),
            b"\xbe\x7e\x01c\xbe\xbf",
        ),
    )
    yield (
        "sizes",
        blocks(
            b"\x20\x3f\xe1\x1f" + literal("a", "b", 0x40),
            b"\x3f\x09" + literal("c", "d", 0x40) + b"\xbe",
            b"\x20",
        ),
    )
    yield "evicts", blocks(*(literal("x-token", "v" * 100, 0x40) for _ in range(50)))
    # "www.example.com" and "no-cache" with Huffman's code, RFC 7541 C.4
    yield (
        "huffman",
        blocks(
            bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"),
            bytes.fromhex("828684be5886a8eb10649cbf"),
        ),
    )
    yield "integers", blocks(b"\x7f\x80\x80\x80\x80\x0f", b"\x00\x7f\x80\x01")
    yield (
        "timeouts",
        blocks(
            *(literal("grpc-timeout", value, 0x40) for value in ("1n", "99999999H", "8M", "", "x"))
        ),
    )


def compressed():
    for name, data in (
        ("empty", b""),
        ("text", b"some text, some more text, some text again" * 4),
        ("zeros", bytes(1000)),
        ("all", bytes(range(256)) * 2),
    ):
        for level in 0, 1, 9:
            for kind, wbits, number in ("zlib", 15, 1), ("gzip", 31, 2):
                packer = zlib.compressobj(level, zlib.DEFLATED, wbits)
                packed = packer.compress(data) + packer.flush()
                yield "%s_%s_%d" % (kind, name, level), b"\0\1" + bytes((number,)) + packed
                if len(data) < 200:
                    yield (
                        "body_%s_%s_%d" % (kind, name, level),
                        b"\0\1" + bytes((number | 12,)) + message(packed, 1) + message(b"x"),
                    )
    fixed = zlib.compressobj(9, zlib.DEFLATED, 15, strategy=zlib.Z_FIXED)
    yield "fixed", b"\0\1\1" + fixed.compress(b"abcabcabcabc") + fixed.flush()
    yield "body_two", b"\0\1\x09" + message(b"plain") + message(zlib.compress(b"z" * 60), 1)


def walk():
    inner = field(1, b"x") + field(2, b"streamed " * 9) + field(3, 300)
    for depth, data in (
        (1, inner),
        (2, field(2, field(1, inner))),
        (3, field(2, field(1, field(2, b"deep")))),
        (4, field(2, field(1, field(2, field(3, b"deeper") + field(4, 1)) + field(9, b"after")))),
    ):
        for keep in 0, 20, 60:
            yield "depth%d_keep%d" % (depth, keep), b"\0\1" + bytes((keep * 4 + depth - 1,)) + data
    yield "fixed", b"\0\1\xf0" + b"\x0d1234\x091234" + b"5678" + field(2, b"") + field(2, b"twice")
    yield "cut", b"\0\1\xf1" + field(2, field(1, b"x" * 20))[:-5]


def tls():
    """One byte of options, and changes of four: see fuzz_tls.c."""
    for options in range(64):
        if options & 3 != 3:
            yield "good%02d" % options, bytes((options,))
    # A record's type, version and length; a handshake message's; deep in it; the client's second flight; the calls.
    for name, at in (
        ("first", range(0, 12)),
        ("hello", range(40, 240, 40)),
        ("later", range(300, 1400, 100)),
    ):
        for where in at:
            for options in 0, 4, 9, 13:
                change = bytes((where >> 8, where & 255, where % 4, 1 + where % 7))
                yield "%s%d_%d" % (name, where, options), bytes((options,)) + change


def world():
    """Orders: see obey in fuzz_world.c."""
    accept, honest, burst, frames, long_frames, time, act, deaf = range(8)
    long_block, lose, start, dial, stop, shut, drive = range(8, 15)

    def order(what, how=0, to=0, data=b""):
        return bytes((what | to << 4, how)) + data

    def sent(kind, flags, stream, body=b"", to=0, cut=0):
        return order(frames, 0, to, bytes((kind | cut, flags, stream, len(body))) + body)

    for seed in range(3):
        first = b"\1" + bytes((seed,))
        yield "long%d" % seed, first + order(honest, 0xF9) * 5
        yield "long_noise%d" % seed, first + order(honest, 0xFB) * 2 + order(honest, 0xFF) * 3
        for far in range(19, 28):  # 65536 bytes of key text lie between a value and its index
            quiet = order(honest, 0xFC) + order(honest, far << 3 | 4)
            yield "stale%d_%d" % (seed, far), first + order(honest, 1) + quiet + order(honest, 0x11)
        yield "burst%d" % seed, first + order(burst, 0xF9) + order(act, 64) * 9 + order(burst, 0x3B)
        yield (
            "three%d" % seed,
            first
            + order(accept, 0, 1)
            + order(accept, 0, 2)
            + b"".join(order(honest, 0x1B, i % 3) + order(act, i) for i in range(60))
            + order(lose, 0, 1)
            + order(accept, 0, 1)
            + order(honest, 0x39, 1)
            + order(shut, 0, 2)
            + order(honest, 0x09, 2)
            + order(time, 5),
        )
        yield (
            "hours%d" % seed,
            first
            + b"".join(
                order(honest, 0x11) + order(time, i % 8 | 8 * (i % 5 == 0)) for i in range(16)
            ),
        )
        for i, cut in enumerate((PING, PRIORITY, HEADERS, SETTINGS)):
            yield (
                "stopped%d_%d" % (seed, i),
                first
                + order(honest, 0x09)
                + order(deaf, 1)
                + sent(PRIORITY, 0, 1, b"\0\0\0\1\7")
                + sent(cut, 0, 1 if cut in (HEADERS, PRIORITY) else 0, b"01234567", cut=0x80)
                + order(time, 4) * 3
                + order(deaf, 0)
                + order(time, 5),
            )
        for how in range(16):
            to, size = how & 3, 160 + how
            own = order(start) + order(dial) + order(drive, 0, 3) if to == 3 else b""
            block = bytes((long_block | to << 4 | (how & 12) << 4, size))
            yield "block%d_%d" % (seed, how), first + own + block + order(drive, 0, to)
        yield (
            "own%d" % seed,
            first
            + (order(start, 1) * 2 + order(dial, 6) + order(drive, 0, 3) + order(drive, 0, 1)) * 6
            + order(act, 65)
            + order(lose, 0, 3)
            + order(start, 2) * 3
            + order(time, 4)
            + order(dial, 2)
            + (order(drive, 0, 3) + order(drive, 0, 0) + order(act, 0)) * 4
            + order(time, 6)
            + order(stop),
        )
        yield (
            "second_link%d" % seed,
            first
            + (
                order(start, 2) * 2
                + order(dial, 0)
                + order(drive, 0, 3)
                + sent(HEADERS, END_HEADERS, 1, b"\x88\x0f\x10\x10application/grpc", to=3)
                + sent(14, 0, 1, b"hi", to=3)
                + sent(HEADERS, END_HEADERS | END, 1, literal("grpc-status", "0"), to=3)
                + order(drive, 0, 3)
                + sent(GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0", to=3)
                + order(drive, 0, 3)
                + order(time, 4)
            )
            * 4,
        )


SABM, DISC, RR, REJ, POLL = 0x3F, 0x53, 0x01, 0x09, 0x10
IS_FRAME, IS_BYTES, IS_TIME, IS_SEND, IS_ACT = range(5)  # of fuzz_serial.c


def serial():
    """Each conversation of a server's in I frames of 60 bytes, with answers between; and what a line does to them."""

    def to_link(address, control, info=b""):
        return bytes((IS_FRAME, address, control, len(info))) + info

    def conversation(address, data, size=60):
        out = to_link(address, SABM) + bytes((IS_SEND, 255))
        data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0) + data
        for i, at in enumerate(range(0, len(data), size)):
            out += to_link(address, (i % 8) << 1 | (i // 2 % 8) << 5, data[at : at + size]) + bytes(
                (IS_SEND, 255, IS_SEND, 255)
            )
        return out

    for name, data in server_seeds():
        if name != "no_greeting":
            yield name, data[:2] + conversation(1 + len(name) % 2, data[3:])
    calls = frame(HEADERS, END_HEADERS, 1, request("/test.Raw/List"))
    calls += frame(DATA, END, 1, message(b"30:90"))
    talk = conversation(1, calls)
    sent = bytes((IS_SEND, 255)) * 6
    acknowledged = b"".join(to_link(1, RR | i << 5) for i in range(1, 8))
    yield "many_replies", b"\0\1" + talk + sent + acknowledged + sent
    yield "again", b"\0\1" + talk + sent + to_link(1, REJ | 1 << 5) + sent + to_link(1, RR | 3 << 5)
    yield "times", b"\0\1" + talk + (sent + bytes((IS_TIME, 40))) * 12
    yield "polled", b"\0\1" + talk + to_link(1, RR | POLL) + sent + to_link(1, DISC) + sent
    yield "three_clients", b"\0\1" + b"".join(conversation(i, calls) for i in (1, 2, 3))
    yield (
        "one_yields",
        b"\0\1" + b"".join(conversation(i, b"") + bytes((IS_TIME, 90)) for i in (1, 2, 3)),
    )
    yield "begun_anew", b"\0\1" + talk + to_link(1, SABM) + sent + talk
    yield "text", b"\0\1" + bytes((IS_BYTES, 9)) + b"boot\r\n~}~" + talk
    yield (
        "acts",
        b"\0\1"
        + conversation(
            1,
            frame(HEADERS, END_HEADERS, 1, request("/test.Raw/Push"))
            + frame(DATA, END, 1, message(b"")),
        )
        + bytes((IS_ACT, 0, 1, IS_SEND, 255, IS_ACT, 0, 2))
        + sent,
    )


TARGETS = {
    "serial": serial,
    "world": world,
    "server": server,
    "services": services,
    "client": client,
    "hpack": hpack,
    "message": compressed,
    "walk": walk,
    "tls": tls,
}


def kept(program):
    """(target, name, input) of each conversation of a unit test."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [program],
            env=dict(os.environ, NRPC_KEEP=folder, ASAN_OPTIONS="detect_leaks=0"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            sys.exit("seeds: %s has failed:\n%s" % (program, done.stdout))
        for name in sorted(os.listdir(folder)):
            target = name.split("-")[0]
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            first = (
                1 if target == "client" else 3 if b"/blobs" in data else 2
            )  # NO_GREETING, and BLOBS
            if len(data) + 3 <= LARGEST:
                if any(path in data for path in (b"/grpc.", b"/Greeter", b"/simpletest")):
                    target = "services"
                yield target, "unit_" + name, b"\0\1" + bytes((first,)) + data


def main():
    units = [seed for program in sys.argv[2:] for seed in kept(program)]
    for target, seeds in TARGETS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for old in os.listdir(folder):
            os.remove(os.path.join(folder, old))
        inputs = list(seeds()) + [
            ("once_" + name, bytes.fromhex(text))
            for name, text in REGRESSIONS.get(target, {}).items()
        ]
        inputs += [(name, data) for for_target, name, data in units if for_target == target]
        assert len({name for name, _ in inputs}) == len(inputs)
        for name, data in inputs:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
