# tests/ports/test_port_dials.py - the ports' dialling, by C programs: lwIP on a loopback interface, Linux's sockets.
# Layer: tests; `make test` builds the core and the unit tests' support first.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import shlex
import subprocess

import pytest

from conftest import ROOT

UNIT = os.path.join(ROOT, "build", "unit-gcc")
LWIP = os.environ.get("LWIP_DIR", os.path.join(ROOT, "build", "third", "lwip"))
PROGRAMS = {
    "lwip_dial": [
        "-DNRPC_LWIP_CONNECTIONS=1",
        "-DNRPC_LWIP_DIALS=2",
        "-Itests/ports",
        "-I%s/src/include" % LWIP,
        "ports/lwip/nrpc_lwip.c",
        "ports/lwip/nrpc_lwip_dial.c",
        *glob.glob(LWIP + "/src/core/*.c"),
        *glob.glob(LWIP + "/src/core/ipv4/*.c"),
        LWIP + "/src/netif/ethernet.c",
    ],
    "posix_dial": [
        "-DNRPC_POSIX_LINKS=1",
        "-DNRPC_POSIX_DIALS=2",
        "-pthread",
        *sorted(glob.glob(os.path.join(ROOT, "ports", "posix", "*.c"))),
    ],
}


SOCKETS = """
#include "ports/lwip/nrpc_lwip_sockets.h"
#include "raw_service.h"
int main(void);
int main(void) { return nrpc_lwip_sockets_listen(&raw_server, 50051) != NRPC_E_LIMIT; }
"""


def run(*command):
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_dials(name, tmp_path):
    with open(os.path.join(UNIT, "flags"), encoding="utf-8") as file:
        compiler = shlex.split(
            file.read()
        )  # as the core was compiled: a port must have the same limits
    program = str(tmp_path / name)
    done = run(
        *compiler,
        "-w",  # lwIP's files are among these; what ours say, the build has heard
        "-o",
        program,
        "tests/ports/%s.c" % name,
        *PROGRAMS[name],
        UNIT + "/tests/unit/host.o",
        UNIT + "/libnanorpc.a",
    )
    assert done.returncode == 0, done.stdout
    done = run(program)
    print(done.stdout)
    assert done.returncode == 0


def test_sockets_listen(tmp_path):
    """A server with more connections than there are links is refused before lwIP hears of it, which is not there."""
    with open(os.path.join(UNIT, "flags"), encoding="utf-8") as file:
        compiler = shlex.split(file.read())
    (tmp_path / "listens.c").write_text(SOCKETS)
    done = run(
        *compiler,
        "-w",
        "-DNRPC_LWIP_SOCKETS_CONNECTIONS=1",
        "-DNRPC_LWIP_SOCKETS_DIALS=1",
        "-DNRPC_LWIP_CONNECTIONS=1",
        "-DNRPC_LWIP_DIALS=1",
        "-Ihost-sim",
        "-I%s/src/include" % LWIP,
        "-I%s/contrib/ports/unix/port/include" % LWIP,
        "-no-pie",
        "-Wl,-z,lazy",
        "-Wl,--unresolved-symbols=ignore-all",
        "-o",
        str(tmp_path / "listens"),
        str(tmp_path / "listens.c"),
        "ports/lwip/nrpc_lwip_sockets.c",
        UNIT + "/tests/unit/host.o",
        UNIT + "/libnanorpc.a",
    )
    assert done.returncode == 0, done.stdout
    assert run(str(tmp_path / "listens")).returncode == 0
