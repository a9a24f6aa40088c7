# tests/bench/bench.py - measures what a call costs: instructions, bytes on the wire, requests a second.
# Layer: test. Beside it run gRPC C++'s callback server (baseline.cc) and grpc-go's (go/), each with the same Greeter,
# and an epoll loop that answers the same bytes without looking at the request (raw_epoll.c).
# SPDX-License-Identifier: Apache-2.0
"""Prints every figure with its budget.

Instructions and bytes are the same on every machine and in every run; with --check only these are
counted, and a figure above its budget fails. Requests a second and CPU time depend on the machine: all
servers are measured in turns by the same h2load, the server on one core and h2load on another, and only
the ratios mean anything. Where h2load has not the time for more, as beside raw epoll, requests a second
say too little: CPU a request, user and system, is the server's alone.
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import wire

METHOD = "/helloworld.Greeter/SayHello"
REQUEST = b"\n\x05world"
REPLY = b"\n\x0dHello, world!"
SHAPES = ((1, 100), (10, 100), (1, 1))  # connections, streams on each
BUDGET_INSTRUCTIONS = 3225
BUDGET_DEVICE = {"greeting": 4210, "kilobyte": 7420}  # what tests/bench/device.c counts
BUDGET_REQUEST_BYTES = 60
BUDGET_RESPONSE_BYTES = 50
BUDGET_TLS_FULL, BUDGET_TLS_RESUMED = 31_000_000, 450_000
BUDGET_TLS_MEMORY = {"4 KB": 10240, "16 KB": 22528}  # by the length of the records that are taken
TLS_IMAGES = {"4 KB": "tls", "16 KB": "tls_16k"}  # applications of lm3s6965evb
REACH_RATIO = {(1, 100): 5.0, (10, 100): 5.0, (1, 1): 1.0}
REACH_CPU = {"gRPC C++": 10.0, "grpc-go": 10.0, "raw epoll": 0.25}  # of theirs to ours, 1 x 100
SERVER_CORE, LOAD_CORE = "0", "1"


class Server:
    """A server process; its ready line ends with the port."""

    def __init__(self, name, command, core=None):
        self.name = name
        if core is not None and shutil.which("taskset"):
            command = ["taskset", "-c", core, *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.search(r":(\d+)$", line.strip())
        if not match:
            self.process.kill()
            sys.exit(f"bench: {name} did not start: {line!r}")
        self.port = int(match.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def cpu_s(self):
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def nanorpc(build, core=None):
    return Server("nanorpc", [str(build / "linux/greeter"), "--port", "0"], core)


def baseline(build, core=None):
    return Server("gRPC C++", [str(build / "bench/baseline")], core)


def others(build, core):
    """Those beside gRPC C++; grpc-go where it could be built."""
    yield Server("raw epoll", [str(build / "bench/raw_epoll")], core)
    program = build / "bench/greeter_go"
    if program.exists():
        yield Server("grpc-go", [str(program)], core)


# --- Instructions ----------------------------------------------------------------------------------


def callgrind_total(program, calls, folder):
    out = Path(folder) / f"callgrind.{calls}"
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program), str(calls)],
        capture_output=True,
        text=True,
    )
    if result.returncode:
        sys.exit(f"bench: {program} {calls} failed under valgrind:\n{result.stdout}{result.stderr}")
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


def instructions_per_call(build, short=2000, long=12000):
    program = build / "bench/instructions"
    with tempfile.TemporaryDirectory() as folder:
        difference = callgrind_total(program, long, folder) - callgrind_total(
            program, short, folder
        )
    return difference / (long - short)


# --- TLS -------------------------------------------------------------------------------------------


def emulated(program, *names):
    """{name: number} of what a program says on the emulated Cortex-M3, in which an instruction takes a nanosecond."""
    result = subprocess.run(
        [
            "qemu-system-arm",
            "-M",
            "mps2-an385",
            "-icount",
            "shift=0",
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "none",
            "-semihosting-config",
            "enable=on,target=native",
            "-kernel",
            str(program),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    found = dict(re.findall(r"^(\w+): (\d+)$", result.stdout, re.M))
    if result.returncode or sorted(found) != sorted(names):
        sys.exit(f"bench: {program} has failed:\n{result.stdout}")
    return {name: int(value) for name, value in found.items()}


def tls_costs(build):
    """{"full": instructions, "resumed": instructions, "memory": bytes}, the server's alone."""
    return emulated(build / "tls-m3/test_cost.elf", "full", "resumed", "memory")


def tls_peak(app):
    """Bytes of its memory that Mbed TLS has used on a board when grpcio has called it, as the firmware says."""
    import grpc

    import secure
    import targets

    server = targets.Server("lm3s6965evb", app=app)
    with grpc.secure_channel(f"localhost:{server.port}", secure.channel_credentials()) as channel:
        if channel.unary_unary(METHOD)(REQUEST, timeout=60) != REPLY:
            sys.exit(f"bench: {app}: not the right answer")
    said, end = [], time.monotonic() + 60
    while (
        len(said) < 2 and time.monotonic() < end
    ):  # at its start; when the first client has been there
        said = re.findall(r"tls: memory: peak (\d+) of", "\n".join(server.output))
        time.sleep(0.2)
    server.stop()
    return int(said[-1])


# --- Requests a second -----------------------------------------------------------------------------


def check_answers(server):
    """Through grpcio: what h2load is going to count as 2xx are calls that end with OK."""
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        call = channel.unary_unary(METHOD)
        for _ in range(3):
            reply, status = call.with_call(REQUEST, timeout=10)
            if reply != REPLY or status.code() is not grpc.StatusCode.OK:
                sys.exit(f"bench: {server.name} answered {reply!r}, {status.code()}")


def h2load(server, shape, seconds, body):
    """(requests a second, CPU seconds of the server a request)"""
    command = [
        "h2load",
        "-D",
        str(seconds),
        "--warm-up-time",
        "1",
        "-c",
        str(shape[0]),
        "-m",
        str(shape[1]),
        "-d",
        body,
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        f"http://127.0.0.1:{server.port}{METHOD}",
    ]
    if shutil.which("taskset"):
        command = ["taskset", "-c", LOAD_CORE, *command]
    before = server.cpu_s()
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu = server.cpu_s() - before
    rate = float(re.search(r"([\d.]+) req/s", text).group(1))
    done = int(re.search(r"(\d+) done", text).group(1))
    good = int(re.search(r"(\d+) succeeded", text).group(1))
    ok = int(re.search(r"(\d+) 2xx", text).group(1))
    data = int(re.search(r"\((\d+)\) data", text).group(1))
    # The bytes of DATA are counted from the beginning, those of the warm-up too: whole replies.
    whole = data % (len(REPLY) + 5) == 0 and data // (len(REPLY) + 5) >= done
    if not good or good != done or ok != done or not whole:
        sys.exit(f"bench: {server.name}: not every answer was a good one:\n{text}")
    return rate, cpu / (data // (len(REPLY) + 5))


def rates(build, seconds, repeats):
    """{shape: {server name: [(requests a second, CPU seconds a request)]}}, the servers in turns."""
    results = {}
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\0\0\0\0" + bytes([len(REQUEST)]) + REQUEST)
        body.flush()
        with contextlib.ExitStack() as stack:
            servers = [nanorpc(build, SERVER_CORE), baseline(build, SERVER_CORE)]
            servers += others(build, SERVER_CORE)
            for server in servers:
                stack.enter_context(server)
            for server in servers:
                check_answers(server)
            for shape in SHAPES:
                results[shape] = {server.name: [] for server in servers}
                for turn in range(repeats):
                    for server in servers:
                        rate, cpu = h2load(server, shape, seconds, body.name)
                        results[shape][server.name].append((rate, cpu))
                        print(
                            f"  {shape[0]} x {shape[1]}, turn {turn + 1}: {server.name} "
                            f"{rate:,.0f} requests/s, {1e6 * cpu:.2f} us of CPU each",
                            file=sys.stderr,
                        )
    return results


# --- The table -------------------------------------------------------------------------------------


class Table:
    def __init__(self):
        self.over = []

    def title(self, text):
        print(f"\n{text}")

    def row(self, what, value, budget="", note=""):
        print(f"  {what:<46} {value:>10} {budget:>16}  {note}".rstrip())

    def budget(self, what, value, most, note=""):
        self.row(what, f"{value:,.0f}", f"budget {most:,}", note)
        if value > most:
            self.over.append(f"{what}: {value:,.1f}, budget {most:,}")


def report_instructions(table, build):
    table.title(
        "Instructions of one unary call: engine + nanopb + handler, steady state; host, -O2 -flto"
    )
    table.budget("SayHello", instructions_per_call(build), BUDGET_INSTRUCTIONS)


def report_device(table, build):
    table.title(
        "The same on an emulated Cortex-M3, without a port, as the boards are: -Os -flto, NRPC_FAST=0"
    )
    costs = emulated(build / "bench/device.elf", *BUDGET_DEVICE)
    table.budget("a greeting", costs["greeting"], BUDGET_DEVICE["greeting"])
    table.budget("1 KB of bytes each way", costs["kilobyte"], BUDGET_DEVICE["kilobyte"])


def report_bytes(table, build, with_baseline):
    table.title("Bytes of one SayHello by grpcio, steady state, HTTP/2 level, without PINGs")
    with nanorpc(build) as server:
        ours = wire.measure(server.port, METHOD, REQUEST)
    table.budget("request: frames of the call's stream", ours.request_stream, BUDGET_REQUEST_BYTES)
    table.row(
        "request: with the connection's WINDOW_UPDATE",
        f"{ours.request:,.1f}",
        "",
        "grpcio sends one with each call, whatever the server does",
    )
    table.budget("response", ours.response, BUDGET_RESPONSE_BYTES)
    table.row("PINGs of either side, each call", f"{ours.pings:,.2f}", "", "by grpcio's timers")
    if with_baseline:
        with baseline(build) as server:
            theirs = wire.measure(server.port, METHOD, REQUEST)
        table.row("gRPC C++: request, stream only", f"{theirs.request_stream:,.1f}")
        table.row("gRPC C++: request", f"{theirs.request:,.1f}")
        table.row("gRPC C++: response", f"{theirs.response:,.1f}")


def report_tls(table, build, with_images):
    table.title("TLS 1.2 with ECDSA P-256 on a Cortex-M3 in QEMU: the server's side")
    costs = tls_costs(build)
    table.budget("instructions of a full handshake", costs["full"], BUDGET_TLS_FULL)
    table.budget(
        "instructions of a resumed one",
        costs["resumed"],
        BUDGET_TLS_RESUMED,
        f"1/{costs['full'] // costs['resumed']}",
    )
    table.budget(
        "Mbed TLS's memory, 1 connection, at most",
        costs["memory"],
        BUDGET_TLS_MEMORY["4 KB"],
        "bytes; 4 KB records",
    )
    for records, app in TLS_IMAGES.items() if with_images else ():
        table.budget(
            f"the same by grpcio, lm3s6965evb, {records} records",
            tls_peak(app),
            BUDGET_TLS_MEMORY[records],
            "bytes",
        )


def report_rates(table, build, seconds, repeats):
    measured = rates(build, seconds, repeats)
    medians = {
        shape: {
            name: [statistics.median(column) for column in zip(*turns)]
            for name, turns in servers.items()
        }
        for shape, servers in measured.items()
    }
    table.title(f"Requests a second, h2load, median of {repeats} turns of {seconds} s")
    for shape, found in medians.items():
        table.row(
            f"{shape[0]} connection{'s' * (shape[0] > 1)} x {shape[1]} stream{'s' * (shape[1] > 1)}",
            f"{found['nanorpc'][0] / found['gRPC C++'][0]:.1f}x",
            f"reach {REACH_RATIO[shape]:.0f}x",
            ", ".join(f"{name} {rate:,.0f}" for name, (rate, _) in found.items()),
        )
    table.title("CPU a request of theirs, user and system, where ours is 1")
    for shape, found in medians.items():
        for name, (_, cpu) in list(found.items())[1:]:
            table.row(
                f"{name}, {shape[0]} x {shape[1]}",
                f"{cpu / found['nanorpc'][1]:.2f}x",
                f"reach {REACH_CPU[name]:g}x" if shape == SHAPES[0] else "",
                f"{1e6 * cpu:.2f} us, ours {1e6 * found['nanorpc'][1]:.2f} us",
            )
    if (os.cpu_count() or 1) < 2:
        table.row("", "", "", "one core only: server and h2load shared it")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--build", type=Path, default=Path("build"), help="where make builds (default: build)"
    )
    parser.add_argument(
        "--check", action="store_true", help="only what is deterministic; fail above a budget"
    )
    parser.add_argument(
        "--seconds", type=int, default=3, help="measured time of each h2load (default: 3)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="turns of each server (default: 5)")
    options = parser.parse_args()
    table = Table()
    report_instructions(table, options.build)
    report_device(table, options.build)
    report_bytes(table, options.build, not options.check)
    report_tls(table, options.build, not options.check)
    if not options.check:
        report_rates(table, options.build, options.seconds, options.repeats)
    for line in table.over:
        print(f"bench: over budget: {line}", file=sys.stderr)
    return 1 if table.over and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
