# tests/flash/test_formats.py - .bin, .hex and .uf2 are the ELF file; what its chip would not start is refused.
# Layer: tests. Source: boards/tools/image.py; RP2040 data sheet 2.8; RP2350 data sheet 5.9; ARMv7-M B1.5.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import struct
import subprocess
import sys

import elves
import pytest

import targets
from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "boards", "tools"))
import image  # noqa: E402  (it stands there)

PROGRAM = os.path.join(ROOT, "boards", "tools", "image.py")
FAMILY = {"rp2040": 0xE48BFF56, "rp2350": 0xE48BFF59}


def microcontrollers():
    for path in sorted(glob.glob(os.path.join(ROOT, "boards", "*", "board.mk"))):
        made = targets.assignments(os.path.relpath(path, ROOT))
        if made.get("BOARD_CC", "").endswith("-"):
            yield os.path.basename(os.path.dirname(path)), made


BOARDS = dict(microcontrollers())


def built(board, ending):
    path = os.path.join(ROOT, "build", board, "greeter" + ending)
    assert os.path.exists(path), "%s is not built: run make" % path
    with open(path, "rb") as file:
        return file.read()


# --- What the boards have --------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS)
def test_formats(board):
    loads = elves.loads(built(board, ".elf"))
    assert elves.intel_hex(built(board, ".hex").decode("ascii")) == loads
    flat, start = built(board, ".bin"), min(loads)
    assert len(flat) == max(loads) + 1 - start
    assert all(flat[at - start] == byte for at, byte in loads.items())
    chip = BOARDS[board].get("BOARD_UF2")
    if chip:
        family, memory = elves.uf2(built(board, ".uf2"))
        assert family == FAMILY[chip]
        assert {at: byte for at, byte in memory.items() if at in loads} == loads
        assert not any(byte for at, byte in memory.items() if at not in loads), "padding"


def check(data, chip=None, flash_kb=0, ram_kb=0):
    """What is said against an image; "": nothing is."""
    try:
        image.check(image.Elf(data), chip, flash_kb, ram_kb)
    except image.Refused as why:
        return str(why)
    return ""


def of_board(board):
    made = BOARDS[board]
    return made.get("BOARD_UF2"), int(made["BOARD_FLASH_KB"]), int(made["BOARD_RAM_KB"])


@pytest.mark.parametrize("board", BOARDS)
def test_boards_are_right(board):
    assert check(built(board, ".elf"), *of_board(board)) == ""


def table_at(data, chip):
    """Offset in the file of the first segment in flash with the vectors."""
    heads = struct.unpack_from("<I", data, 28)[0]
    count = struct.unpack_from("<H", data, 44)[0]
    segments = [struct.unpack_from("<5I", data, heads + 32 * number) for number in range(count)]
    load, offset = min(
        (load, offset) for kind, offset, _, load, size in segments if kind == 1 and size
    )
    return offset + image.CHIPS.get(chip, image.Chip(0, 0, 0)).table


@pytest.mark.parametrize(
    "board", [name for name in BOARDS if BOARDS[name]["BOARD_CC"].startswith("arm")]
)
@pytest.mark.parametrize(
    "number, change, says",
    [
        (0, lambda word: 0, "initial stack"),
        (0, lambda word: word + 4, "initial stack"),
        (0, lambda word: 0x60000000, "initial stack"),
        (1, lambda word: word & ~1, "reset vector.*Thumb"),
        (1, lambda word: 0, "reset vector is 0"),
        (1, lambda word: 0x20000101, "reset vector.*does not lead"),
        (3, lambda word: word + 0x800000, "hard fault's vector.*does not lead"),
        (15, lambda word: word & ~1, "vector 15.*Thumb"),
    ],
)
def test_wrong_vectors_of_a_board(board, number, change, says):
    chip, flash_kb, ram_kb = of_board(board)
    data = bytearray(built(board, ".elf"))
    at = table_at(data, chip) + 4 * number
    struct.pack_into("<I", data, at, change(struct.unpack_from("<I", data, at)[0]))
    assert re.search(says, check(bytes(data), chip, flash_kb, ram_kb))


# --- Images made here --------------------------------------------------------------------------------------------

FLASH, RAM = 0x10000000, 0x20000000
STACK = RAM + 264 * 1024


def vectors(table, irqs, **other):
    """With a program behind it, where all lead; other: _NUMBER=word."""
    code = table + 4 * (16 + irqs)
    words = [STACK] + [code | 1] * (15 + irqs)
    for number, word in other.items():
        words[int(number[1:])] = word
    return struct.pack("<%dI" % len(words), *words) + b"\x70\x47" * 600


def whole(text, data=b"some data", flags=elves.R | elves.X, gap=0, **more):
    to = FLASH + len(text) + gap
    return elves.elf(
        [(FLASH, FLASH, text, len(text), flags), (RAM, to, data, 4096, elves.R | elves.W)],
        entry=FLASH + 0x200,
        **more,
    )


def boot2(change=0):
    """With the checksum that the boot ROM computes, bit by bit."""
    text = bytes(range(252))
    crc = 0xFFFFFFFF
    for bit in (byte >> 7 - i & 1 for byte in text for i in range(8)):
        crc = (crc << 1 ^ 0x04C11DB7 * (crc >> 31 ^ bit)) & 0xFFFFFFFF
    return text + struct.pack("<I", crc ^ change)


def pico(change=0, **other):
    return whole(boot2(change) + vectors(FLASH + 256, 26, **other))


def block(items, link=0, count=None, start=0xFFFFDED3, end=0xAB123579):
    last = 0xFF | (len(items) if count is None else count) << 8
    return struct.pack("<%dI" % (len(items) + 4), start, *items, last, link & 0xFFFFFFFF, end)


IMAGE_TYPE = 0x10210142


def pico2(*blocks, at=0, **other):
    text = vectors(FLASH, 52, **other) + bytes(at)
    for one in blocks or [block([IMAGE_TYPE])]:
        text += one
    return whole(text)


def test_checksum_is_crc32_mpeg2():
    assert image.crc32_mpeg2(b"123456789") == 0x0376E6E7  # the check value of catalogues of CRCs


def test_good_ones():
    assert check(pico(), "rp2040", 2048, 264) == ""
    assert check(pico2(), "rp2350", 4096, 520) == ""
    length = len(block([IMAGE_TYPE]))
    second = block([0x000000FE | 1 << 8], link=-length)
    assert check(pico2(block([IMAGE_TYPE], link=length), second), "rp2350", 4096, 520) == ""
    assert check(whole(vectors(FLASH, 0)), None, 64, 264) == ""
    assert check(whole(bytes(1024), machine=elves.RISCV), None, 64, 8) == ""


SECOND = len(block([IMAGE_TYPE]))
WRONG = {
    "boot2": (pico(change=1), "rp2040", "boot2's checksum"),
    "no boot2": (whole(vectors(FLASH, 26)), "rp2040", "boot2's checksum"),
    "no room for boot2": (whole(bytes(100)), "rp2040", "no 252 bytes"),
    "interrupt outside": (pico(_41=FLASH + 0x100001), "rp2040", "vector 41.*does not lead"),
    "interrupt in RAM": (pico(_16=RAM + 1), "rp2040", "vector 16.*does not lead"),
    "interrupt in data": (pico2(_60=RAM + 0x11), "rp2350", "vector 60.*does not lead"),
    "stack above RAM": (pico(_0=STACK + 8), "rp2040", "initial stack"),
    "stack at RAM's start": (pico(_0=RAM), "rp2040", "initial stack"),
    "no definition": (whole(vectors(FLASH, 52)), "rp2350", "no image definition"),
    "definition too late": (pico2(at=4096), "rp2350", "no image definition"),
    "other type": (pico2(block([0x11010142])), "rp2350", "image type is 0x1101"),
    "no type": (pico2(block([0x000001FE])), "rp2350", "image type is 0x0000"),
    "wrong count": (pico2(block([IMAGE_TYPE], count=2)), "rp2350", "counts 2 words"),
    "wrong end": (
        pico2(block([IMAGE_TYPE], end=0xAB123578)),
        "rp2350",
        "does not end with the marker",
    ),
    "item without length": (pico2(block([0x42])), "rp2350", "has no length"),
    "no last item": (pico2(block([IMAGE_TYPE] * 200)), "rp2350", "no last item"),
    "link to nowhere": (
        pico2(block([IMAGE_TYPE], link=4)),
        "rp2350",
        "does not begin with the marker",
    ),
    "link outside": (pico2(block([IMAGE_TYPE], link=1 << 24)), "rp2350", "has no 4 bytes"),
    "loop ends": (
        pico2(block([IMAGE_TYPE], link=SECOND), block([IMAGE_TYPE])),
        "rp2350",
        "loop of its blocks ends",
    ),
    "loop does not close": (
        pico2(
            block([IMAGE_TYPE], link=SECOND),
            block([IMAGE_TYPE], link=SECOND),
            block([IMAGE_TYPE], link=-SECOND),
        ),
        "rp2350",
        "does not come back",
    ),
    "program that cannot run": (whole(vectors(FLASH, 0), flags=elves.R), None, "does not lead"),
    "interrupt of a table's symbol": (
        whole(vectors(FLASH, 4, _19=FLASH + (1 << 20) + 1), table=(FLASH, 80)),
        None,
        "vector 19",
    ),
    "too large": (whole(vectors(FLASH, 0) + bytes(64 * 1024)), None, "the board's flash has 65536"),
    "segments over each other": (whole(vectors(FLASH, 0), gap=-4), None, "two of its segments"),
    "entry elsewhere": (whole(bytes(256), machine=elves.RISCV), None, "entry point"),
    "no RAM": (
        elves.elf([(FLASH, FLASH, vectors(FLASH, 0), 2000, elves.R | elves.X)]),
        None,
        "nothing in RAM",
    ),
    "nothing": (elves.elf([]), None, "nothing to load"),
    "no ELF": (b"\x7fELF\x02\x01\x01" + bytes(100), None, "no little-endian ELF32"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones(name):
    data, chip, says = WRONG[name]
    found = check(
        data, chip, {"rp2040": 2048, "rp2350": 4096}.get(chip, 64), 520 if chip == "rp2350" else 264
    )
    assert re.search(says, found), found or "it was not refused"


@pytest.mark.parametrize("gap", [0, 1, 300, 5000, 9000])
def test_uf2(gap):
    """All sectors but the last come whole: the boot ROM erases one when its first page comes."""
    data = whole(boot2() + vectors(FLASH + 256, 26) + bytes(range(256)) * 20, gap=gap)
    loads = elves.loads(data)
    family, memory = elves.uf2(image.uf2(image.Elf(data), "rp2040"))
    assert family == FAMILY["rp2040"]
    assert {at: memory[at] for at in loads} == loads
    assert not any(byte for at, byte in memory.items() if at not in loads)
    sectors = {at // 4096 for at in loads}
    assert {at // 4096 for at in memory} == sectors
    for sector in sorted(sectors)[:-1]:
        assert all(at in memory for at in range(sector * 4096, sector * 4096 + 4096)), hex(sector)


# --- The program, and make ----------------------------------------------------------------------------------------


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-B", PROGRAM, *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )


def test_program(tmp_path):
    (tmp_path / "good.elf").write_bytes(pico())
    done = run(tmp_path / "good.elf", "--uf2-of", "rp2040", tmp_path / "good.uf2", "--ram-kb", 264)
    assert (done.returncode, done.stdout) == (0, "")
    assert elves.uf2((tmp_path / "good.uf2").read_bytes())[0] == FAMILY["rp2040"]
    (tmp_path / "bad.elf").write_bytes(pico(change=1))
    done = run(tmp_path / "bad.elf", "--uf2-of", "rp2040", tmp_path / "bad.uf2")
    assert done.returncode == 1 and "bad.elf: refused: boot2's checksum" in done.stdout
    (tmp_path / "cut.elf").write_bytes(pico()[:600])
    done = run(tmp_path / "cut.elf", "--uf2-of", "rp2040", tmp_path / "bad.uf2")
    assert done.returncode == 1 and "refused" in done.stdout and "Traceback" not in done.stdout
    assert not (tmp_path / "bad.uf2").exists()
    done = run(tmp_path / "good.elf", "--uf2-of", "rp9", tmp_path / "bad.uf2")
    assert done.returncode == 2 and "the chips are: rp2040 rp2350" in done.stdout


def test_make_asks():
    """Each image passes it when it is linked, with what board.mk says of the board."""
    asked = subprocess.run(
        ["make", "-n", "V=1", "-W", "boards/main.c", *BOARDS],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    ).stdout
    for board, made in BOARDS.items():
        numbers = (board, made["BOARD_FLASH_KB"], made["BOARD_RAM_KB"])
        assert "image.py build/%s/greeter.elf --flash-kb %s --ram-kb %s" % numbers in asked
        if made.get("BOARD_UF2"):
            assert "--uf2-of %s build/%s/greeter.uf2" % (made["BOARD_UF2"], board) in asked
