# tests/generator/test_generator_protos.py - docs/protos.md tells the truth: each row of its tables is tried here.
# Layer: tests. Source: docs/protos.md.
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest

from workshop import NANOPB, ROOT, bench  # noqa: F401 (fixtures)

PAGE = (ROOT / "docs" / "protos.md").read_text()
NONE = "# nothing\n"
REP = "message Rep { int32 n = 1; }\n"
SERVICE = REP + "service S { rpc Do(Req) returns (Rep); }\n"
PROTO2 = 'syntax = "proto2";\n' + SERVICE.replace("int32 n", "required int32 n")
GOOGLE = (
    'import "google/protobuf/%s.proto";\n'
    + SERVICE
    + "message Req { int32 n = 9; google.protobuf.%s }\n"
)
# Of googleapis, as little as an annotation needs.
ANNOTATIONS = {
    "google/api/http.proto": 'syntax = "proto3";\npackage google.api;\nmessage HttpRule { string get = 2; }\n',
    "google/api/annotations.proto": 'syntax = "proto3";\npackage google.api;\nimport "google/api/http.proto";\n'
    'import "google/protobuf/descriptor.proto";\n'
    "extend google.protobuf.MethodOptions { HttpRule http = 72295728; }\n",
}
ANNOTATED = (
    'import "google/api/annotations.proto";\n' + REP + "message Req { int32 n = 1; }\n"
    'service S { rpc Do(Req) returns (Rep) { option (google.api.http) = { get: "/v1" }; } }\n'
)


def req(fields, more=""):
    return SERVICE + more + "message Req { %s }\n" % fields


def google(file, field, options=NONE):
    """A field of Google's, whose own file is generated as well; the options are of that file."""
    return dict(
        proto=GOOGLE % (file, field),
        protos=["s", "google/protobuf/" + file],
        files={"google/protobuf/%s.options" % file: options},
    )


# The first cell of a row: tries of what works, tries of what does not. A try: arguments of attempt().
ROWS = {
    "numbers, `bool`, 64 bits too": (
        [
            dict(
                proto=req(
                    " ".join(
                        "%s f%d = %d;" % (kind, i, i)
                        for i, kind in enumerate(
                            "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 "
                            "float double bool".split(),
                            1,
                        )
                    )
                )
            )
        ],
        [],
    ),
    "`enum`, also with aliases and negative values": (
        [
            dict(
                proto=req(
                    "E e = 1;",
                    "enum E { option allow_alias = true; A = 0; B = 1; C = 1; D = -1; }\n",
                )
            )
        ],
        [],
    ),
    "`string`": (
        [
            dict(proto=req("string a = 1;"), options="Req.a max_length:16\n"),
            dict(proto=req("string a = 1;"), options="Req.a max_size:17\n"),
        ],
        [dict(proto=req("string a = 1;"))],
    ),
    "`bytes`": (
        [
            dict(proto=req("bytes a = 1;"), options="Req.a max_size:16\n"),
            dict(proto=req("bytes a = 1;"), options="Req.a max_size:16 fixed_length:true\n"),
        ],
        [dict(proto=req("bytes a = 1;"))],
    ),
    "`repeated`": (
        [
            dict(proto=req("repeated int32 a = 1;"), options="Req.a max_count:8\n"),
            dict(proto=req("repeated string a = 1;"), options="Req.a max_count:8 max_length:9\n"),
        ],
        [dict(proto=req("repeated int32 a = 1;"))],
    ),
    "`map`": (
        [
            dict(
                proto=req("map<string, int32> a = 1;"),
                options="Req.a max_count:4\nReq.AEntry.key max_length:9\n",
            )
        ],
        [dict(proto=req("map<string, int32> a = 1;"))],
    ),
    "`oneof`": (
        [
            dict(
                proto=req("oneof o { string a = 1; int32 b = 2; Rep c = 3; }"),
                options="Req.a max_length:9\n",
            )
        ],
        [],
    ),
    "proto3 `optional`": (
        [
            dict(
                proto=req("optional int32 a = 1; optional string b = 2; optional Rep c = 3;"),
                options="Req.b max_length:9\n",
            )
        ],
        [],
    ),
    "a message in a message": ([dict(proto=req("Rep a = 1;"))], []),
    "a message in itself": (
        [
            dict(
                proto=req(
                    "int32 n = 1; Req a = 2; Other o = 3;", "message Other { Req back = 1; }\n"
                ),
                options="Req.a type:FT_IGNORE\nOther.back type:FT_IGNORE\n",
            )
        ],
        [dict(proto=req("int32 n = 1; Req a = 2;"))],
    ),
    "`google.protobuf.Timestamp`, `Duration`, `Empty`, wrappers of numbers": (
        [
            google("timestamp", "Timestamp a = 1;"),
            google("duration", "Duration a = 1;"),
            google("wrappers", "Int64Value a = 1; google.protobuf.BoolValue b = 2;"),
            dict(
                proto='import "google/protobuf/empty.proto";\nservice S {\n'
                "rpc Do(google.protobuf.Empty) returns (google.protobuf.Empty); }\n",
                protos=["s", "google/protobuf/empty"],
            ),
        ],
        [],
    ),
    "`google.protobuf.StringValue`, `BytesValue`": (
        [
            google(
                "wrappers",
                "StringValue a = 1; google.protobuf.BytesValue b = 2;",
                "google.protobuf.StringValue.value max_length:9\ngoogle.protobuf.BytesValue.value max_size:9\n",
            )
        ],
        [google("wrappers", "StringValue a = 1;")],
    ),
    "`google.protobuf.FieldMask`": (
        [
            google(
                "field_mask",
                "FieldMask a = 1;",
                "google.protobuf.FieldMask.paths max_count:4 max_length:20\n",
            )
        ],
        [google("field_mask", "FieldMask a = 1;")],
    ),
    "`google.protobuf.Any`": (
        [
            google(
                "any",
                "Any a = 1;",
                "google.protobuf.Any.type_url max_length:60\ngoogle.protobuf.Any.value max_size:40\n",
            )
        ],
        [google("any", "Any a = 1;")],
    ),
    "`google.protobuf.Struct`, `Value`, `ListValue`": (
        [
            dict(google("struct", "%s a = 1;" % kind), options="Req.a type:FT_IGNORE\n")
            for kind in ("Struct", "Value", "ListValue")
        ],
        [google("struct", "%s a = 1;" % kind) for kind in ("Struct", "Value", "ListValue")],
    ),
    "`proto2`: `required`, `optional`, defaults": (
        [
            dict(
                proto=PROTO2 + "enum E { A = 1; B = 2; }\nmessage Req { required int32 a = 1;\n"
                "optional int32 b = 2 [default = 7];"
                'optional string s = 3 [default = "abc"]; optional E e = 4 [default = B]; }\n',
                options="Req.s max_length:9\n",
            )
        ],
        [],
    ),
    "`proto2` groups": (
        [],
        [dict(proto=PROTO2 + "message Req { optional group G = 1 { optional int32 n = 1; } }\n")],
    ),
    "`proto2` extensions": (
        [
            dict(
                proto=PROTO2 + "message Req { optional int32 n = 1; extensions 100 to 200; }\n"
                "extend Req { optional int32 x = 100; }\n",
                options="Req.extensions type:FT_IGNORE\n",
            )
        ],
        [dict(proto=PROTO2 + "message Req { optional int32 n = 1; extensions 100 to 200; }\n")],
    ),
    '`edition = "2023"`': ([], [dict(proto='edition = "2023";\n' + req("int32 a = 1;"))]),
    "a field number over 65535": (
        [dict(proto=req("int32 a = 70000;"), flags=["-DPB_FIELD_32BIT=1"])],
        [dict(proto=req("int32 a = 70000;"))],
    ),
    "packages, with dots; messages in messages": (
        [
            dict(
                proto="package a.b.c;\n"
                + req("Inner i = 1; message Inner { Deep d = 1; message Deep { int32 n = 1; } }")
            )
        ],
        [],
    ),
    "`import` of a file in another folder": (
        [
            dict(
                proto='import "parts/common.proto";\n' + req("parts.Common c = 1;"),
                protos=["s", "parts/common"],
                files={
                    "parts/common.proto": 'syntax = "proto3";\npackage parts;\nmessage Common { string s = 1; }\n',
                    "parts/common.options": "parts.Common.s max_length:9\n",
                },
            )
        ],
        [],
    ),
    "`import public`": (
        [
            dict(
                proto='import "p.proto";\nservice S { rpc Do(T) returns (T); }\n',
                protos=["s", "p", "t"],
                files={
                    "p.proto": 'syntax = "proto3";\nimport public "t.proto";\n',
                    "t.proto": 'syntax = "proto3";\nmessage T { int32 n = 1; }\n',
                },
            )
        ],
        [],
    ),
    '`import "google/api/annotations.proto"`': (
        [
            dict(
                proto=ANNOTATED,
                files=ANNOTATIONS,
                options='* exclude:"google/api/annotations.proto"\n',
            )
        ],
        [dict(proto=ANNOTATED, files=ANNOTATIONS)],
    ),
    "a path that begins with a digit: 3d/model.proto": (
        [
            dict(
                proto="",
                protos=["model"],
                files={"3d/model.proto": 'syntax = "proto3";\n' + req("int32 n = 1;")},
                include="3d",
            )
        ],
        [
            dict(
                proto="",
                protos=["3d/model"],
                files={"3d/model.proto": 'syntax = "proto3";\n' + req("int32 n = 1;")},
            )
        ],
    ),
    "a field or a message with a name of C's: `int`": (
        [dict(proto=REP + "service int { rpc while(Rep) returns (Rep); }\n")],
        [dict(proto=req("int32 int = 1;"))],
    ),
    "`reserved`, `deprecated`, `json_name`, `packed`": (
        [
            dict(
                proto=req(
                    'reserved 2, 5 to 7; reserved "x"; int32 n = 1 [deprecated = true];\n'
                    'int32 m = 3 [json_name = "M"]; repeated int32 p = 4 [packed = false];'
                ),
                options="Req.p max_count:3\n",
            )
        ],
        [],
    ),
    "messages that no method needs": (
        [
            dict(
                proto=req(
                    "int32 n = 1;", "message Unused { string s = 1; repeated Unused u = 2; }\n"
                )
            )
        ],
        [],
    ),
}


def table(heading):
    """The rows of the table below a heading of the page: {first cell: the others}."""
    section = re.search(r"^## %s\n(.*?)^## " % re.escape(heading), PAGE, re.S | re.M).group(1)
    rows = [
        [cell.strip() for cell in line.strip("|").split(" |")]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: row[1:] for row in rows[2:]}


FEATURES, ARRIVALS = table("What works"), table("What arrives")


def attempt(bench, proto, options=NONE, files=(), protos=("s",), flags=(), include="."):
    """(what has happened, what was said): "works", "refused", "does not compile"."""
    if not proto.startswith(("syntax", "edition")):
        proto = 'syntax = "proto3";\n' + proto
    for name, text in dict({"s.proto": proto, "s.options": options}, **dict(files)).items():
        path = bench.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for plugin in ("nanorpc", "nanopb"):
        done = bench.run(plugin, [name + ".proto" for name in protos], ["-I."], include)
        if done.returncode != 0:
            assert not list(bench.out.iterdir())
            return "refused", done.stderr
    for source in sorted(bench.out.rglob("*.c")):
        done = bench.try_compile(source, "gcc", [*flags, "-fsyntax-only"])
        if done.returncode != 0 or done.stderr:
            return "does not compile", done.stderr
    return "works", ""


def test_the_page_and_the_tries_have_the_same_rows():
    assert list(FEATURES) == list(ROWS)


@pytest.mark.parametrize(
    "cell, how", [(cell, how) for cell, (good, _) in ROWS.items() for how in good]
)
def test_what_works(bench, cell, how):
    assert attempt(bench, **how) == ("works", ""), cell


@pytest.mark.parametrize(
    "cell, how", [(cell, how) for cell, (_, bad) in ROWS.items() for how in bad]
)
def test_what_does_not(bench, cell, how):
    """It happens, and is said, as the row's second cell says."""
    today = FEATURES[cell][0]
    words = re.search(r': "(.*)"$', today).group(1)
    happened, said = attempt(bench, **how)
    assert today.startswith(happened) and words in said, said


def test_what_is_said_to_work():
    for cell, (_, bad) in ROWS.items():
        assert bool(bad) == (FEATURES[cell][0] != "works"), cell


# --- What arrives ----------------------------------------------------------------------------------------

MAIN = r"""
#include <stdio.h>
#include <pb_decode.h>
#include "s.pb.h"
int main(void)
{
    static const pb_byte_t input[] = {%s};
    Req r = Req_init_zero;
    pb_istream_t stream = pb_istream_from_buffer(input, sizeof input - 1);
    if (pb_decode(&stream, Req_fields, &r)) {
        %s;
    } else {
        puts(PB_GET_ERROR(&stream));
    }
    return 0;
}
"""
ENUM = "enum E { A = 0; B = 1; %s}\n"
SHORT = ["-fshort-enums"]  # arm-none-eabi-gcc does so without being told

# A row: [(fields, more, options, flags, bytes, what C prints, what it prints then)]
DECODED = {
    "a field that the message does not have": [
        ("int32 n = 1;", "", NONE, [], "\x12\x03abc\x08\x05", r'printf("%d\n", (int)r.n)', "5")
    ],
    "no field": [
        ("int32 n = 1; optional int32 o = 2; Rep m = 3;", "", NONE, [], "",
         r'printf("%d %d %d\n", (int)r.n, r.has_o, r.has_m)', "0 0 0")
    ],
    "a text over its `max_length`, too many elements": [
        ("string a = 1; string b = 2;", "", "Req.* max_length:2\n", [], "\n\3abc", "", "string overflow"),
        ("repeated int32 a = 1;", "", "Req.a max_count:1\n", [], "\x08\1\x08\1", "", "array overflow"),
    ],
    "an enum value that is not in the .proto": [
        ("E e = 1;", ENUM % "", NONE, [], "\x08\xac\2", r'printf("%d\n", (int)r.e)', "300"),
        ("E e = 1;", ENUM % "", NONE, SHORT, "\x08\7", r'printf("%d\n", (int)r.e)', "7"),
        ("E e = 1;", ENUM % "", NONE, SHORT, "\x08\xac\2", r'printf("%d\n", (int)r.e)', "300"),
        ("E e = 1;", ENUM % "", NONE, SHORT, "\x08" + 9 * "\xff" + "\1", r'printf("%d\n", (int)r.e)', "-1"),
        ("E e = 1;", ENUM % "", NONE, [], "\x08" + 9 * "\xff" + "\1", r'printf("%d\n", (int)r.e)', "-1"),
    ],
    "a text that is not UTF-8": [
        ("string a = 1;", "", "Req.a max_length:8\n", [], "\n\1\xff", 'puts("taken")', "taken"),
        ("string a = 1;", "", "Req.a max_length:8\n", ["-DPB_VALIDATE_UTF8=1"], "\n\1\xff", "", "invalid utf8"),
    ],
    "a text with a NUL in it": [
        ("string a = 1;", "", "Req.a max_length:8\n", [], "\n\3a\0b", "puts(r.a)", "a")
    ],
    "two entries of a map with the same key": [
        ("map<int32, int32> a = 1;", "", "Req.a max_count:4\n", [], "\n\4\x08\1\x10\7\n\4\x08\1\x10\x08",
         r'printf("%d %d %d\n", r.a_count, (int)r.a[0].value, (int)r.a[1].value)', "2 7 8")
    ],
    "two members of a oneof": [
        ("oneof o { int32 a = 1; int32 b = 2; }", "", NONE, [], "\x08\1\x10\2",
         r'printf("%d %d\n", r.which_o, (int)r.o.b)', "2 2")
    ],
    "no `required` field": [
        ("int32 a = 1;", "", "Req.a label_override:LABEL_REQUIRED\n", [], "", "", "missing required field")
    ],
}  # fmt: skip
# Tested where the core is: tests/unit/test_streams.c, tests/e2e/test_http2.py.
ELSEWHERE = {"a message larger than the server's largest request"}


def test_all_that_arrives_is_tried():
    assert set(ARRIVALS) == set(DECODED) | ELSEWHERE


@pytest.mark.parametrize(
    "fields, more, options, flags, data, show, printed",
    [decoded for row in DECODED.values() for decoded in row],
)
def test_what_arrives(bench, fields, more, options, flags, data, show, printed):
    """nanopb, with the generated code. What does not decode is answered with INTERNAL (tests/unit/test_typed.c)."""
    bench.write(s=req(fields, more), s_options=options)
    bench.generate("s")
    values = ", ".join(str(byte) for byte in data.encode("latin-1") + b"\0")
    (bench.path / "main.c").write_text(MAIN % (values, show))
    program = bench.path / "program"
    sources = [bench.path / "main.c", bench.out / "s.pb.c"]
    sources += [NANOPB / (name + ".c") for name in ("pb_common", "pb_decode")]
    subprocess.run(
        ["gcc", "-std=c99", *flags, "-I%s" % bench.out, "-I%s" % NANOPB, "-o", program, *sources],
        check=True,
    )
    done = subprocess.run([program], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == printed


def test_enums_are_short_on_the_boards(tmp_path):
    """What makes the row about enum values true there."""
    source = tmp_path / "short.c"
    source.write_text('enum e { A, B };\n_Static_assert(sizeof(enum e) == 1, "");\n')
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-fsyntax-only", source], check=True
    )
