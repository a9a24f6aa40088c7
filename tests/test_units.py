# tests/test_units.py - runs each unit test's program: on the host under sanitizers, on a Cortex-M3, on an AVR.
# Layer: tests; `make test` builds the programs first.
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import glob
import os
import re
import subprocess

import pytest

from conftest import ROOT

EMULATOR = [
    "qemu-system-arm",
    "-M",
    "mps2-an385",
    "-nographic",
    "-monitor",
    "none",
    "-serial",
    "none",
    "-semihosting-config",
    "enable=on,target=native",
    "-kernel",
]
SIMAVR = ["build/simavr/simavr-run", "atmega2560", "16000000"]
COUNTED = ["-icount", "shift=0"]  # an instruction takes a nanosecond
COUNTING = ("test_cost", "test_decode_cost")
with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
    MAKEFILE = makefile.read().replace("\\\n", " ")


def trees(start):
    """{tree: (how its programs are started, their ending)} of those in the Makefile."""
    words = " ".join(re.findall(r"^UNIT_TREES \+?:?= (.*)$", MAKEFILE, re.M)).split()
    emulated = {"m3": (EMULATOR, ".elf"), "avr": (SIMAVR, ".elf")}
    return {
        tree: emulated.get(tree.partition("-")[2], ([], ""))
        for tree in words
        if tree.startswith(start)
    }


TREES = dict(trees("unit-"), **{"unit-odd": ([], "")})
ONLY = {
    tree: {"test_" + name for name in names.split()}
    for tree, names in re.findall(
        r"^(unit-\w+)_SRC := \$\(patsubst %,tests/unit/test_%\.c,(.*)\)$", MAKEFILE, re.M
    )
}
ONLY["unit-odd"] = {"test_blocks"}
NAMES = sorted(
    os.path.basename(path)[:-2]
    for path in glob.glob(os.path.join(ROOT, "tests", "unit", "test_*.c"))
)

TLS_TREES = trees("tls-")  # a profile each, see the Makefile
TLS_NAMES = sorted(
    os.path.basename(path)[:-2]
    for path in glob.glob(os.path.join(ROOT, "tests", "tls", "test_*.c"))
)
CASES = [(name, tree) for name in NAMES for tree in TREES if name in ONLY.get(tree, NAMES)] + [
    (name, tree) for name in TLS_NAMES for tree in TLS_TREES
]


def run(name, tree):
    before, ending = dict(TREES, **TLS_TREES)[tree]
    if before and name in COUNTING:
        before = before[:1] + COUNTED + before[1:]
    program = os.path.join(ROOT, "build", tree, name + ending)
    assert os.path.exists(program), "not built: run make test"
    environment = dict(
        os.environ, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1"
    )
    return subprocess.run(
        before + [program],
        cwd=ROOT,
        env=environment,
        timeout=550,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(request):
    """{(name, tree): its run} of all that are asked for, as many at a time as there are cores: none has a clock."""
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    yield {
        case: pool.submit(run, *case)
        for case in (
            (item.callspec.params["name"], item.callspec.params["tree"])
            for item in request.session.items
            if getattr(item, "originalname", "") == "test_unit"
        )
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name,tree", CASES)
def test_unit(name, tree, runs):
    done = runs[name, tree].result()
    print(done.stdout.decode(errors="replace"))
    assert done.returncode == 0


def test_each_program_runs_on_avr_or_is_named():
    """And of those that run, the tests that need more memory are counted apart, never as passed."""
    left = {
        "test_" + name
        for names in re.findall(r"^unit-avr_(?:LARGE|ELSEWHERE) := (.*)$", MAKEFILE, re.M)
        for name in names.split()
    }
    assert ONLY["unit-avr"] | left == set(NAMES) and not ONLY["unit-avr"] & left


def test_tests_that_do_not_fit_are_counted_apart():
    done = run("test_conn", "unit-avr").stdout.decode()
    skipped = re.findall(r"^skip (\w+): too little memory$", done, re.M)
    assert skipped == ["largest_frame", "frames_over_16384_bytes"]
    assert re.search(r"^\d+ passed, 0 failed, 2 not run$", done, re.M)
