# tests/boards/test_demo.py - `make demo` with a board on a serial line.
# Layer: tests. Source: docs/pico.md.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

from conftest import ROOT
from targets import free_port

SLOW = "import time; time.sleep(1); print('slow: waiting for connection')"


def test_pico():
    done = subprocess.run(
        ["make", "-s", "demo", "BOARD=pico", "PORT=%d" % free_port()],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert "Greeter client received: Hello, microcontroller!" in done.stdout


def test_an_emulator_that_takes_its_time():
    """Nobody connects before it says that it waits. (It is none, so the demo fails then.)"""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests", "demo.py"), "--port", str(free_port())]
        + ["--serial", "--", sys.executable, "-c", SLOW],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, PYTHONPATH=os.path.join(ROOT, "ports", "python")),
    )
    assert done.returncode != 0
    said = done.stdout
    assert 0 < said.index("slow: waiting for connection\n") < said.index("nanorpc relay"), said
