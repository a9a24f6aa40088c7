# boards/tools/fit.py - runs a board's link; says in one line by how much an image is too large.
# Layer: board; the Makefile links each image of a microcontroller by it. Source: GNU ld's messages.
# SPDX-License-Identifier: Apache-2.0
"""Use: fit.py NAME --flash-kb N --ram-kb N -- LINK-COMMAND...

What the linker prints goes on as it is, but for its pages on sections that do not fit."""

import argparse
import re
import subprocess
import sys

OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")
PAGES = re.compile(
    r"will not fit in region|overflowed by|collect2: error|final link failed|overlaps"
)


def kb(count):
    return "%.1f KB" % (count / 1024)


def verdict(name, output, sizes):
    """The line, or None when nothing has overflowed. sizes: {region: bytes}"""
    parts = []
    for region, over in sorted(OVERFLOW.findall(output)):
        if sizes.get(region):
            parts.append(
                "%s %s of %s"
                % (
                    region.lower() if region == "FLASH" else region,
                    kb(sizes[region] + int(over)),
                    kb(sizes[region]),
                )
            )
        else:
            parts.append("%s has %s too many" % (region, over))
    if not parts:
        return None
    return "%s does not fit: %s" % (name, ", ".join(dict.fromkeys(parts)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--flash-kb", type=int, default=0)
    parser.add_argument("--ram-kb", type=int, default=0)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    done = subprocess.run(args.command, stderr=subprocess.PIPE, text=True, errors="replace")
    line = done.returncode and verdict(
        args.name, done.stderr, {"FLASH": args.flash_kb * 1024, "RAM": args.ram_kb * 1024}
    )
    for text in done.stderr.splitlines():
        if not line or not PAGES.search(text):
            print(text, file=sys.stderr)
    if line:
        print(line, file=sys.stderr)
        print(
            "What takes it: fewer connections or streams (docs/limits.md), a smaller service,"
            " or another board (make boards).",
            file=sys.stderr,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
