# tests/test_design.py - docs/design.md follows one unary call through the sources: each step must be there.
# Layer: tests. Source: docs/design.md, "One unary call".
# SPDX-License-Identifier: Apache-2.0
import collections
import os
import re

import pytest
import rooms

from conftest import ROOT

Step = collections.namedtuple("Step", "number function caller pointer path part")
LINE = re.compile(r"^(\d+)\. `(\w+)`(?: \((\d+)(?:, by `(\w+)`)?\))?(?: in `([^`]+)`)?: \S", re.M)
FIRST = "nrpc_conn_receive"


def source(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return rooms.stripped(file.read())


def walk(text):
    """The steps of the list; one that names no file is in that of the step before. Each part is another frame."""
    section = text[text.index("## One unary call") : text.index("## Sans-I/O")]
    steps = []
    for part, lines in enumerate(re.split(r"^The .*:$", section, flags=re.M)):
        for number, function, caller, pointer, path in LINE.findall(lines):
            path = path or steps[-1].path
            steps.append(Step(int(number), function, int(caller or 0), pointer, path, part))
    return steps


def breaches(steps, read=source):
    """What the sources have otherwise."""
    bodies = {path: rooms.definitions(read(path)) for path in {step.path for step in steps}}
    by_number = {step.number: step for step in steps}
    last_place = {}
    for expected, step in enumerate(steps, 1):
        if step.number != expected:
            yield "%d stands at the place of %d" % (step.number, expected)
        if step.function not in bodies[step.path]:
            yield "%d: there is no %s in %s" % (step.number, step.function, step.path)
        if not step.caller:
            continue
        if step.caller >= step.number:
            yield "%d: its caller %d comes later" % (step.number, step.caller)
            continue
        caller = by_number[step.caller]
        called = r"->%s\(" % step.pointer if step.pointer else r"\b%s\(" % step.function
        place = re.search(called, bodies[caller.path].get(caller.function, ""))
        if not place:
            yield "%d: %s does not call %s" % (step.number, caller.function, step.function)
        elif place.start() < last_place.get((caller.number, step.part), -1):
            yield "%d: %s calls it before the one that is listed before" % (
                step.number,
                caller.function,
            )
        else:
            last_place[caller.number, step.part] = place.start()
        if step.pointer and not re.search(
            r"\.%s = %s\b" % (step.pointer, step.function), read(step.path)
        ):
            yield "%d: no table has %s as its `%s`" % (step.number, step.function, step.pointer)


def reopened(steps):
    """Sources that are opened again, although the way to the step does not come through them."""
    by_number = {step.number: step for step in steps}
    seen, previous = set(), None
    for step in steps:
        way, at = set(), step
        while at.caller:
            at = by_number[at.caller]
            way.add(at.path)
        if (
            step.path != previous
            and step.path in seen
            and step.path not in way
            and step.path.endswith(".c")
        ):
            yield step.path
        seen.add(step.path)
        previous = step.path


@pytest.fixture(scope="module")
def steps():
    with open(os.path.join(ROOT, "docs", "design.md"), encoding="utf-8") as file:
        return walk(file.read())


def test_walk_is_in_the_sources(steps):
    assert steps[0].function == FIRST and steps[-2].function == "put_trailers" and len(steps) > 30
    assert list(breaches(steps)) == []


def test_each_file_is_opened_once(steps):
    assert list(reopened(steps)) == []


def test_pointers_have_their_tables(steps):
    assert [step.function for step in steps if step.pointer] == [
        "nrpc_typed_message",
        "nrpc_typed_send",
    ]


TEXT = """## One unary call
1. `one` in `a.c`: begins
2. `two` (1): goes on
3. `three` (1) in `b.c`: ends
## Sans-I/O
"""
A_C = "void two(void)\n{\n}\nvoid one(void)\n{\n    two();\n    three();\n}\n"
B_C = "void three(void)\n{\n}\n"


@pytest.mark.parametrize(
    "a, b, text, why",
    [
        (A_C, B_C, TEXT, None),
        (A_C.replace("two();", "too();"), B_C, TEXT, "does not call two"),
        (A_C, B_C.replace("three", "free"), TEXT, "no three"),
        (
            A_C.replace("    two();\n    three();", "    three();\n    two();"),
            B_C,
            TEXT,
            "calls it before",
        ),
        (A_C, B_C, TEXT.replace("3.", "4."), "at the place"),
        (A_C, B_C, TEXT.replace("(1) in", "(3) in"), "comes later"),
    ],
)
def test_walk_finds(a, b, text, why):
    found = list(breaches(walk(text), {"a.c": a, "b.c": b}.get))
    assert (found == []) if why is None else (len(found) == 1 and why in found[0]), found


def test_reopened_finds():
    again = TEXT.replace(
        "## Sans",
        "4. `four` (3) in `c.c`: on\n5. `two` (4) in `a.c`: fine\n6. `x` (1) in `b.c`: not\n## Sans",
    )
    assert list(reopened(walk(TEXT))) == [] and list(reopened(walk(again))) == ["b.c"]
