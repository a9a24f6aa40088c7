# tests/python/device.py - a device's side of the serial link, and a line with faults: what link.py is tested against.
# Layer: tests. Source: docs/serial.md, read anew; shares no code with ports/python.
# SPDX-License-Identifier: Apache-2.0
"""All in virtual time, in seconds. `Device` reads its receive ring only when its main loop comes round."""

import collections
import heapq
import itertools

N2, SILENCE = 10, 10.0


def fcs_of(value):
    for _ in range(8):
        value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value


FCS = [fcs_of(byte) for byte in range(256)]


def fcs(data):
    """RFC 1662, appendix C.2."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ FCS[(value ^ byte) & 0xFF]
    return value ^ 0xFFFF


def frame(address, control, info=b""):
    content = bytes([address, control]) + info
    content += bytes([fcs(content) & 0xFF, fcs(content) >> 8])
    out = b""
    for byte in content:
        out += bytes([0x7D, byte ^ 0x20]) if byte in (0x7D, 0x7E) else bytes([byte])
    return b"~" + out + b"~"


class Unframe:
    """Bytes to frames, one at a time."""

    def __init__(self):
        self.piece, self.is_escaped = b"", False

    def take(self, byte):
        """(address, control, information), or None."""
        if byte == 0x7E:
            piece, was_escaped = self.piece, self.is_escaped
            self.piece, self.is_escaped = b"", False
            right = len(piece) >= 4 and fcs(piece[:-2]) == piece[-2] | piece[-1] << 8
            return (piece[0], piece[1], piece[2:-2]) if right and not was_escaped else None
        if byte == 0x7D and not self.is_escaped:
            self.is_escaped = True
        else:
            self.piece += bytes([byte ^ 0x20 if self.is_escaped else byte])
            self.is_escaped = False
        return None


class Wire:
    """One direction of a line: bytes in order, one after the other at the line's rate."""

    def __init__(self, baudrate, random, lose=0.0, flip=0.0, insert=0.0, delay=0.0):
        """lose, flip, insert: probabilities of each byte. delay: at most so many seconds more, now and then."""
        self.byte_time, self.random = 10 / baudrate, random
        self.lose, self.flip, self.insert, self.delay = lose, flip, insert, delay
        self.free, self.bytes, self.is_cut = 0.0, collections.deque(), False

    def write(self, data, now):
        random = self.random
        for byte in data:
            self.free = max(self.free, now) + self.byte_time
            if self.delay and random.random() < 0.01:
                self.free += random.random() * self.delay
            if self.is_cut or random.random() < self.lose:
                continue
            if random.random() < self.flip:
                byte ^= 1 << random.randrange(8)
            self.bytes.append((self.free, byte))
            if random.random() < self.insert:
                self.bytes.append((self.free, random.randrange(256)))

    def read(self, now):
        out = bytearray()
        while self.bytes and self.bytes[0][0] <= now:
            out.append(self.bytes.popleft()[1])
        return bytes(out)

    def next(self):
        return self.bytes[0][0] if self.bytes else float("inf")


class Echo:
    """A connection of the device that sends back what it got; has room for few bytes."""

    def __init__(self, room=150):
        self.room, self.held = room, b""

    def take(self, data):
        n = min(len(data), self.room - len(self.held))
        self.held += data[:n]
        return n

    def give(self, most):
        out, self.held = self.held[:most], self.held[most:]
        return out

    ends = False


class DeviceLink:
    def __init__(self, device, address, connection, says, now):
        self.device, self.address, self.connection = device, address, connection
        self.info_bytes, self.window = says[1] << 8 | says[2], says[3]
        self.frames, self.va, self.sent = [], 0, 0  # not acknowledged; of these, on their way
        self.vr, self.taken = 0, 0
        self.is_busy = self.host_busy = self.rejected = False
        self.owes = ["UA"]
        self.heard, self.timer, self.tries = now, None, 0

    def on_frame(self, control, info, now):
        self.heard = now
        count = ((control >> 5) - self.va) % 8
        assert count <= len(self.frames), "the host acknowledges what was never sent"
        if count:
            del self.frames[:count]
            self.va, self.sent, self.tries = control >> 5, max(0, self.sent - count), 0
            self.timer = now + self.device.t1 if self.sent else None
        if control & 1 == 0:
            self.on_information(control >> 1 & 7, info)
        else:
            kind = control & 0x0F
            self.host_busy = kind == 5
            if kind == 9:
                self.sent = 0
            if control & 0x10:
                self.owes.append("F")

    def on_information(self, number, info):
        if number != self.vr:
            self.owes.append("ACK" if self.rejected else "REJ")
            self.rejected = True
            self.device.dropped += 1
            return
        self.taken += self.connection.take(info[self.taken :])
        self.is_busy = self.taken < len(info)
        if not self.is_busy:
            self.vr, self.taken, self.rejected = (self.vr + 1) % 8, 0, False
        self.owes.append("ACK")

    def next(self, now):
        if "UA" in self.owes:
            self.owes.remove("UA")
            return frame(self.address, 0x73, self.device.says)
        if "REJ" in self.owes and not self.is_busy:
            self.owes = [owed for owed in self.owes if owed == "F"]
            return frame(self.address, self.vr << 5 | 0x09)
        if "F" in self.owes:
            self.owes = []
            return frame(self.address, self.vr << 5 | 0x10 | (5 if self.is_busy else 1))
        if len(self.frames) < self.window and len(self.frames) == self.sent:
            out = self.connection.give(min(self.info_bytes, self.device.info_bytes))
            if out:
                self.frames.append(out)
        if self.is_busy and self.connection.room - len(self.connection.held) > 0:
            self.is_busy = False
            self.owes.append("ACK")
        if self.sent < len(self.frames) and not self.host_busy:
            self.sent += 1
            number = (self.va + self.sent - 1) % 8
            self.timer = self.timer or now + self.device.t1
            if not self.is_busy:
                self.owes = []
            return frame(self.address, self.vr << 5 | number << 1, self.frames[self.sent - 1])
        if self.owes:
            self.owes = []
            return frame(self.address, self.vr << 5 | (5 if self.is_busy else 1))
        if self.connection.ends and not self.frames:
            self.device.leaving[self.address] = [now, 0]
            self.device.drop(self.address)
        return b""

    def tick(self, now):
        if now > self.heard + SILENCE:
            self.device.drop(self.address)
        elif self.timer and now >= self.timer:
            self.timer = now + self.device.t1 if self.sent else None
            self.tries += bool(self.sent) and not self.host_busy
            self.sent = 0
            if self.tries > N2:
                self.device.drop(self.address)


class Device:
    """links: clients at once. ring: bytes of the receive ring, 0: it never fills. loop: seconds between two looks."""

    def __init__(
        self, baudrate, connect=Echo, links=3, ring=256, info_bytes=64, window=7, loop=0.002
    ):
        self.baudrate, self.connect, self.n_links, self.loop = baudrate, connect, links, loop
        self.ring_bytes, self.info_bytes, self.window = ring, info_bytes, window
        takes = ring and ring - 16
        self.says = bytes([1, info_bytes >> 8, info_bytes & 255, window, takes >> 8, takes & 255])
        self.t1 = 0.2 + 2 * window * (info_bytes * 1.1 + 8) * 10 / baudrate
        self.overruns = self.dropped = self.opened = 0
        self.fullest = 0
        self.text = b""
        self.reset()

    def reset(self):
        self.ring, self.unframe = b"", Unframe()
        self.links, self.leaving = {}, {}
        self.out = [frame(0, 0x1F)]

    def drop(self, address):
        self.links.pop(address, None)

    def receive(self, data):
        """The UART's interrupt."""
        self.ring += data
        self.fullest = max(self.fullest, len(self.ring))
        if self.ring_bytes and len(self.ring) > self.ring_bytes:
            self.overruns += 1
            self.ring = self.ring[: self.ring_bytes]

    def on_frame(self, address, control, info, now):
        link = self.links.get(address)
        if control == 0x3F:
            if 1 <= address <= self.n_links and len(info) >= 6 and info[0] == 1:
                self.leaving.pop(address, None)
                self.opened += 1
                self.links[address] = DeviceLink(self, address, self.connect(), info, now)
            else:
                self.out.append(frame(address, 0x1F))
        elif control == 0x53:
            self.out.append(frame(address, 0x73 if link else 0x1F))
            self.drop(address)
        elif control in (0x73, 0x1F):
            self.leaving.pop(address, None)
            if control == 0x1F:
                self.drop(address)
        elif link:
            link.on_frame(control, info, now)
        elif address not in self.leaving:
            self.out.append(frame(address, 0x1F))

    def run(self, now):
        """The main loop, once."""
        ring, self.ring = self.ring, b""
        for byte in ring:
            found = self.unframe.take(byte)
            if found:
                self.on_frame(*found, now)
        for link in list(self.links.values()):
            link.tick(now)
        for address, when in list(self.leaving.items()):
            if now >= when[0]:
                when[0], when[1] = now + self.t1, when[1] + 1
                self.out.append(frame(address, 0x53))
                if when[1] > N2:
                    del self.leaving[address]

    def transmit(self, now):
        """Bytes for the line, when its UART has room."""
        out, self.out = b"".join(self.out) + self.text, []
        self.text = b""
        for link in list(self.links.values()):
            out += link.next(now)
        return out


class World:
    """A host's line, a device and two wires between them; `at` plans what happens when."""

    def __init__(self, line, device, random, **faults):
        self.line, self.device = line, device
        self.down = Wire(device.baudrate, random, **faults)
        self.up = Wire(device.baudrate, random, **faults)
        self.now, self.plan, self.order = 0.0, [], itertools.count()
        self.next_loop = 0.0

    def at(self, when, what):
        heapq.heappush(self.plan, (when, next(self.order), what))

    def step(self):
        line, device = self.line, self.device
        self.write()
        when = min(
            line.next_tick(), self.up.next(), self.next_loop, self.plan[0][0] if self.plan else 1e9
        )
        self.now = max(self.now, when)
        while self.plan and self.plan[0][0] <= self.now:
            heapq.heappop(self.plan)[2]()
        came = self.up.read(self.now)
        if came:
            line.receive(came, self.now)
        if line.next_tick() <= self.now:
            line.tick(self.now)
        self.write()
        if self.now >= self.next_loop:
            self.next_loop = self.now + device.loop
            device.receive(self.down.read(self.now))
            device.run(self.now)
            if (
                self.up.free < self.now + 0.005
            ):  # its UART takes the next when the last has nearly gone
                self.up.write(device.transmit(self.now), self.now)

    def write(self):
        data = self.line.transmit(self.now)
        while data:
            self.down.write(data, self.now)
            data = self.line.transmit(self.now)

    def run(self, until, limit):
        """Steps until `until()` holds. Fails when `limit` seconds of the line's time are over."""
        end = self.now + limit
        while not until():
            assert self.now < end, "it hangs"
            self.step()
