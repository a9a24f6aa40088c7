# ports/python/nanorpc/call.py - one call without generated code: JSON in, JSON out.
# Layer: port. Source: protobuf's JSON mapping; schema.py knows the messages.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, List, Optional, TextIO, Tuple

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from nanorpc.schema import Schema


class RequestError(Exception):
    """A request cannot be made of what was given; the text says why. line: of what was given, if it is one's."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


def objects(texts: Iterable[str]) -> Iterator[Tuple[int, Any]]:
    """The JSON values of a text that comes line by line, each as soon as it is whole, with the line it begins in."""
    decoder, text, line = json.JSONDecoder(), "", 1
    for piece in texts:
        text += piece
        while text.strip():
            line += text[: len(text) - len(text.lstrip())].count("\n")
            text = text.lstrip()
            try:
                value, end = decoder.raw_decode(text)
            except json.JSONDecodeError as error:
                if not _goes_on(error, text):
                    raise _no_json(error, text, line) from None
                break
            yield line, value
            line += text[:end].count("\n")
            text = text[end:]
    if text.strip():
        try:
            decoder.decode(text)
        except json.JSONDecodeError as error:
            raise _no_json(error, text, line) from None


def _goes_on(error: json.JSONDecodeError, text: str) -> bool:
    """Whether what comes later may make a value of it."""
    rest = text[error.pos :].strip()
    is_word = any(word.startswith(rest) for word in ("true", "false", "null", "-"))
    return is_word or error.msg.startswith("Unterminated")


def _no_json(error: json.JSONDecodeError, text: str, line: int) -> RequestError:
    text = _quoted(text.split("\n")[error.lineno - 1])
    return RequestError(
        "the request is no JSON: %s: %s" % (error.msg, text), line + error.lineno - 1
    )


def _quoted(text: str) -> str:
    text = text.strip()
    return text if len(text) < 60 else text[:57] + "..."


class Call:
    """A method of a server."""

    def __init__(self, channel: grpc.Channel, schema: Schema, path: str) -> None:
        """path: SERVICE/METHOD. Raises SchemaError."""
        self.method: MethodDescriptor = schema.method(path)
        self._channel, self._pool = channel, schema.pool
        self._request = message_factory.GetMessageClass(self.method.input_type)
        self._reply = message_factory.GetMessageClass(self.method.output_type)
        self._error: Optional[RequestError] = None

    def run(
        self,
        texts: Iterable[str],
        metadata: List[Tuple[str, str]],
        timeout: Optional[float],
        output: TextIO,
    ) -> None:
        """Calls with the JSON objects of `texts`, and writes a line of JSON for each reply.

        Of a list all is looked at first; else a request is sent as soon as it is there. timeout: seconds. Raises
        grpc.RpcError, RequestError.
        """
        requests = (self._message(*found) for found in objects(texts))
        if isinstance(texts, list):
            requests = iter(list(requests))
        name = "stream" if self.method.client_streaming else "unary"
        name += "_stream" if self.method.server_streaming else "_unary"
        call = getattr(self._channel, name)(
            "/%s/%s" % (self.method.containing_service.full_name, self.method.name),
            request_serializer=self._request.SerializeToString,
            response_deserializer=self._reply.FromString,
        )
        given = self._guarded(requests) if self.method.client_streaming else self._only(requests)
        try:
            replies = call(given, metadata=metadata, timeout=timeout)
            for reply in replies if self.method.server_streaming else [replies]:
                print(self._json(reply), file=output, flush=True)
        except grpc.RpcError:
            if self._error:  # the call ended because of it
                raise self._error from None
            raise

    def _only(self, requests: Iterator[Any]) -> Any:
        found = list(requests)
        if len(found) != 1:
            raise RequestError("%s takes one request, not %d" % (self.method.name, len(found)))
        return found[0]

    def _guarded(self, requests: Iterator[Any]) -> Iterator[Any]:
        """The same; grpcio, whose thread asks for them, would not say why it gave up."""
        sent = 0
        try:
            for request in requests:
                yield request
                sent += 1
        except RequestError as error:
            self._error = RequestError(
                "line %d: %s; the call was cancelled after %d request%s, replies may be missing"
                % (error.line, error, sent, "" if sent == 1 else "s")
            )
            raise

    def _message(self, line: int, value: Any) -> Any:
        try:
            return json_format.ParseDict(value, self._request(), descriptor_pool=self._pool)
        except json_format.ParseError as error:
            fields = ", ".join(field.json_name for field in self.method.input_type.fields)
            raise RequestError(
                "the request does not fit %s, whose fields are: %s (%s)"
                % (self.method.input_type.full_name, fields or "none", error),
                line,
            ) from None

    def _json(self, reply: Any) -> str:
        value = json_format.MessageToDict(reply, descriptor_pool=self._pool)
        return json.dumps(value, ensure_ascii=False)
