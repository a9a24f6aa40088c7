# tests/target/test_stm32.py - the STM32's Ethernet and entropy drivers, on the host, against a model of the chip.
# Layer: tests. Source: ST RM0410; stm32_model.c.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

from conftest import ROOT

LWIP = os.environ.get("LWIP_DIR", "build/third/lwip") + "/src/"
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wno-pointer-to-int-cast"
# The chip's addresses have 32 bits: no PIE, so that the rings' memory has such a one.
FLAGS = "-std=c99 -g -O1 -fno-pie -no-pie -fsanitize=address,undefined -fno-sanitize-recover=all"
FLAGS += " -I. -Iboards -Iboards/net -isystem %sinclude -include tests/target/registers.h" % LWIP
FLAGS += " -DBOARD_IRQ=61 -DSTM32_ETH_MEMORY_AT=model_memory -include tests/target/stm32_model.h"
OURS = ["boards/drivers/stm32_eth.c", "boards/drivers/stm32_rng.c"]
OURS += ["tests/target/stm32_model.c", "tests/target/test_stm32.c"]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stm32")
    lwip = [LWIP + "core/%s.c" % name for name in ("def", "mem", "memp", "pbuf")]
    flags = [*FLAGS.split(), "-DMEM_SIZE=8192", "-Iboards/drivers", *WARNINGS.split()]

    def compiled(source, name):
        path = str(folder / (name + ".o"))
        subprocess.run(["gcc", *flags, "-c", "-o", path, source], cwd=ROOT, check=True)
        return path

    others = [compiled(source, "other%d" % i) for i, source in enumerate(OURS[1:] + lwip)]

    def build(name, driver):
        """The program, with this text for the Ethernet driver's."""
        path, program = folder / (name + ".c"), str(folder / name)
        path.write_text(driver.replace('"../', '"boards/'))
        objects = [compiled(str(path), name), *others]
        subprocess.run(["gcc", *FLAGS.split(), "-o", program, *objects], cwd=ROOT, check=True)
        return program

    return build


@pytest.fixture(scope="module")
def driver():
    with open(os.path.join(ROOT, OURS[0]), encoding="utf-8") as file:
        return file.read()


def test_drivers(build, driver):
    done = subprocess.run([build("drivers", driver)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "all passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name, was, is_",
    [
        ("no_poll", "DMA_RX_POLL = 0;", ";"),
        ("no_tx_poll", "DMA_TX_POLL = 0;", ";"),
        ("errors", "RX_FIRST | RX_LAST | RX_ERROR", "RX_FIRST | RX_LAST"),
        ("long", "RX_FIRST | RX_LAST | RX_ERROR)) != (RX_FIRST | RX_LAST)", "RX_LAST)) != RX_LAST"),
        (
            "not_returned",
            "rx.descriptors[rx_at].status = OWN;",
            "rx.descriptors[rx_at].status = 0;",
        ),
        ("overwritten", "(descriptor->status & OWN) != 0", "0"),
        ("isr", "DMA_INTERRUPTS = 0;", ";"),
        ("rate", "is_fast ? CR_100_MBIT : 0u", "is_fast ? 0u : CR_100_MBIT"),
    ],
)
def test_the_test_finds(build, driver, name, was, is_):
    """A driver with a mistake does not pass."""
    assert driver.count(was) == 1
    text = driver.replace(was, is_)
    done = subprocess.run([build(name, text)], capture_output=True, text=True, timeout=60)
    print(done.stdout, done.stderr)
    assert done.returncode == 1 and re.match(r"\w+:\d+: ", done.stdout)
