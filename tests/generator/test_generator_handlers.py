# tests/generator/test_generator_handlers.py - --require-handlers, and --template, which begins NAME.handlers.c.
# Layer: tests. Source: issue 9, "Protos".
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest

from workshop import bench, workshop  # noqa: F401 (fixtures)

PROTO = """
package a;
message M { int32 n = 1; }
message Big { int32 n = 1; bytes data = 2; }
service S {
  rpc One(M) returns (M);
  rpc Up(stream M) returns (M);
  rpc Down(M) returns (stream M);
  rpc Both(stream M) returns (stream M);
  rpc Put(Big) returns (Big);
}
"""
OPTIONS = "a.Big.data type:FT_CALLBACK max_size:64\n"
ALL = [
    "a_S_" + name
    for name in "One Up Down Down_next Both Both_next Put Put_data_chunk Put_data_produce".split()
]
ALL += ["a_S_%s_cancelled" % name for name in ("One", "Up", "Down", "Both", "Put")]
# What the generated code needs of the core.
CORE = """
#include "nanorpc/nanorpc.h"
#include "nanorpc/server.h"
#include "s.nrpc.h"
const struct nrpc_service *const table[] = {&a_S_service};
int main(void) { return table[0]->methods == NULL; }
"""


def undefined(bench, *sources):
    """Names that the linker misses, of those that begin as the service's functions do."""
    (bench.path / "main.c").write_text(CORE)
    objects = [
        bench.compile(source)
        for source in (bench.path / "main.c", bench.out / "s.nrpc.c", *sources)
    ]
    done = subprocess.run(
        ["gcc", "-Wl,--gc-sections", "-o", str(bench.path / "program"), *map(str, objects)],
        text=True,
        capture_output=True,
    )
    return sorted(set(re.findall(r"undefined reference to `(a_S_\w+)'", done.stderr)))


def test_the_linker_names_what_is_missing(workshop):
    workshop.write(s=PROTO, s_options=OPTIONS)
    workshop.generate("s", options=["--require-handlers"])
    assert undefined(workshop) == sorted(ALL)
    header = (workshop.out / "s.nrpc.h").read_text()
    assert header.count("--require-handlers") == len(ALL) and "eft out" not in header


def test_without_the_option_nothing_is_missing(bench):
    bench.write(s=PROTO, s_options=OPTIONS)
    bench.generate("s")
    assert undefined(bench) == []


@pytest.mark.parametrize(
    "name", ["a_S_One", "a_S_Down_next", "a_S_Up_cancelled", "a_S_Put_data_chunk"]
)
def test_a_misspelt_name(bench, name):
    """One of all is misspelt: it is the one that is missing."""
    bench.write(s=PROTO, s_options=OPTIONS)
    bench.generate("s", options=["--require-handlers", "--template=."])
    handlers = bench.path / "s.handlers.c"
    text = handlers.read_text()
    assert text.count(" %s(" % name) == 1
    handlers.write_text(text.replace(" %s(" % name, " %sx(" % name))
    assert undefined(bench, handlers) == [name]


@pytest.mark.parametrize("options", [[], ["--require-handlers"]])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_template(bench, options, compiler):
    """It has all functions, compiles as it is, and every prototype is one of the header's."""
    bench.write(s=PROTO, s_options=OPTIONS)
    bench.generate("s", options=[*options, "--template=."])
    handlers = bench.path / "s.handlers.c"
    bench.compile(handlers, compiler, ["-Wmissing-prototypes"])
    assert sorted(re.findall(r"^\w[\w ]*?(a_S_\w+)\(", handlers.read_text(), re.M)) == sorted(ALL)
    assert undefined(bench, handlers) == []


def test_template_is_not_overwritten(bench):
    """And then nothing is, of any file."""
    bench.write(
        s=PROTO,
        s_options=OPTIONS,
        t="message N { int32 n = 1; }\nservice T { rpc A(N) returns (N); }\n",
    )
    (bench.path / "t.handlers.c").write_text("mine\n")
    assert bench.refused("s", "t", options=["--template=."]) == [
        "t.handlers.c is there already, and is not overwritten: move it away, or leave out --template"
    ]
    assert (bench.path / "t.handlers.c").read_text() == "mine\n"
    assert not (bench.path / "s.handlers.c").exists()


def test_template_of_folders(bench):
    """Below the folder as the .proto lies; none for a file without services."""
    bench.write(
        dev__s='import "m.proto";\nservice S { rpc A(M) returns (M); }\n',
        m="message M { int32 n = 1; }\n",
    )
    bench.generate("dev/s", "m", options=["--template=src"])
    assert [str(p.relative_to(bench.path)) for p in bench.path.rglob("*.handlers.c")] == [
        "src/dev/s.handlers.c"
    ]
    assert '#include "dev/s.nrpc.h"' in (bench.path / "src" / "dev" / "s.handlers.c").read_text()
    bench.compile(bench.path / "src" / "dev" / "s.handlers.c")


def test_template_that_cannot_be_written(bench):
    bench.write(s=PROTO, s_options=OPTIONS)
    (bench.path / "file").write_text("")
    (line,) = bench.refused("s", options=["--template=file"])
    assert line.startswith("--template: file/s.handlers.c: ")


def test_template_when_something_is_refused(bench):
    bench.write(s=PROTO, s_options="# nothing\n")
    assert len(bench.refused("s", options=["--template=."])) == 1
    assert not (bench.path / "s.handlers.c").exists()
