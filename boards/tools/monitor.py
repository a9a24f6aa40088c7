# boards/tools/monitor.py - what a board prints: on its serial port, or in its emulator.
# Layer: board; `make monitor-BOARD` runs it, with ports/python on Python's path. Source: docs/flashing.md.
# SPDX-License-Identifier: Apache-2.0
"""Use: monitor.py BOARD [--tty DEVICE] [--emulator COMMAND --port N] [--serial]

--serial: gRPC is on that line, too, and `nanorpc monitor` tells it from text; else it is a plain terminal."""

import argparse
import os
import subprocess
import sys

import emulator

from nanorpc.port import no_ports, ports


def devices():
    found = ports()
    return "TTY=DEVICE names one; there are:\n  " + "\n  ".join(found) if found else no_ports()


def on_line(options, url):
    """The program of the terminal that shows a line."""
    if options.serial:
        return [
            sys.executable,
            "-B",
            "-m",
            "nanorpc",
            "monitor",
            url,
            "--baudrate",
            str(options.baudrate),
        ]
    return [sys.executable, "-B", "-m", "serial.tools.miniterm", url, str(options.baudrate)]


def run(command):
    """Its status; Ctrl-C is for it."""
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass


def monitor(options, note):
    if options.tty:
        if "://" not in options.tty and not os.path.exists(options.tty):
            note("there is no %s; %s" % (options.tty, devices()))
            return 1
        note(
            "%s, %d baud; %s ends it"
            % (options.tty, options.baudrate, "Ctrl-C" if options.serial else "Ctrl-]")
        )
        return run(on_line(options, options.tty))
    if not options.emulator:
        note("no emulator runs this board. " + devices())
        return 1
    if not options.serial:
        note("in the emulator; TTY=DEVICE is for the hardware")
        return run(emulator.words(options.emulator))
    note("in the emulator; Ctrl-C ends it; TTY=DEVICE is for the hardware")
    log = os.path.join(options.folder, "monitor.log")
    with emulator.beside(emulator.words(options.emulator, waits=True), log) as process:
        if not emulator.wait_listening(process, options.port):
            note("the emulator ended: " + emulator.said(log))
            return 1
        return run(on_line(options, "socket://127.0.0.1:%d" % options.port))


def main():
    parser = argparse.ArgumentParser(description="Shows what a board prints.", allow_abbrev=False)
    parser.add_argument("board")
    parser.add_argument("--folder", default=".", help="where the emulator's own words are kept")
    parser.add_argument("--tty", default="", help="the serial port: of the hardware")
    parser.add_argument("--baudrate", type=int, default=115200, help="bits a second (115200)")
    parser.add_argument("--serial", action="store_true", help="the line has gRPC, too")
    parser.add_argument("--emulator", default="", help="the command that runs the image")
    parser.add_argument("--port", type=int, default=50051, help="where that has the board's UART")
    options = parser.parse_args()

    def note(line):
        print("monitor-%s: %s" % (options.board, line), flush=True)

    return monitor(options, note)


if __name__ == "__main__":
    sys.exit(main())
