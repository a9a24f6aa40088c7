# tests/python/test_frame.py - frames and text on a line of bytes.
# Layer: tests. Source: RFC 1662 (its check sequence's test value is that of X.25's CRC); docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
import random

import pytest

import device
from nanorpc import frame


def cut(data, sizes, info_bytes=64):
    """What a splitter makes of data in pieces; pieces of text that follow each other are joined."""
    splitter, out = frame.Splitter(info_bytes), []
    for begin, end in zip([0, *sizes], [*sizes, len(data)]):
        for content, text in splitter.feed(data[begin:end]):
            if content is None and out and isinstance(out[-1], str):
                out[-1] += text.decode("latin-1")
            else:
                out.append(content if content is not None else text.decode("latin-1"))
    return out


def test_check_sequence():
    assert frame.check_sequence(b"123456789") == (0x906E).to_bytes(2, "little")
    for n in range(300):
        data = random.Random(n).randbytes(n)
        assert frame.check_sequence(data) == device.fcs(data).to_bytes(2, "little")


def test_encode():
    """SABM with what the host takes, by hand: no other code of ours made these bytes."""
    assert frame.encode(1, 0x1F)[:3] == b"\x7e\x01\x1f"
    assert frame.encode(3, 0x02, b"~}a")[:8] == b"\x7e\x03\x02\x7d\x5e\x7d\x5da"
    for n in range(100):
        info = bytes(random.Random(n).choices(b"\x7d\x7e\x5d\x5e\x00a", k=n))
        assert frame.encode(n, n, info) == device.frame(n, n, info)
        assert len(frame.encode(n, n, info)) <= len(frame.escaped(info)) + frame.OVERHEAD
        assert cut(frame.encode(n, n, info), [], 128) == [bytes([n, n]) + info]


def test_every_cut():
    """Frames and text are the same however the bytes arrive."""
    data = (
        b"boot v1\r\n"
        + frame.encode(0, 0x1F)
        + b"tick\n"
        + frame.encode(1, 0x02, b"a~b}c\n")
        + frame.encode(2, 0x73, b"\x01\x00\x40\x07\x00\xf0")[1:]  # one flag between two frames
        + b"~~~bye\n"
    )
    whole = [
        "boot v1\r\n",
        b"\x00\x1f",
        "tick\n",
        b"\x01\x02a~b}c\n",
        b"\x02\x73\x01\x00\x40\x07\x00\xf0",
        "bye\n",
    ]
    assert cut(data, []) == whole
    assert cut(data, range(1, len(data))) == whole
    for i in range(1, len(data)):
        assert cut(data, [i]) == whole, i


def test_damaged_frame_is_no_frame():
    good = frame.encode(1, 0x02, b"some bytes")
    for i in range(1, len(good) - 1):
        for bit in range(8):
            bad = good[:i] + bytes([good[i] ^ 1 << bit]) + good[i + 1 :]
            assert not [part for part in cut(bad, []) if isinstance(part, bytes)], (i, bit)
        assert not [part for part in cut(good[:i] + good[i + 1 :], []) if isinstance(part, bytes)]


def test_other_escapes_are_undone():
    content = b"\x01\x02\x11\x13"
    sent = content + frame.check_sequence(content)
    assert cut(b"~" + b"".join(b"\x7d" + bytes([byte ^ 0x20]) for byte in sent) + b"~", []) == [
        content
    ]


@pytest.mark.parametrize(
    "piece", [b"", b"abc", b"\x01\x1f\x00\x00", frame.encode(1, 2)[1:-1] + b"\x7d"]
)
def test_no_frame(piece):
    """Too short, a wrong check sequence, given up by its sender."""
    assert frame.decode(piece) is None


def test_text_needs_no_flag():
    splitter = frame.Splitter(64)
    assert list(splitter.feed(b"one\ntwo")) == [(None, b"one\n")] and splitter.has_text
    assert splitter.flush() == b"two" and not splitter.has_text
    assert list(splitter.feed(b"!" + frame.encode(1, 2))) == [(None, b"!"), (b"\x01\x02", b"")]


def test_text_without_end():
    """Firmware that serves nothing prints for ever: memory stays small, and the next frame is found."""
    splitter, printed = frame.Splitter(64), random.Random(1).choices(b"0123456789 \n", k=10000)
    shown = b"".join(text for byte in printed for _, text in splitter.feed(bytes([byte])))
    assert shown + splitter.flush() == bytes(printed)
    assert len(splitter._piece) <= 2 * (64 + 4)
    assert list(splitter.feed(frame.encode(1, 2))) == [(b"\x01\x02", b"")]


def test_frame_of_a_high_address_is_not_shown():
    """Address 10 is a line's end, too; in use it is no text."""
    content = frame.encode(10, 0x02, b"a\nb")
    for addresses, shown in (((), [b"\n\x02a\n"]), ({10}, [])):
        splitter = frame.Splitter(64, addresses)
        assert [text for _, text in splitter.feed(content[:-3])] == shown
        assert [found for found, _ in splitter.feed(content[-3:])] == [b"\x0a\x02a\nb"]
