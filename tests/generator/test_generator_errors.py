# tests/generator/test_generator_errors.py - what the generator refuses, and in which words.
# Layer: tests. Source: issue 2, "The generator".
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys

import pytest

from workshop import NANOPB, ROOT, bench, workshop  # noqa: F401 (fixtures)

REPLY = "message Rep { int32 n = 1; }\n"
SERVICE = REPLY + "service S { rpc Do(Req) returns (Rep); }\n"


def test_the_example_of_the_issue(workshop):
    workshop.write(
        helloworld=(ROOT / "proto" / "helloworld.proto")
        .read_text()
        .replace('syntax = "proto3";', ""),
        helloworld_options="HelloReply.message max_size:65\n",
    )
    assert workshop.refused("helloworld") == [
        "helloworld.proto: HelloRequest.name: unbounded string; "
        "give HelloRequest.name a max_length in helloworld.options"
    ]


FIELDS = [
    ("string a = 1;", "", "unbounded string; give Req.a a max_length"),
    ("bytes a = 1;", "", "unbounded bytes; give Req.a a max_size"),
    ("optional string a = 1;", "", "unbounded string; give Req.a a max_length"),
    ("oneof o { string a = 1; int32 b = 2; }", "", "unbounded string; give Req.a a max_length"),
    ("repeated int32 a = 1;", "", "unbounded repeated field; give Req.a a max_count"),
    ("repeated Rep a = 1;", "", "unbounded repeated field; give Req.a a max_count"),
    (
        "repeated string a = 1;",
        "",
        "unbounded repeated string; give Req.a a max_count and a max_length",
    ),
    (
        "repeated string a = 1;",
        "Req.a max_count:3",
        "unbounded repeated string; give Req.a a max_length",
    ),
    (
        "repeated bytes a = 1;",
        "Req.a max_size:3",
        "unbounded repeated bytes; give Req.a a max_count",
    ),
    ("map<int32, int32> a = 1;", "", "unbounded map; give Req.a a max_count"),
    ("string a = 1;", "Req.a type:FT_STATIC", "unbounded string; give Req.a a max_length"),
    ("string a = 1;", "Req.a type:FT_POINTER", "unbounded string; give Req.a a max_length"),
    (
        "int32 a = 1;",
        "Req.a type:FT_CALLBACK",
        "a callback field, which has no largest size; give Req.a type:FT_STATIC",
    ),
    (
        "Rep a = 1;",
        "Req.a type:FT_POINTER",
        "a pointer field, which has no largest size; give Req.a type:FT_STATIC",
    ),
]


@pytest.mark.parametrize("field, options, text", FIELDS)
def test_field(bench, field, options, text):
    bench.write(s=SERVICE + "message Req { %s }\n" % field, s_options=options + "\n")
    assert bench.refused("s") == ["s.proto: Req.a: %s in s.options" % text]


@pytest.mark.parametrize(
    "field, options",
    [
        ("string a = 1;", "Req.a max_size:9"),
        ("string a = 1;", "Req.a max_length:9"),
        ("string a = 1;", "Req.* max_length:9"),
        ("string a = 1;", "Req.a type:FT_IGNORE"),
        ("string a = 1;", "Req.a type:FT_STATIC max_size:9"),
        ("bytes a = 1;", "Req.a max_size:9 fixed_length:true"),
        ("repeated string a = 1;", "Req.a max_size:9 max_count:9"),
        ("repeated int32 a = 1;", "Req.a max_count:9 fixed_count:true"),
        ("map<string, int32> a = 1;", "Req.a max_count:9\nReq.AEntry.key max_size:9"),
        ("map<string, int32> a = 1;", "Req.a type:FT_IGNORE"),
        ("Req a = 1;", "Req.a type:FT_IGNORE"),
    ],
)
def test_field_that_is_bounded(bench, field, options):
    bench.write(s=SERVICE + "message Req { %s }\n" % field, s_options=options + "\n")
    bench.generate("s")
    bench.compile(bench.out / "s.nrpc.c")


def test_all_at_once_also_nested_and_imported(workshop):
    workshop.write(
        s="""
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
import "parts/common.proto";
message Req {
  message Inner { bytes deep = 1; }
  google.protobuf.Timestamp when = 1;
  google.protobuf.Any any = 2;
  parts.Common common = 3;
  repeated Inner inner = 4;
  map<string, Inner> by_name = 5;
}
message NotReached { string free = 1; }
"""
        + SERVICE,
        s_options="Req.inner max_count:2\n",
        parts__common="""
package parts;
message Common { message Sub { string s = 1; } Sub sub = 1; repeated int32 n = 2; }
message NotReached { string free = 1; }
""",
        parts__common_options="# nothing\n",
    )
    assert workshop.refused("s") == [
        "parts/common.proto: parts.Common.Sub.s: unbounded string; give parts.Common.Sub.s a max_length in "
        "parts/common.options",
        "parts/common.proto: parts.Common.n: unbounded repeated field; give parts.Common.n a max_count in "
        "parts/common.options",
        "s.proto: Req.Inner.deep: unbounded bytes; give Req.Inner.deep a max_size in s.options",
        "s.proto: Req.by_name: unbounded map; give Req.by_name a max_count in s.options",
        "s.proto: Req.ByNameEntry.key: unbounded string; give Req.ByNameEntry.key a max_length in s.options",
    ]


def test_well_known_types_can_be_bounded(workshop):
    workshop.write(
        s='import "google/protobuf/any.proto";\nmessage Req { google.protobuf.Any any = 1; }\n'
        + SERVICE,
        google__protobuf__any_options="google.protobuf.Any.* max_size:40\n",
    )
    workshop.generate("s", "google/protobuf/any")
    workshop.compile(workshop.out / "s.nrpc.c")
    assert "char type_url[40];" in (workshop.out / "google" / "protobuf" / "any.pb.h").read_text()


RECURSIVE = (
    "recursive: messages inside themselves have no largest size; change the message, or give %s "
    "type:FT_IGNORE in s.options"
)


def test_recursion(workshop):
    workshop.write(
        s=SERVICE
        + """
message Req { int32 plain = 1; Req left = 2; Other other = 3; }
message Other { Third third = 1; int32 plain = 2; }
message Third { Other back = 1; string text = 2; }
""",
        s_options="Nothing.x max_size:1\n",
    )
    assert workshop.refused("s") == [
        "s.proto: Req.left: " + RECURSIVE % "Req.left",
        "s.proto: Third.back: " + RECURSIVE % "Third.back",
        "s.proto: Third.text: unbounded string; give Third.text a max_length in s.options",
    ]


def test_a_message_that_is_left_out(bench):
    bench.write(
        s=SERVICE + "message Req { Sub sub = 1; }\nmessage Sub { int32 n = 1; }\n",
        s_options="Sub skip_message:true\n",
    )
    assert bench.refused("s") == [
        "s.proto: Sub: left out by skip_message or discard_deprecated, but Req.sub needs it"
    ]


# --- Names that C cannot have --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["int", "while", "typedef", "bool"])
def test_keywords(bench, name):
    bench.write(s=SERVICE + "message Req { int32 %s = 1; }\n" % name, s_options="# nothing\n")
    assert bench.refused("s") == ["s.proto: Req.%s: a keyword of C; rename the field" % name]
    bench.write(
        s="message %s { int32 n = 1; }\nservice S { rpc Do(.%s) returns (.%s); }\n"
        % (name, name, name)
    )
    assert bench.refused("s") == ["s.proto: %s: a keyword of C; rename the message" % name]


def test_methods_and_services_may_have_names_of_keywords(workshop):
    """They never stand alone in C."""
    workshop.write(
        s="message M { int32 n = 1; }\nservice int { rpc while(M) returns (M); rpc int(M) returns (M); }\n"
    )
    workshop.generate("s")
    for compiler in ("gcc", "clang"):
        workshop.compile(workshop.out / "s.nrpc.c", compiler)


M = "message M { int32 n = 1; }\n"


def test_services_of_one_name_in_c(workshop):
    workshop.write(
        one='package a.b;\nimport "two.proto";\n'
        + M
        + "service C { rpc Do(M) returns (.a.M2); }\n",
        two="package a;\nmessage M2 { int32 n = 1; }\nservice b_C { rpc Do(M2) returns (M2); }\n",
    )
    lines = workshop.refused("one", "two")
    assert (
        "one.proto: a.b.C: its service object would be a_b_C_service in C, as is that of a.b_C; rename one"
        in lines
        or "two.proto: a.b_C: its service object would be a_b_C_service in C, as is that of a.b.C; rename one"
        in lines
    )


@pytest.mark.parametrize(
    "text, problem",
    [
        (
            "service S { rpc Get(M) returns (stream M); rpc Get_next(M) returns (M); }",
            "S.Get_next: its handler would be S_Get_next in C, as is that of S.Get; rename one",
        ),
        (
            "service S { rpc Get(M) returns (M); rpc Get_cancelled(M) returns (M); }",
            "S.Get_cancelled: its handler would be S_Get_cancelled in C, as is that of S.Get; rename one",
        ),
        (
            "service S { rpc Get(M) returns (M); rpc service(M) returns (M); }",
            "S.service: its handler would be S_service in C, as is that of S; rename one",
        ),
        (
            "message S_Get { int32 n = 1; }\nservice S { rpc Get(M) returns (M); }",
            "S.Get: its handler would be S_Get in C, as is that of message S_Get; rename one",
        ),
        (
            "message Out { enum S { Get = 0; } int32 n = 1; }\nservice Out_S { rpc Get(M) returns (M); }",
            "Out_S.Get: its handler would be Out_S_Get in C, as is that of enum Out_S; rename one",
        ),
        (
            "enum E { Get = 0; }\nmessage S_ { int32 n = 1; }\nservice S { rpc Get(M) returns (M); }",
            None,
        ),
    ],
)
def test_names_twice_in_c(bench, text, problem):
    bench.write(s=M + text + "\n")
    if problem is None:
        bench.generate("s")
        bench.compile(bench.out / "s.nrpc.c")
    else:
        assert bench.refused("s") == ["s.proto: " + problem]


def test_names_of_the_library(bench):
    bench.write(s="package nrpc;\n" + M + "service call { rpc send(M) returns (M); }\n")
    lines = bench.refused("s")
    assert (
        "s.proto: nrpc.call: names beginning with nrpc_ are the library's own; rename the package or the service"
        in lines
    )
    assert (
        lines[0]
        == "s.proto: nrpc.M: the library's own, as all that begins with nrpc_; rename the message or the package"
    )


# --- Tables that are too large -------------------------------------------------------------------


def test_256_methods(bench):
    bench.write(
        s=M + "service S {\n%s}\n" % "".join("rpc M%d(M) returns (M);\n" % i for i in range(256))
    )
    assert bench.refused("s") == ["s.proto: S: 256 methods; a service may have 255"]


def test_a_prefix_of_127(bench):
    one, two = "x" * 127 + "a", "x" * 127 + "b"
    bench.write(s=M + "service S { rpc %s(M) returns (M); rpc %s(M) returns (M); }\n" % (one, two))
    assert bench.refused("s") == [
        "s.proto: S: methods %s and %s begin with the same 127 characters; 126 may be shared"
        % (one, two)
    ]


# --- Parameters, and what is around it -----------------------------------------------------------


@pytest.mark.parametrize(
    "parameter, text",
    [
        ("--frobnicate", "parameter `--frobnicate`: no such option: --frobnicate"),
        ("-I", "parameter `-I`: -I option requires 1 argument"),
        ("fast", "parameter `fast`: what is `fast`?"),
    ],
)
def test_parameters(workshop, parameter, text):
    workshop.write(s=M)
    assert workshop.refused("s", options=[parameter]) == [
        text + "; the parameters are those of protoc-gen-nanopb"
    ]


def test_parameter_help(workshop):
    workshop.write(s=M)
    text = "\n".join(workshop.refused("s", options=["--help"]))
    assert "--nanorpc_out=OUT NAME.proto" in text and "NANOPB_DIR" in text


def test_settings_that_nanopb_does_not_have(bench):
    bench.write(s=M)
    assert "s.proto" in bench.refused("s", options=["-smax_sizes:3"])[0]


def test_options_file_that_cannot_be_read(workshop):
    workshop.write(s=M, s_options="M.n max_sizes:3\n")
    assert "s.options:1: Unparsable option line" in workshop.refused("s")[0]


def test_no_nanopb(bench):
    bench.write(s=M)
    bench.use_nanopb("/nowhere")
    assert (
        bench.refused("s")[0] == "protoc-gen-nanorpc: no nanopb generator in /nowhere/generator: "
        "set NANOPB_DIR to nanopb's directory, or pip install nanopb"
    )


def test_started_by_hand():
    plugin = ROOT / "proto" / "protoc-gen-nanorpc"
    assert os.access(plugin, os.X_OK)
    done = subprocess.run([str(plugin), "--help"], text=True, capture_output=True)
    assert done.returncode == 1 and "--nanorpc_out=OUT NAME.proto" in done.stderr


def test_debian_python(bench):
    """With Debian's own protoc, Python and python3-protobuf, nothing from a venv."""
    has = subprocess.run(["/usr/bin/python3", "-c", "import google.protobuf"], capture_output=True)
    if has.returncode != 0 or not os.path.exists("/usr/bin/protoc"):
        pytest.skip("Debian's python3-protobuf and protobuf-compiler are not both installed")
    bench.protoc = ["/usr/bin/protoc"]
    bench.environment["PATH"] = "/usr/bin:/bin"
    # nanopb keeps a file that was made for one version of protobuf; here it makes another.
    shutil.copytree(
        NANOPB / "generator",
        bench.path / "nanopb" / "generator",
        ignore=shutil.ignore_patterns("nanopb_pb2.py", "__pycache__"),
    )
    bench.use_nanopb(bench.path / "nanopb")
    bench.write(s=M + "service S { rpc Do(M) returns (M); }\n")
    bench.generate("s")
    bench.compile(bench.out / "s.nrpc.c")


def test_called_through_a_link(bench):
    """From another folder, by a link's name; no file is left beside the modules."""
    (bench.path / "link").symlink_to(ROOT / "proto" / "protoc-gen-nanorpc")
    bench.write(s=M + "service S { rpc Do(M) returns (M); }\n")
    done = subprocess.run(
        bench.protoc + ["-I.", "--plugin=protoc-gen-nanorpc=link", "--nanorpc_out=out", "s.proto"],
        cwd=bench.path,
        env=bench.environment,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert (bench.out / "s.nrpc.h").exists()
    assert not list((ROOT / "proto").rglob("__pycache__")) + list((ROOT / "proto").rglob("*.pyc"))


def test_python_without_protobuf(bench):
    """The project's own Python is started instead; where there is none, the message says what to do."""
    empty = "/usr/bin/python3 -S"  # no site-packages at all
    bench.write(s=M + "service S { rpc Do(M) returns (M); }\n")
    for folder in ("with", "without"):
        (bench.path / folder / "proto").mkdir(parents=True)
        shutil.copy(ROOT / "proto" / "protoc-gen-nanorpc", bench.path / folder / "proto")
        (bench.path / folder / "proto" / "nanorpc_generator").symlink_to(
            ROOT / "proto" / "nanorpc_generator"
        )
        plugin = bench.path / folder / "plugin"
        plugin.write_text(
            '#!/bin/sh\nexec %s "%s"\n'
            % (empty, bench.path / folder / "proto" / "protoc-gen-nanorpc")
        )
        plugin.chmod(0o755)
    (bench.path / "with" / ".venv" / "bin").mkdir(parents=True)
    python = bench.path / "with" / ".venv" / "bin" / "python3"
    python.write_text('#!/bin/sh\nexec "%s" "$@"\n' % sys.executable)
    python.chmod(0o755)

    def run(folder):
        return subprocess.run(
            bench.protoc
            + [
                "-I.",
                "--plugin=protoc-gen-nanorpc=%s/plugin" % folder,
                "--nanorpc_out=out",
                "s.proto",
            ],
            cwd=bench.path,
            env=bench.environment,
            text=True,
            capture_output=True,
        )

    assert "has no google.protobuf: run `make` in the project" in run("without").stderr
    done = run("with")
    assert done.returncode == 0 and (bench.out / "s.nrpc.h").exists(), done.stderr
