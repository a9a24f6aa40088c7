# tests/docs/docs.py - the reference of the public headers: build/docs/html, made by Doxygen.
# Layer: tests; run by `make docs`. Source: docs/Doxyfile.
# SPDX-License-Identifier: Apache-2.0
"""Use: make docs

Any warning is an error, but for members, macros and types that say what they are by their names: a public function
without a comment is one, too."""

import os
import re
import shutil
import subprocess
import sys

import headers

ROOT = headers.ROOT
OUT = os.path.join("build", "docs")
MAIN_PAGE = "docs/api.md"
# Of those only what users see as functions must have a comment.
BY_NAME = re.compile(
    r"Member .* \((variable|enumvalue|macro definition|enumeration|typedef)\) of \w+ \S+ is not documented"
    r"|Member \w+_\(.* \(function\) of file \S+ is not documented"  # our own, not the user's
    r"|Compound \S+ is not documented"
)


def version():
    text = headers.read("nanorpc/version.h")
    return ".".join(re.findall(r"^#define NRPC_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", text, re.M))


def configuration(inputs, out):
    text = headers.read("docs/Doxyfile")
    lines = ["INPUT = " + " ".join(inputs), "PROJECT_NUMBER = " + version()]
    if MAIN_PAGE not in inputs:  # Doxygen 1.9.8 warns of it, 1.9.4 does not
        lines.append("USE_MDFILE_AS_MAINPAGE =")
    return "\n".join([text, *lines, "OUTPUT_DIRECTORY = " + out, ""])


def make(inputs=None, out=OUT):
    """[warning] that are errors; the HTML is in out/html."""
    shutil.rmtree(os.path.join(ROOT, out), ignore_errors=True)
    os.makedirs(os.path.join(ROOT, out))
    done = subprocess.run(
        ["doxygen", "-"],
        cwd=ROOT,
        input=configuration(inputs or [MAIN_PAGE, *headers.public()], out),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = [line.replace(ROOT + "/", "") for line in done.stdout.splitlines() if line.strip()]
    wrong = [line for line in lines if not BY_NAME.search(line)]
    if done.returncode and not wrong:
        wrong = ["doxygen ended with %d" % done.returncode]
    return wrong


def main():
    wrong = make()
    if wrong:
        sys.exit("\n".join(wrong + ["docs: %d warnings; they are errors" % len(wrong)]))
    print("docs: %s" % os.path.join(OUT, "html", "index.html"))


if __name__ == "__main__":
    main()
