# tests/ports/test_posix_many.py - what a request costs does not depend on the connections beside it.
# Layer: tests; posix_many.c in the place of the system, valgrind counts instructions.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import subprocess

import pytest

from conftest import ROOT

CONNECTIONS = 10000
WAITING = 8  # NRPC_POSIX_WAITING
WRAPPED = "clock_gettime epoll_ctl epoll_wait accept4 recv send poll setsockopt shutdown close"
FLAGS = "-std=c99 -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections -I. -Ibuild/gen"
SETTINGS = {
    "PB_NO_ERRMSG": 1,
    "PB_BUFFER_ONLY": 1,
    "NRPC_CHECKS": 0,
    "NRPC_MAX_STREAMS": 4,
    "NRPC_POSIX_SPIN_US": 0,
    "NRPC_POSIX_BUFFER_BYTES": 8192,
    "NRPC_POSIX_LINKS": CONNECTIONS,
    "GREETER_CONNECTIONS": CONNECTIONS,
}


def built(folder, **settings):
    nanopb = os.environ["NANOPB_DIR"]
    sources = ["tests/ports/posix_many.c", "boards/apps/greeter/greeter.c"]
    for pattern in [
        *(f"nanorpc/{room}/*.c" for room in ("hpack", "http2", "grpc", "server", "client")),
        "ports/posix/*.c",
        *(f"build/gen/{name}.*.c" for name in ("helloworld", "helloworld/greeter", "simpletest")),
        f"{nanopb}/pb_[ced]*code.c",
        f"{nanopb}/pb_common.c",
    ]:
        sources += sorted(glob.glob(pattern, root_dir=ROOT))
    program = folder / "many"
    settings = [f"-D{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
    wraps = [f"-Wl,--wrap={name}" for name in WRAPPED.split()]
    command = ["gcc", *FLAGS.split(), *settings, *wraps, "-isystem", nanopb, "-o", program]
    subprocess.run([*command, *sources, "-pthread"], cwd=ROOT, check=True)
    return program


def says(program, *numbers, tool=()):
    """What it prints, after having done what the numbers say (see its main)."""
    out = subprocess.run(
        [*tool, program, *map(str, numbers)], capture_output=True, text=True, check=True
    ).stdout
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", out)}


def instructions(program, peers, calls=0, seconds=0, more=0):
    out = program.with_suffix(".callgrind")
    tool = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
    said = says(program, peers, calls, seconds, 0, more, tool=tool)
    assert (said["open"], said["greeted"]) == (peers, calls)
    assert said["refused"] == max(0, more - WAITING)
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


@pytest.mark.parametrize("fast", [0, 1])
def test_idle_connections_cost_nothing(tmp_path, fast):
    """.. a request; nor does time pass for them."""
    program = built(tmp_path, NRPC_FAST=fast)
    alone, beside = (
        (instructions(program, n, 600) - instructions(program, n, 100)) / 500
        for n in (1, CONNECTIONS)
    )
    print(f"NRPC_FAST={fast}: {alone:.0f} a request alone, {beside:.0f} beside {CONNECTIONS}")
    assert beside < 1.1 * alone
    of_one, of_all = (
        instructions(program, n, 0, 110) - instructions(program, n, 0, 10) for n in (1, CONNECTIONS)
    )
    each = (of_all - of_one) / CONNECTIONS
    print(f"NRPC_FAST={fast}: {each:.0f} for 100 s of an idle connection")
    assert each < 100


def test_each_costs_the_same(tmp_path):
    """The last one that comes finds its place as soon as the first."""
    program = built(tmp_path)
    none, half, whole = (instructions(program, n) for n in (1, CONNECTIONS // 2, CONNECTIONS))
    print(
        f"{(half - none) * 2 / CONNECTIONS:.0f} a connection, then {(whole - half) * 2 / CONNECTIONS:.0f}"
    )
    assert whole - half < 1.1 * (half - none)


def test_newcomers_beyond_the_limit(tmp_path):
    """Who is refused costs the same, however many connections there are."""
    costs = []
    for n in (2000, CONNECTIONS):
        program = built(tmp_path, NRPC_POSIX_LINKS=n, GREETER_CONNECTIONS=n)
        costs.append(
            (instructions(program, n, more=300) - instructions(program, n, more=100)) / 200
        )
        print(f"{costs[-1]:.0f} a newcomer to {n} connections")
    assert costs[1] < 1.2 * costs[0]


def test_tables(tmp_path):
    """Its timers, and who has how many connections, beside what is too simple to be wrong."""
    program = tmp_path / "tables"
    flags = (
        "-std=c99 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Werror"
    )
    sources = ["tests/ports/posix_tables.c", "ports/posix/nrpc_posix_timers.c"]
    command = ["gcc", *flags.split(), "-I.", "-DNRPC_POSIX_LINKS=50", "-o", program, *sources]
    command += ["-ffunction-sections", "-Wl,--gc-sections", "-Wl,--unresolved-symbols=ignore-all"]
    subprocess.run(command, cwd=ROOT, check=True)
    assert subprocess.run([program], capture_output=True, text=True).stdout == "right\n"


def test_100000(tmp_path):
    """Such a program links, and of each connection, which has been greeted, no more is in memory."""
    n = 100000
    program = built(tmp_path, NRPC_POSIX_LINKS=n, GREETER_CONNECTIONS=n)
    said = says(program, n, 1000, 100)
    assert (said["open"], said["refused"], said["greeted"]) == (n, 0, 1000)
    print(f"{said['bytes']} bytes each")
    assert said["bytes"] <= 1.7 * 1024


@pytest.mark.parametrize("buffers", [0, 3, 256])
def test_buffers_that_others_have(tmp_path, buffers):
    """Ten do not read what they are sent: that is no matter for another, and lost for nobody."""
    stuck, calls = 10, 100
    program = built(tmp_path, NRPC_POSIX_BUFFERS=buffers)
    said = says(program, 1 + stuck, calls, 0, stuck)
    assert said["buffers"] == min(buffers // 2 * 2, 2 * stuck)
    assert said["greeted"] == calls
    assert (said["then"], said["left"], said["open"]) == (calls + stuck, 0, 1 + stuck)
