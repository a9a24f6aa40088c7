# boards/tools/emulator.py - an emulator that runs beside a program of the terminal, which Ctrl-C is for.
# Layer: board; debug.py and monitor.py use it.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import shlex
import socket
import subprocess
import time

START_SECONDS = 30


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def beside(command, log):
    """Runs until the block ends; what it prints is kept in the file log."""
    with open(log, "wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def words(command, waits=False):
    """Of a BOARD_EMULATOR; waits: the board starts when somebody connects to its UART, and loses no line."""
    return shlex.split(command.replace("wait=off", "wait=on") if waits else command)


def said(log):
    """The end of what a program printed, on one line."""
    with open(log, encoding="utf-8", errors="replace") as file:
        return " ".join(file.read()[-400:].split()) or "it printed nothing"


def wait_listening(process, port):
    """False: it ended instead. To connect and see would start the board."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if is_listening(port):
            return True
        time.sleep(0.05)
    return process.poll() is None


def is_listening(port):
    """Where the system does not say: not known."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, encoding="ascii") as file:
            for line in file.readlines()[1:]:
                _, local, _, state = line.split()[:4]
                if state == "0A" and int(local.rsplit(":", 1)[1], 16) == port:
                    return True
    return not os.path.exists("/proc/net/tcp")
