# tests/bench/test_slots_cost.py - what a call and a tick cost does not grow with the slots of a connection.
# Layer: tests; valgrind counts instructions.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import subprocess

import pytest

from conftest import ROOT

NUMBER = 2000
FLAGS = "-std=c99 -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections -I. -Ibuild/gen"
FLAGS = [*FLAGS.split(), "-DPB_NO_ERRMSG=1", "-DPB_BUFFER_ONLY=1", "-DNRPC_CHECKS=0"]


def built(folder, streams, fast):
    sources = ["tests/bench/instructions.c", "boards/apps/greeter/greeter.c"]
    for pattern in [
        *(f"nanorpc/{room}/*.c" for room in ("hpack", "http2", "grpc", "server", "client")),
        *(f"build/gen/{name}.*.c" for name in ("helloworld", "helloworld/greeter", "simpletest")),
        os.path.join(os.environ["NANOPB_DIR"], "pb_[ced]*code.c"),
        os.path.join(os.environ["NANOPB_DIR"], "pb_common.c"),
    ]:
        sources += sorted(glob.glob(pattern, root_dir=ROOT))
    program = folder / f"instructions-{streams}-{fast}"
    settings = [f"-DNRPC_MAX_STREAMS={streams}", f"-DNRPC_FAST={fast}"]
    nanopb = ["-isystem", os.environ["NANOPB_DIR"]]
    subprocess.run(
        ["gcc", *FLAGS, *settings, *nanopb, "-o", program, *sources], cwd=ROOT, check=True
    )
    return program


def total(program, *numbers):
    out = program.with_suffix(".callgrind")
    numbers = [str(n) for n in numbers]
    subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, *numbers],
        capture_output=True,
        check=True,
    )
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


def costs(program):
    """Instructions a call, and a tick."""
    begun = total(program, NUMBER, 0)
    return (total(program, 2 * NUMBER, 0) - begun) / NUMBER, (
        total(program, NUMBER, NUMBER) - begun
    ) / NUMBER


@pytest.mark.parametrize("fast", [0, 1])
def test_slots_cost_nothing(tmp_path, fast):
    few_call, few_tick = costs(built(tmp_path, 4, fast))
    call, tick = costs(built(tmp_path, 128, fast))
    print(
        f"NRPC_FAST={fast}: a call {few_call:.0f} and {call:.0f}, a tick {few_tick:.0f} and {tick:.0f}"
    )
    assert call < 1.25 * few_call
    assert tick < 3 * few_tick
