# tests/settings/test_words.py - what a macro cannot do it says in words, when compiling.
# Layer: tests. Source: nanorpc/server.h, channel.h, hpack/nrpc_key.h.
# SPDX-License-Identifier: Apache-2.0
import pytest
from test_same import FLAGS, run

SOURCE = """
#include "nanorpc/client.h"
#define S_REQUEST_BYTES 5
#define S_PATH_BYTES 5
#define S_REPLY_BYTES 5
union S_request { char c; };
union S_reply { char c; };
extern const struct nrpc_service S;
#ifndef KEY
#define KEY "x-key"
#endif
static const struct nrpc_key key = NRPC_KEY(KEY);
extern const struct nrpc_key *const keys[1];
const struct nrpc_key *const keys[1] = {&key};
static const struct nrpc_interceptor interceptors[1] = {{NULL, NULL}};
extern const void *const kept;
const void *const kept = interceptors;
#ifndef CONNECTIONS
#define CONNECTIONS 2
#endif
#ifndef OPTIONS
#define OPTIONS (.interceptors = interceptors, .n_interceptors = 1)
#endif
#ifndef SERVICES
#define SERVICES S
#endif
#ifdef CHANNEL
#ifndef AUTHORITY
#define AUTHORITY "device"
#endif
NRPC_CHANNEL_DEFINE_WITH(channel, AUTHORITY, CHANNEL, SERVICES);
#else
NRPC_SERVER_DEFINE_WITH(server, CONNECTIONS, OPTIONS, SERVICES);
#endif
"""
LONGEST = 100 - 5  # NRPC_AUTHORITY_AND_PATH_MAX, less S_PATH_BYTES


def authority(n):
    return '-DAUTHORITY="%s"' % ("x" * n)


KEYS = "-DOPTIONS=(.keys = keys, .n_keys = 1)"
LOWER = "a metadata key is lower case: a-z 0-9 - _ ."
CASES = [  # flags, what is said; None: it compiles
    ([], None),
    (["-DSERVICES=S"], None),
    (["-DCONNECTIONS=0"], "server: connections: 1..1000000"),
    (["-DCONNECTIONS=1000001"], "server: connections: 1..1000000"),
    (["-DNRPC_MANY_CONNECTIONS=0", "-DCONNECTIONS=65536"], "server: connections: 1..65535"),
    (["-DSERVICES=S,S,S,S,S,S,S,S,S"], "server: a server has 8 services at most"),
    (["-DSERVICES=" + "S," * 11 + "S"], "server: a server has 8 services at most"),
    ([KEYS], "server: .keys need NRPC_METADATA_BYTES, for all files"),
    ([KEYS, "-DNRPC_METADATA_BYTES=64"], None),
    (["-DOPTIONS=(.tls = NULL)"], "server: .tls needs NRPC_TLS=1, for all files"),
    (["-DOPTIONS=(.tls = NULL)", "-DNRPC_TLS=1"], None),
    (["-DNRPC_CLIENT=1", "-DCHANNEL=(.n_interceptors = 0)"], None),
    (
        ["-DNRPC_CLIENT=1", "-DCHANNEL=(.n_interceptors = 0)", "-DSERVICES=" + "S," * 8 + "S"],
        "channel: a channel has 8 services at most",
    ),
    (
        ["-DNRPC_CLIENT=1", "-DCHANNEL=(.interceptors = interceptors, .n_interceptors = 1)"],
        "channel: a channel has no interceptors",
    ),
    (
        ["-DNRPC_CLIENT=1", "-DCHANNEL=(.keys = keys, .n_keys = 1)"],
        "channel: .keys need NRPC_METADATA_BYTES, for all files",
    ),
    (["-DNRPC_CLIENT=1", "-DCHANNEL=(.n_interceptors = 0)", authority(LONGEST)], None),
    (
        ["-DNRPC_CLIENT=1", "-DCHANNEL=(.n_interceptors = 0)", authority(LONGEST + 1)],
        "authority and a path are over NRPC_AUTHORITY_AND_PATH_MAX bytes together",
    ),
    (['-DKEY="x-ok_1.2-bin"'], None),
    (['-DKEY="%s"' % ("x" * 63)], None),
    (['-DKEY="Authorization"'], LOWER),
    (['-DKEY="x-a-key-that-is-so-long-that-it-ends-far-out-with-a-capitaL"'], LOWER),
]
GCC_ALONE = [  # Clang cannot look into a text when compiling
    (["-DOPTIONS=(.interceptors = interceptors)"], "server: .interceptors need .n_interceptors"),
    (
        ["-DOPTIONS=(.keys = keys)", "-DNRPC_METADATA_BYTES=64"],
        "server: .keys need .n_keys",
    ),
    (
        ["-DOPTIONS=(.n_interceptors = 0, .tls = NULL)"],
        "server: .tls needs NRPC_TLS=1, for all files",
    ),
    (['-DKEY="x key"'], LOWER),
]
STRICT = ["-Wconversion", "-Wshadow"]
COMPILERS = {
    "gcc": ["gcc", *FLAGS, *STRICT],
    "clang": ["clang", *FLAGS, *STRICT],
    "g++": ["g++", "-std=c++20", "-Wall", "-Wpedantic", "-Werror", *FLAGS[5:]],
    "clang++": ["clang++", "-std=c++20", "-Wall", "-Wpedantic", "-Werror", *FLAGS[5:]],
}


def said(text):
    """As C++'s templates have it, too."""
    return text.replace("nrpc_a_metadata_key_is_lower_case<false>", LOWER)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("flags, words", CASES, ids=str)
def test_words(compiler, flags, words, tmp_path):
    look(COMPILERS[compiler], flags, words, tmp_path)


@pytest.mark.parametrize("flags, words", GCC_ALONE, ids=str)
def test_words_of_gcc(flags, words, tmp_path):
    look(COMPILERS["gcc"], flags, words, tmp_path)


def look(command, flags, words, tmp_path):
    source = tmp_path / ("a.c" if "-std=c99" in command else "a.cc")
    source.write_text(SOURCE)
    done = run(*command, *flags, "-c", "-o", str(tmp_path / "a.o"), str(source))
    if words is None:
        assert done.returncode == 0, done.stdout
    else:
        assert done.returncode != 0 and words in said(done.stdout), done.stdout
