# tests/vectors/test_compress.py - what nanorpc compresses zlib reads, and the reverse: the C functions as a library.
# Layer: tests. Source: RFC 1950, 1951, 1952.
# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import random
import subprocess
import zlib

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEFLATE, GZIP = 1, 2
WINDOW_BITS = {DEFLATE: 15, GZIP: 31}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("compress") / "libcompress.so"
    sources = [
        os.path.join(ROOT, "nanorpc", "grpc", name) for name in ("nrpc_inflate.c", "nrpc_deflate.c")
    ]
    subprocess.run(
        ["cc", "-std=c99", "-O1", "-shared", "-fPIC", "-I" + ROOT, "-o", str(path)] + sources,
        check=True,
    )
    library = ctypes.CDLL(str(path))
    library.nrpc_deflate.restype = ctypes.c_size_t
    library.nrpc_deflate.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
    ]
    library.nrpc_inflate.restype = ctypes.c_int32
    library.nrpc_inflate.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ]
    return library


def text(rng, size):
    words = [
        bytes(rng.choice(b"etaoinshrdlu") for _ in range(rng.randrange(1, 9))) for _ in range(40)
    ]
    return b" ".join(rng.choice(words) for _ in range(size // 2))[:size]


KINDS = {
    "zeros": lambda rng, size: bytes(size),
    "noise": lambda rng, size: bytes(rng.getrandbits(8) for _ in range(size)),
    "text": text,
    "numbers": lambda rng, size: b"".join(b"%d," % rng.randrange(1000) for _ in range(size // 3))[
        :size
    ],
    "high bytes": lambda rng, size: bytes(
        rng.choice((0xFF, 0xFE, 0xD0, 0x90)) for _ in range(size)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", [DEFLATE, GZIP])
def test_zlib_reads_what_we_compress(library, kind, encoding):
    rng = random.Random(kind)
    for size in list(range(0, 300, 3)) + [1000, 4000, 16000, 70000, 314159]:
        message = KINDS[kind](rng, size)
        size = len(message)
        block = ctypes.create_string_buffer(message, size + 32)
        n = library.nrpc_deflate(encoding, block, size, size + 32)
        if n:
            assert n < size
            assert zlib.decompress(block.raw[:n], WINDOW_BITS[encoding]) == message
        else:
            assert block.raw[:size] == message
        # what zlib makes three times as small does become smaller, and noise never does
        assert n > 0 or size < 300 or len(zlib.compress(message, 1)) * 3 > size
        assert n == 0 or kind != "noise"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", [DEFLATE, GZIP])
def test_we_read_what_zlib_compresses(library, kind, encoding):
    rng = random.Random(kind)
    for size in list(range(0, 300, 7)) + [1000, 4000, 16000, 70000, 271828]:
        message = KINDS[kind](rng, size)
        size = len(message)
        z = zlib.compressobj(
            rng.randrange(10),
            zlib.DEFLATED,
            WINDOW_BITS[encoding] - rng.randrange(6),
            rng.randrange(1, 10),
            rng.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]),
        )
        data = z.compress(message) + z.flush()
        out = ctypes.create_string_buffer(size + 1)
        assert library.nrpc_inflate(encoding, data, len(data), out, size) == size
        assert out.raw[:size] == message
        assert size == 0 or library.nrpc_inflate(encoding, data, len(data), out, size - 1) == -2
        assert library.nrpc_inflate(encoding, data, len(data) - 1, out, size) == -1
