# proto/nanorpc_generator/servers.py - the server's header, NAME.nrpc.h.
# Layer: generator, runs on the host. Source: nanorpc/nanorpc.h, nanorpc/streamed.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: a Source and its services. Gives: the text of the header: what handlers look like, and the sizes for
NRPC_SERVER_DEFINE."""

from .messages import needs_32_bits, own_guards
from .names import guard, object_name
from .reading import BIDI, CLIENT_STREAM, SERVER_STREAM, UNARY
from .text import (
    BEGIN_QUIET,
    END_QUIET,
    KIND_TITLES,
    comment,
    descriptor_name,
    file_names,
    included_messages,
)

CONTRACTS = {
    UNARY: "@request: borrowed for the call of this function. @reply: zeroed, to be filled. Returns "
    "NRPC_OK: *@reply is sent and the call ends well; NRPC_PENDING: it is finished later, with "
    "%(c)s_reply or nrpc_call_finish; any other: the call ends with it.",
    CLIENT_STREAM: "Called for each request, then once at half-close with @request NULL. @request: borrowed "
    "for the call of this function. @reply: zeroed, to be filled at half-close only. Returns, "
    "for a request, NRPC_OK: go on; NRPC_PENDING: no further request until nrpc_call_wake; at "
    "half-close, NRPC_OK: *@reply is sent and the call ends well; NRPC_PENDING: it is finished "
    "later, with %(c)s_reply or nrpc_call_finish; any other: the call ends with it.",
    SERVER_STREAM: "@request: borrowed for the call of this function. Returns NRPC_OK: go on, %(c)s_next is asked "
    "for the replies; NRPC_PENDING: the same, but only after nrpc_call_wake; any other: the call "
    "ends with it.",
    BIDI: "Called for each request, then once at half-close with @request NULL; always with room for one "
    "%(c)s_send. @request: borrowed for the call of this function. Returns NRPC_OK: go on; NRPC_PENDING, "
    "for a @request: no further one until nrpc_call_wake, at half-close: %(c)s_next is asked only after "
    "nrpc_call_wake; any other: the call ends with it.",
}
NEXT_CONTRACT = (
    "The next reply, asked for whenever there is room for one. @reply: zeroed, to be filled. Returns "
    "NRPC_MORE: *@reply is sent; NRPC_OK: there are no more, the call ends well; NRPC_PENDING: none now; "
    "any other: the call ends with it. "
)
NEXT_DEFAULTS = {
    SERVER_STREAM: "NRPC_PENDING, for a method that sends with %(c)s_send and ends with nrpc_call_finish.",
    BIDI: "NRPC_PENDING until half-close, then NRPC_OK, for a method that answers with %(c)s_send.",
}


def left_out(method, otherwise="Left out: the call ends with NRPC_UNIMPLEMENTED."):
    """What a contract ends with."""
    return "Must be there (--require-handlers)." if method.required() else otherwise


# Here and below @NAME is a parameter or a variable, for Source.local, which sees that it hides nothing.


def prototype(method):
    text = "struct nrpc_call *@call, const %s *@request" % method.request.c_type()
    if not method.pulled():
        text += ",\n    %s *@reply" % method.reply.c_type()
    return method.local("enum nrpc_status %s(%s)" % (method.c_name, text))


def next_prototype(method):
    return method.local(
        "enum nrpc_status %s_next(struct nrpc_call *@call, %s *@reply)"
        % (method.c_name, method.reply.c_type())
    )


def cancelled_prototype(method):
    return method.local(
        "void %s_cancelled(struct nrpc_call *@call, enum nrpc_status @why)" % method.c_name
    )


def chunk_prototype(method):
    return method.local(
        "enum nrpc_status %s_%s_chunk(struct nrpc_call *@call, const struct nrpc_chunk *@chunk)"
        % (method.c_name, method.streamed_in.name)
    )


def produce_prototype(method):
    return method.local(
        "size_t %s_%s_produce(struct nrpc_call *@call, uint8_t *@buf, size_t @room, uint32_t @offset)"
        % (method.c_name, method.streamed_out.name)
    )


def header_streamed(method):
    """Of a method's streamed fields."""
    field = method.streamed_in
    if field:
        yield comment(
            method.local(
                "A piece of %s, which @request->%s does not have: see nrpc_chunk_handler. %s"
                % (field.proto_name(), field.member, left_out(method))
            )
        )
        yield chunk_prototype(method) + ";\n\n"
    field = method.streamed_out
    if field:
        name = "%s_%s" % (method.c_name, field.name)
        yield comment(
            "The next bytes of a reply's %s: see nrpc_producer. %s"
            % (field.proto_name(), left_out(method))
        )
        yield produce_prototype(method) + ";\n\n"
        yield comment(
            method.local(
                "Says that the next reply, which is to be *@reply, has a %s of `@length` bytes, 0..2^31-1; "
                "%s_produce is asked for them. To be called before *@reply is sent, after all else in it is set; "
                "without it there is none." % (field.proto_name(), name)
            )
        )
        yield method.local(
            "static inline void %s_length(struct nrpc_call *@call, %s *@reply, uint32_t @length)\n{\n"
            % (name, method.reply.c_type())
        )
        for present in field.present:
            yield method.local("    @reply->%s = true;\n" % present)
        yield method.local("    @reply->%s.funcs.encode = nrpc_streamed_encode;\n" % field.member)
        yield method.local(
            "    @reply->%s.arg = nrpc_streamed_length(@call, @length);\n}\n\n" % field.member
        )


def header_method(method):
    c = {"c": method.c_name}
    title = "/%s/%s. %s." % (method.service.name, method.name, KIND_TITLES[method.kind])
    text = "%s %s %s" % (title, method.local(CONTRACTS[method.kind] % c), left_out(method))
    yield from header_streamed(method)
    yield comment((method.comment + "\n" if method.comment else "") + text)
    yield prototype(method) + ";\n\n"
    if method.pulled():
        otherwise = left_out(method, "Left out: " + NEXT_DEFAULTS[method.kind] % c)
        yield comment(method.local(NEXT_CONTRACT + otherwise))
        yield next_prototype(method) + ";\n\n"
    yield comment(
        "Told once, when a call of this method that was not finished is over: see nrpc_cancelled. "
        + left_out(method, "May be left out.")
    )
    yield cancelled_prototype(method) + ";\n\n"
    verb = "send" if method.pulled() else "reply"
    yield "/* nrpc_call_%s, with its type checked. */\n" % verb
    yield method.local(
        "static inline int %s_%s(struct nrpc_call *@call, const %s *@reply)\n"
        % (method.c_name, verb, method.reply.c_type())
    )
    yield method.local("{\n    return nrpc_call_%s(@call, @reply);\n}\n\n" % verb)


def header_service(service):
    yield comment("--- %s%s" % (service.name, "\n" + service.comment if service.comment else ""))
    yield "extern const struct nrpc_service %s;\n" % service.object
    yield "#define %s_FILE %s\n\n" % (service.object, object_name(service.source.desc.name))
    yield "/* For NRPC_SERVER_DEFINE: the largest encoded messages, and memory for any decoded one. */\n"
    for side in ("request", "reply"):
        size, message = service.largest(side)
        if side == "reply" and service.largest_streamed() is not None:
            size = "NRPC_STREAMED_MAX(%d, %d)" % (size, service.largest_streamed())
        yield "#define %s_%s_BYTES %s%s\n" % (
            service.object,
            side.upper(),
            size,
            " /* %s */" % message.c_type() if message else "",
        )
    for side in ("request", "reply"):
        members = [
            service.source.local("%s @m%d;" % (m.c_type(), i))
            for i, m in enumerate(service.distinct(side))
        ]
        yield "union %s_%s {\n    %s\n};\n" % (
            service.object,
            side,
            "\n    ".join(members or ["char none;"]),
        )
    yield "\n"
    for method in service.methods:
        yield from header_method(method)


def generate_header(source, services):
    its_guard = guard(source.stem, "NRPC")
    included = file_names(source)[2]
    yield "/* %s - the services of %s.\n" % (included, source.desc.name)
    yield " * Layer: application. Source: written by protoc-gen-nanorpc, do not edit. */\n"
    yield '#ifndef %s\n#define %s\n\n#include "nanorpc/nanorpc.h"\n' % (its_guard, its_guard)
    if any(m.streams_fields() for s in services for m in s.methods):
        yield '#include "nanorpc/streamed.h"\n'
    yield from needs_32_bits(source.visible)
    for name in included_messages(source, services):
        yield source.options.genformat % name + "\n"
    yield from own_guards(source.visible)
    yield '\n#ifdef __cplusplus\nextern "C" {\n#endif\n\n'
    yield (
        "/* The descriptor, in %s: for server reflection, see services/reflection.h. */\n"
        % descriptor_name(source)
    )
    yield "extern const struct nrpc_file %s;\n\n" % object_name(source.desc.name)
    yield BEGIN_QUIET if services else ""
    for service in services:
        yield from header_service(service)
    yield END_QUIET if services else ""
    yield "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
