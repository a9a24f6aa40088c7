# proto/nanorpc_generator/handlers.py - NAME.handlers.c: all functions that a service can have, to be filled in.
# Layer: generator, runs on the host. Source: nanorpc/nanorpc.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: services, and the folder that --template names. Writes the files there by itself, as protoc would overwrite
what a user has written: one that is there already is a Problem, and then none is written."""

import os

from .servers import (
    cancelled_prototype,
    chunk_prototype,
    next_prototype,
    produce_prototype,
    prototype,
)
from .text import KIND_TITLES, file_names
from .with_nanopb import Problem


def function(
    method, declared, unused, name, last='return nrpc_call_fail(%s, "%s: not written yet");'
):
    """A skeleton; name: by which a client hears that nothing is there yet."""
    body = "".join("    (void)@%s;\n" % parameter for parameter in unused)
    if last:
        body += "    %s\n" % (last % ("@call, NRPC_UNIMPLEMENTED", name))
    return declared + method.local("\n{\n%s}\n\n" % body)


def skeletons(method):
    c = method.c_name
    yield "/* /%s/%s. %s. */\n" % (method.service.name, method.name, KIND_TITLES[method.kind])
    if method.streamed_in:
        name = "%s_%s_chunk" % (c, method.streamed_in.name)
        yield function(method, chunk_prototype(method), ["chunk"], name)
    if method.streamed_out:
        name = "%s_%s_produce" % (c, method.streamed_out.name)
        last = 'nrpc_call_finish(%s, "%s: not written yet");\n    return 0;'
        yield function(method, produce_prototype(method), ["buf", "room", "offset"], name, last)
    unused = ["request"] + ([] if method.pulled() else ["reply"])
    yield function(method, prototype(method), unused, c)
    if method.pulled():
        yield function(method, next_prototype(method), ["reply"], c + "_next")
    yield function(method, cancelled_prototype(method), ["call", "why"], c + "_cancelled", None)


def template(source, services):
    included = file_names(source)[2]
    yield "/* %s.handlers.c - the handlers of %s.\n" % (source.stem, source.desc.name)
    yield " * Layer: application. Source: begun by protoc-gen-nanorpc, which does not write it again.\n"
    yield " * What the functions are to do stands in %s. */\n" % included
    yield source.options.genformat % included + "\n\n"
    for service in services:
        yield "/* --- %s */\n\n" % service.name
        for method in service.methods:
            yield from skeletons(method)


def write_templates(folder, services, generated):
    """generated: names of .proto files; those without services have no handlers."""
    texts = {}
    for service in services:
        source = service.source
        if source.desc.name in generated:
            name = source.stem + ".handlers" + source.options.source_extension
            path = os.path.normpath(os.path.join(folder, name))
            texts[path] = template(source, [s for s in services if s.source is source])
    for path in texts:
        if os.path.exists(path):
            raise Problem(
                "%s is there already, and is not overwritten: move it away, or leave out --template"
                % path
            )
    for path, text in texts.items():
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write("".join(text).rstrip("\n") + "\n")
        except OSError as error:
            raise Problem("--template: %s: %s" % (path, error.strerror))
