# tests/interop/matrix.py - runs gRPC's interop cases and prints the matrix: case by client by target.
# Layer: tests; run by `make interop`.
# SPDX-License-Identifier: Apache-2.0
"""Use: matrix.py [--targets NAME...] [--clients NAME...] [--cases NAME...]   Ends with 1 when a case has failed."""

import argparse
import itertools
import os
import sys

import clients
from clients import FAIL, NOT_RUN, PASS
from targets import Server

CELL = 20


def choices(parser, name, known):
    parser.add_argument(
        "--" + name,
        nargs="+",
        choices=known,
        default=known,
        metavar="NAME",
        help="of: " + " ".join(known),
    )


def main():
    parser = argparse.ArgumentParser()
    choices(parser, "targets", ["reference"] + clients.TARGETS)
    choices(parser, "clients", list(clients.CLIENTS))
    choices(parser, "cases", clients.CASES)
    asked = parser.parse_args()
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy"):  # 127.0.0.1 needs none
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    results = {}
    for target in asked.targets:
        rows = [
            (client, case)
            for client, case in itertools.product(asked.clients, asked.cases)
            if clients.concerns(client, case, target)
        ]
        name, app = clients.name_and_app(target)
        server = Server(name, app=app)
        for client, case in rows:
            results[client, case, target] = clients.attempt(client, case, server)
            if not server.serves():
                results[client, case, target] = (
                    FAIL,
                    "%s no longer serves:\n%s" % (target, server.new_output()),
                )
                server.stop()
                server = Server(name, app=app)
        server.stop()
    report(asked, results)
    sys.exit(1 if any(result == FAIL for result, _ in results.values()) else 0)


def report(asked, results):
    notes = {}
    print(
        "%-28s %-8s" % ("case", "client")
        + "".join("%-*s" % (CELL, target) for target in asked.targets)
    )
    for case in asked.cases:
        for client in asked.clients:
            if not any((client, case, target) in results for target in asked.targets):
                continue
            row = "%-28s %-8s" % (case + ("" if case in clients.OFFICIAL else " *"), client)
            for target in asked.targets:
                result, text = results.get((client, case, target), ("", ""))
                if result == NOT_RUN:
                    result = "not run (%d)" % notes.setdefault(text, len(notes) + 1)
                row += "%-*s" % (CELL, result)
            print(row.rstrip())
    if clients.WITHOUT:
        print(clients.WITHOUT)
    print(
        "nanorpc is our own client, in the target's image; it calls gRPC's server for Python, or one "
        "that misbehaves.\n"
        "itself is the same one, but calls our own server on Linux."
    )
    print("* not one of gRPC's own cases")
    for text, number in notes.items():
        print("(%d) %s" % (number, text))
    for (client, case, target), (result, text) in results.items():
        if result == FAIL:
            print("\nFAIL: %s by %s on %s\n%s" % (case, client, target, text.rstrip()))
    print("\nofficial cases:")
    for client in asked.clients:
        for target in asked.targets:
            mine = [
                results[client, case, target][0]
                for case in asked.cases
                if case in clients.OFFICIAL and (client, case, target) in results
            ]
            if not mine:
                continue
            count = {kind: mine.count(kind) for kind in (PASS, FAIL, NOT_RUN)}
            print(
                "  %-8s %-16s %2d passed, %d failed, %d not run"
                % (client, target, count[PASS], count[FAIL], count[NOT_RUN])
            )
    ours = [result for (_, _, target), (result, _) in results.items() if target != "reference"]
    print(
        "\n%d passed, %d failed, %d not run"
        % tuple(ours.count(kind) for kind in (PASS, FAIL, NOT_RUN))
    )


if __name__ == "__main__":
    main()
