# tests/services/test_services.py - health, reflection and error details: grpcio's own clients, and grpcurl.
# Layer: tests. Source: gRPC "Health Checking Protocol", "Server Reflection Protocol".
# SPDX-License-Identifier: Apache-2.0
import json
import os
import queue
import shutil
import subprocess

import grpc
import helloworld.greeter_pb2 as package_pb2
import helloworld.greeter_pb2_grpc as package_grpc
import helloworld_pb2
import helloworld_pb2_grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from targets import OURS, ROOT, Server, chosen, use

SECONDS = 60  # of patience with one call: no test fails because the machine is slow
CODE = grpc.StatusCode
UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)
INFO = "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo"
SERVICES = [
    "Greeter",
    "helloworld.Greeter",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]


@pytest.fixture(params=chosen(OURS))
def server(request):
    yield from use(request.param, "services")


def open_channel(server):
    return grpc.insecure_channel(server.target(), options=[("grpc.use_local_subchannel_pool", 1)])


@pytest.fixture
def channel(server):
    with open_channel(server) as channel:
        yield channel


# --- Health ---------------------------------------------------------------------------------------------


class Health:
    def __init__(self, channel):
        self.stub = health_pb2_grpc.HealthStub(channel)
        self.control = helloworld_pb2_grpc.GreeterStub(channel)

    def check(self, service):
        return self.stub.Check(
            health_pb2.HealthCheckRequest(service=service), timeout=SECONDS, wait_for_ready=True
        ).status

    def watch(self, service):
        return self.stub.Watch(
            health_pb2.HealthCheckRequest(service=service), timeout=4 * SECONDS, wait_for_ready=True
        )

    def set(self, service, status):
        self.control.Test(
            helloworld_pb2.HelloRequest(name="%d %s" % (status, service)), timeout=SECONDS
        )


@pytest.fixture
def health(channel):
    health = Health(channel)
    yield health
    for service in ["", "helloworld.Greeter"]:
        health.set(service, SERVING)


def test_check(health):
    for service in [""] + SERVICES:
        assert health.check(service) == SERVING
    for service in ["helloworld", "Greeter.SayHello", "no.Such"]:
        with pytest.raises(grpc.RpcError) as caught:
            health.check(service)
        assert caught.value.code() == CODE.NOT_FOUND
    with pytest.raises(
        grpc.RpcError
    ) as caught:  # newer clients have it; they are told that we have not
        health.stub.List(health_pb2.HealthListRequest(), timeout=SECONDS)
    assert caught.value.code() == CODE.UNIMPLEMENTED
    health.set("helloworld.Greeter", NOT_SERVING)
    assert (health.check("helloworld.Greeter"), health.check("Greeter"), health.check("")) == (
        NOT_SERVING,
        SERVING,
        SERVING,
    )


def test_watch(health):
    """Each tells the status at once, and every change that its client has had time to hear of."""
    watchers = [
        health.watch("helloworld.Greeter"),
        health.watch("helloworld.Greeter"),
        health.watch("no.Such"),
    ]
    assert [next(watcher).status for watcher in watchers] == [SERVING, SERVING, SERVICE_UNKNOWN]
    for status in (NOT_SERVING, SERVING, UNKNOWN, NOT_SERVING):
        health.set("helloworld.Greeter", status)
        assert [next(watcher).status for watcher in watchers[:2]] == [status, status]
    watchers[0].cancel()
    health.set("", NOT_SERVING)  # which these do not watch
    health.set("helloworld.Greeter", SERVING)
    assert next(watchers[1]).status == SERVING
    for watcher in watchers:
        watcher.cancel()


def test_watch_from_two_connections(server, health):
    with open_channel(server) as other:
        watchers = [health.watch(""), Health(other).watch("")]
        assert [next(watcher).status for watcher in watchers] == [SERVING, SERVING]
        health.set("", NOT_SERVING)
        assert [next(watcher).status for watcher in watchers] == [NOT_SERVING, NOT_SERVING]
        for watcher in watchers:
            watcher.cancel()


@pytest.mark.parametrize("name", chosen(OURS))
def test_shutdown(name):
    with Server(name, app="services") as server:
        with open_channel(server) as channel:
            health = Health(channel)
            watcher = health.watch("Greeter")
            assert next(watcher).status == SERVING
            health.control.Test(helloworld_pb2.HelloRequest(name="!"), timeout=SECONDS)
            assert next(watcher).status == NOT_SERVING
            with pytest.raises(grpc.RpcError):
                next(watcher)
            assert watcher.code() == CODE.UNAVAILABLE
            assert [health.check(service) for service in ("", "Greeter")] == [
                NOT_SERVING,
                NOT_SERVING,
            ]


# --- Reflection ----------------------------------------------------------------------------------------------


class Questions:
    """One call of ServerReflectionInfo. The messages of both versions are the same."""

    def __init__(self, channel, version):
        self.queue = queue.Queue()
        method = channel.stream_stream(
            INFO % version,
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        self.call = method(iter(self.queue.get, None), timeout=SECONDS, wait_for_ready=True)

    def ask(self, **request):
        request = reflection_pb2.ServerReflectionRequest(**request)
        self.queue.put(request)
        response = next(self.call)
        assert response.original_request == request and response.valid_host == request.host
        return response

    def end(self):
        self.queue.put(None)
        assert list(self.call) == [] and self.call.code() == CODE.OK


@pytest.fixture(params=["v1", "v1alpha"])
def questions(channel, request):
    questions = Questions(channel, request.param)
    yield questions
    questions.end()


def files_of(response):
    return [
        FileDescriptorProto.FromString(data)
        for data in response.file_descriptor_response.file_descriptor_proto
    ]


def test_questions(questions):
    """All in one call, in turns."""
    assert [
        service.name for service in questions.ask(list_services="*").list_services_response.service
    ] == SERVICES
    (plain,) = files_of(questions.ask(file_by_filename="helloworld.proto", host="me"))
    assert plain.name == "helloworld.proto" and [service.name for service in plain.service] == [
        "Greeter"
    ]
    (package,) = files_of(questions.ask(file_containing_symbol="helloworld.Greeter.SayHello"))
    assert package.name == "helloworld/greeter.proto" and package.package == "helloworld"
    both = files_of(questions.ask(file_by_filename="google/rpc/error_details.proto"))
    assert [file.name for file in both] == [
        "google/rpc/error_details.proto",
        "google/protobuf/duration.proto",
    ]
    for service in SERVICES:
        (file,) = files_of(questions.ask(file_containing_symbol=service))
        assert service.rsplit(".", 1)[-1] in [described.name for described in file.service]
    for question, code in [
        ({"file_containing_symbol": "helloworld.Nobody"}, CODE.NOT_FOUND),
        ({"file_by_filename": "simpletest.proto"}, CODE.NOT_FOUND),
        ({"all_extension_numbers_of_type": "HelloRequest"}, CODE.UNIMPLEMENTED),
        (
            {
                "file_containing_extension": {
                    "containing_type": "HelloRequest",
                    "extension_number": 9,
                }
            },
            CODE.UNIMPLEMENTED,
        ),
        ({}, CODE.INVALID_ARGUMENT),
    ]:
        assert questions.ask(**question).error_response.error_code == code.value[0]


def test_dynamic_client(channel):
    """A client with no .proto: lists, describes and calls all that it found."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert sorted(database.get_services()) == sorted(SERVICES)
    pool = descriptor_pool.DescriptorPool(database)
    for name in SERVICES:
        assert pool.FindServiceByName(name).methods
    for name, text in [("Greeter", "Hello, you"), ("helloworld.Greeter", "Hello, you")]:
        method = pool.FindServiceByName(name).methods_by_name["SayHello"]
        call = channel.unary_unary(
            "/%s/%s" % (name, method.name),
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        request = GetMessageClass(method.input_type)(name="you")
        assert call(request, timeout=SECONDS).message == text
    health = pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["Watch"]
    assert health.server_streaming and not health.client_streaming
    status = pool.FindEnumTypeByName("grpc.health.v1.HealthCheckResponse.ServingStatus")
    assert status.values_by_name["SERVICE_UNKNOWN"].number == 3
    # Files that are not known yet, by what is in them; one of them with what it imports.
    fresh = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    delay = fresh.FindMessageTypeByName("google.rpc.RetryInfo").fields_by_name["retry_delay"]
    assert delay.message_type.full_name == "google.protobuf.Duration"
    assert (
        fresh.FindMessageTypeByName("grpc.reflection.v1.ErrorResponse")
        .fields_by_name["error_code"]
        .number
        == 1
    )


def test_a_request_that_is_too_long(channel):
    call = Questions(channel, "v1")
    with pytest.raises(grpc.RpcError):
        call.ask(file_containing_symbol="long." * 100)
    assert call.call.code() == CODE.RESOURCE_EXHAUSTED
    call.queue.put(None)


# --- Details ---------------------------------------------------------------------------------------------------


def failure_of(channel, name):
    stub = package_grpc.GreeterStub(channel)
    with pytest.raises(grpc.RpcError) as caught:
        stub.SayHelloAgain(
            package_pb2.HelloRequest(name=name), timeout=SECONDS, wait_for_ready=True
        )
    assert caught.value.code() == CODE.INVALID_ARGUMENT
    return caught.value


def test_details(channel):
    """rpc_status.from_call compares the status in the trailers with the one that the call ended with."""
    failure = failure_of(channel, "Zoë")
    status = rpc_status.from_call(failure)
    assert status.code == CODE.INVALID_ARGUMENT.value[0] and status.message == failure.details()
    assert status.message.startswith(
        "a name is lower case – 100% of it"
    ) and not status.message.endswith("end")
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for packed, message in zip(status.details, [info, retry], strict=True):
        assert packed.Unpack(message)
    assert info.reason == "BAD_NAME" and retry.retry_delay.ToTimedelta().total_seconds() == 1.5


def test_details_of_a_field(channel):
    status = rpc_status.from_call(failure_of(channel, "!Zoë 100%"))
    bad = error_details_pb2.BadRequest()
    assert status.message == "" and len(status.details) == 1 and status.details[0].Unpack(bad)
    assert [(violation.field, violation.description) for violation in bad.field_violations] == [
        ("name", "!Zoë 100%")
    ]


def test_details_that_do_not_fit(channel):
    failure = failure_of(channel, "?")
    assert rpc_status.from_call(failure) is None and failure.details().startswith(
        "a name is lower case"
    )


# --- grpcurl: a client in Go, which knows nothing but what it asks for ------------------------------------------


@pytest.fixture(scope="session")
def grpcurl():
    program = shutil.which("grpcurl") or os.path.join(ROOT, "build", "go", "grpcurl")
    if not os.path.exists(program):
        if not shutil.which("go"):
            pytest.skip("neither grpcurl nor Go is installed")
        try:
            done = subprocess.run(
                ["make", "--no-print-directory", "build/go/grpcurl"],
                cwd=ROOT,
                text=True,
                timeout=400,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(
                "Go has not installed grpcurl in 400 seconds; `make build/go/grpcurl` tries again"
            )
        if done.returncode:
            pytest.skip("Go could not install grpcurl: %s" % done.stdout.strip().splitlines()[-1:])
    return program


def run_grpcurl(program, server, *arguments):
    """(exit code, output); options stand before the address, the rest after it."""
    options = [a for a in arguments if a.startswith(("-", "{"))]
    command = [program, "-plaintext", "-max-time", str(SECONDS), *options, server.target()]
    done = subprocess.run(
        command + [a for a in arguments if a not in options],
        text=True,
        timeout=2 * SECONDS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout)
    return done.returncode, done.stdout


def test_grpcurl(grpcurl, server):
    code, text = run_grpcurl(grpcurl, server, "list")
    assert code == 0 and sorted(text.split()) == sorted(SERVICES)
    code, text = run_grpcurl(grpcurl, server, "list", "helloworld.Greeter")
    assert code == 0 and text.split() == [
        "helloworld.Greeter." + m for m in ("SayHello", "SayHelloAgain", "Test")
    ]
    code, text = run_grpcurl(
        grpcurl, server, "describe", "grpc.health.v1.HealthCheckResponse.ServingStatus"
    )
    assert code == 0 and "NOT_SERVING = 2;" in text
    code, text = run_grpcurl(grpcurl, server, "describe", "google.rpc.RetryInfo")
    assert code == 0 and ".google.protobuf.Duration retry_delay = 1;" in text
    code, text = run_grpcurl(
        grpcurl, server, '-d={"name": "grpcurl"}', "helloworld.Greeter/SayHello"
    )
    assert code == 0 and json.loads(text) == {"message": "Hello, grpcurl"}
    code, text = run_grpcurl(
        grpcurl, server, '-d={"service": "Greeter"}', "grpc.health.v1.Health/Check"
    )
    assert code == 0 and json.loads(text) == {"status": "SERVING"}
    code, text = run_grpcurl(grpcurl, server, "describe", "helloworld.Nobody")
    assert code != 0 and "helloworld.Nobody" in text
