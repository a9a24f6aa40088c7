# tests/target/test_image.py - the layout of each board's image, as the processor and a programmer will find it.
# Layer: tests. Source: ELF32 specification; ARMv7-M Architecture Reference Manual B1.5.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import struct
import subprocess

import pytest

from conftest import ROOT

SECTIONS = re.compile(r"^INCLUDE boards/(cortexm|riscv)/sections\.ld$", re.M)


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read().replace("\\\n", "")


def script_of(board):
    """Its linker script, if its own or another board's has our sections; else None."""
    path = re.search(r"-T(boards/\S+/link\.ld)", text_of("boards", board, "board.mk"))
    script = path and text_of(path.group(1))
    return script if script and SECTIONS.search(script) else None


BOARDS = sorted(
    os.path.basename(os.path.dirname(path))
    for path in glob.glob(os.path.join(ROOT, "boards", "*", "board.mk"))
    if script_of(os.path.basename(os.path.dirname(path)))
)
HEAP = re.compile(r"_?(malloc|free|calloc|realloc|memalign|sbrk)(_r)?$|__malloc_")
PT_LOAD, SHT_SYMTAB, STT_TLS = 1, 2, 6


class Image:
    """What this test needs of a little-endian ELF32 file."""

    def __init__(self, board):
        with open(os.path.join(ROOT, "build", board, "greeter.elf"), "rb") as file:
            self.elf = elf = file.read()
        with open(os.path.join(ROOT, "build", board, "greeter.bin"), "rb") as file:
            self.bin = file.read()
        made = text_of("boards", board, "board.mk")
        self.irq = int(re.search(r"-DBOARD_IRQ=(\d+)", made).group(1))
        clock = re.search(r"-DBOARD_CLOCK_IRQ=(\d+)", made)
        self.clock = 16 + int(clock.group(1)) if clock else 15  # SysTick
        made = dict(re.findall(r"^BOARD_(\w+) *:= *(.*)$", made, re.M))
        self.flash_bytes, self.ram_bytes = int(made["FLASH_KB"]) * 1024, int(made["RAM_KB"]) * 1024
        script = script_of(board)
        self.is_arm = SECTIONS.search(script).group(1) == "cortexm"
        memory = {
            name: (int(origin, 0), int(n) * {"K": 1024, "M": 1024 * 1024}[unit])
            for name, origin, n, unit in re.findall(
                r"(FLASH|RAM) .*ORIGIN = (0x\w+), LENGTH = (\d+)([KM])", script
            )
        }
        (self.flash, flash_bytes), (self.ram, ram_bytes) = memory["FLASH"], memory["RAM"]
        assert (flash_bytes, ram_bytes) == (self.flash_bytes, self.ram_bytes), "link.ld, board.mk"
        assert elf[:7] == b"\x7fELF\x01\x01\x01"
        (self.entry, ph_at, sh_at, _, _, ph_size, ph_n, sh_size, sh_n, _) = struct.unpack_from(
            "<IIIIHHHHHH", elf, 24
        )
        heads = [struct.unpack_from("<8I", elf, ph_at + i * ph_size) for i in range(ph_n)]
        self.loads = [head for head in heads if head[0] == PT_LOAD]
        sections = [struct.unpack_from("<10I", elf, sh_at + i * sh_size) for i in range(sh_n)]
        self.symbols = dict(self.read_symbols(sections))

    def read_symbols(self, sections):
        for _, kind, _, _, at, size, link, _, _, _ in sections:
            if kind != SHT_SYMTAB:
                continue
            names = sections[link][4]
            for offset in range(at, at + size, 16):
                name, value, _, info, _, index = struct.unpack_from("<IIIBBH", self.elf, offset)
                text = self.elf[names + name : self.elf.index(b"\0", names + name)].decode()
                yield text, (value, info & 15, index)

    def word(self, address):
        return struct.unpack_from("<I", self.bin, address - self.flash)[0]


@pytest.fixture(scope="module", params=BOARDS)
def board(request):
    return request.param


@pytest.fixture(scope="module")
def image(board):
    return Image(board)


def test_vector_table(image):
    if not image.is_arm:
        assert image.entry == image.symbols["startup_reset"][0] == image.flash
        return
    flash, ram = image.flash, image.ram
    assert image.symbols["startup_vectors"][0] == flash
    stack = image.word(flash)
    assert ram < stack <= ram + image.ram_bytes and stack % 8 == 0
    handlers = [
        image.word(flash + 4 * number) for number in range(1, max(16 + image.irq, image.clock) + 1)
    ]
    assert handlers[0] == image.entry | 1, "reset is not the entry point"
    for number, handler in enumerate(handlers, 1):
        if handler != 0:
            assert handler & 1 and flash < handler < flash + len(image.bin), "vector %d" % number
    for number in (1, 2, 3, 4, 5, 6, 11, 12, 14, image.clock, 16 + image.irq):
        assert handlers[number - 1] != 0, "vector %d is empty" % number


def test_stack_ends_where_ram_begins(image):
    """So that a stack which overflows faults, instead of overwriting data."""
    assert image.symbols["ld_stack_bottom"][0] == image.ram
    if image.is_arm:
        assert image.symbols["ld_stack_top"][0] == image.word(image.flash)


def test_sizes(image):
    flash, ram = image.flash, image.ram
    assert 0 < len(image.bin) <= image.flash_bytes
    for _, _, address, load, in_file, in_memory, _, _ in image.loads:
        if in_file:
            assert flash <= load and load + in_file <= flash + image.flash_bytes
        if address >= ram or address < flash:
            assert address + in_memory <= ram + image.ram_bytes
        else:
            assert address == load and in_memory == in_file, "flash that is not in the file"
    assert image.symbols["ld_flash_used"][0] == len(image.bin)


def test_bin_is_the_elf(image):
    flat = bytearray(len(image.bin))
    for _, offset, _, load, in_file, _, _, _ in image.loads:
        if in_file:
            flat[load - image.flash : load - image.flash + in_file] = image.elf[
                offset : offset + in_file
            ]
    assert bytes(flat) == image.bin


def test_no_heap_no_thread_data(image):
    assert [name for name in image.symbols if HEAP.match(name)] == []
    assert [name for name, (_, kind, _) in image.symbols.items() if kind == STT_TLS] == []
    assert [name for name, (_, _, index) in image.symbols.items() if name and index == 0] == [], (
        "undefined"
    )


def test_no_path_of_this_machine(image):
    assert ROOT.encode() not in image.bin


def probe_is_there():
    """The kit's own USB interface, by vendor and product."""
    for path in glob.glob("/sys/bus/usb/devices/*/idProduct"):
        with (
            open(path, encoding="ascii") as product,
            open(path[:-7] + "Vendor", encoding="ascii") as vendor,
        ):
            if (vendor.read().strip(), product.read().strip()) == ("0403", "bcd9"):
                return True
    return False


def test_flash_without_a_probe():
    """OpenOCD knows the board, and with no probe there it fails and says so."""
    if probe_is_there():
        pytest.skip("there is a real board: this test must not program it")
    done = subprocess.run(
        ["make", "--no-print-directory", "flash-lm3s6965evb"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode != 0
    assert "no debug probe is attached (openocd: unable to open ftdi device" in done.stdout, (
        done.stdout
    )
    assert "Stellaris Evaluation Board" in done.stdout and "plug in the board" in done.stdout
