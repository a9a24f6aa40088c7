# tests/ports/test_posix_many.py - what a request costs does not depend on the connections beside it.
# Layer: tests; posix_many.c in the place of the system, valgrind counts instructions.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import subprocess

import pytest

from conftest import ROOT

CONNECTIONS = 2000
WRAPPED = "clock_gettime epoll_ctl epoll_wait accept4 recv send setsockopt shutdown close".split()
FLAGS = "-std=c99 -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections -I. -Ibuild/gen"
SETTINGS = {
    "PB_NO_ERRMSG": 1,
    "PB_BUFFER_ONLY": 1,
    "NRPC_CHECKS": 0,
    "NRPC_MAX_STREAMS": 4,
    "NRPC_POSIX_SPIN_US": 0,
    "NRPC_POSIX_BUFFER_BYTES": 8192,
    "NRPC_POSIX_LINKS": CONNECTIONS,
    "GREETER_CONNECTIONS": CONNECTIONS,
}


def built(folder, **settings):
    nanopb = os.environ["NANOPB_DIR"]
    sources = ["tests/ports/posix_many.c", "boards/apps/greeter/greeter.c"]
    for pattern in [
        *(f"nanorpc/{room}/*.c" for room in ("hpack", "http2", "grpc", "server", "client")),
        "ports/posix/*.c",
        *(f"build/gen/{name}.*.c" for name in ("helloworld", "helloworld/greeter", "simpletest")),
        f"{nanopb}/pb_[ced]*code.c",
        f"{nanopb}/pb_common.c",
    ]:
        sources += sorted(glob.glob(pattern, root_dir=ROOT))
    program = folder / "many"
    settings = [f"-D{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
    wraps = [f"-Wl,--wrap={name}" for name in WRAPPED]
    command = ["gcc", *FLAGS.split(), *settings, *wraps, "-isystem", nanopb, "-o", program]
    subprocess.run([*command, *sources, "-pthread"], cwd=ROOT, check=True)
    return program


def instructions(program, *numbers):
    out = program.with_suffix(".callgrind")
    said = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            f"--callgrind-out-file={out}",
            program,
            *map(str, numbers),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"open={numbers[0]} refused=0 greeted={numbers[1]} " in said
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


@pytest.mark.parametrize("fast", [0, 1])
def test_idle_connections_cost_nothing(tmp_path, fast):
    program = built(tmp_path, NRPC_FAST=fast)
    alone, beside = (
        (instructions(program, n, 600) - instructions(program, n, 100)) / 500
        for n in (1, CONNECTIONS)
    )
    print(f"NRPC_FAST={fast}: {alone:.0f} a request alone, {beside:.0f} beside {CONNECTIONS}")
    assert beside < 1.1 * alone
