# tests/demo.py - boots the Greeter firmware in an emulator, greets it from Python, says what to try next.
# Layer: tests; run by `make demo`.
# SPDX-License-Identifier: Apache-2.0
"""Use: demo.py --port N [--board NAME] [--serial] -- EMULATOR...   127.0.0.1:N leads to the board; when N
is taken another is used. --serial: it is the board's serial line, and a relay stands between."""

import argparse
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

READY = "nanorpc: Greeter ready on"
BOOT_SECONDS = 60


class Problem(Exception):
    """What went wrong and what to do, for the user."""


def free_port(wanted):
    """`wanted` when nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                print("demo: 127.0.0.1:%d is taken, using another port" % wanted)
    raise Problem("no free TCP port on 127.0.0.1: is the loopback interface up?")


def start(command):
    if not shutil.which(command[0]):
        package = {"node": "nodejs"}.get(command[0], command[0])
        raise Problem("%s is not installed: on Debian, apt-get install %s" % (command[0], package))
    print("demo: " + " ".join(command))
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def wait_for(words, process, show):
    """Reads what the process prints until a line has these words; show: is called with each line."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    end = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise Problem("nothing said '%s' within %d s" % (words, BOOT_SECONDS)) from None
        if line is None:
            raise Problem("the emulator ended before the board was ready; its message is above")
        show(line)
        if words in line:
            return


def greet(port):
    client = os.path.join(os.path.dirname(__file__), "e2e", "greeter_client.py")
    environment = dict(os.environ)
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy"):  # 127.0.0.1 needs none
        environment.pop(name, None)
        environment.pop(name.upper(), None)
    done = subprocess.run(
        [sys.executable, client, "localhost:%d" % port, "microcontroller"],
        env=environment,
        timeout=120,
    )
    if done.returncode:
        raise Problem("the Python client failed; its message is above")


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def demo(port, command, serial):
    used = free_port(port)
    command = [re.sub(r"127\.0\.0\.1:%d\b" % port, "127.0.0.1:%d" % used, part) for part in command]
    if serial:  # the board starts when somebody listens to what it says
        command = [part.replace("wait=off", "wait=on") for part in command]
    running = [start(command)]
    try:
        if serial:
            wait_for("waiting for connection", running[0], lambda line: print(line, flush=True))
            line, used = "socket://127.0.0.1:%d" % used, free_port(0)
            relay = ["relay", line, "--listen", "127.0.0.1:%d" % used, "--monitor"]
            running.append(start([sys.executable, "-B", "-m", "nanorpc"] + relay))
        wait_for(READY, running[-1], lambda line: print("board: " + line, flush=True))
        greet(used)
    finally:
        for process in reversed(running):
            stop(process)


NEXT = """
That was an unmodified Python gRPC client, and a Cortex-M3 with 64 KB of RAM. Next:
  make run-lm3s6965evb     keep the board running; then, in another terminal:
                           PYTHONPATH=build/py .venv/bin/python tests/e2e/greeter_client.py
  make sim ARGS="--help"   the same service on a simulated device, with weather
  make test                everything that is tested
  make help                 all there is"""


NEXT_OF = """
That was an unmodified Python gRPC client, and the image of %(board)s in an emulator. Next:
  make run-%(board)-16s keep the board running
  make %(board)-20s the image alone, for a real board: docs/%(page)s.md
  make help                 all there is"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--board", help="if it is not the usual one")
    parser.add_argument("--serial", action="store_true")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        demo(arguments.port, arguments.command, arguments.serial)
    except Problem as problem:
        sys.exit("demo: %s" % problem)
    except KeyboardInterrupt:
        sys.exit("demo: stopped")
    page = "pico" if (arguments.board or "").startswith("pico") else "board"
    print(NEXT_OF % {"board": arguments.board, "page": page} if arguments.board else NEXT)


if __name__ == "__main__":
    main()
