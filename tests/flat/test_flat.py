# tests/flat/test_flat.py - one flat folder: our files beside a user's and third parties', as IDEs build.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import collections
import glob
import os
import re
import shutil
import subprocess
import sys

import grpc
import pytest

from conftest import ROOT

# Where the third-party sources are; make may have been given other folders.
LWIP, MBEDTLS, NANOPB = (
    os.path.join(ROOT, os.environ.get(name + "_DIR") or "build/third/" + name.lower())
    for name in ("LWIP", "MBEDTLS", "NANOPB")
)
# What users' files are often called, each with .c and .h; some of them our public headers, which have a folder.
USERS = """
    app auth board channel client codec common compression config conn connection counters crc crypto
    debug deflate details dial driver error event field frame grpc hal handler hpack http http2 huffman
    inflate invoke io key lib link list log main match memory message metadata nanorpc net options path
    peer platform port posix profile protocol queue reason reflection request respond role sensor serial
    server sockets start stream streamed stack system task timer tls token transmit types uart util
    version wait walk
""".split()
OURS = re.compile(r"nrpc_\w+\.[ch]$")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def found(*patterns):
    """Files below the root, or wherever the pattern leads."""
    names = [path for name in patterns for path in glob.glob(name, root_dir=ROOT, recursive=True)]
    assert names, patterns
    return sorted(names)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


# --- Names -------------------------------------------------------------------------------------------------


def flat_names():
    """What lies, or may lie, in a flat folder: all sources, and the headers that are no public ones."""
    sources = found("nanorpc/**/*.c", "ports/**/*.c")
    headers = found("nanorpc/**/nrpc_*.h", "ports/**/*.h")
    return [os.path.basename(path) for path in sources + headers]


def third_party_names():
    patterns = [
        LWIP + "/src/**/*.[ch]",
        LWIP + "/contrib/ports/unix/**/*.[ch]",
        MBEDTLS + "/library/*.[ch]",
        MBEDTLS + "/include/**/*.h",
        NANOPB + "/*.[ch]",
    ]
    return {os.path.basename(path) for pattern in patterns for path in found(pattern)}


def clashes(ours, theirs):
    """Names of ours that stand twice, that others have, or that do not say whose they are; as Windows sees them."""
    folded = collections.Counter(name.lower() for name in ours)
    theirs = {name.lower() for name in theirs}
    return sorted(
        name
        for name in set(ours)
        if folded[name.lower()] > 1 or name.lower() in theirs or not OURS.match(name)
    )


def test_names():
    theirs = third_party_names()
    assert {"tcp.c", "ssl_tls.c", "platform.c", "pb_decode.c", "sys_arch.c"} <= theirs
    users = {name + ending for name in USERS for ending in (".c", ".h")}
    assert clashes(flat_names(), theirs | users) == []


def test_objects():
    """foo.o of foo.c: a header's name may be a source's, but no two sources' may be the same."""
    ours = [os.path.basename(path) for path in found("nanorpc/**/*.c", "ports/**/*.c")]
    assert len(ours) > 40 and len(set(name.lower() for name in ours)) == len(ours)


@pytest.mark.parametrize(
    "names",
    [
        ["nrpc_a.c", "nrpc_a.c"],
        ["nrpc_a.c", "nrpc_A.c"],
        ["nrpc_stream.c", "stream.c"],
        ["nrpc_theirs.c"],
        ["conn.h"],
    ],
)
def test_names_finds(names):
    assert clashes(["nrpc_b.h"] + names, {"nrpc_theirs.c"}) != []


def loose_includes(texts):
    """[(path, what it includes)] of those of {path: text} that name a file without its folder."""
    return [
        (path, name)
        for path, text in sorted(texts.items())
        for name in INCLUDE.findall(text)
        if not name.startswith(("nanorpc/", "ports/", "lwip/"))
        and not re.search(r"\.(pb|nrpc|client)\.h$", name)
    ]


def test_includes():
    """All is included with its folder; generated code includes what is generated, too."""
    paths = found("nanorpc/**/*.[ch]", "ports/**/*.[ch]", "build/gen/**/*.[ch]")
    assert any(path.endswith(".nrpc.c") for path in paths)
    assert loose_includes({path: read(path) for path in paths}) == []


@pytest.mark.parametrize("name", ["config.h", "nrpc_frame.h", "client.h", "../nanorpc/conn.h"])
def test_includes_finds(name):
    assert loose_includes({"nanorpc/a.c": '#include <pb.h>\n# include "%s"\n' % name}) != []


# --- The folder --------------------------------------------------------------------------------------------


def run(*command, cwd=ROOT):
    done = subprocess.run(
        command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout


def compile_all(folder, compiler, flags, sources):
    """Each source's object into the folder, as IDEs do: stream.c makes stream.o, wherever it was."""
    before = set(os.listdir(folder))
    run(*compiler, *flags, "-I.", "-I" + ROOT, "-c", *sources, cwd=folder)
    made = sorted(set(os.listdir(folder)) - before)
    assert len(made) == len(sources), "two sources have one object's name"
    return made


def users_files(folder):
    """A user's own files, none of which is any business of ours: no one may include or need them."""
    for name in USERS:
        for ending in (".c", ".h"):
            (folder / (name + ending)).write_text('#error "a user\'s own file"\n')


def lay_out(folder, sources, generated=()):
    """Copies, flat; their names."""
    for path in list(sources) + list(generated):
        assert not (folder / os.path.basename(path)).exists(), path
        shutil.copy(os.path.join(ROOT, path), folder)
    return [os.path.basename(path) for path in list(sources) + list(generated) if path[-2:] == ".c"]


OURS_FLAGS = "-std=c99 -Wall -Wextra -Wpedantic -Werror".split()
EVERYTHING = (
    "-DNRPC_CLIENT=1 -DNRPC_PIECES=1 -DNRPC_COMPRESSION=1 -DNRPC_METADATA_BYTES=128 -DNRPC_TLS=1 "
    "-DNRPC_TLS_MEMORY_BYTES=524288 -DPB_BUFFER_ONLY=1"
).split() + ['-DMBEDTLS_CONFIG_FILE="ports/mbedtls/nrpc_profile_conformant.h"']
GENERATED = [
    "build/gen/helloworld." + kind
    for kind in ("pb.c", "pb.h", "nrpc.c", "nrpc.h", "client.c", "client.h", "desc.c")
]

# The user's program: the only file of theirs that is compiled.
PROGRAM = """
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "certs.h"
#include "helloworld.client.h"
#include "helloworld.nrpc.h"
#include "nanorpc/services/health.h"
#include "nanorpc/services/reflection.h"
#include "ports/mbedtls/nrpc_tls.h"
#include "ports/posix/nrpc_posix_dial.h"

enum nrpc_status Greeter_SayHello(struct nrpc_call *call, const HelloRequest *request, HelloReply *reply)
{
    (void)call;
    memcpy(reply->message, request->name, strlen(request->name) + 1);
    return NRPC_OK;
}

static int entropy(void *buf, size_t n)
{
    return getrandom(buf, n, 0) == (ssize_t)n;
}

static uint64_t unix_s(void)
{
    return (uint64_t)time(NULL);
}

NRPC_TLS_DEFINE(tls, 2, .certificate = {certs_server_crt, sizeof certs_server_crt},
                .key = {certs_server_key, sizeof certs_server_key}, .entropy = entropy, .unix_s = unix_s);
NRPC_SERVER_DEFINE_WITH(server, 2, (.tls = &tls), Greeter_service, nrpc_health_service,
                        nrpc_reflection_service);
NRPC_HEALTH_DEFINE(server);
NRPC_REFLECTION_DEFINE(Greeter_service);
NRPC_CHANNEL_DEFINE(channel, "localhost", Greeter_client);

int main(void)
{
    const char *wrong = nrpc_tls_start(&server);
    if (!wrong && nrpc_posix_listen(&server, "localhost", 0))
        wrong = nrpc_posix_error();
    printf("%u %s\\n", (unsigned)nrpc_posix_port(), wrong ? wrong : channel.authority);
    fflush(stdout);
    while (!wrong && nrpc_posix_poll(1000) >= 0)
        ;
    return 1;
}
"""


def mbedtls_sources():
    """What the Makefile compiles of Mbed TLS."""
    names = re.search(r"^MBEDTLS_SRC := ((?:.*\\\n)*.*)$", read("Makefile"), re.M).group(1)
    return [MBEDTLS + "/library/%s.c" % name for name in names.replace("\\", " ").split()]


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """Everything on, for Linux: compiled and linked in one folder, certificates and all."""
    folder = tmp_path_factory.mktemp("flat")
    run(sys.executable, "-B", "tests/certs.py", str(folder))
    users_files(folder)
    nanopb = [NANOPB + "/pb_%s.c" % name for name in ("common", "decode", "encode")]
    ours = lay_out(
        folder, found("nanorpc/**/*.c", "ports/posix/*.c", "ports/mbedtls/*.c"), GENERATED
    )
    theirs = lay_out(folder, nanopb) + mbedtls_sources()
    (folder / "thermostat.c").write_text(PROGRAM)
    system = ["-isystem", NANOPB, "-isystem", MBEDTLS + "/include"]
    gcc = ["gcc", "-ffunction-sections", "-fdata-sections"]
    objects = compile_all(folder, gcc, OURS_FLAGS + EVERYTHING + system, ours + ["thermostat.c"])
    third = ["-std=gnu99", *EVERYTHING, *system, "-I" + MBEDTLS + "/library"]
    objects += compile_all(folder, gcc, third, theirs)
    run("gcc", "-Wl,--gc-sections", "-o", "thermostat", *objects, "-pthread", cwd=folder)
    return folder


def test_flat_folder(flat):
    """The program that came of it is called over TLS."""
    server = subprocess.Popen([flat / "thermostat"], stdout=subprocess.PIPE, text=True)
    try:
        port, said = server.stdout.readline().split(maxsplit=1)
        assert said == "localhost\n"
        credentials = grpc.ssl_channel_credentials((flat / "ca.pem").read_bytes())
        with grpc.secure_channel("localhost:" + port, credentials) as channel:
            call = channel.unary_unary("/Greeter/SayHello")
            assert call(b"\n\4flat", timeout=30) == b"\n\4flat"
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("name", ["config.h", "client.h", "stream.c"])
def test_users_files_are_found(name, tmp_path):
    """Who includes one of them would have been told."""
    users_files(tmp_path)
    (tmp_path / "a.c").write_text('#include "%s"\n' % name)
    with pytest.raises(AssertionError, match="a user's own file"):
        compile_all(tmp_path, ["gcc"], OURS_FLAGS, ["a.c"])


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no arm-none-eabi-gcc here")
def test_flat_folder_for_a_board(tmp_path):
    """The core, its port and lwIP for a Cortex-M3: what an IDE's project has. Compiled, not linked."""
    users_files(tmp_path)
    lay_out(tmp_path, found("boards/net/lwipopts.h", "boards/net/lwip_hooks.h"))
    core = ["nanorpc/%s/*.c" % room for room in ("hpack", "http2", "grpc", "server")]
    ours = lay_out(tmp_path, found(*core, "ports/lwip/nrpc_lwip*.c"), GENERATED)
    ours = [name for name in ours if "sockets" not in name and ".client." not in name]
    compiler = "arm-none-eabi-gcc -Os -mcpu=cortex-m3 -mthumb --specs=picolibc.specs".split()
    system = ["-isystem", NANOPB, "-isystem", LWIP + "/src/include", "-I%s/boards/net" % ROOT]
    compile_all(tmp_path, compiler, OURS_FLAGS + system, ours)
    theirs = found(LWIP + "/src/core/*.c", LWIP + "/src/core/ipv4/*.c") + [
        LWIP + "/src/netif/ethernet.c"
    ]
    theirs += [NANOPB + "/pb_%s.c" % name for name in ("common", "decode", "encode")]
    compile_all(tmp_path, compiler, ["-std=gnu99", *system], theirs)
