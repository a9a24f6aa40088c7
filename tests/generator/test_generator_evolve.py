# tests/generator/test_generator_evolve.py - messages of newer schemas, and legal but odd ones: handlers see what protobuf
# sees.
# Layer: tests. Source: protobuf "Encoding"; issue 9, "Messages evolve, and fields have bounds".
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import importlib
import os
import random
import subprocess
import sys

import pytest

from workshop import HERE, ROOT, Workshop

INNER = """
  message Leaf {
    bool on = 1;
    bytes data = 2;
    sint64 n = 3;
    Mode mode = 4;%(leaf)s
  }
  message Inner {
    int32 a = 1;
    string text = 2;
    repeated Leaf leaves = 3;
    Leaf leaf = 200;%(inner)s
  }
"""
PROTO = (
    """
package %(package)s;
enum Mode { OFF = 0; ON = 1;%(mode)s }
message None {}
message Msg {"""
    + INNER
    + """
  int32 i = 1;
  string text = 2;
  bytes data = 3;
  repeated uint32 numbers = 4;
  repeated string names = 5;
  Inner inner = 6;
  repeated Inner many = 7;
  oneof pick {
    string name = 8;
    Inner within = 9;
    uint32 number = 10;
  }
  optional bool maybe = 11;
  map<string, int32> sizes = 12;
  fixed64 f = 13;
  repeated sint64 unpacked = 14 [packed = false];
  double d = 15;
  Mode mode = 16;
  repeated Mode modes = 17;
  repeated fixed32 words = 3000;%(msg)s
}
service Ev {
  rpc Unary(Msg) returns (None);
  rpc Collect(stream Msg) returns (None);
  rpc List(Msg) returns (stream None);
  rpc Bidi(stream Msg) returns (stream None);
}
service Back {
  rpc Unary(None) returns (Msg);
  rpc List(None) returns (stream Msg);
}
"""
)
NEWER = {
    "package": "newer",
    "mode": " BOTH = 2; WIDE = 300; HUGE = 2000000000;",
    "leaf": """
    string added = 5; fixed32 word = 99;""",
    "inner": """
    bytes added = 4; Leaf more = 5; repeated bool flags = 77;""",
    "msg": """
  bool b1 = 20; string s1 = 21; bytes large = 22; Inner other = 23; repeated Leaf lots = 24; fixed64 w1 = 1000;
  float w2 = 100000; int64 w3 = 536870911; repeated double doubles = 25; map<int32, string> table = 26;""",
}
OLD = dict.fromkeys(NEWER, "") | {"package": "ev"}
BOUNDS = {
    "Msg.Leaf.data": 4,
    "Msg.Inner.text": 6,
    "Msg.Inner.leaves": 2,
    "Msg.text": 15,
    "Msg.data": 9,
    "Msg.numbers": 5,
    "Msg.names": 3,
    "Msg.many": 2,
    "Msg.name": 12,
    "Msg.sizes": 2,
    "Msg.unpacked": 3,
    "Msg.modes": 3,
    "Msg.words": 4,
}
OPTIONS = """
ev.Msg.Leaf.data max_size:4
ev.Msg.Inner.text max_length:6
ev.Msg.Inner.leaves max_count:2
ev.Msg.text max_length:15
ev.Msg.data max_size:9
ev.Msg.numbers max_count:5
ev.Msg.names max_count:3 max_length:5
ev.Msg.many max_count:2
ev.Msg.name max_length:12
ev.Msg.sizes max_count:2
ev.Msg.SizesEntry.key max_length:3
ev.Msg.unpacked max_count:3
ev.Msg.modes max_count:3
ev.Msg.words max_count:4
"""


class Rig:
    """evolve.c, running."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, method, messages, seed=192):
        """(status, text, messages that it has seen); seed: how all is cut."""
        hexes = " ".join(m.hex() or "-" for m in messages)
        self.process.stdin.write("%d %s %s\n" % (seed, method, hexes))
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "it crashed"
        status, text, *seen = line.rstrip("\n").split("|")
        return int(status), text, [bytes.fromhex(m) for m in seen]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


def build(shop, flags=()):
    sources = sorted(shop.out.rglob("*.c")) + [
        c
        for room in ("hpack", "http2", "grpc", "server", "client")
        for c in sorted((ROOT / "nanorpc" / room).glob("*.c"))
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda c: shop.compile(c, "gcc", flags), sources))
    objects += [
        shop.third(shop.nanopb / (n + ".c")) for n in ("pb_common", "pb_decode", "pb_encode")
    ]
    program = shop.path / "evolve"
    objects.append(shop.compile(HERE / "evolve.c", "gcc", [*flags, "-Wno-pedantic"]))
    subprocess.run(["gcc", *flags, "-o", str(program), *map(str, objects)], check=True)
    return program


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = Workshop(tmp_path_factory.mktemp("evolve"))
    shop.write(ev=PROTO % OLD, ev_options=OPTIONS, newer=PROTO % NEWER)
    shop.generate("ev")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-I.",
            "--python_out=.",
            "ev.proto",
            "newer.proto",
        ],
        cwd=shop.path,
        check=True,
    )
    sys.path.insert(0, str(shop.path))
    shop.old, shop.newer = importlib.import_module("ev_pb2"), importlib.import_module("newer_pb2")
    sys.path.remove(str(shop.path))
    shop.program = build(
        shop, ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    )
    return shop


@pytest.fixture
def rig(shop):
    rig = Rig(shop.program)
    yield rig
    rig.close()


# --- Encodings, as a peer may choose them -----------------------------------------------------------------


def varint(value, more=0):
    """more: bytes that it is longer than it need be."""
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        byte, value = value & 127, value >> 7
        if not value and not more:
            out.append(byte)
            return bytes(out)
        out.append(byte | 128)
        if not value:
            more -= 1
            if not more:
                return bytes(out) + b"\0"


class Scrambler:
    """Encodes a message in one of the ways that mean the same."""

    def __init__(self, source, odd):
        self.random, self.odd = source, odd

    def chance(self, odds=0.15):
        return self.odd and self.random.random() < odds

    def number(self, value, limit=10):
        n = len(varint(value))
        return varint(
            value, self.random.randint(0, limit - n) if n < limit and self.chance() else 0
        )

    def key(self, number, wire):
        return self.number(number << 3 | wire, 5)

    def text(self, number, data):
        return self.key(number, 2) + self.number(len(data), 5) + data

    def scalar(self, field, value):
        """(wire type, bytes)"""
        kind = field.type
        if kind in (field.TYPE_FIXED32, field.TYPE_SFIXED32):
            return 5, value.to_bytes(4, "little")
        if kind == field.TYPE_FIXED64:
            return 1, value.to_bytes(8, "little")
        if kind in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
            import struct

            return (
                (1, struct.pack("<d", value))
                if kind == field.TYPE_DOUBLE
                else (5, struct.pack("<f", value))
            )
        if kind in (field.TYPE_SINT64, field.TYPE_SINT32):
            value = value << 1 ^ value >> 63
        return 0, self.number(int(value))

    def one(self, field, value):
        if field.type == field.TYPE_STRING:
            return self.text(field.number, value.encode())
        if field.type == field.TYPE_BYTES:
            return self.text(field.number, value)
        if field.type == field.TYPE_MESSAGE:
            return self.text(field.number, b"".join(self.fields(value)))
        wire, data = self.scalar(field, value)
        return self.key(field.number, wire) + data

    def repeated(self, field, values):
        """In order: one by one, in packed runs, or both."""
        packable = field.type not in (field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE)
        values = list(values)
        while values:
            if packable and (field.is_packed != self.chance(0.5)):
                n = self.random.randint(1, len(values)) if self.chance(0.5) else len(values)
                run, values = values[:n], values[n:]
                yield self.text(field.number, b"".join(self.scalar(field, v)[1] for v in run))
            else:
                yield self.one(field, values.pop(0))

    def singular(self, field, value):
        """Earlier ones that do not count; a message in pieces."""
        if field.type == field.TYPE_MESSAGE:
            parts = self.fields(value)
            while self.chance(0.4):
                n = self.random.randint(0, len(parts))
                piece, parts = parts[:n], parts[n:]
                yield self.text(field.number, b"".join(piece))
            yield self.text(field.number, b"".join(parts))
            return
        while self.chance(0.3):
            yield self.one(field, Maker(self.random).scalar(field, ""))
        yield self.one(field, value)

    def fields(self, message):
        """A list of what may be joined in this order."""
        chains = []
        for field, value in message.ListFields():
            if field.message_type and field.message_type.GetOptions().map_entry:
                entry = field.message_type
                chains.append(
                    [
                        self.text(
                            field.number,
                            self.one(entry.fields[0], k) + self.one(entry.fields[1], v),
                        )
                        for k, v in value.items()
                    ]
                )
            elif field.is_repeated:
                chains.append(list(self.repeated(field, value)))
            elif field.containing_oneof and len(field.containing_oneof.fields) > 1:
                others = [
                    f
                    for f in field.containing_oneof.fields
                    if f is not field and f.type != f.TYPE_MESSAGE
                ]
                before = []
                while self.chance(0.4):
                    other = self.random.choice(others)
                    before.append(self.one(other, Maker(self.random).scalar(other, "")))
                chains.append(before + list(self.singular(field, value)))
            else:
                chains.append(list(self.singular(field, value)))
        parts = []
        while any(chains):  # each chain in its order, between the others anyhow
            chain = (
                self.random.choice([c for c in chains if c])
                if self.odd
                else next(c for c in chains if c)
            )
            parts.append(chain.pop(0))
        return parts

    def encode(self, message):
        return b"".join(self.fields(message))


class Maker:
    """Random messages; known fields within their bounds, unknown ones of any size."""

    def __init__(self, source, fill=0.6, large=2000):
        self.random, self.fill, self.large = source, fill, large

    def scalar(self, field, path):
        r = self.random
        if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            name = field.full_name.split(".", 1)[1]
            most = BOUNDS.get(name, {"Msg.names": 5, "Msg.SizesEntry.key": 3}.get(name, self.large))
            most = {"Msg.names": 5}.get(name, most)
            n = r.choice([0, most, r.randint(0, most)])
            data = bytes(r.randint(97, 122) for _ in range(n))
            return data.decode() if field.type == field.TYPE_STRING else data
        if field.type == field.TYPE_ENUM:
            return r.choice([0, 1, 2, 127, 128, 255, 256, 300, 65536, 2**31 - 1, -1, -(2**31)])
        if field.type == field.TYPE_BOOL:
            return r.random() < 0.5
        if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
            return float(r.randint(-1000, 1000))
        bits = 64 if field.type in (field.TYPE_INT64, field.TYPE_SINT64, field.TYPE_FIXED64) else 32
        value = r.choice([0, 1, 127, 128, r.getrandbits(bits), 2**bits - 1])
        if field.type in (field.TYPE_INT32, field.TYPE_INT64, field.TYPE_SINT32, field.TYPE_SINT64):
            value -= (
                2 ** (bits - 1) if r.random() < 0.5 else value if value >= 2 ** (bits - 1) else 0
            )
        return value

    def make(self, cls, depth=0):
        message, r = cls(), self.random
        for field in cls.DESCRIPTOR.fields:
            if r.random() > self.fill or (depth > 2 and field.message_type):
                continue
            name = field.full_name.split(".", 1)[1]
            most = BOUNDS.get(name, 6)
            if field.message_type and field.message_type.GetOptions().map_entry:
                key, value = field.message_type.fields
                for _ in range(r.randint(0, most)):
                    getattr(message, field.name)[self.scalar(key, "")] = self.scalar(value, "")
            elif field.is_repeated:
                into = getattr(message, field.name)
                for _ in range(r.choice([most, r.randint(0, most)])):
                    if field.message_type:
                        into.add().CopyFrom(
                            self.make(field.message_type._concrete_class, depth + 1)
                        )
                    else:
                        into.append(self.scalar(field, ""))
            elif field.message_type:
                getattr(message, field.name).CopyFrom(
                    self.make(field.message_type._concrete_class, depth + 1)
                )
            else:
                setattr(message, field.name, self.scalar(field, ""))
        return message


@pytest.mark.parametrize("method", ["Unary", "Collect", "List", "Bidi", "UNARY", "LIST"])
@pytest.mark.parametrize("odd", [0, 1])
def test_handlers_see_what_protobuf_sees(shop, rig, method, odd):
    source = random.Random(method)
    for i in range(int(os.environ.get("EVOLVE_MESSAGES", "300"))):
        maker = Maker(source, source.choice([0.2, 0.6, 0.95, 1]), source.choice([3, 60, 3000]))
        n = source.randint(1, 3) if method in ("Collect", "Bidi", "LIST") else 1
        bodies = [Scrambler(source, odd).encode(maker.make(shop.newer.Msg)) for _ in range(n)]
        status, text, seen = rig.ask(method, bodies, source.getrandbits(32))
        where = "%s %d: %s" % (method, i, [b.hex() for b in bodies])
        assert (status, text) == (0, ""), where
        expected = [shop.old.Msg.FromString(body) for body in bodies]
        for message in expected:
            message.DiscardUnknownFields()
        assert [shop.old.Msg.FromString(m) for m in seen] == expected, where
