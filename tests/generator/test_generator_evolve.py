# tests/generator/test_generator_evolve.py - messages of newer schemas, or odd: handlers see what protobuf sees.
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
message Mode_ { Mode mode = 1; }
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
service Small { rpc Set(Mode_) returns (Mode_); }
service Wrong { rpc Fill(Mode_) returns (Msg); }
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
    "Msg.data": 10,
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
ev.Msg.data max_size:10
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
        shop,
        [
            "-DNRPC_REFUSALS=1",
            "-g",
            "-O1",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
        ],
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
    for i in range(int(os.environ.get("EVOLVE_MESSAGES", "60"))):
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


# --- By name ------------------------------------------------------------------------------------------------

# The body of a Set, of which the largest that its schema knows has two bytes; and the mode that arrives.
SETS = {
    "a bool that was added": (b"\x08\x01\x10\x01", 1),
    "a text of 3000 bytes that was added": (b"\x08\x01\x1a\xb8\x17" + 3000 * b"x", 1),
    "the same before what is known": (b"\x1a\xb8\x17" + 3000 * b"x" + b"\x08\x01", 1),
    "a thousand bools that were added": (b"\x08\x01" + 1000 * b"\x10\x01", 1),
    "an unknown value": (b"\x08\x80\x01", 128),
    "one over 255": (b"\x08\xac\x02", 300),
    "the largest": (b"\x08\xff\xff\xff\xff\x07", 2**31 - 1),
    "a negative one": (b"\x08" + 9 * b"\xff" + b"\x01", -1),
    "an overlong varint": (b"\x08\x81" + 8 * b"\x80" + b"\x00", 1),
    "an overlong key": (b"\x88\x80\x80\x80\x00\x01", 1),
    "the field twice": (b"\x08\x01\x08\x00", 0),
    "the field 500 times": (500 * b"\x08\x00" + b"\x08\x01", 1),
    "field numbers to the last": (b"\xf8\xff\xff\xff\x0f\x01\x08\x01", 1),
    "fixed ones that were added": (9 * b"\x19abcdefgh" + b"\x08\x01" + 9 * b"\x25abcd", 1),
}


@pytest.mark.parametrize("name", SETS)
def test_small_message(shop, rig, name):
    body, mode = SETS[name]
    assert shop.old.Mode_.FromString(body).mode == mode
    for seed in range(12):
        status, text, seen = rig.ask("Set", [body], seed * 0x4321)
        assert (status, text) == (0, "")
        assert [shop.old.Mode_.FromString(m).mode for m in seen] == [mode]


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


OVER = {
    "field 2: more than 15 bytes": [field(2, 16 * b"x"), field(2, 5000 * b"x"),
                                    field(20, 900 * b"y") + field(2, 40 * b"x")],
    "field 3: more than 10 bytes": [field(3, 11 * b"x")],
    "field 4: more than 5 elements": [6 * b"\x20\x01", field(4, 6 * b"\x01"), 3 * b"\x20\x01" + field(4, 3 * b"\x01"),
                                      field(4, 3 * b"\x01") + field(23, 900 * b"y") + 3 * b"\x20\x01"],
    "field 5: more than 3 elements": [4 * field(5, b"abc")],
    "field 5: more than 5 bytes": [field(5, b"abc") + field(5, b"abcdef")],
    "field 6.2: more than 6 bytes": [field(6, b"\x08\x01" + field(2, b"1234567")),
                                     field(6, field(9, 999 * b"z") + field(2, b"1234567"))],
    "field 6.3: more than 2 elements": [field(6, 3 * field(3, b"\x08\x01"))],
    "field 7.3.2: more than 4 bytes": [field(7, b"") + field(7, field(3, b"") + field(3, field(2, b"12345")))],
    "field 7: more than 2 elements": [3 * field(7, b"\x08\x01"), 3 * field(7, b"\x08\x01" + field(4, 900 * b"y"))],
    "field 8: more than 12 bytes": [field(8, 13 * b"n")],
    "field 9.200.2: more than 4 bytes": [field(9, field(200, field(2, b"12345")))],
    "field 12: more than 2 elements": [3 * field(12, b"")],
    "field 12.1: more than 3 bytes": [field(12, field(1, b"four"))],
    "field 3000: more than 4 elements": [field(3000, 20 * b"w")],
}  # fmt: skip


@pytest.mark.parametrize("words", OVER)
@pytest.mark.parametrize("method", ["Unary", "Bidi", "UNARY", "LIST"])
def test_field_over_its_bound(shop, rig, words, method):
    """RESOURCE_EXHAUSTED, and which: in a message that fits its block, and in one that does not."""
    for body in OVER[words]:
        shop.old.Msg.FromString(body)
        for seed in (192, 7 * 0x1235, 99 * 0x4321):
            status, text, seen = rig.ask(method, [body], seed)
            assert status == 8 and not seen
            if not method.isupper():
                assert text == words
            else:
                assert text in (words, "reset 8")


def test_message_that_is_none(rig):
    """INTERNAL, as ever."""
    for body in (b"\x0a\x7fcut", field(6, b"\x08"), 11 * b"\xff", field(6, field(2, b"x") + b"\x12\x7f"),
                 b"\x0d\x01", b"\x00\x01", field(6, b"\x1a\x7f" + 700 * b"x") + 700 * b"x"):  # fmt: skip
        status, text, _ = rig.ask("Unary", [body])
        assert (status, text) == (13, "message malformed"), body


WRONG = {
    1: "field 2: more than 15 bytes",
    2: "field 3: more than 10 bytes",
    3: "field 4: more than 5 elements",
    4: "field 6.3.2: more than 4 bytes",
    5: "field 7.2: more than 6 bytes",
    6: "field 8: more than 12 bytes",
}


def test_reply_over_its_bound(rig):
    """INTERNAL, in the same words; a field that is not there is not looked at."""
    for mode, words in WRONG.items():
        assert rig.ask("Fill", [b"\x08" + varint(mode)])[:2] == (13, words)
    assert rig.ask("Fill", [b"\x08\x07"])[:2] == (0, "")


def test_work_is_bounded(shop, rig):
    """A block that is full of what is known, and then a byte or two at a time: glitches, and the end."""
    full = Maker(random.Random(1), 1, 0)
    for _ in range(20):
        message = full.make(shop.old.Msg)
        message.text, message.data, message.maybe = 15 * "t", 10 * b"d", True
        del message.names[:], message.many[:]
        message.names.extend(3 * ["abcde"])
        for _ in range(2):
            inner = message.many.add(a=-1, text="123456")
            for leaf in (inner.leaves.add(), inner.leaves.add(), inner.leaf):
                leaf.on, leaf.data, leaf.n, leaf.mode = True, b"1234", -(2**63), -1
        del message.modes[:], message.numbers[:], message.unpacked[:], message.words[:]
        message.modes.extend(3 * [-1])
        message.numbers.extend(5 * [2**32 - 1])
        message.unpacked.extend(3 * [-(2**63)])
        message.words.extend(4 * [1])
        message.within.CopyFrom(message.many[0])
        message.inner.CopyFrom(message.many[0])
        message.i, message.mode = -1, -1
    body = message.SerializeToString()
    assert len(body) > 600
    status, text, _ = rig.ask("Unary", [body + 30000 * b"\x58\x00"])
    assert status == 8 or "goaway 11" in text, (status, text)
    assert rig.ask("Unary", [body + 100 * b"\x58\x00"])[:2] == (0, "")


def test_refusals_are_told(shop):
    """NRPC_REFUSALS=1: the application hears of each, in the words that the peer gets; also of its own replies."""
    lines = "192 Unary %s\n192 Fill 0801\n192 Unary 0a\n" % field(2, 16 * b"x").hex()
    environment = dict(os.environ, TELL="1")
    done = subprocess.run(
        [shop.program], input=lines, capture_output=True, text=True, check=True, env=environment
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("refused")]
    assert told == [
        "refused 8: field 2: more than 15 bytes",
        "refused 13: field 2: more than 15 bytes",
        "refused 13: message malformed",
    ]
