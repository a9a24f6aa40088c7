# tests/flash/test_debug.py - `make debug-BOARD` and `make monitor-BOARD`: gdb at main, and what the board prints.
# Layer: tests. Source: boards/tools/debug.py, monitor.py; docs/flashing.md.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from test_flash import make, named, place  # noqa: F401  (a fixture)
from test_formats import BOARDS

from conftest import ROOT
from targets import free_port

SECONDS = 60
# The clock's first tick is its interrupt's: the board runs on.
SCRIPT = """print clock_ms
print sizeof(server_memory) > 100
bt
watch clock_ms
continue
"""


@pytest.mark.parametrize("board", ["stm32vldiscovery", "lm3s6965evb"])
def test_emulated(board, tmp_path):
    """gdb has the symbols, the board stands at main, and goes on when it is told to. No emulator is left."""
    (tmp_path / "script").write_text(SCRIPT)
    port = free_port()
    done = make("debug-" + board, "ARGS=--batch %s" % (tmp_path / "script"), "PORT=%d" % port)
    assert done.returncode == 0, done.stdout
    at_main, _, rest = done.stdout.partition("$1 = ")
    assert re.search(r"breakpoint 1, main \(\) at \S*boards/main\.c:\d+", at_main), done.stdout
    assert re.match(r"0\n\$2 = 1\n#0 +main \(\) at .*\n#1 +startup_reset \(\) at ", rest), (
        done.stdout
    )
    assert re.search(r"Old value = 0\nNew value = 1\n", rest), done.stdout
    assert not running(str(port)), "the emulator is still there"


def test_emulated_by_rp2040js(tmp_path):
    """It has another server for gdb, without watchpoints."""
    (tmp_path / "script").write_text("print sizeof(server_memory) > 100\nbt\n")
    port = free_port()
    done = make("debug-pico_uart", "ARGS=--batch %s" % (tmp_path / "script"), "PORT=%d" % port)
    assert done.returncode == 0, done.stdout
    assert re.search(r"breakpoint 1, main \(\) at \S*boards/main\.c:\d+", done.stdout), done.stdout
    assert re.search(r"\$1 = 1\n#0 +main \(\) at ", done.stdout), done.stdout
    assert not running(str(port)), "the emulator is still there"


def test_run_on_a_port_that_is_taken():
    """Said in one sentence, with what to do, in the place of where the board can be called; no emulator begins."""
    board = "lm3s6965evb"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = make("run-" + board, "PORT=%d" % port)
    assert done.returncode != 0
    said = [line for line in done.stdout.splitlines() if line.startswith("run-")]
    taken = "run-%s: 127.0.0.1:%d is taken, " % (board, port)
    assert len(said) == 1 and said[0].startswith(taken) and "PORT=n" in said[0], done.stdout
    assert "qemu" not in done.stdout, done.stdout


def test_whether_a_port_is_free():
    command = [sys.executable, "-B", os.path.join(ROOT, "boards", "tools", "port.py"), "run-it"]
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            one.accept()[0].close()  # what is left of it for a while is no obstacle
    for number, status in ((port, 0), (0, 0)):
        assert subprocess.run([*command, str(number)], timeout=60).returncode == status
    with socket.create_server(("", 0)) as other:  # at all addresses: at this one, too
        port = str(other.getsockname()[1])
        done = subprocess.run([*command, port], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert done.stderr.startswith("run-it: 127.0.0.1:%s is taken, " % port)


def running(word):
    """The command lines that have it."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % number, "rb") as file:
                line = file.read().decode("utf-8", "replace")
        except OSError:
            continue
        if word in line and ("qemu" in line or "emulate.mjs" in line):
            found.append(line)
    return found


def test_emulator_that_ends(place):  # noqa: F811
    place.tool("qemu-system-arm", 1, "qemu-system-arm: the port is taken\n")
    done = make("debug-stm32vldiscovery", PATH="%s:%s" % (place.bin, os.environ["PATH"]))
    assert done.returncode != 0
    assert "the emulator ended: qemu-system-arm: the port is taken" in done.stdout, done.stdout


def test_no_gdb_for_it(place):  # noqa: F811
    """The host's own is not enough."""
    for name in ("gdb-multiarch", "arm-none-eabi-gdb", "gdb"):
        place.tool(name, 1, 'Undefined item: "arm".\n')
    done = make("debug-stm32vldiscovery", PATH="%s:%s" % (place.bin, os.environ["PATH"]))
    assert (
        done.returncode != 0
        and "there is no gdb for arm here (Debian: gdb-multiarch)" in done.stdout
    )
    assert place.called("gdb") == ["-batch", "-nx", "-ex", "set architecture arm"]


def test_probe(place):  # noqa: F811
    """OpenOCD serves gdb, which is told where; the board's flash is compared, not written."""
    image = "build/stm32vldiscovery/greeter.elf"
    place.tool("openocd", 0, "")
    (place.bin / "openocd").write_text(
        '#!/bin/sh\nprintf "%%s\\n" "$@" > %s/openocd.called\n'
        'echo "Info : Listening on port 3333 for gdb connections"\nexec sleep %d\n'
        % (place.path, SECONDS)
    )
    for name in ("gdb-multiarch", "arm-none-eabi-gdb"):
        place.tool(name, 0, "")
    path = "%s:%s" % (place.bin, os.environ["PATH"])
    done = make("debug-stm32vldiscovery", "ARGS=--probe", PATH=path)
    assert done.returncode == 0, done.stdout
    said = " ".join(place.called("openocd"))
    port = re.search(
        r"-f board/stm32vldiscovery\.cfg -c gdb_port (\d+); tcl_port disabled", said
    ).group(1)
    steps = " ".join(place.called("gdb-multiarch"))
    assert image in steps and "target extended-remote 127.0.0.1:%s" % port in steps
    assert "monitor reset halt -ex compare-sections -ex tbreak main -ex continue" in steps
    assert " load" not in steps


def test_no_probe(place):  # noqa: F811
    case = named("openocd", "nobody")
    place.tool("openocd", case.status, case.text)
    done = make(
        "debug-stm32vldiscovery", "ARGS=--probe", PATH="%s:%s" % (place.bin, os.environ["PATH"])
    )
    assert done.returncode != 0
    assert (
        "debug-stm32vldiscovery: no debug probe is attached (openocd: open failed)" in done.stdout
    )


# --- monitor -------------------------------------------------------------------------------------------------


def until(process, pattern):
    """What it printed, as far as that."""
    os.set_blocking(process.stdout.fileno(), False)
    text, end = b"", time.monotonic() + SECONDS
    while not re.search(pattern, text):
        assert process.poll() is None and time.monotonic() < end, text
        text += process.stdout.read() or b""
        time.sleep(0.01)
    return text


@pytest.mark.parametrize("board", ["stm32vldiscovery", "mps2_an385"])
def test_monitor_in_the_emulator(board):
    """From its first line on, on a UART that has gRPC and on one that has text alone. Ctrl-C ends all of it."""
    port = free_port()
    process = subprocess.Popen(
        ["make", "--no-print-directory", "monitor-" + board, "PORT=%d" % port],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        text = until(process, rb"nanorpc: Greeter ready on .*\n")
        assert b"TTY=DEVICE is for the hardware" in text
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS)
        process.stdout.close()
    assert not running(str(port)), "the emulator is still there"


def test_monitor_of_a_device(place):  # noqa: F811
    """Text beside gRPC is read by `nanorpc monitor`, which says itself what is wrong with one."""
    done = make("monitor-stm32vldiscovery", "TTY=/dev/nothing", "BAUD=9600")
    assert done.returncode != 0 and "there is no /dev/nothing; " in done.stdout, done.stdout
    device = place.path / "device"
    device.write_text("")
    done = make("monitor-stm32vldiscovery", "TTY=%s" % device, "BAUD=9600")
    assert "%s, 9600 baud; Ctrl-C ends it" % device in done.stdout
    assert "nanorpc: %s is no serial port" % device in done.stdout, done.stdout
    done = make("monitor-mps2_an385", "TTY=%s" % device)
    assert "%s, 115200 baud; Ctrl-] ends it" % device in done.stdout
    assert "could not open port" in done.stdout or "Could not" in done.stdout, done.stdout


def test_all_boards_have_them():
    """What a board cannot, it says in words."""
    goals = [(what, board) for what in ("debug", "monitor", "flash") for board in BOARDS]
    asked = make("-n", *map("-".join, goals)).stdout
    for goal in goals:
        assert re.search(r"boards/tools/%s\.py %s " % goal, asked), goal
