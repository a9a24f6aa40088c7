# tests/interop/test_negative.py - the negative HTTP/2 cases, by grpcio: shows that negative_server.py is right.
# Layer: tests. Source: gRPC "HTTP/2 Interop Test Case Descriptions".
# SPDX-License-Identifier: Apache-2.0
import grpc
import pytest
from negative_server import CASES, RESET, NegativeServer

from cases import LARGE_REPLY, LARGE_REQUEST, SECONDS, is_body, simple, test_pb2_grpc


@pytest.mark.parametrize("case", CASES)
def test_grpcio(case):
    request = simple(LARGE_REPLY, LARGE_REQUEST)
    with (
        NegativeServer(case) as server,
        grpc.insecure_channel(
            server.target(), options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel,
    ):
        stub = test_pb2_grpc.TestServiceStub(channel)
        if case in RESET:
            with pytest.raises(grpc.RpcError):
                stub.UnaryCall(request, timeout=SECONDS)
        else:
            is_body(stub.UnaryCall(request, timeout=SECONDS), LARGE_REPLY)
        if case == "goaway":
            is_body(stub.UnaryCall(request, timeout=SECONDS), LARGE_REPLY)
        if case == "max_streams":
            for future in [stub.UnaryCall.future(request, timeout=SECONDS) for _ in range(10)]:
                is_body(future.result(), LARGE_REPLY)
        server.check()
