# tests/interop/test_compression.py - gzip and deflate both ways, between grpcio and an image with NRPC_COMPRESSION.
# Layer: tests. Source: gRPC "Compression".
# SPDX-License-Identifier: Apache-2.0
import random
import zlib

import grpc
import pytest

import cases
from grpc.testing import messages_pb2, test_pb2_grpc
from rawh2 import Peer
from tap import Tap, flags_of
from targets import chosen, limit, use

GZIP, DEFLATE, NONE = (
    grpc.Compression.Gzip,
    grpc.Compression.Deflate,
    grpc.Compression.NoCompression,
)
MOST = 500  # bytes of a body that goes out compressed: it is made in the block
UNARY = "/grpc.testing.TestService/UnaryCall"


@pytest.fixture(params=chosen(["posix", "hostsim-raw", "lm3s6965evb"]))
def server(request):
    yield from use(request.param, "interop")


def stub(channel):
    return test_pb2_grpc.TestServiceStub(channel)


def channel(target, compression=None, *options):
    return grpc.insecure_channel(
        target, options=[("grpc.use_local_subchannel_pool", 1), *options], compression=compression
    )


def body(size):
    """Text that deflate makes use of, in dynamic blocks."""
    rng = random.Random(size)
    return b" ".join(
        rng.choice([b"temperature", b"humidity", b"21.5", b"40", b"%"]) for _ in range(size)
    )[:size]


def ask(its_body, expect, size=0, compressed=None):
    return messages_pb2.SimpleRequest(
        payload=messages_pb2.Payload(body=its_body),
        response_size=size,
        expect_compressed=cases.boolean(expect),
        response_compressed=cases.boolean(compressed),
    )


@pytest.mark.parametrize("compression", [GZIP, DEFLATE])
def test_of_a_channel(server, compression):
    with Tap(server.port) as wire, channel(wire.target(), compression) as on:
        for size in (100, 500, 900):
            reply = stub(on).UnaryCall(ask(body(size), True, MOST, True), timeout=cases.SECONDS)
            assert reply.payload.body == bytes(MOST)
        assert flags_of(wire.requests) == flags_of(wire.replies) == [[1]] * 3


@pytest.mark.parametrize("compression", [GZIP, DEFLATE, NONE])
def test_of_a_call(server, compression):
    with Tap(server.port) as wire, channel(wire.target()) as on:
        expect = compression is not NONE
        for _ in range(2):  # the second time by HPACK's table
            reply = stub(on).UnaryCall(
                ask(body(500), expect, MOST, not expect),
                timeout=cases.SECONDS,
                compression=compression,
            )
            assert reply.payload.body == bytes(MOST)
        assert flags_of(wire.requests) == [[int(expect)]] * 2
        assert flags_of(wire.replies) == [[int(not expect)]] * 2


def test_streams(server):
    with Tap(server.port) as wire, channel(wire.target(), DEFLATE) as on:
        requests = [
            messages_pb2.StreamingInputCallRequest(
                payload=messages_pb2.Payload(body=body(size)),
                expect_compressed=cases.boolean(size > 50),
            )
            for size in (1000, 200, 900, 600)
        ]
        assert (
            stub(on)
            .StreamingInputCall(iter(requests), timeout=cases.SECONDS)
            .aggregated_payload_size
            == 2700
        )
        parameters = [
            messages_pb2.ResponseParameters(size=size, compressed=cases.boolean(how))
            for size, how in ((900, False), (MOST, True), (30, True), (1000, None))
        ]
        request = messages_pb2.StreamingOutputCallRequest(response_parameters=parameters)
        replies = stub(on).StreamingOutputCall(request, timeout=cases.SECONDS)
        assert [len(reply.payload.body) for reply in replies] == [900, MOST, 30, 1000]
        # zlib's 6 bytes and the rest make 30 zeros smaller too
        assert flags_of(wire.replies)[1] == [0, 1, 1, 0]


def test_a_client_that_takes_none(server):
    with (
        Tap(server.port) as wire,
        channel(wire.target(), None, ("grpc.compression_enabled_algorithms_bitset", 1)) as on,
    ):
        reply = stub(on).UnaryCall(ask(b"", None, 1000, True), timeout=cases.SECONDS)
        assert reply.payload.body == bytes(1000)
        assert flags_of(wire.replies) == [[0]]


def test_deflate_only(server):
    with (
        Tap(server.port) as wire,
        channel(wire.target(), None, ("grpc.compression_enabled_algorithms_bitset", 3)) as on,
    ):
        reply = stub(on).UnaryCall(ask(b"", None, MOST, True), timeout=cases.SECONDS)
        assert reply.payload.body == bytes(MOST)
        assert flags_of(wire.replies) == [[1]]


def packed(data, bits):
    z = zlib.compressobj(9, zlib.DEFLATED, bits)
    data = z.compress(data) + z.flush()
    return b"\1" + len(data).to_bytes(4, "big") + data


def test_a_reply_that_does_not_fit(server):
    """It passes through in pieces, as it is."""
    most = limit(server.name, "INTEROP_BYTES", 1024, "interop")
    with Tap(server.port) as wire, channel(wire.target()) as on:
        reply = stub(on).UnaryCall(ask(b"", None, most, True), timeout=cases.SECONDS)
        assert reply.payload.body == bytes(most)
        assert flags_of(wire.replies) == [[0]]


def test_answers_to_what_is_wrong(server):
    most = limit(server.name, "INTEROP_BYTES", 1024, "interop")
    with Peer(server.port) as peer:
        for encoding, data, status in (
            ("gzip", packed(bytes(most + 1), 31), "8"),
            ("deflate", packed(bytes(5 * most), 15), "8"),
            ("gzip", packed(b"", 15), "13"),
            ("gzip", packed(b"", 31)[:-1] + b"\1", "13"),
            ("identity", packed(b"", 31), "13"),
            ("snappy", b"\0\0\0\0\0", "12"),
            ("gzip", packed(b"\xff", 31), "13"),
            ("gzip", packed(b"", 31), "0"),
        ):
            answer = peer.call(UNARY, data, ("grpc-encoding", encoding))
            assert answer.grpc_status == status, (encoding, len(data))
            if status == "12":
                assert answer.header("grpc-accept-encoding") == "identity,deflate,gzip"
