# tests/e2e/children.py - a program that a test starts ends with the test, however that ends.
# Layer: tests. Source: prctl(2), PR_SET_PDEATHSIG; setpriv(1).
# SPDX-License-Identifier: Apache-2.0
import shutil

SETPRIV = shutil.which("setpriv")  # of util-linux


def tied(command):
    """The command, for Popen: when this process is killed, and atexit does not run, the program gets SIGTERM. To be
    started from a thread that lives as long as it should. Not by preexec_fn: a fork is nothing for gRPC's threads."""
    return ([SETPRIV, "--pdeathsig", "TERM", "--"] if SETPRIV else []) + [
        str(part) for part in command
    ]
