# tests/test_build.py - tests the build itself: layers, budgets, what the core may call, no heap on boards.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import configparser
import glob
import os
import re
import subprocess
import sys

import pytest

import layers
import size
import stack
from conftest import ROOT

# What a compiler and the core may call in libc and in the compiler's own library.
MAY_CALL = re.compile(
    r"nrpc_|pb_|mem(cpy|set|move|cmp|chr)$|str(len|cmp|ncmp)$|__aeabi_|__gnu_|__assert|__(u?div|u?mod)"
)


def run(*command, **options):
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


def test_layers():
    assert ["%s:%d: %s" % breach for breach in layers.breaches()] == []


BANNER = "/* %s - a test.\n * Layer: core.\n * SPDX-License-Identifier: Apache-2.0 */\n"


@pytest.mark.parametrize(
    "path, body, why",
    [
        ("nanorpc/grpc/a.c", "/* see ports/posix */", "names a port"),
        ("nanorpc/grpc/a.c", "#include <sys/socket.h>", "only itself"),
        ("nanorpc/grpc/a.c", "#include <pb.h>", "nanopb"),
        ("ports/posix/b.h", '#include "boards/c.h"', "upward"),
        ("ports/lwip/d.h", '#include "../posix/b.h"', "upward"),
        ("nanorpc/grpc/a.c", "int f(void)\n{\n" + "\n" * 60 + "}", "function"),
        ("nanorpc/grpc/a.c", "\n" * 600, "at most"),
        ("nanorpc/grpc/a.c", "/* %s */" % ("x" * 95), "101 columns"),
        ("nanorpc/grpc/a.c", '#include "nanorpc/server/e.h"', "upward include"),
        ("nanorpc/grpc/a.c", '#include "nanorpc/client.h"', "upward include"),
        (
            "nanorpc/grpc/a.c",
            "static int f(void)\n{\n    return nrpc_e();\n}",
            "upward call of nrpc_e",
        ),
        ("nanorpc/grpc/a.c", "int (*const table[])(void) = {nrpc_e};", "upward call of nrpc_e"),
        ("nanorpc/grpc/a.c", "int nrpc_up_new(void)\n{\n    return 0;\n}", "declared in"),
        ("ports/mbedtls/g.h", '#include "ports/nrpc_link.h"', "upward include"),
    ],
)
def test_layers_finds(path, body, why):
    found = layers.breaches(house(path, body))
    assert len(found) == 1 and found[0][0] == path and why in found[0][2], found


HOUSE = {
    "boards/c.h": "",
    "nanorpc/client.h": "",
    "nanorpc/grpc/a.c": "",
    "nanorpc/server/e.c": "int nrpc_e(void)\n{\n    return 1;\n}\n",
    "nanorpc/server/e.h": "int nrpc_e(void);\n",
    "ports/lwip/d.h": "",
    "ports/mbedtls/g.h": "",
    "ports/nrpc_link.h": "",
    "ports/posix/b.h": "",
}


def house(*more):
    """A few files that keep to the rules, and one that has more in it: path, text, path, text.."""
    texts = {path: BANNER % path + text for path, text in HOUSE.items()}
    assert layers.breaches(texts) == []
    for path, text in zip(more[::2], more[1::2]):
        texts[path] = texts.get(path, BANNER % path) + text + "\n"
    return texts


CALL = "int nrpc_%s(void)\n{\n    return nrpc_%s();\n}"


@pytest.mark.parametrize(
    "more",
    [
        ("nanorpc/grpc/x.c", CALL % ("x", "y"), "nanorpc/grpc/y.c", CALL % ("y", "x")),
        ("ports/posix/x.c", CALL % ("x", "y"), "ports/posix/y.c", CALL % ("y", "z"))
        + ("ports/posix/z.c", CALL % ("z", "x")),
        (
            "nanorpc/grpc/x.h",
            '#include "nanorpc/grpc/y.h"',
            "nanorpc/grpc/y.h",
            '#include "nanorpc/grpc/x.h"',
        ),
    ],
)
def test_circles_are_found(more):
    found = layers.breaches(house(*more))
    assert len(found) == 1 and "a circle of files: " + ", ".join(more[::2]) in found[0][2], found


def test_not_every_arrow_is_a_circle():
    """A header's inline functions may call its own source; comments, strings, macros, declarations call nothing."""
    texts = house(
        "nanorpc/grpc/x.h",
        "int nrpc_x(void);\nstatic inline int f(void)\n{\n    return nrpc_x();\n}",
        "nanorpc/grpc/x.c",
        '#include "nanorpc/grpc/x.h"\nint nrpc_x(void)\n{\n    return 0; /* nrpc_e() */\n}\n'
        'static const char text[] = "nrpc_e()";\n#define E() nrpc_e()\nint nrpc_e(void);',
    )
    assert layers.breaches(texts) == []


def test_each_file_has_its_room():
    assert "in no room" in layers.breaches(house("nanorpc/x.c", ""))[0][2]
    assert "in no room" in layers.breaches(house("nanorpc/attic/x.c", ""))[0][2]


def test_public_headers_are_for_cpp():
    path = "nanorpc/wait.h"
    banner = (BANNER % path).replace("core.", "core, public.")
    assert layers.breaches({path: banner + "NRPC_BEGIN_C\nint f(void);\nNRPC_END_C\n"}) == []
    assert "NRPC_BEGIN_C" in layers.breaches({path: banner + "int f(void);\n"})[0][2]


def test_budgets():
    done = run("make", "-s", "size")
    print(done.stdout)
    assert done.returncode == 0


def test_bench_budgets():
    """Instructions and bytes of a call, which are the same on every machine."""
    done = run(sys.executable, "tests/bench/bench.py", "--check")
    print(done.stdout)
    assert done.returncode == 0


def test_budgets_name_what_grew(tmp_path):
    """An exceeded budget fails, and says which file grew since it was recorded."""
    budgets = configparser.ConfigParser(delimiters=("=",))
    budgets.read(os.path.join(ROOT, "tests", "budgets.ini"))
    budgets["budget"]["core_m3"] = "1"
    budgets["recorded"] = {"m3 nrpc_frame.c": "1"}
    with open(tmp_path / "budgets.ini", "w", encoding="utf-8") as file:
        budgets.write(file)
    done = run("make", "-s", "size", "ARGS=--budgets %s" % (tmp_path / "budgets.ini"))
    print(done.stdout)
    assert done.returncode != 0
    assert "over the budget of 1" in done.stdout
    assert re.search(r"m3 nrpc_frame\.c +1 -> \d+", done.stdout)


GRAPH = """graph: { title: "a.c"
node: { title: "a.c:inner" label: "inner\\na.c:1:1\\n40 bytes (static)\\n0 dynamic objects" }
node: { title: "outer" label: "outer\\na.c:2:1\\n24 bytes (static)\\n0 dynamic objects" }
edge: { sourcename: "outer" targetname: "a.c:inner" label: "a.c:1:1" }
edge: { sourcename: "a.c:inner" targetname: "%s" label: "a.c:1:1" }
}
"""


def test_stack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "a.c"
    source.write_text("    item->visit(1);\n")
    path = tmp_path / "a.ci"
    path.write_text(GRAPH % "memcpy")
    assert stack.deepest([path], {}) == (
        64,
        [("outer", 24), ("inner", 40), ("memcpy", 0)],
        ["memcpy"],
    )
    path.write_text(GRAPH % "outer")
    with pytest.raises(stack.StackError, match="recursion"):
        stack.deepest([path], {})
    path.write_text(GRAPH % "__indirect_call")
    with pytest.raises(stack.StackError, match="inner calls through a pointer"):
        stack.deepest([path], {})
    with pytest.raises(stack.StackError, match="recursion"):
        stack.deepest([path], {"a.c:visit": ["outer"]})
    with pytest.raises(stack.StackError, match="recursion"):
        stack.deepest([path], {"a.c:visit": ["handler"], "handler": ["outer"]})
    assert stack.deepest([path], {"a.c:visit": ["handler"]})[0] == 64
    path.write_text((GRAPH % "memcpy").replace("(static)", "(dynamic)"))
    with pytest.raises(stack.StackError, match="no fixed size"):
        stack.deepest([path], {})


@pytest.mark.parametrize(
    "path",
    sorted(glob.glob(os.path.join(ROOT, "nanorpc", "**", "*.c"), recursive=True)),
    ids=os.path.basename,
)
def test_core_is_pure(path):
    """No I/O, clock, lock or allocation is called, and no state that changes is kept in file scope."""
    built = os.path.join(ROOT, "build", "unit-m3", os.path.relpath(path, ROOT)[:-2] + ".o")
    done = run("arm-none-eabi-nm", built)
    assert done.returncode == 0, done.stdout
    symbols = [line.split()[-2:] for line in done.stdout.splitlines()]
    assert [name for kind, name in symbols if kind == "U" and not MAY_CALL.match(name)] == []
    assert [
        name for kind, name in symbols if kind in "dDbBCgGsS" and not name.startswith("$")
    ] == []


HEAPS = {
    "malloc": ("#include <stdlib.h>", "kept = malloc(4);"),
    "calloc": ("#include <stdlib.h>", "kept = calloc(1, 4);"),
    "realloc": ("#include <stdlib.h>", "kept = realloc(kept, 4);"),
    "free": ("#include <stdlib.h>", "free(kept);"),
    "sbrk": ("void *sbrk(long);", "kept = sbrk(4);"),
}


@pytest.mark.parametrize("call", [None] + list(HEAPS))
def test_board_has_no_heap(call, tmp_path):
    """A unit test's program links for the Cortex-M3; with one use of the heap in it, it does not."""
    include, use = HEAPS.get(call, ("", ""))
    source = tmp_path / "uses_heap.c"
    source.write_text(
        "%s\nvoid *kept;\nvoid culprit(void);\nvoid culprit(void) { %s }\n"
        "int main(void);\nint main(void) { culprit(); return kept != 0; }\n" % (include, use)
    )
    done = run(
        "make", "-s", "heap-check", "HEAP_SOURCE=%s" % source, "HEAP_ELF=%s" % (tmp_path / "a.elf")
    )
    print(done.stdout)
    if call is None:
        assert done.returncode == 0
    else:
        assert done.returncode != 0
        assert "culprit" in done.stdout and "__wrap_" + call in done.stdout


def cross_boards():
    """{board: its compiler's prefix}"""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "boards", "*", "board.mk")):
        with open(path, encoding="utf-8") as file:
            prefix = re.search(r"^BOARD_CC := (\S+-)$", file.read(), re.M)
        if prefix:
            found[os.path.basename(os.path.dirname(path))] = prefix.group(1)
    return found


def test_no_board_links_a_heap():
    """The finished images have none either; the linker would have said so."""
    images = [
        (prefix, path)
        for board, prefix in cross_boards().items()
        for path in glob.glob(os.path.join(ROOT, "build", board, "*.elf"))
    ]
    assert len(images) >= 2
    for prefix, image in images:
        symbols = run(prefix + "nm", image).stdout.split()
        assert {"board_now_ms", "clock_ms", "rtos_svcall", "isr_svcall"} & set(symbols), image
        assert not {"malloc", "free", "calloc", "realloc", "_malloc_r", "sbrk", "_sbrk"} & set(
            symbols
        ), image


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "flags", ["", "-DNRPC_CLIENT=1", "-DNRPC_METADATA_BYTES=64", "-DNRPC_PIECES=1"]
)
def test_core_links_without_optimisation(compiler, flags, tmp_path):
    """At -O0 nothing is left out because it cannot be reached: what the core calls, it has (but for its services)."""
    sources = [
        path for room in size.ROOMS for path in glob.glob("%s/nanorpc/%s/*.c" % (ROOT, room))
    ]
    nanopb = os.path.join(ROOT, os.environ.get("NANOPB_DIR", "build/third/nanopb"))
    options = ["-std=c99", "-O0", "-I" + ROOT, "-isystem", nanopb, *flags.split()]
    done = run(compiler, *options, "-r", "-nostdlib", "-o", str(tmp_path / "core.o"), *sources)
    assert done.returncode == 0, done.stdout
    lacks = [
        name for name in run("nm", "-u", str(tmp_path / "core.o")).stdout.split() if "nrpc" in name
    ]
    assert lacks == []


def test_applications():
    """APP chooses what is built; one with limits of its own has objects of its own. An unknown one is named."""
    assert (
        "build/linux/greeter"
        in run("make", "-n", "-W", "boards/apps/greeter/greeter.c", "V=1", "linux").stdout
    )
    asked = run(
        "make", "-n", "-W", "boards/apps/interop/server.c", "V=1", "run-linux", "APP=interop"
    ).stdout
    assert (
        "-DNRPC_STATUS_MESSAGE_MAX=126" in asked
        and "build/linux-interop/boards/apps/interop/server.o" in asked
    )
    assert asked.rstrip().endswith("build/linux/interop"), asked
    wrong = run("make", "-n", "linux", "APP=nothing")
    assert wrong.returncode != 0 and re.search(r"the applications are:.* greeter\b", wrong.stdout)


@pytest.mark.parametrize(
    "goal",
    [
        "mps2_an385",
        "run-mps2_an385",
        "flash-mps2_an385",
        "debug-mps2_an385",
        "monitor-mps2_an385",
        "sim",
    ],
)
def test_applications_of_other_boards(goal):
    """Refused by name, with what the board has and who has the application."""
    app, board, has, lacks = (
        ("reverse", "host-sim", "blobs caller greeter", "lm3s6965evb mps2_an385")
        if goal == "sim"
        else ("blobs", "mps2_an385", "greeter interop", "linux host-sim lm3s6965evb")
    )
    done = run("make", "-n", goal, "APP=" + app)
    assert done.returncode != 0 and "No rule" not in done.stdout, done.stdout
    assert re.search(
        r"APP=%s is not for %s: its applications are: %s.*; the boards that have it: %s\."
        % (app, board, has, lacks),
        re.sub(" +", " ", done.stdout),
    ), done.stdout
    assert run("make", "-n", lacks.split()[0], "APP=" + app).returncode == 0


PROTOS = {
    "a/one.proto": 'syntax = "proto3"; package a; import "b/two.proto"; // import "b/three.proto";\n'
    "message One { b.Two two = 1; int32 import = 2; }\nservice S { rpc Do(One) returns (b.Two); }\n",
    "b/two.proto": 'syntax = "proto3"; /* import "b/three.proto";\n */ import\n'
    "  public 'google/protobuf/api.proto'; package b;\n"
    'import "google/protobuf/descriptor.proto"; import "google/protobuf/source_context.proto";\n'
    "message Two { string text = 1; google.protobuf.SourceContext of = 2; }\n"
    "extend google.protobuf.FieldOptions { bool mark = 50000; }\n",
    "b/two.options": "b.Two.text max_size:8\n",
    "google/protobuf/source_context.options": "google.protobuf.SourceContext.file_name max_size:16\n",
    "b/three.proto": 'syntax = "proto3"; package b; message Three { int32 n = 1; }\n',
}


@pytest.fixture(scope="module")
def protos(tmp_path_factory):
    """The project with other files in proto/, generated once."""
    tree = tmp_path_factory.mktemp("protos")
    for name in set(os.listdir(ROOT)) - {".git", "build", "proto"}:
        os.symlink(os.path.join(ROOT, name), tree / name)
    for folder in ("build", "proto/a", "proto/b", "proto/google/protobuf"):
        os.makedirs(tree / folder)
    os.symlink(os.path.join(ROOT, "build", "third"), tree / "build" / "third")
    for name in ("imports.awk", "nanorpc_generator", "protoc-gen-nanorpc"):
        os.symlink(os.path.join(ROOT, "proto", name), tree / "proto" / name)
    for name, text in PROTOS.items():
        (tree / "proto" / name).write_text(text)
    done = subprocess.run(
        ["make", "gen"], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return tree


def test_well_known_types_are_found(protos):
    """All that is imported, directly or not, and nothing else."""
    made = {
        path.name for path in (protos / "build" / "gen" / "google" / "protobuf").glob("*.nrpc.h")
    }
    assert made == {name + ".nrpc.h" for name in ("api", "any", "source_context", "type")}
    source = protos / "all.c"
    source.write_text(
        '#include "a/one.nrpc.h"\n#include "b/two.client.h"\n#include "google/protobuf/api.pb.h"\n'
    )
    done = run(
        "gcc",
        "-std=c99",
        "-fsyntax-only",
        "-I.",
        "-I%s" % (protos / "build" / "gen"),
        "-isystem",
        protos / "build" / "third" / "nanopb",
        source,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "changed, made",
    [
        ("b/two.proto", ["a/one", "b/two"]),
        ("b/two.options", ["a/one", "b/two"]),
        ("a/one.proto", ["a/one"]),
        ("b/three.proto", ["b/three"]),
        (
            "google/protobuf/source_context.options",
            [
                "a/one",
                "b/two",
                *("google/protobuf/" + x for x in ("api", "source_context", "type")),
            ],
        ),
    ],
)
def test_what_is_made_anew(protos, changed, made):
    """What a file imports counts, wherever it lies; what lies beside it does not."""

    def goes(*arguments):
        return subprocess.run(
            ["make", "-n", "V=1", "gen", *arguments],
            cwd=protos,
            text=True,
            capture_output=True,
            check=True,
        ).stdout

    assert "protoc" not in goes()
    asked = goes("-W", "proto/" + changed)
    assert sorted(re.findall(r"--nanorpc_out=\S+ (\S+)\.proto", asked)) == made
    assert sorted(re.findall(r"--grpc_python_out=\S+ (\S+)\.proto", asked)) == (
        made if changed.endswith(".proto") else []
    )
    for line in asked.splitlines():
        if "_out=" in line:
            assert line.startswith('PATH="%s/.venv/bin:$PATH" ' % protos), line


@pytest.mark.parametrize("port", ["abc", "99999", "-1"])
def test_ports_that_are_none(port):
    done = subprocess.run(
        ["make", "-n", "help", "PORT=" + port], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "PORT=%s: a port is a number from 0 to 65535" % port in done.stderr


def test_second_make_does_nothing():
    done = run("make", "all")
    assert done.returncode == 0, done.stdout
    done = run("make", "all")
    assert done.returncode == 0 and "Nothing to be done for 'all'" in done.stdout, done.stdout


def test_help_names_every_target():
    done = run("make", "help")
    for target in (
        "all",
        "demo",
        "test",
        "lint",
        "format",
        "size",
        "interop",
        "bench",
        "sim",
        "clean",
        "help",
        "run-BOARD",
        "flash-BOARD",
        "debug-BOARD",
        "monitor-BOARD",
    ):
        assert re.search(r"make %s\b" % target, done.stdout), target
    using, working = done.stdout.split("To work on it:")
    for target in ("demo", "BOARD", "run-BOARD", "flash-BOARD", "sim", "size"):
        assert re.search(r"make %s\b(?!-)" % target, using) and not re.search(
            r"make %s\b" % target, working
        ), target
    for target in ("test", "lint", "fuzz", "h2spec", "readme", "gen"):
        assert re.search(r"make %s\b" % target, working) and not re.search(
            r"make %s\b(?!-)" % target, using
        ), target
