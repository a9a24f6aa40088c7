# tests/target/test_fit.py - an image that is too large is refused with the numbers; `make boards`.
# Layer: tests. Source: boards/tools/fit.py, boards/tools/boards.py.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT

FIT = os.path.join(ROOT, "boards", "tools", "fit.py")
SCRIPT = """MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 1K  RAM (rw) : ORIGIN = 0x20000000, LENGTH = 2K }
SECTIONS { .text : { *(.text*) *(.rodata*) } > FLASH  .bss (NOLOAD) : { *(.bss*) } > RAM }
"""
SOURCE = """const volatile char code[%d] = {1};
volatile char data[%d];
int main(void);
int main(void) { return code[1] + data[1] + %s; }
"""


def linked(folder, prefix, code, data, more="0"):
    (folder / "link.ld").write_text(SCRIPT)
    (folder / "a.c").write_text(SOURCE % (code, data, more))
    command = [
        prefix + "gcc",
        "-Os",
        "-nostdlib",
        "-Wl,-e,main,--no-warn-rwx-segments",
        "-T",
        str(folder / "link.ld"),
    ]
    command += [
        "-Wl,-e,main,--no-warn-rwx-segments",
        "-o",
        str(folder / "a.elf"),
        str(folder / "a.c"),
        "-lgcc",
    ]
    return subprocess.run(
        [sys.executable, FIT, "a.elf", "--flash-kb", "1", "--ram-kb", "2", "--", *command],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("prefix", ["arm-none-eabi-", "riscv64-unknown-elf-"])
@pytest.mark.parametrize(
    "code, data, says",
    [
        (500, 1000, None),
        (3072, 1000, r"a\.elf does not fit: flash 3\.\d KB of 1\.0 KB\n"),
        (500, 4096, r"a\.elf does not fit: RAM 4\.0 KB of 2\.0 KB\n"),
        (3072, 4096, r"a\.elf does not fit: flash 3\.\d KB of 1\.0 KB, RAM 4\.0 KB of 2\.0 KB\n"),
    ],
)
def test_too_large(tmp_path, prefix, code, data, says):
    done = linked(tmp_path, prefix, code, data)
    if says is None:
        assert done.returncode == 0 and done.stderr == ""
    else:
        assert done.returncode != 0 and re.match(says, done.stderr), done.stderr
        assert len(done.stderr.splitlines()) == 2


def test_other_errors_are_shown(tmp_path):
    done = linked(tmp_path, "arm-none-eabi-", 500, 1000, "nothing()")
    assert done.returncode != 0 and "nothing" in done.stderr and "does not fit" not in done.stderr


def test_make_links_by_it():
    asked = ["make", "-n", "-W", "boards/main.c", "lm3s811evb"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert re.search(
        r"fit\.py build/lm3s811evb/greeter\.elf --flash-kb 64 --ram-kb 8 -- ", done.stdout
    )


def test_make_boards():
    """Every board, with what its board.mk says; sizes where there is an image."""
    done = subprocess.run(["make", "-s", "boards"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: re.split("  +", line) for line in done.stdout.splitlines() if line}
    for folder in sorted(os.listdir(os.path.join(ROOT, "boards"))):
        if os.path.exists(os.path.join(ROOT, "boards", folder, "board.mk")):
            assert len(rows[folder]) == 7, rows[folder]
    assert rows["lm3s6965evb"][1:3] == ["Cortex-M3", "Ethernet"]
    assert re.fullmatch(r"\d+\.\d of 256 KB", rows["lm3s6965evb"][3])
    assert rows["sifive_e"][1:3] == ["RV32IMAC", "UART"]
    assert rows["nucleo_f767zi"][5:] == ["built, not run", "-"]
