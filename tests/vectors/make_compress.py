# tests/vectors/make_compress.py - writes compressed messages and what they mean as a C header, for test_compress.c.
# Layer: tests. Source: RFC 1950, 1951, 1952; Python's zlib says what each one means.
# SPDX-License-Identifier: Apache-2.0
"""Use: make_compress.py [-o FILE]     (by default to standard output)

Good ones come from zlib itself in all of its levels and strategies, and from Writer below, which writes
blocks bit by bit: what zlib never makes but must be read. Each of them is decompressed by zlib here. Bad
ones are refused by zlib here."""

import argparse
import collections
import random
import sys
import zlib

DEFLATE, GZIP = "NRPC_ENCODING_DEFLATE", "NRPC_ENCODING_GZIP"
Vector = collections.namedtuple(
    "Vector", "name encoding data message"
)  # message: None where it is bad


def reference(encoding, data):
    """What zlib makes of it, or None. More after the end is bad, too."""
    z = zlib.decompressobj(31 if encoding == GZIP else 15)
    try:
        message = z.decompress(data)
    except zlib.error:
        return None
    return message if z.eof and not z.unused_data else None


def gzip(blocks, message, flags=0, extra=None, name=None, comment=None, header_crc=False):
    """RFC 1952 around blocks."""
    flags |= (
        (4 if extra is not None else 0)
        | (8 if name is not None else 0)
        | (16 if comment is not None else 0)
    )
    flags |= 2 if header_crc else 0
    head = bytes([0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 3])
    if extra is not None:
        head += len(extra).to_bytes(2, "little") + extra
    for text in (name, comment):
        head += text + b"\0" if text is not None else b""
    if header_crc:
        head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    return (
        head
        + blocks
        + zlib.crc32(message).to_bytes(4, "little")
        + len(message).to_bytes(4, "little")
    )


def raw(message, level=9, strategy=zlib.Z_DEFAULT_STRATEGY):
    z = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return z.compress(message) + z.flush()


class Writer:
    """Blocks, bit by bit."""

    def __init__(self):
        self.value = self.n = 0

    def bits(self, value, n):
        self.value |= value << self.n
        self.n += n
        return self

    def code(self, value, n):
        """A Huffman code: its highest bit comes first."""
        for i in reversed(range(n)):
            self.bits(value >> i & 1, 1)
        return self

    def fixed(self, symbol):
        first, value, n = [(0, 0x30, 8), (144, 0x190, 9), (256, 0, 7), (280, 0xC0, 8)][
            (symbol >= 144) + (symbol >= 256) + (symbol >= 280)
        ]
        return self.code(value + symbol - first, n)

    def dynamic(self, code_lengths, n_literals, n_distances, *steps, is_last=1):
        """A block's codes. code_lengths: {symbol: length} of the code of lengths; steps: (code, its bits, extra,
        its bits)."""
        order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        self.bits(4 + is_last, 3).bits(n_literals - 257, 5).bits(n_distances - 1, 5).bits(15, 4)
        for symbol in order:
            self.bits(code_lengths.get(symbol, 0), 3)
        for code, n, extra, n_extra in steps:
            self.code(code, n).bits(extra, n_extra)
        return self

    def end(self):
        return self.value.to_bytes((self.n + 7) // 8, "little")

    def zlib(self, message=b""):
        return b"\x78\x9c" + self.end() + zlib.adler32(message).to_bytes(4, "big")


def messages():
    rng = random.Random(1951)
    text = b"A sensor says: temperature 21.5 C, humidity 40 %; a sensor says: temperature 21.6 C. "
    yield "empty", b""
    yield "one byte", b"x"
    yield "text", text
    yield "all bytes", bytes(range(256))
    yield "zeros", bytes(5000)
    yield "noise", bytes(rng.randrange(256) for _ in range(2000))
    yield "few letters", bytes(rng.choice(b"aaaaaaaabbbbccde") for _ in range(3000))
    yield (
        "long texts",
        b"".join(
            text[: rng.randrange(80)]
            + bytes(rng.randrange(128, 256) for _ in range(rng.randrange(9)))
            for _ in range(90)
        ),
    )
    yield "far away", text + bytes(rng.randrange(3) for _ in range(33000)) + text


def from_zlib():
    for name, message in messages():
        for level in (0, 1, 6, 9):
            yield "%s, level %d" % (name, level), DEFLATE, zlib.compress(message, level)
        if len(message) > 10000:
            continue
        for strategy in (zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED):
            yield (
                "%s, strategy %d" % (name, strategy),
                GZIP,
                gzip(raw(message, 9, strategy), message),
            )
        z = zlib.compressobj(6, zlib.DEFLATED, 9, 1)  # a window of 512 bytes
        parts = [
            z.compress(message[i : i + 300]) + z.flush(kind)
            for i, kind in zip(
                range(0, len(message) + 1, 300),
                [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH] * 99,
            )
        ]
        yield "%s, in blocks" % name, DEFLATE, b"".join(parts) + z.flush()
    message = b"header"
    for flags in range(32):
        data = gzip(
            raw(message),
            message,
            flags & 1,
            b"" if flags & 32 else b"an extra field" if flags & 4 else None,
            b"name" if flags & 8 else None,
            b"" if flags & 16 else None,
            bool(flags & 2),
        )
        yield "gzip header, flags %d" % flags, GZIP, data


def written():
    """Blocks that zlib reads and does not write."""

    def w():
        return Writer()

    def steps():  # 138 and 118 zeros, 256: 1 bit; distance 0: 1 bit
        return [(0, 1, 127, 7), (0, 1, 107, 7), (3, 2, 0, 0), (3, 2, 0, 0)]

    yield (
        "an empty stored block, then one",
        DEFLATE,
        w()
        .bits(0, 8)
        .bits(0xFFFF0000, 32)
        .bits(1, 8)
        .bits(0xFFFE0001, 32)
        .bits(ord("s"), 8)
        .zlib(b"s"),
    )
    yield (
        "258 as 284 and 31",
        DEFLATE,
        w()
        .bits(3, 3)
        .fixed(ord("a"))
        .fixed(284)
        .bits(31, 5)
        .code(0, 5)
        .fixed(256)
        .zlib(b"a" * 259),
    )
    writer = w()
    for _ in range(300):
        writer.bits(2, 3).fixed(256)  # one of these is ten bits
    for _ in range(3):
        writer.bits(2, 3).fixed(ord("f")).fixed(256)
    yield "blocks of nothing", DEFLATE, writer.bits(3, 3).fixed(256).zlib(b"fff")
    yield (
        "fixed codes after dynamic ones",
        DEFLATE,
        w()
        .dynamic({0: 2, 1: 2, 18: 1}, 257, 1, *steps(), is_last=0)
        .code(0, 1)
        .bits(3, 3)
        .fixed(ord("f"))
        .fixed(256)
        .zlib(b"f"),
    )
    lengths = {0: 2, 1: 2, 18: 1}  # codes: 18 is 0, 0 is 10, 1 is 11
    yield (
        "only the end has a code",
        DEFLATE,
        w().dynamic(lengths, 257, 1, *steps()).code(0, 1).zlib(),
    )


def bad():
    def w():
        return Writer()

    yield "nothing", DEFLATE, b""
    yield "nothing", GZIP, b""
    for name, encoding, data in (
        ("zlib", DEFLATE, zlib.compress(b"some text, some text")),
        ("gzip", GZIP, gzip(raw(b"some text, some text"), b"some text, some text")),
    ):
        yield name + " and a byte", encoding, data + b"\0"
        for i in range(1, 9):
            if encoding == GZIP or i <= 4:
                wrong = bytearray(data)
                wrong[-i] ^= 0x40
                yield "%s, byte %d from its end" % (name, i), encoding, bytes(wrong)
    yield "gzip twice", GZIP, gzip(raw(b"a"), b"a") * 2
    yield "gzip for zlib", DEFLATE, gzip(raw(b"a"), b"a")
    yield "zlib for gzip", GZIP, zlib.compress(b"a")
    yield "deflate without zlib", DEFLATE, raw(b"some text, some text")
    yield "method 7", GZIP, b"\x1f\x8b\x07" + gzip(raw(b"a"), b"a")[3:]
    for flag in (32, 64, 128):
        yield "reserved flag %d" % flag, GZIP, gzip(raw(b"a"), b"a", flag)
    wrong = bytearray(gzip(raw(b"a"), b"a", header_crc=True))
    wrong[10] ^= 1
    yield "gzip, header's checksum", GZIP, bytes(wrong)
    yield (
        "extra field without end",
        GZIP,
        gzip(b"", b"", extra=b"abc").replace(b"\3\0abc", b"\xff\xffabc"),
    )
    yield "name without end", GZIP, bytes([0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3]) + b"name"
    yield "zlib, method 7", DEFLATE, b"\x77\x9f" + zlib.compress(b"a")[2:]
    yield "zlib, window of 64 KB", DEFLATE, b"\x88\x1c" + zlib.compress(b"a")[2:]
    yield "zlib, check of its header", DEFLATE, b"\x78\x9d" + zlib.compress(b"a")[2:]
    yield "zlib, dictionary", DEFLATE, b"\x78\xbb" + b"\0\0\0\1" + zlib.compress(b"a")[2:]
    yield "block of kind 3", DEFLATE, w().bits(7, 3).zlib()
    yield "stored block's length", DEFLATE, w().bits(1, 8).bits(0xFFFE0000, 32).zlib()
    yield "stored block is short", DEFLATE, w().bits(1, 8).bits(0xFFF00F, 32).zlib()
    yield (
        "length symbol 286",
        DEFLATE,
        w().bits(3, 3).fixed(97).fixed(286).code(0, 5).fixed(256).zlib(b"a"),
    )
    yield (
        "length symbol 287",
        DEFLATE,
        w().bits(3, 3).fixed(97).fixed(287).code(0, 5).fixed(256).zlib(b"a"),
    )
    yield (
        "distance symbol 30",
        DEFLATE,
        w().bits(3, 3).fixed(97).fixed(257).code(30, 5).fixed(256).zlib(b"a"),
    )
    yield (
        "distance symbol 31",
        DEFLATE,
        w().bits(3, 3).fixed(97).fixed(257).code(31, 5).fixed(256).zlib(b"a"),
    )
    yield (
        "before the beginning",
        DEFLATE,
        w().bits(3, 3).fixed(97).fixed(257).code(1, 5).fixed(256).zlib(b"aaaa"),
    )
    lengths = {0: 2, 1: 2, 16: 2, 18: 2}  # codes: 0 is 00, 1 is 01, 16 is 10, 18 is 11
    yield "repeats what was not there", DEFLATE, w().dynamic(lengths, 257, 1, (2, 2, 0, 2)).zlib()
    yield (
        "too many lengths",
        DEFLATE,
        w().dynamic(lengths, 257, 1, (3, 2, 127, 7), (3, 2, 127, 7)).zlib(),
    )
    # 'a', the end and length 3 have codes, distances have none: it must not be looked for in any table
    lengths = {0: 2, 1: 2, 2: 2, 18: 2}
    steps = [
        (3, 2, 86, 7),
        (1, 2, 0, 0),
        (3, 2, 127, 7),
        (3, 2, 9, 7),
        (2, 2, 0, 0),
        (2, 2, 0, 0),
        (0, 2, 0, 0),
    ]
    yield (
        "distances without a code",
        DEFLATE,
        w()
        .dynamic(lengths, 258, 1, *steps)
        .code(0, 1)
        .code(3, 2)
        .bits(0, 30)
        .code(2, 2)
        .zlib(b"aaaa"),
    )
    yield "no code of lengths", DEFLATE, w().dynamic({}, 257, 1).bits(0, 40).zlib()


def vectors():
    for source in (from_zlib, written, bad):
        for name, encoding, data in source():
            message = reference(encoding, data)
            if (message is None) != (source is bad):
                sys.exit("make_compress: zlib does not agree on '%s'" % name)
            yield Vector(name, encoding, data, message)


def array(data, arrays):
    """The name of a C array of these bytes."""
    if data not in arrays:
        arrays[data] = "bytes_%d" % len(arrays)
    return arrays[data]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", default="/dev/stdout")
    arrays, rows = {}, []
    for vector in vectors():
        message = vector.message or b""
        rows.append(
            '    {"%s", %s, %s, %d, %s, %d},\n'
            % (
                vector.name,
                vector.encoding,
                array(vector.data, arrays),
                len(vector.data),
                array(message, arrays),
                -1 if vector.message is None else len(message),
            )
        )
    with open(parser.parse_args().o, "w", encoding="utf-8") as file:
        file.write("/* Made by tests/vectors/make_compress.py; not kept in the repository. */\n")
        for data, name in arrays.items():
            file.write(
                "static const uint8_t %s[] = {%s};\n" % (name, ",".join(map(str, data)) or "0")
            )
        file.write(
            "static const struct {\n    const char *name;\n    enum nrpc_encoding encoding;\n"
            "    const uint8_t *data;\n    size_t n;\n    const uint8_t *message;\n"
            "    int32_t message_bytes; /* -1: it is bad */\n} vectors[] = {\n%s};\n"
            % "".join(rows)
        )


if __name__ == "__main__":
    main()
