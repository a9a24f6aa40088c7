# tests/generator/test_generator_files.py - NAME.desc.c: what reflection gives out; and headers that C++ takes.
# Layer: tests. Source: google/protobuf/descriptor.proto; nanorpc/services/reflection.h.
# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from test_generator_code import KINDS, KINDS_OPTIONS, PROJECT, everything

from workshop import COMPILERS, ROOT, bench, need, workshop  # noqa: F401 (fixtures)


def pool_of(files):
    """All of them in one pool, as a client puts them there: a file comes after what it imports."""
    pool = descriptor_pool.DescriptorPool()
    waiting = {file.name: file for _, file in files}
    while waiting:
        ready = [f for f in waiting.values() if not set(f.dependency) & set(waiting)]
        assert ready, "an import is missing or circular: %s" % sorted(waiting)
        for file in ready:
            pool.AddSerializedFile(file.SerializeToString())
            del waiting[file.name]
    return pool


def test_project_files(workshop):
    workshop.generate(*PROJECT, options=["-I%s" % (ROOT / "proto")], include=ROOT / "proto")
    files = workshop.files(*PROJECT)
    assert [(kind, file.name) for kind, file in files] == [
        ("file", name + ".proto") for name in PROJECT
    ]
    pool = pool_of(files)
    method = pool.FindServiceByName("simpletest.SimpleTest").methods_by_name["PostAndPost"]
    assert (
        method.client_streaming
        and method.server_streaming
        and method.input_type.name == "RequestList"
    )
    for _, file in files:
        # The C code looks for them there: see has_symbol.
        data = file.SerializeToString(deterministic=True)
        assert data.startswith(b"\x0a%c%s" % (len(file.name), file.name.encode()))
        assert not file.HasField("source_code_info") and b"json" not in data


@pytest.mark.parametrize("compiler", COMPILERS)
def test_files_compile(workshop, compiler):
    everything(workshop)
    for source in sorted(workshop.out.rglob("*.desc.c")):
        workshop.compile(source, compiler)


@pytest.mark.parametrize("compiler", ("gcc", "clang"))
def test_imports(workshop, compiler):
    """All of them, those of imports too; each once, though several files bring it."""
    everything(workshop)
    assert len(list(workshop.out.rglob("*.desc.c"))) == 4
    files = workshop.files("shop", "parts/common", compiler=compiler)
    names = [
        "shop.proto",
        "google/protobuf/timestamp.proto",
        "google/protobuf/empty.proto",
        "parts/common.proto",
    ]
    assert [file.name for _, file in files] == names + names[-1:]
    assert [kind for kind, _ in files] == ["file"] + 3 * ["import"] + ["file"]
    order = pool_of(files).FindMessageTypeByName("shop.Order")
    assert order.fields_by_name["stock"].message_type.GetOptions().map_entry
    assert order.oneofs_by_name["choice"].fields[2].message_type.full_name == "parts.Common"
    assert order.fields_by_name["price"].has_presence and order.fields_by_name["lines"].is_repeated
    assert order.fields_by_name["colour"].enum_type.values_by_name["GREEN"].number == 200


def test_each_stands_alone(bench):
    """One .desc.c is enough, whatever it imports."""
    everything(bench)
    for path in bench.out.rglob("*.desc.c"):
        if path.name != "shop.desc.c":
            path.unlink()
    assert len(bench.files("shop")) == 4


STRIPPED = """
package s;
import "google/protobuf/descriptor.proto";
import "google/protobuf/timestamp.proto";
import "own.proto";
import public "shown.proto";
import "unused.proto";
option java_package = "org.example.s";
option go_package = "example.org/s";
option (own.on_file) = "secret";
// A comment.
message M {
  option deprecated = true;
  string plain_name = 1 [(own.on_field) = "secret", json_name = "other"];
  string snake_case_name = 2 [(own.on_field) = "secret"];
  repeated int32 packed = 3 [packed = false];
  shown.Deep deep = 4;
  extend google.protobuf.MessageOptions { string on_message = 50003; }
}
service S {
  option (own.on_service) = "secret";
  rpc A(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
}
"""
OWN = """
package own;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FileOptions { string on_file = 50000; }
extend google.protobuf.FieldOptions { string on_field = 50001; }
extend google.protobuf.ServiceOptions { string on_service = 50002; }
"""


def test_what_is_left_out(workshop):
    """Comments, custom options, options of other languages, and imports that are only for these."""
    workshop.write(
        stripped=STRIPPED,
        own=OWN,
        shown='package shown; import public "deep.proto";\n',
        deep="package shown; message Deep { int32 n = 1; }\n",
        unused="message Unused { int32 n = 1; }\n",
        stripped_options="s.M.plain_name max_size:8\ns.M.snake_case_name max_size:8\ns.M.packed max_count:2\n"
        "s.M.on_message type:FT_IGNORE\n",
    )
    workshop.generate("stripped", "shown", "deep", messages=False)
    files = workshop.files("stripped")
    assert [file.name for _, file in files] == ["stripped.proto", "shown.proto", "deep.proto"]
    file = files[0][1]
    assert list(file.dependency) == ["shown.proto"] and list(file.public_dependency) == [0]
    assert b"secret" not in file.SerializeToString() and not file.HasField("options")
    message = pool_of(files).FindMessageTypeByName("s.M")
    assert message.GetOptions().deprecated and not message.extensions
    assert [field.json_name for field in message.fields] == [
        "other",
        "snakeCaseName",
        "packed",
        "deep",
    ]
    assert not message.fields_by_name["packed"].is_packed
    assert file.service[0].method[0].options.idempotency_level == 1


@pytest.mark.parametrize(
    "name", ["a_b", "snake_case_name", "x1_y2", "_lead", "trail_", "two__in", "Upper_case", "a_1"]
)
def test_json_names(bench, name):
    """What is left out must be what the client makes of it."""
    bench.write(s="message M { int32 %s = 1; }\nservice S { rpc A(M) returns (M); }\n" % name)
    descriptor = bench.path / "s.bin"
    subprocess.run(
        bench.protoc + ["-I.", "--descriptor_set_out=%s" % descriptor, "s.proto"],
        cwd=bench.path,
        check=True,
    )
    expected = (
        FileDescriptorSet.FromString(descriptor.read_bytes())
        .file[0]
        .message_type[0]
        .field[0]
        .json_name
    )
    ((_, file),) = bench.generate("s", messages=False).files("s")
    assert not file.message_type[0].field[0].json_name
    assert pool_of([("file", file)]).FindMessageTypeByName("M").fields[0].json_name == expected


def test_dropped_without_reflection(bench):
    """Nothing but NRPC_REFLECTION_DEFINE refers to descriptors."""
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    bench.generate("kinds")
    source = bench.path / "main.c"
    source.write_text(
        '#define NRPC_SAME_TOLD_HERE\n#include "nanorpc/config.h"\nint main(void) { return 0; }\n'
    )
    program = bench.path / "program"
    objects = [bench.compile(c) for c in (source, bench.out / "kinds.desc.c")]
    subprocess.run(["gcc", "-Wl,--gc-sections", "-o", str(program), *map(str, objects)], check=True)
    symbols = subprocess.run(
        [need("nm"), str(program)], text=True, capture_output=True, check=True
    ).stdout
    assert "main" in symbols and "kinds_proto_file" not in symbols


# --- C++ ---------------------------------------------------------------------------------------------

CPP = """
#include <cstring>
#include "shop.nrpc.h"
#include "kinds.nrpc.h"
#include "nanorpc/services/health.h"
#include "nanorpc/services/reflection.h"

enum nrpc_status a_b_Kinds_Unary(struct nrpc_call *call, const a_b_Small *request, a_b_Large *reply)
{
    if (request->n < 0)
        return nrpc_call_fail(call, NRPC_OUT_OF_RANGE, "negative");
    std::strcpy(reply->text, "C++");
    return NRPC_OK;
}

enum nrpc_status a_b_Kinds_Bidi(struct nrpc_call *call, const a_b_Small *request)
{
    return request && a_b_Kinds_Bidi_send(call, request) != 0 ? NRPC_ABORTED : NRPC_OK;
}
"""
CPP_SERVER = (
    CPP
    + """
NRPC_SERVER_DEFINE(cpp_server, 2, a_b_Kinds_service, shop_Shop_service, nrpc_health_service, nrpc_reflection_service);
NRPC_HEALTH_DEFINE(cpp_server);
NRPC_REFLECTION_DEFINE(a_b_Kinds_service, shop_Shop_service, nrpc_health_service);
"""
)
# A designated initialiser leaves the rest out on purpose.
CPP_STRICT = (
    "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wno-missing-field-initializers".split()
)


@pytest.mark.parametrize("compiler", ("g++", "clang++"))
@pytest.mark.parametrize("standard,text", [("c++11", CPP), ("c++20", CPP_SERVER)])
def test_headers_in_cpp(bench, compiler, standard, text):
    """Handlers in C++ are those that the tables hold; a server in C++ needs its designated initialisers."""
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    everything(bench)
    bench.generate("kinds")
    source = bench.path / "user.cc"
    source.write_text(text)
    target = bench.path / "user.o"
    done = subprocess.run(
        [
            need(compiler),
            "-std=" + standard,
            *CPP_STRICT,
            "-DNRPC_PIECES=1",
            "-I%s" % bench.out,
            "-I%s" % ROOT,
            "-isystem",
            str(bench.nanopb),
            "-c",
            str(source),
            "-o",
            str(target),
        ],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    symbols = subprocess.run(
        [need("nm"), str(target)], text=True, capture_output=True, check=True
    ).stdout
    wanted = ["a_b_Kinds_Unary", "a_b_Kinds_Bidi"]
    if text is CPP_SERVER:
        wanted += ["cpp_server", "nrpc_health", "nrpc_reflection_files"]
    for name in wanted:
        assert any(
            line.split()[-1] == name and line.split()[-2] in "TDBRV"
            for line in symbols.splitlines()
        ), symbols


def test_options_within_the_proto(workshop):
    """nanopb.proto gives bounds in the .proto itself; it and descriptor.proto are nothing for a device."""
    shutil.copy(
        workshop.nanopb / "generator" / "proto" / "nanopb.proto", workshop.path / "nanopb.proto"
    )
    workshop.write(
        s='import "nanopb.proto";\nmessage M { string text = 1 [(nanopb).max_length = 10]; }\n'
        "service S { rpc A(M) returns (M); }\n"
    )
    ((kind, file),) = workshop.generate("s").files("s")
    assert not file.dependency and not file.message_type[0].field[0].HasField("options")
    assert "#define S_service_REQUEST_BYTES 12" in (workshop.out / "s.nrpc.h").read_text()
    workshop.compile(workshop.out / "s.nrpc.c")
