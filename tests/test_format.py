# tests/test_format.py - tests of what `make lint` says of a file's format, and of `make format`.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

GOOD = {
    "ports/a.c": "int a(int b)\n{\n    return b;\n}\n",
    "tests/b.py": 'import os\n\nprint(os.name, "b")\n',
    "docs/c.md": "# Text\n\n  * a list\n",
    "docs/f.md": "```make\na:\n\techo a\n```\n",
    "Makefile": "a:\n\techo a\n",
    "build/d.c": "int  d;   \n",
    ".venv/e.py": "x=1",
}


@pytest.fixture
def tree(tmp_path):
    """A project of a few files, as an unpacked archive: without git."""
    for name in (".editorconfig", ".clang-format", "pyproject.toml"):
        shutil.copy(os.path.join(ROOT, name), tmp_path)
    for path, text in GOOD.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    return tmp_path


def lint(tree, *options):
    script = os.path.join(ROOT, "tests", "format.py")
    done = subprocess.run(
        [sys.executable, "-B", script, *options, str(tree)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_good_files_are_left_alone(tree):
    assert lint(tree) == (0, "")
    assert lint(tree, "--mend") == (0, "")
    assert {path: (tree / path).read_bytes().decode() for path in GOOD} == GOOD


@pytest.mark.parametrize(
    "path, text, mended",
    [
        ("ports/a.c", "int a(int b) { return b; }\n", GOOD["ports/a.c"]),
        ("nanorpc/a.h", "int  a;\n", "int a;\n"),
        ("tests/b.py", "import os\n\nprint(os.name, 'b')\n", GOOD["tests/b.py"]),
        ("tests/b.py", "import sys\nimport os\n\nprint(os, sys)\n", None),
        ("docs/c.md", "# Text \n\n  * a list\t\n", "# Text\n\n  * a list\n"),
        ("docs/c.md", "# Text\r\n", "# Text\n"),
        ("docs/c.md", "# Text", "# Text\n"),
        (".ci/run", "exit 0 \n", "exit 0\n"),
    ],
)
def test_bad_file_is_named_and_mended(tree, path, text, mended):
    (tree / path).parent.mkdir(exist_ok=True)
    (tree / path).write_bytes(text.encode())
    code, output = lint(tree)
    assert code == 1 and path in output and "make format" in output, output
    assert (tree / path).read_bytes() == text.encode()
    assert lint(tree, "--mend")[0] == 0
    assert lint(tree) == (0, "")
    assert mended is None or (tree / path).read_bytes().decode() == mended


@pytest.mark.parametrize(
    "path, text, why",
    [
        ("docs/c.md", "a\tb\n", "docs/c.md:1: a tab"),
        ("docs/c.md", "```make\n\techo a\tb\n```\n", "docs/c.md:2: a tab"),
        ("docs/c.md", "```make\na:\n```\n\tb\n", "docs/c.md:4: a tab"),
        ("docs/c.md", "```c\n\tb\n```\n", "docs/c.md:2: a tab"),
        ("tests/b.py", "print(nobody)\n", "F821"),
        ("tests/b.py", "# " + "x" * 117 + "\n", "E501"),
    ],
)
def test_what_only_people_can_mend_stays_an_error(tree, path, text, why):
    (tree / path).write_bytes(text.encode())
    for options in ((), ("--mend",)):
        code, output = lint(tree, *options)
        assert code == 1 and path in output and why in output, output
    assert (tree / path).read_bytes() == text.encode()


def test_lint_and_format_are_make_targets():
    """`make lint` and `make test` check the format; `make format` mends it."""
    for target, command in (("lint", "format.py"), ("test", "format.py"), ("format", "--mend")):
        done = subprocess.run(
            ["make", "-n", "V=1", target], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert any(
            "tests/format.py" in line and line.endswith(command)
            for line in done.stdout.splitlines()
        ), target
