# tests/bench/firmware.py - the instructions of a whole call on an emulated board, and whose they are.
# Layer: tests. Source: count_plugin.c, which QEMU runs; the symbols of the image.
# SPDX-License-Identifier: Apache-2.0
"""Use: make cost [ARGS="--board NAME --calls N --functions N"]   A bench, not a test: it prints a table.

The firmware is the one that is flashed. It serves some calls, then many more: what the second run has more, without
what its ticks of the clock cost, which an idle board has as well, is divided by the calls. Whose a function is, its
source says; what is inlined counts for the one that it is in, as the linker saw fit (-flto). The same client twice
may give some per cent more or less: grpcio packs frames and acknowledgements as its threads come to it."""

import argparse
import bisect
import collections
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e")]

import grpc  # noqa: E402

from bench import METHOD, REQUEST  # noqa: E402
from targets import Server  # noqa: E402

DEFINED = re.compile(r"^(?:[A-Za-z_][\w *]*[\s*])?(\w+)\([^;{}]*\)\s*\{", re.M)
SUFFIX = re.compile(r"\.(lto_priv|constprop|isra|part|cold)[.\d]*")
MEMORY = re.compile(r"mem(cpy|set|move|cmp|chr)|str\w+|__aeabi_(u?l?mem\w+|u?idiv\w*)")
GROUPS = ("engine", "nanopb", "lwIP", "port", "board and handler", "memory functions", "other")
IDLE_SECONDS = 5
# Instructions take 1.3 to 2 cycles where flash has wait states: an assumption, for the estimate alone.
CYCLES, CLOCKS_MHZ = (1.3, 2.0), (50, 120)


def owners(lwip, nanopb):
    """{function: group} of all sources."""
    found = {}
    for group, *folders in (
        ("lwIP", lwip),
        ("nanopb", nanopb),
        ("board and handler", os.path.join(ROOT, "boards")),
        ("port", os.path.join(ROOT, "ports")),
        ("engine", os.path.join(ROOT, "nanorpc"), os.path.join(ROOT, "build", "gen")),
    ):
        for folder in folders:
            for path in glob.glob(os.path.join(folder, "**", "*.[ch]"), recursive=True):
                with open(path, encoding="utf-8", errors="replace") as file:
                    found.update(dict.fromkeys(DEFINED.findall(file.read()), group))
    return found


def symbols(image):
    """Sorted [(address, name)] of its functions."""
    text = subprocess.run(
        ["arm-none-eabi-nm", image], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    rows = [line.split() for line in text.splitlines()]
    return sorted((int(row[0], 16) & ~1, row[2]) for row in rows if row[1] in "tTwW")


class Counts(collections.Counter):
    """Instructions by function, and how often each was entered."""

    def __init__(self, path, table):
        super().__init__()
        self.entries = collections.Counter()
        addresses = [address for address, _ in table]
        with open(path, encoding="ascii") as file:
            for line in file:
                address, instructions, runs = line.split()
                address = int(address, 16)
                at, name = table[bisect.bisect_right(addresses, address) - 1]
                self[SUFFIX.sub("", name)] += int(instructions) * int(runs)
                if address == at:
                    self.entries[SUFFIX.sub("", name)] += int(runs)


def run(options, table, plugin, calls):
    """A board's whole life with so many calls."""
    with tempfile.NamedTemporaryFile() as counts:
        os.environ["COUNTS"] = counts.name
        server = Server(options.board, ["-plugin", plugin])
        calls(server.port)
        server.stop()
        return Counts(counts.name, table)


def by_grpcio(metadata=(), timeout=None):
    def make(n):
        def calls(port):
            with grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
                call = channel.unary_unary(METHOD)
                for _ in range(n):
                    call(REQUEST, metadata=metadata, timeout=timeout)

        return calls

    return make


def by_h2load(n):
    def calls(port):
        with tempfile.NamedTemporaryFile() as body:
            body.write(b"\0\0\0\0" + bytes([len(REQUEST)]) + REQUEST)
            body.flush()
            command = ["h2load", "-n", str(n), "-c", "1", "-m", "1", "-d", body.name]
            for header in "content-type: application/grpc", "te: trailers":
                command += ["-H", header]
            command.append("http://127.0.0.1:%d%s" % (port, METHOD))
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    return calls


CLIENTS = {
    "grpcio": by_grpcio(),
    "grpcio, with a deadline": by_grpcio(timeout=60),
    "grpcio, 3 keys of metadata that nobody registered": by_grpcio(
        (("x-request-id", "0123456789abcdef"), ("x-user", "somebody"), ("x-region", "eu-west-1"))
    ),
    "h2load: Huffman, nothing indexed": by_h2load,
}


def cost(options, table, plugin, idle, make):
    """{function: instructions a call}"""
    few, many = (run(options, table, plugin, make(n)) for n in (100, 100 + options.calls))
    ticks = many.entries[options.tick] - few.entries[options.tick]
    return {
        name: (many[name] - few[name] - ticks * idle[name] / max(1, idle.entries[options.tick]))
        / options.calls
        for name in many
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--board", default="lm3s6965evb")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--tick", default="systick", help="the clock's interrupt handler")
    parser.add_argument("--functions", type=int, default=0, help="the most expensive ones, too")
    parser.add_argument("--lwip", required=True)
    parser.add_argument("--nanopb", required=True)
    parser.add_argument("--plugin", required=True)
    options = parser.parse_args()
    table = symbols(os.path.join(ROOT, "build", options.board, "greeter.elf"))
    if options.tick not in {name for _, name in table}:
        sys.exit("firmware: the image has no function %s: say which --tick it is" % options.tick)
    known = owners(options.lwip, options.nanopb)

    def owner(function):
        return "memory functions" if MEMORY.fullmatch(function) else known.get(function, "other")

    idle = run(options, table, options.plugin, lambda port: time.sleep(IDLE_SECONDS))
    start = run(options, table, options.plugin, lambda port: None)
    idle.subtract(start)
    idle.entries.subtract(start.entries)
    print(
        "Instructions of a unary call, `%s` in QEMU, %d calls:\n" % (options.board, options.calls)
    )
    print("| client | all | %s |" % " | ".join(GROUPS))
    print("| --- " * (len(GROUPS) + 2) + "|")
    for name, make in CLIENTS.items():
        found = cost(options, table, options.plugin, idle, make)
        shares = collections.Counter()
        for function, instructions in found.items():
            shares[owner(function)] += instructions
        total = sum(shares.values())
        print(
            "| %s | %.0f | %s |"
            % (name, total, " | ".join("%.0f" % shares[group] for group in GROUPS)),
            flush=True,
        )
        if name == "grpcio":
            first = total
        for function in sorted(found, key=found.get, reverse=True)[: options.functions]:
            print("    %-32s %7.0f  %s" % (function, found[function], owner(function)))
    print()
    for clock in CLOCKS_MHZ:
        print(
            "Estimate, not measured, with %g to %g cycles an instruction: %.0f to %.0f us by grpcio at %d MHz."
            % (*CYCLES, *(first * cycles / clock for cycles in CYCLES), clock)
        )


if __name__ == "__main__":
    main()
