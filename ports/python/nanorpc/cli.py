# ports/python/nanorpc/cli.py - the command nanorpc: ports, monitor, relay, call.
# Layer: port. Source: docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from typing import Any, Callable, List, Optional, Tuple

import grpc

import nanorpc
from nanorpc import generate
from nanorpc.call import Call, RequestError
from nanorpc.port import PortError, no_ports, ports
from nanorpc.relay import Relay
from nanorpc.schema import ProtoFile, Reflection, SchemaError

LISTEN = "127.0.0.1:50051"
NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")

HINTS = {
    grpc.StatusCode.DEADLINE_EXCEEDED: "--timeout gives it more time",
    grpc.StatusCode.UNAUTHENTICATED: "credentials go with -H, such as -H 'authorization: Bearer TOKEN'",
}


class UsageError(Exception):
    """What was asked for cannot be done; the text says what to do."""


def readable(text: bytes) -> str:
    """What the firmware printed, without damaged frames: lines with bytes that no text has."""
    lines = text.splitlines(keepends=True)
    return b"".join(line for line in lines if not NO_TEXT.search(line)).decode("utf-8", "replace")


def show(text: bytes) -> None:
    sys.stdout.write(readable(text))
    sys.stdout.flush()


def note(line: str) -> None:
    print("nanorpc: " + line, file=sys.stderr, flush=True)


# --- ports, monitor, relay ---------------------------------------------------------------------------------


def do_ports(options: argparse.Namespace) -> int:
    found = ports()
    if not found:
        note(no_ports())
        return 1
    print("\n".join(found))
    return 0


async def relaying(options: argparse.Namespace, on_text: Optional[Callable[[bytes], None]]) -> None:
    """Until SIGINT or SIGTERM."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    relay = Relay(options.port, options.baudrate, options.rtscts, on_text, note)
    await relay.open()
    try:
        for address in options.listen:
            note("%s is at %s" % (options.port, await listening(relay, address)))
        await over.wait()
    finally:
        await relay.close()


async def listening(relay: Relay, address: str) -> str:
    if not re.fullmatch(r"unix:.+|.*:\d+", address):
        raise UsageError(
            "--listen %s: an address is HOST:PORT, such as %s, or unix:PATH" % (address, LISTEN)
        )
    try:
        return await relay.listen(address)
    except OverflowError:
        raise UsageError("--listen %s: a port is a number from 0 to 65535" % address) from None
    except OSError as error:
        raise UsageError(
            "cannot listen at %s (%s): another program may, choose another address with --listen"
            % (address, getattr(error, "strerror", None) or error)
        ) from None


def do_monitor(options: argparse.Namespace) -> int:
    options.listen = []
    asyncio.run(relaying(options, show))
    return 0


def do_relay(options: argparse.Namespace) -> int:
    options.listen = options.listen or [LISTEN]
    asyncio.run(relaying(options, show if options.monitor else None))
    return 0


# --- call --------------------------------------------------------------------------------------------------


def is_port(target: str) -> bool:
    return target.startswith(("/", "socket://")) or re.fullmatch(r"COM\d+", target) is not None


def open_channel(options: argparse.Namespace) -> grpc.Channel:
    target = options.target
    if is_port(target):
        return nanorpc.serial_channel(target, options.baudrate, rtscts=options.rtscts)
    if not re.fullmatch(r"unix:.+|[^/]*:\d+|\w+:///?.+", target):
        raise UsageError(
            "%s: a target is HOST:PORT, unix:PATH or a serial port, such as /dev/ttyACM0; `nanorpc ports` lists these"
            % target
        )
    return grpc.insecure_channel(target)


def metadata_of(lines: List[str]) -> List[Tuple[str, Any]]:
    found: List[Tuple[str, Any]] = []
    for line in lines:
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon or not re.fullmatch(r"[0-9a-z_.-]+", key):
            raise UsageError("-H %s: metadata is KEY:VALUE" % line)
        found.append((key, value.strip().encode() if key.endswith("-bin") else value.strip()))
    return found


def hint(options: argparse.Namespace, code: grpc.StatusCode) -> str:
    if code != grpc.StatusCode.UNAVAILABLE:
        return HINTS.get(code, "")
    if not is_port(options.target):
        return (
            "is a device, or `nanorpc relay`, listening at %s? A relay prints why it has closed a connection; "
            "a serial line over TCP is socket://%s" % (options.target, options.target)
        )
    return "`nanorpc monitor %s` shows what the firmware prints" % options.target


def do_call(options: argparse.Namespace) -> int:
    metadata = metadata_of(options.header)
    logging.getLogger("grpc").addHandler(
        logging.NullHandler()
    )  # what goes wrong is said here, once
    texts = sys.stdin if options.json == "-" else [options.json]
    with open_channel(options) as channel:
        try:
            schema = (
                ProtoFile(options.proto, options.include)
                if options.proto
                else Reflection(channel, metadata=metadata, timeout=options.timeout)
            )
            Call(channel, schema, options.method).run(texts, metadata, options.timeout, sys.stdout)
        except grpc.RpcError as error:
            print("%s: %s" % (error.code().name, error.details()), file=sys.stderr)
            says = hint(options, error.code())
            if says:
                note(says)
            return 1
    return 0


# --- The command line --------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="nanorpc", description="gRPC for devices on a serial line.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version="nanorpc " + nanorpc.__version__)
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace], int], says: str) -> Any:
        made = commands.add_parser(name, help=says, description=says, allow_abbrev=False)
        made.set_defaults(function=function)
        return made

    def line(made: Any) -> None:
        made.add_argument("--baudrate", type=rate, default=115200, help="bits a second (115200)")
        made.add_argument("--rtscts", action="store_true", help="the line has RTS and CTS")

    command("ports", do_ports, "list serial ports that are likely devices, and what they are")
    made = command("monitor", do_monitor, "show what the firmware prints, until Ctrl-C")
    made.add_argument("port", help="a serial port, such as /dev/ttyACM0")
    line(made)
    made = command("relay", do_relay, "make a device on a serial port a target for gRPC clients")
    made.add_argument("port", help="a serial port, such as /dev/ttyACM0")
    made.add_argument(
        "--listen",
        action="append",
        metavar="ADDRESS",
        help="HOST:PORT or unix:PATH (%s); may be repeated" % LISTEN,
    )
    made.add_argument("--monitor", action="store_true", help="show what the firmware prints")
    line(made)
    made = command("call", do_call, "call a method, with JSON; by reflection, or --proto")
    made.add_argument("target", help="HOST:PORT, unix:PATH or a serial port")
    made.add_argument("method", help="SERVICE/METHOD; the service's package may be left out")
    made.add_argument(
        "json",
        nargs="?",
        help="the request; several for a stream; -: read from stdin ({})",
    )
    made.add_argument(
        "--proto", metavar="FILE", help="the .proto file of the service, in the place of reflection"
    )
    made.add_argument(
        "-I", dest="include", action="append", default=[], metavar="DIR", help="of what it imports"
    )
    made.add_argument(
        "-H", dest="header", action="append", default=[], metavar="KEY:VALUE", help="metadata"
    )
    made.add_argument("--timeout", type=float, metavar="SECONDS", help="the call's deadline (none)")
    line(made)
    generate.add_command(command)
    return top


def rate(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError
    return number


def parsed(arguments: Optional[List[str]]) -> argparse.Namespace:
    """argparse alone takes what may be left out, the JSON, before the options only."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if "json" in options:
        if rest and options.json is None and (rest[0] == "-" or rest[0][0:1] != "-"):
            options.json = rest.pop(0)
        options.json = "{}" if options.json is None else options.json
    if rest:
        top.error("unrecognized arguments: " + " ".join(rest))
    return options


def main(arguments: Optional[List[str]] = None) -> int:
    options = parsed(arguments)
    try:
        return options.function(options)
    except (PortError, SchemaError, RequestError, UsageError, generate.GenerateError) as error:
        note(str(error))
        return 1
    except BrokenPipeError:  # who read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
