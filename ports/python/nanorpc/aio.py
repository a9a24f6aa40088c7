# ports/python/nanorpc/aio.py - channel.py for asyncio: an ordinary grpc.aio.Channel to a device on a serial port.
# Layer: port. Source: grpcio.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from typing import Any, Callable, Optional, Sequence

import grpc
import grpc.aio

from nanorpc.channel import OPTIONS, Lease, Option


class _SerialChannel(grpc.aio.Channel):
    def __init__(self, channel: grpc.aio.Channel, lease: Lease) -> None:
        self._channel, self._lease = channel, lease

    def unary_unary(self, *arguments: Any, **named: Any) -> grpc.aio.UnaryUnaryMultiCallable:
        return self._channel.unary_unary(*arguments, **named)

    def unary_stream(self, *arguments: Any, **named: Any) -> grpc.aio.UnaryStreamMultiCallable:
        return self._channel.unary_stream(*arguments, **named)

    def stream_unary(self, *arguments: Any, **named: Any) -> grpc.aio.StreamUnaryMultiCallable:
        return self._channel.stream_unary(*arguments, **named)

    def stream_stream(self, *arguments: Any, **named: Any) -> grpc.aio.StreamStreamMultiCallable:
        return self._channel.stream_stream(*arguments, **named)

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
