# tests/serial/world.py - a device on a bad line, the host's side, an HTTP/2 client: in a time of their own.
# Layer: tests. Source: docs/serial.md. The client is the library h2, the host's side ports/python/nanorpc/link.py.
# SPDX-License-Identifier: Apache-2.0
"""Everything happens in milliseconds of a World: nothing waits for a clock. A Way has the line's rate, and what it
does to bytes, from a seed."""

import collections
import random
import struct
import subprocess

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from nanorpc import link as serial_link

RESET = 0xFFFFFFFF


class Device:
    """tests/serial/device.c."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def pass_by(self, now, data, room):
        """Bytes for it; returns (milliseconds to its next tick, its bytes)."""
        self.process.stdin.write(struct.pack("=IHH", now, room, len(data)) + data)
        next_tick, n = struct.unpack("=IH", self.read(6))
        return next_tick, self.read(n)

    def reset(self):
        self.process.stdin.write(struct.pack("=IHH", RESET, 0, 0))

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.process.stdout.read(n - len(data))
            assert more, "the device has ended: %s" % self.process.wait(10)
            data += more
        return data

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


class Way:
    """One direction of a line. lost, flipped, inserted: of a million bytes. delay: milliseconds."""

    def __init__(self, baud, seed, lost=0, flipped=0, inserted=0, delay=0):
        self.per_ms, self.random = baud / 10 / 1000, random.Random(seed)
        self.odds = lost, flipped, inserted
        self.delay, self.waiting, self.on_way, self.credit = (
            delay,
            bytearray(),
            collections.deque(),
            0.0,
        )
        self.is_cut = False

    def put(self, data):
        self.waiting += data

    def backlog(self):
        return len(self.waiting)

    def pass_ms(self, now):
        """What arrives in this millisecond."""
        self.credit = min(self.credit + self.per_ms, self.per_ms + 1)
        n = min(int(self.credit), len(self.waiting))
        self.credit -= n
        sent, self.waiting = bytes(self.waiting[:n]), self.waiting[n:]
        self.on_way.append((now + self.delay, self.damaged(sent)))
        arrived = b""
        while self.on_way and self.on_way[0][0] <= now:
            arrived += self.on_way.popleft()[1]
        return b"" if self.is_cut else arrived

    def damaged(self, data):
        if not any(self.odds):
            return data
        out = bytearray()
        for byte in data:
            lost, flipped, inserted = (self.random.random() * 1e6 < odds for odds in self.odds)
            if inserted:
                out.append(self.random.randrange(256))
            if not lost:
                out.append(byte ^ (1 << self.random.randrange(8)) if flipped else byte)
        return bytes(out)


class Client(serial_link.User):
    """A gRPC client: calls one after the other, or so many at a time; comes back when its link is over."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.replies = {}  # stream: [data, status or reason]
        self.link = self.h2 = None
        self.connections = 0

    def connect(self):
        self.connections += 1
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.link = self.world.line.open(self, self.world.seconds())
        self.send()

    def send(self):
        self.link.send(self.h2.data_to_send())

    def call(self, path, body):
        if self.link is None:
            self.connect()
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "d")]
        headers += [("te", "trailers"), ("content-type", "application/grpc")]
        self.h2.send_headers(stream, headers)
        self.h2.send_data(stream, body, end_stream=True)
        self.send()
        reply = self.replies[self.connections, stream] = [b"", None]
        return reply

    def received(self, data):
        for event in self.h2.receive_data(data):
            stream = getattr(event, "stream_id", None)
            reply = self.replies.get((self.connections, stream))
            if isinstance(event, DataReceived):
                reply[0] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, (ResponseReceived, TrailersReceived)):
                reply[1] = dict(event.headers).get("grpc-status", reply[1])
            elif isinstance(event, StreamReset):
                reply[1] = reply[1] or "reset"
            elif isinstance(event, (StreamEnded, ConnectionTerminated)):
                pass
        self.send()

    def closed(self, reason):
        self.link = None
        for reply in self.replies.values():
            reply[1] = reply[1] or "closed: " + reason


class World:
    def __init__(self, device, baud, seed=1, **damage):
        self.device, self.now, self.text = device, 1000, b""
        self.down, self.up = (
            Way(baud, "%s, %d" % (way, seed), **damage) for way in ("to the device", "from it")
        )
        self.line = serial_link.Line(baud, self.printed)
        for _ in range(100):  # the device says that it has begun
            self.step()

    def seconds(self):
        return self.now / 1000

    def printed(self, text):
        self.text += text

    def step(self):
        """A millisecond."""
        self.now += 1
        room = max(0, 16 - self.up.backlog())  # a UART's FIFO
        _, data = self.device.pass_by(self.now, self.down.pass_ms(self.now), room)
        self.up.put(data)
        arrived = self.up.pass_ms(self.now)
        if arrived:
            self.line.receive(arrived, self.seconds())
        self.line.tick(self.seconds())
        if self.down.backlog() < 64:
            self.down.put(self.line.transmit(self.seconds()))

    def run(self, until, most_ms):
        """Milliseconds until it is so; fails when they are more."""
        begun = self.now
        while not until():
            assert self.now - begun < most_ms, "it does not come to that in %d ms" % most_ms
            self.step()
        return self.now - begun
