# tests/readme/plant/client.py - calls all that docs/handlers.md has, and says what is not as the page says.
# Layer: tests; the page's story runs it. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""Use: client.py PORT, beside plant_pb2.py and plant_pb2_grpc.py."""

import os
import sys
import time

import grpc

sys.path.insert(0, os.getcwd())
import plant_pb2  # noqa: E402
import plant_pb2_grpc  # noqa: E402

Which, Reading = plant_pb2.Which, plant_pb2.Reading


def fails(code, call, *arguments, **options):
    try:
        reply = call(*arguments, timeout=options.pop("timeout", 10), **options)
        reply = list(reply) if hasattr(reply, "__next__") else reply
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error.details()
    raise AssertionError("no %s: %s" % (code, reply))


def unary(stub):
    assert stub.Read(Which(sensor=2), timeout=10).value == 2000
    assert fails(grpc.StatusCode.NOT_FOUND, stub.Read, Which(sensor=4)) == "sensors are 0 to 3"


def later(stub):
    start = time.monotonic()
    first = stub.Calibrate.future(Which(sensor=1), timeout=10)
    time.sleep(0.05)
    assert fails(grpc.StatusCode.UNAVAILABLE, stub.Calibrate, Which()) == "one at a time"
    assert first.result().value == 42 and time.monotonic() - start > 0.15
    words = fails(grpc.StatusCode.FAILED_PRECONDITION, stub.Calibrate, Which(), timeout=0.15)
    assert words == "give me more time"
    given_up = stub.Calibrate.future(Which(), timeout=10)
    time.sleep(0.05)
    given_up.cancel()
    time.sleep(0.05)  # _cancelled has made room for the next
    assert stub.Calibrate(Which(), timeout=10).value == 42
    assert stub.Calibrate(Which()).value == 42  # without a deadline


def pulled(stub):
    assert [reading.value for reading in stub.List(Which(sensor=1), timeout=10)] == [
        1000,
        2000,
        3000,
    ]
    assert list(stub.List(Which(sensor=9), timeout=10)) == []


def followed(stub):
    """Two followers at once: each gets all samples in order, and what it has missed is counted."""
    calls = [stub.Follow(Which(), timeout=30) for _ in range(2)]
    for call in calls:
        before = None
        assert next(call).missed == 0
        for _ in range(500):
            reading = next(call)
            assert before is None or reading.value == before + 1 + reading.missed, (before, reading)
            before = reading.value
        call.cancel()
    more = [stub.Follow(Which(), timeout=30) for _ in range(3)]  # their places are free again
    assert all(next(call).value > 500 for call in more)
    for call in more:
        call.cancel()


def slow(port):
    """A follower with a small window, that reads late: what it has missed is counted."""
    options = [("grpc.http2.lookahead_bytes", 64), ("grpc.http2.bdp_probe", 0)]
    with grpc.insecure_channel("127.0.0.1:" + port, options) as channel:
        call = plant_pb2_grpc.PlantStub(channel).Follow(Which(), timeout=30)
        values = [next(call)]
        time.sleep(0.5)
        values += [next(call) for _ in range(300)]
        call.cancel()
    assert sum(reading.missed for reading in values) > 0
    for before, reading in zip(values, values[1:]):
        assert reading.value == before.value + 1 + reading.missed, (before, reading)


def pushed(stub):
    first = stub.Newest(Which(), timeout=30)
    values = [next(first).value for _ in range(5)]
    assert values == sorted(set(values)), values
    second = stub.Newest(Which(), timeout=30)
    next(second)
    try:
        while True:
            next(first)
    except grpc.RpcError as error:
        assert (
            error.code() == grpc.StatusCode.ABORTED and error.details() == "another one looks now"
        )
    second.cancel()


def streams(stub):
    for _ in range(10):  # more than there are records
        reply = stub.Record((Reading(value=value) for value in (1, -5, 10)), timeout=10)
        assert (reply.count, reply.sum) == (3, 6)
        assert stub.Record(iter(()), timeout=10).count == 0
        call = stub.Record.future(endless(), timeout=10)
        time.sleep(0.01)
        call.cancel()
    replies = stub.Talk((Which(sensor=sensor) for sensor in (3, 1, 2)), timeout=10)
    assert [reply.value for reply in replies] == [3000, 1000, 2000]


def endless(wait=0):
    time.sleep(wait)
    yield Reading(value=1)
    time.sleep(0.2)


def unseen(channel, stub):
    """Calls that end before their handler has seen a message of them: nobody else's is taken for them."""
    waits = stub.Calibrate.future(Which(), timeout=10)
    views, follows = stub.Newest(Which(), timeout=10), stub.Follow(Which(), timeout=10)
    next(views), next(follows)
    for name in ("Calibrate", "Newest", "Follow", "Record"):
        call = channel.stream_stream("/plant.Plant/" + name)(endless(wait=0.5), timeout=10)
        time.sleep(0.02)
        call.cancel()
        time.sleep(0.02)
    assert waits.result().value == 42
    newest = stub.Read(Which(sensor=0), timeout=10).value
    assert any(reading.value >= newest for reading in views)
    next(follows)
    views.cancel(), follows.cancel()


def metadata(stub):
    reply, call = stub.Tag.with_call(
        Which(), timeout=10, metadata=[("x-tag", "tomato"), ("x-other", "y")]
    )
    assert reply.value == 6
    assert dict(call.initial_metadata())["x-tag-back"] == "tomato"
    assert dict(call.trailing_metadata())["x-device"] == "plant"
    assert fails(grpc.StatusCode.INVALID_ARGUMENT, stub.Tag, Which()) == "no x-tag"
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, stub.Tag, Which(), metadata=[("x-tag", "y" * 100)])


def main():
    with grpc.insecure_channel("127.0.0.1:" + sys.argv[1]) as channel:
        stub = plant_pb2_grpc.PlantStub(channel)
        for example in (unary, later, pulled, followed, pushed, streams, metadata):
            example(stub)
            print("plant:", example.__name__)
        unseen(channel, stub)
        slow(sys.argv[1])


if __name__ == "__main__":
    main()
