# proto/nanorpc_generator/clients.py - clients: NAME.client.h and NAME.client.c.
# Layer: generator, runs on the host. Source: nanorpc/client.h, nanorpc/wait.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: a Source and its services. Gives: the text of the header, functions that begin calls and what their replies
come to, and of the C file, the methods as clients see them."""

from .messages import needs_32_bits, own_guards, shared_messages, size_assertion
from .names import guard
from .reading import BIDI, CLIENT_STREAM, SERVER_STREAM, STREAMED_MIN, UNARY, typed_codec
from .text import BEGIN_QUIET, END_QUIET, KIND_TITLES, client_names, comment, included_messages

# From the client's side: what it gets is a stream where the server's messages are.
KINDS = ("NRPC_UNARY", "NRPC_UNARY", "NRPC_CLIENT_STREAM", "NRPC_CLIENT_STREAM")

START = {
    UNARY: "Begins a call with its one request; the reply comes through `@events`.",
    SERVER_STREAM: "Begins a call with its one request; the replies come through `@events`.",
    CLIENT_STREAM: "Begins a call; then %(c)s_write and nrpc_call_close_writes. The reply comes through `@events`.",
    BIDI: "Begins a call; then %(c)s_write and nrpc_call_close_writes. Replies come through `@events`, at any time.",
}
START_END = (
    " @options: NULL: none; borrowed for the call of this function%(request)s. @events: kept until `done`. "
    "Returns the call, or NULL: see nrpc_client_start."
)


# To a client a reply's streamed field, method.streamed_out, comes in, and a request's goes out.


def kept(service, method):
    """Bytes for all of a reply but its streamed field."""
    return service.size(method.reply) - method.streamed_out.window if method.streamed_out else 0


def largest(service, side):
    """(bytes of a block, message) of the method for which they are the most; requests: without what methods with
    streamed fields keep in that block."""
    sizes = []
    for method in service.methods:
        if side == "reply":
            streamed = method.streamed_out
            sizes.append(
                (streamed.window if streamed else service.size(method.reply), method.reply)
            )
        elif not method.streams_fields():
            sizes.append((service.size(method.request), method.request))
    return max(sizes, key=lambda pair: pair[0], default=(0, None))


def largest_streamed(service, reserve):
    """Bytes of the transmit block for methods with streamed fields; None: there are none."""
    return max(
        (
            service.size(m.request)
            - (m.streamed_in.window - reserve if m.streamed_in else 0)
            + kept(service, m)
            for m in service.methods
            if m.streams_fields()
        ),
        default=None,
    )


def function(method, result, name, parameters, body):
    """A function of a header; @NAME in its parameters and its body: see servers.py."""
    head = "static inline %s%s%s(" % (result, "" if result.endswith("*") else " ", name)
    text = head + ", ".join(parameters) + ")"
    if len(text) > 110:
        text = head + parameters[0] + ",\n    " + ", ".join(parameters[1:]) + ")"
    return method.local("%s\n{\n    %s\n}\n\n" % (text, body))


def sized(method, call):
    """The body of a function that sends a request with a streamed field."""
    field = method.streamed_in
    body = (
        "struct nrpc_streamed_message @sized = {@request, &@request->%s, @length};\n    "
        % field.member
    )
    if field.present:
        body += "if (@length != NRPC_NOT_STREAMED) {\n        %s\n    }\n    " % "\n        ".join(
            "@request->%s = true;" % name for name in field.present
        )
    return body + "return %s;" % (call % "&@sized")


def start(method):
    c, request = method.c_name, "const %s *@request" % method.request.c_type()
    if method.streamed_in:
        yield from start_streamed(method)
        return
    parameters = ["struct nrpc_channel *@channel", "const struct nrpc_call_options *@options"]
    parameters += [] if method.writes() else [request]
    parameters += ["const struct %s_events *@events" % c]
    yield function(
        method,
        "struct nrpc_call *",
        c + "_start",
        parameters,
        "return nrpc_client_start(@channel, &%s_method, @options, %s, &@events->on);"
        % (c, "NULL" if method.writes() else "@request"),
    )
    if method.writes():
        yield "/* The next request: see nrpc_client_write. */\n"
        yield function(
            method,
            "int",
            c + "_write",
            ["struct nrpc_call *@call", request],
            "return nrpc_client_write(@call, @request);",
        )


def start_streamed(method):
    c, request = method.c_name, "%s *@request" % method.request.c_type()
    parameters = ["struct nrpc_channel *@channel", "const struct nrpc_call_options *@options"]
    parameters += [] if method.writes() else [request, "uint32_t @length"]
    parameters += ["const struct %s_events *@events" % c]
    begin = "nrpc_client_start(@channel, &%s_method, @options, %%s, &@events->on)" % c
    yield function(
        method,
        "struct nrpc_call *",
        c + "_start",
        parameters,
        "return %s;" % (begin % "NULL") if method.writes() else sized(method, begin),
    )
    if method.writes():
        yield method.local(
            "/* The next request: see nrpc_client_write; @length: see nrpc_streamed_message. */\n"
        )
        yield function(
            method,
            "int",
            c + "_write",
            ["struct nrpc_call *@call", request, "uint32_t @length"],
            sized(method, "nrpc_client_write(@call, %s)"),
        )


STREAMED_OUT = (
    " @length: bytes of the request's %s, which @events->produce is asked for as there is room, also anew from "
    "offset 0 when the server has refused the call; or NRPC_NOT_STREAMED."
)
STREAMED_IN = " @events->chunk gets the pieces of a reply's %s as they come, before it is known how the call ends."


def streamed_comment(method):
    text = STREAMED_OUT % method.streamed_in.proto_name() if method.streamed_in else ""
    return text + (STREAMED_IN % method.streamed_out.proto_name() if method.streamed_out else "")


def blocking(method):
    if method.streams_fields():
        return
    c, request = method.c_name, "const %s *@request" % method.request.c_type()
    reply = "%s *@reply" % method.reply.c_type()
    parameters = ["struct nrpc_channel *@channel", "const struct nrpc_call_options *@options"]
    yield "extern const struct %s_events %s_wait_events;\n\n" % (c, c)
    if method.kind == UNARY:
        yield comment(
            method.local(
                "The whole call, blocking: see wait.h. @reply: filled where the status is NRPC_OK."
            )
        )
        yield function(
            method,
            "enum nrpc_status",
            c + "_wait",
            parameters + [request, reply],
            "return nrpc_wait_unary(@channel, &%s_method, @options, @request, @reply, &%s_wait_events.on);"
            % (c, c),
        )
    yield comment("Begins a blocking call: see nrpc_wait_open.")
    yield function(
        method,
        "int",
        c + "_open",
        ["struct nrpc_wait *@wait"] + parameters + ([] if method.writes() else [request]),
        "return nrpc_wait_open(@wait, @channel, &%s_method, @options, %s, &%s_wait_events.on);"
        % (c, "NULL" if method.writes() else "@request", c),
    )
    if method.writes():
        yield "/* The next request, blocking: see nrpc_wait_put. */\n"
        yield function(
            method,
            "int",
            c + "_put",
            ["struct nrpc_wait *@wait", request],
            "return nrpc_wait_put(@wait, @request);",
        )
    if method.pulled():
        yield "/* The next reply, blocking: see nrpc_wait_get. Then nrpc_wait_end. */\n"
        yield function(
            method,
            "int",
            c + "_get",
            ["struct nrpc_wait *@wait", reply],
            "return nrpc_wait_get(@wait, @reply);",
        )
    else:
        yield "/* No more requests; the reply, where the status is NRPC_OK: see nrpc_wait_end. */\n"
        yield function(
            method,
            "enum nrpc_status",
            c + "_end",
            ["struct nrpc_wait *@wait", reply],
            "return nrpc_wait_end(@wait, @reply);",
        )


# Of struct NAME_events; within a class C++ does not take a type of such a name by its name alone.
MEMBERS = ("on", "reply", "chunk", "produce")


def header_method(method):
    c = {"c": method.c_name, "request": "" if method.writes() else ", as is @request"}
    yield comment(
        (method.comment + "\n" if method.comment else "")
        + "/%s/%s. %s." % (method.service.name, method.name, KIND_TITLES[method.kind])
    )
    yield "struct %(c)s_events {\n    struct nrpc_events on;\n" % c
    reply = str(method.reply.c_type())
    if reply in MEMBERS:
        reply = method.reply.struct()
    yield method.local(
        "    enum nrpc_status (*reply)(struct nrpc_call *@call, const %s *@reply); /* see nrpc_events */\n"
        % reply
    )
    if method.streamed_out:
        yield (
            "    nrpc_chunk_handler *chunk; /* of the replies' %s; NULL: dropped */\n"
            % method.streamed_out.proto_name()
        )
    if method.streamed_in:
        yield (
            "    nrpc_producer *produce;    /* of the requests' %s */\n"
            % method.streamed_in.proto_name()
        )
    yield "};\n"
    yield "extern const struct nrpc_client_method %(c)s_method;\n\n" % c
    yield comment(method.local(START[method.kind] % c + START_END % c + streamed_comment(method)))
    yield from start(method)
    yield from blocking(method)


def generate_header(source, services):
    included = client_names(source)[2]
    its_guard = guard(source.stem, "CLIENT")
    yield "/* %s - clients of the services of %s.\n" % (included, source.desc.name)
    yield " * Layer: application. Source: written by protoc-gen-nanorpc, do not edit. */\n"
    yield '#ifndef %s\n#define %s\n\n#include "nanorpc/client.h"\n#include "nanorpc/wait.h"\n' % (
        its_guard,
        its_guard,
    )
    if any(method.streams_fields() for service in services for method in service.methods):
        yield '#include "nanorpc/streamed.h"\n'
    yield from needs_32_bits(source.visible)
    for name in included_messages(source, services):
        yield source.options.genformat % name + "\n"
    yield from own_guards(source.visible)
    yield "\nNRPC_BEGIN_C\n\n"
    yield BEGIN_QUIET if services else ""
    for service in services:
        name = service.c_name + "_client"
        yield comment(
            "--- %s%s" % (service.name, "\n" + service.comment if service.comment else "")
        )
        yield "/* For NRPC_CHANNEL_DEFINE: the largest encoded messages, and memory for any decoded reply. */\n"
        for side in ("request", "reply"):
            size, message = largest(service, side)
            streamed = largest_streamed(service, STREAMED_MIN) if side == "request" else None
            if streamed is not None:
                size = "NRPC_STREAMED_MAX(%d, %d)" % (size, streamed)
            yield "#define %s_%s_BYTES %s%s\n" % (
                name,
                side.upper(),
                size,
                " /* %s */" % message.c_type() if message else "",
            )
        yield "#define %s_PATH_BYTES %d\n" % (
            name,
            max((len("/%s/%s" % (m.service.name, m.name)) for m in service.methods), default=1),
        )
        members = [
            source.local("%s @m%d;" % (m.c_type(), i))
            for i, m in enumerate(service.distinct("reply"))
        ]
        yield "union %s_reply {\n    %s\n};\n\n" % (name, "\n    ".join(members or ["char none;"]))
        for method in service.methods:
            yield from header_method(method)
    yield END_QUIET if services else ""
    yield "NRPC_END_C\n\n#endif\n"


def code_streamed(method):
    c, into, out = method.c_name, method.streamed_out, method.streamed_in
    events = (
        "    const struct %s_events *@events = (const struct %s_events *)(const void *)nrpc_call_events(@call);\n"
        % (c, c)
    )
    local = method.local
    if into:
        yield local(
            "static enum nrpc_status %s_piece(struct nrpc_call *@call, const struct nrpc_chunk *@chunk)\n{\n"
            % c
        )
        yield local(
            events + "    return @events->chunk ? @events->chunk(@call, @chunk) : NRPC_OK;\n}\n\n"
        )
        yield "static const uint32_t %s_pieces[] = {%s};\n\n" % (c, ", ".join(map(str, into.path)))
    if out:
        yield local(
            "static size_t %s_more(struct nrpc_call *@call, uint8_t *@buf, size_t @room, uint32_t @offset)\n{\n"
            % c
        )
        yield local(events + "    return @events->produce(@call, @buf, @room, @offset);\n}\n\n")
    yield "static const struct nrpc_streamed %s_caller = {\n" % c
    yield "    .codec = {.message = %s,\n" % (
        "nrpc_streamed_message" if into else "nrpc_typed_message"
    )
    yield "              .send = %s" % ("nrpc_streamed_send_sized" if out else "nrpc_typed_send")
    yield ",\n              .take = nrpc_streamed_take" if into else ""
    yield ",\n              .produce = nrpc_streamed_produce" if out else ""
    yield "},\n"
    if into:
        yield "    .in = {.path = %s_pieces, .depth = %d, .keep_bytes = %d,\n" % (
            c,
            len(into.path),
            kept(method.service, method),
        )
        yield (
            "           .fields = &%s_msg, .knows = nrpc_streamed_knows},\n" % method.reply.c_type()
        )
        yield "    .in_at = offsetof(%s, %s),\n" % (method.reply.c_type(), into.member)
        yield "    .decode = nrpc_typed_message,\n    .chunk = %s_piece,\n" % c
    if out:
        yield "    .producer = %s_more,\n" % c
    yield "};\n\n"


def code_method(method):
    c, local = method.c_name, method.local
    yield local(
        "static enum nrpc_status %s_got(struct nrpc_call *@call, const void *@reply, const struct nrpc_events *@on)\n"
        % c
    )
    yield local(
        "{\n    const struct %s_events *@events = (const struct %s_events *)(const void *)@on;\n"
        % (c, c)
    )
    yield local("    return @events->reply ? @events->reply(@call, @reply) : NRPC_OK;\n}\n\n")
    if method.streams_fields():
        yield from code_streamed(method)
    yield "const struct nrpc_client_method %s_method = {\n" % c
    yield "    .method = {.codec = &%s,\n" % (
        c + "_caller.codec" if method.streams_fields() else typed_codec(method, method.reply)
    )
    yield "               .request = &%s_msg,\n" % method.reply.c_type()
    yield "               .reply = &%s_msg,\n" % method.request.c_type()
    yield "               .handler = nrpc_client_message,\n"
    yield "               .cancelled = nrpc_client_cancelled,\n"
    yield "               .kind = NRPC_CALLER | %s},\n" % KINDS[method.kind]
    yield '    .path = "/%s/%s",\n    .got = %s_got,\n};\n\n' % (
        method.service.name,
        method.name,
        c,
    )
    if method.streams_fields():
        return
    yield local(
        "static enum nrpc_status %s_waited(struct nrpc_call *@call, const %s *@reply)\n{\n"
        % (c, method.reply.c_type())
    )
    yield local("    return nrpc_wait_reply(@call, @reply, sizeof *@reply);\n}\n\n")
    yield (
        "const struct %s_events %s_wait_events = {.on = {.done = nrpc_wait_done}, .reply = %s_waited};\n\n"
        % (c, c, c)
    )


def generate_code(source, services, known):
    """known: all messages, by their full names."""
    _, name, included = client_names(source)
    yield "/* %s - clients of the services of %s.\n" % (name, source.desc.name)
    yield " * Layer: application. Source: written by protoc-gen-nanorpc, do not edit. */\n"
    yield '#include "%s"\n\n#if NRPC_CLIENT\n\n' % included
    if services:
        yield from shared_messages(source, known)
    for service in services:
        yield "/* --- %s */\n" % service.name
        for side in ("request", "reply"):
            _, the_largest = largest(service, side)
            exact = side == "reply" or largest_streamed(service, 0) is None
            for message in service.distinct(side):
                if any(
                    m.all_streamed[s]
                    for m in service.methods
                    for s, other in m.sides()
                    if other is message
                ):
                    continue  # its largest size is not nanopb's to say
                relation = "==" if message is the_largest and exact else "<="
                bytes_macro = "%s_client_%s_BYTES" % (service.c_name, side.upper())
                yield size_assertion(message, relation, bytes_macro, "clients")
        yield "\n"
        for method in service.methods:
            yield from code_method(method)
    yield "#endif\n"
