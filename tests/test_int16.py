# tests/test_int16.py - the core is right where int has 16 bits, as far as tests/int16.py can tell; and that it can.
# Layer: tests. Source: ISO C99 6.3.1.1.
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import os

import int16
import pytest


def test_core_and_serial():
    """clang has no warning either, with all options on: -Wconversion of 16 bits is the other half of the check."""
    sources = int16.sources()
    assert len(sources) > 40
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [
            text
            for texts in pool.map(lambda path: list(int16.breaches(path)), sources)
            for text in texts
        ]
    assert found == []


RIGHT = """
uint32_t f(const uint8_t *p, uint16_t a, unsigned token)
{
    uint32_t bit = (uint32_t)1 << token, product = (uint32_t)a * 1000;
    return bit + product + (p[0] | (unsigned)p[1] << 8) + (uint32_t)UINT16_MAX + 1;
}
"""


@pytest.mark.parametrize(
    "right, wrong, text",
    [
        ("", "", None),
        ("(uint32_t)1 << token", "1u << token", "<< of 16 bits becomes unsigned long"),
        ("(uint32_t)a * 1000", "a * 1000u", "* of 16 bits becomes unsigned long"),
        ("(uint32_t)UINT16_MAX + 1", "(UINT16_MAX + 1)", "+ of 16 bits becomes unsigned long"),
        ("(unsigned)p[1] << 8", "p[1] << 8", "a byte is shifted in an int"),
        ("return bit", "enum { LARGE = 65535 }; return bit", "restricts enumerator values"),
        ("bit + product", "(uint16_t)(1 << 20) + product", "shift count >= width"),
    ],
)
def test_finds(right, wrong, text, tmp_path):
    source = "#include <stdint.h>\n\nuint32_t f(const uint8_t *p, uint16_t a, unsigned token);\n"
    path = tmp_path / "f.c"
    path.write_text(source + (RIGHT.replace(right, wrong) if right else RIGHT))
    found = list(int16.breaches(str(path)))
    if text is None:
        assert found == []
    else:
        assert any(text in one for one in found), found
