# tests/generator/test_generator_imports.py - imports of Google's and of options; editions, proto2, paths, numbers.
# Layer: tests. Source: google/protobuf/*.proto; protobuf's editions; issue 9, "Protos".
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

from workshop import NANOPB, ROOT, STRICT, bench, workshop  # noqa: F401 (fixtures)

GOOGLES = """
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Req {
  google.protobuf.Any any = 1;
  google.protobuf.Duration duration = 2;
  google.protobuf.FieldMask mask = 3;
  google.protobuf.Timestamp when = 4;
  google.protobuf.StringValue text = 5;
  google.protobuf.BytesValue raw = 6;
  google.protobuf.BoolValue flag = 7;
}
service S { rpc Do(Req) returns (google.protobuf.Empty); }
"""
# Prints what nanopb has decoded of a request, and how long it is when encoded again.
ROUND = r"""
#include <stdio.h>
#include <pb_decode.h>
#include <pb_encode.h>
#define NRPC_SAME_TOLD_HERE /* there is no core here: see same.h */
#define NRPC_SAME_DIAL_TOLD_HERE
#include "s.nrpc.h"
#include "nanorpc/dial.h"
int main(void)
{
    static const pb_byte_t input[] = {%s};
    static pb_byte_t output[S_service_REQUEST_BYTES];
    Req r = Req_init_zero;
    pb_istream_t in = pb_istream_from_buffer(input, sizeof input - 1);
    pb_ostream_t out = pb_ostream_from_buffer(output, sizeof output);
    if (!pb_decode(&in, &Req_msg, &r) || !pb_encode(&out, &Req_msg, &r)) {
        return 1;
    }
    printf("%%d ", (int)out.bytes_written);
    %s;
    return 0;
}
"""


def link(bench, compiler, main, *sources, flags=()):
    """What the program prints; all that the library would define is dropped unused."""
    (bench.path / "main.c").write_text(main)
    program = bench.path / "program"
    subprocess.run(
        [
            compiler,
            *STRICT,
            *flags,
            "-Wl,--gc-sections",
            "-ffunction-sections",
            "-fdata-sections",
            *("-I%s" % path for path in (bench.out, ROOT)),
            *("-isystem", NANOPB, "-o", program, bench.path / "main.c"),
            *(bench.out / source for source in sources),
            *(NANOPB / (name + ".c") for name in ("pb_common", "pb_decode", "pb_encode")),
        ],
        check=True,
    )
    return subprocess.run([program], text=True, capture_output=True, check=True).stdout.strip()


def values(data):
    return ", ".join(str(byte) for byte in data + b"\0")


# any {type_url: "t" value: "v"}, mask {paths: "a" paths: "b"}, when {seconds: 5}, text {value: "x"}
EVERY = b"\x0a\6\x0a\1t\x12\1v\x1a\6\x0a\1a\x0a\1b\x22\2\x08\5\x2a\3\x0a\1x"


def test_google_without_a_word(workshop):
    """protoc is given the user's file alone; the headers of libprotobuf-dev are not the ones that are found."""
    workshop.write(s=GOOGLES, s_options="# nothing\n")
    workshop.generate("s")
    for source in workshop.out.rglob("*.c"):
        workshop.compile(source)
    done = subprocess.run(
        ["gcc", "-M", *STRICT, "-I%s" % workshop.out, "-I%s" % NANOPB, workshop.out / "s.pb.c"],
        text=True,
        capture_output=True,
        check=True,
    )
    found = re.findall(r"\S*google/protobuf/\S*", done.stdout)
    assert len(found) == 6 and all(name.startswith(str(workshop.out)) for name in found), found


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("with_their_files", [False, True])
def test_google_links(bench, compiler, with_their_files):
    """Whether their own .pb.c are linked, too, or not; and of several files that have them one is taken."""
    bench.write(s=GOOGLES, s_options="# nothing\n")
    bench.generate("s")
    theirs = ["google/protobuf/%s.pb.c" % name for name in ("any", "timestamp", "wrappers")]
    show = r'printf("%s %s %d\n", r.any.type_url, r.mask.paths[1], (int)r.when.seconds)'
    printed = link(
        bench,
        compiler,
        ROUND % (values(EVERY), show),
        *("s.pb.c", "s.nrpc.c", "s.client.c", *(theirs if with_their_files else ())),
        flags=["-DNRPC_CLIENT=1"],
    )
    assert printed == "%d t b 5" % len(EVERY)


def test_bounds_of_google(bench):
    """A user's .options come after ours, line by line."""
    bench.write(
        s=GOOGLES,
        s_options="# nothing\n",
        google__protobuf__any_options="google.protobuf.Any.value max_size:7\n",
    )
    bench.generate("s")
    header = (bench.out / "google" / "protobuf" / "any.pb.h").read_text()
    assert "char type_url[96];" in header and "PB_BYTES_ARRAY_T(7)" in header
    bench.compile(bench.out / "s.nrpc.c")


def test_google_given_to_protoc_too(workshop):
    """Then they are files like others, for both plugins."""
    workshop.write(s=GOOGLES, s_options="# nothing\n")
    workshop.generate("s", "google/protobuf/any")
    assert (workshop.out / "google" / "protobuf" / "any.nrpc.h").exists()
    assert (workshop.out / "google" / "protobuf" / "duration.pb.h").exists()
    assert not (workshop.out / "google" / "protobuf" / "duration.nrpc.h").exists()


def test_google_left_to_other_runs(bench):
    bench.write(s=GOOGLES, s_options="# nothing\n")
    bench.generate("s", options=["--no-imports"])
    assert not (bench.out / "google").exists()


def test_google_through_an_import(bench):
    bench.write(
        s='import "parts/c.proto";\nservice S { rpc Do(C) returns (C); }\n',
        parts__c='import "google/protobuf/timestamp.proto";\nmessage C { google.protobuf.Timestamp t = 1; }\n',
    )
    bench.generate("s", "parts/c")
    main = '#define NRPC_SAME_TOLD_HERE\n#include "s.nrpc.h"\nint main(void) { return C_msg.field_count != 1; }\n'
    assert link(bench, "gcc", main, "s.nrpc.c", "parts/c.pb.c") == ""


def test_google_with_the_plugin_of_nanopb(bench):
    """Who runs nanopb's own plugin gets the headers as well; where bounds are ours alone, a sentence."""
    bench.write(
        s='import "google/protobuf/timestamp.proto";\nmessage Req { google.protobuf.Timestamp t = 1; }\n'
        "service S { rpc Do(Req) returns (Req); }\n",
        t='import "google/protobuf/any.proto";\nmessage ReqT { google.protobuf.Any a = 1; }\n'
        "service T { rpc Do(ReqT) returns (ReqT); }\n",
    )
    bench.nanopb_plugin = NANOPB / "generator" / "protoc-gen-nanopb"
    bench.generate("s", "t")
    for name in ("s.pb.c", "s.nrpc.c", "s.client.c", "google/protobuf/timestamp.pb.c"):
        bench.compile(bench.out / name)
    said = bench.try_compile(bench.out / "t.nrpc.c", "gcc").stderr
    assert (
        "ReqT: generate messages and services together, the messages with proto/protoc-gen" in said
    )


@pytest.mark.parametrize("kind", ["Struct", "Value", "ListValue"])
def test_values_are_refused(bench, kind):
    bench.write(
        s='import "google/protobuf/struct.proto";\nmessage Req { google.protobuf.%s a = 1; }\n'
        "service S { rpc Do(Req) returns (google.protobuf.%s); }\n" % (kind, kind),
        s_options="# nothing\n",
    )
    why = "google.protobuf.%s: a value within a value has no largest size; use a message of your own, or JSON in "
    assert bench.refused("s") == [
        "s.proto: S.Do: " + why % kind + "a string",
        "s.proto: Req.a: " + why % kind + "a string, or give Req.a type:FT_IGNORE in s.options",
    ]


# --- Imports that only bring options ----------------------------------------------------------------

MARKS = """
package marks;
import "google/protobuf/descriptor.proto";
import "kinds.proto";
message Rule { int32 least = 1; Rule within = 2; }
message Used { int32 n = 1; }
extend google.protobuf.FieldOptions { Rule rule = 50000; kinds.Kind kind = 50001; }
"""
KINDS = "package kinds;\nmessage Kind { int32 delete = 1; repeated Kind more = 2; }\n"
MARKED = """
import "marks.proto";
message Req { int32 n = 1 [(marks.rule) = { least: 1 }, (marks.kind) = { delete: 2 }]; %s }
service S { rpc Do(Req) returns (Req); }
"""


def test_options_only(workshop):
    """Neither the file nor what its options consist of; they are in no other file, and need no bounds."""
    workshop.write(s=MARKED % "", marks=MARKS, kinds=KINDS)
    workshop.generate("s")
    assert sorted(path.name for path in workshop.out.rglob("*.pb.h")) == ["s.pb.h"]
    for source in workshop.out.rglob("*.c"):
        workshop.compile(source)


def test_options_and_messages(bench):
    """A file of which a message is used is included; what its options consist of is not."""
    bench.write(s=MARKED % "marks.Used used = 2;", marks=MARKS, kinds=KINDS)
    bench.generate("s", "marks")
    included = re.findall('#include "(.*)"', (bench.out / "s.pb.h").read_text())
    assert included == ["marks.pb.h"]
    header = (bench.out / "marks.pb.h").read_text()
    assert 'include "' not in header and "pb_extension_type_t" not in header
    for source in bench.out.rglob("*.c"):
        bench.compile(source)


def test_imports_that_are_not_used_stay(bench):
    """An import without options is included, used or not: others may rely on it."""
    bench.write(
        s='import "a.proto"; import public "b.proto";\nmessage M { int32 n = 1; }\n'
        "service S { rpc Do(M) returns (M); }\n",
        a="message A { int32 n = 1; }\n",
        b=MARKS.replace('import "kinds.proto";', "").replace("kinds.Kind", "Rule"),
    )
    bench.generate("s", "a", "b")
    assert '"a.pb.h"' in (bench.out / "s.pb.h").read_text()
    assert '"b.pb.h"' in (bench.out / "s.pb.h").read_text()


@pytest.fixture
def tree(tmp_path):
    """The project with no files in proto/ but the generator's."""
    for name in set(os.listdir(ROOT)) - {".git", "build", "proto"}:
        os.symlink(ROOT / name, tmp_path / name)
    for folder in ("build", "proto/google/protobuf"):
        os.makedirs(tmp_path / folder)
    os.symlink(NANOPB.parent, tmp_path / "build" / "third")
    for name in ("imports.awk", "nanorpc_generator", "protoc-gen-nanorpc"):
        os.symlink(ROOT / "proto" / name, tmp_path / "proto" / name)
    return tmp_path


def test_make_in_proto(tree):
    """In proto/ nothing has to be said either: option files are not for C, Google's are made as they are needed."""
    for name, text in dict(
        s=MARKED % "",
        marks=MARKS,
        kinds=KINDS,
        g=GOOGLES.replace("Req", "Req2").replace("service S", "service G"),
    ).items():
        (tree / "proto" / (name + ".proto")).write_text('syntax = "proto3";\n' + text)
    done = subprocess.run(["make", "gen"], cwd=tree, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {
        str(p.relative_to(tree / "build" / "gen")) for p in (tree / "build" / "gen").rglob("*.pb.c")
    }
    google = "any duration empty field_mask timestamp wrappers".split()
    assert made == {"s.pb.c", "g.pb.c", *("google/protobuf/%s.pb.c" % name for name in google)}
    for source in (tree / "build" / "gen").rglob("*.c"):
        subprocess.run(
            ["gcc", *STRICT, "-fsyntax-only", "-I%s" % (tree / "build" / "gen"), "-I%s" % ROOT]
            + ["-isystem", NANOPB, source],
            check=True,
        )
    # Python knows no files but its own and these.
    assert (tree / "build" / "py" / "marks_pb2.py").exists()


# --- Editions and proto2 ----------------------------------------------------------------------------

EDITION = """edition = "%s";
import "google/protobuf/timestamp.proto";
option features.field_presence = IMPLICIT;
message Req {
  int32 plain = 1;
  int32 apparent = 2 [features.field_presence = EXPLICIT];
  int32 required = 3 [features.field_presence = LEGACY_REQUIRED];
  int32 eleven = 4 [features.field_presence = EXPLICIT, default = 11];
  Inner inner = 5;
  map<int32, int32> map = 6;
  oneof o { int32 x = 7; string y = 8; }
  google.protobuf.Timestamp when = 9;
  message Inner { int32 n = 1; }
}
service S { rpc Do(Req) returns (Req.Inner); }
"""


@pytest.mark.parametrize("year", [2023, 2024])
def test_editions(bench, year):
    bench.write(s_options="Req.map max_count:2\nReq.y max_length:9\n")
    (bench.path / "s.proto").write_text(EDITION % year)
    bench.generate("s")
    header = (bench.out / "s.pb.h").read_text()
    fields = re.findall(r"^X\(a, STATIC, +(\w+), +\w+, +(\w+),", header, re.M)
    kinds = {name: rule for rule, name in fields[:5]}
    assert kinds == {
        "plain": "SINGULAR",
        "apparent": "OPTIONAL",
        "required": "REQUIRED",
        "eleven": "OPTIONAL",
        "inner": "OPTIONAL",
    }
    show = r'printf("%d %d %d\n", (int)r.eleven, r.has_apparent, r.map_count)'
    main = (ROUND % (values(b"\x18\0\x10\0\x32\2\x08\1"), show)).replace(
        "init_zero", "init_default"
    )
    assert link(bench, "gcc", main, "s.pb.c", "s.nrpc.c").endswith(" 11 1 1")
    ((_, file), *_) = bench.files("s")
    assert file.syntax == "editions" and file.edition == 1000 + year - 2023


def test_explicit_is_what_an_edition_says_where_it_says_nothing(bench):
    (bench.path / "s.proto").write_text(
        'edition = "2023";\nmessage M { int32 n = 1; }\nservice S { rpc Do(M) returns (M); }\n'
    )
    bench.generate("s")
    assert "bool has_n;" in (bench.out / "s.pb.h").read_text()


@pytest.mark.parametrize(
    "text, name",
    [
        (
            'edition = "2023";\nmessage M { N n = 1 [features.message_encoding = DELIMITED]; }\n',
            "n",
        ),
        ('syntax = "proto2";\nmessage M { optional group G = 1 { optional int32 x = 1; } }\n', "g"),
    ],
)
def test_groups(bench, text, name):
    (bench.path / "s.proto").write_text(
        text + "message N { }\nservice S { rpc Do(M) returns (M); }\n"
    )
    assert bench.refused("s") == [
        "s.proto: M.%s: a group, which nanopb does not know; make it a message in a message" % name
    ]


def test_extensions_are_skipped(bench):
    """proto2, as of a newer peer: the number is one of M's range."""
    (bench.path / "s.proto").write_text(
        'syntax = "proto2";\nmessage Req { optional int32 n = 1; extensions 100 to max; }\n'
        "extend Req { optional int32 x = 100; }\nservice S { rpc Do(Req) returns (Req); }\n"
    )
    bench.generate("s")
    assert "extensions" not in (bench.out / "s.pb.h").read_text()
    show = r'printf("%d\n", (int)r.n)'
    main = ROUND % (values(b"\xa0\6\7\x08\5"), show)
    assert link(bench, "gcc", main, "s.pb.c", "s.nrpc.c") == "2 5"


def test_extensions_that_are_asked_for(bench):
    """Who codes messages without services may have nanopb's extensions."""
    (bench.path / "s.proto").write_text(
        'syntax = "proto2";\nmessage Req { optional int32 n = 1; extensions 100 to 200; }\n'
    )
    bench.write(s_options="Req.extensions type:FT_CALLBACK\n")
    bench.generate("s")
    assert "pb_extension_t *extensions;" in (bench.out / "s.pb.h").read_text()


# --- Paths and numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one, two",
    [
        ("dev/Status", "dev/status"),
        ("a_b", "a/b"),
        ("a-b", "a/b"),
        ("3d/model", "x3d/model"),
        ("3", "_3"),
    ],
)
def test_paths_of_one_guard(workshop, one, two):
    """nanopb's own headers of such files would have one include guard, or none that is a name."""
    text = "%smessage %s { int32 n = %d; }\n"
    package = "" if "3" in one else "package p;\n"
    p = "p." if package else ""
    workshop.write(
        **{
            one.replace("/", "__"): text % (package, "A", 1),
            two.replace("/", "__"): text % (package, "B", 3000),
            "s": 'import "%s.proto"; import "%s.proto";\nservice S { rpc Do(%sA) returns (%sB); }\n'
            % (one, two, p, p),
        }
    )
    workshop.generate("s", one, two)
    for source in workshop.out.rglob("*.c"):
        workshop.compile(source)
    workshop.check_headers("gcc", "c99")


def test_paths_of_one_guard_with_the_plugin_of_nanopb(bench):
    bench.write(
        dev__Status="message A { int32 n = 1; }\n",
        dev__status="message B { int32 n = 1; }\n",
        s='import "dev/Status.proto"; import "dev/status.proto";\nservice S { rpc Do(A) returns (B); }\n',
    )
    bench.nanopb_plugin = NANOPB / "generator" / "protoc-gen-nanopb"
    bench.generate("s", "dev/Status", "dev/status")
    said = bench.try_compile(bench.out / "s.nrpc.c", "gcc").stderr
    assert (
        "dev/Status.pb.h: nanopb's own plugin gives this header and another one include guard"
        in said
    )


def test_names_of_sizes_stay(bench):
    """Of usual paths, nanopb's macro of a file has the name that nanopb gives it."""
    bench.write(a_b="package p;\nmessage M { int32 n = 1; }\n", c__D="message N { int32 n = 1; }\n")
    bench.generate("a_b", "c/D")
    assert re.search(
        r"^#define P_A_B_PB_H_MAX_SIZE +p_M_size$", (bench.out / "a_b.pb.h").read_text(), re.M
    )
    assert not re.search(
        r"^#define C_D_PB_H_MAX_SIZE", (bench.out / "c" / "D.pb.h").read_text(), re.M
    )


MOST = 2**29 - 1
LARGE = (
    "message Req { message In { int32 deep = %d; } int32 n = %d; In in = %d; oneof o { int32 x = %d; } }\n"
    % (
        MOST,
        MOST,
        MOST - 1,
        MOST - 2,
    )
)
LARGE_DATA = (
    b"\xf8\xff\xff\xff\x0f\7"
    + b"\xf2\xff\xff\xff\x0f\6"
    + b"\xf8\xff\xff\xff\x0f\x08"
    + b"\xe8\xff\xff\xff\x0f\x09"
)


def test_numbers_to_the_largest(bench):
    bench.write(s=LARGE + "service S { rpc Do(Req) returns (Req); }\n")
    bench.generate("s")
    show = r'printf("%d %d %d\n", (int)r.n, (int)r.in.deep, (int)r.o.x)'
    main = ROUND % (values(LARGE_DATA), show)
    flags = ["-DPB_FIELD_32BIT=1", "-DNRPC_CLIENT=1"]
    printed = link(bench, "gcc", main, "s.pb.c", "s.nrpc.c", "s.client.c", flags=flags)
    assert printed == "%d 7 8 9" % len(LARGE_DATA)
    for source in ("nanorpc/grpc/nrpc_message.c", "nanorpc/grpc/nrpc_streamed.c"):
        bench.compile(ROOT / source, flags=flags)
    for name in ("s.pb.c", "s.nrpc.c", "s.client.c"):
        said = bench.try_compile(bench.out / name, "gcc").stderr
        first = re.search(r"#error \"(.*)\"", said).group(1)
        assert first == (
            "s.proto: Req.n has the number 536870911: numbers over 65535 need -DPB_FIELD_32BIT=1, for all "
            "files, those of nanopb too"
        ) or first.startswith(
            "s.proto: Req.In.deep has the number 536870911: numbers over 65535 need"
        )


# --- Shapes of services that are in use --------------------------------------------------------------------

SHAPES = {
    # as telemetry: lists in lists, a value that may hold values, all kinds of numbers
    "metrics": (
        """package tele.v1;
        message AnyValue { oneof value { string text = 1; bool flag = 2; int64 n = 3; double d = 4;
          ArrayValue array = 5; KeyValueList list = 6; bytes raw = 7; } }
        message ArrayValue { repeated AnyValue values = 1; }
        message KeyValueList { repeated KeyValue values = 1; }
        message KeyValue { string key = 1; AnyValue value = 2; }
        message Point { reserved 1; repeated KeyValue attributes = 7; fixed64 start = 2;
          oneof value { double as_double = 4; sfixed64 as_int = 6; } uint32 flags = 8; repeated fixed64 counts = 9;
          repeated double bounds = 10; optional double sum = 11; }
        message Gauge { repeated Point points = 1; }
        message Sum { repeated Point points = 1; Temporality temporality = 2; bool monotonic = 3; }
        enum Temporality { TEMPORALITY_UNSPECIFIED = 0; TEMPORALITY_DELTA = 1; }
        message Metric { reserved 4, 6, 8; string name = 1; oneof data { Gauge gauge = 5; Sum sum = 7; } }
        message Scope { repeated Metric metrics = 1; string schema_url = 2; }
        message ExportRequest { repeated Scope scopes = 1; }
        message ExportResponse { Partial partial_success = 1;
          message Partial { int64 rejected = 1; string why = 2; } }
        service MetricsService { rpc Export(ExportRequest) returns (ExportResponse); }""",
        "* max_count:2 max_length:12 max_size:8\ntele.v1.AnyValue.array type:FT_IGNORE\n"
        "tele.v1.AnyValue.list type:FT_IGNORE\n",
        ["tele_v1_MetricsService_service"],
    ),
    # as a store of keys: a transaction in a transaction, streams both ways, messages in a file of their own
    "store": (
        """package db; import "kv.proto"; import "google/api/annotations.proto";
        service KV { rpc Range(RangeRequest) returns (RangeResponse)
            { option (google.api.http) = { get: "/v3/kv/range" }; }
          rpc Txn(TxnRequest) returns (TxnResponse); }
        service Watch { rpc Watch(stream WatchRequest) returns (stream WatchResponse); }
        service Lease { rpc KeepAlive(stream Beat) returns (stream Beat); }
        message Header { uint64 cluster_id = 1; int64 revision = 3; }
        message RangeRequest { enum SortOrder { NONE = 0; ASCEND = 1; } bytes key = 1; bytes range_end = 2;
          SortOrder order = 5; }
        message RangeResponse { Header header = 1; repeated kv.KeyValue kvs = 2; bool more = 3; }
        message Op { oneof request { RangeRequest range = 1; TxnRequest txn = 4; } }
        message OpResponse { oneof response { RangeResponse range = 1; TxnResponse txn = 4; } }
        message Compare { enum Result { EQUAL = 0; LESS = 2; } Result result = 1; bytes key = 3;
          oneof target { int64 version = 4; bytes value = 7; } bytes range_end = 64; }
        message TxnRequest { repeated Compare compare = 1; repeated Op success = 2; }
        message TxnResponse { Header header = 1; bool succeeded = 2; repeated OpResponse responses = 3; }
        message WatchRequest { oneof request { RangeRequest create = 1; Beat cancel = 2; } }
        message WatchResponse { Header header = 1; repeated kv.Event events = 11; }
        message Beat { int64 ID = 1; int64 TTL = 2; }""",
        "* max_count:2 max_size:16\ndb.Op.txn type:FT_IGNORE\ndb.OpResponse.txn type:FT_IGNORE\n",
        ["db_KV_service", "db_Watch_service", "db_Lease_service"],
    ),
    # as the tutorial: all four kinds
    "route": (
        """package route;
        service Guide { rpc Get(Point) returns (Feature); rpc List(Box) returns (stream Feature);
          rpc Record(stream Point) returns (Summary); rpc Chat(stream Note) returns (stream Note); }
        message Point { int32 latitude = 1; int32 longitude = 2; } message Box { Point lo = 1; Point hi = 2; }
        message Feature { string name = 1; Point location = 2; }
        message Note { Point location = 1; string message = 2; }
        message Summary { int32 point_count = 1; int32 elapsed_time = 4; }""",
        "* max_length:31\n",
        ["route_Guide_service"],
    ),
    # as long-running operations: Any in a oneof, options that are declared beside the messages
    "operations": (
        """package lro; import "google/protobuf/any.proto"; import "google/protobuf/descriptor.proto";
        import "google/protobuf/duration.proto"; import "google/protobuf/empty.proto";
        import "google/api/annotations.proto";
        extend google.protobuf.MethodOptions { Info info = 1049; }
        service Operations { rpc Get(GetRequest) returns (Operation) { option (info) = { type: "x" }; }
          rpc Cancel(GetRequest) returns (google.protobuf.Empty); rpc Wait(WaitRequest) returns (Operation); }
        message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
        message Operation { string name = 1; google.protobuf.Any metadata = 2; bool done = 3;
          oneof result { Status error = 4; google.protobuf.Any response = 5; } }
        message GetRequest { string name = 1; }
        message WaitRequest { string name = 1; google.protobuf.Duration t = 2; }
        message Info { string type = 1; }""",
        "* max_count:2 max_length:31\n",
        ["lro_Operations_service"],
    ),
}
KV = """package kv;
message KeyValue { bytes key = 1; int64 create_revision = 2; bytes value = 5; int64 lease = 6; }
message Event { enum EventType { PUT = 0; DELETE = 1; } EventType type = 1; KeyValue kv = 2; }
"""
HTTP = "package google.api;\nmessage HttpRule { string get = 2; string delete = 5; repeated HttpRule more = 11; }\n"
ANNOTATIONS = """package google.api;
import "google/api/http.proto";
import "google/protobuf/descriptor.proto";
extend google.protobuf.MethodOptions { HttpRule http = 72295728; }
"""


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("compiler", ["gcc", "arm-none-eabi-gcc"])
def test_shapes(bench, name, compiler):
    text, options, services = SHAPES[name]
    bench.write(
        **{name: text, name + "_options": options},
        kv=KV,
        kv_options="* max_size:16\n",
        google__api__http=HTTP,
        google__api__annotations=ANNOTATIONS,
    )
    bench.generate(name, *(["kv"] if "kv.proto" in text else []))
    for source in bench.out.rglob("*.c"):
        bench.compile(source, compiler, ["-DNRPC_LARGE_MESSAGES=1"])
    header = (bench.out / (name + ".nrpc.h")).read_text()
    assert re.findall(r"extern const struct nrpc_service (\w+);", header) == services
