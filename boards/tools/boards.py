# boards/tools/boards.py - `make boards`: what each board is, how large the Greeter is on it, how it runs.
# Layer: board. Source: board.mk; the images below build/; build/BOARD/tested, which tests/boards writes.
# SPDX-License-Identifier: Apache-2.0
"""Use: boards.py   Prints the table; what has not been built has no sizes."""

import collections
import glob
import hashlib
import os
import re
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PT_LOAD, PF_W = 1, 2
LINKS = {"serial": "UART", "lwip-raw": "Ethernet", "lwip-sockets": "Ethernet", "posix": "sockets"}
USB_LINKS = {"cdc": "USB serial", "ecm": "USB Ethernet", "ncm": "USB Ethernet"}
RUNS = {
    "emulated": "run in an emulator",
    "run: native": "run here",
    "run: simulated": "run here, simulated",
}

Row = collections.namedtuple("Row", "board core link flash ram runs last")


def folders():
    found = sorted(glob.glob(os.path.join(ROOT, "boards", "*", "board.mk")))
    return [os.path.dirname(path) for path in found] + [os.path.join(ROOT, "host-sim")]


def assignments(folder):
    with open(os.path.join(folder, "board.mk"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", "")
    return dict(re.findall(r"^BOARD_(\w+)[ \t]*:=[ \t]*(.*?)[ \t]*$", text, re.M))


def core(made):
    """By the compiler's flags: Cortex-M7, RV32IMAC."""
    arm = re.search(r"-mcpu=cortex-m(\w+?)(plus)?(?:\s|$)", made.get("CFLAGS", ""))
    riscv = re.search(r"-march=(rv\w+)", made.get("CFLAGS", ""))
    if arm:
        return "Cortex-M" + arm.group(1) + ("+" if arm.group(2) else "")
    return riscv.group(1).upper() if riscv else "the host's"


def link(made):
    if made.get("USB"):
        return USB_LINKS.get(made["USB"], "USB")
    return ", ".join(dict.fromkeys(LINKS.get(port, port) for port in made["PORT"].split()))


def sizes(path):
    """(flash, RAM) of an image, in bytes, by its segments: what is loaded, and what may be written."""
    with open(path, "rb") as file:
        elf = file.read()
    heads, size, count = struct.unpack_from("<I", elf, 28) + struct.unpack_from("<HH", elf, 42)
    flash = ram = 0
    for at in range(heads, heads + size * count, size):
        kind, _, _, _, in_file, in_memory, flags = struct.unpack_from("<7I", elf, at)
        if kind == PT_LOAD:
            flash += in_file
            ram += in_memory if flags & PF_W else 0
    return flash, ram


def last_result(board, image):
    path = os.path.join(ROOT, "build", board, "tested")
    if not os.path.exists(path) or not os.path.exists(image):
        return "-"
    with open(path, encoding="utf-8") as file:
        result, tested = file.read().split()
    with open(image, "rb") as file:
        is_same = hashlib.sha256(file.read()).hexdigest() == tested
    return result if is_same else result + ", an older image"


def rows():
    for folder in folders():
        board, made = os.path.basename(folder), assignments(folder)
        image = os.path.join(ROOT, "build", board, "greeter.elf")
        flash = ram = last = "-"
        if made["CC"].endswith("-"):
            if os.path.exists(image):
                flash, ram = (
                    "%.1f of %s KB" % (used / 1024, made[there])
                    for used, there in zip(sizes(image), ("FLASH_KB", "RAM_KB"))
                )
            last = last_result(board, image)
        runs = RUNS.get(made["RUN_STATE"], made["RUN_STATE"])
        yield Row(board, core(made), link(made), flash, ram, runs, last)


def main():
    table = [Row("board", "core", "link", "flash", "RAM", "how it runs", "last tests"), *rows()]
    widths = [max(len(row[i]) for row in table) for i in range(len(Row._fields))]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    print(
        "\nFlash and RAM are the Greeter's, RAM with its stack; nothing here has run on hardware."
    )


if __name__ == "__main__":
    main()
