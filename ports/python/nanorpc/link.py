# ports/python/nanorpc/link.py - the host's side of a line's links: opened, acknowledged, sent again, closed.
# Layer: port; no I/O, no clock. Source: docs/serial.md; ISO/IEC 7776 (LAPB), modulo 8.
# SPDX-License-Identifier: Apache-2.0
"""One `Line` for a serial port, one `Link` on it for each client.

The owner moves the bytes and knows the time; each `now` is in seconds of any clock that never goes back:

    line.receive(bytes that came, now)
    write(line.transmit(now))       after anything was called, and when the port has room again
    line.tick(now)                  at line.next_tick() at the latest

The device's receive ring never overruns, whatever was lost: what was sent before an acknowledged frame, or before an
answered poll, has left it (`_Ring.proved`); and a frame is sent again only after the device has answered a poll that
was sent behind it, so none is in the ring twice. Frames that nobody acknowledges have a reserve; where it is used up,
the next of them is a poll.
"""

from __future__ import annotations

import collections
import enum
import math
from typing import Callable, Deque, Dict, List, Optional, Set, Tuple

from nanorpc import frame as framing

VERSION = 1
INFO_BYTES = 128  # information that we take in a frame
WINDOW = 7  # I frames that we take before we acknowledge one
LOWEST_INFO_BYTES = 16
SAYS_BYTES = 6
N2 = 10
T1_REST = 0.2  # seconds, beside two windows' time
KEEPALIVE = 2.0  # seconds without a frame of ours on a link
TEXT_WAIT = 0.1  # seconds until a line of text is shown that has no end
ADDRESSES = range(1, 256)
USUAL_WINDOW_BYTES = 7 * (64 + framing.OVERHEAD)  # until the device has said what it takes
SHORTEST_RING = 32  # bytes: for less no frame of ours would be sure to fit
SPARE_BYTES = 8  # of the ring's reserve for frames without an acknowledgement, 16 bytes: the rest is for a poll
BITS_PER_BYTE = 10  # on a line: a start and a stop bit

RR, RNR, REJ, POLL = 0x01, 0x05, 0x09, 0x10
SABM, UA, DISC, DM = 0x3F, 0x73, 0x53, 0x1F
SUPERVISORY = 0x0F
MODULO = 8


class State(enum.Enum):
    WAITING = "waits for an address"
    OPENING = "SABM has been sent"
    CONFIRMING = "UA has come, and another may, as SABM was sent twice"
    OPEN = "open"
    CLOSING = "DISC has been sent"
    CLOSED = "over"


class User:
    """Who uses a link: what it is told. Called from within the methods of `Line`; may call those of `Link`."""

    def opened(self) -> None:
        """The device has accepted."""

    def received(self, data: bytes) -> None:
        """The next bytes of the device."""

    def closed(self, reason: str) -> None:
        """The link is over, by the device, by the line or by `Line.cut`; not called after `Link.close`."""


class _Sent:
    """An I frame that the device has not acknowledged."""

    def __init__(self, info: bytes) -> None:
        self.info = info
        self.cost = len(framing.escaped(info)) + framing.OVERHEAD  # bytes of the ring, at most
        self.serial = 0  # of the copy that was sent last


class _Ring:
    """What may be in the device's receive ring, of all links."""

    def __init__(self) -> None:
        self.size = 0  # bytes; 0: it never fills
        self.claimant: Optional[Link] = (
            None  # for whom room is kept: who came first is served first
        )
        self.used = 0  # bytes
        self._serial = 0
        self._sent: Deque[Tuple[int, int, bool]] = (
            collections.deque()
        )  # serial, bytes, of the reserve
        self._spare = 0  # bytes of the reserve that are used
        self._asking: Set[Link] = set()  # those with a poll that has not been answered

    @property
    def room(self) -> int:
        return self.size - self.used if self.size else 1 << 30

    def admits(self, link: Link, cost: int) -> bool:
        """Whether `cost` bytes may be sent; if not, then room is kept for this link."""
        if self.claimant not in (None, link):
            return False
        fits = cost <= self.room or not self.used
        self.claimant = None if fits else link
        return fits

    def has_spare(self, cost: int) -> bool:
        """Whether a frame without an acknowledgement may be sent."""
        return not self.size or self._spare + cost <= SPARE_BYTES

    def may_ask(self, link: Link) -> bool:
        """Whether a poll may be sent: one at a time."""
        return not self.size or not self._asking - {link}

    def sent(self, cost: int, is_spare: bool = False) -> int:
        """Counts what is sent now. Returns its serial number, for `proved`."""
        self._serial += 1
        self._sent.append((self._serial, cost, is_spare))
        if is_spare:
            self._spare += cost
        else:
            self.used += cost
        return self._serial

    def asks(self, link: Link) -> None:
        self._asking.add(link)

    def proved(self, serial: int) -> None:
        """The device has dealt with what had that number, so with all before it."""
        while self._sent and self._sent[0][0] <= serial:
            _, cost, is_spare = self._sent.popleft()
            if is_spare:
                self._spare -= cost
            else:
                self.used -= cost

    def answered(self, link: Link, serial: int) -> None:
        self._asking.discard(link)
        self.proved(serial)

    def forget(self, link: Link) -> None:
        """The link is over, or has nothing to send."""
        self._asking.discard(link)
        self.unclaim(link)

    def unclaim(self, link: Link) -> None:
        if self.claimant is link:
            self.claimant = None

    def clear(self) -> None:
        self.proved(self._serial)
        self._asking.clear()
        self.claimant = None


class Link:
    """A connection of one client. Made by `Line.open`."""

    def __init__(self, line: Line, user: User) -> None:
        self.state = State.WAITING
        self.address = 0
        self._line, self._user, self._ring = line, user, line._ring
        self._queue = bytearray()  # of the client, in no frame yet
        self._frames: Deque[_Sent] = collections.deque()  # V(A) .. the newest
        self._in_flight = 0  # of these: those that are on their way, and not to be sent again
        self._va = 0  # V(A): the number of the first of _frames
        self._vr = 0  # V(R)
        self._window, self._info_bytes = 1, LOWEST_INFO_BYTES  # what the device takes
        self._early: List[bytes] = []  # what came while CONFIRMING
        self._owes_ack = self._owes_reject = self._has_rejected = False
        self._is_paused, self._while_paused = False, 0
        self._peer_is_busy = False
        self._wants_poll, self._asked = (
            False,
            0,
        )  # serial of the first SABM, DISC or P without an answer
        self._is_recovering = False  # nothing is sent before the device has said what it has
        self._silent = self._tries = 0  # T1 without an answer; repetitions without progress
        self._asks = 0  # SABM or DISC that have been sent
        self._t1: Optional[float] = None
        self._last_sent = 0.0

    # --- For the client ------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Queues bytes for the device; see `backlog`."""
        if self.state not in (State.CLOSING, State.CLOSED):
            self._queue += data

    @property
    def backlog(self) -> int:
        """Bytes that the device has not acknowledged. Who goes on sending must wait when it is large."""
        return len(self._queue) + sum(len(sent.info) for sent in self._frames)

    def pause(self) -> None:
        """The client takes nothing now; what is on its way, a window at most, is still given to it."""
        if not self._is_paused:
            self._is_paused, self._while_paused = True, 0
            self._owes_ack = True

    def resume(self) -> None:
        """The client takes again."""
        if self._is_paused:
            self._is_paused = self._has_rejected = False
            self._wants_poll = True  # with an answer: were it lost, the device would wait for ever

    def close(self, now: float) -> None:
        """The client has gone. What was not sent is dropped."""
        if self.state in (State.OPENING, State.CONFIRMING, State.OPEN):
            self.state = State.CLOSING
            self._asked = self._asks = self._silent = 0
            self._wants_poll, self._t1 = True, None
            self._queue.clear()
            self._ring.forget(self)
            self._watch(now)
        elif self.state is State.WAITING:
            self._line._waiting.remove(self)
            self.state = State.CLOSED

    # --- Received ------------------------------------------------------------------------------------------

    def _frame(self, control: int, info: bytes, now: float) -> None:
        if control & 3 == 3:
            self._unnumbered(control | POLL, info, now)
        elif self.state in (State.CONFIRMING, State.OPEN):
            if not self._acknowledged(control >> 5):
                return  # an answer to nothing that we sent: altered, whatever its check sequence says
            if control & 1:
                self._supervisory(control, now)
            else:
                self._information(control >> 1 & 7, info)
        self._watch(now)

    def _unnumbered(self, control: int, info: bytes, now: float) -> None:
        if control == UA and self.state is State.OPENING:
            self._accepted(info, now)
        elif control == UA and self.state is State.CONFIRMING:
            self._vr = 0  # the device has begun anew, with the SABM that was sent again
            self._early.clear()
        elif control == UA and self.state is State.CLOSING:
            self._ring.answered(self, self._asked)
            self._end(now, None)
        elif control == DM:
            if self.state is State.OPENING:
                self._end(now, "the device has no connection left for another client")
            else:  # and it says so of each frame that is on its way
                self._end(
                    now, "the device has lost the connection: was it restarted?", self._line.t1
                )
        elif control == DISC:
            self._line._answer(self.address, UA)
            self._end(now, "the device has closed the connection")

    def _accepted(self, info: bytes, now: float) -> None:
        """UA: info says what the device takes."""
        line = self._line
        if len(info) < SAYS_BYTES:
            return  # an answer to the DISC of the client before
        takes, ring = info[1] << 8 | info[2], info[4] << 8 | info[5]
        if info[0] != VERSION:
            self.close(now)
            self._user.closed(
                "the device speaks version %d of the serial link, this program version %d: take those of one release"
                % (info[0], VERSION)
            )
            return
        if takes < LOWEST_INFO_BYTES or not info[3] or 0 < ring < SHORTEST_RING:
            self.close(now)
            self._user.closed("the device takes too little: %s" % info[:SAYS_BYTES].hex(" "))
            return
        self._info_bytes, self._window = takes, min(info[3], WINDOW)
        self._ring.size = ring
        line._window_bytes = self._window * (takes + framing.OVERHEAD)
        self._ring.answered(self, self._asked)
        self._asked = self._silent = 0
        self._t1 = None
        if self._asks > 1:
            self.state = State.CONFIRMING
            self._wants_poll = True
        else:
            self.state = State.OPEN
            self._user.opened()

    def _acknowledged(self, number: int) -> bool:
        """N(R). False: it is nothing that we have sent."""
        count = (number - self._va) % MODULO
        if count > len(self._frames):
            return False
        if count:
            for _ in range(count):
                last = self._frames.popleft()
            self._ring.proved(last.serial)
            self._va = number
            self._in_flight = max(0, self._in_flight - count)
            self._silent = self._tries = 0
            self._t1 = None
        return True

    def _supervisory(self, control: int, now: float) -> None:
        kind = control & SUPERVISORY
        was_busy, self._peer_is_busy = self._peer_is_busy, kind == RNR
        if self._peer_is_busy:
            self._tries = 0  # it has what we sent, if no place for it
        if control & POLL and self._asked:
            self._answered(now)
        elif self._in_flight and (kind == REJ or was_busy != self._peer_is_busy):
            self._recover()

    def _recover(self) -> None:
        """Finds out what the device has, to send the rest again."""
        self._is_recovering = True
        if not self._asked:
            self._wants_poll = True

    def _answered(self, now: float) -> None:
        """F: all that was sent before P has left the device's ring; what it has not acknowledged is lost."""
        asked, self._asked = self._asked, 0
        self._ring.answered(self, asked)
        self._silent, self._t1 = 0, None
        if self.state is State.CONFIRMING:
            self._confirmed()
        if self._in_flight and self._frames[0].serial < asked:
            self._in_flight = 0
            self._tries += 1
            if self._tries > N2:
                self._lose(now)
                return
        if self._is_recovering and self._in_flight:
            self._wants_poll = True  # they were sent behind the poll
        else:
            self._is_recovering = False

    def _confirmed(self) -> None:
        self.state = State.OPEN
        self._owes_ack = bool(self._early)
        early, self._early = self._early, []
        self._user.opened()
        for info in early:
            self._user.received(info)

    def _information(self, number: int, info: bytes) -> None:
        is_next = number == self._vr
        if (
            self.state is State.CONFIRMING
        ):  # not acknowledged yet: UA may come once more, and all of this
            if is_next and len(self._early) < WINDOW:
                self._early.append(info)
                self._vr = (self._vr + 1) % MODULO
            return
        self._owes_ack = True  # of another number too: our last acknowledgement may have been lost
        if self._is_paused:
            self._while_paused += is_next
            is_next = is_next and self._while_paused <= WINDOW
        elif not is_next and not self._has_rejected:
            self._owes_reject = self._has_rejected = True
        if is_next:
            self._vr = (self._vr + 1) % MODULO
            self._has_rejected = self._owes_reject = False
            self._user.received(info)

    # --- The end -------------------------------------------------------------------------------------------

    def _end(self, now: float, reason: Optional[str], rest: float = 0.0) -> None:
        """The link is over. rest: seconds for which the address is not used, as answers may be on their way."""
        was, self.state = self.state, State.CLOSED
        self._t1 = None
        self._line._release(self, now + rest)
        if was is not State.CLOSING and reason is not None:
            self._user.closed(reason)

    def _lose(self, now: float) -> None:
        was_opening = self.state is State.OPENING
        self._line._answer(self.address, DM)
        self._end(
            now,
            "the device does not answer: is it the right port and rate, does its firmware serve gRPC there, "
            "and has no other program the line?"
            if was_opening
            else "the device does not answer any more",
            rest=self._line.t1,
        )

    # --- Time ----------------------------------------------------------------------------------------------

    def _watch(self, now: float) -> None:
        """Starts and stops T1."""
        if self.state is State.OPEN or self.state is State.CONFIRMING:
            awaits = self._in_flight or self._asked or self._wants_poll or self._is_recovering
            awaits = awaits or self._peer_is_busy or self._ring.claimant is self
        else:
            awaits = self.state in (State.OPENING, State.CLOSING)
        if not awaits:
            self._t1 = None
        elif self._t1 is None:
            self._t1 = max(now, self._line._free_at) + self._line.t1

    def _tick(self, now: float) -> None:
        if self._t1 is not None and now >= self._t1:
            self._t1 = None
            self._silent += 1
            if self._silent > N2:
                if self.state is State.CLOSING:
                    self._end(now, None, rest=self._line.t1)
                else:
                    self._lose(now)
                return
            self._wants_poll = True
            self._is_recovering = self._is_recovering or self._in_flight > 0
        elif self.state is State.OPEN and now >= self._last_sent + KEEPALIVE and not self._asked:
            self._wants_poll = True
        self._watch(now)

    def _next_tick(self) -> float:
        alive = self.state is State.OPEN and not self._asked and not self._wants_poll
        keepalive = self._last_sent + KEEPALIVE if alive else math.inf
        return min(math.inf if self._t1 is None else self._t1, keepalive)

    # --- Sent ----------------------------------------------------------------------------------------------

    def _begin(self, address: int, now: float) -> None:
        self.address, self.state = address, State.OPENING
        self._wants_poll = True
        self._watch(now)

    def _next(self, now: float) -> bytes:
        """The next frame for the line, or nothing."""
        if self.state in (State.OPENING, State.CLOSING):
            encoded = self._ask()
        else:
            encoded = (
                self._poll() or self._reject() or self._put_information() or self._acknowledge()
            )
        if encoded:
            self._last_sent = now
        return encoded

    def _ask(self) -> bytes:
        """SABM or DISC, where one is to be sent."""
        if self.state is State.CLOSING:
            encoded = framing.encode(self.address, DISC)
        else:
            says = bytes((VERSION, INFO_BYTES >> 8, INFO_BYTES & 0xFF, WINDOW, 0, 0))
            encoded = framing.encode(self.address, SABM, says)
        if not self._wants_poll or not (self._silent or self._ring.admits(self, len(encoded))):
            return b""
        self._wants_poll = False
        self._asks += 1
        serial = self._ring.sent(len(encoded))
        self._asked = self._asked or serial
        return encoded

    def _numbered(self, kind: int) -> bytes:
        """RR or REJ, with P or without; RNR where the client takes nothing."""
        if self._is_paused and kind & SUPERVISORY == RR:
            kind += RNR - RR
        number = 0 if self.state is State.CONFIRMING else self._vr
        return framing.encode(self.address, number << 5 | kind)

    def _poll(self) -> bytes:
        # After T1 it is lost, or the device is away: then what comes over is one poll more, and no harm is done.
        if not self._wants_poll or not (self._silent or self._ring.may_ask(self)):
            return b""
        encoded = self._numbered(RR | POLL)
        self._wants_poll = self._owes_ack = False
        serial = self._ring.sent(len(encoded), is_spare=True)
        self._asked = self._asked or serial
        self._ring.asks(self)
        return encoded

    def _unacknowledged(self, kind: int) -> bytes:
        encoded = self._numbered(kind)
        if self._ring.has_spare(len(encoded)):
            self._ring.sent(len(encoded), is_spare=True)
            self._owes_ack = False
            return encoded
        if self._asked or not self._ring.may_ask(self):
            return b""  # the answer to that poll makes room
        self._wants_poll = True
        return self._poll()

    def _reject(self) -> bytes:
        if not self._owes_reject:
            return b""
        encoded = self._unacknowledged(REJ)
        self._owes_reject = not encoded
        return encoded

    def _acknowledge(self) -> bytes:
        if not self._owes_ack or self.state is State.CONFIRMING:
            return b""
        return self._unacknowledged(RR)

    def _put_information(self) -> bytes:
        """An I frame, if there is one, and the device has room for it."""
        wants = self.state is State.OPEN and not (self._peer_is_busy or self._is_recovering)
        again = self._in_flight < len(self._frames)
        fresh = bool(self._queue) and len(self._frames) < self._window
        if not wants or not (again or fresh):
            self._ring.unclaim(self)
            return b""
        sent = self._frames[self._in_flight] if again else self._cut()
        if not self._ring.admits(self, sent.cost):
            return b""
        if not again:
            self._frames.append(sent)
            del self._queue[: len(sent.info)]
        sent.serial = self._ring.sent(sent.cost)
        number = (self._va + self._in_flight) % MODULO
        self._in_flight += 1
        self._owes_ack = (
            self._owes_ack and self._is_paused
        )  # an I frame does not say that we are busy
        return framing.encode(self.address, self._vr << 5 | number << 1, sent.info)

    def _cut(self) -> _Sent:
        """What the next I frame has: shorter where the ring has less room, but no crumbs."""
        sent = _Sent(bytes(self._queue[: self._info_bytes]))
        enough = _Sent(sent.info[: len(sent.info) // 2 + 1]).cost if self._ring.used else 0
        enough = min(enough, self._ring.size // 2)
        room = max(self._ring.room, enough)
        while sent.cost > room:
            sent = _Sent(sent.info[: len(sent.info) - max(1, (sent.cost - room) // 2)])
        return sent


class Line:
    """A serial line with all its links."""

    def __init__(self, baudrate: int, on_text: Optional[Callable[[bytes], None]] = None) -> None:
        """baudrate: bits a second. on_text: gets what is no frame, as it comes: text, and damaged frames."""
        self._byte_time = BITS_PER_BYTE / baudrate  # seconds
        self._on_text = on_text
        self._links: Dict[int, Link] = {}  # by address
        self._splitter = framing.Splitter(INFO_BYTES, self._links)
        self._text_at = math.inf
        self._resting: Dict[int, float] = {}  # addresses, and when they may be used again
        self._waiting: Deque[Link] = collections.deque()
        self._answers: Dict[int, int] = {}  # DM and UA that are owed, by address
        self._turn = 0  # the address that was served last
        self._free_at = 0.0  # when the last byte will have left
        self._window_bytes = USUAL_WINDOW_BYTES
        self._ring = _Ring()

    @property
    def t1(self) -> float:
        """Seconds that an answer takes at most: two windows' time at the line's rate, and 200 ms."""
        window = self._window_bytes * max(1, len(self._links))
        window = min(window, self._ring.size or window)
        return 2 * window * self._byte_time + T1_REST

    @property
    def links(self) -> int:
        """How many links there are, those that are being opened or closed included."""
        return len(self._links) + len(self._waiting)

    def open(self, user: User, now: float) -> Link:
        """A link for a new client. `user` is told when it is open, or why it cannot be."""
        link = Link(self, user)
        self._waiting.append(link)
        self._admit(now)
        return link

    def receive(self, data: bytes, now: float) -> None:
        """Takes bytes that came, all of them."""
        for content, text in self._splitter.feed(data):
            if content is not None:
                self._frame(content, now)
            elif self._on_text:
                self._on_text(text)
        self._text_at = now + TEXT_WAIT if self._splitter.has_text else math.inf

    def transmit(self, now: float, room: int = 512) -> bytes:
        """Whole frames to be written, in order; b"": nothing now. room: bytes; the last frame may go beyond."""
        self._admit(now)
        out = bytearray()
        while len(out) < room:
            encoded = self._next(now)
            if not encoded:
                break
            out += encoded
            self._free_at = max(self._free_at, now) + len(encoded) * self._byte_time
        for link in list(self._links.values()):
            link._watch(now)
        return bytes(out)

    def tick(self, now: float) -> None:
        """Looks at the timers."""
        if now >= self._text_at:
            self._text_at = math.inf
            text = self._splitter.flush()
            if text and self._on_text:
                self._on_text(text)
        for link in list(self._links.values()):
            link._tick(now)
        self._admit(now)

    def next_tick(self) -> float:
        """When `tick` is due; math.inf: never, unless something happens."""
        times = [link._next_tick() for link in self._links.values()]
        return min([self._text_at, *self._resting.values(), *times])

    def cut(self, reason: str, now: float) -> None:
        """The port has gone: all links are over."""
        for link in [*self._links.values(), *self._waiting]:
            link._end(now, reason)
        self._answers.clear()
        self._ring.clear()
        self._resting.clear()
        self._free_at = now

    def _restarted(self, now: float) -> None:
        """The device has begun anew: what was open is over; who is about to come asks once more."""
        self._ring.clear()
        for link in list(self._links.values()):
            if link.state is State.OPENING:
                link._wants_poll = True
            else:  # its answers to what is on its way are no answers to the next client
                link._end(now, "the device was restarted", self.t1)

    # --- Frames --------------------------------------------------------------------------------------------

    def _frame(self, content: bytes, now: float) -> None:
        address, control, info = content[0], content[1], content[2:]
        link = self._links.get(address)
        if address == 0:
            if control | POLL == DM:
                self._restarted(now)
        elif link:
            link._frame(control, info, now)
        elif control | POLL == DISC:
            self._answer(address, UA)  # our answer to its first was lost
        elif control | POLL not in (DM, UA):
            self._answer(address, DM)

    def _answer(self, address: int, control: int) -> None:
        self._answers[address] = control

    def _next(self, now: float) -> bytes:
        """The next frame, the links in turns."""
        if self._answers:
            return framing.encode(*self._answers.popitem())
        order = sorted(self._links, key=lambda address: (address <= self._turn, address))
        for address in order:
            encoded = self._links[address]._next(now)
            if encoded:
                self._turn = address
                return encoded
        return b""

    # --- Addresses -----------------------------------------------------------------------------------------

    def _admit(self, now: float) -> None:
        """Gives addresses to those who wait: the lowest, since a device may have few.

        While one is being given back they wait: the device has room for them only then.
        """
        for address in [a for a, until in self._resting.items() if now >= until]:
            del self._resting[address]
        closing = any(link.state is State.CLOSING for link in self._links.values())
        while self._waiting and not closing and not self._resting:
            free = next((a for a in ADDRESSES if a not in self._links), None)
            if free is None:
                return
            link = self._waiting.popleft()
            self._links[free] = link
            link._begin(free, now)

    def _release(self, link: Link, until: float) -> None:
        self._ring.forget(link)
        if link in self._waiting:
            self._waiting.remove(link)
        elif self._links.get(link.address) is link:
            del self._links[link.address]
            self._resting[link.address] = until
            if not self._links:
                self._ring.clear()
