# tests/fuzz/test_fuzz.py - the fuzz targets: their seeds, what they once found, mutations that are always the same.
# Layer: tests; `make test` builds the programs first, under sanitizers. Source: none.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

import seeds
from conftest import ROOT

# One of "world" may be a conversation of half a megabyte, one of "tls" is a handshake.
MUTATIONS = {"world": 60, "tls": 300}
TREES = [("tls-clang" if target == "tls" else "unit-gzip", target) for target in seeds.TARGETS] + [
    ("unit-odd", "world")
]


def run(tree, target, *arguments):
    program = os.path.join(ROOT, "build", tree, "fuzz_" + target)
    assert os.path.exists(program), "not built: run make test"
    environment = dict(
        os.environ, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1"
    )
    done = subprocess.run(
        [program, *arguments],
        env=environment,
        timeout=500,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    print(done.stdout)
    return done


@pytest.mark.parametrize("tree, target", TREES)
def test_seeds(tree, target):
    folder = os.path.join(ROOT, "build", "fuzz", "seeds", target)
    n = len(list(seeds.TARGETS[target]())) + len(seeds.REGRESSIONS.get(target, {}))
    files = [name for name in os.listdir(folder) if not name.startswith("unit_")]
    assert len(files) == n, "the seeds are not those of seeds.py: run make test"
    if target in ("server", "services", "client"):
        n = len(os.listdir(folder))
        assert n > len(files) + 50, "those of the unit tests are missing: run make test"
    mutations = MUTATIONS.get(target, 2000)
    done = run(tree, target, "-mutations=%d" % mutations, folder)
    assert done.returncode == 0
    assert re.search(r"^%d inputs, %d mutations$" % (n, mutations), done.stdout, re.M)
