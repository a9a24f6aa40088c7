# tests/options.py - what each link-time option costs, on Cortex-M3: rows of `make size`.
# Layer: tests; used by size.py. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""An option's cost is that of size.py's server with it, less that of the same server without it. Flash: text,
constants and tables, those of the core that only the option uses as well. RAM: of a server of 2 connections of 4
streams beside the Greeter, message blocks included. To add an option, add a row; its budget stands in budgets.ini
under option_NAME, and under option_NAME_ram."""
import collections

# services: added to the server; after: file-scope C behind it; kept: functions that an application calls.
Option = collections.namedtuple("Option", "name title sources include services after kept")
OPTIONS = [
    Option("health", "grpc.health.v1 (Check, Watch)",
           ["nanorpc/services/health.c", "nanorpc/services/field.c"], "services/health.h", ["nrpc_health_service"],
           "NRPC_HEALTH_DEFINE(server);", ["nrpc_health_set", "nrpc_health_shutdown"]),
    Option("reflection", "reflection, v1 and v1alpha, and the Greeter's descriptor",
           ["nanorpc/services/reflection.c", "nanorpc/services/field.c", "build/gen/helloworld.desc.c"],
           "services/reflection.h", ["nrpc_reflection_service", "nrpc_reflection_v1alpha_service"],
           "NRPC_REFLECTION_DEFINE(Greeter_service);", []),
    Option("details", "details.c: statuses with google.rpc details", [], "details.h", [], "", ["nrpc_call_fail_details"]),
    Option("reverse", "a server that dials out (dial.c; the port's part beside it)", [], "dial.h", [],
           "NRPC_REVERSE_DEFINE(uplink, server);\nstruct nrpc_dial *size_dial(void);\n"
           "struct nrpc_dial *size_dial(void) { return &uplink.dial; }",
           ["size_dial", "nrpc_dial_wait_ms", "nrpc_dial_linked", "nrpc_dial_failed"]),
]
DEFINE = "NRPC_SERVER_DEFINE(server, 2, Greeter_service);"
KEPT = "void (*const size_kept[])(void) = {"


def text_of(server, option):
    """size.py's server with an option."""
    assert DEFINE in server and KEPT in server
    services = ", ".join(["Greeter_service"] + option.services)
    kept = "".join("\n    (void (*)(void))%s," % name for name in option.kept)
    return '#include "%s"\n' % option.include + \
        server.replace(DEFINE, "NRPC_SERVER_DEFINE(server, 2, %s);\n%s" % (services, option.after)).replace(KEPT, KEPT + kept)


def memory(target, path):
    """(flash, RAM) in bytes of a linked program."""
    flash = ram = 0
    for words in (line.split() for line in target.output("size", "-A", path).splitlines()):
        if words and words[0].startswith((".text", ".rodata", ".data", ".ARM")):
            flash += int(words[1])
        if words and words[0].startswith((".data", ".bss", ".tbss", ".tdata")):
            ram += int(words[1])
    return flash, ram


def costs(target, core, server):
    """[(option, flash, RAM)]"""
    plain = memory(target, target.program("tiny", core, server, []))
    found = []
    for option in OPTIONS:
        extra = [target.compile(source, "option_" + source.replace("/", "_")[:-2], target.options.core)
                 for source in option.sources]
        whole = memory(target, target.program("tiny_" + option.name, core, text_of(server, option), extra))
        found.append((option, whole[0] - plain[0], whole[1] - plain[1]))
    return found
