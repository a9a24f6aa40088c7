# tests/e2e/test_interceptors.py - tokens, the log and the counters, by grpcio with its own call credentials.
# Layer: tests. Source: boards/apps/guarded/guarded.c.
# SPDX-License-Identifier: Apache-2.0
import re
import time

import grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest

from targets import TOKEN, chosen, use

SECONDS = 30
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


@pytest.fixture(params=chosen(["posix", "hostsim-raw", "lm3s6965evb"]))
def server(request):
    yield from use(request.param, "guarded")


def channel(server, token=None):
    """Local credentials: plain TCP, over which grpcio sends a token nevertheless."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    if token is None:
        return grpc.insecure_channel(server.target(), options=options)
    local = grpc.local_channel_credentials(grpc.LocalConnectionType.LOCAL_TCP)
    both = grpc.composite_channel_credentials(local, grpc.access_token_call_credentials(token))
    return grpc.secure_channel(server.target(), both, options=options)


def greet(on, name="token"):
    return helloworld_pb2_grpc.GreeterStub(on).SayHello(
        helloworld_pb2.HelloRequest(name=name), timeout=SECONDS
    )


def refused(on):
    with pytest.raises(grpc.RpcError) as error:
        greet(on)
    assert error.value.code() is UNAUTHENTICATED
    assert error.value.details() == "a valid bearer token is needed"


def test_the_right_token(server):
    with channel(server, TOKEN) as on:
        for _ in range(3):  # from HPACK's table, the second time on
            assert greet(on).message == "Hello, token!"


def test_other_tokens_and_none(server):
    for token in (None, TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * 40):
        with channel(server, token) as on:
            refused(on)


def test_a_token_in_the_metadata_of_a_call(server):
    with channel(server) as on:
        stub = helloworld_pb2_grpc.GreeterStub(on)
        request = helloworld_pb2.HelloRequest(name="metadata")
        reply = stub.SayHello(
            request, timeout=SECONDS, metadata=[("authorization", "Bearer " + TOKEN)]
        )
        assert reply.message == "Hello, metadata!"
        refused(on)


def counted(on):
    """[begun, ended, failed] of SayHello."""
    text = (
        helloworld_pb2_grpc.GreeterStub(on)
        .Test(helloworld_pb2.HelloRequest(), timeout=SECONDS)
        .message
    )
    return [
        int(number) for number in re.fullmatch(r"2 methods: (\d+) (\d+) (\d+), .*", text).groups()
    ]


def test_what_is_counted_and_logged(server):
    with channel(server, TOKEN) as on, channel(server) as off:
        greet(on)  # SayHello has its place
        before, n_lines = counted(on), len(server.output)
        greet(on)
        greet(on)
        refused(off)
        after = counted(on)
        assert [a - b for a, b in zip(after, before)] == [3, 3, 1]
    end = time.monotonic() + SECONDS
    while True:  # the console comes by another way
        found = [
            match.group(1)
            for match in (
                re.fullmatch(r"/Greeter/SayHello (\d+) \d+ ms", line)
                for line in server.output[n_lines:]
            )
            if match
        ]
        if len(found) >= 3 or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert sorted(found) == ["0", "0", "16"]
