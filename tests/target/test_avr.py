# tests/target/test_avr.py - what an AVR image costs, as docs/limits.md says; its emulator cannot pass wrongly.
# Layer: tests. Source: docs/limits.md, "Where int has 16 bits"; boards/avr/simavr.c.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

from conftest import ROOT

SIMAVR = ["build/simavr/simavr-run", "atmega2560", "16000000"]


def sizes():
    """(flash, static RAM) of the Greeter."""
    image = os.path.join("build", "atmega1284p", "greeter.elf")
    done = subprocess.run(["avr-size", image], cwd=ROOT, capture_output=True, text=True, check=True)
    text, data, bss = map(int, done.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def test_cost_is_what_the_page_says():
    """Two compilers (Debian 12 and 13 have GCC 5 and 14) differ by less than the page rounds."""
    with open(os.path.join(ROOT, "docs", "limits.md"), encoding="utf-8") as file:
        said = re.search(r"takes (\d+) KB of flash and (\d+) bytes of RAM", file.read())
    flash, ram = sizes()
    assert abs(flash - 1000 * int(said[1])) < 1000
    assert abs(ram - int(said[2])) < 100


PROGRAM = """
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/interrupt.h>
#include <string.h>
volatile unsigned char kept[1000];
static int deeper(int n) { volatile char room[200]; room[n & 127] = 1; return n ? deeper(n - 1) + room[0] : 0; }
int main(void)
{
    (void)&deeper;
    for (const char *c = "said\\n"; *c; c++) {
        GPIOR1 = *c;
    }
    %s;
    GPIOR2 = 0;
    for (;;) {
    }
}
"""


@pytest.mark.parametrize(
    "does, status, says",
    [
        ("kept[0] = 1", 0, ""),
        ("GPIOR2 = 7", 7, ""),
        ("kept[0] = (unsigned char)deeper(400)", 2, "the stack has run into the data"),
        ("cli(); for (;;) { sleep_enable(); sleep_cpu(); }", 2, "it sleeps for ever"),
    ],
)
def test_emulator_says_what_went_wrong(does, status, says, tmp_path):
    source, image = tmp_path / "a.c", str(tmp_path / "a.elf")
    source.write_text(PROGRAM % does)
    flags = ["-std=c99", "-O1", "-mmcu=atmega2560", "-Wl,--defsym=__stack=0xffff"]
    subprocess.run(["avr-gcc", *flags, "-o", image, str(source)], check=True, timeout=60)
    done = subprocess.run(SIMAVR + [image], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done
    assert "said\n" in done.stdout and says in done.stderr
