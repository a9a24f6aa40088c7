# tests/fuzz/fuzz.py - runs the fuzz targets, each for some seconds, and says what to do with what they find.
# Layer: tests; run by `make fuzz`. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""Use: fuzz.py [--seconds N] [--targets NAME...] [--driver] PROGRAM...   Ends with 1 when something broke."""

import argparse
import glob
import os
import subprocess
import sys

FOUND = """
%(name)s broke: what it was stands above, the input is %(input)s. To see it again:
    make build/%(tree)s/fuzz_%(name)s && build/%(tree)s/fuzz_%(name)s %(input)s
Once it is mended, keep it: under "%(name)s" in REGRESSIONS of tests/fuzz/seeds.py, with a name that says what it was:
        "": "%(hex)s","""


def run(program, seconds, is_driver):
    """Returns the input that breaks it, or None."""
    name = os.path.basename(program).replace("fuzz_", "")
    build = os.path.dirname(program)
    corpus, artifact = os.path.join(build, "corpus", name), os.path.join(build, "found-%s-" % name)
    os.makedirs(corpus, exist_ok=True)
    for old in glob.glob(artifact + "*"):
        os.rename(old, os.path.join(build, "old-" + os.path.basename(old)))
    command = [program, "-max_total_time=%d" % seconds]
    if is_driver:
        command += ["-artifact=" + artifact + "last"]
    else:
        command += [
            "-max_len=4096",
            "-timeout=20",
            "-print_final_stats=1",
            "-verbosity=1",
            "-artifact_prefix=" + artifact,
            corpus,
        ]
    environment = dict(
        os.environ, ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1"
    )
    done = subprocess.run(
        command + [os.path.join(os.path.dirname(build), "fuzz", "seeds", name)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        counted = [
            line for line in lines if "number_of_executed_units" in line or "mutations" in line
        ] or lines[-1:]
        print(
            "%-10s nothing in %d seconds; %s" % (name, seconds, counted[-1].replace("stat::", ""))
        )
        return False
    print("\n".join(lines[-60:]))
    found = sorted(glob.glob(artifact + "*"))
    if found:
        with open(found[-1], "rb") as file:
            tree = {"fuzz-odd": "unit-odd", "fuzz-tls": "tls-clang"}.get(
                os.path.basename(build), "unit-gzip"
            )
            print(
                FOUND % {"name": name, "input": found[-1], "hex": file.read().hex(), "tree": tree}
            )
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--targets", nargs="+", metavar="NAME")
    parser.add_argument(
        "--driver", action="store_true", help="they have tests/fuzz/driver.c, not libFuzzer"
    )
    parser.add_argument("programs", nargs="+")
    asked = parser.parse_args()
    names = [
        program
        for program in asked.programs
        if not asked.targets or program.split("fuzz_")[-1] in asked.targets
    ]
    sys.exit(1 if any([run(program, asked.seconds, asked.driver) for program in names]) else 0)


if __name__ == "__main__":
    main()
