# tests/generator/workshop.py - runs protoc with the generator, and C compilers over what it wrote; the fixtures.
# Layer: tests. Source: none.
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "generator"
NANOPB = pathlib.Path(os.environ.get("NANOPB_DIR") or ROOT / "build" / "third" / "nanopb").resolve()
STRICT = "-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror".split()
PROTOCS = {"grpc_tools": [sys.executable, "-m", "grpc_tools.protoc"], "debian": ["/usr/bin/protoc"]}
OPTIONS = [
    "-DNRPC_PIECES=1",
    "-DNRPC_CLIENT=1",
]  # of nanorpc/config.h: what all that is generated may need
COMPILERS = ("gcc", "clang", "arm-none-eabi-gcc")
# What headers must be for.
MODES = [(compiler, standard) for compiler in COMPILERS for standard in ("c99", "c2x")] + [
    (compiler, standard) for compiler in ("g++", "clang++") for standard in ("c++11", "c++20")
]

sys.path.insert(0, str(ROOT / "proto"))
from nanorpc_generator import names  # noqa: E402


def need(program):
    if shutil.which(program) is None:
        pytest.skip("%s is not installed" % program)
    return program


class Workshop:
    """A directory with .proto and .options files in it, and what is made of them in out/."""

    def __init__(self, path, protoc="grpc_tools"):
        self.path, self.out = path, path / "out"
        self.protoc = PROTOCS[protoc]
        self.nanopb_plugin = ROOT / "proto" / "protoc-gen-nanopb"
        self.environment = dict(os.environ)
        self.use_nanopb(NANOPB)
        # As the Makefile does it: the plugins' `env python3` is the one that has protobuf.
        self.environment["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        self.out.mkdir()

    def use_nanopb(self, directory):
        self.nanopb = pathlib.Path(directory)
        self.environment["NANOPB_DIR"] = str(directory)

    def write(self, **files):
        """Names with __ for / and without the ending: a text is .proto, one for NAME_options .options."""
        for name, text in files.items():
            is_options = name.endswith("_options")
            stem = name[: -len("_options")] if is_options else name
            path = self.path / (stem.replace("__", "/") + (".options" if is_options else ".proto"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if is_options else 'syntax = "proto3";\n' + text)

    def run(self, plugin, protos, options, include):
        program = {
            "nanorpc": ROOT / "proto" / "protoc-gen-nanorpc",
            "nanopb": self.nanopb_plugin,
        }[plugin]
        command = self.protoc + [
            "-I%s" % include,
            "--plugin=protoc-gen-%s=%s" % (plugin, program),
            "--%s_out=%s" % (plugin, self.out),
        ]
        command += ["--%s_opt=%s" % (plugin, option) for option in options] + list(protos)
        return subprocess.run(
            command, cwd=self.path, env=self.environment, text=True, capture_output=True
        )

    def generate(self, *protos, options=(), messages=True, include="."):
        """Writes .nrpc.* and, unless told not to, .pb.*; fails when the generator does."""
        protos = [p + ".proto" for p in protos]
        for plugin in ("nanorpc", "nanopb") if messages else ("nanorpc",):
            done = self.run(plugin, protos, options, include)
            assert done.returncode == 0, done.stderr
        return self

    def refused(self, *protos, options=()):
        """What the generator says against it, as lines."""
        done = self.run("nanorpc", [p + ".proto" for p in protos], options, ".")
        assert done.returncode != 0, "accepted"
        assert "Traceback" not in done.stderr
        assert not list(self.out.iterdir())
        text = done.stderr
        return [line for line in text.replace("--nanorpc_out: ", "", 1).splitlines() if line]

    def compile(self, source, compiler="gcc", flags=()):
        """The object of a C file, compiled strictly; asserts that the compiler is silent."""
        done = self.try_compile(source, compiler, flags)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return self.object_name(source, compiler)

    def check_headers(self, compiler, standard, text=""):
        """The compiler is silent about each header that was generated, and about all in one, `text` after them."""
        headers = sorted(str(h.relative_to(self.out)) for h in self.out.rglob("*.h"))
        assert headers
        alone = self.path / "alone"
        alone.mkdir(exist_ok=True)
        sources = [alone / ("%d.c" % i) for i in range(len(headers) + 1)]
        for source, included in zip(sources, [*([h] for h in headers), headers]):
            source.write_text(
                "".join('#include "%s"\n' % header for header in included)
                + (text if included is headers else "")
            )
        strict = [flag for flag in STRICT if not flag.startswith("-std=")]
        done = subprocess.run(
            [
                need(compiler),
                "-std=" + standard,
                "-x",
                "c++" if "++" in standard else "c",
                *strict,
                *OPTIONS,
                "-fsyntax-only",
                "-I%s" % self.out,
                "-I%s" % ROOT,
                "-isystem",
                str(NANOPB),
                *map(str, sources),
            ],
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr

    def object_name(self, source, compiler):
        source = pathlib.Path(source)
        name = source.relative_to(self.out) if source.is_relative_to(self.out) else source.name
        return self.path / ("%s.%s.o" % (compiler, str(name).replace("/", "+")))

    def try_compile(self, source, compiler, flags=()):
        command = [
            need(compiler),
            *STRICT,
            *OPTIONS,
            "-Os",
            "-ffunction-sections",
            "-fdata-sections",
            "-I%s" % self.out,
            "-I%s" % ROOT,
            "-isystem",
            str(NANOPB),
            *flags,
            "-c",
            str(source),
            "-o",
            str(self.object_name(source, compiler)),
        ]
        return subprocess.run(command, text=True, capture_output=True)

    def third(self, source):
        target = self.path / (pathlib.Path(source).name + ".o")
        subprocess.run(
            [
                "gcc",
                "-std=c99",
                "-w",
                "-I%s" % self.out,
                "-I%s" % NANOPB,
                "-c",
                str(source),
                "-o",
                str(target),
            ],
            check=True,
        )
        return target

    def dump(self, *services, user=None, compiler="gcc"):
        """Links dump.c with all that was generated, and the user's C text; what it prints, as lines."""
        flags = ["-DSERVICES=%s" % ", ".join(services), '-DHEADERS="headers.h"']
        headers = sorted(self.out.rglob("*.nrpc.h"))
        (self.out / "headers.h").write_text(
            "".join('#include "%s"\n' % h.relative_to(self.out) for h in headers)
        )
        objects = [
            self.compile(HERE / "dump.c", compiler, flags),
            self.compile(ROOT / "nanorpc" / "hpack" / "nrpc_match.c", compiler),
        ]
        objects += [self.compile(c, compiler) for c in sorted(self.out.rglob("*.nrpc.c"))]
        objects += [self.third(c) for c in sorted(self.out.rglob("*.pb.c"))]
        objects += [self.third(NANOPB / "pb_common.c")]
        if user is not None:
            source = self.path / "user.c"
            source.write_text('#include "headers.h"\n' + user)
            objects.append(self.compile(source, compiler))
        program = self.path / ("dump." + compiler)
        subprocess.run(
            [compiler, "-Wl,--gc-sections", "-o", str(program), *map(str, objects)], check=True
        )
        return subprocess.run(
            [str(program)], text=True, capture_output=True, check=True
        ).stdout.splitlines()

    def files(self, *protos, compiler="gcc"):
        """Links dump_files.c with every .desc.c; [("file" or "import", FileDescriptorProto)]."""
        flags = [
            "-DFILES=" + " ".join("F(%s)" % names.object_name(name + ".proto") for name in protos)
        ]
        objects = [self.compile(HERE / "dump_files.c", compiler, flags)]
        objects += [self.compile(c, compiler) for c in sorted(self.out.rglob("*.desc.c"))]
        program = self.path / ("files." + compiler)
        subprocess.run([compiler, "-o", str(program), *map(str, objects)], check=True)
        lines = subprocess.run(
            [str(program)], text=True, capture_output=True, check=True
        ).stdout.splitlines()
        return [
            (kind, FileDescriptorProto.FromString(bytes.fromhex(data)))
            for kind, data in (line.split() for line in lines)
        ]


@pytest.fixture(params=sorted(PROTOCS))
def workshop(request, tmp_path):
    """Every test with it runs with both protocs."""
    if request.param == "debian" and not os.path.exists("/usr/bin/protoc"):
        pytest.skip("Debian's protoc (/usr/bin/protoc) is not installed")
    return Workshop(tmp_path, request.param)


@pytest.fixture
def bench(tmp_path):
    """With grpc_tools alone, for what does not depend on protoc."""
    return Workshop(tmp_path)
