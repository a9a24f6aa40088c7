# ports/python/nanorpc/aio.py - channel.py for asyncio: an ordinary grpc.aio.Channel to a device on a serial port.
# Layer: port. Source: grpcio.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import contextlib
from typing import Any, AsyncIterator, Callable, Generator, Iterator, Optional, Sequence

import grpc
import grpc.aio

from nanorpc.channel import OPTIONS, Lease, Option
from nanorpc.relay import Trouble
from nanorpc.unavailable import Reason


class _Call:
    """grpcio's call; what it says of an UNAVAILABLE has the relay's reason."""

    def __init__(self, call: Any, reason: Reason) -> None:
        self._call, self._reason = call, reason

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __repr__(self) -> str:
        return repr(self._call)

    async def details(self) -> Optional[str]:
        return self._reason.details(await self._call.code(), await self._call.details())

    def add_done_callback(self, function: Callable[[Any], None]) -> None:
        self._call.add_done_callback(lambda _: function(self))

    def __await__(self) -> Generator[Any, None, Any]:
        with self._explained():
            return (yield from self._call.__await__())

    async def __aiter__(self) -> AsyncIterator[Any]:
        with self._explained():
            async for response in self._call:
                yield response

    async def read(self) -> Any:
        with self._explained():
            return await self._call.read()

    async def write(self, request: Any) -> None:
        with self._explained():
            await self._call.write(request)

    async def done_writing(self) -> None:
        with self._explained():
            await self._call.done_writing()

    async def wait_for_connection(self) -> None:
        with self._explained():
            await self._call.wait_for_connection()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            details = self._reason.details(error.code(), error.details())
            if details == error.details():
                raise
            raise grpc.aio.AioRpcError(
                error.code(),
                error.initial_metadata(),
                error.trailing_metadata(),
                details,
                error.debug_error_string(),
            ) from None


class _Method:
    """One of any kind."""

    kind = _Call

    def __init__(self, method: Any, trouble: Trouble) -> None:
        self._method, self._trouble = method, trouble

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        reason = Reason(self._trouble)
        return self.kind(self._method(*arguments, **named), reason)


# Each kind is known as grpcio's.
@grpc.aio.UnaryUnaryCall.register
class _UnaryUnaryCall(_Call):
    pass


@grpc.aio.UnaryStreamCall.register
class _UnaryStreamCall(_Call):
    pass


@grpc.aio.StreamUnaryCall.register
class _StreamUnaryCall(_Call):
    pass


@grpc.aio.StreamStreamCall.register
class _StreamStreamCall(_Call):
    pass


class _UnaryUnaryMethod(_Method, grpc.aio.UnaryUnaryMultiCallable):
    kind = _UnaryUnaryCall


class _UnaryStreamMethod(_Method, grpc.aio.UnaryStreamMultiCallable):
    kind = _UnaryStreamCall


class _StreamUnaryMethod(_Method, grpc.aio.StreamUnaryMultiCallable):
    kind = _StreamUnaryCall


class _StreamStreamMethod(_Method, grpc.aio.StreamStreamMultiCallable):
    kind = _StreamStreamCall


class _SerialChannel(grpc.aio.Channel):
    def __init__(self, channel: grpc.aio.Channel, lease: Lease) -> None:
        self._channel, self._lease = channel, lease

    def unary_unary(self, *arguments: Any, **named: Any) -> grpc.aio.UnaryUnaryMultiCallable:
        method = self._channel.unary_unary(*arguments, **named)
        return _UnaryUnaryMethod(method, self._lease.trouble)

    def unary_stream(self, *arguments: Any, **named: Any) -> grpc.aio.UnaryStreamMultiCallable:
        method = self._channel.unary_stream(*arguments, **named)
        return _UnaryStreamMethod(method, self._lease.trouble)

    def stream_unary(self, *arguments: Any, **named: Any) -> grpc.aio.StreamUnaryMultiCallable:
        method = self._channel.stream_unary(*arguments, **named)
        return _StreamUnaryMethod(method, self._lease.trouble)

    def stream_stream(self, *arguments: Any, **named: Any) -> grpc.aio.StreamStreamMultiCallable:
        method = self._channel.stream_stream(*arguments, **named)
        return _StreamStreamMethod(method, self._lease.trouble)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    async def close(self, grace: Optional[float] = None) -> None:
        await self._channel.close(grace)
        await asyncio.get_running_loop().run_in_executor(None, self._lease.give_back)

    async def __aenter__(self) -> _SerialChannel:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.close()


def serial_channel(
    port: str,
    baudrate: int = 115200,
    *,
    rtscts: bool = False,
    on_text: Optional[Callable[[bytes], None]] = None,
    options: Sequence[Option] = (),
    compression: Optional[grpc.Compression] = None,
    interceptors: Optional[Sequence[grpc.aio.ClientInterceptor]] = None,
) -> grpc.aio.Channel:
    """nanorpc.serial_channel for asyncio; the rest is as grpc.aio.insecure_channel has it.

    Opens the port before it returns. on_text is called in a thread of the channel's, not in the event loop.
    """
    lease = Lease(port, baudrate, rtscts, on_text)
    try:
        channel = grpc.aio.insecure_channel(
            lease.target, [*OPTIONS, *options], compression, interceptors
        )
    except BaseException:
        lease.give_back()
        raise
    return _SerialChannel(channel, lease)
