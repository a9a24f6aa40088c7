# tests/python/served.py - a device on a pty, for tests of relay and channels: device.py before a server of grpcio.
# Layer: tests. Source: docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
"""What a connection of the device gets goes to a server in this process, so the calls are real ones, and the device's
side of the link is not the one that is tested."""

import os
import pty
import select
import socket
import threading
import time
import tty
from concurrent import futures

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection
from helloworld import greeter_pb2

import device

SERVICE = "served.Greeter"


def reflected():
    """Describes a Greeter with all kinds of calls; the messages are the other's."""
    file = descriptor_pb2.FileDescriptorProto(name="served.proto", package="served")
    file.dependency.append(greeter_pb2.DESCRIPTOR.name)
    service = file.service.add(name="Greeter")
    for name, sends, gets in (
        ("SayHello", False, False),
        ("Replies", False, True),
        ("Requests", True, False),
        ("Both", True, True),
    ):
        service.method.add(
            name=name,
            input_type=".helloworld.HelloRequest",
            output_type=".helloworld.HelloReply",
            client_streaming=sends,
            server_streaming=gets,
        )
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


def hello(name):
    return greeter_pb2.HelloReply(message="Hello, %s!" % name)


def say_hello(request, context):
    metadata = dict(context.invocation_metadata())
    if request.name == "nobody":
        context.abort(grpc.StatusCode.NOT_FOUND, "nobody is here")
    if request.name == "absent":
        context.abort(grpc.StatusCode.UNAVAILABLE, "the sensor is off")
    if request.name == "sleeper":
        time.sleep(2)
    return hello(metadata.get("who") or request.name)


def replies(request, context):
    for i in range(5):
        yield hello("%d %s" % (i, request.name))
    if request.name == "nobody":
        context.abort(grpc.StatusCode.NOT_FOUND, "nobody is here")


def requests(requests, context):
    return hello(" and ".join(request.name for request in requests))


def both(requests, context):
    for request in requests:
        yield hello(request.name)


def handlers(name=SERVICE):
    kinds = {
        "SayHello": (grpc.unary_unary_rpc_method_handler, say_hello),
        "Replies": (grpc.unary_stream_rpc_method_handler, replies),
        "Requests": (grpc.stream_unary_rpc_method_handler, requests),
        "Both": (grpc.stream_stream_rpc_method_handler, both),
    }
    methods = {
        method: kind(
            function,
            request_deserializer=greeter_pb2.HelloRequest.FromString,
            response_serializer=greeter_pb2.HelloReply.SerializeToString,
        )
        for method, (kind, function) in kinds.items()
    }
    return [grpc.method_handlers_generic_handler(name, methods)]


class Stub:
    """What protoc would make of it."""

    def __init__(self, channel):
        for name, kind in (
            ("SayHello", channel.unary_unary),
            ("Replies", channel.unary_stream),
            ("Requests", channel.stream_unary),
            ("Both", channel.stream_stream),
        ):
            call = kind(
                "/%s/%s" % (SERVICE, name),
                request_serializer=greeter_pb2.HelloRequest.SerializeToString,
                response_deserializer=greeter_pb2.HelloReply.FromString,
            )
            setattr(self, name, call)


class Socket:
    """A connection of the device, to the server at `path`."""

    room, ends = 1 << 20, False

    def __init__(self, path):
        self.socket, self.held = socket.socket(socket.AF_UNIX), b""
        self.socket.connect(path)
        self.socket.setblocking(False)

    def take(self, data):
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    def give(self, most):
        try:
            data = self.socket.recv(most)
            self.ends = not data
            return data
        except BlockingIOError:
            return b""

    def __del__(self):
        self.socket.close()


reflected()


class Board:
    """A device at `path`, which is there while it is plugged in."""

    def __init__(self, folder, links=3):
        self.path, self.server_path = str(folder / "tty"), str(folder / "server")
        self.links = links
        self.server = grpc.server(futures.ThreadPoolExecutor(24))
        self.server.add_generic_rpc_handlers(handlers())
        reflection.enable_server_reflection([SERVICE, reflection.SERVICE_NAME], self.server)
        self.server.add_insecure_port("unix:" + self.server_path)
        self.server.start()
        self.thread = None

    def plug(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        os.symlink(os.ttyname(slave), self.path)
        self.slave, self.is_plugged = (
            slave,
            True,
        )  # kept open: before the host opens it, it is no hang-up
        self.device = device.Device(
            115200, lambda: Socket(self.server_path), links=self.links, ring=0
        )
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def unplug(self):
        self.is_plugged = False
        self.thread.join()
        self.thread = None
        os.unlink(self.path)
        os.close(self.slave)
        os.close(self.master)

    def serve(self):
        out = b""
        while self.is_plugged:
            select.select([self.master], [], [], 0.002)
            try:
                self.device.receive(os.read(self.master, 4096))
            except BlockingIOError:
                pass
            self.device.run(time.monotonic())
            out = out or self.device.transmit(time.monotonic())
            try:
                out = out[os.write(self.master, out) :] if out else out
            except BlockingIOError:
                pass

    def close(self):
        if self.thread:
            self.unplug()
        self.server.stop(None).wait()


@pytest.fixture
def board(tmp_path):
    """Plugged in."""
    made = Board(tmp_path)
    made.plug()
    yield made
    made.close()
