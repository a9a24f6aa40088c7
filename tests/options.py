# tests/options.py - what each link-time option costs, on Cortex-M3: rows of `make size`.
# Layer: tests; used by size.py. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""An option's cost is that of size.py's server with it, less that of the same server without it. Flash: text,
constants and tables, those of the core that only the option uses as well. RAM: of a server of 2 connections of 4
streams beside the Greeter, message blocks included. To add an option, add a row; its budget stands in budgets.ini
under option_NAME, and under option_NAME_ram."""

import argparse
import collections
import copy
import os

# services: added to the server; after: file-scope C behind it; kept: functions that an application calls; before:
# file-scope C in front of it; given: options of NRPC_SERVER_DEFINE_WITH; flags: where the option is
# a macro of config.h; metadata: it needs NRPC_METADATA_BYTES.
Option = collections.namedtuple(
    "Option",
    "name title sources include services after kept before given flags metadata",
    defaults=("", "", (), False),
)
OPTIONS = [
    Option(
        "health",
        "grpc.health.v1 (Check, Watch)",
        ["nanorpc/services/nrpc_health.c", "nanorpc/services/nrpc_field.c"],
        "nanorpc/services/health.h",
        ["nrpc_health_service"],
        "NRPC_HEALTH_DEFINE(server);",
        ["nrpc_health_set", "nrpc_health_shutdown"],
    ),
    Option(
        "reflection",
        "reflection, v1 and v1alpha, and the Greeter's descriptor",
        [
            "nanorpc/services/nrpc_reflection.c",
            "nanorpc/services/nrpc_field.c",
            "build/gen/helloworld.desc.c",
        ],
        "nanorpc/services/reflection.h",
        ["nrpc_reflection_service", "nrpc_reflection_v1alpha_service"],
        "NRPC_REFLECTION_DEFINE(Greeter_service);",
        [],
        flags=("-DNRPC_PIECES=1",),
    ),
    Option(
        "details",
        "details.c: statuses with google.rpc details",
        [],
        "nanorpc/details.h",
        [],
        "",
        ["nrpc_call_fail_details"],
        metadata=True,
    ),
    Option(
        "reverse",
        "a server that dials out (dial.c; the port's part beside it)",
        [],
        "nanorpc/dial.h",
        [],
        "NRPC_REVERSE_DEFINE(uplink, server);\nstruct nrpc_dial *size_dial(void);\n"
        "struct nrpc_dial *size_dial(void) { return &uplink.dial; }",
        ["size_dial", "nrpc_dial_wait_ms", "nrpc_dial_linked", "nrpc_dial_failed"],
    ),
    Option(
        "client",
        "clients: a channel to the Greeter, all of client.h; with dial.c",
        ["build/gen/helloworld.client.c"],
        "helloworld.client.h",
        [],
        'NRPC_CHANNEL_DEFINE(channel, "greeter.example:50051", Greeter_client);\n'
        "struct nrpc_channel *size_channel(void);\n"
        "struct nrpc_channel *size_channel(void) { return &channel; }",
        [
            "size_channel",
            "nrpc_client_start",
            "nrpc_client_write",
            "nrpc_call_close_writes",
            "nrpc_call_events",
            "size_hello",
            "nrpc_dial_wait_ms",
            "nrpc_dial_linked",
            "nrpc_dial_failed",
        ],
        before="struct nrpc_client_method;\nconst struct nrpc_client_method *size_hello(void);\n"
        "const struct nrpc_client_method *size_hello(void) { return &Greeter_SayHello_method; }\n",
        flags=("-DNRPC_CLIENT=1",),
    ),
    Option(
        "client_wait",
        "the same with blocking calls, wait.h",
        ["build/gen/helloworld.client.c"],
        "helloworld.client.h",
        [],
        'NRPC_CHANNEL_DEFINE(channel, "greeter.example:50051", Greeter_client);\n'
        "struct nrpc_channel *size_channel(void);\n"
        "struct nrpc_channel *size_channel(void) { return &channel; }",
        [
            "size_channel",
            "nrpc_client_start",
            "nrpc_client_write",
            "nrpc_call_close_writes",
            "nrpc_call_events",
            "size_hello",
            "nrpc_dial_wait_ms",
            "nrpc_dial_linked",
            "nrpc_dial_failed",
            "nrpc_wait_open",
            "nrpc_wait_put",
            "nrpc_wait_get",
            "nrpc_wait_end",
            "nrpc_wait_unary",
        ],
        before="struct nrpc_client_method;\nconst struct nrpc_client_method *size_hello(void);\n"
        "const struct nrpc_client_method *size_hello(void) { return &Greeter_SayHello_method; }\n",
        flags=("-DNRPC_CLIENT=1",),
    ),
    Option(
        "compression",
        "NRPC_COMPRESSION: gzip and deflate, both ways",
        [],
        "nanorpc/compression.h",
        [],
        "",
        ["nrpc_call_compress", "nrpc_call_message_compressed"],
        flags=("-DNRPC_COMPRESSION=1",),
    ),
    Option(
        "streamed",
        "streamed fields, both ways; RAM: of 8 streams, without what they keep of a request",
        [],
        "nanorpc/streamed.h",
        [],
        "void size_streamed(void);\n"
        "void size_streamed(void)\n{\n"
        "    static uint8_t volatile bytes[2 * NRPC_MAX_STREAMS * NRPC_STREAMED_BYTES];\n"
        "    bytes[0] = 1;\n}",
        [
            "size_streamed",
            "nrpc_streamed_message",
            "nrpc_streamed_send",
            "nrpc_streamed_take",
            "nrpc_streamed_produce",
            "nrpc_streamed_length",
            "nrpc_streamed_encode",
        ],
        flags=("-DNRPC_PIECES=1",),
    ),
    Option(
        "auth",
        "interceptor: bearer token",
        ["nanorpc/services/nrpc_auth.c"],
        "nanorpc/services/auth.h",
        [],
        "",
        [],
        'NRPC_AUTH_DEFINE(auth, "token");\nstatic const struct nrpc_interceptor chain[] = {NRPC_AUTH(auth)};\n'
        "static const struct nrpc_key *const keys[] = {&nrpc_auth_key};\n",
        ".keys = keys, .n_keys = 1, .interceptors = chain, .n_interceptors = 1",
        metadata=True,
    ),
    Option(
        "log",
        "interceptor: a line a call",
        ["nanorpc/services/nrpc_log.c", "nanorpc/services/nrpc_path.c"],
        "nanorpc/services/log.h",
        [],
        "",
        [],
        "void size_line(const char *line, size_t n);\n"
        "void size_line(const char *line, size_t n) { (void)line; (void)n; }\n"
        "NRPC_LOG_DEFINE(logger, size_line);\nstatic const struct nrpc_interceptor chain[] = {NRPC_LOG(logger)};\n",
        ".interceptors = chain, .n_interceptors = 1",
    ),
    Option(
        "counters",
        "interceptor: counters, of 4 methods",
        ["nanorpc/services/nrpc_counters.c"],
        "nanorpc/services/counters.h",
        [],
        "",
        [],
        "NRPC_COUNTERS_DEFINE(counters, 4);\n"
        "static const struct nrpc_interceptor chain[] = {NRPC_COUNTERS(counters)};\n",
        ".interceptors = chain, .n_interceptors = 1",
    ),
]
DEFINE = "NRPC_SERVER_DEFINE(server, 2, Greeter_service);"
KEPT = "void (*const size_kept[])(void) = {"


def text_of(server, option):
    """size.py's server with an option."""
    assert DEFINE in server and KEPT in server
    services = ", ".join(["Greeter_service"] + option.services)
    kept = "".join("\n    (void (*)(void))%s," % name for name in option.kept)
    define = "%sNRPC_SERVER_DEFINE_WITH(server, 2, (%s), %s);\n%s" % (
        option.before,
        option.given or ".n_interceptors = 0",
        services,
        option.after,
    )
    return '#include "%s"\n' % option.include + server.replace(DEFINE, define).replace(
        KEPT, KEPT + kept
    )


def with_core(target, name, flags):
    """The target, and its core, with these flags for nanorpc's files; built in a folder of that name."""
    target = copy.copy(target)
    target.options = argparse.Namespace(**vars(target.options))
    target.options.core = list(flags)
    target.out = os.path.join(target.out, name)
    os.makedirs(target.out, exist_ok=True)
    return target, target.core()


def flagged(target, core, option):
    """The target, and its core, with an option's flags."""
    if not option.flags:
        return target, core
    return with_core(target, option.name, target.options.core + list(option.flags))


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
    """[(option, flash, RAM, {file: object} of the core with the option's flags)]; those that need metadata only where
    the core has it."""
    plain = memory(target, target.program("tiny", core, server, []))
    found = []
    plain_target, plain_core = target, core
    for option in OPTIONS:
        if option.metadata and "-DNRPC_METADATA_BYTES" not in " ".join(plain_target.options.core):
            continue
        target, core = flagged(plain_target, plain_core, option)
        extra = [
            target.compile(source, "option_" + source.replace("/", "_")[:-2], target.options.core)
            for source in option.sources
        ]
        whole = memory(
            target, target.program("tiny_" + option.name, core, text_of(server, option), extra)
        )
        found.append((option, whole[0] - plain[0], whole[1] - plain[1], core))
    return found
