# tests/python/test_link_frames.py - the host's side of the serial link, a frame at a time.
# Layer: tests. Source: docs/serial.md; ISO/IEC 7776.
# SPDX-License-Identifier: Apache-2.0
import pytest

import device
from nanorpc import link

RR, RNR, REJ, P = 0x01, 0x05, 0x09, 0x10
SABM, UA, DISC, DM = 0x3F, 0x73, 0x53, 0x1F


def i(number, wanted=0):
    return wanted << 5 | number << 1


def nr(kind, wanted):
    return wanted << 5 | kind


class Client(link.User):
    def __init__(self):
        self.got, self.is_open, self.reason = [], False, None

    def opened(self):
        self.is_open = True

    def received(self, data):
        self.got.append(data)

    def closed(self, reason):
        self.reason = reason


class Host:
    """A line, and the time."""

    def __init__(self, ring=0, window=7):
        self.line, self.now = link.Line(115200), 0.0
        self.says = bytes([1, 0, 64, window, ring >> 8, ring & 255])
        self.unframe = device.Unframe()

    def client(self):
        client = Client()
        client.link = self.line.open(client, self.now)
        return client

    def open(self):
        client = self.client()
        assert self.sent() == [(client.link.address, SABM)]
        self.comes(client.link.address, UA, self.says)
        assert client.is_open and self.sent() == []
        return client

    def comes(self, address, control, info=b""):
        self.line.receive(device.frame(address, control, info), self.now)

    def frames(self):
        found = map(self.unframe.take, self.line.transmit(self.now, 1 << 16))
        return [frame for frame in found if frame]

    def sent(self):
        """(address, control) of each frame."""
        return [frame[:2] for frame in self.frames()]

    def wait(self, seconds):
        """Time goes by, and nothing comes; what was sent meanwhile."""
        sent, end = [], self.now + seconds
        while self.line.next_tick() <= end:
            self.now = max(self.now, self.line.next_tick())
            self.line.tick(self.now)
            sent += self.sent()
        self.now = end
        return sent


def test_acknowledgements():
    host = Host()
    client = host.open()
    host.comes(1, i(0), b"a")
    assert host.sent() == [(1, nr(RR, 1))]
    client.link.send(b"xyz")
    host.comes(1, i(1), b"b")
    assert host.frames() == [(1, i(0, 2), b"xyz")]  # it says what RR would
    assert client.got == [b"a", b"b"] and client.link.backlog == 3
    host.comes(1, nr(RR, 1))
    assert client.link.backlog == 0


def test_information_that_is_not_awaited():
    """REJ once; and an answer to each, for a lost one would leave the device waiting."""
    host = Host()
    client = host.open()
    host.comes(1, i(1), b"b")
    assert host.sent() == [(1, nr(REJ, 0))]
    host.comes(1, i(2), b"c")
    assert host.sent() == [(1, nr(RR, 0))]
    host.comes(1, i(0), b"a")
    assert host.sent() == [(1, nr(RR, 1))]
    host.comes(1, i(0), b"a")  # our RR was lost
    assert host.sent() == [(1, nr(REJ, 1))]
    host.comes(1, i(0), b"a")  # and REJ
    assert host.sent() == [(1, nr(RR, 1))]
    assert client.got == [b"a"]


def test_reject():
    """The device is asked what it has; nothing new goes out before it has said so; then the same frames go again."""
    host = Host()
    client = host.open()
    client.link.send(bytes(range(150)))
    frames = host.frames()
    assert [frame[1] for frame in frames] == [i(0), i(1), i(2)]
    host.comes(1, nr(REJ, 1))
    client.link.send(b"new")
    assert host.sent() == [(1, nr(RR, 0) | P)]
    host.comes(1, nr(RR, 1) | P)
    assert host.frames() == [*frames[1:], (1, i(3), b"new")]


def test_no_acknowledgement():
    """T1: a poll; what was lost goes again with the N(R) of now. N2 times in vain: the link is lost."""
    host = Host()
    client = host.open()
    client.link.send(b"abc")
    assert host.sent() == [(1, i(0))]
    assert host.wait(0.5) == [(1, nr(RR, 0) | P)]
    host.comes(1, i(0), b"a")
    assert host.sent() == [(1, nr(RR, 1))]
    host.comes(1, nr(RR, 0) | P)
    assert host.frames() == [(1, i(0, 1), b"abc")]
    for _ in range(link.N2 - 1):
        assert host.wait(0.5)[0] == (1, nr(RR, 1) | P)
        host.comes(1, nr(RR, 0) | P)
        assert host.sent() == [(1, i(0, 1))]
    host.wait(0.5)
    host.comes(1, nr(RR, 0) | P)
    assert "does not answer" in client.reason and host.sent() == [(1, DM)]


def test_no_answer():
    host = Host()
    client = host.open()
    client.link.send(b"abc")
    host.sent()
    sent = host.wait(60)
    assert sent == [(1, nr(RR, 0) | P)] * link.N2 + [(1, DM)] and client.reason


def test_busy_for_long():
    """RNR may last: the device is asked after each T1, and then all goes on."""
    host = Host()
    client = host.open()
    client.link.send(b"abc")
    host.sent()
    host.comes(1, nr(RNR, 0))
    for _ in range(3 * link.N2):
        assert (host.sent() or host.wait(0.5))[0] == (1, nr(RR, 0) | P)
        host.comes(1, nr(RNR, 0) | P)
    assert client.reason is None and host.sent() == []
    host.comes(1, nr(RR, 0))
    assert host.sent() == [(1, i(0))]


def test_pause():
    """RNR; what is on its way, a window, is taken still. Then RR with P, until the device has heard it."""
    host = Host()
    client = host.open()
    client.link.pause()
    assert host.sent() == [(1, nr(RNR, 0))]
    for number in range(10):
        host.comes(1, i(number % 8), b"%d" % number)
        host.sent()
    assert client.got == [b"%d" % number for number in range(7)]
    client.link.resume()
    assert host.sent() == [(1, nr(RR, 7) | P)]
    assert host.wait(0.5)[0] == (1, nr(RR, 7) | P)
    host.comes(1, nr(RR, 0) | P)
    host.comes(1, i(7), b"7")
    assert client.got[7:] == [b"7"] and host.sent() == [(1, nr(RR, 0))]


def test_begun_twice():
    """SABM was sent twice: UA may come twice. What comes before an answer to a later poll may be the first's."""
    host = Host()
    client = host.client()
    assert host.sent() == [(1, SABM)] and host.wait(0.5)[0] == (1, SABM)
    host.comes(1, UA, host.says)
    assert host.sent() == [(1, nr(RR, 0) | P)] and not client.is_open
    host.comes(1, i(0), b"first")
    client.link.send(b"abc")
    assert host.sent() == []
    host.comes(1, UA, host.says)
    host.comes(1, i(0), b"second")
    assert host.sent() == [] and client.got == []
    host.comes(1, nr(RR, 0) | P)
    assert client.got == [b"second"] and client.is_open
    assert host.frames() == [(1, i(0, 1), b"abc")]


def test_what_cannot_be():
    """An N(R) of nothing that was sent: the frame is not taken. What comes for no link: DM, or UA to DISC."""
    host = Host()
    client = host.open()
    host.comes(1, i(0, wanted=3), b"a")
    assert client.got == [] and host.sent() == []
    for control, answer in ((i(0), DM), (nr(RR, 0), DM), (DISC, UA), (UA, None), (DM, None)):
        host.comes(2, control)
        assert host.sent() == ([(2, answer)] if answer else [])


def test_disc_is_repeated():
    host = Host()
    client = host.open()
    client.link.close(host.now)
    assert host.sent() == [(1, DISC)] and host.wait(0.5)[0] == (1, DISC)
    other = host.client()
    assert host.sent() == []  # the device has its connection back only then
    host.comes(1, UA)
    assert host.sent() == [(1, SABM)] and client.reason is None and other.reason is None


# --- The ring ----------------------------------------------------------------------------------------------


def test_room():
    """A frame is shorter where the ring has less room; nothing goes over it, and acknowledgements make room."""
    host = Host(ring=100)
    client = host.open()
    client.link.send(b"~" * 64)
    ((_, _, info),) = host.frames()
    assert 30 < len(info) < 46
    host.comes(1, nr(RR, 1))
    assert [len(frame[2]) for frame in host.frames()] == [64 - len(info)]


def test_first_come_first_served():
    """One that waits for room is not overtaken by smaller frames of others."""
    host = Host(ring=100)
    one, two = host.open(), host.open()
    one.link.send(bytes(64))
    assert host.sent() == [(1, i(0))]
    one.link.send(bytes(64))
    assert host.sent() == []
    two.link.send(b"a")
    assert host.sent() == []
    host.comes(1, nr(RR, 1))
    assert host.sent()[0] == (1, i(1))


def test_reserve():
    """What nobody acknowledges is counted too: the second RR is a poll, others wait for its answer."""
    host = Host(ring=200)
    clients = [host.open() for _ in range(3)]
    for address in (1, 2, 3):
        host.comes(address, i(0), b"a")
    assert len(clients) == 3 and host.sent() == [(1, nr(RR, 1)), (2, nr(RR, 1) | P)]
    host.comes(2, nr(RR, 0) | P)
    assert host.sent() == [(3, nr(RR, 1))]


def test_one_poll_at_a_time():
    host = Host(ring=200)
    host.open(), host.open()
    host.now += link.KEEPALIVE
    host.line.tick(host.now)
    assert host.sent() == [(1, nr(RR, 0) | P)]
    host.comes(1, nr(RR, 0) | P)
    assert host.sent() == [(2, nr(RR, 0) | P)]


@pytest.mark.parametrize("ring", [0, 200])
def test_lost_ends_are_forgotten(ring):
    """However many links were lost with frames in the ring: the next one has all of it."""
    host = Host(ring=ring)
    for _ in range(5):
        client = host.open()
        client.link.send(bytes(1000))
        host.wait(20)
        assert client.reason
    client = host.open()
    client.link.send(bytes(64))
    assert host.sent() == [(1, i(0))]
