# tests/vectors/make_hpack.py - writes header blocks and what they mean as a C header, for the unit tests of HPACK.
# Layer: tests. Source: RFC 7541; the python library `hpack` says what each block means.
# SPDX-License-Identifier: Apache-2.0
"""Use: make_hpack.py [-o FILE]     (by default to standard output)

Where blocks come from: rfc7541.py (typed from the RFC), captured.txt (real clients), an encoder that is not
ours (`hpack`), and Scribe below, which chooses among all representations at random from a fixed seed.
Whatever the source, the meaning that is written beside a block is what `hpack`'s decoder makes of it."""

import argparse
import collections
import os
import random
import sys

import rfc7541
from hpack import Decoder, Encoder, NeverIndexedHeaderTuple
from hpack.hpack import encode_integer
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

HERE = os.path.dirname(os.path.abspath(__file__))
STATIC = [tuple(bytes(part) for part in entry) for entry in HeaderTable.STATIC_TABLE]
HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
WITHOUT, NEVER, INCREMENTAL = (0x00, 4), (0x10, 4), (0x40, 6)  # RFC 7541 6.2: first byte, prefix

Vector = collections.namedtuple(
    "Vector", "source new max_bytes block fields table_bytes table_entries"
)


class Reader:
    """Decodes the blocks of one source; a new connection begins where `new` says so."""

    def __init__(self, source):
        self.source = source
        self.decoder = None
        self.vectors = []

    def add(self, block, new, max_bytes=4096, source=None):
        if new:
            self.decoder = Decoder(max_header_list_size=1 << 20)
            self.decoder.max_allowed_table_size = self.decoder.header_table_size = max_bytes
        fields = [
            tuple(bytes(part) for part in field) for field in self.decoder.decode(block, raw=True)
        ]
        table = self.decoder.header_table
        size = sum(len(name) + len(value) + 32 for name, value in table.dynamic_entries)
        self.vectors.append(
            Vector(
                source or self.source,
                new,
                max_bytes,
                block,
                fields,
                size,
                len(table.dynamic_entries),
            )
        )


class Scribe:
    """An encoder whose caller chooses each representation."""

    def __init__(self):
        self.table = HeaderTable()
        self.block = bytearray()

    def entries(self):
        return STATIC + [
            tuple(bytes(part) for part in entry) for entry in self.table.dynamic_entries
        ]

    def size_update(self, size):
        first = encode_integer(size, 5)
        first[0] |= 0x20
        self.block += first
        self.table.maxsize = size

    def indexed(self, index):
        first = encode_integer(index, 7)
        first[0] |= 0x80
        self.block += first

    def text(self, text, huffman):
        data = HUFFMAN.encode(text) if huffman else text
        first = encode_integer(len(data), 7)
        first[0] |= 0x80 if huffman else 0
        self.block += first + data

    def literal(self, kind, name, value, name_index=0, huffman_name=False, huffman_value=False):
        """name_index: of an entry with this name, or 0: the name is written out."""
        first = encode_integer(name_index, kind[1])
        first[0] |= kind[0]
        self.block += first
        if not name_index:
            self.text(name, huffman_name)
        self.text(value, huffman_value)
        if kind is INCREMENTAL:
            self.table.add(name, value)

    def take(self):
        block, self.block = bytes(self.block), bytearray()
        return block


def rfc_examples():
    vectors, reader = [], None
    for section, new, max_bytes, block, _, _, _ in rfc7541.EXAMPLES:
        reader = Reader("RFC 7541 " + section) if new else reader
        reader.add(bytes.fromhex(block), new, max_bytes, "RFC 7541 " + section)
        vectors.append(reader.vectors[-1])
    return vectors


def captured():
    vectors, reader = [], None
    with open(os.path.join(HERE, "captured.txt"), encoding="utf-8") as file:
        rows = [line.strip().split("|") for line in file if not line.startswith("#")]
    for client, new, block in rows:
        reader = Reader(client) if int(new) else reader
        reader.add(bytes.fromhex(block), int(new))
        vectors.append(reader.vectors[-1])
    return vectors


# --- Requests, for the encoders ---------------------------------------------------------------------

PATHS = [
    b"/Greeter/SayHello",
    b"/Greeter/SayHelloAgain",
    b"/Greeter/Test",
    b"/helloworld.Greeter/SayHello",
    b"/simpletest.SimpleTest/GetOne",
    b"/simpletest.SimpleTest/PostAndPost",
    b"/nobody.Here/Knows",
]
TIMEOUTS = [b"20S", b"19998765u", b"5010m", b"1H", b"99999999n"]
METADATA = [
    (b"authorization", b"Bearer " + b"0123456789abcdef" * 4),
    (b"x-request-id", b"42"),
    (b"trace-bin", b"AAH/"),
    (b"x-empty", b""),
    (b"cookie", b"a=b; c=d"),
    (b"te", b"trailers"),
    (b"x-bytes", bytes(range(0x80, 0x100)) + b"\t "),
    (b"grpc-encoding", b"identity"),
    (b"x-long", b"v" * 127),
    (b"x-longer", b"w" * 128),
    (b"x-" + b"n" * 140, b"long name"),
    (b"x-longest", b"L" * 1000),
    (b"x-" + b"m" * 253, b"y" * 254),
]


def request(random_, i):
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", random_.choice(PATHS)),
        (b":authority", b"localhost:50051"),
        (b"te", b"trailers"),
        (b"content-type", random_.choice([b"application/grpc", b"application/grpc+proto"])),
        (b"user-agent", b"grpc-c++/1.51.1 grpc-c/29.0.0 (linux; chttp2)"),
    ]
    if random_.random() < 0.7:
        fields.append((b"grpc-timeout", random_.choice(TIMEOUTS)))
    fields += random_.sample(METADATA, random_.randrange(4))
    if random_.random() < 0.3:
        fields.append((b"x-call", b"%d" % i))
    return fields


def library_encoder():
    """`hpack`'s own encoder: with and without Huffman, small tables, sensitive fields, a changed size."""
    vectors = []
    for huffman in (False, True):
        for sizes in ([4096], [0], [64], [4096, 512, 1024, 0, 4096]):
            random_ = random.Random("library %s %s" % (huffman, sizes))
            reader = Reader(
                "hpack %s, table %s"
                % ("Huffman" if huffman else "plain", " ".join(map(str, sizes)))
            )
            encoder = Encoder()
            for i in range(2 * len(sizes) + 4):
                if sizes[i // 2 % len(sizes)] != encoder.header_table_size:
                    encoder.header_table_size = sizes[i // 2 % len(sizes)]
                fields = [
                    NeverIndexedHeaderTuple(*field)
                    if field[0] in (b"authorization", b"cookie")
                    else field
                    for field in request(random_, i)
                ]
                reader.add(encoder.encode(fields, huffman=huffman), int(i == 0))
            vectors += reader.vectors
    return vectors


def scribble(random_, scribe, name, value):
    """One field in one of the ways that are right for it now."""
    entries = scribe.entries()
    whole = [i + 1 for i, entry in enumerate(entries) if entry == (name, value)]
    named = [i + 1 for i, entry in enumerate(entries) if entry[0] == name] + [0]
    if whole and random_.random() < 0.6:
        scribe.indexed(random_.choice(whole))
        return
    scribe.literal(
        random_.choice([WITHOUT, NEVER, INCREMENTAL, INCREMENTAL]),
        name,
        value,
        random_.choice(named),
        random_.random() < 0.5,
        random_.random() < 0.5,
    )


def scribes():
    """Every representation, at random; table sizes that make entries go."""
    vectors = []
    for seed in range(6):
        random_ = random.Random("scribe %d" % seed)
        scribe, reader = Scribe(), Reader("random, seed %d" % seed)
        for i in range(8):
            for _ in range(random_.choice([0, 0, 1, 2])):
                scribe.size_update(random_.choice([0, 31, 32, 100, 300, 1000, 4095, 4096]))
            for name, value in request(random_, i):
                scribble(random_, scribe, name, value)
            reader.add(scribe.take(), int(i == 0))
        vectors += reader.vectors
    return vectors


def full_table():
    """As many entries as 4096 bytes can hold, one more, and an entry that empties the table."""
    scribe, reader = Scribe(), Reader("table")
    scribe.literal(INCREMENTAL, b"", b"")
    for i in range(127):
        scribe.literal(INCREMENTAL, b"", b"", i % 2 * 62)
    scribe.indexed(62)
    scribe.indexed(62 + 127)
    reader.add(
        scribe.take(),
        1,
        source="table: 128 entries of 32 bytes (empty names); the newest and the oldest",
    )
    scribe.literal(INCREMENTAL, b"", b"")
    scribe.indexed(62 + 127)
    reader.add(scribe.take(), 0, source="table: the 129th entry pushes out the oldest")
    scribe.literal(INCREMENTAL, b"a", b"b")
    scribe.indexed(62)
    scribe.indexed(62 + 126)
    reader.add(scribe.take(), 0, source="table: 127 entries; the newest and the oldest")
    scribe.literal(INCREMENTAL, b":path", b"/Greeter/SayHello", 4)
    scribe.indexed(62)
    reader.add(scribe.take(), 0, source="table: one entry pushes out several")
    scribe.literal(INCREMENTAL, b"x", b"y" * (4096 - 33))
    scribe.indexed(62)
    reader.add(scribe.take(), 0, source="table: one entry of 4096 bytes")
    scribe.literal(INCREMENTAL, b"x", b"z" * (4096 - 32), 62)
    reader.add(
        scribe.take(),
        0,
        source="table: an entry of 4097 bytes empties it (4.4); its name was in it",
    )
    scribe.size_update(0)
    scribe.literal(INCREMENTAL, b"te", b"trailers")
    reader.add(scribe.take(), 0, source="table: of size 0, an insertion does nothing")
    scribe.size_update(4096)
    scribe.literal(INCREMENTAL, b"te", b"trailers")
    scribe.indexed(62)
    reader.add(scribe.take(), 0, source="table: of size 0, then of 4096")
    return reader.vectors


def every_octet():
    """Every octet (but 0) in Huffman-coded values: symbols of 5 to 30 bits."""
    scribe, reader = Scribe(), Reader("Huffman: every octet")
    for first in range(1, 256, 15):
        scribe.literal(
            WITHOUT,
            b"x-octets",
            bytes(range(first, first + 15)),
            huffman_name=True,
            huffman_value=True,
        )
        reader.add(scribe.take(), 1)
    return reader.vectors


def all_static():
    scribe, reader = Scribe(), Reader("static table: all 61 entries")
    for index in range(1, 62):
        scribe.indexed(index)
    reader.add(scribe.take(), 1)
    for index in range(1, 62):
        scribe.literal(WITHOUT, STATIC[index - 1][0], b"value", index)
    reader.add(scribe.take(), 0, source="static table: all 61 names")
    return reader.vectors


def all_vectors():
    return (
        rfc_examples()
        + captured()
        + library_encoder()
        + scribes()
        + full_table()
        + every_octet()
        + all_static()
    )


# --- C ----------------------------------------------------------------------------------------------

HEAD = """\
/* hpack_vectors.h - header blocks and what they mean. Made by tests/vectors/make_hpack.py: do not edit.
 * Layer: tests. Source: in each row.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HPACK_VECTORS_H
#define HPACK_VECTORS_H

#include <stddef.h>
#include <stdint.h>

/* One header block. With new_connection 1 it is the first of its connection, otherwise it follows
 * the row before it. */
struct hpack_vector {
    const char *source;
    const uint8_t *block;
    size_t n;
    const char *fields; /* "name\\0value\\0name\\0value\\0"; the names and values may hold any octet but 0 */
    size_t fields_bytes;
    int n_fields;
    unsigned table_max_bytes; /* SETTINGS_HEADER_TABLE_SIZE of the connection */
    unsigned table_bytes;     /* the dynamic table after the block */
    unsigned table_entries;
    int new_connection;
};

/* The first block of a connection with a table of 4096 bytes: COMPRESSION_ERROR, at once or at its end. */
struct hpack_bad_vector {
    const char *source, *why;
    const uint8_t *block;
    size_t n;
};

/* RFC 7541 appendix B. The code stands in the low `bits` bits. */
struct hpack_huffman_code {
    uint32_t code;
    uint8_t bits;
};
"""


def c_text(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def c_bytes(name, data):
    rows = [
        "    " + ", ".join("0x%02x" % byte for byte in data[i : i + 16])
        for i in range(0, len(data), 16)
    ]
    return "static const uint8_t %s[] = {\n%s};\n" % (name, ",\n".join(rows) if rows else "    0")


def fields_bytes(vector):
    return b"".join(name + b"\0" + value + b"\0" for name, value in vector.fields)


def write(out):
    vectors = all_vectors()
    out.write(HEAD)
    for i, vector in enumerate(vectors):
        out.write(c_bytes("hpack_block_%d" % i, vector.block))
        out.write(c_bytes("hpack_fields_%d" % i, fields_bytes(vector)))
    out.write("\nstatic const struct hpack_vector hpack_vectors[] = {\n")
    for i, v in enumerate(vectors):
        out.write(
            "    {%s, hpack_block_%d, %d, (const char *)hpack_fields_%d, %d, %d, %d, %d, %d, %d},\n"
            % (
                c_text(v.source),
                i,
                len(v.block),
                i,
                len(fields_bytes(v)),
                len(v.fields),
                v.max_bytes,
                v.table_bytes,
                v.table_entries,
                v.new,
            )
        )
    out.write("};\n\n")
    for i, (_, _, block) in enumerate(rfc7541.MALFORMED):
        out.write(c_bytes("hpack_bad_block_%d" % i, bytes.fromhex(block)))
    out.write("\nstatic const struct hpack_bad_vector hpack_bad_vectors[] = {\n")
    for i, (section, why, block) in enumerate(rfc7541.MALFORMED):
        out.write(
            "    {%s, %s, hpack_bad_block_%d, %d},\n"
            % (c_text("RFC 7541 " + section), c_text(why), i, len(block) // 2)
        )
    out.write("};\n\nstatic const struct hpack_huffman_code hpack_huffman_codes[257] = {\n")
    for code, bits in zip(REQUEST_CODES, REQUEST_CODES_LENGTH):
        out.write("    {0x%x, %d},\n" % (code, bits))
    out.write("};\n\n#endif\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output")
    arguments = parser.parse_args()
    if not arguments.output:
        write(sys.stdout)
        return
    os.makedirs(os.path.dirname(arguments.output) or ".", exist_ok=True)
    with open(arguments.output + ".tmp", "w", encoding="utf-8") as file:
        write(file)
    os.replace(arguments.output + ".tmp", arguments.output)


if __name__ == "__main__":
    main()
