# proto/nanorpc_generator/tables.py - the server's code, NAME.nrpc.c.
# Layer: generator, runs on the host. Source: nanorpc/nanorpc.h, nanorpc/hpack/nrpc_match.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: a Source and its services. Gives: the text of the C file: method tables, the list of their names, and what
stands for handlers that were left out."""

from .messages import shared_messages, size_assertion
from .reading import BIDI, CLIENT_STREAM, UNARY, Streamed, shared_prefixes, typed_codec
from .servers import (
    cancelled_prototype,
    chunk_prototype,
    next_prototype,
    produce_prototype,
    prototype,
)
from .text import file_names

KIND_NAMES = ("NRPC_UNARY", "NRPC_CLIENT_STREAM", "NRPC_SERVER_STREAM", "NRPC_BIDI")


def code_absent(method):
    """What stands for a handler that was left out. Where the client may send nothing for long there is a
    second name, by which the function that the engine asks at once sees that it was."""
    weak, absent = "__attribute__((weak))\n", method.c_name + "_absent"
    unused = ["call", "request"] + ([] if method.pulled() else ["reply"])
    body = "\n{\n%s    return NRPC_UNIMPLEMENTED;\n}\n\n" % "".join(
        method.local("    (void)@%s;\n" % name) for name in unused
    )
    if not method.kind & CLIENT_STREAM:
        yield weak + prototype(method) + body
        return
    yield "static " + prototype(method).replace(method.c_name, absent, 1) + body
    yield '__attribute__((weak, alias("%s")))\n%s;\n\n' % (absent, prototype(method))


def code_defaults(method):
    """What stands for functions that were left out, but for those of streamed fields."""
    c, weak, local = method.c_name, "__attribute__((weak))\n", method.local
    yield from code_absent(method)
    if method.pulled():
        yield weak + next_prototype(method) + local("\n{\n    (void)@reply;\n")
        if method.kind == BIDI:
            # A client may wait for the server to speak first: it must hear at once that none will.
            yield "    if (%s == %s_absent) {\n        return NRPC_UNIMPLEMENTED;\n    }\n" % (c, c)
            yield local("    return nrpc_call_half_closed(@call) ? NRPC_OK : NRPC_PENDING;\n}\n\n")
        else:
            yield local("    (void)@call;\n    return NRPC_PENDING;\n}\n\n")
    yield (
        weak + cancelled_prototype(method) + local("\n{\n    (void)@call;\n    (void)@why;\n}\n\n")
    )


def code_method(method):
    """The weak defaults, unless nothing may be left out; functions of exactly the types that the table holds."""
    c, local = method.c_name, method.local
    if not method.required():
        yield from code_defaults(method)
    yield local(
        "static enum nrpc_status %s_call(struct nrpc_call *@call, const void *@request, void *@reply)\n{\n"
        % c
    )
    if method.pulled():
        yield local("    (void)@reply;\n    return %s(@call, @request);\n}\n\n" % c)
        yield local(
            "static enum nrpc_status %s_pull(struct nrpc_call *@call, void *@reply)\n{\n" % c
        )
        yield local("    return %s_next(@call, @reply);\n}\n\n" % c)
    else:
        yield local("    return %s(@call, @request, @reply);\n}\n\n" % c)
    if method.kind == CLIENT_STREAM:
        yield local(
            "static enum nrpc_status %s_pull(struct nrpc_call *@call, void *@reply)\n{\n" % c
        )
        yield local("    (void)@call;\n    (void)@reply;\n")
        absent = "%s == %s_absent ? NRPC_UNIMPLEMENTED : " % (c, c)
        yield "    return %sNRPC_PENDING;\n}\n\n" % ("" if method.required() else absent)


def code_streamed(method):
    """The codec of a method with streamed fields, and what stands for functions that were left out."""
    c, weak = method.c_name, "__attribute__((weak))\n"
    into, out = method.streamed_in, method.streamed_out
    if into and not method.required():
        yield weak + chunk_prototype(method)
        yield method.local(
            "\n{\n    (void)@call;\n    (void)@chunk;\n    return NRPC_UNIMPLEMENTED;\n}\n\n"
        )
    if into:
        yield "static const uint32_t %s_path[] = {%s};\n\n" % (c, ", ".join(map(str, into.path)))
    if out and not method.required():
        yield (
            weak
            + produce_prototype(method)
            + method.local("\n{\n    (void)@buf;\n    (void)@room;\n    (void)@offset;\n")
        )
        yield method.local(
            "    nrpc_call_finish(@call, NRPC_UNIMPLEMENTED, NULL);\n    return 0;\n}\n\n"
        )
    yield 'NRPC_STATIC_ASSERT(NRPC_PIECES, "streamed fields need NRPC_PIECES=1, the same for all files");\n'
    yield "static const struct nrpc_streamed %s_streamed = {\n" % c
    yield "    .codec = {.message = %s,\n" % (
        "nrpc_streamed_message" if into else "nrpc_typed_message"
    )
    yield "              .next = nrpc_typed_next,\n"
    yield "              .send = %s" % ("nrpc_streamed_send" if out else "nrpc_typed_send")
    yield ",\n              .take = nrpc_streamed_take" if into else ""
    yield ",\n              .produce = nrpc_streamed_produce" if out else ""
    yield "},\n"
    if into:
        yield "    .in = {.path = %s_path, .depth = %d, .keep_bytes = %d,\n" % (
            c,
            len(into.path),
            method.service.kept(method),
        )
        yield (
            "           .fields = &%s_msg, .knows = nrpc_streamed_knows},\n"
            % method.request.c_type()
        )
        yield "    .in_at = offsetof(%s, %s),\n" % (method.request.c_type(), into.member)
        yield "    .decode = nrpc_typed_message,\n"
        yield "    .chunk = %s_%s_chunk,\n" % (c, into.name)
    if out:
        yield "    .producer = %s_%s_produce,\n" % (c, out.name)
    yield "};\n\n"


def code_names(service):
    """The front-coded list of method names: see match.h."""
    pieces = [
        "\\%03o%s" % (0x80 | n, method.name[n:])
        for _, method, n in shared_prefixes(service.methods)
    ]
    if not pieces:
        pieces.append("\\200\\n")  # the list needs a name, and no header's value can hold this one
    pieces.append("\\377")
    if sum(map(len, pieces)) < 4000:  # C99 5.2.4.1: a string literal may have 4095 characters
        yield "static const char %s_names[] =" % service.object
        yield "".join('\n    "%s"' % piece for piece in pieces) + ";\n\n"
        return
    yield "static const char %s_names[] = {" % service.object
    for piece in pieces:
        yield "\n    '%s'," % piece[:4] + "".join(" '%s'," % letter for letter in piece[4:])
    yield "\n};\n\n"


def code_assertions(service):
    streamed = {}
    for method in service.methods:
        for side, message in method.sides():
            if method.all_streamed[side]:
                streamed[message.full_name] = Streamed(message, method.all_streamed[side][0])
    for side in ("request", "reply"):
        size, largest = service.largest(side)
        exact = side == "request" or service.largest_streamed() is None
        for message in service.distinct(side):
            if message.full_name in streamed:
                field = streamed[message.full_name]
                yield (
                    'NRPC_STATIC_ASSERT(sizeof ((%s *)0)->%s == sizeof(pb_callback_t), "%s: generate messages and '
                    'services together");\n' % (message.c_type(), field.member, message.c_type())
                )
                continue
            relation = "==" if message is largest and exact else "<="
            yield size_assertion(
                message, relation, "%s_%s_BYTES" % (service.object, side.upper()), "services"
            )
    for message in service.distinct("reply"):
        yield 'NRPC_STATIC_ASSERT(sizeof(%s) <= UINT16_MAX, "%s: over 65535 bytes");\n' % (
            message.c_type(),
            message.c_type(),
        )
    yield "\n"


def code_table(service):
    if not service.methods:
        return
    yield "static const struct nrpc_method %s_methods[] = {\n" % service.object
    for method in service.methods:
        yield "    {.request = &%s_msg,\n" % method.request.c_type()
        yield "     .reply = &%s_msg,\n" % method.reply.c_type()
        yield "     .codec = &%s,\n" % (
            method.c_name + "_streamed.codec"
            if method.streams_fields()
            else typed_codec(method, method.request)
        )
        yield "     .handler = %s_call,\n" % method.c_name
        yield "     .next = %s,\n" % ("NULL" if method.kind == UNARY else method.c_name + "_pull")
        yield "     .cancelled = %s_cancelled,\n" % method.c_name
        yield "     .reply_bytes = sizeof(%s),\n" % method.reply.c_type()
        if method.request.begins_as_zeros(service.known) and not method.streams_fields():
            size = "sizeof(%s)" % method.request.c_type()
            yield "     .request_zeros = %s <= UINT16_MAX ? %s : 0,\n" % (size, size)
        yield "     .kind = %s},\n" % KIND_NAMES[method.kind]
    yield "};\n\n"


def code_service(service):
    yield "/* --- %s */\n" % service.name
    yield from code_assertions(service)
    for method in service.methods:
        yield from code_method(method)
        if method.streams_fields():
            yield from code_streamed(method)
    yield from code_table(service)
    yield from code_names(service)
    yield "const struct nrpc_service %s = {\n" % service.object
    yield '    .path = "/%s/",\n    .method_names = %s_names,\n' % (service.name, service.object)
    yield "    .methods = %s,\n" % (service.object + "_methods" if service.methods else "NULL")
    yield "};\n\n"


def generate_code(source, services, known):
    """known: all messages, by their full names."""
    _, code, included, _ = file_names(source)
    yield "/* %s - the method tables of %s.\n" % (code, source.desc.name)
    yield " * Layer: application. Source: written by protoc-gen-nanorpc, do not edit. */\n"
    yield '#include "%s"\n\n' % included
    if services:
        yield from shared_messages(source, known)
    for service in services:
        yield from code_service(service)
