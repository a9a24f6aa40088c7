# tests/int16.py - where int has 16 bits: what is computed in an int before it becomes wider, which no compiler says.
# Layer: tests. Source: ISO C99 6.3.1.1 (integer promotions), 6.5.7; the trees that `clang -ast-dump` prints.
# SPDX-License-Identifier: Apache-2.0
"""Use: int16.py [FILE...]   Prints each breach as FILE: PLACE: text, and ends with 1 when there is one. Without a
FILE it looks at the core and at ports/serial.

Compilers say what they narrow (-Wconversion), and which constants overflow. They do not say that

    uint32_t bit = 1u << token;           loses bits from the 16th on
    uint32_t ms = ticks * 1000;           is a product of 16 bits, when ticks has so many
    size_t n = p[0] | p[1] << 8;          is negative from 0x8000 on

So: a sum, product or shift of 16 bits is not widened as if it had more (a cast of one operand, before, says how wide
it is meant to be); and bytes are not shifted in an int. As clang sees the sources for an AVR, with all options."""

import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLAGS = (
    "clang -fsyntax-only -std=c99 --target=avr -mmcu=atmega1284p -nostdlibinc -isystem /usr/lib/avr/include "
    "-I. -Iboards -Ibuild/gen -isystem build/third/nanopb -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
).split()
ALL = (
    "-DNRPC_CLIENT=1 -DNRPC_PIECES=1 -DNRPC_COMPRESSION=1 -DNRPC_METADATA_BYTES=128 -DNRPC_FAST=1 -DNRPC_REFUSALS=1 "
    "-DNRPC_MAX_STREAMS=20 -DNRPC_CHECKS=1 -DNRPC_KEEPALIVE_MS=60000 -DNRPC_RX_BLOCKS=2"
).split()
NODE = re.compile(
    r"^[ |`-]*(?P<kind>\w+) 0x\w+ <.*?> (?:.*? )??'(?P<type>[^']*)'(?::'(?P<real>[^']*)')?(?P<rest>.*)$"
)
# What it leaves out is as in the place before.
PLACE = re.compile(r"\b(?:line:(\d+):\d+|col:\d+)|((?:[\w./-]+|<[\w ]+>)):(\d+):\d+")
WIDENED = {"*", "<<", "+"}
SMALL = {"char", "signed char", "unsigned char"}


def sources():
    patterns = ("nanorpc/*/*.c", "ports/serial/*.c")
    found = [path for one in patterns for path in glob.glob(os.path.join(ROOT, one))]
    return sorted(os.path.relpath(path, ROOT) for path in found)


def compiled(path, *flags):
    """What clang says, and what it prints."""
    done = subprocess.run(
        FLAGS + ALL + list(flags) + [path], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def type_of(node):
    return node["real"] or node["type"]


def breaches_in(tree):
    """(place, text) of each in a printed tree; of what a macro makes the place is the macro's."""
    nodes = []
    file, line = "", "?"
    for text in tree.splitlines():
        node, begins = NODE.match(text), None
        for place in PLACE.finditer(text):
            file, line = place[2] or file, place[1] or place[3] or line
            begins = begins or (file, line)
        if node and node["kind"] != "ParenExpr":
            nodes.append((node, begins or (file, line), file))
    for (node, _, _), (inner, place, ends) in zip(nodes, nodes[1:]):
        operator = re.match(r" '([*+]|<<)'$", inner["rest"])
        if (
            node["kind"] == "ImplicitCastExpr"
            and "<IntegralCast>" in node["rest"]
            and "long" in type_of(node)
            and inner["kind"] == "BinaryOperator"
            and operator
            and "long" not in type_of(inner)
            and not ends.startswith("/usr/")  # UINT32_MAX
        ):
            yield place, "%s of 16 bits becomes %s" % (operator[1], type_of(node))
    for i, (node, place, _) in enumerate(nodes[:-2]):
        promoted, byte = nodes[i + 1][0], nodes[i + 2][0]
        if (
            node["kind"] == "BinaryOperator"
            and node["rest"] == " '<<'"
            and type_of(node) == "int"
            and promoted["kind"] == "ImplicitCastExpr"
            and "<IntegralCast>" in promoted["rest"]
            and type_of(byte) in SMALL
        ):
            yield place, "a byte is shifted in an int"


def breaches(path):
    status, tree, said = compiled(path, "-Xclang", "-ast-dump", "-fno-color-diagnostics")
    if status:
        yield "%s: %s" % (path, said.strip())
    for place, text in breaches_in(tree):
        yield "%s: %s:%s: %s" % (path, *place, text)


def main():
    found = [text for path in sys.argv[1:] or sources() for text in breaches(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
