# ports/python/nanorpc/channel.py - an ordinary grpc.Channel to a device on a serial port.
# Layer: port. Source: grpcio; relay.py, which runs in a thread of its own.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
import threading
from typing import Any, Callable, List, Optional, Sequence, Tuple

import grpc

from nanorpc.relay import Relay, Trouble
from nanorpc.unavailable import StreamMethod, UnaryMethod

Option = Tuple[str, Any]

# A device that is plugged in again is found soon. What the caller gives stands behind these, and counts.
OPTIONS: Sequence[Option] = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
)


class SharedRelay:
    """A relay in a thread, on a unix socket of its own; shared by all channels of this process to one port."""

    _all: List[SharedRelay] = []
    _lock = threading.Lock()

    def __init__(self, url: str, baudrate: int, rtscts: bool) -> None:
        self.url, self.how = url, (baudrate, rtscts)
        self._users = 0
        self._texts: List[Callable[[bytes], None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="nanorpc relay", daemon=True
        )
        self._folder = tempfile.mkdtemp(prefix="nanorpc-")  # nobody else may enter it
        self.target = "unix:" + os.path.join(self._folder, "relay")
        self._relay = Relay(url, baudrate, rtscts, self._on_text)
        self.trouble = self._relay.trouble
        self._thread.start()
        try:
            self._run(self._start())
        except BaseException:
            self._stop()
            raise

    @classmethod
    def acquire(
        cls,
        url: str,
        baudrate: int,
        rtscts: bool,
        on_text: Optional[Callable[[bytes], None]],
    ) -> SharedRelay:
        """The relay of that port, opened for its first user. Raises PortError; ValueError: it is open otherwise."""
        with cls._lock:
            relay = next((relay for relay in cls._all if _is_same(relay.url, url)), None)
            if relay is None:
                relay = cls(url, baudrate, rtscts)
                cls._all.append(relay)
            elif relay.how != (baudrate, rtscts):
                raise ValueError(
                    "%s is open with baudrate=%d, rtscts=%s in this program: use the same, or close that channel"
                    % (url, *relay.how)
                )
            relay._users += 1
            if on_text:
                relay._texts.append(on_text)
            return relay

    def release(self, on_text: Optional[Callable[[bytes], None]]) -> None:
        """A user less; the last one closes it."""
        with self._lock:
            if on_text:
                self._texts.remove(on_text)
            self._users -= 1
            if self._users:
                return
            self._all.remove(self)
        try:
            self._run(self._relay.close())
        finally:
            self._stop()

    async def _start(self) -> None:
        await self._relay.open()
        await self._relay.listen(self.target)

    def _on_text(self, text: bytes) -> None:
        for on_text in list(self._texts):
            on_text(text)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @classmethod
    def close_all(cls) -> None:
        """At the program's end: the device hears that its clients have gone."""
        for relay in list(cls._all):
            relay._users = 1
            relay._texts.clear()
            relay.release(None)


def _is_same(url: str, other: str) -> bool:
    """Whether both mean one port: /dev/serial/by-id/ has other names for /dev/ttyACM0, for as long as it is there."""
    return url == other or "://" not in url and os.path.realpath(url) == os.path.realpath(other)


atexit.register(SharedRelay.close_all)


class Lease:
    """One channel's use of a relay; given back once."""

    def __init__(self, *how: Any) -> None:
        self._relay: Optional[SharedRelay] = SharedRelay.acquire(*how)
        self._on_text = how[-1]
        self.target = self._relay.target
        self.trouble: Trouble = self._relay.trouble

    def give_back(self) -> None:
        relay, self._relay = self._relay, None
        if relay and relay in SharedRelay._all:
            relay.release(self._on_text)


class _SerialChannel(grpc.Channel):
    """grpcio's channel to the relay; closing it closes the relay too, if it was the last."""

    def __init__(self, channel: grpc.Channel, lease: Lease) -> None:
        self._channel, self._lease = channel, lease

    @property
    def why_unavailable(self) -> str:
        """Why a connection of this program to the device ended last; "": none did."""
        return self._lease.trouble.last

    def subscribe(self, *arguments: Any, **named: Any) -> None:
        self._channel.subscribe(*arguments, **named)

    def unsubscribe(self, *arguments: Any, **named: Any) -> None:
        self._channel.unsubscribe(*arguments, **named)

    def unary_unary(self, *arguments: Any, **named: Any) -> grpc.UnaryUnaryMultiCallable:
        method = self._channel.unary_unary(*arguments, **named)
        return UnaryMethod(method, self._lease.trouble)

    def unary_stream(self, *arguments: Any, **named: Any) -> grpc.UnaryStreamMultiCallable:
        method = self._channel.unary_stream(*arguments, **named)
        return StreamMethod(method, self._lease.trouble)

    def stream_unary(self, *arguments: Any, **named: Any) -> grpc.StreamUnaryMultiCallable:
        method = self._channel.stream_unary(*arguments, **named)
        return UnaryMethod(method, self._lease.trouble)

    def stream_stream(self, *arguments: Any, **named: Any) -> grpc.StreamStreamMultiCallable:
        method = self._channel.stream_stream(*arguments, **named)
        return StreamMethod(method, self._lease.trouble)

    def close(self) -> None:
        self._channel.close()
        self._lease.give_back()

    def __enter__(self) -> _SerialChannel:
        return self

    def __exit__(self, *error: Any) -> bool:
        self.close()
        return False


def serial_channel(
    port: str,
    baudrate: int = 115200,
    *,
    rtscts: bool = False,
    on_text: Optional[Callable[[bytes], None]] = None,
    options: Sequence[Option] = (),
    compression: Optional[grpc.Compression] = None,
) -> grpc.Channel:
    """A channel to the device on a serial port, for stubs as any other channel.

    port: a path such as "/dev/ttyACM0", or "socket://HOST:PORT". baudrate: bits a second; of no meaning for USB
    devices. rtscts: the line has RTS and CTS. on_text: called with what the firmware prints, in a thread of the
    channel's. options, compression: as grpc.insecure_channel has them.

    Raises PortError when the port cannot be opened now. Should it go later, calls fail with UNAVAILABLE until it is
    there again. Close the channel, or use it in a `with`, to give the port back: several channels of one program to
    the same port share it, other programs are kept out.
    """
    lease = Lease(port, baudrate, rtscts, on_text)
    try:
        channel = grpc.insecure_channel(lease.target, [*OPTIONS, *options], compression)
    except BaseException:
        lease.give_back()
        raise
    return _SerialChannel(channel, lease)
