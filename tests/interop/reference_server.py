# tests/interop/reference_server.py - grpc.testing.TestService on gRPC's own server for Python.
# Layer: tests. Source: gRPC "Interoperability Test Case Descriptions", "Server".
# SPDX-License-Identifier: Apache-2.0
"""Use: reference_server.py PORT [--tls]   Shows that the cases are right, and serves nanorpc's own client.
Which requests came compressed, gRPC's server for Python does not tell: serve(tap=...) has it from a tap before it."""

import concurrent.futures
import os
import sys
import time

import grpc

import secure

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import INITIAL, TRAILING, empty_pb2, messages_pb2, payload, test_pb2_grpc  # noqa: E402
from tap import flags_of  # noqa: E402

CODES = {code.value[0]: code for code in grpc.StatusCode}


def echo(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL:
            context.send_initial_metadata(((key, value),))
        elif key == TRAILING:
            context.set_trailing_metadata(((key, value),))


def end(request, context):
    """As the request asks for."""
    if request.response_status.code:
        context.abort(CODES[request.response_status.code], request.response_status.message)


def answers(request, context):
    for parameter in request.response_parameters:
        time.sleep(parameter.interval_us / 1e6)
        if not parameter.compressed.value:
            context.disable_next_message_compression()
        yield messages_pb2.StreamingOutputCallResponse(payload=payload(parameter.size))


class TestService(test_pb2_grpc.TestServiceServicer):
    def __init__(self, tap=None):
        self.tap = tap

    def check(self, request, context, number=0):
        """That the newest call's message of this number came as it says itself."""
        if self.tap is not None and request.HasField("expect_compressed"):
            if flags_of(self.tap.requests[-1:])[0][number] != int(request.expect_compressed.value):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not as expect_compressed says")

    def EmptyCall(self, request, context):
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        self.check(request, context)
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo(context)
        end(request, context)
        return messages_pb2.SimpleResponse(
            payload=payload(request.response_size) if request.response_size else None
        )

    def StreamingOutputCall(self, request, context):
        if any(parameter.compressed.value for parameter in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from answers(request, context)
        end(request, context)

    def StreamingInputCall(self, requests, context):
        size = 0
        for number, request in enumerate(requests):
            self.check(request, context, number)
            size += len(request.payload.body)
        return messages_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        echo(context)
        for request in requests:
            end(request, context)
            yield from answers(request, context)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from answers(request, context)


def serve(port=0, tap=None, tls=False):
    """(server, port), started."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=32), options=[("grpc.so_reuseport", 0)]
    )
    test_pb2_grpc.add_TestServiceServicer_to_server(TestService(tap), server)
    address = "127.0.0.1:%d" % port
    port = (
        server.add_secure_port(address, secure.server_credentials())
        if tls
        else server.add_insecure_port(address)
    )
    server.start()
    return server, port


def main():
    server, port = serve(int(sys.argv[1]), tls="--tls" in sys.argv)
    print("nanorpc: TestService ready on 127.0.0.1:%d" % port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
