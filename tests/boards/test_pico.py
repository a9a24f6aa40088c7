# tests/boards/test_pico.py - what the Picos have beside what every board must do (test_boards.py): boot2, USB, DHCP.
# Layer: tests. Source: boards/rp2/, RP2040 data sheet 2.8.1; USB 2.0, PSTN 1.2, NCM 1.0.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import signal
import subprocess

import grpc
import pytest
from test_boards import SECONDS, Program, hello

import nanorpc
from conftest import ROOT
from targets import emulator, free_port

UF2_DATA = 32  # where the data of the first block stands, with boot2
SERIAL_NUMBER = rb"E6604E414E4F5250"  # what the emulator's flash answers, as USB shows it


class Pico(Program):
    """The .uf2 file of a board in rp2040js, as somebody would copy it."""

    def __init__(self, board, ready, image=None):
        self.port = free_port()
        image = image or os.path.join(ROOT, "build", board, "greeter.uf2")
        super().__init__(emulator(board, self.port, image), ready)

    def wait_for(self, ready):
        """What it says from now on."""
        self.ready, self.text = ready, b""
        self.wait_ready()

    def __enter__(self):
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self.stop()


def test_boot2_is_checked(tmp_path):
    """As the ROM does it: a bit of boot2 that is not as it was, and nothing starts."""
    with open(os.path.join(ROOT, "build", "pico_uart", "greeter.uf2"), "rb") as file:
        image = bytearray(file.read())
    image[UF2_DATA + 100] ^= 4
    (tmp_path / "bad.uf2").write_bytes(image)
    done = subprocess.run(
        emulator("pico_uart", free_port(), str(tmp_path / "bad.uf2")),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1 and "boot2's checksum is wrong" in done.stderr


def test_programs_that_come_and_go():
    """The board stays plugged in; each program that opens its USB serial port finds it as the first did."""
    with Pico("pico", b"waiting for connection") as pico:
        for name in ("one", "two"):
            with nanorpc.serial_channel("socket://127.0.0.1:%d" % pico.port) as channel:
                assert hello(channel, name)


def test_usb_is_unplugged_and_the_board_is_not():
    """It has power from elsewhere. The host sets it up anew, with the same number, and calls go on."""
    numbers = rb"USB 2e8a:000a, nanorpc, nanorpc serial port, " + SERIAL_NUMBER
    with Pico("pico", numbers) as pico:
        with nanorpc.serial_channel("socket://127.0.0.1:%d" % pico.port) as channel:
            assert hello(channel, "before")
            pico.process.send_signal(signal.SIGHUP)
            pico.wait_for(numbers)
            assert hello(channel, "after")


def test_1200_baud_asks_for_a_new_image():
    with Pico("pico", SERIAL_NUMBER) as pico:
        pico.process.send_signal(signal.SIGUSR2)
        assert pico.process.wait(SECONDS) == 1
        assert b"it waits for a UF2 file" in pico.process.stdout.read()


def test_usb_network():
    """The host gets an address of the board's network; its plug is pulled and put in again."""
    offer = rb"our address is 02414E4F5251[\s\S]*DHCP offers 10\.77\.0\.2\n"
    with Pico("pico_ethernet", offer) as pico:
        with grpc.insecure_channel("127.0.0.1:%d" % pico.port) as channel:
            assert hello(channel, "before")
            pico.process.send_signal(signal.SIGHUP)
            pico.wait_for(offer)
            assert hello(channel, "after")


def test_sizes_of_the_page():
    """docs/pico.md says how large the images are: within 3 %."""
    with open(os.path.join(ROOT, "docs", "pico.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|$", file.read(), re.M)
    assert len(rows) == 6
    for board, *said in rows:
        image = os.path.join(ROOT, "build", board, "greeter.elf")
        done = subprocess.run(
            ["arm-none-eabi-size", image], capture_output=True, text=True, check=True
        )
        text, data, bss = [int(word) for word in done.stdout.split("\n")[1].split()[:3]]
        is_kb = [(text + data) / 1024, (data + bss) / 1024]
        assert [float(kb) for kb in said] == pytest.approx(is_kb, rel=0.03, abs=0.05), board


# --- Entropy: the source's tests, on the host ------------------------------------------------------------


STUBS = {
    "hardware/structs/rosc.h": "extern unsigned next_bit(void);\n"
    "struct rosc { unsigned randombit; };\n"
    "#define rosc_hw (&(struct rosc){.randombit = next_bit()})\n",
    "hardware/timer.h": "#include <stdint.h>\n"
    "static inline void busy_wait_us_32(uint32_t us) { (void)us; }\n"
    "static inline uint64_t time_us_64(void) { return 42; }\n",
    "pico/unique_id.h": "typedef struct { unsigned char id[8]; } pico_unique_board_id_t;\n"
    "static inline void pico_get_unique_board_id(pico_unique_board_id_t *id)\n"
    "{ for (int i = 0; i < 8; i++) id->id[i] = 7; }\n",
}
# What the oscillator gives, by the number of the bit; `random` is a good one's.
BITS = {
    "random": ("(rand() >> 8) & 1", 1),
    "stuck at 1": ("1", 0),
    "stuck at 0": ("0", 0),
    "stops after a while": ("number < 3000 ? (rand() >> 8) & 1 : 1", 0),
    "nearly always 1": ("rand() % 100 != 0", 0),
}


@pytest.mark.parametrize("trusted", [0, 1])
@pytest.mark.parametrize("source", BITS)
def test_entropy(source, trusted, tmp_path):
    """Fit for keys only where the builder trusts the oscillator, and it passes its tests; never twice the same."""
    for name, text in STUBS.items():
        os.makedirs(os.path.dirname(tmp_path / name), exist_ok=True)
        (tmp_path / name).write_text(text)
    bits, healthy = BITS[source]
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include <stdlib.h>\n#include "boards/board.h"\n'
        "unsigned next_bit(void);\nunsigned next_bit(void)\n"
        "{ static unsigned number; number++; return (unsigned)(%s); }\n"
        "int main(void)\n{ unsigned char out[2][40]; for (int i = 0; i < 2; i++) {\n"
        'printf("%%d ", board_entropy(out[i], sizeof out[i]));\n'
        'for (unsigned k = 0; k < sizeof out[i]; k++) printf("%%02x", out[i][k]);\n'
        'puts(""); } return 0; }\n' % bits
    )
    program = str(tmp_path / "entropy")
    flags = ["-std=c99", "-I" + str(tmp_path), "-I" + ROOT, "-DPICO_RP2040=1"]
    sources = [str(tmp_path / "main.c")] + [
        os.path.join(ROOT, "boards", "rp2", name) for name in ("entropy.c", "sha256.c")
    ]
    subprocess.run(
        ["gcc", *flags, "-DBOARD_TRUSTS_ROSC=%d" % trusted, "-o", program, *sources], check=True
    )
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    assert [int(word) for word in lines[::2]] == [healthy & trusted] * 2
    assert all(re.fullmatch("[0-9a-f]{80}", word) for word in lines[1::2])
    assert len({word[at : at + 64] for word in lines[1::2] for at in (0, 16)}) == 4


def test_sha256(tmp_path):
    """Against Python's, at every length around its blocks."""
    import hashlib

    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "boards/rp2/sha256.h"\nint main(void)\n{\n'
        "for (unsigned n = 0; n < 200; n++) { struct sha256 hash; uint8_t digest[SHA256_BYTES];\n"
        "sha256_start(&hash); for (unsigned i = 0; i < n; i++) { uint8_t byte = (uint8_t)i;\n"
        "sha256_add(&hash, &byte, 1); } sha256_end(&hash, digest);\n"
        'for (unsigned i = 0; i < SHA256_BYTES; i++) printf("%02x", digest[i]);\n'
        'puts(""); } return 0; }\n'
    )
    program = str(tmp_path / "sha256")
    source = os.path.join(ROOT, "boards", "rp2", "sha256.c")
    subprocess.run(
        ["gcc", "-std=c99", "-I" + ROOT, "-o", program, str(tmp_path / "main.c"), source],
        check=True,
    )
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    assert lines == [hashlib.sha256(bytes(range(n))).hexdigest() for n in range(200)]
