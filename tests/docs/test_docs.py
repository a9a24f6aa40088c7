# tests/docs/test_docs.py - the reference of the public headers: all public functions are there, with comments.
# Layer: tests. Source: docs/Doxyfile, docs/api.md.
# SPDX-License-Identifier: Apache-2.0
import glob
import html
import os
import re
import subprocess

import pytest

import docs
import headers
from conftest import ROOT

HTML = os.path.join(ROOT, "build", "docs", "html")
# Of `nrpc_...(` in a header's code, these are no functions for its users.
OWN = re.compile(r"\w+_$")


@pytest.fixture(scope="module")
def made():
    """`make docs`: its HTML files' texts, by name."""
    done = subprocess.run(
        ["make", "-s", "docs"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert "warning" not in done.stdout
    found = {}
    for path in glob.glob(HTML + "/*.html"):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)] = file.read()
    return found


def page_of(header):
    return os.path.basename(header).replace("_", "__").replace(".", "_8") + ".html"


def plain(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def documented(page):
    """{function: its contract} of a header's page."""
    found = {}
    for item in page.split('<div class="memitem">')[1:]:
        declared, _, contract = item.partition('<div class="memdoc">')
        named = re.search(r"\b(nrpc_\w+) \(", plain(declared))
        if named:
            found[named.group(1)] = plain(contract.partition("</div>")[0])
    return found


@pytest.mark.parametrize("header", headers.public())
def test_functions(header, made):
    """Each function that the header declares is on its page, with its contract."""
    there = documented(made[page_of(header)])
    missing = [
        name
        for name in headers.functions(header)
        if not OWN.match(name) and len(there.get(name, "")) < 10
    ]
    assert missing == [], there


def test_public_headers():
    """The list is not empty by mistake, and has no private header."""
    found = headers.public()
    assert {"nanorpc/nanorpc.h", "nanorpc/services/health.h", "ports/nrpc_link.h"} <= set(found)
    assert len([path for path in found if path.startswith("ports/")]) >= 8
    assert "ports/posix/nrpc_posix_port.h" not in found
    assert sum(len(headers.functions(path)) for path in found) >= 60


def test_index_by_task(made):
    """The first page has all tasks; all that it names as a function or macro leads somewhere."""
    with open(os.path.join(ROOT, "docs", "api.md"), encoding="utf-8") as file:
        text = file.read()
    tasks = re.findall(r"^## (.*)$", text, re.M)
    assert tasks == ["Serve", "Call", "Stream", "TLS", "Write a port", "Limits"]
    index = made["index.html"]
    for task in tasks:
        assert re.search(r"<h\d[^>]*>(<[^>]*>|\s)*%s</h\d>" % task, index), task
    for name in set(re.findall(r"\b((?:nrpc|NRPC)_\w+)\(\)", text)):
        link = re.search(r'<a class="el" href="(\w+\.html)(?:#\w+)?"[^>]*>%s\(\)</a>' % name, index)
        assert link and link.group(1) in made, name
    for name in re.findall(r"`((?:nanorpc|ports)/[\w/]+\.h)`", text):
        assert name in headers.public() and page_of(name) in made, name


SAYS = (
    'Does one thing with <n>, "@x \\n <b>" and *p, @x \\n `b` #a [c] 1 % --help &lt; __d__ \\ref e.'
)
HEADER = """/* nanorpc/a.h - a test.
 * Layer: core. SPDX-License-Identifier: Apache-2.0 */
#ifndef A_H
#define A_H
/* SAYS Returns 0.
 *   a    1
 *   b    2 */
int nrpc_first(int n);
int nrpc_second(int n);

COMMENT
int nrpc_third(int n); /* TRAILING */
#endif
""".replace("SAYS", SAYS)


def warnings_of(tmp_path, text):
    (tmp_path / "a.h").write_text(text)
    return docs.make([str(tmp_path / "a.h")], os.path.relpath(tmp_path / "out", ROOT))


def test_comment_is_missing(tmp_path):
    """A function without a comment fails, with its name."""
    text = HEADER.replace("COMMENT\n", "").replace(" /* TRAILING */", "")
    (found,) = warnings_of(tmp_path, text)
    assert "nrpc_third" in found and "not documented" in found


def test_text_is_what_the_header_says(tmp_path):
    """A comment is that of a group of lines, or behind one; what would mean something to Doxygen, and tables,
    come out as they are."""
    assert warnings_of(tmp_path, HEADER.replace("COMMENT\n", "")) == []
    with open(tmp_path / "out" / "html" / "a_8h.html", encoding="utf-8") as file:
        text = file.read()
    there = documented(text)
    assert there["nrpc_first"] == there["nrpc_second"] and "TRAILING" in there["nrpc_third"]
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    assert SAYS in text
    assert "  a    1\n  b    2\n" in text
