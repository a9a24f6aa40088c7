# tests/target/test_memory.py - boards/memory.c: its cost, that it calls nothing, whose functions an image has.
# Layer: tests. Source: the rules of ELF linkers for archives and weak symbols.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

from conftest import ROOT

PICOLIBC = "--specs=picolibc.specs"
TARGETS = {
    "m0plus": ["arm-none-eabi-", "-mcpu=cortex-m0plus", "-mthumb"],
    "m3": ["arm-none-eabi-", "-mcpu=cortex-m3", "-mthumb"],
    "rv32": ["riscv64-unknown-elf-", "-march=rv32imac", "-mabi=ilp32"],
}
BYTES = {  # of flash, at most
    "m0plus": {"memcpy": 64, "memmove": 72, "memset": 64},
    "m3": {"memcpy": 80, "memmove": 96, "memset": 60},
    "rv32": {"memcpy": 88, "memmove": 120, "memset": 76},
}
NAMES = ["memcpy", "memmove", "memset"]
# A libc's better one, as an object.
OTHER = """
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n) { (void)from; (void)n; return to; }
"""
USER = """
#include <string.h>
void entry(void);
char from[64], to[64];
volatile size_t n;
void entry(void) { memcpy(to, from, n); memmove(to, to + 1, n); memset(from, 1, n); }
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compiled(key, source, path, *flags):
    prefix, *cpu = TARGETS[key]
    run(
        prefix + "gcc", *cpu, PICOLIBC, "-std=c99", "-Os", "-ffunction-sections", *flags,
        "-c", "-o", str(path), str(source),
    )  # fmt: skip
    return str(path)


def kinds_of(prefix, image):
    """{name: the letter that nm has for it}"""
    rows = (line.split() for line in run(prefix + "nm", str(image)).splitlines())
    return {row[2]: row[1] for row in rows if len(row) == 3}


@pytest.fixture(params=TARGETS)
def target(request):
    return request.param


def test_size_and_calls(target, tmp_path):
    """A loop that became a call of the function around it would be an undefined or an endless one."""
    path = compiled(target, "boards/memory.c", tmp_path / "memory.o")
    tool = TARGETS[target][0]
    sizes = {}
    for line in run(tool + "nm", "-S", path).splitlines():
        words = line.split()
        if len(words) == 4 and words[3] in NAMES:
            assert words[2] == "W", line
            sizes[words[3]] = int(words[1], 16)
    assert sorted(sizes) == NAMES
    assert all(sizes[name] <= BYTES[target][name] for name in NAMES), sizes
    assert run(tool + "nm", "-u", path).split() == []
    relocations = re.findall(
        r"R_\w+_(?:CALL|JUMP24|JAL|CALL_PLT)\s+(\S+)", run(tool + "objdump", "-r", path)
    )
    assert {name.split("+")[0] for name in relocations} <= {"copy_up", ".text.copy_up"}, relocations


@pytest.mark.parametrize("lto", [[], ["-flto"]], ids=["objects", "lto"])
def test_who_wins(target, lto, tmp_path):
    """Before libc.a's: ours; beside an object's: that one, and no name is defined twice."""
    (tmp_path / "user.c").write_text(USER)
    (tmp_path / "other.c").write_text(OTHER)
    prefix, *cpu = TARGETS[target]
    memory = compiled(target, "boards/memory.c", tmp_path / "memory.o", *lto)
    user = compiled(target, tmp_path / "user.c", tmp_path / "user.o", *lto)
    other = compiled(target, tmp_path / "other.c", tmp_path / "other.o")
    for objects, is_ours in (([user, memory], True), ([user, memory, other], False)):
        image = tmp_path / "image.elf"
        run(
            prefix + "gcc", *cpu, PICOLIBC, "-Os", *lto, "-nostartfiles", "-Wl,-e,entry",
            "-Wl,--gc-sections", "-Wl,-Map=%s.map" % image, "-o", str(image), *objects,
        )  # fmt: skip
        with open("%s.map" % image, encoding="utf-8") as file:
            assert not re.search(r"libc\.a\(\S*mem(cpy|move|set)", file.read())
        kinds = kinds_of(prefix, image)
        assert kinds["memcpy"] == ("W" if is_ours else "T")
        assert kinds["memset"] == kinds["memmove"] == "W"


@pytest.mark.parametrize("board", ["lm3s6965evb", "mps2_an385"])
def test_boards_have_it(board):
    """An image that had libc.a's would be right, and slow."""
    path = os.path.join(ROOT, "build", board, "greeter.elf")
    with open(path + ".map", encoding="utf-8") as file:
        assert not re.search(r"libc\.a\(\S*mem(cpy|move|set)", file.read())
    kinds = kinds_of("arm-none-eabi-", path)
    assert kinds["memcpy"] == kinds["memset"] == "W"
