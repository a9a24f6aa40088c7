# ports/python/nanorpc/schema.py - which services and messages a server has: by reflection, or from a .proto file.
# Layer: port. Source: grpc/reflection/v1/reflection.proto, v1alpha; google/protobuf/descriptor.proto.
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, Iterable, List, Optional

import grpc
from google.protobuf import descriptor, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

VERSIONS = ("grpc.reflection.v1", "grpc.reflection.v1alpha")


class SchemaError(Exception):
    """What was asked for is not known; the text says what to do."""


def _reflection_messages() -> Any:
    """(request's class, response's class) of both versions, which differ in their packages only.

    The fields that are used here; made without grpcio-reflection, since grpcio does not bring it.
    """
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r", syntax="proto3")
    kind = descriptor_pb2.FieldDescriptorProto
    names = {
        "": kind.TYPE_MESSAGE,
        "string": kind.TYPE_STRING,
        "bytes": kind.TYPE_BYTES,
        "int32": kind.TYPE_INT32,
    }
    for message, fields in (
        (
            "Request",
            (("file_by_filename", 3, "string"), ("symbol", 4, "string"), ("list", 7, "string")),
        ),
        ("Files", (("file", 1, "*bytes"),)),
        ("Service", (("name", 1, "string"),)),
        ("Services", (("service", 1, "*r.Service"),)),
        ("Error", (("code", 1, "int32"), ("message", 2, "string"))),
        (
            "Response",
            (("files", 4, "r.Files"), ("services", 6, "r.Services"), ("error", 7, "r.Error")),
        ),
    ):
        made = file.message_type.add(name=message)
        if message == "Request":
            made.oneof_decl.add(name="what")
        for name, number, type_ in fields:
            field = made.field.add(name=name, number=number)
            field.label = kind.LABEL_REPEATED if type_[0] == "*" else kind.LABEL_OPTIONAL
            type_ = type_.lstrip("*")
            field.type = names.get(type_, kind.TYPE_MESSAGE)
            if field.type == kind.TYPE_MESSAGE:
                field.type_name = "." + type_
            if message == "Request":
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName("r." + name))
        for name in ("Request", "Response")
    ]


_Request, _Response = _reflection_messages()


class Schema:
    """Names, and what they mean."""

    def __init__(self) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        self._files: Dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def services(self) -> List[str]:
        """Full names."""
        raise NotImplementedError

    def _load(self, service: str) -> None:
        """Gets all that is needed to know the service."""
        raise NotImplementedError

    def method(self, path: str) -> descriptor.MethodDescriptor:
        """Of "package.Service/Method" or "Service/Method". Raises SchemaError, which says what there is."""
        wanted, slash, name = path.strip("/").rpartition("/")
        services = self.services()
        if not slash:
            wanted, name = name, ""
        fitting = [s for s in services if s == wanted] or [
            s for s in services if s.endswith("." + wanted)
        ]
        if not fitting and not slash and "." in wanted:
            raise SchemaError(
                "%s: a method is SERVICE/METHOD, with a slash; there are the services: %s"
                % (wanted, ", ".join(services) or "none")
            )
        if len(fitting) != 1:
            what = "more than one service is called" if fitting else "there is no service"
            raise SchemaError(
                "%s %s; there are: %s" % (what, wanted, ", ".join(fitting or services) or "none")
            )
        self._load(fitting[0])
        service = self.pool.FindServiceByName(fitting[0])
        found = service.methods_by_name.get(name)
        if found is None:
            what = "there is no method %s; " % name if name else "which method? "
            there = ", ".join(
                "%s/%s" % (service.full_name, method.name) for method in service.methods
            )
            raise SchemaError("%sthere are: %s" % (what, there))
        return found

    def _keep(self, data: bytes) -> None:
        try:
            file = descriptor_pb2.FileDescriptorProto.FromString(data)
        except DecodeError:
            raise SchemaError(
                "the server's description of itself is broken: use --proto FILE"
            ) from None
        self._files.setdefault(file.name, file)

    def _add(self, name: str, added: Optional[set] = None) -> None:
        """Adds a file to the pool, and first those that it imports."""
        added = set() if added is None else added
        if name in added:
            return
        added.add(name)
        file = self._files.get(name) or self._missing(name)
        if file is None:
            return  # an import for its options alone; what is really needed fails below
        for imported in file.dependency:
            self._add(imported, added)
        kept = [imported for imported in file.dependency if self._has(imported)]
        del file.dependency[:], file.public_dependency[:], file.weak_dependency[:]
        file.dependency.extend(kept)
        try:
            self.pool.AddSerializedFile(file.SerializeToString())
        except TypeError as error:
            raise SchemaError("%s is not complete: use --proto FILE (%s)" % (name, error)) from None

    def _has(self, name: str) -> bool:
        try:
            self.pool.FindFileByName(name)
        except KeyError:
            return False
        return True

    def _missing(self, name: str) -> Optional[descriptor_pb2.FileDescriptorProto]:
        """google/protobuf/... is known here, whoever does not send it."""
        try:
            import importlib

            module = importlib.import_module(name[: -len(".proto")].replace("/", ".") + "_pb2")
            return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        except (ImportError, AttributeError):
            return None


class Reflection(Schema):
    """Asks the server."""

    def __init__(self, channel: grpc.Channel, **options: Any) -> None:
        """options: of each call: metadata, timeout (seconds)."""
        super().__init__()
        self._channel, self._options = channel, options
        self._versions = list(VERSIONS)

    def services(self) -> List[str]:
        answer = self._ask(_Request(list="*"))
        return sorted(service.name for service in answer.services.service)

    def _load(self, service: str) -> None:
        answer = self._ask(_Request(symbol=service))
        if answer.HasField("error"):
            raise SchemaError(
                "the server does not describe %s: %s" % (service, answer.error.message)
            )
        for data in answer.files.file:
            self._keep(data)
        first = descriptor_pb2.FileDescriptorProto.FromString(answer.files.file[0])
        self._add(first.name)

    def _missing(self, name: str) -> Optional[descriptor_pb2.FileDescriptorProto]:
        answer = self._ask(_Request(file_by_filename=name))
        for data in answer.files.file:
            self._keep(data)
        return self._files.get(name) or super()._missing(name)

    def _ask(self, request: Any) -> Any:
        while True:
            call = self._channel.stream_stream(
                "/%s.ServerReflection/ServerReflectionInfo" % self._versions[0],
                request_serializer=_Request.SerializeToString,
                response_deserializer=_Response.FromString,
            )
            try:
                answers = list(call(iter([request]), **self._options))
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                    raise
                del self._versions[0]
                if not self._versions:
                    raise SchemaError(
                        "the server has no reflection: name the .proto file of its services, --proto FILE"
                    ) from None
                continue
            if not answers:
                raise SchemaError("the server's reflection does not answer: use --proto FILE")
            return answers[0]


class ProtoFile(Schema):
    """Reads a .proto file; needs grpcio-tools."""

    def __init__(self, path: str, include: Iterable[str] = ()) -> None:
        """include: folders of what it imports; its own is one of them."""
        super().__init__()
        try:
            import grpc_tools
            from grpc_tools import protoc
        except ImportError:
            raise SchemaError("--proto needs protoc: pip install grpcio-tools") from None
        if not os.path.isfile(path):
            is_folder = os.path.isdir(path)
            raise SchemaError(
                "%s is a folder: name the .proto file in it" % path
                if is_folder
                else "there is no file %s" % path
            )
        folders = [*include, os.path.dirname(path) or "."]
        folders.append(os.path.join(os.path.dirname(grpc_tools.__file__), "_proto"))
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "set")
            words = ["protoc", *("-I" + name for name in folders), "--include_imports"]
            if protoc.main([*words, "--descriptor_set_out=" + out, path]):
                raise SchemaError(
                    "protoc does not take %s: its messages are above; -I DIR for its imports" % path
                )
            with open(out, "rb") as file:
                files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        self._files = {file.name: file for file in files.file}
        self._services = []
        for file in files.file:
            prefix = file.package + "." if file.package else ""
            self._services += [prefix + service.name for service in file.service]
        self._last = files.file[-1].name

    def services(self) -> List[str]:
        return self._services

    def _load(self, service: str) -> None:
        self._add(self._last)
