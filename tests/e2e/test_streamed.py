# tests/e2e/test_streamed.py - calls that carry more than the device has memory, by an unmodified grpcio client.
# Layer: tests. Source: proto/blobs.proto, boards/apps/blobs/blobs.c.
# SPDX-License-Identifier: Apache-2.0
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import blobs_pb2
import blobs_pb2_grpc
import grpc
import pytest

from rawh2 import DATA, Peer, frame, prefixed
from targets import RAW, Server, chosen, use

SECONDS = 120  # of patience with one call: no test fails because the machine is slow
MEGABYTE = 1 << 20
WINDOW = 1024  # max_size in proto/blobs.options
AGAIN = 12  # more often than the server has places for calls
CODE = grpc.StatusCode


@pytest.fixture(params=chosen(RAW))
def server(request):
    yield from use(request.param, "blobs")


def open_channel(server):
    return grpc.insecure_channel(
        server.target(),
        options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)],
    )


@pytest.fixture
def stub(server):
    with open_channel(server) as channel:
        yield blobs_pb2_grpc.BlobsStub(channel)


def made_up(seed, n):
    return bytes((seed + i + i // 251) & 255 for i in range(n))


MADE_UP = made_up(0, MEGABYTE)


def named(data, name="a name", note="a note"):
    return blobs_pb2.Named(
        name=name,
        note=note,
        blob=blobs_pb2.Blob(media_type="x/y", data=data, crc32=zlib.crc32(data)),
    )


def check_sum(summary, blobs, data):
    assert (summary.blobs, summary.bytes, summary.crc32) == (blobs, len(data), zlib.crc32(data))


@pytest.mark.parametrize("size", [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 100000, MEGABYTE])
def test_nested_request(stub, size):
    summary = stub.Put(named(MADE_UP[:size]), timeout=SECONDS)
    check_sum(summary, 1, MADE_UP[:size])
    assert (summary.last_name, summary.last_note, summary.last_media_type) == (
        "a name",
        "a note",
        "x/y",
    )


@pytest.mark.parametrize("size", [0, 1, 2 * WINDOW, MEGABYTE])
def test_reply(stub, size):
    blob = stub.Get(blobs_pb2.Ask(bytes=size), timeout=SECONDS)
    assert blob.data == MADE_UP[:size]
    assert blob.media_type == "application/octet-stream"


def test_client_streaming(stub):
    sizes = [0, 300000, 1, MEGABYTE, 5]
    summary = stub.PutAll(
        (named(MADE_UP[:size], name="n%d" % i) for i, size in enumerate(sizes)), timeout=SECONDS
    )
    check_sum(summary, len(sizes), b"".join(MADE_UP[:size] for size in sizes))
    assert summary.last_name == "n4"


def test_server_streaming_nested(stub):
    replies = list(stub.GetAll(blobs_pb2.Ask(bytes=300000, seed=3, count=4), timeout=SECONDS))
    assert [(reply.name, reply.note) for reply in replies] == [("made up", "more follow")] * 3 + [
        ("made up", "the last one")
    ]
    assert {reply.blob.media_type for reply in replies} == {"application/octet-stream"}
    assert {reply.blob.data for reply in replies} == {made_up(3, 300000)}


def test_both_ways(stub):
    sizes = [MEGABYTE, 0, 3, 100000]
    requests = (
        blobs_pb2.Blob(media_type="x/%d" % i, data=MADE_UP[:size], crc32=i)
        for i, size in enumerate(sizes)
    )
    for i, reply in enumerate(stub.Exchange(requests, timeout=SECONDS)):
        assert reply.media_type == "x/%d" % i
        assert reply.crc32 == zlib.crc32(MADE_UP[: sizes[i]])
        assert reply.data == made_up(i, sizes[i])
    assert i == len(sizes) - 1


def test_side_by_side(server):
    """As many calls at once as two connections take, in both directions."""
    with open_channel(server) as one, open_channel(server) as other, ThreadPoolExecutor(8) as pool:
        stubs = [blobs_pb2_grpc.BlobsStub(channel) for channel in (one, other)]
        puts = [
            pool.submit(stub.Put, named(MADE_UP[i:200000]), timeout=SECONDS, wait_for_ready=True)
            for i, stub in enumerate(stubs * 2)
        ]
        gets = [
            pool.submit(
                stub.Get, blobs_pb2.Ask(bytes=200000, seed=i), timeout=SECONDS, wait_for_ready=True
            )
            for i, stub in enumerate(stubs * 2)
        ]
        for i in range(4):
            check_sum(puts[i].result(), 1, MADE_UP[i:200000])
            assert gets[i].result().data == made_up(i, 200000)


def test_cancelled_in_the_middle_of_replies(stub):
    for _ in range(AGAIN):
        call = stub.GetAll(blobs_pb2.Ask(bytes=10000, count=1 << 20), timeout=SECONDS)
        assert next(call).blob.data == MADE_UP[:10000]
        call.cancel()
        with pytest.raises(grpc.RpcError) as failed:
            list(call)
        assert failed.value.code() is CODE.CANCELLED
    assert stub.Get(blobs_pb2.Ask(bytes=1), timeout=SECONDS).data == b"\0"


def test_cancelled_in_the_middle_of_requests(stub):
    for _ in range(AGAIN):
        over = threading.Event()

        def requests():
            yield blobs_pb2.Blob(data=MADE_UP[:10000])
            over.wait(SECONDS)

        call = stub.Exchange(requests(), timeout=SECONDS)
        assert next(call).data == MADE_UP[:10000]
        call.cancel()
        over.set()
        assert call.code() is CODE.CANCELLED
    check_sum(stub.Put(named(b"z"), timeout=SECONDS), 1, b"z")


def test_half_a_message_and_gone(server):
    """The link is lost in mid-message; every place for a call is free again."""
    for _ in range(AGAIN):
        with Peer(server.port) as peer:
            assert (
                peer.call(
                    "/blobs.Blobs/Put", prefixed(named(b"probe").SerializeToString())
                ).grpc_status
                == "0"
            )
            stream = peer.start("/blobs.Blobs/Put")
            peer.send(
                frame(DATA, 0, stream, prefixed(named(MADE_UP[:1000]).SerializeToString())[:500])
            )
    assert server.serves()


@pytest.mark.parametrize(
    "body, status",
    [
        (b"\x12\x06\x12\x05abcd", "13"),  # the field is longer than its message
        (b"\x12\x04\x10\x05\x08\x01", "13"),  # it is a number
        (b"\x12\x05\x12\x03abc\x0b", "13"),  # a group
        (b"\x12\x05\x12\x03abc\x7a\x02zz", "0"),  # a field of a later version
        (b"\x7a\xbc\x05" + bytes(700), "0"),  # the same, larger than all that is kept
    ],
)
def test_what_may_be_wrong(server, body, status):
    with Peer(server.port) as peer:
        assert peer.call("/blobs.Blobs/Put", prefixed(body)).grpc_status == status


@pytest.mark.parametrize("name", chosen(["hostsim-raw"]))
def test_bad_weather(name):
    with Server(name, ["--loss", "2", "--reorder", "5", "--seed", "4"], app="blobs") as server:
        with open_channel(server) as channel:
            stub = blobs_pb2_grpc.BlobsStub(channel)
            check_sum(
                stub.Put(named(MADE_UP[:60000]), timeout=SECONDS, wait_for_ready=True),
                1,
                MADE_UP[:60000],
            )
            assert stub.Get(blobs_pb2.Ask(bytes=60000), timeout=SECONDS).data == MADE_UP[:60000]
