# ports/python/nanorpc/relay.py - a serial port on one side, listening sockets on the other: a device as a target.
# Layer: port. Source: docs/serial.md; link.py has the protocol, port.py the port.
# SPDX-License-Identifier: Apache-2.0
"""Each connection to the relay is a link of the line. Bytes pass through as they are: a gRPC client sees the device's
own HTTP/2. While the port is unplugged connections are closed at once, so that calls fail with UNAVAILABLE."""

from __future__ import annotations

import asyncio
import collections
import math
import os
import stat
from typing import Callable, Deque, List, Optional, Set, Tuple

from nanorpc import link
from nanorpc.port import Port, PortError

REOPEN_SECONDS = 0.25
FLUSH_SECONDS = 5.0  # for a client to read what the device said before it closed
FAREWELL_SECONDS = 0.5  # for the device to hear that the clients have gone
HIGH_BYTES, LOW_BYTES = 8192, 2048  # of a client that the device has not got yet


class Trouble:
    """Why clients' connections end. Told in the relay's thread, asked in any."""

    def __init__(self) -> None:
        self.number = 0  # of the last reason
        self._reasons: Deque[Tuple[int, str]] = collections.deque(maxlen=16)
        self._is_over = True

    def tell(self, reason: str) -> None:
        self._reasons.append((self.number + 1, reason))
        self.number += 1
        self._is_over = False

    def end(self) -> None:
        """The device has accepted a client."""
        self._is_over = True

    @property
    def last(self) -> str:
        """The last reason; "": none yet."""
        return self._reasons[-1][1] if self._reasons else ""

    def since(self, number: int) -> str:
        """Why a call failed that began when `number` was the last: the first reason after that, else the one that
        still stands; "": it was not the line."""
        for told, reason in list(self._reasons):
            if told > number:
                return reason
        return "" if self._is_over else self.last


class _Client(asyncio.Protocol, link.User):
    """A connection to the relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._link: Optional[link.Link] = None
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        relay = self._relay
        if not relay.is_plugged:
            transport.abort()
            return
        relay.clients.add(self)
        self._link = relay.line.open(self, relay.now())
        relay.wake()

    def data_received(self, data: bytes) -> None:
        if self._link is None:
            return
        self._link.send(data)
        if self._link.backlog > HIGH_BYTES and not self._is_full:
            self._is_full = True
            self.transport.pause_reading()
        self._relay.wake()

    def drain(self) -> None:
        """The device may have acknowledged something."""
        if self._is_full and self._link and self._link.backlog < LOW_BYTES:
            self._is_full = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        if self._link:
            self._link.pause()
            self._relay.wake()

    def resume_writing(self) -> None:
        if self._link:
            self._link.resume()
            self._relay.wake()

    def connection_lost(self, error: Optional[Exception]) -> None:
        self._relay.clients.discard(self)
        if self._link:
            self._link.close(self._relay.now())
            self._link = None
            self._relay.wake()

    def opened(self) -> None:
        self._relay.trouble.end()

    def received(self, data: bytes) -> None:
        self.transport.write(data)

    def closed(self, reason: str) -> None:
        self._link = None
        self._relay.trouble.tell(reason)  # before the client can see it
        self._relay.log("a client's connection ends: " + reason)
        self.transport.close()
        self._relay.loop.call_later(FLUSH_SECONDS, self.transport.abort)


class Relay:
    """A port and its clients, in the running event loop."""

    def __init__(
        self,
        url: str,
        baudrate: int = 115200,
        rtscts: bool = False,
        on_text: Optional[Callable[[bytes], None]] = None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        """url, baudrate (bits a second), rtscts: the port. on_text: gets what the firmware prints. log: gets what
        happens, a line at a time. All are called in the event loop's thread."""
        self.log = log
        self.trouble = Trouble()
        self.line = link.Line(baudrate, on_text)
        self.clients: Set[_Client] = set()
        self._url, self._baudrate, self._rtscts = url, baudrate, rtscts
        self._port: Optional[Port] = None
        self._out = b""  # frames that the port has not taken
        self._servers: List[asyncio.AbstractServer] = []
        self._timer: Optional[asyncio.TimerHandle] = None
        self._is_awake = False
        self._reopening: Optional[asyncio.Task] = None

    @property
    def is_plugged(self) -> bool:
        return self._port is not None

    def now(self) -> float:
        """Seconds."""
        return self.loop.time()

    async def open(self) -> None:
        """Opens the port. Raises PortError."""
        self.loop = asyncio.get_running_loop()
        # Elsewhere: to connect a socket:// may take its time.
        port = await self.loop.run_in_executor(None, Port, self._url, self._baudrate, self._rtscts)
        self._plug(port)

    async def listen(self, address: str) -> str:
        """Accepts clients at HOST:PORT or unix:PATH. Returns that, with the port that was chosen for 0."""
        if address.startswith("unix:"):
            path = address[len("unix:") :]
            _remove_socket(path)
            server = await self.loop.create_unix_server(lambda: _Client(self), path)
        else:
            host, _, number = address.rpartition(":")
            server = await self.loop.create_server(
                lambda: _Client(self), host.strip("[]") or None, int(number)
            )
            address = "%s:%d" % (host, server.sockets[0].getsockname()[1])
        self._servers.append(server)
        return address

    async def close(self) -> None:
        """Closes all connections and the port."""
        if self._reopening:
            self._reopening.cancel()
        for server in self._servers:
            server.close()
        for client in list(self.clients):
            client.transport.abort()
        end = self.now() + FAREWELL_SECONDS
        while self._port and (self.line.links or self.clients) and self.now() < end:
            await asyncio.sleep(0.005)
        if self._port:
            self._unplug("the relay was closed")
        if self._timer:
            self._timer.cancel()

    def wake(self) -> None:
        """Something was done to the line: what there is to be written will be."""
        if not self._is_awake:
            self._is_awake = True
            self.loop.call_soon(self._work)

    # --- The port ------------------------------------------------------------------------------------------

    def _plug(self, port: Port) -> None:
        self._port = port
        self.loop.add_reader(port.fd, self._readable)
        self.wake()

    def _unplug(self, reason: str) -> None:
        port, self._port = self._port, None
        self.loop.remove_reader(port.fd)
        self.loop.remove_writer(port.fd)
        port.close()
        self._out = b""
        self.line.cut(reason, self.now())
        self.wake()

    def _gone(self, error: OSError) -> None:
        if not self._port:
            return
        reason = "%s has gone (%s): is it unplugged?" % (self._url, error.strerror or error)
        self.log(reason + " Waiting for it")
        self.trouble.tell(reason)
        self._unplug(reason)
        self._reopening = self.loop.create_task(self._reopen())

    async def _reopen(self) -> None:
        while not self._port:
            await asyncio.sleep(REOPEN_SECONDS)
            try:
                await self.open()
            except PortError as error:
                self._cannot_open(str(error))
                continue
            self.log("%s is there again" % self._url)

    def _cannot_open(self, reason: str) -> None:
        """It is still away, or it is there and cannot be opened, which is news."""
        is_away = "://" not in self._url and not os.path.exists(self._url)
        if not is_away and reason != self.trouble.last:
            self.log(reason)
            self.trouble.tell(reason)

    def _readable(self) -> None:
        try:
            data = self._port.read() if self._port else b""
        except OSError as error:
            self._gone(error)
            return
        self.line.receive(data, self.now())
        self.wake()

    def _work(self) -> None:
        self._is_awake = False
        now = self.now()
        if self.line.next_tick() <= now:
            self.line.tick(now)
        if self._port:
            try:
                self._write(now)
            except OSError as error:
                self._gone(error)
        for client in list(self.clients):
            client.drain()
        if self._timer:
            self._timer.cancel()
        when = self.line.next_tick()
        self._timer = None if when == math.inf else self.loop.call_at(when, self._work)

    def _write(self, now: float) -> None:
        had = bool(self._out)
        while True:
            self._out = self._out or self.line.transmit(now)
            if not self._out:
                break
            taken = self._port.write(self._out)
            self._out = self._out[taken:]
            if self._out:  # go on when there is room
                if not had:
                    self.loop.add_writer(self._port.fd, self.wake)
                return
        if had:
            self.loop.remove_writer(self._port.fd)


def _remove_socket(path: str) -> None:
    """One that a relay has left; nothing else."""
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
