# tests/e2e/test_admission.py - all connections are taken and one more client comes: who gives way, who does not.
# Layer: tests. Source: ports/nrpc_admission.h. Two connections, in each port, with and without TLS.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import re
import socket
import threading
import time

import pytest

import rawh2
import secure
from rawh2 import Peer, message
from targets import Server, chosen

YIELD_S = 2.0  # NRPC_YIELD_MS
ATTEMPTS = 4
LATER_S = 1.5  # ticks, and the time that a closing link is given
TARGETS = [
    (name, app)
    for name in chosen(["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"])
    for app in (["greeter"] if name == "lm3s6965evb" else ["greeter", "tls"])
]


def other_address(name):
    """An address to come from that the server tells from 127.0.0.1. To an emulated or simulated device all of 127 is
    one, the router's; but not the other addresses of this machine."""
    if name == "posix":
        return "127.0.0.2"
    with open("/proc/net/fib_trie", encoding="ascii") as file:
        found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", file.read())
    found = [address for address in found if not address.startswith("127.")]
    return found[0] if found else pytest.skip("this machine has no address but 127.0.0.1")


class Guests:
    """Clients of one server with two connections; all are closed at the end."""

    def __init__(self, name, app):
        self.name, self.tls = name, app == "tls"
        extra = [] if name == "lm3s6965evb" else ["--connections", "2"]
        self.server = Server(name, extra, app=app)
        self.connections = 2
        self.yield_s = YIELD_S
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.stack.enter_context(self.server)
        return self

    def __exit__(self, *error):
        self.stack.close()

    def peer(self, source=None, timeout=20):
        context = secure.client_context() if self.tls else None
        return self.stack.enter_context(
            Peer(self.server.port, timeout=timeout, context=context, source=source)
        )

    def silent(self):
        """One that connects and says nothing, not even of TLS."""
        return self.stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port)))

    def newcomer(self, source=None):
        """Served at the first attempt, or this fails. Returns how long it took."""
        began = time.monotonic()
        with contextlib.closing(self.peer(source).socket) as _:
            pass
        return time.monotonic() - began


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: "-".join(target))
def house(request):
    with Guests(*request.param) as guests:
        yield guests


@pytest.fixture
def guests(house):
    """The same server for all tests, each with clients of its own."""
    with contextlib.ExitStack() as house.stack:
        yield house
    assert house.server.serves(), "it no longer serves"


def hello(peer, text):
    assert peer.say_hello(text) == "Hello, %s!" % text


def test_silent_connections_give_way(guests):
    """Nothing but TCP: with TLS, a handshake that does not begin."""
    sockets = [guests.silent()]
    time.sleep(0.6)
    sockets.append(guests.silent())
    began = time.monotonic()
    hello(guests.peer(), "x")
    assert time.monotonic() - began < guests.yield_s + LATER_S
    sockets[0].settimeout(5)
    with contextlib.suppress(ConnectionResetError):
        while sockets[0].recv(4096):
            pass
    hello(guests.peer(), "y")


def test_the_longest_idle_gives_way(guests):
    """It is told by GOAWAY that all its calls were taken; the other goes on."""
    first, second = guests.peer(), guests.peer()
    hello(first, "1")
    time.sleep(0.6)
    hello(second, "2")
    time.sleep(0.6)
    hello(second, "2 again")
    hello(first, "1 again")
    time.sleep(guests.yield_s / 2)
    hello(first, "1 still")
    newcomer = guests.peer()
    hello(newcomer, "3")
    assert second.ends() == rawh2.NO_ERROR and second.goaway[0] == second.next_stream - 2
    hello(first, "1 stays")
    hello(newcomer, "3 stays")
    assert not first.goaway


def test_requests_that_do_not_come_give_way(guests):
    """Two calls that never end: they hold nothing."""
    peers = [guests.peer() for _ in range(guests.connections)]
    calls = [peer.start() for peer in peers]
    peers[1].send(rawh2.frame(rawh2.DATA, 0, calls[1], message("cut")[:4]))
    hello(guests.peer(), "x")
    assert peers[0].finish(calls[0]).grpc_status == "14"
    assert peers[0].ends() == rawh2.NO_ERROR
    hello(guests.peer(), "y")
    assert peers[1].finish(calls[1]).grpc_status == "14"


def test_calls_stay(guests):
    """Of one address: who comes then waits a little, and is refused. A place that is given up is free."""
    peers = [guests.peer() for _ in range(guests.connections)]
    calls = [peer.chat("a") for peer in peers]
    began = time.monotonic()
    with pytest.raises((EOFError, OSError)):
        guests.peer().say_hello("x")
    assert guests.yield_s < time.monotonic() - began < guests.yield_s + 2 * LATER_S
    for peer, call in zip(peers, calls):
        peer.say(call, "b")
    peers.pop().socket.close()
    hello(guests.peer(), "y")
    peers[0].say(calls[0], "c")


def test_half_is_for_others(guests):
    """One address has all connections, with calls: another's client gets one at once, and keeps it."""
    other = other_address(guests.name)
    peers = [guests.peer()]
    time.sleep(0.6)
    peers.append(guests.peer())  # the newest
    calls = [peer.chat("a") for peer in peers]
    began = time.monotonic()
    guest = guests.peer(other)
    hello(guest, "b")
    assert time.monotonic() - began < 1.0
    assert peers[1].finish(calls[1]).grpc_status == "14" and peers[1].ends() == rawh2.NO_ERROR
    peers[0].say(calls[0], "c")
    time.sleep(guests.yield_s + LATER_S)
    with pytest.raises((EOFError, OSError)):
        guests.peer().say_hello("again")  # its address has its half: with a call, so not even that
    hello(guest, "d")
    peers[0].say(calls[0], "e")


class Attackers:
    """They connect, say nothing, and connect again as soon as they are closed."""

    def __init__(self, port, count):
        self.port, self.over, self.attempts = port, False, 0
        self.threads = [threading.Thread(target=self.attack) for _ in range(count)]

    def attack(self):
        while not self.over:
            with socket.socket() as one:
                one.settimeout(0.2)
                self.attempts += 1
                try:
                    one.connect(("127.0.0.1", self.port))
                    while not self.over:
                        try:
                            if not one.recv(4096):
                                break
                        except TimeoutError:
                            pass
                except OSError:
                    time.sleep(0.001)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()


def test_reconnecting_attackers_lose_to_another_address(guests):
    """A client gets in at the first attempt, and its idle connection is not taken away."""
    other = other_address(guests.name)
    with Attackers(guests.server.port, 6) as attackers:
        guest = guests.peer(other)
        end = time.monotonic() + 3 * guests.yield_s
        while time.monotonic() < end:
            hello(guest, "b")
            time.sleep(guests.yield_s + 0.5)
        assert not guest.goaway and not guest.closed
        assert attackers.attempts > 6
        guest.socket.close()
        for _ in range(3):
            guest = guests.peer(other)
            hello(guest, "c")
            guest.socket.close()


def test_reconnecting_attackers_of_the_same_address(guests):
    """As many as there are connections: a client waits for its turn, and then has time for a call. A board keeps two
    waiting: where those of the last test are not gone yet, on a slow machine, it may refuse a third once or twice."""
    with Attackers(guests.server.port, guests.connections):
        for _ in range(3):
            for left in range(ATTEMPTS, 0, -1):
                try:
                    guest = guests.peer()
                    hello(guest, "b")
                    guest.socket.close()
                    break
                except (EOFError, OSError):
                    assert left > 1, "%d attempts in vain" % ATTEMPTS


def test_no_call_is_lost(guests):
    """Three clients in turn, two connections: each must connect again now and then, but no call fails. A call that
    comes after GOAWAY has left is refused as not begun."""
    peers, told = {}, 0
    for turn in range(9):
        number = turn % 3
        peer = peers.get(number)
        if peer:
            peer.receive(0)
            peer.receive(0)
        if peer is None or peer.goaway or peer.closed:
            told += peer is not None and peer.goaway[:2] == (peer.next_stream - 2, rawh2.NO_ERROR)
            assert peer is None or peer.goaway, "it ended without a word"
            peer = peers[number] = guests.peer()
        hello(peer, str(turn))
        time.sleep(guests.yield_s / 2 + 0.4)
    assert told >= 2
