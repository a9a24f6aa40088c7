# tests/interop/test_metadata.py - grpcio's metadata through its HPACK table: values that change, repeat, do not fit.
# Layer: tests. Source: nanorpc/config.h NRPC_METADATA_BYTES; RFC 7541.
# SPDX-License-Identifier: Apache-2.0
import grpc
import pytest

import clients
from grpc.testing import messages_pb2, test_pb2_grpc
from targets import chosen, limit, use

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


@pytest.fixture(params=chosen(clients.PLAIN))
def server(request):
    yield from use(request.param, "interop")


@pytest.fixture
def stub(server):
    with grpc.insecure_channel(
        server.target(), options=[("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        yield test_pb2_grpc.TestServiceStub(channel)


def echo(stub, *metadata):
    """The two keys' values of the response, or None."""
    _, call = stub.UnaryCall.with_call(messages_pb2.SimpleRequest(), metadata=metadata, timeout=60)
    return dict(call.initial_metadata()).get(INITIAL), dict(call.trailing_metadata()).get(TRAILING)


def test_values_that_change(stub):
    """Each is new to the table; the other stays there and is named by its index. In the end the device no longer has
    the bytes of what the client's table still holds: it has the client send that again, and nobody notices."""
    constant = bytes(range(40))
    for i in range(60):
        assert echo(stub, (INITIAL, "value %d" % i), (TRAILING, constant)) == (
            "value %d" % i,
            constant,
        )


def test_unregistered_keys_cost_nothing(stub):
    fields = [("x-other-%d" % i, "v" * 100) for i in range(20)]
    assert echo(stub, *fields, (INITIAL, "seen")) == ("seen", None)


def test_values_that_are_no_text(stub):
    for value in (b"", b"\0", b"\xff" * 3, bytes(range(60))):
        assert echo(stub, (TRAILING, value))[1] == value


def test_repeated_and_over_the_limit(stub, server):
    most = limit(server.name, "NRPC_METADATA_BYTES", 0, "interop")
    for n in (most + 1, most // 2 + 1):
        with pytest.raises(grpc.RpcError) as error:
            echo(stub, *[(INITIAL, "x" * n)] * (1 if n > most else 2))
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert echo(stub, (INITIAL, "after that")) == ("after that", None)
