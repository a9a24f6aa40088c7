# tests/python/test_link.py - the host's side of the serial link, in virtual time, over lines with faults.
# Layer: tests. Source: docs/serial.md. Seeds are fixed: a test is the same each time.
# SPDX-License-Identifier: Apache-2.0
import math
import random

import pytest

import device
from nanorpc import link

RATES = (9600, 115200)


class Client(link.User):
    """Sends `data` as fast as the link takes it, and keeps what comes."""

    def __init__(self, world, data=b"", naps=None):
        self.world, self.data, self.naps = world, data, naps
        self.got, self.is_open, self.reason = b"", False, None
        self.link = world.line.open(self, world.now)
        self.feed()

    def feed(self):
        if self.reason is None and self.data and self.link.backlog < 2000:
            self.link.send(self.data[:700])
            self.data = self.data[700:]
        if self.data:
            self.world.at(self.world.now + 0.01, self.feed)

    def opened(self):
        assert not self.is_open
        self.is_open = True

    def received(self, data):
        assert self.reason is None and self.is_open
        self.got += data
        if self.naps and self.naps.random() < 0.2:
            self.link.pause()
            self.world.at(self.world.now + self.naps.random(), self.wake)

    def wake(self):
        self.link.resume()

    def closed(self, reason):
        assert self.reason is None
        self.reason = reason


def make(baudrate=115200, seed=1, connect=device.Echo, on_text=None, faults=None, **options):
    line = link.Line(baudrate, on_text)
    world = device.World(
        line, device.Device(baudrate, connect, **options), random.Random(seed), **(faults or {})
    )
    world.run(lambda: world.now > 0.1, 1)  # the device's "I have begun" is over
    return world


def bytes_of(seed, n):
    """Some with many flags and escapes."""
    chosen = random.Random(seed)
    return bytes(chosen.choices(b"\x7d\x7e\x5e\x00", k=n)) if seed % 3 == 0 else chosen.randbytes(n)


def serve(world, datas, limit, naps=None):
    """Clients echo these at once; each gets all, or was told that its link is lost. Returns those that got all."""
    clients = [Client(world, data, naps) for data in datas]
    world.run(lambda: all(c.got == d or c.reason for c, d in zip(clients, datas)), limit)
    whole = 0
    for client, data in zip(clients, datas):
        assert data.startswith(client.got)
        whole += client.got == data
    for client in clients:
        client.link.close(world.now)
    world.run(lambda: not world.line.links, 60)
    return whole


# --- A good line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("baudrate", RATES)
@pytest.mark.parametrize("ring", [0, 64, 96, 256, 1000])
def test_three_clients(baudrate, ring):
    """All bytes arrive, the ring never overruns, and nothing is sent twice on a line without faults."""
    world = make(baudrate, ring=ring, connect=lambda: device.Echo(room=9999))
    assert serve(world, [bytes_of(i, 3000) for i in range(3)], 60) == 3
    assert (world.device.overruns, world.device.dropped, world.device.opened) == (0, 0, 3)
    assert world.device.links == {}  # each was closed, and is known to be


def test_rate():
    """One way, the line is used: three quarters of 11520 bytes a second, escapes and acknowledgements included."""

    class Sink(device.Echo):
        def take(self, data):
            return len(data)

    world = make(ring=512, connect=Sink)
    client = Client(world, bytes_of(1, 20000))
    begin = world.now
    world.run(lambda: not client.data and not client.link.backlog, 60)
    assert 20000 / (world.now - begin) > 0.75 * 11520


def test_slow_loop():
    """A device that is busy for half a second at a time: slow, but nothing is lost, and nobody is cut off."""
    world = make(9600, ring=128, loop=0.5)
    assert serve(world, [bytes_of(i, 400) for i in range(2)], 200) == 2
    assert (world.device.overruns, world.device.dropped) == (0, 0)
    assert world.device.fullest > 60


@pytest.mark.parametrize("window, info_bytes", [(1, 16), (2, 64), (7, 16), (7, 1024)])
def test_what_a_device_takes(window, info_bytes):
    world = make(ring=0, window=window, info_bytes=info_bytes)
    longest, most = 0, 0
    on_information = device.DeviceLink.on_information

    def watch(self, number, info):
        nonlocal longest
        longest = max(longest, len(info))
        on_information(self, number, info)

    device.DeviceLink.on_information = watch
    try:
        client = Client(world, bytes_of(1, 5000))
        while client.got != bytes_of(1, 5000):
            world.step()
            most = max(most, len(client.link._frames))
            assert world.now < 60
    finally:
        device.DeviceLink.on_information = on_information
    assert min(info_bytes, 64) <= longest <= info_bytes
    assert most == window if info_bytes < 1024 else most <= window


def test_pauses():
    """A client that takes nothing for a while: the device is told, holds, and goes on."""
    world = make(ring=256)
    client = Client(world, bytes_of(1, 4000))
    world.run(lambda: len(client.got) > 100, 5)
    client.link.pause()
    so_far = len(client.got)
    world.run(lambda: world.now > 8, 10)
    held = len(client.got)
    assert held - so_far < 8 * link.INFO_BYTES and client.reason is None
    client.link.resume()
    world.run(lambda: client.got == bytes_of(1, 4000), 10)


def test_other_clients_while_one_waits():
    """A device whose one connection takes nothing has told so; the ring is for the others then."""

    class Choosy(device.Echo):
        number = 0

        def __init__(self):
            super().__init__()
            Choosy.number += 1
            self.is_deaf = Choosy.number == 1

        def take(self, data):
            return 0 if self.is_deaf else super().take(data)

    world = make(ring=128, connect=Choosy)
    Client(world, bytes_of(1, 2000))
    world.run(lambda: world.now > 1, 5)
    deaf = next(iter(world.device.links.values()))
    deaf.connection.held = b"x" * deaf.connection.room  # no RR before its time
    assert serve(world, [bytes_of(2, 2000)], 10) == 1
    assert world.device.overruns == 0


# --- Coming, going ------------------------------------------------------------------------------------------


def test_more_clients_than_connections():
    world = make(links=2)
    clients = [Client(world, b"abc") for _ in range(3)]
    world.run(lambda: clients[2].reason, 5)
    assert "no connection left" in clients[2].reason
    world.run(lambda: clients[0].got == clients[1].got == b"abc", 5)
    clients[0].link.close(world.now)
    again = Client(world, b"def")  # at once: it waits until the device has its connection back
    world.run(lambda: again.got == b"def", 5)
    assert world.device.opened == 3


def test_one_after_the_other():
    world = make(links=1)
    for i in range(50):
        client = Client(world, b"%d" % i)
        world.run(lambda: client.got == b"%d" % i, 1)
        client.link.close(world.now)
    assert world.device.opened == 50


def test_device_is_reset():
    world = make()
    clients = [Client(world, bytes_of(i, 3000)) for i in range(2)]
    world.run(lambda: len(clients[1].got) > 500, 5)
    world.device.reset()
    world.run(lambda: all(client.reason for client in clients), 0.2)
    assert {client.reason for client in clients} == {"the device was restarted"}
    assert serve(world, [bytes_of(1, 1000)], 5) == 1


def test_device_is_reset_unheard():
    """The word of it is lost: then the device does not know the links."""
    world = make()
    client = Client(world, bytes_of(1, 3000))
    world.run(lambda: len(client.got) > 500, 5)
    world.device.reset()
    world.device.out = []
    world.run(lambda: client.reason, 1)
    assert "restarted" in client.reason
    assert serve(world, [bytes_of(1, 1000)], 5) == 1


def test_device_begins_when_the_first_client_is_there_already():
    """Plugged in, it is called before it has begun: the client does not notice."""
    for delay in range(20):
        world = make()
        client = Client(world, b"abc")
        world.at(world.now + delay / 1000, lambda: client.got or world.device.reset())
        world.run(lambda: client.got == b"abc" or client.reason, 5)
        assert client.got == b"abc" or client.is_open, delay


def test_idle_link():
    """It stays, as each side hears of the other; when the cable is cut both find out."""
    world = make()
    client = Client(world)
    world.run(lambda: world.now > 60, 61)
    assert client.reason is None and world.device.links
    world.down.is_cut = world.up.is_cut = True
    world.run(lambda: client.reason, 8)
    assert "does not answer any more" in client.reason
    world.run(lambda: not world.device.links, 11)
    other = Client(world)
    world.run(lambda: other.reason, 8)
    assert "right port" in other.reason
    world.down.is_cut = world.up.is_cut = False
    assert serve(world, [bytes_of(1, 1000)], 5) == 1


@pytest.mark.parametrize("way", ["up", "down"])
def test_cut_one_way(way):
    world = make()
    client = Client(world, bytes_of(1, 9000))
    world.run(lambda: len(client.got) > 500, 5)
    getattr(world, way).is_cut = True
    world.run(lambda: client.reason, 15)
    assert bytes_of(1, 9000).startswith(client.got)


def test_port_is_gone():
    world = make()
    clients = [Client(world, b"abc") for _ in range(2)]
    world.run(lambda: clients[1].got, 5)
    clients.append(Client(world, b"abc"))
    world.line.cut("unplugged", world.now)
    assert [client.reason for client in clients] == ["unplugged"] * 3
    assert world.line.links == 0 and world.line.transmit(world.now) == b""
    assert world.line.next_tick() == math.inf


def test_nothing_can_be_written():
    """CTS stays low: no byte leaves, and still every link ends."""
    world = make()
    client = Client(world, b"abc")
    world.run(lambda: client.got == b"abc", 5)
    other = Client(world, b"abc")
    world.write = lambda: None
    world.run(lambda: client.reason and other.reason, 20)


def test_device_closes():
    """What it said before arrives; it is answered, however often it says so."""

    class Once(device.Echo):
        @property
        def ends(self):
            return self.room < 150 and not self.held

        def take(self, data):
            self.room = 149
            return super().take(data)

    for seed in range(20):
        world = make(seed=seed, connect=Once, faults={"lose": 0.02})
        client = Client(world, b"a few bytes")
        world.run(lambda: client.reason, 20)
        if "closed" in client.reason:
            assert client.got == b"a few bytes"
        world.run(lambda: not world.device.leaving, 20)


def test_host_was_killed():
    """The device has links of a host that is no more: those of the next are not mixed with them."""
    world = make()
    client = Client(world, bytes_of(1, 5000))
    world.run(lambda: len(client.got) > 500, 5)
    world.line = link.Line(115200)
    assert serve(world, [bytes_of(2, 1000), bytes_of(3, 1000)], 5) == 2


def test_sabm_twice():
    """A device that answers late gets SABM twice, and begins twice: what it said in between counts for nothing."""

    class Greets(device.Echo):
        number = 0

        def __init__(self):
            super().__init__()
            Greets.number += 1
            self.held = b"hello %d\n" % Greets.number

    world = make(connect=Greets, loop=0.001)
    world.device.loop = 0.45
    world.next_loop = world.now + 0.45
    client = Client(world, b"abc")
    world.run(lambda: b"abc" in client.got, 20)
    assert world.device.opened == Greets.number > 1
    assert client.got == b"hello %d\nabc" % Greets.number


def test_other_versions_and_nonsense_are_refused():
    for says, why in (
        (b"\x02\x00\x40\x07\x00\x00", "version 2"),
        (b"\x01\x00\x0f\x07\x00\x00", "too little"),
        (b"\x01\x00\x40\x00\x00\x00", "too little"),
        (b"\x01\x00\x40\x07\x00\x10", "too little"),
    ):
        world = make()
        world.device.says = says
        client = Client(world, b"abc")
        world.run(lambda: client.reason, 5)
        assert why in client.reason and not client.is_open
        world.run(lambda: not world.line.links, 5)


# --- Text --------------------------------------------------------------------------------------------------


def test_text():
    shown = []
    world = make(on_text=shown.append)
    client = Client(world, bytes_of(1, 3000))
    for i in range(20):
        world.at(0.2 + i * 0.05, lambda i=i: setattr(world.device, "text", b"line %d\r\n" % i))
    world.at(3, lambda: setattr(world.device, "text", b"> "))
    world.run(lambda: client.got == bytes_of(1, 3000) and world.now > 3.5, 10)
    assert b"".join(shown) == b"".join(b"line %d\r\n" % i for i in range(20)) + b"> "


def test_text_alone():
    """A firmware that serves nothing, and one that only boots yet."""
    shown = []
    line = link.Line(115200, shown.append)
    line.receive(b"booting ... ", 1.0)
    assert shown == [] and line.next_tick() == pytest.approx(1.1)
    line.tick(1.1)
    assert shown == [b"booting ... "] and line.next_tick() == math.inf
    line.receive(b"done\r\n", 2.0)
    assert shown == [b"booting ... ", b"done\r\n"] and line.next_tick() == math.inf


# --- A bad line --------------------------------------------------------------------------------------------

FAULTS = {
    "loses": {"lose": 0.002},
    "flips": {"flip": 0.002},
    "inserts": {"insert": 0.002},
    "delays": {"delay": 0.3},
    "all": {"lose": 0.0007, "flip": 0.0007, "insert": 0.0007, "delay": 0.1},
    "much": {"lose": 0.003, "flip": 0.003, "insert": 0.003, "delay": 0.05},
}


@pytest.mark.parametrize("baudrate", RATES)
@pytest.mark.parametrize("faults", FAULTS)
def test_bad_line(baudrate, faults):
    """No wrong byte, no hang; what does not arrive whole was ended. All but the worst line carries everything."""
    whole = all_of = 0
    for seed in range(3):
        ring = (0, 128, 300)[seed]
        world = make(baudrate, seed, faults=FAULTS[faults], ring=ring)
        datas = [bytes_of(seed + i, 700) for i in range(3)]
        whole += serve(world, datas, 600, random.Random(seed) if seed % 2 else None)
        all_of += len(datas)
        assert world.device.overruns == 0
    assert whole == all_of or faults == "much" and whole > 0


@pytest.mark.parametrize("baudrate", RATES)
def test_resets_on_a_bad_line(baudrate):
    """Clients come and go, the device is reset again and again, the cable is cut now and then."""
    for seed in range(3):
        chance = random.Random(seed)
        world = make(baudrate, seed, faults=FAULTS["all"], ring=200)
        echoed = 0
        for _ in range(8):
            datas = [bytes_of(chance.randrange(99), chance.randrange(1, 600)) for _ in range(3)]
            soon = world.now + chance.random() * (1.5 if baudrate == 9600 else 0.3)
            event = chance.randrange(4)
            if event == 0:
                world.at(soon, world.device.reset)
            elif event == 1:
                for wire in (world.up, world.down):
                    world.at(soon, lambda wire=wire: setattr(wire, "is_cut", True))
                    world.at(soon + 12, lambda wire=wire: setattr(wire, "is_cut", False))
            echoed += serve(world, datas, 200)
            world.run(lambda: not world.plan, 20)
        assert echoed > 4 and world.device.overruns == 0


@pytest.mark.parametrize("ring", [0, 128])
def test_each_byte_damaged(ring):
    """One byte of the line is lost, altered or comes twice, each in its turn: all arrives, with no wrong byte."""

    class OneFault(device.Wire):
        def __init__(self, wire, at, how):
            super().__init__(115200, wire.random)
            self.at, self.how, self.count = at, how, 0

        def write(self, data, now):
            for byte in data:
                here = self.count == self.at
                self.count += 1
                if here and self.how == "lost":
                    continue
                super().write(bytes([byte ^ (here and self.how == "altered")]), now)
                if here and self.how == "twice":
                    super().write(bytes([byte]), now)

    for way in ("up", "down"):
        for how in ("lost", "altered", "twice"):
            at = 0
            while True:
                world = make(ring=ring, info_bytes=16)
                wire = OneFault(world.up, at, how)
                setattr(world, way, wire)
                assert serve(world, [b"~}" + bytes(range(38))], 10) == 1, (way, how, at)
                if wire.count <= at:
                    break
                at += 1
            assert at > 70
