#!/usr/bin/env python3
# tests/docs/headers.py - the public headers as data, and as Doxygen wants to read them: its INPUT_FILTER.
# Layer: tests; docs.py and docs/Doxyfile use it. Source: Doxygen, "Special Commands".
# SPDX-License-Identifier: Apache-2.0
"""Use: headers.py HEADER   writes it with its plain comments as Doxygen's; lines that it adds shift its warnings.

A comment belongs to what follows it without an empty line, and so do the declarations after that one, as far as no
empty line and no other comment comes between. One that stands alone is about the file. What comes after a
`/* --- ... --- */` that says that it is not the user's is left out."""

import functools
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATTERNS = ("nanorpc/*.h", "nanorpc/services/*.h", "ports/*.h", "ports/*/nrpc_*.h")
SECTION = re.compile(r"^/\* --- (.*?) -{3,}")
NOT_THE_USERS = re.compile(r"own$|^For the macros|^How the macro|^Internal", re.I)
FUNCTION = re.compile(r"^(?!typedef|#|return)[a-z][\w *]*?\b(nrpc_\w+)\(", re.M)
MACRO = re.compile(r"\*/\n#define (NRPC_\w*[A-Z0-9])(?=\s)")
DEFAULT = re.compile(r"^#ifndef (NRPC_\w+)\n(#define \1 .*\n)#endif$", re.M)
NOTHING = "//"  # a line that is left out, and no empty one


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def public():
    """The headers that users and ports include."""
    found = {path for name in PATTERNS for path in glob.glob(name, root_dir=ROOT)}
    return sorted(
        path
        for path in found
        if not os.path.basename(path).startswith("nrpc_profile")
        and not (path.startswith("nanorpc/") and os.path.basename(path).startswith("nrpc_"))
        and "internal to" not in read(path).partition("*/")[0]
    )


def users_part(text):
    """Without the sections that are not the user's; as many lines as before."""
    lines, hidden = [], False
    for line in text.split("\n"):
        section = SECTION.match(line)
        if section:
            hidden = NOT_THE_USERS.search(section.group(1)) is not None
        kept = not hidden or re.match(r"#\s*(if|el|endif)", line)
        lines.append(line if kept else "")
    return "\n".join(lines)


def code_of(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def functions(path):
    """Names of the functions that a header declares for its users."""
    flat = re.sub(r"\\\n", " ", code_of(users_part(read(path))))
    return sorted(set(FUNCTION.findall(flat)))


@functools.lru_cache(maxsize=None)
def linked():
    """Functions, and macros without arguments that have a comment: what comments are linked to."""
    found = set()
    for path in public():
        found.update(functions(path))
        found.update(MACRO.findall(Filter(path, links=False).run()))
    return found


# --- Comments ----------------------------------------------------------------------------------------------


def escaped(text, links):
    """links: names that are made links where they stand alone; a call with arguments is as it is."""
    parts = re.split(r'("[^"]*")', text)  # between quotes nothing means anything
    for i, part in enumerate(parts[::2]):
        part = re.sub(r"([\\@&<>#%*`~\[\]|]|\b_|_\b)", r"\\\1", part)
        parts[2 * i] = part.replace("--", "\\--")
    text = "".join(parts)
    return re.sub(
        r"\b(nrpc|NRPC)_\w+\b(?!\(|\.[ch]\b)",
        lambda m: "#" + m.group() if m.group() in links else m.group(),
        text,
    )


def body(comment):
    """A comment's lines without what makes it one."""
    inner = comment.strip()[2:-2].rstrip()
    return [re.sub(r"^\s*\* ?", "", line).rstrip() for line in ("* " + inner.lstrip()).split("\n")]


def formatted(lines, links):
    """Lines of text for Doxygen; tables and code as they stand."""
    out, inside = [], False
    for line in lines:
        as_it_is = line.startswith("  ") or re.search(r"\S {3,}\S", line) is not None
        if as_it_is != inside and (as_it_is or line):
            out.append("@verbatim" if as_it_is else "@endverbatim")
            inside = as_it_is
        out.append(line if inside else escaped(line, links))
    return out + ["@endverbatim"] * inside


# --- A header ----------------------------------------------------------------------------------------------


def pieces(text):
    """Comments, each with what stands before it on its line, and lines of code, in order: (kind, text)."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("#define"):
            while line.endswith("\\"):
                line += "\n" + lines[at]
                at += 1
        if "/*" not in line or line.startswith("#define") and "\n" in line:
            yield "code", line
            continue
        while "*/" not in line[line.rindex("/*") :]:
            line += "\n" + lines[at]
            at += 1
        before = line[: line.index("/*")]
        yield ("comment" if not before.strip() else "trailing"), line


class Filter:
    """Writes one header anew."""

    def __init__(self, path, links=True):
        self.path, self.out = path, []
        self.links = linked() if links else ()
        self.shared = None  # the comment of the declarations that follow without an empty line
        self.depth = 0  # of braces
        self.function = False  # in the body of one

    def doc(self, lines, begin="/**"):
        return begin + " " + "\n".join(formatted(lines, self.links)) + " */"

    def about_file(self, lines, title=None):
        text = [line for line in lines if "SPDX-License-Identifier" not in line]
        if title:
            title = "@par %s\n" % escaped(title, self.links)
        else:
            text[0] = text[0].partition(" - ")[2] or text[0]
        text = "\n".join(formatted(text, self.links))
        self.out.append("/** @file %s\n%s%s */" % (self.path, title or "", text))

    def comment(self, text, following):
        lines = body(text)
        section = SECTION.match(text)
        if not self.out:
            self.about_file(lines)
        elif self.function or section and len(lines) == 1:
            self.out.append("")
        elif section:
            self.about_file(lines[1:], section.group(1))
        elif self.depth:
            self.out.append(self.doc(lines))
        elif re.match(r"#\s*(if|include|endif)|NRPC_BEGIN_C|$", following):
            self.about_file(lines, "Use")
        else:
            self.shared = self.doc(lines)

    def trailing(self, text):
        before, _, comment = text.partition("/*")
        lines = body("/*" + comment)
        if self.function or re.match(r"(struct|union) \w+;", before):
            self.out.append(before)
        elif before.rstrip().endswith("{"):  # of the whole struct or enum
            self.code(before, self.doc(lines))
        else:
            self.code(before + self.doc(lines, "/**<"), None)

    def code(self, text, more):
        top = self.depth == 0
        begins = top and re.match(r"[a-zA-Z#]", text) and not re.match(r"#(if|el|endif|inc)", text)
        if re.fullmatch(r"NRPC_(BEGIN|END)_C", text):
            text = ""
        if text == NOTHING:
            self.out.append("")
            return
        if begins:
            self.out += [comment for comment in (self.shared, more) if comment]
        if not text.strip() and top:
            self.shared = None
        if text.startswith("#"):
            self.out.append(text)
            return
        self.function = self.function or text.rstrip() == "{" and top
        bare = re.sub(r'"[^"]*"|/\*.*', "", text, flags=re.S)
        self.depth += bare.count("{") - bare.count("}")
        self.function = self.function and self.depth > 0
        self.out.append(text)

    def run(self):
        text = users_part(read(self.path))
        # What stands around a default is not for the reader, and would hide it.
        text = DEFAULT.sub("%s\n\\2%s" % (NOTHING, NOTHING), text)
        found = list(pieces(text)) + [("code", "")]
        for (kind, piece), (_, following) in zip(found, found[1:]):
            if kind == "comment":
                self.comment(piece, following)
            elif kind == "trailing":
                self.trailing(piece)
            else:
                self.code(piece, None)
        return "\n".join(self.out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(Filter(os.path.relpath(os.path.abspath(sys.argv[1]), ROOT)).run())
