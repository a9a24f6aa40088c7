# ports/python/nanorpc/__init__.py - gRPC for devices on a serial line: what applications import.
# Layer: port. Source: docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
"""nanorpc.serial_channel: an ordinary grpc.Channel to a device. nanorpc.aio.serial_channel: a grpc.aio.Channel."""

from importlib import metadata

from nanorpc import aio
from nanorpc.channel import serial_channel
from nanorpc.port import PortError

__all__ = ["PortError", "aio", "serial_channel"]

try:
    __version__ = metadata.version("nanorpc")
except metadata.PackageNotFoundError:  # the sources, not installed
    __version__ = "unknown"
