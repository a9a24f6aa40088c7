# tests/settings/test_checks.py - on an operating system a use of a dead call ends the program with words.
# Layer: tests. Source: nanorpc/ref.h.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NANOPB = os.environ["NANOPB_DIR"]
PROGRAM = """
#include "nanorpc/nanorpc.h"
int main(void)
{
    (void)nrpc_call_user((struct nrpc_call *)0);
    return 0;
}
"""


def files(*patterns):
    return [path for pattern in patterns for path in sorted(glob.glob(os.path.join(ROOT, pattern)))]


@pytest.mark.parametrize("order", [1, -1], ids=["core_first", "port_first"])
def test_words_of_the_port(order, tmp_path):
    """Whatever the order of linking: the core has a definition, too, that says nothing."""
    (tmp_path / "a.c").write_text(PROGRAM)
    core = files("nanorpc/*/*.c")
    core = [path for path in core if os.sep + "services" + os.sep not in path]
    sources = [core, files("ports/posix/*.c")][::order]
    nanopb = os.path.abspath(NANOPB)
    flags = ["-std=c99", "-D_GNU_SOURCE", "-I" + ROOT, "-isystem", nanopb]
    subprocess.run(
        ["gcc", *flags, "-o", "a", "a.c", *sources[0], *sources[1]]
        + sorted(glob.glob(os.path.join(nanopb, "pb_*.c")))
        + ["-pthread"],
        cwd=tmp_path,
        check=True,
    )
    done = subprocess.run([tmp_path / "a"], stderr=subprocess.PIPE)
    assert done.stderr == b"nanorpc: nrpc_call_user: NULL is no call\n"
