# tests/flash/elves.py - images as data: small ELF files made here, and what .uf2 and .hex files say.
# Layer: tests. Source: ELF32; "USB Flashing Format (UF2)"; Intel's "Hexadecimal Object File Format" (1988).
# SPDX-License-Identifier: Apache-2.0
"""Read here by other code than what writes them, boards/tools/image.py and objcopy."""

import struct

R, W, X = 4, 2, 1
ARM, RISCV = 40, 243


def elf(segments, entry=0, machine=ARM, table=None):
    """segments: (address, load address, data, bytes in memory, flags). table: (address, bytes) of a symbol."""
    offset, heads, body = 52 + 32 * len(segments), b"", b""
    for address, load, data, in_memory, flags in segments:
        heads += struct.pack(
            "<8I", 1, offset + len(body), address, load, len(data), in_memory, flags, 4
        )
        body += data
    sections, count = 0, 0
    if table:
        symbols = bytes(16) + struct.pack("<IIIBBH", 0, *table, 1, 0, 1)
        at = offset + len(body)
        body += symbols
        sections, count = offset + len(body), 2
        body += bytes(40) + struct.pack("<10I", 0, 2, 0, 0, at, len(symbols), 0, 0, 4, 16)
    head = struct.pack(
        "<HHIIIIIHHHHHH", 2, machine, 1, entry, 52, sections, 0, 52, 32, len(segments), 40, count, 0
    )
    return b"\x7fELF\x01\x01\x01" + bytes(9) + head + heads + body


def loads(data):
    """{address: byte} of what an ELF file has to be programmed."""
    at, size, count = struct.unpack_from("<I", data, 28)[0], *struct.unpack_from("<HH", data, 42)
    memory = {}
    for number in range(count):
        kind, offset, _, load, in_file = struct.unpack_from("<5I", data, at + number * size)
        if kind == 1:
            memory.update(enumerate(data[offset : offset + in_file], load))
    return memory


def uf2(data):
    """(family, {address: byte}) of a .uf2 file; asserts what a boot loader asks of its blocks."""
    assert data and len(data) % 512 == 0
    blocks = [data[at : at + 512] for at in range(0, len(data), 512)]
    memory, families, last = {}, set(), -1
    for number, block in enumerate(blocks):
        one, two, flags, address, size, its_number, total, family = struct.unpack_from("<8I", block)
        assert (one, two, struct.unpack_from("<I", block, 508)[0]) == (
            0x0A324655,
            0x9E5D5157,
            0x0AB16F30,
        )
        assert flags == 0x2000 and size == 256 and address % 256 == 0 and address > last
        assert its_number == number and total == len(blocks)
        memory.update(enumerate(block[32 : 32 + size], address))
        families.add(family)
        last = address
    assert len(families) == 1
    return families.pop(), memory


def intel_hex(text):
    """{address: byte} of a .hex file; asserts its checksums and its end."""
    memory, base, ended = {}, 0, False
    for line in text.split():
        record = bytes.fromhex(line[1:])
        assert (
            line[0] == ":" and not ended and sum(record) % 256 == 0 and record[0] == len(record) - 5
        ), line
        at, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 0:
            memory.update(enumerate(data, base + at))
        elif kind in (2, 4):
            base = int.from_bytes(data, "big") << (4 if kind == 2 else 16)
        ended = kind == 1
        assert kind in (0, 1, 2, 3, 4, 5), line
    assert ended
    return memory
