# ports/python/nanorpc/frame.py - frames on a line of bytes: flags, escapes, check sequence.
# Layer: port; knows nothing of links. Source: RFC 1662 3.1, 4.2, appendix C.2; docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
"""What lies between two flags is a frame if its check sequence is right, and text otherwise."""

from __future__ import annotations

import binascii
import re
from typing import Container, Iterator, Optional, Tuple

FLAG, ESCAPE, FLIP = b"\x7e", b"\x7d", 0x20
SHORTEST = 4  # address, control and the check sequence, bytes
OVERHEAD = 9  # flags, address, and control and check sequence with each of their bytes escaped

_ESCAPED = re.compile(rb"\x7d(.)", re.S)
# A line of text may begin with these.
_TEXT = frozenset([*b"\t\r\n\x1b", *range(0x20, 0x100)])
_MIRRORED = bytes(int("{:08b}".format(byte)[::-1], 2) for byte in range(256))


def check_sequence(data: bytes) -> bytes:
    """The two bytes that follow `data` in a frame."""
    # crc_hqx has the same polynomial but takes the highest bit first: so all bits are turned round.
    value = binascii.crc_hqx(data.translate(_MIRRORED), 0xFFFF) ^ 0xFFFF
    return value.to_bytes(2, "big").translate(_MIRRORED)


def escaped(data: bytes) -> bytes:
    """`data` with no flag in it."""
    return data.replace(ESCAPE, b"\x7d\x5d").replace(FLAG, b"\x7d\x5e")


def encode(address: int, control: int, info: bytes = b"") -> bytes:
    """A whole frame, from flag to flag."""
    content = bytes((address, control)) + info
    return FLAG + escaped(content + check_sequence(content)) + FLAG


def decode(piece: bytes) -> Optional[bytes]:
    """Address, control and information of what lay between two flags; None: it is no frame."""
    if piece.endswith(ESCAPE):
        return None  # RFC 1662 4.3: its sender gave it up
    content = _ESCAPED.sub(lambda match: bytes((match.group(1)[0] ^ FLIP,)), piece)
    if len(content) < SHORTEST or check_sequence(content[:-2]) != content[-2:]:
        return None
    return content[:-2]


class Splitter:
    """Cuts what comes from a line into frames and text."""

    def __init__(self, info_bytes: int, addresses: Container[int] = ()) -> None:
        """info_bytes: the most information of a frame; a longer piece is text. addresses: those in use, for now."""
        self._addresses = addresses
        self._longest = 2 * (info_bytes + SHORTEST)
        self._piece = bytearray()
        self._shown = 0  # bytes of the piece that were handed out as text already
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[Tuple[Optional[bytes], bytes]]:
        """Takes any bytes. Yields (frame, b"") and (None, text) in the order in which they came."""
        *whole, rest = data.split(FLAG)
        for part in whole:
            self._piece += part
            frame = None if self._too_long else decode(bytes(self._piece))
            if frame is not None:
                yield frame, b""
            elif len(self._piece) > self._shown:
                yield None, bytes(self._piece[self._shown :])
            self._piece.clear()
            self._shown, self._too_long = 0, False
        self._piece += rest
        text = self._text_so_far()
        if text:
            yield None, text

    def _text_so_far(self) -> bytes:
        """Whole lines of what begins like text need not wait for a flag, which may never come.

        Should the piece be a frame in the end, then it is taken as one none the less.
        """
        if len(self._piece) > self._longest:
            self._too_long = True
            return self._show(len(self._piece))
        if self._is_like_text():
            return self._show(self._piece.rfind(b"\n") + 1)
        return b""

    def _is_like_text(self) -> bool:
        if self._too_long or not self._piece:
            return self._too_long
        return self._piece[0] in _TEXT and self._piece[0] not in self._addresses

    def _show(self, end: int) -> bytes:
        text = bytes(self._piece[self._shown : end])
        self._shown = max(self._shown, end)
        if self._too_long:  # it will not become a frame
            del self._piece[: self._shown]
            self._shown = 0
        return text

    @property
    def has_text(self) -> bool:
        """Whether something is held back that begins like text, such as a line without its end."""
        return self._is_like_text() and len(self._piece) > self._shown

    def flush(self) -> bytes:
        """That text: when nothing has followed it for a while."""
        return self._show(len(self._piece)) if self.has_text else b""
