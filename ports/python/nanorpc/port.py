# ports/python/nanorpc/port.py - serial ports: opening, reading, writing, which there are, what to do when that fails.
# Layer: port. Source: pyserial; POSIX.
# SPDX-License-Identifier: Apache-2.0
"""A port is what pyserial opens and has a descriptor: a device's path, or socket://HOST:PORT."""

from __future__ import annotations

import errno
import os
import re
from typing import List

import serial
from serial.tools import list_ports

READ_BYTES = 4096
_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)

# What a USB plug is, by vendor and product; product None: any of that vendor.
_KNOWN = {
    (0x2E8A, 0x0003): "Raspberry Pi Pico, waiting for a UF2 file (not a serial line)",
    (0x2E8A, 0x000A): "Raspberry Pi Pico, USB",
    (0x2E8A, 0x0009): "Raspberry Pi Pico 2, USB",
    (0x2E8A, 0x000C): "Raspberry Pi Debug Probe: the UART of the board behind it",
    (0x2E8A, None): "Raspberry Pi microcontroller, USB",
    (0x0483, 0x374B): "ST-Link/V2-1: the UART of a Nucleo or Discovery board",
    (0x0483, 0x374E): "ST-Link/V3: the UART of a Nucleo or Discovery board",
    (0x0483, 0x3753): "ST-Link/V3: the UART of a Nucleo or Discovery board",
    (0x0483, 0x5740): "STM32, USB",
    (0x0D28, 0x0204): "DAPLink: the UART of a micro:bit or Mbed board",
    (0x303A, 0x1001): "ESP32, its USB serial port",
    (0x303A, None): "Espressif board, USB",
    (0x2341, None): "Arduino board",
    (0x239A, None): "Adafruit board, USB",
    (0xCAFE, None): "TinyUSB firmware, USB",
    (0x1366, None): "J-Link: the UART of the board behind it",
    (0x10C4, 0xEA60): "USB adapter, CP210x (many ESP32 boards have it)",
    (0x1A86, 0x7523): "USB adapter, CH340 (many ESP32 and Arduino boards have it)",
    (0x1A86, 0x55D4): "USB adapter, CH9102 (many ESP32 boards have it)",
    (0x0403, None): "USB adapter, FTDI",
    (0x067B, None): "USB adapter, PL2303",
}


class PortError(OSError):
    """A port cannot be opened; its text says what to do."""


class Port:
    """An open serial port that never blocks."""

    def __init__(self, url: str, baudrate: int, rtscts: bool = False) -> None:
        """baudrate: bits a second; of no meaning for USB devices and socket://. Raises PortError."""
        try:
            self._serial = serial.serial_for_url(
                url, baudrate=baudrate, rtscts=rtscts, timeout=0, exclusive=True
            )
            self.fd = self._serial.fileno()
            os.set_blocking(self.fd, False)
        except (OSError, ValueError, AttributeError) as error:  # a SerialException is an OSError
            raise PortError(_what_to_do(url, error)) from error

    def read(self) -> bytes:
        """What has come; b"": nothing. OSError: the port has gone."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.EIO, "end of file")
        return data

    def write(self, data: bytes) -> int:
        """How many of the bytes were taken. OSError: the port has gone."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        try:
            self._serial.close()
        except OSError:  # it has gone
            pass


def known(vendor: int, product: int) -> str:
    """What a USB device is; "": nobody knows."""
    return _KNOWN.get((vendor, product)) or _KNOWN.get((vendor, None)) or ""


def ports() -> List[str]:
    """A line for each serial port that is likely a device: its path, what it is, what it says of itself."""
    lines = []
    for info in sorted(list_ports.comports()):
        if info.vid is None:
            if info.description not in ("n/a", info.name):
                lines.append("%s  %s" % (info.device, info.description))
            continue
        says = " ".join(filter(None, (info.manufacturer, info.product)))
        what = known(info.vid, info.pid) or says or "USB serial device"
        rest = ["%04x:%04x" % (info.vid, info.pid)]
        rest += [says] if says and says != what else []
        rest += ["serial number " + info.serial_number] if info.serial_number else []
        lines.append("%s  %s (%s)" % (info.device, what, ", ".join(rest)))
    return lines


def no_ports() -> str:
    return (
        "there is no serial device here: plug it in, with a cable that has data lines; `dmesg` says what Linux made"
        " of it; a container or a virtual machine must be given the device"
    )


def _what_to_do(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if url.startswith("socket://"):
        if not re.fullmatch(r"socket://[^/]+:\d+/?", url):
            return "%s: a port over TCP is socket://HOST:PORT" % url
        return (
            "%s cannot be reached: is something listening there, with no other program on it? (%s)"
            % (url, text)
        )
    if number == errno.ENOENT or not os.path.exists(url) and "://" not in url:
        there = ports()
        hint = "there are:\n  " + "\n  ".join(there) if there else no_ports()
        return "there is no port %s; %s" % (url, hint)
    if number in (errno.EACCES, errno.EPERM):
        return (
            "%s may not be opened by you: it belongs to the group %s. `sudo usermod -aG %s $USER`, then log in anew"
            % (url, _group(url), _group(url))
        )
    if number in _BUSY or "exclusively lock" in text:
        return (
            "%s is busy: another program has it open (a console, a relay, ModemManager?); `fuser %s` says which."
            " To share it: `nanorpc relay %s`, and call the address on which that listens"
            % (url, url, url)
        )
    if number == errno.ENOTTY or "Could not configure port" in text:
        return "%s is no serial port; `nanorpc ports` lists those that are likely a device" % url
    if isinstance(error, AttributeError) or "://" in url:
        return "%s: a port is a device's path or socket://HOST:PORT (%s)" % (url, text)
    return "%s cannot be opened as a serial port: %s" % (url, text)


def _group(path: str) -> str:
    try:
        import grp

        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        return "dialout"
