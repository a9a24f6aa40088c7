# tests/bench/firmware.py - the instructions of a whole call on an emulated board, and whose they are.
# Layer: tests. Source: count_plugin.c, which QEMU runs; the symbols of the image.
# SPDX-License-Identifier: Apache-2.0
"""Use: make cost [ARGS="--board NAME --calls N --functions N"]   A bench, not a test: it prints a table.

The firmware is the one that is flashed. It serves some calls, then many more: what the second run has more, without
what its ticks of the clock cost, which an idle board has as well, is divided by the calls. Whose an instruction is,
the source line says that it was compiled from, wherever it was inlined. The same client twice may give some per cent
more or less: grpcio packs frames and acknowledgements as its threads come to it."""

import argparse
import collections
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

MEMORY = re.compile(r"mem(cpy|set|move|cmp|chr)|str(len|nlen|cmp|ncmp)|__aeabi_\w+")
OURS = (
    ("memory functions", "boards", "memory.c"),
    ("board and handler", "boards"),
    ("port", "ports"),
    ("engine", "nanorpc"),
    ("engine", "build", "gen"),
)
GROUPS = ("engine", "nanopb", "lwIP", "port", "board and handler", "memory functions", "other")
IDLE_SECONDS = 5
# Instructions take 1.3 to 2 cycles where flash has wait states: an assumption, for the estimate alone.
CYCLES, CLOCKS_MHZ = (1.3, 2.0), (50, 120)


def said(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


class Image:
    """Where its instructions are, and whose."""

    def __init__(self, path, folders):
        """folders: [(group, folder or file)], the first that fits."""
        self.path = path
        self.folders = [(group, os.path.realpath(folder)) for group, folder in folders]
        text = said("arm-none-eabi-objdump", "-d", path)
        addresses = [int(at, 16) for at in re.findall(r"^ +([0-9a-f]+):\t", text, re.M)]
        self.after = dict(zip(addresses, addresses[1:]))
        self.symbols = {
            row[2]: int(row[0], 16) & ~1
            for row in (line.split() for line in said("arm-none-eabi-nm", path).splitlines())
            if row[1] in "tTwW"
        }

    def owners(self, addresses):
        """{address: (function, group)}"""
        query = "".join("0x%x\n" % address for address in addresses)
        lines = subprocess.run(
            ["arm-none-eabi-addr2line", "-f", "-e", self.path],
            input=query,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.splitlines()
        return {
            address: (function, self.group(function, os.path.realpath(place.rsplit(":", 1)[0])))
            for address, function, place in zip(addresses, lines[::2], lines[1::2])
        }

    def group(self, function, file):
        if MEMORY.fullmatch(function):
            return "memory functions"
        for group, folder in self.folders:
            if os.path.commonpath([file, folder]) == folder:
                return group
        return "other"


def counts(path, image):
    """{address: how often the instruction there has run}"""
    found = collections.Counter()
    with open(path, encoding="ascii") as file:
        for line in file:
            address, instructions, runs = line.split()
            at = int(address, 16)
            for _ in range(int(instructions)):
                found[at] += int(runs)
                at = image.after.get(at, 0)
    return found


def run(options, image, calls):
    """A board's whole life with so many calls."""
    with tempfile.NamedTemporaryFile() as file:
        os.environ["COUNTS"] = file.name
        server = Server(options.board, ["-plugin", options.plugin])
        calls(server.port)
        server.stop()
        return counts(file.name, image)


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


def cost(options, image, idle, make):
    """{address: instructions a call}"""
    tick = image.symbols[options.tick]
    few, many = (run(options, image, make(n)) for n in (100, 100 + options.calls))
    ticks = (many[tick] - few[tick]) / max(1, idle[tick])
    return {at: (many[at] - few[at] - ticks * idle[at]) / options.calls for at in many}


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
    image = Image(
        os.path.join(ROOT, "build", options.board, "greeter.elf"),
        [("lwIP", options.lwip), ("nanopb", options.nanopb)]
        + [(group, os.path.join(ROOT, *folder)) for group, *folder in OURS],
    )
    if options.tick not in image.symbols:
        sys.exit("firmware: the image has no function %s: say which --tick it is" % options.tick)
    idle = run(options, image, lambda port: time.sleep(IDLE_SECONDS))
    idle.subtract(run(options, image, lambda port: None))
    print(
        "Instructions of a unary call, `%s` in QEMU, %d calls:\n" % (options.board, options.calls)
    )
    print("| client | all | %s |" % " | ".join(GROUPS))
    print("| --- " * (len(GROUPS) + 2) + "|")
    for name, make in CLIENTS.items():
        found = cost(options, image, idle, make)
        owners = image.owners(sorted(found))
        shares, functions = collections.Counter(), collections.Counter()
        for address, instructions in found.items():
            shares[owners[address][1]] += instructions
            functions[owners[address]] += instructions
        total = sum(shares.values())
        print(
            "| %s | %.0f | %s |"
            % (name, total, " | ".join("%.0f" % shares[group] for group in GROUPS)),
            flush=True,
        )
        if name == "grpcio":
            first = total
        for (function, group), instructions in functions.most_common(options.functions):
            print("    %-32s %7.0f  %s" % (function, instructions, group))
    print()
    for clock in CLOCKS_MHZ:
        print(
            "Estimate, not measured, with %g to %g cycles an instruction: %.0f to %.0f us by grpcio at %d MHz."
            % (*CYCLES, *(first * cycles / clock for cycles in CYCLES), clock)
        )


if __name__ == "__main__":
    main()
