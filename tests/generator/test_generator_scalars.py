# tests/generator/test_generator_scalars.py - nanorpc/scalars.h: nanopb made smaller, for messages of single scalars.
# Layer: tests. Source: protobuf's encoding, of which Python's protobuf is the judge.
# SPDX-License-Identifier: Apache-2.0
import random
import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from workshop import HERE, NANOPB, ROOT, Workshop, bench  # noqa: F401 (fixtures)

SCALARS = "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes"
KINDS = SCALARS.split() + ["Colour"]
ALL = "enum Colour { NONE = 0; RED = 1; FAR = 70000; }\nmessage All {\n%s}\n" % "".join(
    "  %s%s f%d = %d;\n" % (how, kind, number, number)
    for how, first in (("", 1), ("optional ", 101))
    for number, kind in enumerate(KINDS, first)
)
BOUNDED = "All.*  max_size:24\n"
FLAGS = ["-include", str(ROOT / "nanorpc" / "scalars.h"), "-I%s" % ROOT]
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = Workshop(tmp_path_factory.mktemp("scalars"))
    shop.write(all=ALL, all_options=BOUNDED)
    return shop.generate("all")


@pytest.fixture(scope="module")
def program(shop):
    """Of scalars.c, with nanopb made smaller."""
    sources = [HERE / "scalars.c", shop.out / "all.pb.c"]
    sources += [NANOPB / ("pb_%s.c" % part) for part in ("common", "decode", "encode")]
    command = ["gcc", "-std=c99", *SANITIZE, *FLAGS, "-I%s" % shop.out, "-isystem", str(NANOPB)]
    path = str(shop.path / "scalars")
    subprocess.run([*command, "-o", path, *map(str, sources)], check=True)
    return path


@pytest.fixture(scope="module")
def python(shop):
    """Python's class of the same message."""
    command = [*shop.protoc, "-I.", "--descriptor_set_out=all.pb", "all.proto"]
    subprocess.run(command, cwd=shop.path, check=True)
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString((shop.path / "all.pb").read_bytes())
    pool.Add(files.file[0])
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("All"))


def value_of(kind, chance):
    whole = chance.choice([0, 1, 127, 128, 1 << 20, (1 << 31) - 1, chance.randrange(1 << 31)])
    if kind in ("double", "float"):
        return chance.choice([0.0, -0.0, 1.5, -3.25e9])
    if kind == "bool":
        return chance.random() < 0.5
    if kind in ("string", "bytes"):
        text = "aé" * chance.randrange(8)
        return text if kind == "string" else text.encode() + b"\0" * chance.randrange(4)
    if kind == "Colour":
        return chance.choice([0, 1, 70000, 5, -1])
    if kind[0] in "uf":
        return whole * (2 if "32" in kind else 1 << 32)
    return chance.choice([1, -1]) * whole * (1 if "32" in kind else 1 << 31)


def random_message(python, chance):
    message = python()
    for first in (1, 101):
        for number, kind in enumerate(KINDS, first):
            if chance.random() < 0.6:
                setattr(message, "f%d" % number, value_of(kind, chance))
    return message


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def unknown(chance):
    """A field that the message does not have, of each kind that there is on the wire."""
    tag = chance.choice([17, 99, 3000]) << 3
    return chance.choice(
        [
            varint(tag) + varint(chance.randrange(1 << 64)),
            varint(tag | 1) + bytes(8),
            varint(tag | 2) + b"\x05\x0a\x03abc",
            varint(tag | 5) + bytes(4),
        ]
    )


def decoded_by(program, messages):
    """What the program makes of them; None where it refuses one."""
    data = b"".join(struct.pack("=H", len(text)) + text for text in messages)
    out = subprocess.run([program], input=data, stdout=subprocess.PIPE, check=True).stdout
    found = []
    while out:
        (n,) = struct.unpack_from("=H", out)
        found.append(None if n == 0xFFFF else out[2 : 2 + n])
        out = out[2:] if n == 0xFFFF else out[2 + n :]
    return found


def known(python, text):
    message = python.FromString(text)
    message.DiscardUnknownFields()
    return message


def test_what_comes_is_what_protobuf_says(program, python):
    """All types, with and without presence, fields twice and unknown ones between."""
    chance = random.Random(11)
    texts = []
    for _ in range(500):
        one, two = (random_message(python, chance).SerializeToString() for _ in range(2))
        texts.append(chance.choice([one, unknown(chance) + one + unknown(chance) + two]))
    for text, found in zip(texts, decoded_by(program, texts), strict=True):
        assert found is not None, text.hex()
        assert python.FromString(found) == known(python, text), text.hex()


def test_what_does_not_fit_or_is_cut_is_refused(program, python):
    good = python(f14="x" * 23).SerializeToString()
    assert decoded_by(program, [good]) == [good]
    assert decoded_by(program, [good[:-1], python(f14="x" * 24).SerializeToString()]) == [None] * 2
    assert decoded_by(program, [python(f15=b"x" * 25).SerializeToString()]) == [None]


@pytest.mark.parametrize(
    "field, options",
    [
        ("repeated int32 f = 1;", "All.f  max_count:4\n"),
        ("repeated int32 f = 1;", "All.f  max_count:4 fixed_count:true\n"),
        ("oneof o { int32 f = 1; bool g = 2; }", ""),
        ("Other f = 1;", ""),
        ("bytes f = 1;", "All.f  max_size:4 fixed_length:true\n"),
        ("bytes f = 1;", "All.f  type:FT_CALLBACK\n"),
    ],
)
def test_other_fields_do_not_compile(bench, field, options):
    bench.write(all="message Other { int32 a = 1; }\nmessage All { %s }\n" % field)
    (bench.path / "all.options").write_text(options)
    done = bench.run("nanopb", ["all.proto"], [], ".")
    assert done.returncode == 0, done.stderr
    source = bench.out / "all.pb.c"
    assert bench.try_compile(source, "gcc").returncode == 0
    refused = bench.try_compile(source, "gcc", FLAGS)
    assert refused.returncode != 0
    assert "field_1_is_no_single_scalar_see_nanorpc_scalars_h" in refused.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_compilers_are_silent(shop, compiler):
    flags = ["-mcpu=cortex-m3", "-mthumb"] if compiler.startswith("arm") else []
    shop.compile(shop.out / "all.pb.c", compiler, FLAGS + flags)
