# tests/generator/test_generator_streamed.py - streamed fields: what is written for them, and what is refused.
# Layer: tests. Source: nanorpc/streamed.h, walk.h; docs/protos.md, "Messages larger than memory".
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest

from workshop import COMPILERS, NANOPB, OPTIONS, ROOT, STRICT, bench, need, workshop  # noqa: F401 (fixtures)

SHAPES = """
package a;
import "parts.proto";
message Flat { uint32 id = 1; bytes data = 7; }
message Text { optional string text = 2; }
message Outer { message Middle { parts.Inner inner = 300; string name = 1; } Middle middle = 4; uint32 id = 1; }
message Small { uint32 id = 1; }
service Shapes {
  rpc Up(Flat) returns (Small);
  rpc Down(Small) returns (Flat);
  rpc Texts(stream Text) returns (stream Text);
  rpc Deep(stream Outer) returns (Outer);
  rpc Plain(Small) returns (stream Small);
}
service None { rpc Plain(Small) returns (Small); }
"""
SHAPES_OPTIONS = """
a.Flat.data type:FT_CALLBACK max_size:512
a.Text.text type:FT_CALLBACK max_length:99
a.Outer.Middle.name max_size:8
"""
PARTS = "package parts; message Inner { bytes body = 2; fixed32 crc = 1; }\n"
PARTS_OPTIONS = "parts.Inner.body type:FT_CALLBACK max_size:1000\n"


@pytest.fixture
def shapes(workshop):
    workshop.write(s=SHAPES, s_options=SHAPES_OPTIONS, parts=PARTS, parts_options=PARTS_OPTIONS)
    return workshop.generate("s", "parts")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_it_compiles(shapes, compiler):
    main = shapes.path / "main.c"
    main.write_text(
        '#include "s.nrpc.h"\nNRPC_SERVER_DEFINE(server, 2, a_Shapes_service, a_None_service);\n'
    )
    for source in (shapes.out / "s.nrpc.c", main):
        shapes.compile(source, compiler)


def test_codecs(shapes):
    """A method has of a codec what its messages need, and the way to its field."""
    code = (shapes.out / "s.nrpc.c").read_text()
    codecs = dict(
        re.findall(r"nrpc_streamed a_Shapes_(\w+)_streamed = \{(.*?)^\};", code, re.S | re.M)
    )
    assert set(codecs) == {"Up", "Down", "Texts", "Deep"}
    takes = {name for name, text in codecs.items() if ".take = nrpc_streamed_take" in text}
    produces = {name for name, text in codecs.items() if ".produce = nrpc_streamed_produce" in text}
    sends = {name for name, text in codecs.items() if ".send = nrpc_streamed_send" in text}
    assert takes == {"Up", "Texts", "Deep"} and produces == sends == {"Down", "Texts", "Deep"}
    assert dict(re.findall(r"uint32_t a_Shapes_(\w+)_path\[\] = \{([\d, ]+)\}", code)) == {
        "Up": "7",
        "Texts": "2",
        "Deep": "4, 300, 2",
    }
    assert (
        ".depth = 3" in codecs["Deep"] and "offsetof(a_Outer, middle.inner.body)" in codecs["Deep"]
    )
    assert code.count(".codec = &nrpc_typed,") == 2


def test_the_whole_way_is_present(shapes):
    header = (shapes.out / "s.nrpc.h").read_text()
    length = re.search(
        r"a_Shapes_Deep_middle_inner_body_length\(.*?^\}", header, re.S | re.M
    ).group()
    assert re.findall(r"reply->([\w.]+) = true", length) == ["has_middle", "middle.has_inner"]


def test_sizes(shapes):
    """The receive block is the largest max_size; what a call keeps of a request is counted in the other."""
    header = (shapes.out / "s.nrpc.h").read_text()
    assert "a_Shapes_service_REQUEST_BYTES 1000 " in header
    plain, streamed = map(
        int,
        re.search(
            r"a_Shapes_service_REPLY_BYTES NRPC_STREAMED_MAX\((\d+), (\d+)\)", header
        ).groups(),
    )
    assert plain == 6
    # Deep: name 1 + 1 + 7, id 6, crc 5, the field's key and length 6, and the keys and lengths of two messages
    # 2 + 2 and 1 + 2; and once more for the reply, with 32 bytes in reserve.
    kept = 9 + 6 + 5 + 6 + 4 + 3
    assert streamed == kept + kept + 32
    assert ".keep_bytes = %d," % kept in (shapes.out / "s.nrpc.c").read_text()
    assert "a_None_service_REPLY_BYTES 6 " in header


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_functions_left_out(shapes, compiler):
    """A chunk that nobody takes ends the call; so does a field that nobody makes."""
    main = shapes.path / "main.c"
    main.write_text(
        '#define NRPC_SAME_TOLD_HERE\n#include <stdio.h>\n#include "s.nrpc.h"\n'
        "int nrpc_call_finish(struct nrpc_call *call, enum nrpc_status status, const char *message)\n"
        '{ (void)call; (void)message; printf("finish %d\\n", status); return 0; }\n'
        "int main(void)\n{\n"
        '    printf("chunk %d\\n", a_Shapes_Up_data_chunk(NULL, NULL));\n'
        '    printf("made %d\\n", (int)a_Shapes_Down_data_produce(NULL, NULL, 1, 0));\n}\n'
    )
    program = shapes.path / "main"
    done = subprocess.run(
        [
            need(compiler),
            *STRICT,
            *OPTIONS,
            "-I%s" % shapes.out,
            "-I%s" % ROOT,
            "-isystem",
            str(NANOPB),
            str(main),
            str(shapes.out / "s.nrpc.c"),
            str(shapes.out / "s.pb.c"),
            str(shapes.out / "parts.pb.c"),
            "-ffunction-sections",
            "-fdata-sections",
            "-Wl,--gc-sections",
            "-o",
            str(program),
        ],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert subprocess.run([program], text=True, capture_output=True).stdout.split("\n") == [
        "chunk 12",
        "finish 12",
        "made 0",
        "",
    ]


def test_messages_and_services_made_apart(shapes):
    """Messages that were generated without the mark do not fit."""
    (shapes.path / "parts.options").write_text("parts.Inner.body max_size:1000\n")
    done = shapes.run("nanopb", ["parts.proto"], (), ".")
    assert done.returncode == 0, done.stderr
    done = shapes.try_compile(shapes.out / "s.nrpc.c", "gcc", ())
    assert done.returncode != 0
    assert (
        "generate messages and services together" in done.stderr
        or "nrpc_streamed_encode" in done.stderr
    )


REFUSED = [
    (
        "message Req { bytes a = 1; bytes b = 2; }",
        "Req.* type:FT_CALLBACK max_size:99",
        "s.proto: S.Do: its request, Req: one streamed field is possible, not a and b",
    ),
    (
        "message In { bytes a = 1; } message Req { In x = 1; In y = 2; }",
        "In.a type:FT_CALLBACK max_size:99",
        "s.proto: S.Do: its request, Req: one streamed field is possible, not x.a and y.a",
    ),
    (
        "message In { bytes a = 1; } message Req { repeated In x = 1; }",
        "In.a type:FT_CALLBACK max_size:99\nReq.x max_count:2",
        "s.proto: S.Do: its request, Req: streamed field x.a is, or lies in, a repeated field; "
        "it can only be in singular ones",
    ),
    (
        "message Req { oneof o { bytes a = 1; int32 b = 2; } }",
        "Req.a type:FT_CALLBACK max_size:99",
        "s.proto: S.Do: its request, Req: streamed field a is, or lies in, a oneof field; "
        "it can only be in singular ones",
    ),
    (
        "message In { bytes a = 1; } message Req { oneof o { In x = 1; int32 b = 2; } }",
        "In.a type:FT_CALLBACK max_size:99",
        "s.proto: S.Do: its request, Req: streamed field x.a is, or lies in, a oneof field; "
        "it can only be in singular ones",
    ),
    (
        "message D { bytes a = 1; } message C { D d = 1; } message B { C c = 1; } message A { B b = 1; } "
        "message Req { A a = 1; }",
        "D.a type:FT_CALLBACK max_size:99",
        "s.proto: S.Do: its request, Req: streamed field a.b.c.d.a lies deeper than 4 messages",
    ),
    (
        "message Req { bytes a = 1; }",
        "Req.a type:FT_CALLBACK max_size:31",
        "s.proto: Req.a: a streamed field's max_size is the bytes received ahead: at least 32",
    ),
    (
        "message Req { repeated bytes a = 1; }",
        "Req.a type:FT_CALLBACK max_size:99 max_count:2",
        "s.proto: Req.a: a callback field, which has no largest size; give Req.a type:FT_STATIC in s.options",
    ),
    (
        "message Req { bytes a = 1; }",
        "Req.a type:FT_CALLBACK",
        "s.proto: Req.a: unbounded bytes; give Req.a a max_size in s.options",
    ),
]


@pytest.mark.parametrize("messages, options, text", REFUSED)
def test_refused(bench, messages, options, text):
    bench.write(
        s="message Rep { int32 n = 1; }\nservice S { rpc Do(Req) returns (Rep); }\n"
        + messages
        + "\n",
        s_options=options + "\n",
    )
    assert bench.refused("s") == [text]


def test_names_that_clash(bench):
    bench.write(
        s="message Req { bytes a = 1; }\n"
        "service S { rpc Do(Req) returns (Req); rpc Do_a_chunk(Req) returns (Req); }\n",
        s_options="Req.a type:FT_CALLBACK max_size:99\n",
    )
    found = bench.refused("s")
    assert len(found) == 1 and "its handler would be S_Do_a_chunk in C" in found[0]


# --- Clients, for which the reply's field comes in -----------------------------------------------


@pytest.mark.parametrize("compiler", COMPILERS)
def test_clients_compile(shapes, compiler):
    main = shapes.path / "main.c"
    main.write_text(
        '#include "s.client.h"\nNRPC_CHANNEL_DEFINE(channel, "a.b", a_Shapes_client, a_None_client);\n'
        "struct nrpc_call *up(struct nrpc_channel *c, a_Flat *r, const struct a_Shapes_Up_events *e);\n"
        "struct nrpc_call *up(struct nrpc_channel *c, a_Flat *r, const struct a_Shapes_Up_events *e)\n"
        "{ return a_Shapes_Up_start(c, NULL, r, 70000, e); }\n"
        "int deep(struct nrpc_call *c, a_Outer *r);\n"
        "int deep(struct nrpc_call *c, a_Outer *r) { return a_Shapes_Deep_write(c, r, NRPC_NOT_STREAMED); }\n"
    )
    for source in (shapes.out / "s.client.c", main):
        shapes.compile(source, compiler)


def test_clients_codecs(shapes):
    code, header = ((shapes.out / ("s.client." + ending)).read_text() for ending in "ch")
    codecs = dict(
        re.findall(r"nrpc_streamed a_Shapes_(\w+)_caller = \{(.*?)^\};", code, re.S | re.M)
    )
    assert {name for name, text in codecs.items() if ".take = nrpc_streamed_take" in text} == {
        "Down",
        "Texts",
        "Deep",
    }
    assert {
        name for name, text in codecs.items() if ".produce = nrpc_streamed_produce" in text
    } == {"Up", "Texts", "Deep"}
    assert "a_Shapes_client_REPLY_BYTES 1000 " in header
    assert "a_None_client_REQUEST_BYTES 6 " in header
    write = re.search(r"a_Shapes_Deep_write\(.*?^\}", header, re.S | re.M).group()
    assert re.findall(r"request->([\w.]+) = true", write) == ["has_middle", "middle.has_inner"]
