# tests/readme/services/client.py - asks the servers of docs/services.md for what the page says of them.
# Layer: tests; the page's story runs it. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""Use: client.py PORT PORT_OF_THE_GUARDED_ONE, beside thermometer_pb2.py and thermometer_pb2_grpc.py."""

import os
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

sys.path.insert(0, os.getcwd())
import thermometer_pb2  # noqa: E402
import thermometer_pb2_grpc  # noqa: E402

SERVING, NOT_SERVING = 1, 2


def fails(code, call, *arguments, **options):
    try:
        call(*arguments, timeout=20, **options)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError("no %s" % code)


def reflected(channel):
    """A client without the .proto."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert "Thermometer" in database.get_services()
    method = (
        descriptor_pool.DescriptorPool(database)
        .FindServiceByName("Thermometer")
        .methods_by_name["Read"]
    )
    ask, told = (
        message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type)
    )
    call = channel.unary_unary("/Thermometer/Read", ask.SerializeToString, told.FromString)
    assert call(ask(sensor="case"), timeout=20).millidegrees == 21500


def detailed(stub):
    error = fails(
        grpc.StatusCode.INVALID_ARGUMENT, stub.Read, thermometer_pb2.ReadRequest(sensor="x")
    )
    (detail,) = rpc_status.from_call(error).details
    bad = error_details_pb2.BadRequest()
    assert error.details() == "no such sensor" and detail.Unpack(bad)
    (violation,) = bad.field_violations
    assert (violation.field, violation.description) == ("sensor", "there is only: case")


def guarded(stub):
    request, good = thermometer_pb2.ReadRequest(sensor="case"), "Bearer a token of these tests"
    assert stub.Read(request, timeout=20, metadata=[("authorization", good)]).millidegrees == 21500
    fails(grpc.StatusCode.UNAUTHENTICATED, stub.Read, request)
    fails(
        grpc.StatusCode.UNAUTHENTICATED,
        stub.Read,
        request,
        metadata=[("authorization", "Bearer another")],
    )
    error = fails(
        grpc.StatusCode.UNAVAILABLE, stub.Read, request, metadata=[("authorization", good)]
    )
    assert error.details() == "asleep"


def main():
    channel, other = (grpc.insecure_channel("127.0.0.1:" + port) for port in sys.argv[1:])
    with channel, other:
        health = health_pb2_grpc.HealthStub(channel)
        watched = health_pb2.HealthCheckRequest(service="Thermometer")
        watch = health.Watch(watched, timeout=60)
        assert next(watch).status == SERVING
        reflected(channel)
        detailed(thermometer_pb2_grpc.ThermometerStub(channel))
        guarded(thermometer_pb2_grpc.ThermometerStub(other))
        assert next(watch).status == NOT_SERVING
        assert health.Check(watched, timeout=20).status == NOT_SERVING
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=20).status == SERVING


if __name__ == "__main__":
    main()
