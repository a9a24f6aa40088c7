# tests/interop/test_shutdown.py - a server that is to end lets grpcio's open calls finish, and takes no further ones.
# Layer: tests. Source: RFC 9113 6.8; boards/linux/main.c.
# SPDX-License-Identifier: Apache-2.0
import signal

import grpc
import pytest

import cases  # noqa: F401 (which finds the generated package grpc.testing)
from grpc.testing import messages_pb2, test_pb2_grpc
from targets import Server, chosen


@pytest.mark.parametrize("name", chosen(["posix"]))
def test_open_calls_finish(name):
    request = messages_pb2.StreamingOutputCallRequest(
        response_parameters=[
            messages_pb2.ResponseParameters(size=3, interval_us=0 if i == 0 else 300000)
            for i in range(3)
        ]
    )
    with Server(name, app="interop") as server:
        with grpc.insecure_channel(
            server.target(), options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = test_pb2_grpc.TestServiceStub(channel)
            call = stub.StreamingOutputCall(request, timeout=60)
            next(call)
            server.process.send_signal(signal.SIGTERM)
            assert [len(reply.payload.body) for reply in call] == [3, 3]
            assert call.code() == grpc.StatusCode.OK
            assert server.process.wait(30) == 0
            with pytest.raises(grpc.RpcError) as error:
                stub.UnaryCall(messages_pb2.SimpleRequest(), timeout=60)
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "0 cut off" in server.new_output()
