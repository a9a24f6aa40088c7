# tests/interop/cases.py - gRPC's interop cases: their names, and each of them as a grpcio client does it.
# Layer: tests. Source: gRPC "Interoperability Test Case Descriptions".
# SPDX-License-Identifier: Apache-2.0
"""run(name, channel) does one case over a channel and raises AssertionError when the answer is not as described. What
was compressed on the wire is seen by tap.py."""

import os
import queue
import threading

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The generated package grpc.testing lies beside the installed package grpc.
grpc.__path__.append(os.path.join(ROOT, "build", "py", "grpc"))

from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc  # noqa: E402

SECONDS = 120  # of patience with one call: no case fails because the machine is slow
CODE = grpc.StatusCode
LARGE_REQUEST, LARGE_REPLY = 271828, 314159
REQUESTS, REPLIES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
INTERVAL_US = 30000


class NotRun(Exception):
    """Why a case cannot be done here."""


# --- Messages ---------------------------------------------------------------------------------------


def payload(size):
    return messages_pb2.Payload(body=bytes(size))


def boolean(value):
    return None if value is None else messages_pb2.BoolValue(value=value)


def simple(size=0, body=None, compressed=None, expect=None, status=None):
    return messages_pb2.SimpleRequest(
        response_size=size,
        payload=None if body is None else payload(body),
        response_compressed=boolean(compressed),
        expect_compressed=boolean(expect),
        response_status=status,
    )


def output(sizes=(), body=None, compressed=(), interval_us=0, status=None):
    parameters = [
        messages_pb2.ResponseParameters(size=size, interval_us=interval_us) for size in sizes
    ]
    for parameter, value in zip(parameters, compressed):
        parameter.compressed.value = value
    return messages_pb2.StreamingOutputCallRequest(
        response_parameters=parameters,
        payload=None if body is None else payload(body),
        response_status=status,
    )


def entry(body, expect=None):
    return messages_pb2.StreamingInputCallRequest(
        payload=payload(body), expect_compressed=boolean(expect)
    )


def is_body(reply, size):
    assert reply.payload.type == messages_pb2.COMPRESSABLE
    assert len(reply.payload.body) == size, "%d bytes, not %d" % (len(reply.payload.body), size)
    assert reply.payload.body == bytes(size), "not zeros"


class Typist:
    """The requests of a stream, sent one by one."""

    def __init__(self):
        self.queue = queue.Queue()
        self.send = self.queue.put

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


def fails(call, code, details=None):
    """call: gives an answer, or a stream of them, which must end with this status."""
    try:
        answer = call()
        if hasattr(answer, "__next__"):
            list(answer)
    except grpc.RpcError as error:
        assert error.code() is code, "%s: %s" % (error.code(), error.details())
        assert details is None or error.details() == details, repr(error.details())
        return
    raise AssertionError("ended well, not with %s" % code)


# --- The cases ----------------------------------------------------------------------------------------


def empty_unary(stub):
    assert stub.EmptyCall(empty_pb2.Empty(), timeout=SECONDS) == empty_pb2.Empty()


def large_unary(stub):
    is_body(stub.UnaryCall(simple(LARGE_REPLY, LARGE_REQUEST), timeout=SECONDS), LARGE_REPLY)


def client_streaming(stub):
    reply = stub.StreamingInputCall(iter([entry(size) for size in REQUESTS]), timeout=SECONDS)
    assert reply.aggregated_payload_size == sum(REQUESTS) == 74922


def server_streaming(stub):
    replies = list(stub.StreamingOutputCall(output(REPLIES), timeout=SECONDS))
    assert len(replies) == len(REPLIES)
    for reply, size in zip(replies, REPLIES):
        is_body(reply, size)


def ping_pong(stub):
    typist = Typist()
    call = stub.FullDuplexCall(iter(typist), timeout=SECONDS)
    for size, body in zip(REPLIES, REQUESTS):
        typist.send(output([size], body))
        is_body(next(call), size)
    typist.end()
    assert list(call) == []


def empty_stream(stub):
    call = stub.FullDuplexCall(iter([]), timeout=SECONDS)
    assert list(call) == []
    assert call.code() is CODE.OK


def custom_metadata(stub):
    text, binary = "test_initial_metadata_value", b"\x0a\x0b\x0a\x0b\x0a\x0b"
    metadata = ((INITIAL, text), (TRAILING, binary))

    def check(call):
        assert (INITIAL, text) in [tuple(pair) for pair in call.initial_metadata()], (
            call.initial_metadata()
        )
        assert (TRAILING, binary) in [tuple(pair) for pair in call.trailing_metadata()], (
            call.trailing_metadata()
        )

    reply, call = stub.UnaryCall.with_call(
        simple(LARGE_REPLY, LARGE_REQUEST), timeout=SECONDS, metadata=metadata
    )
    is_body(reply, LARGE_REPLY)
    check(call)
    call = stub.FullDuplexCall(
        iter([output([LARGE_REPLY], LARGE_REQUEST)]), timeout=SECONDS, metadata=metadata
    )
    replies = list(call)
    assert len(replies) == 1
    is_body(replies[0], LARGE_REPLY)
    check(call)


def status_code_and_message(stub):
    status = messages_pb2.EchoStatus(code=2, message="test status message")
    fails(
        lambda: stub.UnaryCall(simple(status=status), timeout=SECONDS), CODE.UNKNOWN, status.message
    )
    fails(
        lambda: stub.FullDuplexCall(iter([output(status=status)]), timeout=SECONDS),
        CODE.UNKNOWN,
        status.message,
    )


def special_status_message(stub):
    status = messages_pb2.EchoStatus(code=2, message=SPECIAL)
    fails(lambda: stub.UnaryCall(simple(status=status), timeout=SECONDS), CODE.UNKNOWN, SPECIAL)


def unimplemented_method(stub):
    fails(lambda: stub.UnimplementedCall(empty_pb2.Empty(), timeout=SECONDS), CODE.UNIMPLEMENTED)


def unimplemented_service(stub):
    other = test_pb2_grpc.UnimplementedServiceStub(stub.channel)
    fails(lambda: other.UnimplementedCall(empty_pb2.Empty(), timeout=SECONDS), CODE.UNIMPLEMENTED)


def cancel_after_begin(stub):
    typist = Typist()
    call = stub.StreamingInputCall.future(iter(typist), timeout=SECONDS)
    call.cancel()
    assert call.cancelled() and call.code() is CODE.CANCELLED
    typist.end()


def cancel_after_first_response(stub):
    typist = Typist()
    call = stub.FullDuplexCall(iter(typist), timeout=SECONDS)
    typist.send(output([31415], 27182))
    is_body(next(call), 31415)
    call.cancel()
    fails(lambda: call, CODE.CANCELLED)
    typist.end()


def timeout_on_sleeping_server(stub):
    typist = Typist()
    call = stub.FullDuplexCall(iter(typist), timeout=0.001)
    typist.send(output(body=27182))
    fails(lambda: call, CODE.DEADLINE_EXCEEDED)
    typist.end()


# --- Compression ----------------------------------------------------


def client_compressed_unary(stub):
    fails(
        lambda: stub.UnaryCall(simple(LARGE_REPLY, LARGE_REQUEST, expect=True), timeout=SECONDS),
        CODE.INVALID_ARGUMENT,
    )
    for compressed in (True, False):
        how = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
        request = simple(LARGE_REPLY, LARGE_REQUEST, expect=compressed)
        is_body(stub.UnaryCall(request, timeout=SECONDS, compression=how), LARGE_REPLY)


def server_compressed_unary(stub):
    for compressed in (True, False):
        is_body(
            stub.UnaryCall(simple(LARGE_REPLY, LARGE_REQUEST, compressed), timeout=SECONDS),
            LARGE_REPLY,
        )


def client_compressed_streaming(stub):
    fails(
        lambda: stub.StreamingInputCall(iter([entry(27182, True)]), timeout=SECONDS),
        CODE.INVALID_ARGUMENT,
    )
    raise NotRun(
        "grpcio compresses all messages of a call or none; its part without compression was done"
    )


def server_compressed_streaming(stub):
    sizes = (31415, 92653)
    replies = list(
        stub.StreamingOutputCall(output(sizes, compressed=(True, False)), timeout=SECONDS)
    )
    assert len(replies) == len(sizes)
    for reply, size in zip(replies, sizes):
        is_body(reply, size)


# --- Beside the official ones: the rest of what the service can do -------------------------------------


def half_duplex(stub):
    """No answer before the client has said all."""
    typist, answers = Typist(), queue.Queue()
    call = stub.HalfDuplexCall(iter(typist), timeout=SECONDS)
    threading.Thread(target=lambda: answers.put(list(call)), daemon=True).start()
    for size, body in zip(REPLIES, REQUESTS):
        typist.send(output([size], body))
    stub.EmptyCall(
        empty_pb2.Empty(), timeout=SECONDS
    )  # the server is at leisure, and has said nothing yet
    assert answers.empty()
    typist.end()
    replies = answers.get(timeout=SECONDS)
    assert len(replies) == len(REPLIES)
    for reply, size in zip(replies, REPLIES):
        is_body(reply, size)


def interval(stub):
    """interval_us is waited for before each answer."""
    import time

    for method, requests in (
        (stub.StreamingOutputCall, lambda r: r),
        (stub.FullDuplexCall, lambda r: iter([r, r])),
    ):
        begin = time.monotonic()
        n = len(list(method(requests(output([9] * 3, interval_us=INTERVAL_US)), timeout=SECONDS)))
        assert n in (3, 6)
        assert time.monotonic() - begin >= (n * INTERVAL_US - 2000) / 1e6


OFFICIAL = [
    empty_unary,
    large_unary,
    client_compressed_unary,
    server_compressed_unary,
    client_streaming,
    client_compressed_streaming,
    server_streaming,
    server_compressed_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    unimplemented_service,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
]
CASES = {case.__name__: case for case in OFFICIAL + [half_duplex, interval]}
COMPRESSED = [name for name in CASES if "compressed" in name]


def run(name, channel):
    stub = test_pb2_grpc.TestServiceStub(channel)
    stub.channel = channel
    CASES[name](stub)
