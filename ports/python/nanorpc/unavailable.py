# ports/python/nanorpc/unavailable.py - calls of grpcio whose details say why the device was not reached.
# Layer: port. Source: grpcio, which knows that its connection to the relay ended; relay.py knows why.
# SPDX-License-Identifier: Apache-2.0
"""A method and a call behave as grpcio's own; an UNAVAILABLE has the relay's reason before grpcio's words."""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple

import grpc

from nanorpc.relay import Trouble

FORMAT = (
    "<%s of RPC that terminated with:\n"
    '\tstatus = %s\n\tdetails = "%s"\n\tdebug_error_string = "%s"\n>'
)


class Reason:
    """Why one call ended. Made before it begins."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble, self._since = trouble, trouble.number
        self._found: Optional[str] = None

    def details(self, code: Optional[grpc.StatusCode], details: Optional[str]) -> Optional[str]:
        """What the caller reads in the place of grpcio's details."""
        if code is not grpc.StatusCode.UNAVAILABLE:
            return details
        if self._found is None:  # once: what comes later is of other calls
            self._found = self._trouble.since(self._since)
        return "%s (%s)" % (self._found, details) if self._found else details


class Call(grpc.RpcError):
    """A call that goes on, or its end as an error: both are one object in grpcio, too."""

    def __init__(self, call: Any, reason: Reason) -> None:
        super().__init__()
        self._call, self._reason = call, reason

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def details(self) -> Optional[str]:
        return self._reason.details(self._call.code(), self._call.details())

    def result(self, timeout: Optional[float] = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError:
            raise self from None

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        error = self._call.exception(timeout)
        return self if isinstance(error, grpc.RpcError) else error

    def add_done_callback(self, function: Callable[[Any], None]) -> None:
        self._call.add_done_callback(lambda _: function(self))

    def __iter__(self) -> Call:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError:
            raise self from None

    def __repr__(self) -> str:
        if not self._call.done() or self._call.code() is not grpc.StatusCode.UNAVAILABLE:
            return repr(self._call)
        return FORMAT % (
            type(self._call).__name__,
            self._call.code(),
            self.details(),
            self._call.debug_error_string(),
        )

    __str__ = __repr__


grpc.Call.register(Call)
grpc.Future.register(Call)


class UnaryMethod(grpc.UnaryUnaryMultiCallable, grpc.StreamUnaryMultiCallable):
    """One with a single response."""

    def __init__(self, method: Any, trouble: Trouble) -> None:
        self._method, self._trouble = method, trouble

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.with_call(*arguments, **named)[0]

    def with_call(self, *arguments: Any, **named: Any) -> Tuple[Any, grpc.Call]:
        reason = Reason(self._trouble)
        try:
            return self._method.with_call(*arguments, **named)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            raise Call(error, reason) from None

    def future(self, *arguments: Any, **named: Any) -> Any:
        reason = Reason(self._trouble)
        return Call(self._method.future(*arguments, **named), reason)


class StreamMethod(grpc.UnaryStreamMultiCallable, grpc.StreamStreamMultiCallable):
    """One with a stream of responses."""

    def __init__(self, method: Any, trouble: Trouble) -> None:
        self._method, self._trouble = method, trouble

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        reason = Reason(self._trouble)
        return Call(self._method(*arguments, **named), reason)
