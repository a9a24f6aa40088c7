# tests/format.py - one format: what `make lint` checks of every text file, and `make format` mends.
# Layer: tests. Source: .editorconfig, .clang-format, pyproject.toml.
# SPDX-License-Identifier: Apache-2.0
"""Use: format.py [--mend] [FOLDER]   Ends with 1 when a file is not as it must be, and names it.

Of every text file: LF, a last line that ends, no trailing blanks, no tabs but where .editorconfig says so, and before
the recipes of a makefile that a page shows. Of C: clang-format. Of Python: ruff. Both are those of this interpreter's
environment, see requirements.txt.
"""

import argparse
import configparser
import fnmatch
import os
import re
import subprocess
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
C_FOLDERS = ("nanorpc", "ports", "boards", "host-sim", "tests")
NOT_OURS = {"build", "node_modules", "__pycache__"}  # and what begins with a dot, but .ci


def files(root):
    """Paths below root of all that may be ours. Walked, not asked of git: an unpacked archive has none."""
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in NOT_OURS and (f[0] != "." or f == ".ci")]
        found += [os.path.relpath(os.path.join(directory, name), root) for name in names]
    return sorted(path for path in found if not path.endswith(".pyc"))


def tabs_allowed(root):
    """What .editorconfig indents with tabs: patterns of names."""
    config = configparser.ConfigParser(interpolation=None)
    with open(os.path.join(root, ".editorconfig"), encoding="utf-8") as file:
        config.read_string("[-]\n" + file.read())
    return [name for name in config.sections() if config[name].get("indent_style") == "tab"]


def text_faults(path, data, tabs):
    """[(line, why)] of one file's bytes."""
    found, fence = [], b""  # in Markdown: the language of the code around the line
    if data and not data.endswith(b"\n"):
        found.append((data.count(b"\n") + 1, "the last line has no end"))
    for number, line in enumerate(data.split(b"\n"), 1):
        if path.endswith(".md") and line.startswith(b"```"):
            fence = line[3:].strip()
        code = line[1:] if fence == b"make" else line  # a recipe begins with a tab
        if b"\r" in line:
            found.append((number, "a carriage return"))
        elif line[-1:] in (b" ", b"\t"):
            found.append((number, "trailing blanks"))
        elif b"\t" in code and not any(fnmatch.fnmatch(os.path.basename(path), t) for t in tabs):
            found.append((number, "a tab"))
    return found


def mended(data):
    """The same bytes without what can be mended in any text: all but tabs."""
    data = re.sub(rb"[ \t\r]+$", b"", data, flags=re.MULTILINE)
    return data if not data or data.endswith(b"\n") else data + b"\n"


def texts(root, mend):
    """Checks all text files; [FILE:LINE: why]."""
    tabs, found = tabs_allowed(root), []
    for path in files(root):
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
        if b"\0" in data:
            continue
        if mend and mended(data) != data:
            data = mended(data)
            with open(os.path.join(root, path), "wb") as file:
                file.write(data)
        found += ["%s:%d: %s" % (path, *fault) for fault in text_faults(path, data, tabs)]
    return found


def run(root, tool, *arguments):
    """Runs a tool of this environment in root, with its messages; whether it was content."""
    program = os.path.join(sysconfig.get_path("scripts"), tool)
    return subprocess.run([program, *arguments], cwd=root, check=False).returncode == 0


def tools(root, mend):
    """Formatters and linters; whether all of them were content."""
    sources = [
        path
        for path in files(root)
        if path.endswith((".c", ".h")) and path.split(os.sep)[0] in C_FOLDERS
    ]
    how = ["-i"] if mend else ["--dry-run", "-Werror", "-ferror-limit=1"]
    content = not sources or run(root, "clang-format", *how, *sources)
    ruff = ["--no-cache", "--quiet", "--output-format", "concise"]
    # What ruff check mends, such as the order of imports, may be something to format.
    content &= run(root, "ruff", "check", *ruff, *(["--fix"] if mend else []), ".")
    content &= run(root, "ruff", "format", *ruff, *([] if mend else ["--check"]), ".")
    return content


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mend", action="store_true", help="mend what can be mended")
    parser.add_argument("folder", nargs="?", default=ROOT)
    options = parser.parse_args()
    found = texts(options.folder, options.mend)
    for line in found:
        print(line)
    sys.stdout.flush()
    if tools(options.folder, options.mend) and not found:
        return 0
    print(
        "lint: what `make format` has left is yours"
        if options.mend
        else "lint: the files above are not in the project's format: `make format` mends most of it"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
