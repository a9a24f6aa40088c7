# boards/tools/image.py - checks an image as its chip will start it, and writes it as .uf2.
# Layer: board. Source: ELF32; ARMv7-M Architecture Reference Manual B1.5; data sheets, RP2040 2.8, RP2350 5.9; UF2.
# SPDX-License-Identifier: Apache-2.0
"""Use: image.py ELF [--uf2-of CHIP OUT.uf2] [--flash-kb N] [--ram-kb N]

The Makefile runs it for each image of a microcontroller. An image that its chip would not start is refused, with the
reason; nothing is written then."""

import argparse
import collections
import os
import struct
import sys

EM_ARM = 40
PT_LOAD, SHT_SYMTAB, STT_OBJECT, PF_X = 1, 2, 1, 1

# family: what the boot ROM takes; table: where the vectors stand, from the start of flash; irqs: how many it has.
Chip = collections.namedtuple("Chip", "family table irqs")
CHIPS = {"rp2040": Chip(0xE48BFF56, 0x100, 26), "rp2350": Chip(0xE48BFF59, 0, 52)}

Segment = collections.namedtuple("Segment", "address load data in_memory flags")


class Refused(Exception):
    """What is wrong with the image."""


class Elf:
    """What is needed of a little-endian ELF32 program: what a programmer writes, and where."""

    def __init__(self, data):
        if data[:7] != b"\x7fELF\x01\x01\x01":
            raise Refused("it is no little-endian ELF32 file")
        self.data = data
        self.machine = struct.unpack_from("<H", data, 18)[0]
        (
            self.entry,
            heads,
            self.sections,
            _,
            _,
            size,
            count,
            self.section_size,
            self.section_count,
        ) = struct.unpack_from("<IIIIHHHHH", data, 24)
        self.segments = []
        for at in range(heads, heads + size * count, size):
            kind, offset, address, load, in_file, in_memory, flags = struct.unpack_from(
                "<7I", data, at
            )
            if kind == PT_LOAD and in_memory:
                self.segments.append(
                    Segment(address, load, data[offset : offset + in_file], in_memory, flags)
                )
        self.loaded = sorted((s.load, s.data) for s in self.segments if s.data)
        if not self.loaded:
            raise Refused("it has nothing to load")
        for (one, bytes_of_one), (two, _) in zip(self.loaded, self.loaded[1:]):
            if one + len(bytes_of_one) > two:
                raise Refused("two of its segments load at 0x%08x" % two)

    @property
    def start(self):
        return self.loaded[0][0]

    def read(self, address, count):
        """Bytes of flash, as they are after loading."""
        for load, data in self.loaded:
            if load <= address and address + count <= load + len(data):
                return data[address - load : address - load + count]
        raise Refused("it has no %d bytes at 0x%08x" % (count, address))

    def word(self, address):
        return struct.unpack("<I", self.read(address, 4))[0]

    def runs(self, address):
        """Whether instructions stand there, in flash: not in what start-up copies to RAM."""
        return any(
            s.flags & PF_X
            and s.load == s.address
            and s.address <= address < s.address + len(s.data)
            for s in self.segments
        )

    def object_size(self, address):
        """How large the symbol at this address says its object is; 0: none does."""
        for at in range(
            self.sections, self.sections + self.section_size * self.section_count, self.section_size
        ):
            kind, _, _, offset, size = struct.unpack_from("<5I", self.data, at + 4)
            for symbol in range(offset, offset + size, 16) if kind == SHT_SYMTAB else ():
                _, value, length, info = struct.unpack_from("<IIIB", self.data, symbol)
                if value == address and info & 15 == STT_OBJECT:
                    return length
        return 0


# --- As the chip starts it -----------------------------------------------------------------------------------


def check_size(elf, flash_kb):
    last, data = elf.loaded[-1]
    end = last + len(data)
    if flash_kb and end - elf.start > flash_kb * 1024:
        raise Refused(
            "it goes from 0x%08x to 0x%08x, %d bytes; the board's flash has %d"
            % (elf.start, end, end - elf.start, flash_kb * 1024)
        )


def ram_of(elf, flash_kb, ram_kb):
    """(start, end): from the lowest address that is not flash."""
    flash_end = (
        elf.start + flash_kb * 1024 if flash_kb else elf.loaded[-1][0] + len(elf.loaded[-1][1])
    )
    starts = [s.address for s in elf.segments if not elf.start <= s.address < flash_end]
    if not starts:
        raise Refused("it has nothing in RAM, so it has no stack")
    used = max(s.address + s.in_memory for s in elf.segments if s.address >= min(starts))
    return min(starts), max(min(starts) + ram_kb * 1024, 0 if ram_kb else used)


def check_vectors(elf, table, irqs, ram):
    """Cortex-M's: the initial stack, reset, and who serves exceptions and interrupts."""
    stack, reset = elf.word(table), elf.word(table + 4)
    if stack % 8 or not ram[0] < stack <= ram[1]:
        raise Refused(
            "the initial stack, 0x%08x in the vector table at 0x%08x, is not in RAM (0x%08x to 0x%08x, in eights)"
            % (stack, table, *ram)
        )
    count = irqs + 16 if irqs else max(16, elf.object_size(table) // 4)
    for number in range(1, count):
        handler = elf.word(table + 4 * number)
        name = {1: "the reset vector", 3: "the hard fault's vector"}.get(
            number, "vector %d" % number
        )
        if handler == 0 and number in (1, 3):
            raise Refused("%s is 0" % name)
        if handler and not handler & 1:
            raise Refused("%s, 0x%08x, has no Thumb bit" % (name, handler))
        if handler and not elf.runs(handler & ~1):
            raise Refused("%s, 0x%08x, does not lead into the program in flash" % (name, handler))
    return reset


def crc32_mpeg2(data):
    """As the RP2040's boot ROM computes it: polynomial 0x04C11DB7, first bit first, nothing inverted at the end."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def check_boot2(elf):
    """RP2040 data sheet 2.8.1.3.1: the ROM starts the second stage, 252 bytes, when the checksum behind is right."""
    crc, says = crc32_mpeg2(elf.read(elf.start, 252)), elf.word(elf.start + 252)
    if crc != says:
        raise Refused("boot2's checksum is 0x%08x, its 252 bytes have 0x%08x" % (says, crc))


# RP2350 data sheet 5.9.1 and 5.9.5.
BLOCK_START, BLOCK_END, BLOCK_BYTES_MAX = 0xFFFFDED3, 0xAB123579, 0x280
ITEM_LAST, ITEM_IMAGE_TYPE, ITEM_VECTOR_TABLE = 0xFF, 0x42, 0x03
IMAGE_TYPE_ARM_SECURE = 0x1021  # an executable, secure, Arm, RP2350
BLOCKS_WITHIN, BLOCKS_MAX = 4096, 16


def read_block(elf, at):
    """({item's type: its words}, offset of the next block) of the metadata block at an address."""
    if elf.word(at) != BLOCK_START:
        raise Refused(
            "the block at 0x%08x does not begin with the marker 0x%08x" % (at, BLOCK_START)
        )
    items, to = {}, at + 4
    while to - at < BLOCK_BYTES_MAX:
        head = elf.word(to)
        kind, words = head & 0xFF, head >> 8 & (0xFFFF if head & 0x80 else 0xFF)
        if kind == ITEM_LAST:
            if words * 4 != to - at - 4:
                raise Refused(
                    "the last item of the block at 0x%08x counts %d words of items" % (at, words)
                )
            if elf.word(to + 8) != BLOCK_END:
                raise Refused(
                    "the block at 0x%08x does not end with the marker 0x%08x" % (at, BLOCK_END)
                )
            offset = elf.word(to + 4)
            return items, offset - (offset >> 31 << 32)
        if words == 0:
            raise Refused("an item of the block at 0x%08x has no length" % at)
        items[kind] = [head] + [elf.word(to + 4 * i) for i in range(1, words)]
        to += 4 * words
    raise Refused("the block at 0x%08x has no last item within %d bytes" % (at, BLOCK_BYTES_MAX))


def check_image_definition(elf):
    """The blocks' loop, as the RP2350's ROM follows it; returns where the vector table is."""
    marks = [at for at in range(elf.start, elf.start + BLOCKS_WITHIN, 4) if has_mark(elf, at)]
    if not marks:
        raise Refused("no image definition begins within its first %d bytes" % BLOCKS_WITHIN)
    items, at, blocks = {}, marks[0], 0
    while blocks == 0 or at != marks[0]:
        if blocks == BLOCKS_MAX:
            raise Refused("the loop of its blocks does not come back to the first")
        found, offset = read_block(elf, at)
        items.update(found)
        at, blocks = at + offset, blocks + 1
        if offset == 0 and at != marks[0]:
            raise Refused("the loop of its blocks ends at 0x%08x" % at)
    kind = items.get(ITEM_IMAGE_TYPE, [0])[0] >> 16
    if kind != IMAGE_TYPE_ARM_SECURE:
        raise Refused(
            "its image type is 0x%04x, not 0x%04x: an Arm program for the RP2350"
            % (kind, IMAGE_TYPE_ARM_SECURE)
        )
    return items[ITEM_VECTOR_TABLE][1] if ITEM_VECTOR_TABLE in items else elf.start


def has_mark(elf, at):
    try:
        return elf.word(at) == BLOCK_START
    except Refused:
        return False


def check(elf, chip=None, flash_kb=0, ram_kb=0):
    """Raises Refused when the chip would not start it."""
    check_size(elf, flash_kb)
    if elf.machine != EM_ARM:
        if not elf.runs(elf.entry):
            raise Refused("its entry point, 0x%08x, is not in the program" % elf.entry)
        return
    known = CHIPS.get(chip, Chip(0, 0, 0))
    table = elf.start + known.table
    if chip == "rp2040":
        check_boot2(elf)
    elif chip == "rp2350":
        table = check_image_definition(elf)
    check_vectors(elf, table, known.irqs, ram_of(elf, flash_kb, ram_kb))


# --- UF2 -----------------------------------------------------------------------------------------------------

UF2_PAGE, UF2_SECTOR = 256, 4096
UF2_MAGIC, UF2_MAGIC_END, UF2_HAS_FAMILY = (0x0A324655, 0x9E5D5157), 0x0AB16F30, 0x2000


def uf2(elf, chip):
    """A sector of flash is erased when its first page comes, so each one that is touched comes whole, up to the last
    page (RP2040-E14)."""
    pages = {}
    for load, data in elf.loaded:
        for at in range(load - load % UF2_PAGE, load + len(data), UF2_PAGE):
            page = pages.setdefault(at, bytearray(UF2_PAGE))
            first = max(at, load)
            part = data[first - load : at + UF2_PAGE - load]
            page[first - at : first - at + len(part)] = part
    last = max(pages)
    for sector in {at - at % UF2_SECTOR for at in pages}:
        for at in range(sector, min(sector + UF2_SECTOR, last), UF2_PAGE):
            pages.setdefault(at, bytearray(UF2_PAGE))
    return b"".join(
        struct.pack(
            "<8I476sI",
            *UF2_MAGIC,
            UF2_HAS_FAMILY,
            at,
            UF2_PAGE,
            number,
            len(pages),
            CHIPS[chip].family,
            bytes(pages[at]),
            UF2_MAGIC_END,
        )
        for number, at in enumerate(sorted(pages))
    )


def main():
    parser = argparse.ArgumentParser(
        description="Checks an image of a board, and writes it as .uf2."
    )
    parser.add_argument("elf")
    parser.add_argument(
        "--uf2-of", nargs=2, metavar=("CHIP", "OUT"), help="the chip: " + ", ".join(CHIPS)
    )
    parser.add_argument("--flash-kb", type=int, default=0)
    parser.add_argument("--ram-kb", type=int, default=0)
    options = parser.parse_args()
    chip, out = options.uf2_of or (None, None)
    if chip and chip not in CHIPS:
        parser.error("--uf2-of %s: the chips are: %s" % (chip, " ".join(CHIPS)))
    with open(options.elf, "rb") as file:
        data = file.read()
    try:
        elf = Elf(data)
        check(elf, chip, options.flash_kb, options.ram_kb)
    except (Refused, struct.error) as why:
        sys.exit("%s: refused: %s" % (options.elf, why))
    if out:
        with open(out + ".part", "wb") as file:
            file.write(uf2(elf, chip))
        os.replace(out + ".part", out)


if __name__ == "__main__":
    main()
