# tests/layers.py - what the sources must keep to: which way includes point, how long files, functions and lines are.
# Layer: tests. Source: the rules of the project.
# SPDX-License-Identifier: Apache-2.0
"""Use: layers.py   Prints each breach as FILE:LINE: text and ends with 1 when there is one."""

import os
import re
import sys

import rooms

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = (
    "nanorpc",
    "ports",
    "boards",
    "host-sim",
    "tests/unit",
    "tests/ports",
    "tests/target",
    "tests/interop",
    "tests/services",
    "tests/tls",
    "tests/bench",
    "tests/fuzz",
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LIBC = {"assert.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
NANOPB = {"pb.h", "pb_common.h", "pb_decode.h", "pb_encode.h"}
# All of the core that knows nanopb.
TYPED = {
    "nrpc_bounds.c",
    "nrpc_details.c",
    "nrpc_message.c",
    "nrpc_streamed.c",
    "scalars.h",
    "streamed.h",
}
C_LINES, H_LINES, FUNCTION_LINES, SWITCH_LINES, COLUMNS = 600, 200, 50, 100, 100


def sources(folders=FOLDERS):
    """Paths below the root of our C files."""
    found = []
    for folder in folders:
        for directory, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [
                os.path.relpath(os.path.join(directory, name), ROOT)
                for name in names
                if name.endswith((".c", ".h"))
            ]
    return sorted(found)


def layer(path):
    """The folder that names a file's layer: nanorpc, ports/lwip, boards, host-sim, tests."""
    parts = path.split(os.sep)
    return "/".join(parts[:2]) if parts[0] == "ports" and len(parts) > 2 else parts[0]


def resolve(path, name, ours):
    """Which of our files `#include "name"` in `path` means, or None. Of nanorpc/ and ports/: by its whole path."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    for candidate in [beside, name, "boards/" + name]:
        if candidate in ours:
            return candidate
    return None


def may_include(path, included):
    """Includes point one way: boards and host-sim -> ports -> nanorpc, and down the floors of these (rooms.py)."""
    here, there = layer(path), layer(included)
    if here == "tests":
        return True
    if here == "nanorpc" or here.startswith("ports"):
        floors = rooms.floor(path), rooms.floor(included)
        if None in floors:
            return here == there
        same = here == there and (here != "nanorpc" or floors[0] == floors[1])
        return same or floors[1] < floors[0]
    return here == there or there == "nanorpc" or there.startswith("ports") or there == "boards"


def core_breach(path, name, ours):
    """Why the core may not include what is not ours."""
    if name in LIBC or os.path.basename(path) in TYPED and name in NANOPB:
        return None
    if name in NANOPB:
        return "only %s may include nanopb" % ", ".join(sorted(TYPED))
    return "the core includes only itself and %s" % ", ".join(sorted(LIBC))


def name_breaches(path, lines):
    """The core knows nothing of ports, not even in a comment."""
    for number, line in enumerate(lines, 1):
        if layer(path) == "nanorpc" and re.search(r"\bports/", line):
            yield number, "the core names a port"


def includes(path, lines, ours):
    """(line, what the include says, our file or None)"""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            quoted = match.group(1) == '"'
            yield number, match.group(2), resolve(path, match.group(2), ours) if quoted else None


def include_breaches(path, lines, ours):
    for number, name, included in includes(path, lines, ours):
        if included and not may_include(path, included):
            yield number, "an upward include of " + included
        elif not included and layer(path) == "nanorpc":
            why = core_breach(path, name, ours)
            if why:
                yield number, why


def house_breaches(texts):
    """What no file shows alone: calls that go up, circles, files of nanorpc/ that are in no room."""
    house = rooms.House(texts)
    for path in texts:
        if layer(path) == "nanorpc" and rooms.floor(path) is None:
            yield path, "in no room: tests/rooms.py says which there are"
    yield from house.call_breaches()
    yield from house.up_breaches()
    arrows = {
        path: [there for _, _, there in includes(path, text.splitlines(), texts) if there]
        for path, text in texts.items()
    }
    for group in house.circles(arrows):
        yield group[0], "a circle of files: " + ", ".join(group)


def length_breaches(path, lines):
    limit = H_LINES if path.endswith(".h") else C_LINES
    if len(lines) > limit:
        yield len(lines), "%d lines; a file like this has %d at most" % (len(lines), limit)
    begin = None
    for number, line in enumerate(lines, 1):
        width = len(line.rstrip("\n"))
        if width > COLUMNS:  # the formatter leaves strings, and comments behind an #include
            yield number, "%d columns; a line has %d at most" % (width, COLUMNS)
        if line.startswith("{"):
            begin = number
        elif line.startswith("}") and begin and not line.startswith("};"):
            length = number - begin + 1
            switch = any(re.match(r"\s+switch\b", inner) for inner in lines[begin:number])
            if length > (SWITCH_LINES if switch else FUNCTION_LINES):
                yield begin, "a function of %d lines" % length
            begin = None


def banner_breaches(path, lines):
    head = "".join(lines[:6])
    if not lines or not lines[0].startswith("/* " + path.replace(os.sep, "/")):
        yield 1, "the banner begins with the file's path and its purpose"
    if "Layer:" not in head:
        yield 1, "the banner names the layer"
    if "SPDX-License-Identifier: Apache-2.0" not in head:
        yield 1, "the banner has no SPDX line"


def cpp_breaches(path, lines):
    """What an application includes must be for C++ as well."""
    head = " ".join(
        line.strip(" *\n")
        for line in lines[: 1 + [line.endswith("*/\n") for line in lines].index(True)]
    )
    meant = re.search(r"Layer: core.*(\bpublic\b|for ports)|Layer: port\.", head)
    declares = rooms.DECLARATION.search(rooms.stripped("".join(lines)))
    if path.endswith(".h") and meant and declares and "NRPC_BEGIN_C\n" not in lines:
        yield 2, "a public header has NRPC_BEGIN_C and NRPC_END_C around its declarations"


def breaches(texts=None):
    """[(path, line, why)]; texts: {path: source}, by default all of ours."""
    if texts is None:
        texts = {}
        for path in sources():
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                texts[path] = file.read()
    found = []
    for path, text in sorted(texts.items()):
        lines = text.splitlines(keepends=True)
        for check in (
            include_breaches(path, lines, texts),
            name_breaches(path, lines),
            length_breaches(path, lines),
            banner_breaches(path, lines),
            cpp_breaches(path, lines),
        ):
            found += [(path, line, why) for line, why in check]
    return found + [(path, 1, why) for path, why in house_breaches(texts)]


def main():
    found = breaches()
    for breach in found:
        print("%s:%d: %s" % breach)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
