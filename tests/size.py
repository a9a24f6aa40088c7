# tests/size.py - measures flash, RAM and stack for microcontrollers, and holds them against tests/budgets.ini.
# Layer: tests; run by `make size`, after `make gen`.
# SPDX-License-Identifier: Apache-2.0
"""Use: make size [ARGS="--record | --budgets FILE"]; the Makefile gives the flags that all is compiled with."""

import argparse
import collections
import concurrent.futures
import configparser
import glob
import os
import re
import subprocess
import sys

import options
import stack

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUDGETS = os.path.join(ROOT, "tests", "budgets.ini")
OUT = os.path.join("build", "size")
ARM = ("arm-none-eabi-", "-mthumb --specs=picolibc.specs")
TARGETS = collections.OrderedDict(
    [
        ("m0plus", ("Cortex-M0+", ARM[0], "-mcpu=cortex-m0plus " + ARM[1])),
        ("m3", ("Cortex-M3", ARM[0], "-mcpu=cortex-m3 " + ARM[1])),
        (
            "rv32",
            (
                "RV32IMAC",
                "riscv64-unknown-elf-",
                "-march=rv32imac -mabi=ilp32 --specs=picolibc.specs",
            ),
        ),
    ]
)
ROOMS = (
    "hpack",
    "http2",
    "grpc",
    "server",
    "client",
)  # of the core; the services beside them are options
FORMULA_SLACK = 16  # alignment, and an array that has one element at least

# Uses all that a port and the handlers of a server call, so that --gc-sections keeps it.
SERVER_C = """
#include "helloworld.nrpc.h"
NRPC_SERVER_DEFINE(server, 2, Greeter_service);
void size_main(void);
void (*const size_kept[])(void) = {
    (void (*)(void))nrpc_call_user, (void (*)(void))nrpc_call_finish, (void (*)(void))nrpc_call_fail,
    (void (*)(void))nrpc_call_wake, (void (*)(void))nrpc_call_send, (void (*)(void))nrpc_call_reply,
    (void (*)(void))nrpc_call_time_left_ms, (void (*)(void))nrpc_call_age_ms,
#if NRPC_METADATA_BYTES
    (void (*)(void))nrpc_call_metadata, (void (*)(void))nrpc_call_add_field,
#endif
    (void (*)(void))nrpc_call_ref, (void (*)(void))nrpc_call_of,
    (void (*)(void))nrpc_conn_shutdown, (void (*)(void))nrpc_conn_yield};
const struct nrpc_codec *volatile size_codec = &nrpc_typed;
static uint8_t buf[256];
void size_main(void)
{
    struct nrpc_conn *conn = nrpc_server_accept(&server, 0);
    size_t used = nrpc_conn_receive(conn, buf, sizeof buf, 0);
    size_t n = nrpc_conn_transmit(conn, buf, used);
    (void)nrpc_conn_tick(conn, (uint32_t)n);
    if (nrpc_conn_closing(conn))
        nrpc_conn_lost(conn);
    if (size_codec)
        ((void (*volatile *)(void))size_kept)[n]();
}
"""
# What the core calls, for a link without it.
OUTSIDE_C = """
const struct nrpc_service Greeter_service;
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int strncmp(const char *a, const char *b, size_t n);
size_t strlen(const char *text);
void *memchr(const void *from, int byte, size_t n);
char *strcpy(char *to, const char *from);
char *strcpy(char *to, const char *from) { *to = *from; return to; }
size_t strlen(const char *text) { return (size_t)*text; }
void *memchr(const void *from, int byte, size_t n) { (void)byte; (void)n; return (void *)(uintptr_t)from; }
void *memcpy(void *to, const void *from, size_t n) { (void)from; (void)n; return to; }
void *memmove(void *to, const void *from, size_t n) { (void)from; (void)n; return to; }
void *memset(void *to, int byte, size_t n) { (void)byte; (void)n; return to; }
int memcmp(const void *a, const void *b, size_t n) { (void)a; (void)b; return (int)n; }
int strncmp(const char *a, const char *b, size_t n) { (void)a; (void)b; return (int)n; }
void pb_decode_ex(void);
void pb_decode_tag(void);
void pb_skip_field(void);
void pb_field_iter_begin(void);
void pb_field_iter_find(void);
void pb_field_iter_next(void);
void pb_get_encoded_size(void);
void pb_decode_varint32(void);
void pb_encode_tag(void);
void pb_encode_varint(void);
void pb_decode_ex(void) {}
void pb_decode_tag(void) {}
void pb_skip_field(void) {}
void pb_field_iter_begin(void) {}
void pb_field_iter_find(void) {}
void pb_field_iter_next(void) {}
void pb_get_encoded_size(void) {}
void pb_decode_varint32(void) {}
void pb_encode_tag(void) {}
void pb_encode_varint(void) {}
void pb_decode(void);
void pb_encode(void);
void pb_istream_from_buffer(void);
void pb_ostream_from_buffer(void);
void pb_decode(void) {}
void pb_encode(void) {}
void pb_istream_from_buffer(void) {}
void pb_ostream_from_buffer(void) {}
"""
SIZES_C = """
#include "helloworld.nrpc.h"
NRPC_SERVER_DEFINE(size_server, 2, Greeter_service);
char size_connection[sizeof(struct nrpc_conn)];
char size_image[sizeof size_server_memory];
char size_blocks[sizeof(union size_server_rx) + sizeof(union size_server_tx)];
#if NRPC_COMPRESSION
char size_scratch[sizeof size_server_memory.request + sizeof size_server_memory.reply +
                  1 + Greeter_service_REQUEST_BYTES];
#else
char size_scratch[sizeof size_server_memory.request + sizeof size_server_memory.reply];
#endif
"""


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("size: %s\n%s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout


def core_files():
    """The sources of nanorpc/ that every image has, but for what the linker leaves out."""
    return sorted(path for room in ROOMS for path in glob.glob("nanorpc/%s/*.c" % room))


class Target:
    """One kind of processor: compiles and links for it."""

    def __init__(self, key, options):
        self.title, self.prefix, flags = TARGETS[key]
        self.out = os.path.join(OUT, key)
        os.makedirs(self.out, exist_ok=True)
        self.options = options
        self.base = [self.prefix + "gcc", "-Os"] + options.cflags.split() + flags.split()

    def compile(self, source, name, flags=()):
        path = os.path.join(self.out, name + ".o")
        run(self.base + list(flags) + ["-c", "-o", path, source])
        return path

    def text(self, name, text, flags=()):
        source = os.path.join(self.out, name + ".c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        return self.compile(source, name, flags)

    def core(self):
        """{file: object} of nanorpc/, with call graphs beside."""
        graph = self.options.warnings.split() + ["-fcallgraph-info=su"] + self.options.core
        return {
            os.path.basename(f): self.compile(f, os.path.basename(f)[:-2], graph)
            for f in core_files()
        }

    def program(self, name, core, text, extra):
        """Links a server with the Greeter and nothing around it; returns its path, with .map beside it."""
        others = [
            self.text(name, text, self.options.core),
            self.compile("build/gen/helloworld.nrpc.c", "greeter_nrpc", self.options.core),
            self.compile("build/gen/helloworld.pb.c", "greeter_pb"),
        ]
        others += [
            self.compile(os.path.join(self.options.nanopb, f + ".c"), f, ["-w"])
            for f in ("pb_common", "pb_decode", "pb_encode")
        ]
        path = os.path.join(self.out, name + ".elf")
        run(
            self.base
            + [
                "-nostartfiles",
                "-Wl,-e,size_main",
                "-Wl,--gc-sections",
                "-Wl,-Map=" + path + ".map",
                "-o",
                path,
            ]
            + list(core.values())
            + others
            + extra
        )
        return path

    def link(self, core):
        """The linker's map of that server."""
        with open(self.program("tiny", core, SERVER_C, []) + ".map", encoding="utf-8") as file:
            return file.read()

    def whole(self):
        """Text and constants of the core as the boards link it: optimised as a whole, all that a port and
        handlers call kept. What the rest of the image brings is left out by not linking it."""
        kept = self.text(
            "kept",
            SERVER_C + OUTSIDE_C,
            self.options.core + ["-fno-builtin", "-fno-function-sections"],
        )
        image = os.path.join(self.out, "whole.elf")
        run(
            self.base
            + self.options.core
            + self.options.lto.split()
            + ["-nostdlib", "-Wl,-e,size_main", "-Wl,--gc-sections", "-o", image]
            + core_files()
            + [kept]
        )
        return self.constant(image) - self.constant(kept)

    def output(self, tool, *arguments):
        return run([self.prefix + tool, *arguments])

    def constant(self, path):
        rows = (line.split() for line in self.output("size", "-A", path).splitlines())
        return sum(int(row[1]) for row in rows if row and row[0].startswith((".text", ".rodata")))

    def symbols(self, path):
        """{name: size}"""
        rows = (line.split() for line in run([self.prefix + "nm", "-S", path]).splitlines())
        return {row[3]: int(row[1], 16) for row in rows if len(row) == 4}


INPUT = re.compile(r"^ \.(\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", re.M)


def by_file(link_map):
    """{object's name: bytes of text and constants} that the linker kept."""
    kept = link_map[link_map.index("Linker script and memory map") :]
    kept = re.sub(r"^( \.\S+)\n +", r"\1 ", kept, flags=re.M)
    sizes = collections.Counter()
    for section, size, path in INPUT.findall(kept):
        if section.startswith(("text", "rodata", "data", "sdata", "srodata")):
            sizes[os.path.basename(path)] += int(size, 16)
    return sizes


def plain(target, core):
    """{file: text and constants of the whole object}"""
    sizes = {}
    for name, path in core.items():
        rows = run([target.prefix + "size", "-A", path]).splitlines()
        sizes[name] = sum(
            int(row.split()[1])
            for row in rows
            if row.startswith((".text", ".rodata", ".data", ".sdata", ".srodata"))
        )
    return sizes


def structs(target, flags):
    return target.symbols(target.text("sizes", SIZES_C, flags))


def formula(entries, streams):
    """What config.h's comment says a connection costs."""
    with open("nanorpc/config.h", encoding="utf-8") as file:
        found = re.search(
            r"connection = (\d+) \+ NRPC_MAX_STREAMS \* (\d+) \+ NRPC_HPACK_ENTRIES \* (\d+)",
            file.read(),
        )
    if not found:
        sys.exit(
            "size: config.h no longer has its formula 'connection = A + NRPC_MAX_STREAMS * B + ...'"
        )
    base, stream, entry = map(int, found.groups())
    return base + streams * stream + entries * entry


def firmware(image):
    """(flash, RAM with stack) in bytes, from the sections of the image."""
    flash = ram = 0
    for line in run(["arm-none-eabi-objdump", "-h", "-w", image]).splitlines():
        words = line.split()
        if len(words) < 8 or not words[0].isdigit() or "ALLOC" not in line:
            continue
        size, address = int(words[2], 16), int(words[3], 16)
        flash += size if "CONTENTS" in line else 0
        ram += size if address >= 0x20000000 else 0
    return flash, ram


# TLS's own code, in three parts: what every byte passes, what begins it, the texts of errors for who asks for them.
TLS_PARTS = [
    (
        "tls_filter",
        "the TLS filter (nrpc_tls.c, memory, peer), Cortex-M3 -Os",
        ["nrpc_tls", "nrpc_tls_memory", "nrpc_tls_peer"],
    ),
    (
        "tls_start",
        "its set-up (start, platform), which tells what is wrong",
        ["nrpc_tls_start", "nrpc_tls_platform"],
    ),
    ("tls_reason", "reason, where it is used: failures in words", ["nrpc_tls_reason"]),
]


def port_bytes(target, name):
    """Text and constants of a port's files."""
    return sum(
        target.constant(target.compile(path, "port_" + os.path.basename(path)[:-2]))
        for path in sorted(glob.glob("ports/%s/*.c" % name))
    )


class Report:
    def __init__(self, record, path):
        self.budgets = configparser.ConfigParser(delimiters=("=",))
        self.path = path
        self.budgets.read(path)
        self.record = record
        self.recorded = collections.OrderedDict()
        self.failures = []

    def note(self, name, value):
        self.recorded[name] = value

    def row(self, name, title, value):
        budget = self.budgets.getint("budget", name)
        last = self.budgets.getint("recorded", name, fallback=None)
        self.note(name, value)
        change = "" if last in (None, value) else "%+d since recorded" % (value - last)
        print("  %-58s %7d %7d %7d  %s" % (title, value, budget, budget - value, change))
        if value > budget:
            self.failures.append("%s: %d is over the budget of %d" % (title, value, budget))

    def table(self, title):
        print("\n  %-58s %7s %7s %7s" % (title, "is", "budget", "margin"))

    def grown(self):
        rows = []
        for name, value in self.recorded.items():
            last = self.budgets.getint("recorded", name, fallback=None)
            if last is None or value > last:
                rows.append("    %-30s %s -> %d" % (name, "new" if last is None else last, value))
        return rows

    def close(self):
        if self.record:
            with open(self.path, encoding="utf-8") as file:
                head = file.read().split("\n[recorded]\n")[0]
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(head + "\n[recorded]\n")
                file.writelines("%s = %d\n" % item for item in self.recorded.items())
        if self.failures:
            print("\nsize: OVER BUDGET")
            for failure in self.failures:
                print("  " + failure)
            print("  Grown since tests/budgets.ini was recorded:")
            print("\n".join(self.grown() or ["    nothing: it was over then, too"]))
            sys.exit(1)


def report_core(report, targets, cores, linked):
    print("Core, text and constants in bytes, -Os: kept in a linked server / whole file")
    print("  %-14s" % "" + "".join("%20s" % target.title for target in targets))
    whole = [plain(target, core) for target, core in zip(targets, cores)]
    for kept, sizes in zip(linked, whole):
        for (
            name,
            size,
        ) in sizes.items():  # the linker counts the strings that it merges to one of the files
            kept[name[:-2] + ".o"] = min(kept[name[:-2] + ".o"], size)
    for name in cores[0]:
        cells = [
            "%9d / %6d" % (kept[name[:-2] + ".o"], sizes[name])
            for kept, sizes in zip(linked, whole)
        ]
        print("  %-14s" % name + "".join("%20s" % cell for cell in cells))
        report.note("m3 " + name, linked[1][name[:-2] + ".o"])
    totals = [sum(kept[name[:-2] + ".o"] for name in cores[0]) for kept in linked]
    print(
        "  %-14s" % "total"
        + "".join(
            "%20s" % ("%9d / %6d" % (total, sum(sizes.values())))
            for total, sizes in zip(totals, whole)
        )
    )
    nanopb = sum(linked[1][f + ".o"] for f in ("pb_common", "pb_decode", "pb_encode"))
    print(
        "  Beside it on %s: nanopb %d, the Greeter's generated tables %d"
        % (targets[1].title, nanopb, linked[1]["greeter_nrpc.o"] + linked[1]["greeter_pb.o"])
    )
    return totals[1]


Profile = collections.namedtuple("Profile", "name flags whole connection costs")


def profile(target, core, name, flags):
    """Of a server whose core is built with these flags: whole, as the boards link it, a connection's RAM, and
    options.costs()."""
    connection = structs(target, flags)["size_connection"]
    return Profile(name, flags, target.whole(), connection, options.costs(target, core, SERVER_C))


def profiles(report, target, core):
    """tiny, plain and full: full is what all else of this report is of."""

    def smaller(name):
        flags = report.budgets.get("profile", name).split()
        return profile(*options.with_core(target, "profile_" + name, flags), name, flags)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        full = pool.submit(profile, target, core, "full", target.options.core)
        return [*pool.map(smaller, ("tiny", "plain")), full.result()]


def report_profiles(report, found):
    """What a server costs, and each wish beside it."""
    print("\nProfiles, Cortex-M3: bytes of flash, and of RAM where it says so")
    for one in found:
        print("  %-8s%s" % (one.name, " ".join(one.flags) or "config.h as it is"))
    costs = [{cost[0].name: cost[1:3] for cost in one.costs} for one in found]
    rows = [("", [one.name for one in found])]
    rows += [("core of a server, as the boards link it (-flto)", [one.whole for one in found])]
    rows += [("RAM of a connection beside its message blocks", [one.connection for one in found])]
    for option in options.OPTIONS:
        cells = ["%d, RAM %d" % of[option.name] if option.name in of else "-" for of in costs]
        rows.append(("+ " + option.title.split(";")[0], cells))
    for title, cells in rows:
        print("  %-58.58s" % title + "".join("%15s" % cell for cell in cells))
    print("  -: needs NRPC_METADATA_BYTES")
    report.table("Budgets of the profiles, in bytes")
    for one in found[:-1]:
        report.row("core_m3_" + one.name, "core as the boards link it, " + one.name, one.whole)
        report.row("connection_" + one.name, "RAM of a connection, the same", one.connection)


def report_tls(report, target, images):
    """The Greeter's image with each of the profiles, the caller's with that of clients; and the port's own code, with
    the small one."""
    report.table("TLS on lm3s6965evb, 1 connection, all in: Greeter (public: caller); own code")
    for image in images:
        profile, path = image.split("=")
        flash, ram = firmware(path)
        report.row("tls_%s_flash" % profile, "profile %s: flash" % profile, flash)
        report.row("tls_%s_ram" % profile, "the same: RAM with stack and Mbed TLS's memory", ram)
    for name, title, files in TLS_PARTS:
        report.row(
            name,
            title,
            sum(
                target.constant(
                    target.compile(
                        "ports/mbedtls/%s.c" % file, "tls_" + file, target.options.tls_flags.split()
                    )
                )
                for file in files
            ),
        )


def fitted(target):
    """The formula as it would have to stand in config.h."""

    def connection(streams, entries):
        flags = ["-DNRPC_MAX_STREAMS=%d" % streams, "-DNRPC_HPACK_ENTRIES=%d" % entries]
        return structs(target, flags)["size_connection"]

    both = connection(4, 16)
    stream, entry = (connection(14, 16) - both) // 10, (connection(4, 128) - both) // 112
    return "connection = %d + NRPC_MAX_STREAMS * %d + NRPC_HPACK_ENTRIES * %d" % (
        both - 4 * stream - 16 * entry,
        stream,
        entry,
    )


def report_ram(report, target, small):
    """Struct sizes in several configurations, and config.h's formula beside them."""
    print(
        "\nRAM of a connection beside its message blocks, %s: is / by config.h's formula"
        % target.title
    )
    off = False
    for flags in (
        [],
        small,
        ["-DNRPC_MAX_STREAMS=1", "-DNRPC_HPACK_ENTRIES=0"],
        ["-DNRPC_MAX_STREAMS=16"],
        ["-DNRPC_COMPRESSION=1"],
    ):
        settings = dict(flag[2:].split("=") for flag in flags)
        streams = int(settings.get("NRPC_MAX_STREAMS", 4))
        entries = int(settings.get("NRPC_HPACK_ENTRIES", 128))
        sizes = structs(target, flags)
        says = formula(entries, streams) + 4 * streams * ("NRPC_COMPRESSION" in settings)
        is_ = sizes["size_connection"]
        image = 2 * (is_ + streams * sizes["size_blocks"]) + sizes["size_scratch"]
        print(
            "  %3d streams, %3d HPACK entries %26d / %4d   a Greeter server of 2: %d%s"
            % (
                streams,
                entries,
                is_,
                says,
                sizes["size_image"],
                ", with compression" if "NRPC_COMPRESSION" in settings else "",
            )
        )
        off |= abs(is_ - says) > FORMULA_SLACK
        if abs(sizes["size_image"] - image) > FORMULA_SLACK:
            report.failures.append(
                "config.h's formula for an image gives %d, it is %d" % (image, sizes["size_image"])
            )
    if off:
        report.failures.append(
            "config.h's formula for a connection is off; it is: " + fitted(target)
        )


def report_stack(core, indirect):
    graphs = [path[:-2] + ".ci" for path in core.values()]
    size, path, outside = stack.deepest(graphs, indirect)
    print("\nDeepest stack of the core, %s, -Os: %d bytes" % (TARGETS["m3"][0], size))
    print("  " + " > ".join("%s %d" % step for step in path))
    print("  Not counted: " + ", ".join(outside))
    return size


def main():
    parser = argparse.ArgumentParser()
    for name in (
        "--cflags",
        "--warnings",
        "--nanopb",
        "--image",
        "--interop",
        "--lto",
        "--tls-flags",
    ):
        parser.add_argument(name, required=True)
    parser.add_argument("--tls", nargs="+", required=True, metavar="PROFILE=IMAGE")
    parser.add_argument("--serial", nargs="+", required=True, metavar="IMAGE")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--budgets", default=BUDGETS)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    report = Report(arguments.record, arguments.budgets)
    arguments.core = report.budgets.get("profile", "core").split()
    budgets = report.budgets
    targets = [Target(key, arguments) for key in TARGETS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        cores = list(pool.map(Target.core, targets))
        linked = [by_file(text) for text in pool.map(Target.link, targets, cores)]

    total = report_core(report, targets, cores, linked)
    small = budgets.get("profile", "small").split()
    report_ram(report, targets[1], small)
    indirect = {name: names.split() for name, names in budgets["indirect"].items()}
    try:
        depth = report_stack(
            {name: path for name, path in cores[1].items() if linked[1][name[:-2] + ".o"]}, indirect
        )
    except stack.StackError as error:
        depth = None
        report.failures.append("stack: %s" % error)

    report.table("Budgets, in bytes")
    report.row("core_m3", "core of a server, Cortex-M3 -Os, without nanopb", total)
    found = profiles(report, targets[1], cores[1])
    report.row("core_m3_lto", "the same as the boards link it (-flto)", found[-1].whole)
    report.row(
        "connection",
        "RAM of a connection, 4 streams, 4096-byte HPACK table",
        structs(targets[1], [])["size_connection"],
    )
    report.row(
        "connection_small",
        "the same, small table (%s)" % " ".join(small),
        structs(targets[1], small)["size_connection"],
    )
    flash, ram = firmware(arguments.image)
    report.row("firmware_flash", "Greeter firmware, flash", flash)
    report.row("firmware_ram", "Greeter firmware, RAM with stack", ram)
    flash, ram = firmware(arguments.interop)
    report.row("interop_flash", "interop image on lm3s6965evb, flash; the chip has 256 KB", flash)
    report.row("interop_ram", "interop image on lm3s6965evb, RAM with stack; 64 KB", ram)
    flash, ram = map(max, zip(*map(firmware, arguments.serial), strict=True))
    boards = ", ".join(os.path.basename(os.path.dirname(image)) for image in arguments.serial)
    report.row("serial_flash", "Greeter on a serial line, %s: flash" % boards, flash)
    report.row("serial_ram", "the same: RAM with stack; the chips have 8 KB", ram)
    report.row("serial_port", "ports/serial, Cortex-M3 -Os", port_bytes(targets[1], "serial"))
    if depth is not None:
        report.row("stack_m3", "deepest stack of the core, beside nanopb and handlers", depth)
    report.table("Options, %s: what each adds to a server of 2 connections" % targets[1].title)
    for option, flash, ram, core in found[-1].costs:
        report.row("option_" + option.name, option.title + ": flash", flash)
        report.row("option_%s_ram" % option.name, "the same: RAM", ram)
        if report.budgets.has_option("budget", "option_%s_stack" % option.name):
            depth = stack.deepest([path[:-2] + ".ci" for path in core.values()], indirect)[0]
            report.row(
                "option_%s_stack" % option.name,
                "the same: deepest stack of the core with it",
                depth,
            )
    report_profiles(report, found)
    report_tls(report, targets[1], arguments.tls)
    report.close()


if __name__ == "__main__":
    main()
