# tests/serial/test_rts_cts.py - RTS and CTS on a board: what is written to the UART, and who is held back when.
# Layer: tests. Source: docs/serial.md, boards/uart.h. The lines themselves are the chip's: nothing here has them.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import subprocess

from conftest import ROOT

NANOPB = os.environ["NANOPB_DIR"]
FLAGS = (
    "-std=c99 -g -O1 -w -I. -Iboards -Ibuild/gen -DPB_NO_ERRMSG=1 -DPB_BUFFER_ONLY=1 -DBOARD_IRQ=37"
    " -DSTM32_USART_AT=0x40013800u"
)
FLAGS += " -DBOARD_RING_BYTES=128 -Wl,--wrap=board_uart_got"
SOURCES = [
    "tests/serial/rts_cts.c",
    "boards/stm32vldiscovery/board.c",
    "boards/drivers/stm32_usart.c",
    "boards/serial.c",
    "boards/apps/greeter/greeter.c",
    "ports/serial/*.c",
    *("nanorpc/%s/*.c" % room for room in ("hpack", "http2", "grpc", "server", "client")),
    *("build/gen/%s.*.c" % name for name in ("helloworld", "helloworld/greeter", "simpletest")),
    NANOPB + "/pb_[ced]*.c",
]


def said(folder, *settings):
    program = str(folder / "rts_cts")
    sources = [path for pattern in SOURCES for path in sorted(glob.glob(pattern, root_dir=ROOT))]
    flags = [*FLAGS.split(), *settings, "-isystem", NANOPB]
    subprocess.run(["gcc", *flags, "-o", program, *sources], cwd=ROOT, check=True)
    return subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_with(tmp_path):
    """The ring fills, the byte after it stays in the UART, whose RTS is the chip's; what was taken makes place."""
    assert said(tmp_path, "-DBOARD_RTS_CTS=1") == (
        "CR3 300 CRH 444b44b4\ncame 128, then held back\nleft 872, then more\ncame 128, then held back\n"
    )


def test_without(tmp_path):
    """The pins stay as they are, and no byte is held back: the host was told how large the ring is."""
    assert said(tmp_path) == (
        "CR3 000 CRH 444444b4\ncame 1000, then more\nleft 0, then more\ncame 0, then more\n"
    )
