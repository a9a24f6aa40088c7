# tests/readme/readme.py - the pages' generated parts: the demo's transcript, the figures, the boards.
# Layer: tests; run by `make readme`. test_readme.py holds the pages against the same functions.
# SPDX-License-Identifier: Apache-2.0
"""Use: make readme [ARGS=--rates]

Writes anew what stands in README.md and docs/*.md between <!-- NAME: written by ... --> and <!-- /NAME -->; NAME is
demo, boards, speed, figures, first-figures (some of figures), or cost. Requests a second depend on the machine and
take minutes: they, and cost, are measured only with --rates, and else stay as they are."""

import argparse
import collections
import configparser
import glob
import os
import re
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
sys.path.insert(0, os.path.join(ROOT, "boards", "tools"))
import bench  # noqa: E402
import pages  # noqa: E402
from boards import assignments, core  # noqa: E402

BUDGETS = os.path.join(ROOT, "tests", "budgets.ini")
PORT = 50051

# name: make size's or ours; what: as it stands in the table; slack: how far two measurements may differ.
Row = collections.namedtuple("Row", "name what unit budget slack peer")
Line = collections.namedtuple("Line", "what budget is_ peer")


def run(*command):
    """A command's output; ends the program when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit("readme: `%s` failed:\n%s" % (" ".join(command), done.stdout))
    return done.stdout


def version(compiler):
    return "%s %s" % (compiler, run(compiler, "-dumpfullversion").strip())


def toolchain():
    return "%s, %s" % (version("arm-none-eabi-gcc"), version("gcc"))


# --- The demo --------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def demo():
    """What `make demo` prints once all is built, as if port 50051 had been free."""
    port = free_port()
    run("make", "-s", "lm3s6965evb", "gen")
    text = run("make", "-s", "demo", "PORT=%d" % port).replace(
        "127.0.0.1:%d-" % port, "127.0.0.1:%d-" % PORT
    )
    return "```console\n$ make demo\n%s```\n" % text[text.index("demo: ") :]


# --- The figures -----------------------------------------------------------------------------------------


def ratio_name(shape):
    return "%d x %d" % shape


def figure_rows():
    """All figures in their order, with budgets as tests/budgets.ini and bench.py have them."""
    ini = configparser.ConfigParser(delimiters=("=",))
    ini.read(BUDGETS)
    size = ini["budget"]
    small = re.search(r"NRPC_HPACK_ENTRIES=(\d+)", ini["profile"]["small"]).group(1)
    linux = dict((name, variables) for name, _, variables in boards())["linux"]["BOARD_CONFIG"]
    fast = ", `NRPC_FAST=1`" if "-DNRPC_FAST=1" in linux else ""
    rows = [
        Row(
            "core_m3",
            "Core of a server: text and constants, Cortex-M3 `-Os`, without nanopb",
            "bytes",
            size["core_m3"],
            0,
            "pw_grpc 10.6 KB (21.7 KB linked), nghttp2 64.6 KB",
        ),
        Row(
            "core_m3_lto",
            "The same as the boards link it (`-flto`)",
            "bytes",
            size["core_m3_lto"],
            0,
            "",
        ),
        *(
            Row(
                "core_m3_" + profile,
                "The same with %s" % flags,
                "bytes",
                size["core_m3_" + profile],
                0,
                "",
            )
            for profile, flags in (
                ("plain", "`config.h` as it is: no metadata, keepalive, age"),
                ("tiny", "one stream and no HPACK table beside (`%s`)" % ini["profile"]["tiny"]),
            )
        ),
        Row(
            "connection",
            "RAM of a connection with 4 streams, beside its message blocks; 4096-byte HPACK table",
            "bytes",
            size["connection"],
            0,
            "pw_grpc 17.5 KB",
        ),
        Row(
            "connection_small",
            "The same with a small table (`NRPC_HPACK_ENTRIES=%s`)" % small,
            "bytes",
            size["connection_small"],
            0,
            "",
        ),
        Row(
            "connection_tiny",
            "The same with one stream and no table",
            "bytes",
            size["connection_tiny"],
            0,
            "",
        ),
        Row(
            "firmware_flash",
            "Greeter firmware on `lm3s6965evb`, 2 connections: flash",
            "bytes",
            size["firmware_flash"],
            0,
            "",
        ),
        Row("firmware_ram", "The same: RAM, with the stack", "bytes", size["firmware_ram"], 0, ""),
        Row(
            "stack_m3",
            "Deepest stack of the core, Cortex-M3, beside handlers, nanopb and libc",
            "bytes",
            size["stack_m3"],
            0,
            "",
        ),
        Row(
            "instructions",
            "Instructions of a unary call: engine + nanopb + handler; host, `-O2`" + fast,
            "",
            str(bench.BUDGET_INSTRUCTIONS),
            0.03,
            "gRPC C++ 1.51: 58800",
        ),
        Row(
            "device_greeting",
            "The same on an emulated Cortex-M3, as the boards link it (`-Os -flto`), without the port",
            "",
            str(bench.BUDGET_DEVICE["greeting"]),
            0.03,
            "",
        ),
        Row(
            "device_kilobyte",
            "The same there with 1 KB each way, which the handler copies",
            "",
            str(bench.BUDGET_DEVICE["kilobyte"]),
            0.03,
            "",
        ),
        Row(
            "request",
            "SayHello by grpcio, steady state: request on the wire, frames of its stream",
            "bytes",
            str(bench.BUDGET_REQUEST_BYTES),
            2,
            "",
        ),
        Row("response", "The same: response", "bytes", str(bench.BUDGET_RESPONSE_BYTES), 2, ""),
    ]
    rows += [  # certificates are new each time, and a few bytes longer or shorter
        Row(
            "tls_small_flash",
            "Greeter over TLS 1.2 on `lm3s6965evb`, small profile, 1 connection: flash",
            "bytes",
            size["tls_small_flash"],
            128,
            "",
        ),
        Row(
            "tls_small_ram",
            "The same: RAM, with the stack and Mbed TLS's memory",
            "bytes",
            size["tls_small_ram"],
            0,
            "",
        ),
        Row(
            "tls_filter",
            "The TLS filter's own code (`nrpc_tls.c`, `nrpc_tls_memory.c`, `nrpc_tls_peer.c`), Cortex-M3 `-Os`",
            "bytes",
            size["tls_filter"],
            0,
            "",
        ),
        Row(
            "tls_memory",
            "Most of Mbed TLS's memory that a connection used, TLS 1.2, 4 KB records",
            "bytes",
            str(bench.BUDGET_TLS_MEMORY["4 KB"]),
            32,
            "",
        ),
        Row(
            "tls_full",
            "Instructions of a full handshake, TLS 1.2, P-256, Cortex-M3, server's side",
            "",
            str(bench.BUDGET_TLS_FULL),
            0.03,
            "",
        ),
        Row("tls_resumed", "The same, resumed", "", str(bench.BUDGET_TLS_RESUMED), 0.03, ""),
    ]
    for shape in bench.SHAPES:
        rows.append(
            Row(
                ratio_name(shape),
                "Requests a second against gRPC C++, same machine: %d connection%s x %d "
                "stream%s" % (shape[0], "s" * (shape[0] > 1), shape[1], "s" * (shape[1] > 1)),
                "x",
                "%g" % bench.REACH_RATIO[shape],
                None,
                "1x",
            )
        )
    for name, reach in bench.REACH_CPU.items():
        rows.append(
            Row(
                "cpu " + name,
                "CPU a request, user and system, 1 connection x 100 streams, same run: of %s%s"
                % (name, ", which only answers the same bytes" * (name == "raw epoll")),
                "x",
                "%g" % reach,
                None,
                "ours is 1x",
            )
        )
    return rows


def sizes():
    """{name: bytes}: what `make size` records, in a copy of the budgets."""
    folder = os.path.join(ROOT, "build", "readme")
    os.makedirs(folder, exist_ok=True)
    copy = os.path.join(folder, "budgets.ini")
    with open(BUDGETS, encoding="utf-8") as source, open(copy, "w", encoding="utf-8") as target:
        target.write(source.read())
    done = subprocess.run(
        ["make", "-s", "size", "ARGS=--record --budgets %s" % copy],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    ini = configparser.ConfigParser(delimiters=("=",))
    ini.read(copy)
    recorded = dict(ini["recorded"])
    if "core_m3" not in recorded:  # over a budget it fails, but says all it knows first
        sys.exit("readme: `make size` failed:\n" + done.stdout)
    return recorded


def bench_figures(text):
    """{name: figure} of what `make bench` prints; ratios only where they were measured."""
    found = {}
    for name, title in (
        ("instructions", "SayHello"),
        ("device_greeting", "a greeting"),
        ("device_kilobyte", "1 KB of bytes each way"),
        ("request", "request: frames of the call's stream"),
        ("response", "response"),
        ("tls_full", "instructions of a full handshake"),
        ("tls_resumed", "instructions of a resumed one"),
        ("tls_memory", "Mbed TLS's memory, 1 connection, at most"),
    ):
        match = re.search(r"^  %s +([\d,.]+) +budget" % re.escape(title), text, re.M)
        if not match:
            sys.exit("readme: `make bench` no longer prints '%s':\n%s" % (title, text))
        found[name] = match.group(1).replace(",", "")
    for shape in bench.SHAPES:
        match = re.search(r"^  %d connections? x %d streams? +([\d.]+)x" % shape, text, re.M)
        if match:
            found[ratio_name(shape)] = match.group(1)
    for name in bench.REACH_CPU:
        match = re.search(r"^  %s, 1 x 100 +([\d.]+)x" % re.escape(name), text, re.M)
        if match:
            found["cpu " + name] = match.group(1)
    for name in ("request", "response"):
        match = re.search(r"^  gRPC C\+\+: %s(?:, stream only)? +([\d.]+)" % name, text, re.M)
        if match:
            found["peer " + name] = "gRPC C++ %.0f" % float(match.group(1))
    return found


def measure(rates=False):
    """{name: figure} by running `make size` and `make bench`, of the latter only what is the same everywhere."""
    found = sizes()
    if rates:
        found.update(bench_figures(run("make", "-s", "bench")))
    else:
        run(
            "make",
            "-s",
            "build/linux/greeter",
            "build/bench/instructions",
            "build/bench/device.elf",
            "build/tls-m3/test_cost.elf",
            "gen",
        )
        found.update(bench_figures(run(sys.executable, "-B", "tests/bench/bench.py", "--check")))
    return found


def cost_block():
    """`make cost`, run now: a thousand calls more or less are some per cent of each other."""
    text = run("make", "-s", "cost")
    return text[text.index("Instructions of a unary call") :]


def line_of(row, figure, peer):
    unit = row.unit if row.unit == "x" else row.unit and " " + row.unit
    budget = ("at least " if row.slack is None else "") + row.budget + unit
    if not figure:
        return Line(row.what, budget, "not measured", peer)
    missed = (
        float(figure) < float(row.budget)
        if row.slack is None
        else float(figure) > float(row.budget)
    )
    return Line(row.what, budget, figure + unit + (", not reached yet" if missed else ""), peer)


def figure_lines(found, before=()):
    """The table's lines. before: those that stand there, for figures that have not been measured."""
    old = {line.what: line for line in before}
    lines = []
    for row in figure_rows():
        last = old.get(row.what, Line("", "", "", ""))
        line = line_of(
            row, found.get(row.name, ""), row.peer or found.get("peer " + row.name, last.peer)
        )
        lines.append(line if found.get(row.name) else line._replace(is_=last.is_ or line.is_))
    return lines


FIRST = (
    *("core_m3", "connection", "connection_small", "firmware_flash", "firmware_ram"),
    *("instructions", "request", "response"),
)


def first(lines):
    """Those of all lines that README.md has."""
    return [line for row, line in zip(figure_rows(), lines) if row.name in FIRST]


def figures_block(lines, tools):
    head = (
        "Measured with %s:\n\n| what | budget | is | today's best peer |\n| --- | --- | --- | --- |\n"
        % tools
    )
    return head + "".join("| %s | %s | %s | %s |\n" % line for line in lines)


def read_figures(block):
    """(toolchain, lines) of a block that figures_block made."""
    tools = re.search(r"^Measured with (.*):$", block, re.M)
    cells = [
        [cell.strip() for cell in row.split("|")[1:-1]]
        for row in block.splitlines()
        if row.startswith("| ")
    ]
    return tools.group(1) if tools else "", [Line(*row) for row in cells[2:]]


# --- The boards ------------------------------------------------------------------------------------------


def boards():
    """[(name, what it is, {variable: value})] of each board.mk."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "boards", "*", "board.mk"))) + [
        os.path.join(ROOT, "host-sim", "board.mk")
    ]:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        what = re.match(r"# \S+ - (.*)\.\n", text).group(1)
        variables = dict(re.findall(r"^(BOARD_\w+)\s*:=[ \t]*(.*)$", text, re.M))
        found.append((os.path.basename(os.path.dirname(path)), what, variables))
    return found


def boards_block():
    rows = [
        "| board | core | what it is | port | state | real hardware |\n| --- | --- | --- | --- | --- | --- |\n"
    ]
    for name, what, variables in boards():
        hardware = "this is it" if not variables.get("BOARD_CC", "").endswith("-") else "not run"
        if name == "host-sim":
            hardware = "none"
        if variables.get("BOARD_FLASH"):
            hardware += "; `make flash-%s` is there" % name
        emulator = variables.get("BOARD_EMULATOR", "").partition("-")[0].partition(" ")[0]
        state = {
            "emulated": "run in " + {"qemu": "QEMU", "node": "rp2040js"}.get(emulator, emulator)
        }
        kind = core(assignments(os.path.join(ROOT, "boards" if name != "host-sim" else "", name)))
        rows.append(
            "| `%s` | %s | %s | `%s` | %s | %s |\n"
            % (
                name,
                kind,
                what,
                "`, `".join(variables["BOARD_PORT"].split()),
                state.get(variables["BOARD_RUN_STATE"], variables["BOARD_RUN_STATE"]),
                hardware,
            )
        )
    return "".join(rows)


# --- Speed over round trips ----------------------------------------------------------------------------


ROUND_TRIPS = {
    2: "a wired network",
    10: "Wi-Fi",
    40: "the internet",
    200: "a mobile network",
}  # ms


def rate(size, ms):
    """So many bytes a round trip, in KB/s with three digits."""
    return "%g KB/s" % float("%.3g" % (size / ms))


def lwip_windows(path):
    """TCP_WND and TCP_SND_BUF of an lwipopts.h, in bytes."""
    text = pages.text_of(path)
    mss = int(re.search(r"^#define TCP_MSS (\d+)$", text, re.M).group(1))
    return [
        mss * int(re.search(r"^#define %s \((\d+) \* TCP_MSS\)$" % name, text, re.M).group(1))
        for name in ("TCP_WND", "TCP_SND_BUF")
    ]


def speed_block():
    """What follows of a window and a round trip: no measurement."""
    head = ["| bytes on the way | "] + ["%d ms: %s | " % item for item in ROUND_TRIPS.items()]
    head += ["RAM of 2 connections with 4 streams |\n", "| --- " * (len(ROUND_TRIPS) + 2), "|\n"]
    rows = [
        "| %d | %s | %d bytes |\n"
        % (size, " | ".join(rate(size, ms) for ms in ROUND_TRIPS), 8 * size)
        for size in (64, 256, 1024, 2048, 4096, 8192, 16384)
    ]
    links = [
        "\n| where | `TCP_WND` | so up, at 40 ms | `NRPC_LWIP_SEND_BYTES` | `TCP_SND_BUF` | so down |\n"
    ]
    links += ["| --- | --- | --- | --- | --- | --- |\n"]
    for title, options, setting, pattern in (
        (
            "Cortex-M boards",
            "boards/net/lwipopts.h",
            "ports/lwip/nrpc_lwip.h",
            r"NRPC_LWIP_SEND_BYTES (\d+)",
        ),
        (
            "host-sim, raw API",
            "host-sim/lwipopts.h",
            "host-sim/board.mk",
            r"NRPC_LWIP_SEND_BYTES=(\d+)",
        ),
    ):
        up, down = lwip_windows(options)
        ours = int(re.search(pattern, pages.text_of(setting)).group(1))
        links.append(
            "| %s | %d | %s | %d | %d | %s |\n"
            % (title, up, rate(up, 40), ours, down, rate(min(ours, down), 40))
        )
    return "".join(head + rows + links)


# --- The pages -------------------------------------------------------------------------------------------


def block_pattern(name):
    return re.compile(r"(<!-- %s: [^>]*-->\n)(.*?)(<!-- /%s -->)" % (name, name), re.S)


def block(name):
    """The part of that name, of the one page that has it."""
    found = [
        match
        for page in pages.names()
        for match in block_pattern(name).finditer(pages.text_of(page))
    ]
    if len(found) != 1:
        sys.exit("readme: %d pages have the part '%s'" % (len(found), name))
    return found[0].group(2)


def replace(text, name, new):
    return block_pattern(name).sub(lambda match: match.group(1) + new + match.group(3), text)


def write(parts):
    """{name: text} into the pages. Returns those that have changed."""
    changed = []
    for page in pages.names():
        text = new = pages.text_of(page)
        for name, part in parts.items():
            new = replace(new, name, part)
        if new != text:
            with open(os.path.join(ROOT, page), "w", encoding="utf-8") as file:
                file.write(new)
            changed.append(page)
    return changed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", action="store_true", help="measure requests a second as well")
    arguments = parser.parse_args()
    for name in (
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKEOVERRIDES",
        "ARGS",
    ):  # else what we start would take our ARGS
        os.environ.pop(name, None)
    _, before = read_figures(block("figures"))
    lines = figure_lines(measure(arguments.rates), before)
    rates = {"cost": cost_block()} if arguments.rates else {}
    changed = write(
        {
            **rates,
            "boards": boards_block(),
            "speed": speed_block(),
            "demo": demo(),
            "figures": figures_block(lines, toolchain()),
            "first-figures": figures_block(first(lines), toolchain()),
        }
    )
    print("readme: " + (", ".join(changed) + " brought up to date" if changed else "up to date"))


if __name__ == "__main__":
    main()
