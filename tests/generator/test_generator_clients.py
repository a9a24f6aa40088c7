# tests/generator/test_generator_clients.py - NAME.client.h and .c: stubs of all kinds, and what they refuse.
# Layer: tests. Source: client.h, wait.h.
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest
from test_generator_code import KINDS, KINDS_OPTIONS

from workshop import COMPILERS, NANOPB, ROOT, bench, need, workshop  # noqa: F401 (fixtures)

# An application that uses every function and every event, of each kind of call.
USER = """
#include "kinds.client.h"
NRPC_CHANNEL_DEFINE(channel, "a.b", a_b_Kinds_client);
static enum nrpc_status large(struct nrpc_call *call, const a_b_Large *reply)
{ (void)call; return reply ? NRPC_OK : NRPC_PENDING; }
static enum nrpc_status small(struct nrpc_call *call, const a_b_Small *reply)
{ (void)call; return reply ? NRPC_OK : NRPC_PENDING; }
static void told(struct nrpc_call *call) { (void)nrpc_call_close_writes(call); }
static void done(struct nrpc_call *call, enum nrpc_status status, const char *message)
{ (void)call; (void)status; (void)message; }
static const struct a_b_Kinds_Unary_events unary = {.on = {.headers = told, .done = done}, .reply = large};
static const struct a_b_Kinds_Client_events client = {.on = {.writable = told, .done = done}, .reply = small};
static const struct a_b_Kinds_Server_events server = {.on = {.done = done}, .reply = large};
static const struct a_b_Kinds_Bidi_events bidi = {.on = {.done = done}, .reply = small};
void start(void);
void start(void)
{
    const struct nrpc_call_options options = {.timeout_ms = 5, .wait_for_ready = 1};
    const a_b_Small few = {0};
    const a_b_Large much = {{0}};
    (void)a_b_Kinds_Unary_start(&channel, &options, &few, &unary);
    (void)a_b_Kinds_Server_start(&channel, NULL, &few, &server);
    (void)a_b_Kinds_Client_write(a_b_Kinds_Client_start(&channel, NULL, &client), &much);
    (void)a_b_Kinds_Bidi_write(a_b_Kinds_Bidi_start(&channel, NULL, &bidi), &few);
}
enum nrpc_status block(void);
enum nrpc_status block(void)
{
    struct nrpc_wait wait;
    a_b_Small few = {0};
    a_b_Large much = {{0}};
    enum nrpc_status status = a_b_Kinds_Unary_wait(&channel, NULL, &few, &much);
    if (!a_b_Kinds_Unary_open(&wait, &channel, NULL, &few))
        status = a_b_Kinds_Unary_end(&wait, &much);
    if (!a_b_Kinds_Server_open(&wait, &channel, NULL, &few) && a_b_Kinds_Server_get(&wait, &much))
        status = nrpc_wait_end(&wait, NULL);
    if (!a_b_Kinds_Client_open(&wait, &channel, NULL) && !a_b_Kinds_Client_put(&wait, &much))
        status = a_b_Kinds_Client_end(&wait, &few);
    if (!a_b_Kinds_Bidi_open(&wait, &channel, NULL) && !a_b_Kinds_Bidi_put(&wait, &few))
        status = a_b_Kinds_Bidi_get(&wait, &few) ? NRPC_OK : status;
    return status;
}
"""


@pytest.fixture
def kinds(bench):
    bench.write(kinds=KINDS, kinds_options=KINDS_OPTIONS)
    return bench.generate("kinds")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_all_kinds_compile(kinds, compiler):
    user = kinds.path / "user.c"
    user.write_text(USER)
    kinds.compile(kinds.out / "kinds.client.c", compiler)
    kinds.compile(user, compiler)


@pytest.mark.parametrize(
    "wrong",
    [
        ("&few, &unary", "&much, &unary"),
        (
            ".reply = small};\nstatic const struct a_b_Kinds_Server",
            ".reply = large};\nstatic const struct a_b_Kinds_Server",
        ),
        ("&few, &server", "&few, &unary"),
        ("_get(&wait, &much)", "_get(&wait, &few)"),
    ],
)
def test_types_are_checked(kinds, wrong):
    assert USER.count(wrong[0]) == 1
    user = kinds.path / "user.c"
    user.write_text(USER.replace(*wrong))
    assert "incompatible" in kinds.try_compile(user, "gcc").stderr


def test_from_cpp(kinds):
    """The header, and functions of it, in C++."""
    user = kinds.path / "user.cc"
    user.write_text(
        '#include "kinds.client.h"\n'
        "int use(nrpc_channel *channel, const a_b_Kinds_Unary_events *events, nrpc_call *call) {\n"
        "    a_b_Small few = a_b_Small_init_zero;\n"
        "    return a_b_Kinds_Unary_start(channel, nullptr, &few, events) != nullptr && "
        "!a_b_Kinds_Bidi_write(call, &few); }\n"
    )
    done = subprocess.run(
        [
            need("g++"),
            "-std=c++20",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I%s" % kinds.out,
            "-I%s" % ROOT,
            "-isystem",
            str(NANOPB),
            "-c",
            str(user),
            "-o",
            str(kinds.path / "user.o"),
        ],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


def test_sizes_and_paths(kinds):
    code, header = ((kinds.out / ("kinds.client." + ending)).read_text() for ending in "ch")
    assert re.findall(r"#define a_b_Kinds_client_(\w+) (\d+)", header) == [
        ("REQUEST_BYTES", "101"),
        ("REPLY_BYTES", "101"),
        ("PATH_BYTES", "17"),
    ]
    assert re.findall(r'\.path = "(.*)"', code) == [
        "/a.b.Kinds/" + name for name in ("Bidi", "Client", "Server", "Unary")
    ]
    assert re.findall(r"\.kind = (.*)}", code) == [
        "NRPC_CALLER | NRPC_CLIENT_STREAM",
        "NRPC_CALLER | NRPC_UNARY",
        "NRPC_CALLER | NRPC_CLIENT_STREAM",
        "NRPC_CALLER | NRPC_UNARY",
    ]


@pytest.mark.parametrize("name", ["start", "events", "method", "got", "wait_events", "wait"])
def test_names_that_meet(bench, name):
    bench.write(
        s="message M { }\nservice S { rpc Get(M) returns (M); rpc Get_%s(M) returns (M); }\n" % name
    )
    if name == "events":  # the tag of a struct, and a function: they do not meet
        bench.generate("s").compile(bench.out / "s.client.c")
        return
    (line,) = bench.refused("s")
    assert "S_Get_%s in C" % name in line


def test_messages_of_another_time(kinds):
    """Stubs and messages that were not generated together do not compile."""
    path = kinds.out / "kinds.pb.h"
    path.write_text(re.sub(r"(#define a_b_Large_size +)101", r"\g<1>102", path.read_text()))
    assert (
        "generate messages and clients together"
        in kinds.try_compile(kinds.out / "kinds.client.c", "gcc").stderr
    )
