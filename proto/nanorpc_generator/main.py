# proto/nanorpc_generator/main.py - a request of protoc becomes its response.
# Layer: generator, runs on the host. Source: google/protobuf/compiler/plugin.proto.
# SPDX-License-Identifier: Apache-2.0
"""Given: a CodeGeneratorRequest on the standard input. Gives: a CodeGeneratorResponse on the standard output, with
all files of the .proto files that were asked for, or with what is wrong."""

import os
import sys

from . import clients, descriptors, servers, tables
from .checking import all_problems
from .reading import Service, Source
from .text import client_names, descriptor_name, file_names
from .with_nanopb import Problem, import_nanopb, name_field_errors, own_names, parse_parameter


def use_project_python(command):
    """Starts again with the project's own Python, when this one lacks protobuf."""
    python = os.path.join(os.path.dirname(command), "..", ".venv", "bin", "python3")
    if os.path.exists(python) and not os.environ.get("NANORPC_STARTED_AGAIN"):
        os.environ["NANORPC_STARTED_AGAIN"] = "1"
        os.execv(python, [python, command])
    sys.exit(
        "protoc-gen-nanorpc: %s has no google.protobuf: run `make` in the project, or install "
        "grpcio-tools or python3-protobuf" % sys.executable
    )


def texts(source, services, files):
    """(name, text) of each file that is written for one .proto file."""
    header, code = file_names(source)[:2]
    client_header, client_code = client_names(source)[:2]
    descriptor = descriptor_name(source)
    yield header, servers.generate_header(source, services)
    yield code, tables.generate_code(source, services)
    yield client_header, clients.generate_header(source, services)
    yield client_code, clients.generate_code(source, services)
    yield descriptor, files.code(source.desc.name, descriptor)


def run(nanopb, request, response, usage):
    options = parse_parameter(nanopb, request.parameter, usage)
    options.options_path.append(os.path.dirname(request.file_to_generate[0]))
    name_field_errors(nanopb)
    sources = {desc.name: Source(nanopb, desc, options) for desc in request.proto_file}
    for source in sources.values():
        source.see(sources)
    messages = {m.full_name: m for source in sources.values() for m in source.messages(nanopb)}
    services = [
        Service(source, i, messages)
        for source in sources.values()
        for i in range(len(source.desc.service))
    ]
    files = descriptors.Files(request.proto_file)
    problems = all_problems(
        messages, services, sources, request.file_to_generate, own_names(nanopb)
    )
    if problems:
        raise Problem("\n".join(problems))

    for name in request.file_to_generate:
        source = sources[name]
        for imported in source.visible[1:]:  # as nanopb does before it writes
            source.parsed.add_dependency(imported.parsed)
        for file_name, pieces in texts(source, [s for s in services if s.source is source], files):
            response.file.add(name=file_name, content="".join(pieces))


def main(command, usage):
    """command: the path of the program, to be started again; usage: what it says of itself."""
    if sys.stdin.isatty() or len(sys.argv) > 1:
        sys.exit(usage)
    try:
        import google.protobuf  # noqa: F401
    except ImportError:
        use_project_python(command)
    answer = os.dup(1)  # what anything else prints is not for protoc
    nanopb = import_nanopb()
    plugin = nanopb.plugin_pb2
    response = plugin.CodeGeneratorResponse()
    try:
        run(
            nanopb, plugin.CodeGeneratorRequest.FromString(sys.stdin.buffer.read()), response, usage
        )
    except Problem as problem:
        response.error = str(problem)
    response.supported_features = plugin.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    with open(answer, "wb") as stdout:
        stdout.write(response.SerializeToString())
