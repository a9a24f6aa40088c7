# proto/nanorpc_generator/main.py - a request of protoc becomes its response.
# Layer: generator, runs on the host. Source: google/protobuf/compiler/plugin.proto.
# SPDX-License-Identifier: Apache-2.0
"""Given: a CodeGeneratorRequest on the standard input. Gives: a CodeGeneratorResponse on the standard output, with
all files of the .proto files that were asked for, or with what is wrong."""

import os
import re
import sys

from . import clients, descriptors, handlers, messages, servers, tables
from .checking import all_problems
from .preparing import FIRST_EDITION, LAST_EDITION, prepare, wanted_of_google
from .reading import Service, Source
from .text import client_names, descriptor_name, file_names
from .with_nanopb import (
    Problem,
    bound_google,
    import_nanopb,
    know_streamed_fields,
    name_field_errors,
    own_names,
    parse_parameter,
    skip_extensions,
)


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


def texts(source, services, known, files):
    """(name, text) of each file that is written for one .proto file; known: all messages, by their full names."""
    header, code = file_names(source)[:2]
    client_header, client_code = client_names(source)[:2]
    descriptor = descriptor_name(source)
    yield header, servers.generate_header(source, services)
    yield code, tables.generate_code(source, services, known)
    yield client_header, clients.generate_header(source, services)
    yield client_code, clients.generate_code(source, services, known)
    yield descriptor, files.code(source.desc.name, descriptor)


def read(nanopb, request, usage):
    """(options, sources by name, Files) of what is to be generated and what that needs."""
    options = parse_parameter(nanopb, request.parameter, usage)
    options.options_path.append(os.path.dirname(request.file_to_generate[0]))
    bound_google(nanopb)
    skip_extensions(nanopb)
    files = descriptors.Files(request.proto_file)
    descs = prepare(files, request.file_to_generate)
    sources = {name: Source(nanopb, desc, options) for name, desc in descs.items()}
    for source in sources.values():
        source.see(sources)
    return options, sources, files


def write(response, made):
    for name, text in made:
        response.file.add(name=name, content="".join(text))


def run_messages(nanopb, request, response, usage):
    """What nanopb's own plugin does: the messages alone."""
    name_field_errors(nanopb, lenient=False)
    _, sources, _ = read(nanopb, request, usage)
    for name in request.file_to_generate:
        write(response, messages.message_files(nanopb, sources[name], sources))


def run_services(nanopb, request, response, usage):
    name_field_errors(nanopb)
    know_streamed_fields(nanopb)
    options, sources, files = read(nanopb, request, usage)
    known = {m.full_name: m for source in sources.values() for m in source.messages(nanopb)}
    services = [
        Service(source, i, known)
        for source in sources.values()
        for i in range(len(source.desc.service))
    ]
    problems = all_problems(known, services, sources, request.file_to_generate, own_names(nanopb))
    if problems:
        raise Problem("\n".join(problems))

    for name in request.file_to_generate:
        source = sources[name]
        for imported in source.visible[1:]:  # as nanopb does before it writes
            source.parsed.add_dependency(imported.parsed)
        write(response, texts(source, [s for s in services if s.source is source], known, files))
    if not options.no_imports:
        for name in wanted_of_google(sources, request.file_to_generate):
            write(response, messages.message_files(nanopb, sources[name], sources))
    if options.template is not None:
        handlers.write_templates(options.template, services, request.file_to_generate)


def main(command, usage, run=run_services):
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
    request = plugin.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = plugin.CodeGeneratorResponse()
    if re.search(r"(^|[ ,])--messages\b", request.parameter):
        run = run_messages
    try:
        run(nanopb, request, response, usage)
    except Problem as problem:
        del response.file[:]
        response.error = str(problem)
    response.supported_features = plugin.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    if hasattr(response, "maximum_edition"):
        response.supported_features |= plugin.CodeGeneratorResponse.FEATURE_SUPPORTS_EDITIONS
        response.minimum_edition, response.maximum_edition = FIRST_EDITION, LAST_EDITION
    with open(answer, "wb") as stdout:
        stdout.write(response.SerializeToString())
