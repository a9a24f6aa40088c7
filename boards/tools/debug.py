# boards/tools/debug.py - gdb on an image: in the board's emulator, or with --probe on the board itself.
# Layer: board; `make debug-BOARD` runs it. Source: docs/flashing.md.
# SPDX-License-Identifier: Apache-2.0
"""Use: debug.py BOARD IMAGE.elf --emulator COMMAND [what board.mk says of the probe's tools] [--probe] [--batch FILE]

gdb has the image's symbols and stands at main. --batch FILE: it then does what that file says, and ends. What the
emulator, or the probe's tool, prints is kept beside the image, in debug.log."""

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import emulator
import flash

# By ELF's number of the processor: gdb's name of it.
ARCHITECTURES = {40: "arm", 243: "riscv:rv32", 83: "avr"}
SERVER_SECONDS = 30
# What a probe's tool prints when gdb may come.
LISTENS = {
    "openocd": rb"Listening on port \d+ for gdb",
    "pyocd": rb"GDB server (listening|started) (on|at) port",
}


class Problem(Exception):
    """What cannot be done, and what to do."""


def architecture(image):
    with open(image, "rb") as file:
        head = file.read(20)
    return ARCHITECTURES.get(struct.unpack_from("<H", head, 18)[0], "")


def find_gdb(prefix, known):
    """The first one that knows the processor: the host's own may not."""
    for name in ("gdb-multiarch", prefix + "gdb", "gdb"):
        program = shutil.which(name)
        if program and not subprocess.call(
            [program, "-batch", "-nx", "-ex", "set architecture " + known],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            return program
    raise Problem("there is no gdb for %s here (Debian: gdb-multiarch)" % known)


def stub(command, port):
    """The emulator's command, waiting for gdb before the first instruction."""
    words = emulator.words(command)
    if os.path.basename(words[0]).startswith("qemu-system-"):
        return [*words, "-S", "-gdb", "tcp:127.0.0.1:%d" % port]
    return [*words, "--gdb", str(port)]


def probe_server(options, port):
    """(tool, command): the first of the board's tools that has a server for gdb and is there."""
    missing = []
    for tool in options.tools:
        if tool not in LISTENS:
            continue
        program = flash.find(tool)
        if program is None:
            missing.append("%s is not installed (%s)" % (tool, flash.PACKAGES[tool]))
        elif tool == "pyocd":
            return tool, [program, "gdbserver", "-W", "-t", options.pyocd, "-p", str(port)]
        else:
            ports = "gdb_port %d; tcl_port disabled; telnet_port disabled" % port
            return tool, [program, *flash.openocd_files(options), "-c", ports]
    raise Problem("; ".join(missing) or "there is no hardware to debug for this board")


def wait_server(tool, process, log):
    end = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < end:
        ended = process.poll()  # before the log is read: then that is whole
        with open(log, "rb") as file:
            text = file.read()
        if ended is not None:
            break
        if re.search(LISTENS[tool], text):
            return
        time.sleep(0.05)
    kind, words = flash.meaning(tool, ended or 1, text.decode("utf-8", "replace"))
    if kind == "nobody":
        raise Problem("no debug probe is attached (%s: %s)" % (tool, words.replace("Error: ", "")))
    advice = flash.ADVICE.get(kind, "")
    raise Problem(
        "%s: %s%s (all that it printed is in %s)"
        % (tool, words, "; " + advice if advice else "", log)
    )


def gdb_command(options, program, port, on_probe):
    batch = ["-batch", "-nx"] if options.batch else []
    steps = ["set tcp connect-timeout %d" % SERVER_SECONDS]
    if on_probe:
        # A board with another image than this has other instructions than gdb shows: it says so, a section a line.
        steps += [
            "target extended-remote 127.0.0.1:%d" % port,
            "monitor reset halt",
            "compare-sections",
        ]
    else:
        steps += ["target remote 127.0.0.1:%d" % port]
    steps += ["tbreak main", "continue"]
    last = ["-x", options.batch] if options.batch else []
    return [
        program,
        "-q",
        *batch,
        options.image,
        *(w for step in steps for w in ("-ex", step)),
        *last,
    ]


def debug(options, note):
    log = os.path.join(os.path.dirname(options.image), "debug.log")
    known = architecture(options.image)
    if not known:
        raise Problem("this image runs here: gdb %s" % options.image)
    program = find_gdb(options.prefix, known)
    port = emulator.free_port()
    if options.probe:
        tool, server = probe_server(options, port)
    elif options.emulator:
        tool, server = None, stub(options.emulator, port)
    else:
        raise Problem('no emulator runs this board; ARGS="--probe" debugs the hardware')
    note("%s; what it prints is in %s" % (" ".join(server), log))
    with emulator.beside(server, log) as process:
        if tool:
            wait_server(tool, process, log)
        elif not emulator.wait_listening(process, port):
            raise Problem("the emulator ended: %s" % emulator.said(log))
        # Ctrl-C stops the board, not this.
        gdb = subprocess.Popen(gdb_command(options, program, port, bool(tool)))
        while True:
            try:
                return gdb.wait()
            except KeyboardInterrupt:
                pass


def main():
    parser = argparse.ArgumentParser(description="gdb on a board's image.", allow_abbrev=False)
    flash.add_tools(parser)
    parser.add_argument("--prefix", default="", help="the compiler's, such as arm-none-eabi-")
    parser.add_argument("--emulator", default="", help="the command that runs the image")
    parser.add_argument(
        "--probe", action="store_true", help="debug the hardware, with what make flash-BOARD wrote"
    )
    parser.add_argument(
        "--batch", metavar="FILE", help="gdb does what the file says once it is at main, and ends"
    )
    options = parser.parse_args()

    def note(line):
        print("debug-%s: %s" % (options.board, line), flush=True)

    try:
        return debug(options, note)
    except Problem as problem:
        note(str(problem))
        return 1


if __name__ == "__main__":
    sys.exit(main())
