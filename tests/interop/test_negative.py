# tests/interop/test_negative.py - the negative HTTP/2 cases, by grpcio: shows that negative_server.py is right.
# Layer: tests. Source: gRPC "HTTP/2 Interop Test Case Descriptions".
# SPDX-License-Identifier: Apache-2.0
import time

import grpc
import pytest

from cases import LARGE_REPLY, LARGE_REQUEST, SECONDS, is_body, simple, test_pb2_grpc
from negative_server import CASES, RESET, NegativeServer


def call(stub):
    is_body(stub.UnaryCall(simple(LARGE_REPLY, LARGE_REQUEST), timeout=SECONDS, wait_for_ready=True), LARGE_REPLY)


@pytest.mark.parametrize("case", CASES)
def test_grpcio(case):
    with NegativeServer(case) as server, grpc.insecure_channel(server.target(), options=[
            ("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = test_pb2_grpc.TestServiceStub(channel)
        if case in RESET:
            with pytest.raises(grpc.RpcError):
                call(stub)
        elif case == "goaway":
            call(stub)
            call(stub)
            assert server.connections == 2
        elif case == "ping":
            call(stub)
            end = time.monotonic() + SECONDS
            while server.pongs < server.pings and time.monotonic() < end:
                time.sleep(0.01)
            assert server.pongs == server.pings > 4
        else:
            call(stub)
            futures = [stub.UnaryCall.future(simple(LARGE_REPLY, LARGE_REQUEST), timeout=SECONDS) for _ in range(10)]
            for future in futures:
                is_body(future.result(), LARGE_REPLY)
            assert server.most_active == 1 and server.calls == 11
        assert server.breaches == []
