# tests/python/test_generate.py - `nanorpc generate`: .proto files become C by one command.
# Layer: tests. Source: docs/protos.md.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import pytest
from google.protobuf import descriptor_pb2

from conftest import ROOT

NANOPB = os.path.join(ROOT, "build", "third", "nanopb")
GARDEN = """syntax = "proto3";
package garden;
import "google/protobuf/timestamp.proto";
import "kinds/soil.proto";
service Garden { rpc Report(Sample) returns (Advice); }
message Sample { string bed = 1; google.protobuf.Timestamp taken = 2; kinds.Soil soil = 3; }
message Advice { string text = 1; }
"""
OPTIONS = "garden.Sample.bed max_length:16\ngarden.Advice.text max_length:32\n"
KINDS = ("client.c", "client.h", "desc.c", "nrpc.c", "nrpc.h", "pb.c", "pb.h")
ALL = sorted(
    ["%s.%s" % (name, kind) for name in ("garden", "kinds/soil") for kind in KINDS]
    + ["google/protobuf/timestamp.pb.c", "google/protobuf/timestamp.pb.h"]
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "soil.proto").write_text(
        'syntax = "proto3"; package kinds; message Soil { int32 ph = 1; }\n'
    )
    (tmp_path / "garden.proto").write_text(GARDEN)
    (tmp_path / "garden.options").write_text(OPTIONS)
    return tmp_path


def run(folder, *words, status=0, **environment):
    """(stdout, stderr)"""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "nanorpc", "generate", *words],
        cwd=folder,
        text=True,
        capture_output=True,
        env=dict(
            {name: value for name, value in os.environ.items() if name != "NANOPB_DIR"},
            PYTHONPATH=os.path.join(ROOT, "ports", "python"),
            **environment,
        ),
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("nanopb", [{}, {"NANOPB_DIR": NANOPB}], ids=["installed", "named"])
def test_all_that_a_service_needs(folder, nanopb):
    """Imports as well, and Google's; and it compiles."""
    assert run(folder, "garden.proto", "--out", "out", **nanopb) == ("", "")
    assert files(folder / "out") == ALL
    for name in ALL:
        if name.endswith(".c"):
            subprocess.run(
                ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
                + ["-DNRPC_CLIENT=1", "-fsyntax-only", "-I%s" % (folder / "out"), "-I" + ROOT]
                + ["-isystem", NANOPB, folder / "out" / name],
                check=True,
            )


def test_list_is_what_would_be_written(folder):
    before = files(folder)
    assert run(folder, "garden.proto", "--list")[0].split() == ALL
    assert files(folder) == before


def test_nothing_is_written_twice(folder):
    """So a build has nothing to do."""
    run(folder, "garden.proto", "--out", "out")
    for name in ALL:
        os.utime(folder / "out" / name, (1, 1))
    (folder / "garden.options").write_text(OPTIONS.replace("32", "40"))
    run(folder, "garden.proto", "--out", "out")
    assert [n for n in ALL if (folder / "out" / n).stat().st_mtime != 1] == [
        "garden.client.h",
        "garden.nrpc.h",
        "garden.pb.h",
    ]


def test_python_descriptor_set_depfile_and_handlers(folder):
    run(
        *(folder, "garden.proto", "--out", "out", "--python", "py", "--descriptor-set", "g.set"),
        *("--depfile", "out/g.d", "--handlers", "src"),
    )
    assert files(folder / "py") == ["garden_pb2.py", "garden_pb2_grpc.py"]
    assert files(folder / "src") == ["garden.handlers.c"]
    names = [
        file.name
        for file in descriptor_pb2.FileDescriptorSet.FromString(
            (folder / "g.set").read_bytes()
        ).file
    ]
    assert names == ["google/protobuf/timestamp.proto", "kinds/soil.proto", "garden.proto"]
    targets, sources = (folder / "out" / "g.d").read_text().split(": ")
    assert targets.split() == ["out/" + name for name in ALL]
    assert sources.split() == [
        str(folder / name) for name in ("kinds/soil.proto", "garden.proto", "garden.options")
    ]


def test_handlers_of_the_user_stay(folder):
    (folder / "garden.handlers.c").write_text("mine")
    said = run(folder, "garden.proto", "--out", "out", "--handlers", ".", status=1)[1]
    assert "garden.handlers.c is there already" in said
    assert (folder / "garden.handlers.c").read_text() == "mine"


def test_includes(folder):
    """A file's name counts from the first folder that it lies in."""
    (folder / "protos").mkdir()
    (folder / "garden.proto").rename(folder / "protos" / "garden.proto")
    (folder / "garden.options").rename(folder / "protos" / "garden.options")
    run(folder, "-I", ".", "protos/garden.proto", "--out", "out")
    assert (folder / "out" / "protos" / "garden.nrpc.c").exists()


@pytest.mark.parametrize(
    "words, says",
    [
        (("none.proto",), "there is no file "),
        (("garden.proto", "-I", "nowhere"), "-I nowhere: there is no such folder"),
        (("kinds",), "there is no file "),
    ],
)
def test_wrong_words(folder, words, says):
    assert says in run(folder, *words, status=1)[1]


def test_what_is_wrong_writes_nothing(folder):
    """All unbounded fields at once; what is there stays."""
    run(folder, "garden.proto", "--out", "out")
    before = {path: path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file()}
    (folder / "garden.options").unlink()
    said = run(folder, "garden.proto", "--out", "out", status=1)[1]
    assert "garden.Sample.bed: unbounded string; give garden.Sample.bed a max_length" in said
    assert "garden.Advice.text: unbounded string" in said
    assert before == {p: p.read_bytes() for p in (folder / "out").rglob("*") if p.is_file()}


def test_an_import_that_is_not_there(folder):
    (folder / "kinds" / "soil.proto").unlink()
    said = run(folder, "garden.proto", status=1)[1]
    assert "-I DIR says where imports are" in said and "kinds/soil.proto" in said
