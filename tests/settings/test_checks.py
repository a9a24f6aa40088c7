# tests/settings/test_checks.py - NRPC_CHECKS where marks stand in four bits: tests/unit/test_refs.c on a Cortex-M3.
# Layer: tests. Source: nanorpc/ref.h.
# SPDX-License-Identifier: Apache-2.0
import glob
import os

from test_same import NANOPB, run
from test_units import EMULATOR

import size
from conftest import ROOT

UNIT = "tests/unit/"
SUPPORT = [
    UNIT + name + ".c" for name in ("raw_service", "raw_client", "test", "wire", "wire_text")
]


def test_marks_on_a_32_bit_machine(tmp_path):
    """Off by default there; with it each use of a call that is over is found, and said."""
    program = str(tmp_path / "refs.elf")
    sources = [
        path for room in size.ROOMS for path in glob.glob("nanorpc/%s/*.c" % room, root_dir=ROOT)
    ]
    done = run(
        *(
            "arm-none-eabi-gcc -std=c99 -Os -mcpu=cortex-m3 -mthumb --specs=picolibc.specs -nostartfiles"
        ).split(),
        *(
            "-ffunction-sections -fdata-sections -Wl,--gc-sections -DPB_NO_ERRMSG=1 -DPB_BUFFER_ONLY=1"
        ).split(),
        "-DNRPC_CHECKS=1",
        "-DNRPC_CLIENT=1",
        "-I" + ROOT,
        "-I" + os.path.join(ROOT, UNIT),
        "-I" + os.path.join(ROOT, "build", "gen"),
        "-isystem",
        NANOPB,
        "-T",
        os.path.join(ROOT, "tests/target/link.ld"),
        "-o",
        program,
        *(
            os.path.join(ROOT, path)
            for path in [UNIT + "test_refs.c", "tests/target/semihost.c", *SUPPORT, *sources]
        ),
        *glob.glob(NANOPB + "/pb_*.c"),
    )
    assert done.returncode == 0, done.stdout
    done = run(*EMULATOR, program)
    assert done.returncode == 0, done.stdout
    assert "ok   uses_of_one_that_is_over" in done.stdout and "0 failed" in done.stdout, done.stdout
