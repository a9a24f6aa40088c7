# tests/vectors/test_vectors.py - checks the test data of HPACK against a decoder that is not ours.
# Layer: tests. Source: RFC 7541 appendix C.
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import pytest
from hpack import Decoder, HPACKError
from hpack.hpack import decode_integer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_hpack
import rfc7541


def test_rfc7541_examples():
    for section, new, max_bytes, block, fields, entries, size in rfc7541.EXAMPLES:
        if new:
            decoder = Decoder()
            decoder.max_allowed_table_size = decoder.header_table_size = max_bytes
        assert [tuple(field) for field in decoder.decode(bytes.fromhex(block))] == fields, section
        table = [
            (bytes(n).decode(), bytes(v).decode()) for n, v in decoder.header_table.dynamic_entries
        ]
        assert table == entries, section
        assert sum(len(n) + len(v) + 32 for n, v in table) == size, section


def test_rfc7541_integers():
    for section, bits, value, encoded in rfc7541.INTEGERS:
        data = bytes.fromhex(encoded)
        assert decode_integer(data, bits) == (value, len(data)), section


@pytest.mark.parametrize("section,why,block", rfc7541.MALFORMED)
def test_malformed_is_refused(section, why, block):
    with pytest.raises(HPACKError):
        Decoder().decode(bytes.fromhex(block))


def test_vectors_cover():
    vectors = make_hpack.all_vectors()
    sources = " ".join(vector.source for vector in vectors)
    for client in ("grpcio", "grpc-go", "grpc-js", "tonic", "curl", "nghttp"):
        assert client in sources
    assert max(vector.table_entries for vector in vectors) == 128
    assert max(vector.table_bytes for vector in vectors) == 4096


def test_header_compiles(tmp_path):
    """The generated C header is the same each time, and clean under our warnings."""
    paths = [tmp_path / "hpack_vectors.h", tmp_path / "again.h"]
    for path in paths:
        subprocess.run(
            [sys.executable, make_hpack.__file__, "-o", str(path)], check=True, timeout=60
        )
    assert paths[0].read_bytes() == paths[1].read_bytes()
    source = tmp_path / "t.c"
    source.write_text(
        '#include "hpack_vectors.h"\n'
        "int main(void) { return hpack_vectors[0].n_fields + (int)hpack_bad_vectors[0].n +"
        " (int)hpack_huffman_codes[0].bits - (1 + 1 + 13); }\n"
    )
    program = tmp_path / "t"
    subprocess.run(
        "gcc -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -o".split()
        + [str(program), str(source)],
        check=True,
        timeout=120,
    )
    assert subprocess.run([str(program)], timeout=20).returncode == 0
