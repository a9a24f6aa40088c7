# tests/dist/test_version.py - the version: one place states it, all else reads it or agrees with it.
# Layer: tests. Source: nanorpc/version.h.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

import dist
from conftest import ROOT

# Other people's versions; CHANGELOG.md, whose business they are; and this file.
OTHERS = re.compile(
    r"package(-lock)?\.json$|go\.(mod|sum)$|requirements[\w-]*\.txt$|CHANGELOG\.md$|test_version\.py$"
)
# Words that a version of ours would stand behind.
STATED = re.compile(
    r"nanorpc[-_ ]v?\d+\.\d+"
    r"|#\s*define\s+NRPC_VERSION\w*\s+\S*\d"
    r"|^\s*(__version__|version|PROJECT_NUMBER)\s*:?=\s*[\"']?\d",
    re.M,
)


def stated(texts):
    """[(path, what it says)] of those of {path: text} that state a version of this project."""
    here = re.compile(r"(?<![\d.])%s(?![\d.]*\d)" % re.escape(dist.version()))
    return [
        (path, match.group())
        for path, text in sorted(texts.items())
        for pattern in (STATED, here)
        for match in [pattern.search(text)]
        if match
    ]


def texts():
    found = {}
    for path in dist.tree():
        if not OTHERS.search(path) and path != dist.VERSION_H:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                found[path] = file.read()
    return found


def test_one_place():
    assert stated(texts()) == []


@pytest.mark.parametrize(
    "line",
    [
        "This is nanorpc 1.0.",
        "#define NRPC_VERSION_MAJOR 1",
        'version = "0.8.1"',
        "PROJECT_NUMBER = 3",
        "since VERSION",
    ],
)
def test_one_place_finds(line):
    line = line.replace("VERSION", dist.version()) if line.startswith("since") else line
    assert stated({"docs/a.md": "A text.\n%s\n" % line}) != []


PROGRAM = """
#include <stdio.h>
#include "nanorpc/nanorpc.h"
#if NRPC_VERSION < NRPC_VERSION_OF(NRPC_VERSION_MAJOR, NRPC_VERSION_MINOR, NRPC_VERSION_PATCH) || \\
    NRPC_VERSION >= NRPC_VERSION_OF(NRPC_VERSION_MAJOR, NRPC_VERSION_MINOR, NRPC_VERSION_PATCH + 1) || \\
    NRPC_VERSION_OF(1, 0, 0) <= NRPC_VERSION_OF(0, 255, 255) || \\
    NRPC_VERSION_OF(0, 10, 0) <= NRPC_VERSION_OF(0, 9, 255)
#error "versions do not compare"
#endif
int main(void)
{
    return puts(NRPC_VERSION_STRING) < 0;
}
"""


@pytest.mark.parametrize("language", ["c", "c++"])
def test_header(language, tmp_path):
    """The text is the three numbers; an application that includes nanorpc.h can compare them."""
    (tmp_path / "a.c").write_text(PROGRAM)
    standard = "-std=c99" if language == "c" else "-std=c++17"
    compiler = "gcc" if language == "c" else "g++"
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    done = subprocess.run(
        [compiler, "-x", language, standard, *warnings, "-DNRPC_SAME_UNASKED", "-I" + ROOT, "-o", "a", "a.c"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    said = subprocess.run([tmp_path / "a"], text=True, stdout=subprocess.PIPE).stdout
    assert said == dist.version() + "\n"


def test_changelog():
    """The newest heading is this version's: not out yet, or with its day."""
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        headings = re.findall(r"^## (.*)$", file.read(), re.M)
    assert re.fullmatch(
        r"%s - (unreleased|\d{4}-\d\d-\d\d)" % re.escape(dist.version()), headings[0]
    )
    assert len({heading.split()[0] for heading in headings}) == len(headings)


@pytest.mark.parametrize("program", ["linux", "host-sim"])
def test_programs_say_it(program):
    path = os.path.join(ROOT, "build", program, "greeter")
    done = subprocess.run([path, "--version"], text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "nanorpc %s\n" % dist.version(), "")
