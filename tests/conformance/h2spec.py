# tests/conformance/h2spec.py - runs h2spec's sections against the targets and prints the table: section by target.
# Layer: tests; run by `make h2spec`, and by test_h2spec.py. Source: h2spec 2.6.0, go.mod. For clients see h2specd.py.
# SPDX-License-Identifier: Apache-2.0
"""Use: h2spec.py [--targets NAME...] [--sections SECTION...]   Ends with 1 unless every case has passed."""

import argparse
import os
import re
import subprocess
import sys

import h2specd

import targets

# The board's TLS has room for one connection only, and h2spec wants two in places.
TARGETS = [
    "posix",
    "hostsim-raw",
    "hostsim-sockets",
    "lm3s6965evb",
    "hostsim-raw-tls",
    "hostsim-sockets-tls",
]
CA = os.path.join(targets.ROOT, "build", "certs", "ca.pem")
PROGRAM = os.path.join(targets.ROOT, "build", "h2spec", "h2spec")
WHY_NOT = os.path.join(
    targets.ROOT, "build", "h2spec", "missing"
)  # what `make` has said instead of building it
SECONDS = 60  # that a case waits for each frame; one that passes waits for nothing
CELL = 20

# All sections that have cases of their own, with h2spec's strict ones (-S), and how many.
SECTIONS = {
    "generic/1": 1,
    "generic/2": 5,
    "generic/3.1": 3,
    "generic/3.2": 3,
    "generic/3.3": 5,
    "generic/3.4": 1,
    "generic/3.5": 1,
    "generic/3.7": 1,
    "generic/3.8": 1,
    "generic/3.9": 2,
    "generic/3.10": 2,
    "generic/4": 4,
    "generic/5": 15,
    "http2/3.5": 2,
    "http2/4.1": 3,
    "http2/4.2": 3,
    "http2/4.3": 3,
    "http2/5.1": 13,
    "http2/5.1.1": 2,
    "http2/5.1.2": 1,
    "http2/5.3.1": 2,
    "http2/5.4.1": 2,
    "http2/5.5": 2,
    "http2/6.1": 3,
    "http2/6.2": 4,
    "http2/6.3": 2,
    "http2/6.4": 3,
    "http2/6.5": 3,
    "http2/6.5.2": 5,
    "http2/6.5.3": 2,
    "http2/6.7": 4,
    "http2/6.8": 1,
    "http2/6.9": 3,
    "http2/6.9.1": 3,
    "http2/6.9.2": 3,
    "http2/6.10": 6,
    "http2/7": 2,
    "http2/8.1": 1,
    "http2/8.1.2": 1,
    "http2/8.1.2.1": 4,
    "http2/8.1.2.2": 2,
    "http2/8.1.2.3": 7,
    "http2/8.1.2.6": 2,
    "http2/8.2": 1,
    "hpack/2.3.3": 2,
    "hpack/4.2": 1,
    "hpack/5.2": 3,
    "hpack/6.1": 1,
    "hpack/6.3": 1,
}
CASES = 147


def missing():
    """Why h2spec cannot be run here, or None."""
    if os.path.exists(PROGRAM):
        return None
    if os.path.exists(WHY_NOT):
        with open(WHY_NOT, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().splitlines()
        return "h2spec could not be built: " + (lines[-1] if lines else "no reason was given")
    return "h2spec is not built: make build/h2spec/h2spec"


def start(target, client=False):
    if client:
        return targets.Server(target, app="caller")
    over_tls = target.endswith("-tls")
    return targets.Server(target.replace("-tls", ""), app="tls" if over_tls else "greeter")


def run(port, app, *asked):
    """Runs what is asked for. Returns its output, and (tests, passed, skipped, failed)."""
    command = [PROGRAM, "--strict", "--timeout", str(SECONDS), "--port", str(port), *asked]
    if app == "tls":
        command.append("--tls")
    done = subprocess.run(
        command,
        env=dict(os.environ, SSL_CERT_FILE=CA),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    found = re.search(r"^(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", done.stdout, re.M)
    return done.stdout, tuple(map(int, found.groups())) if found and done.returncode in (
        0,
        1,
    ) else (0, 0, 0, 0)


def failures(section, server):
    """Runs a section. Returns what h2spec says of each case that has not passed.

    A process for each case: some leave a second connection open until the process ends, and a board has two."""
    said = []
    for number in range(1, SECTIONS[section] + 1):
        case = "%s/%d" % (section, number)
        output, result = run(server.port, server.app, case)
        if result != (1, 1, 0, 0):
            said.append("%s\n%s" % (case, output[max(0, output.find("Failures:")) :].strip()))
    return said


def serves(server):
    """Whether the next one is served."""
    return not failures("generic/1", server) if server.app == "tls" else server.serves()


def choices(parser, name, known):
    parser.add_argument(
        "--" + name,
        nargs="+",
        choices=known,
        default=list(known),
        metavar="NAME",
        help="of: " + " ".join(known),
    )


def run_sections(target, sections, client, said):
    """Writes to said what the sections say of a target, as a server or as a client."""
    server = start(target, client)
    for section in sections:
        said[section, target] = (h2specd.failures if client else failures)(section, server)
        if not serves(server):
            said[section, target].append("%s no longer serves:\n%s" % (target, server.new_output()))
            server.stop()
            server = start(target, client)
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    choices(parser, "targets", TARGETS)
    choices(parser, "sections", {**SECTIONS, **h2specd.SECTIONS})
    asked = parser.parse_args()
    if missing():
        sys.exit(missing())
    said = {}
    for target in asked.targets:
        run_sections(
            target, [section for section in asked.sections if section in SECTIONS], False, said
        )
        if target in h2specd.TARGETS:
            run_sections(
                target,
                [section for section in asked.sections if section in h2specd.SECTIONS],
                True,
                said,
            )
    report(asked, said)
    sys.exit(1 if any(said.values()) else 0)


def cell(section, texts):
    if texts is None:
        return "-"
    n = {**SECTIONS, **h2specd.SECTIONS}[section]
    return "%d of %d%s" % (max(0, n - len(texts)), n, "  FAIL" if texts else "")


def report(asked, said):
    print(
        (
            "%-16s" % "section" + "".join("%-*s" % (CELL, target) for target in asked.targets)
        ).rstrip()
    )
    for section in asked.sections:
        row = "%-16s" % section
        for target in asked.targets:
            row += "%-*s" % (CELL, cell(section, said.get((section, target))))
        print(row.rstrip())
    for (section, target), texts in said.items():
        for text in texts:
            print("\nFAIL on %s: %s" % (target, text))
    print()
    for target in asked.targets:
        for role, sections in ("server", SECTIONS), ("client", h2specd.SECTIONS):
            mine = [
                section
                for section in asked.sections
                if section in sections and (section, target) in said
            ]
            n = sum(sections[section] for section in mine)
            if mine:
                print(
                    "%-19s as a %s: %d of %d"
                    % (target, role, n - sum(len(said[section, target]) for section in mine), n)
                )


if __name__ == "__main__":
    main()
