#!/usr/bin/env python3
# host-sim/relay.py - lets gRPC clients call devices that dial out: reverse calls, where a device is behind a NAT.
# Layer: tool. Source: nanorpc/dial.h (NRPC_REVERSE_DEFINE). Needs Python 3.7, nothing else.
# SPDX-License-Identifier: Apache-2.0
"""A device keeps links to the relay open; each is paired with one client as soon as that one speaks HTTP/2. From then
on bytes pass through as they are, both ways, until one end closes: then both are closed, and the device dials anew. A
client that finds no device waits for --patience seconds, then its connection is reset: gRPC calls that UNAVAILABLE.

All devices of one port are taken in turn, as equals. To call one in particular, give each a port of its own:
  relay.py --devices 0.0.0.0:7001 --clients 127.0.0.1:8001 --devices 0.0.0.0:7002 --clients 127.0.0.1:8002

There is no encryption, and no check of who connects: whoever reaches the devices' port can answer for a device."""

import argparse
import asyncio
import collections
import signal
import socket
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HELLO_SECONDS = 20  # for a client to begin
HELD_BYTES = 65536  # what an end may send before it has its other end
KEEPALIVE = (
    ("TCP_KEEPIDLE", 30),
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 20000),
)


class End(asyncio.Protocol):
    """A connection, of a device or a client."""

    def __init__(self, route, kind):
        self.route, self.kind = route, kind
        self.other = None
        self.held = b""
        self.timer = None

    def connection_made(self, transport):
        self.transport = transport
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:  # one that vanished without a word is found out
            if hasattr(socket, name):
                peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self.name = "%s %s" % (self.kind, "%s:%d" % transport.get_extra_info("peername")[:2])
        self.arrived()

    def data_received(self, data):
        if self.other:
            self.other.transport.write(data)
            return
        self.held += data
        if len(self.held) > HELD_BYTES:
            self.give_up("sends too much before its time")
        else:
            self.spoke()

    def spoke(self):
        pass

    def connection_lost(self, error):
        if self.timer:
            self.timer.cancel()
        self.left()
        if self.other:
            self.route.log("%s has gone" % self.name)
            self.other.other = None
            self.other.transport.close()  # after what is still to be written

    def pause_writing(self):
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self):
        if self.other:
            self.other.transport.resume_reading()

    def give_up(self, why):
        self.route.log("%s %s" % (self.name, why))
        self.left()
        self.transport.abort()


class Device(End):
    def arrived(self):
        self.route.idle.append(self)
        self.route.log("%s is here" % self.name)
        self.route.match()

    def left(self):
        if self in self.route.idle:
            self.route.idle.remove(self)
            self.route.log("%s has gone, unused" % self.name)


class Client(End):
    def arrived(self):
        self.timer = asyncio.get_running_loop().call_later(
            HELLO_SECONDS, self.give_up, "says nothing"
        )

    def spoke(self):
        """A link is worth more than one who is lost: only HTTP/2 gets one."""
        if self in self.route.waiting:
            return
        if not PREFACE.startswith(self.held[: len(PREFACE)]):
            self.give_up("does not speak HTTP/2")
        elif len(self.held) >= len(PREFACE):
            self.timer.cancel()
            self.timer = asyncio.get_running_loop().call_later(
                self.route.patience, self.give_up, "finds no device"
            )
            self.route.waiting.append(self)
            self.route.match()

    def left(self):
        if self in self.route.waiting:
            self.route.waiting.remove(self)


class Route:
    """One port for devices and one for their clients."""

    def __init__(self, patience, verbose):
        self.patience, self.verbose = patience, verbose
        self.idle = collections.deque()
        self.waiting = collections.deque()

    def match(self):
        while self.idle and self.waiting:
            client, device = self.waiting.popleft(), self.idle.popleft()
            client.timer.cancel()
            client.other, device.other = device, client
            for end in (client, device):
                end.other.transport.write(end.held)
                end.held = b""
            self.log("%s calls %s" % (client.name, device.name))

    def log(self, text):
        if self.verbose:
            print("relay: %s; %d idle" % (text, len(self.idle)), flush=True)


async def listen(route, end, address):
    host, _, port = address.rpartition(":")
    server = await asyncio.get_running_loop().create_server(
        lambda: end(route, end.__name__.lower()), host.strip("[]") or "127.0.0.1", int(port)
    )
    return server, "%s:%d" % (host or "127.0.0.1", server.sockets[0].getsockname()[1])


async def run(options):
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    servers = []
    for devices, clients in zip(options.devices, options.clients):
        route = Route(options.patience, options.verbose)
        try:
            for end, address in ((Device, devices), (Client, clients)):
                servers.append(await listen(route, end, address))
        except (OSError, ValueError, OverflowError) as error:
            sys.exit("relay.py: cannot listen on %s: %s" % (address, error))
        print("relay: devices on %s, clients on %s" % (servers[-2][1], servers[-1][1]), flush=True)
    await stopped.wait()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--devices",
        action="append",
        metavar="[ADDRESS:]PORT",
        required=True,
        help="where devices dial; 127.0.0.1 without an address; port 0: a free one",
    )
    parser.add_argument(
        "--clients",
        action="append",
        metavar="[ADDRESS:]PORT",
        required=True,
        help="where clients of these devices connect; as many times as --devices",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="how long a client waits for a link (default: 1)",
    )
    parser.add_argument("--verbose", action="store_true", help="a line for each that comes or goes")
    options = parser.parse_args()
    if len(options.devices) != len(options.clients):
        parser.error("--devices and --clients must be given as many times as each other")
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
