# tests/generator/test_generator_code.py - what the generator writes compiles, links, and holds what it should.
# Layer: tests. Source: issue 2, "The generator"; nanorpc.h, match.h, server.h.
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest

from workshop import COMPILERS, ROOT, bench, need, workshop  # noqa: F401 (fixtures)

OK, UNIMPLEMENTED, PENDING, MORE = 0, 12, 32, 33
UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI = range(4)

KINDS = """
package a.b;
message Small { int32 n = 1; }
message Large { string text = 1; }
service Kinds {
  rpc Unary(Small) returns (Large);
  rpc Client(stream Large) returns (Small);
  rpc Server(Small) returns (stream Large);
  rpc Bidi(stream Small) returns (stream Small);
}
"""
KINDS_OPTIONS = "a.b.Large.text max_size:100\n"


def names_of(lines):
    return [line.split()[1:] for line in lines if line.startswith("name ")]


def methods_of(lines):
    """The values printed for each method, as (kind, handler, [next...])."""
    found = []
    for line in lines:
        if line.startswith("method "):
            values = [pair.split("=") for pair in line.split()[1:]]

            def find(key):
                return [int(v) for k, v in values if k == key]

            found.append((find("kind")[0], find("handler")[0], find("next")))
    return found


# --- The project's own services ------------------------------------------------------------------

PROJECT = ("helloworld", "helloworld/greeter", "simpletest")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_project_services_compile(workshop, compiler):
    workshop.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")
    for name in PROJECT:
        workshop.compile(workshop.out / (name + ".nrpc.c"), compiler)
    workshop.compile(ROOT / "boards" / "apps" / "greeter" / "greeter.c", compiler)


def test_project_services_tables(workshop):
    workshop.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")
    lines = workshop.dump(
        "Greeter_service", "helloworld_Greeter_service", "simpletest_SimpleTest_service"
    )
    assert [line for line in lines if line.startswith("service")] == [
        "service %s" % name for name in ("Greeter", "helloworld.Greeter", "simpletest.SimpleTest")
    ]
    greeter = [["SayHello", "0"], ["SayHelloAgain", "1"], ["Test", "2"]]
    simple = [["GetList", "0"], ["GetOne", "1"], ["PostAndPost", "2"], ["PostList", "3"]]
    assert names_of(lines) == greeter + greeter + simple
    assert [kind for kind, _, _ in methods_of(lines)] == [UNARY] * 6 + [
        SERVER_STREAM,
        UNARY,
        BIDI,
        CLIENT_STREAM,
    ]
    # 2 bytes of tag and length, then the longest text: 48 and 64 bytes.
    assert "server rx=55 tx=71 request=1" in lines


def test_the_list_of_match_h(bench):
    """The very example that match.h gives."""
    bench.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")
    code = (bench.out / "helloworld.nrpc.c").read_text()
    literal = re.search(r"_names\[\] =((?:\s*\"[^\"]*\")+);", code).group(1)
    assert "".join(re.findall('"([^"]*)"', literal)) == r"\200SayHello\210Again\200Test\377"


def test_handlers_of_the_boards_answer(workshop):
    """boards/apps/greeter/greeter.c has a handler for each method: no name of one is that of a weak default only."""
    workshop.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")
    code = "".join((workshop.out / (name + ".nrpc.c")).read_text() for name in PROJECT)
    greeter = workshop.compile(ROOT / "boards" / "apps" / "greeter" / "greeter.c")
    symbols = subprocess.run(
        [need("nm"), str(greeter)], text=True, capture_output=True, check=True
    ).stdout
    defined = set(re.findall(r" T (\w+)", symbols))
    handlers = set(re.findall(r"return (\w+)\(call, request", code))
    assert len(handlers) == 10
    assert handlers <= defined
    assert "simpletest_SimpleTest_GetList_next" in defined


# --- Handlers, left out or written ---------------------------------------------------------------


# A client may send nothing for long, or wait for a method to speak first; when it was left out it must say so.
@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_weak_defaults(workshop, compiler):
    workshop.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    lines = workshop.generate("kinds").dump("a_b_Kinds_service", compiler=compiler)
    assert names_of(lines) == [["Bidi", "0"], ["Client", "1"], ["Server", "2"], ["Unary", "3"]]
    assert methods_of(lines) == [
        (BIDI, UNIMPLEMENTED, [UNIMPLEMENTED, UNIMPLEMENTED]),
        (CLIENT_STREAM, UNIMPLEMENTED, [UNIMPLEMENTED, UNIMPLEMENTED]),
        (SERVER_STREAM, UNIMPLEMENTED, [PENDING, PENDING]),
        (UNARY, UNIMPLEMENTED, []),
    ]


USER = """
#include <stdio.h>
enum nrpc_status a_b_Kinds_Unary(struct nrpc_call *call, const a_b_Small *request, a_b_Large *reply)
{
    reply->text[0] = (char)request->n;
    (void)a_b_Kinds_Unary_reply(call, reply);
    return NRPC_OK;
}
enum nrpc_status a_b_Kinds_Bidi(struct nrpc_call *call, const a_b_Small *request)
{
    (void)a_b_Kinds_Bidi_send(call, request);
    return NRPC_PENDING;
}
enum nrpc_status a_b_Kinds_Server_next(struct nrpc_call *call, a_b_Large *reply)
{
    (void)call;
    reply->text[0] = 'x';
    return NRPC_MORE;
}
void a_b_Kinds_Bidi_cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    printf("cancelled %d\\n", (int)why);
}
"""


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_handlers_replace_defaults(workshop, compiler):
    workshop.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    lines = workshop.generate("kinds").dump("a_b_Kinds_service", user=USER, compiler=compiler)
    assert methods_of(lines) == [
        (BIDI, PENDING, [PENDING, OK]),
        (CLIENT_STREAM, UNIMPLEMENTED, [UNIMPLEMENTED, UNIMPLEMENTED]),
        (SERVER_STREAM, UNIMPLEMENTED, [MORE, MORE]),
        (UNARY, OK, []),
    ]
    assert [lines.count(line) for line in ("sent", "replied", "cancelled 1")] == [1, 1, 1]


def test_send_and_reply_check_the_type(bench):
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    bench.generate("kinds")
    for wrapper in ("Unary_reply", "Client_reply", "Server_send", "Bidi_send"):
        wrong = "a_b_Small" if wrapper in ("Unary_reply", "Server_send") else "a_b_Large"
        source = bench.path / "wrong.c"
        source.write_text(
            '#include "kinds.nrpc.h"\nint f(struct nrpc_call *c, const %s *m);\n'
            "int f(struct nrpc_call *c, const %s *m) { return a_b_Kinds_%s(c, m); }\n"
            % (wrong, wrong, wrapper)
        )
        assert "incompatible-pointer-types" in bench.try_compile(source, "gcc").stderr


# --- Messages: nested, imported, the well-known ones ---------------------------------------------

EVERYTHING = """
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/empty.proto";
import "parts/common.proto";
enum Colour { RED = 0; GREEN = 200; }
message Order {
  message Line { string item = 1; uint32 count = 2; }
  repeated Line lines = 1;
  google.protobuf.Timestamp when = 2;
  parts.Common common = 3;
  parts.Common.Inner inner = 4;
  oneof choice { string text = 5; bytes raw = 6; parts.Common third = 7; }
  map<string, int32> stock = 8;
  Colour colour = 9;
  optional double price = 10;
}
service Shop {
  rpc Buy(Order) returns (google.protobuf.Empty);
  rpc Look(google.protobuf.Empty) returns (parts.Common.Inner);
  rpc Lines(stream Order.Line) returns (stream parts.Common);
}
service Second { rpc Ping(google.protobuf.Timestamp) returns (google.protobuf.Timestamp); }
service Nothing { }
"""
EVERYTHING_OPTIONS = """
shop.Order.lines max_count:3
shop.Order.Line.item max_size:20
shop.Order.text max_length:30
shop.Order.raw max_size:10
shop.Order.stock max_count:4
shop.Order.StockEntry.key max_size:8
"""
COMMON = """
package parts;
message Common {
  message Inner { bytes id = 1; }
  Inner inner = 1;
  repeated sint32 numbers = 2;
}
"""
COMMON_OPTIONS = (
    "parts.Common.Inner.id max_size:16 fixed_length:true\nparts.Common.numbers max_count:5\n"
)


def everything(shop):
    shop.write(
        shop=EVERYTHING,
        shop_options=EVERYTHING_OPTIONS,
        parts__common=COMMON,
        parts__common_options=COMMON_OPTIONS,
    )
    # nanopb brings no copy of the well-known types; protoc finds its own.
    return shop.generate(
        "shop", "parts/common", "google/protobuf/timestamp", "google/protobuf/empty"
    )


@pytest.mark.parametrize("compiler", COMPILERS)
def test_everything_compiles(workshop, compiler):
    """Also the assertions that each size written is the one that nanopb wrote."""
    everything(workshop)
    for name in ("shop", "parts/common"):
        workshop.compile(workshop.out / (name + ".nrpc.c"), compiler)


def test_everything_links(workshop):
    lines = everything(workshop).dump(
        "shop_Shop_service", "shop_Second_service", "shop_Nothing_service"
    )
    assert names_of(lines) == [["Buy", "0"], ["Lines", "1"], ["Look", "2"], ["Ping", "0"]]
    header = (workshop.out / "shop.nrpc.h").read_text()
    sizes = dict(re.findall(r"#define (\w+_BYTES) (\d+)", header))
    assert sizes["shop_Second_service_REQUEST_BYTES"] == "22"  # int64 11, int32 11
    assert sizes["shop_Shop_service_REPLY_BYTES"] == "50"  # 1+1+(1+1+16), 5 * (1+5)
    assert sizes["shop_Nothing_service_REPLY_BYTES"] == "0"
    request = int(sizes["shop_Shop_service_REQUEST_BYTES"])
    assert "server rx=%d tx=%d request=1" % (request + 5, 50 + 5) in lines


def test_mangled_names(workshop):
    """nanopb's options that shorten the names of messages do the same here."""
    workshop.write(
        kinds=KINDS, kinds_options="Large.text max_size:100\n* mangle_names:M_STRIP_PACKAGE\n"
    )
    workshop.generate("kinds")
    assert (
        "a_b_Kinds_Unary(struct nrpc_call *call, const Small *request"
        in (workshop.out / "kinds.nrpc.h").read_text()
    )
    workshop.compile(workshop.out / "kinds.nrpc.c")


def test_options_of_nanopb_are_taken(bench):
    """One parameter list for both plugins: another options file, C style names, other endings."""
    bench.write(kinds=KINDS)
    (bench.path / "limits.txt").write_text(KINDS_OPTIONS)
    bench.generate("kinds", options=["-flimits.txt", "-C", "-e.msg"])
    header = (bench.out / "kinds.nrpc.h").read_text()
    assert '#include "kinds.msg.h"' in header and "const a_b_small_t *request" in header
    bench.compile(bench.out / "kinds.nrpc.c")


def test_bound_for_all_by_parameter(bench):
    bench.write(kinds=KINDS)
    bench.generate("kinds", options=["-smax_size:100"])
    bench.compile(bench.out / "kinds.nrpc.c")


def test_options_are_found_below_I(bench):
    bench.write(kinds=KINDS, elsewhere__kinds_options=KINDS_OPTIONS)
    bench.generate("kinds", options=["-Ielsewhere"])
    bench.compile(bench.out / "kinds.nrpc.c")


@pytest.mark.parametrize("size", (99, 101))
def test_sizes_that_differ_do_not_compile(bench, size):
    """Messages generated with other options than the services: a static assertion says so."""
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    bench.generate("kinds", messages=False)
    bench.write(kinds_options="a.b.Large.text max_size:%d\n" % size)
    assert bench.run("nanopb", ["kinds.proto"], [], ".").returncode == 0
    done = bench.try_compile(bench.out / "kinds.nrpc.c", "gcc")
    assert "a_b_Large: generate messages and services together" in done.stderr


def test_a_reply_of_64_kb_does_not_compile(bench):
    bench.write(kinds=KINDS, kinds_options="a.b.Large.text max_size:70000\n")
    bench.generate("kinds")
    assert (
        "a_b_Large: over 65535 bytes" in bench.try_compile(bench.out / "kinds.nrpc.c", "gcc").stderr
    )


# --- The list of names ---------------------------------------------------------------------------


def many(names):
    return "message M { int32 n = 1; }\nservice S {\n%s}\n" % "".join(
        "rpc %s(M) returns (M);\n" % name for name in names
    )


def test_names_that_share_prefixes(workshop):
    names = [
        "Z",
        "a",
        "A",
        "Aa",
        "AaB",
        "Ab",
        "A_",
        "B0",
        "B01",
        "B1",
        "x" * 126 + "y",
        "x" * 126 + "z",
    ]
    workshop.write(s=many(names))
    lines = workshop.generate("s").dump("S_service")
    assert names_of(lines) == [[name, str(i)] for i, name in enumerate(sorted(names))]


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_255_long_names(bench, compiler):
    """As many as there may be, in a list that is longer than a string of C99 may be."""
    names = ["M%03d%s" % (7 * i % 255, "abcdefghij" * 6) for i in range(255)]
    bench.write(s=many(names))
    lines = bench.generate("s").dump("S_service", compiler=compiler)
    assert names_of(lines) == [[name, str(i)] for i, name in enumerate(sorted(names))]


# --- Comments ------------------------------------------------------------------------------------


def test_comments_are_taken(workshop):
    workshop.write(
        s="""
message M { int32 n = 1; }
// Of the service: /* not a comment */ what??/
service S {
  // Of the method. \\
  rpc A(M) returns (M);
  rpc B(M) returns (M); // Behind it.
}
"""
    )
    workshop.generate("s")
    header = (workshop.out / "s.nrpc.h").read_text()
    assert "Of the service: / * not a comment * / what" in header
    assert "/* Of the method." in header and "/* Behind it." in header
    for compiler in ("gcc", "clang"):
        workshop.compile(workshop.out / "s.nrpc.c", compiler)


def test_no_services(workshop):
    """A file of messages alone makes files too, so that a build rule need not know."""
    workshop.write(m="message M { string unbounded = 1; }\n")
    workshop.generate("m")
    workshop.compile(workshop.out / "m.nrpc.c", "clang", ["-Wno-empty-translation-unit"])


def test_nothing_changes_when_run_again(bench):
    everything(bench)
    before = {path: path.read_bytes() for path in bench.out.rglob("*.nrpc.*")}
    everything(bench)
    assert before and before == {path: path.read_bytes() for path in bench.out.rglob("*.nrpc.*")}


# --- Messages over 65000 bytes -------------------------------------------------------------------

LARGE = """
service Big { rpc Take(Blob) returns (Done); }
message Blob { bytes data = 1; }
message Done { }
"""
LARGE_SERVER = '#include "large.nrpc.h"\nNRPC_SERVER_DEFINE(server, 1, Big_service);\n'


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_large_messages_need_the_setting(workshop, compiler):
    workshop.write(large=LARGE, large_options="Blob.data max_size:70000\n")
    workshop.generate("large")
    source = workshop.path / "server.c"
    source.write_text(LARGE_SERVER)
    refused = workshop.try_compile(source, compiler)
    assert refused.returncode != 0 and "NRPC_LARGE_MESSAGES=1" in refused.stderr
    workshop.compile(source, compiler, ["-DNRPC_LARGE_MESSAGES=1"])


# --- Requests that begin as zeros ------------------------------------------------------------------

ZEROS = {
    'syntax = "proto3"; message In { int32 n = 1; oneof u { Deep d = 2; bool b = 3; } }': True,
    'syntax = "proto3"; message In { int32 n = 1 [deprecated = true]; }': True,
    'syntax = "proto2"; message In { optional int32 n = 1; }': False,
    'syntax = "proto2"; message In { optional int32 n = 1 [default = 7]; }': False,
    'edition = "2023"; message In { int32 n = 1; }': False,
}


@pytest.mark.parametrize("text, zeros", ZEROS.items())
def test_requests_that_begin_as_zeros(bench, text, zeros):
    """The core zeroes these itself, at once; nanopb sets the defaults of all others, field by field."""
    service = "message Deep { int32 n = 1; } service S { rpc Do(In) returns (Deep); }\n"
    if "proto2" in text:
        service = service.replace("int32", "optional int32")
    (bench.path / "s.proto").write_text(text + service)
    bench.generate("s")
    code = (bench.out / "s.nrpc.c").read_text()
    assert (".request_zeros = sizeof(In) <= UINT16_MAX ? sizeof(In) : 0," in code) == zeros
