# tests/e2e/test_children.py - a test run that is killed leaves no emulators and simulators behind.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import time

from children import SETPRIV

from targets import ROOT

RUN = """
import time, targets
server = targets.Server("posix")
print(server.process.pid, flush=True)
time.sleep(600)
"""


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_server_ends_with_who_started_it():
    assert SETPRIV, "setpriv, of util-linux, is not there"
    path = os.pathsep.join([os.path.join(ROOT, "tests", "e2e"), os.environ.get("PYTHONPATH", "")])
    run = subprocess.Popen(
        [sys.executable, "-B", "-c", RUN],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=path),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        pid = int(run.stdout.readline())
        assert is_running(pid)
    finally:
        run.kill()
        run.wait()
    end = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < end, "process %d is still there" % pid
        time.sleep(0.05)
