# tests/settings/test_same.py - files of one image that do not have the same settings do not link.
# Layer: tests. Source: nanorpc/same.h.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import shutil
import subprocess

import pytest

import size
from conftest import ROOT

NANOPB = os.path.join(ROOT, os.environ.get("NANOPB_DIR", "build/third/nanopb"))
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I" + ROOT, "-isystem", NANOPB]
# Of config.h, those that files of an image may differ in: with the reason. Today none may.
MAY_DIFFER = {}
# What else is tied: the header, and the file that says what the image's settings are.
OTHERS = {
    "nanorpc/dial.h": "nanorpc/client/nrpc_dial.c",
}
# Tried in turn: one of them is another value, and within the range, of each setting.
VALUES = ("0", "1", "2", "64", "100", "128", "200", "2000", "6000", "70000")
APP_C = """
#include "nanorpc/nanorpc.h"
#include "nanorpc/dial.h"
size_t (*volatile kept)(struct nrpc_conn *, const void *, size_t, uint32_t) = nrpc_conn_receive;
uint32_t (*volatile kept_too)(struct nrpc_dial *, uint32_t) = nrpc_dial_wait_ms;
int main(void);
int main(void) { return !kept || !kept_too; }
"""
TELLER_C = """
#define NRPC_SAME_TOLD_HERE
#include "nanorpc/config.h"
int teller(void);
int teller(void) { return 1; }
"""
ASKER_C = '#include "nanorpc/config.h"\nint teller(void);\nint main(void);\nint main(void) { return teller() - 1; }\n'
BARE_C = "void _start(void);\nvoid _start(void) { (void)main(); for (;;) { } }\n"


def settings_of(path):
    """[(name, value)] of all that can be set there; of a default that depends the first, which is this machine's."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    names = [name for name in re.findall(r"^#ifndef (NRPC_\w+)$", text, re.M)]
    assert names
    return [(n, re.search(r"^#define %s (.+)$" % n, text, re.M).group(1)) for n in names]


def followers(setting):
    """The symbols' beginnings of those whose default depends on it."""
    with open(os.path.join(ROOT, "nanorpc/config.h"), encoding="utf-8") as file:
        blocks = re.findall(r"^#ifndef (NRPC_\w+)\n(.*?\n#endif)\n\n", file.read(), re.M | re.S)
    return tuple("nrpc_built_with_%s_" % n for n, text in blocks if "!%s\n" % setting in text)


SETTINGS = [pair for path in ("nanorpc/config.h", *OTHERS) for pair in settings_of(path)]


def run(*command):
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )


def built(*command):
    done = run(*command)
    assert done.returncode == 0, done.stdout


def write(path, text):
    path.write_text(text)
    return str(path)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """The whole core, and nanopb, with the settings as they come, and a program's source."""
    tree = tmp_path_factory.mktemp("core")
    sources = [
        path for room in size.ROOMS for path in glob.glob("%s/nanorpc/%s/*.c" % (ROOT, room))
    ]
    built(
        "gcc",
        *FLAGS,
        "-ffunction-sections",
        "-fdata-sections",
        "-r",
        "-nostdlib",
        "-o",
        str(tree / "core.o"),
        *sources,
        *glob.glob(NANOPB + "/pb_*.c"),
    )
    write(tree / "app.c", APP_C)
    return tree


def lacking(text):
    return re.findall(r"undefined (?:reference to|symbol:) [`']?(\w+)", text)


def link(core, out, *flags):
    built("gcc", *FLAGS, *flags, "-c", "-o", str(out / "app.o"), str(core / "app.c"))
    return run(
        "gcc", "-Wl,--gc-sections", "-o", str(out / "app"), str(out / "app.o"), str(core / "core.o")
    )


def test_the_same_links(core, tmp_path):
    done = link(core, tmp_path)
    assert done.returncode == 0, done.stdout
    done = link(core, tmp_path, *("-D%s=%s" % pair for pair in SETTINGS))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("setting, value", SETTINGS)
def test_each_setting(setting, value, core, tmp_path):
    """Another value in the application than in the core: the linker says of which setting."""
    assert setting not in MAY_DIFFER
    for other in VALUES:
        if other != value:
            flag = "-D%s=%s" % (setting, other)
            if run("gcc", *FLAGS, flag, "-fsyntax-only", str(core / "app.c")).returncode == 0:
                break
    else:
        pytest.fail("no other value of %s is within its range" % setting)
    done = link(core, tmp_path, flag)
    assert done.returncode != 0
    said = {symbol for symbol in lacking(done.stdout) if not symbol.startswith(followers(setting))}
    assert said == {"nrpc_built_with_%s_%s" % (setting, other)}, done.stdout


def test_expressions_are_compared_as_they_stand(core, tmp_path):
    done = link(core, tmp_path, "-DNRPC_MAX_STREAMS=(2*2)")
    assert done.returncode != 0 and "nrpc_built_with_NRPC_MAX_STREAMS_(2*2)" in done.stdout
    teller, asker = write(tmp_path / "teller.c", TELLER_C), write(tmp_path / "asker.c", ASKER_C)
    for compiler in ("gcc", "clang"):
        flags = [compiler, *FLAGS, "-DHERE=2", "-DNRPC_MAX_STREAMS=(2 * HERE)"]
        built(*flags, "-o", str(tmp_path / "app"), teller, asker)


HOST = ["-O0", "-Os -ffunction-sections", "-O2 -flto", "-O2 -g -Wl,-s", "-O2 -fPIE -pie"]
COMPILERS = [("gcc", flags) for flags in HOST] + [
    ("clang", flags) for flags in HOST if "lto" not in flags
]
COMPILERS += [("clang", "-O2 -fuse-ld=lld"), ("clang", "-O2 -flto -fuse-ld=lld -Wl,-s")]
COMPILERS += [
    ("arm-none-eabi-gcc", "-mcpu=cortex-m3 -mthumb -nostdlib -Os" + more) for more in ("", " -flto")
]
COMPILERS += [
    ("riscv64-unknown-elf-gcc", "-march=rv32imac -mabi=ilp32 -ffreestanding -nostdlib -Os" + more)
    for more in ("", " -flto")
]
COMPILERS += [
    ("clang", "--target=%s -nostdlib -Os -fuse-ld=lld" % target)
    for target in ("arm-none-eabi", "riscv32-unknown-elf")
]


def loaded_bytes(path):
    """Of the sections that are in memory."""
    return run("size", path).stdout.splitlines()[1].split()[:3]


@pytest.mark.parametrize("compiler, flags", COMPILERS)
def test_compilers_and_linkers(compiler, flags, tmp_path):
    """Each says so, also for an archive; what links has not a byte more than without the check."""
    if "lld" in flags and not shutil.which("ld.lld"):
        pytest.skip("lld is not installed here")
    bare = BARE_C if "-nostdlib" in flags else ""
    command = [
        compiler,
        *FLAGS,
        *flags.split(),
        "-Wno-unused-command-line-argument"[: 99 if compiler == "clang" else 0] or "-Wall",
    ]
    teller, asker = (
        write(tmp_path / "teller.c", TELLER_C),
        write(tmp_path / "asker.c", ASKER_C + bare),
    )
    parts = [str(tmp_path / "teller.o"), str(tmp_path / "asker.o")]

    def made(*different):
        built(*command, "-c", "-o", parts[0], teller)
        built(*command, *different, "-c", "-o", parts[1], asker)
        return run(*command, "-Wl,--gc-sections", "-o", str(tmp_path / "app"), *parts)

    done = made()
    assert done.returncode == 0, done.stdout
    checked = loaded_bytes(str(tmp_path / "app"))
    done = made("-DNRPC_TLS=1", "-DNRPC_MAX_STREAMS=9")
    assert done.returncode != 0
    assert set(lacking(done.stdout)) == {
        "nrpc_built_with_NRPC_TLS_1",
        "nrpc_built_with_NRPC_MAX_STREAMS_9",
    }, done.stdout
    command.append("-U__ELF__")
    done = made("-DNRPC_TLS=1")
    assert done.returncode == 0, done.stdout
    assert loaded_bytes(str(tmp_path / "app")) == checked


def test_from_cpp(core, tmp_path):
    """A file in C++ agrees with a core in C, or not."""
    source = write(tmp_path / "app.cc", APP_C)
    for compiler in ("g++", "clang++"):
        for flags, status in (([], 0), (["-DNRPC_FAST=1"], 1)):
            built(
                compiler,
                "-std=c++20",
                "-I" + ROOT,
                *flags,
                "-c",
                "-o",
                str(tmp_path / "a.o"),
                source,
            )
            done = run(
                compiler,
                "-Wl,--gc-sections",
                "-o",
                str(tmp_path / "app"),
                str(tmp_path / "a.o"),
                str(core / "core.o"),
            )
            assert (done.returncode != 0) == status, done.stdout
            assert ("nrpc_built_with_NRPC_FAST_1" in done.stdout) == status
