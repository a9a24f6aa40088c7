# proto/nanorpc_generator/reading.py - what protoc sends: files, messages, services and methods.
# Layer: generator, runs on the host. Source: google/protobuf/compiler/plugin.proto.
# SPDX-License-Identifier: Apache-2.0
"""Given: protoc's descriptors of files, and nanopb's generator. Gives: Source, Message, Service, Method and Streamed,
which know the names that things have in C, and how many bytes they encode to. Nothing is refused here but what cannot
be read."""

import contextlib
import io
import os

from .names import Locals
from .preparing import GOOGLE
from .with_nanopb import Problem

UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI = range(4)
STREAMED_DEPTH = 4  # NRPC_WALK_DEPTH
STREAMED_MIN = 32  # of a streamed field's max_size: it also makes room for the lengths of the messages around it


class Message:
    """A message as protoc describes it, and as nanopb stores it."""

    def __init__(self, source, full_name, desc, stored):
        self.source, self.full_name, self.desc, self.stored = source, full_name, desc, stored

    def c_type(self):
        return self.source.style.type_name(self.stored.name)

    def struct(self):
        """The same type, where something else hides c_type()."""
        return "struct %s" % self.source.style.struct_name(self.stored.name)

    def size_macro(self):
        return self.source.style.define_name("%s_size" % self.stored.name)

    def stored_types(self):
        """Full names of the messages that its fields are, without those that are left out."""
        kept = {field.tag for field in self.stored.all_fields()} if self.stored else ()
        return [name for number, name in names_of_types(self.desc).items() if number in kept]

    def begins_as_zeros(self, messages, seen=()):
        """Zeros are what nanopb would set its fields to before it decodes one. Sure for proto3 alone (not editions,
        to which preparing.py gives that syntax): no field has a default of its own, no enum begins with another
        number. And without callbacks, which nanopb keeps."""
        fields = self.stored.all_fields() if self.stored else ()
        return (
            self.source.desc.syntax == "proto3"
            and not getattr(self.source.desc, "edition", 0)
            and all(field.allocation == "STATIC" for field in fields)
            and all(
                name in seen
                or (name in messages and messages[name].begins_as_zeros(messages, seen + (name,)))
                for name in self.stored_types()
            )
        )

    def streamed(self, messages, way=()):
        """The ways to the streamed fields in it: tuples of nanopb's fields, the last of which is streamed."""
        for field in (
            self.stored.all_fields() if self.stored and len(way) < STREAMED_DEPTH + 1 else ()
        ):
            inner = messages.get(names_of_types(self.desc).get(field.tag))
            if getattr(field, "is_streamed", lambda: False)():
                yield way + (field,)
            elif inner:
                yield from inner.streamed(messages, way + (field,))


class Source:
    """One .proto file."""

    def __init__(self, nanopb, desc, options):
        self.desc, self.options = desc, options
        self.stem = os.path.splitext(desc.name)[0]
        self.style = nanopb.Globals.naming_style
        chatter = io.StringIO()
        try:
            with contextlib.redirect_stderr(chatter):
                self.parsed = nanopb.parse_file(desc.name, desc, options)
        except SystemExit:  # nanopb's way to end after it has said what is wrong
            raise Problem(chatter.getvalue().strip())
        except Exception as error:
            raise Problem("%s: %s" % (desc.name, error))

    def is_googles(self):
        return self.desc.name.startswith(GOOGLE)

    def globals(self):
        """What nanopb's header of this file has at file scope: (name, what it is). Not macros that end in _WORD."""
        for message in self.parsed.messages:
            yield str(self.style.type_name(message.name)), "message %s" % message.name
            yield str(self.style.struct_name(message.name)), "message %s" % message.name
        for enum in self.parsed.enums:
            yield str(self.style.type_name(enum.names)), "enum %s" % enum.names
            yield str(self.style.enum_name(enum.names)), "enum %s" % enum.names
            for name, _ in enum.values:
                yield str(self.style.enum_entry(name)), "enum %s" % enum.names
        for short, full in self.parsed.manglenames.reverse_name_mapping.items():
            if str(short) != str(full):  # a macro
                yield str(full), "message or enum %s" % short

    def see(self, sources):
        """Sets `visible`, this file and all that it imports, and `local`, for names of our own among theirs."""
        names, waiting = [], [self.desc.name]
        while waiting:
            name = waiting.pop(0)
            if name in sources and name not in names:
                names.append(name)
                waiting += sources[name].desc.dependency
        self.visible = [sources[name] for name in names]
        self.local = Locals(name for source in self.visible for name, _ in source.globals())

    def options_name(self):
        try:
            return self.options.options_file % self.stem
        except TypeError:
            return self.options.options_file

    def has_options(self):
        return os.path.isfile(self.parsed.optfilename)

    def messages(self, nanopb):
        stored = {str(m.name): m for m in self.parsed.messages}
        mangle = self.parsed.manglenames

        def walk(descs, prefix, names):
            for desc in descs:
                nested = names + desc.name
                name = mangle.create_name(nanopb.Names(desc.name) if mangle.flatten else nested)
                full = prefix + "." + desc.name
                yield Message(self, full, desc, stored.get(str(name)))
                yield from walk(desc.nested_type, full, nested)

        package = "." + self.desc.package if self.desc.package else ""
        return walk(self.desc.message_type, package, nanopb.Names())


def names_of_types(desc):
    """Of a message's fields that are messages: number to full name."""
    return {f.number: f.type_name for f in desc.field if f.type == f.TYPE_MESSAGE}


class Streamed:
    """A message's streamed field."""

    def __init__(self, message, way):
        self.message, self.way, self.window = message, way, way[-1].max_size
        self.name = "_".join(field.name for field in way)
        var = message.source.style.var_name
        self.names = [str(var(field.name)) for field in way]
        self.member = ".".join(self.names)
        self.present = [
            ".".join(self.names[:i] + ["has_" + self.names[i]])
            for i, field in enumerate(way[:-1])
            if field.rules == "OPTIONAL"
        ]
        self.path = [field.tag for field in way]

    def proto_name(self):
        return ".".join(field.name for field in self.way)


class Method:
    def __init__(self, service, index, desc, messages):
        self.service, self.name, self.local = service, desc.name, service.source.local
        self.messages = messages
        self.c_name = "%s_%s" % (service.c_name, desc.name)
        self.kind = (SERVER_STREAM if desc.server_streaming else 0) + (
            CLIENT_STREAM if desc.client_streaming else 0
        )
        self.request, self.reply = messages[desc.input_type], messages[desc.output_type]
        self.comment = service.source_comment(2, index)
        self.all_streamed = {
            side: list(message.streamed(messages)) for side, message in self.sides()
        }
        self.streamed_in, self.streamed_out = (
            Streamed(message, self.all_streamed[side][0]) if self.all_streamed[side] else None
            for side, message in self.sides()
        )

    def sides(self):
        return ("request", self.request), ("reply", self.reply)

    def streams_fields(self):
        return self.streamed_in or self.streamed_out

    def pulled(self):
        return self.kind in (SERVER_STREAM, BIDI)

    def writes(self):
        return self.kind in (CLIENT_STREAM, BIDI)

    def required(self):
        """May none of its functions be left out?"""
        return self.service.source.options.require_handlers

    def identifiers(self):
        """(C identifier, what it is) of the server's side."""
        yield self.c_name, "handler"
        yield self.c_name + "_cancelled", "cancelled function"
        yield self.c_name + "_call", "thunk"
        if self.pulled():
            yield self.c_name + "_next", "next function"
            yield self.c_name + "_pull", "thunk"
            yield self.c_name + "_send", "send function"
        else:
            yield self.c_name + "_reply", "reply function"
        if self.writes():
            yield self.c_name + "_absent", "default"
            if not self.pulled():
                yield self.c_name + "_pull", "thunk"
        if self.streams_fields():
            yield self.c_name + "_streamed", "codec"
        if self.streamed_in:
            yield "%s_path" % self.c_name, "path"
            yield "%s_%s_chunk" % (self.c_name, self.streamed_in.name), "chunk function"
        if self.streamed_out:
            yield "%s_%s_length" % (self.c_name, self.streamed_out.name), "length function"
            yield "%s_%s_produce" % (self.c_name, self.streamed_out.name), "producer"

    def client_identifiers(self):
        """The same of its client."""
        c = self.c_name
        yield c + "_method", "client's method"
        yield c + "_start", "start function"
        yield c + "_got", "client's thunk"
        yield c + "_wait_events", "events of its blocking calls"
        if self.writes():
            yield c + "_write", "write function"
            yield c + "_put", "put function"
        if self.streams_fields():
            yield c + "_caller", "client's codec"
            yield c + "_piece", "client's thunk"
            yield c + "_pieces", "client's path"
            yield c + "_more", "client's thunk"
            return
        yield c + ("_wait" if self.kind == UNARY else "_open"), "blocking function"
        if self.pulled():
            yield c + "_get", "get function"
        elif self.writes():
            yield c + "_end", "end function"


class Service:
    def __init__(self, source, index, messages):
        desc = source.desc.service[index]
        self.source, self.index, self.known = source, index, messages
        self.name = (source.desc.package + "." if source.desc.package else "") + desc.name
        self.c_name = self.name.replace(".", "_")
        self.object = self.c_name + "_service"
        self.comment = self.source_comment()
        self.methods = sorted(
            (Method(self, i, m, messages) for i, m in enumerate(desc.method)),
            key=lambda method: method.name.encode(),
        )

    def source_comment(self, *path):
        """Of the service, or of what is at `path` below it, fit to stand in a C comment."""
        where = [6, self.index, *path]
        for location in self.source.desc.source_code_info.location:
            if list(location.path) == where:
                text = location.leading_comments or location.trailing_comments
                return text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").strip()
        return ""

    def identifiers(self):
        yield self.object, self.name, "service object"
        yield self.object + "_names", self.name, "name list"
        yield self.object + "_methods", self.name, "method table"
        yield self.object + "_FILE", self.name, "name for reflection"
        for method in self.methods:
            for name, role in [*method.identifiers(), *method.client_identifiers()]:
                yield name, "%s.%s" % (self.name, method.name), role

    def tags(self):
        """What else has a name, beside functions of the same: structs, unions and macros."""
        for side in ("request", "reply"):
            yield "%s_%s" % (self.object, side), self.name, "union"
            for prefix in (self.object, self.c_name + "_client"):
                yield "%s_%s_BYTES" % (prefix, side.upper()), self.name, "macro"
        yield self.c_name + "_client_reply", self.name, "union"
        for method in self.methods:
            yield method.c_name + "_events", "%s.%s" % (self.name, method.name), "struct"

    def distinct(self, side):
        """The request or reply messages of all methods, each once."""
        return list({getattr(m, side).full_name: getattr(m, side) for m in self.methods}.values())

    def size(self, message):
        size = message.stored.encoded_size(self.source.parsed.dependencies)
        if size is None or size.symbols:
            raise Problem(
                "%s: %s: its largest size is unknown"
                % (message.source.desc.name, message.full_name[1:])
            )
        return size.value

    def largest(self, side):
        """(bytes of a block, message), of the method for which they are the most; those for what a method with
        streamed fields keeps in the transmit block are not in it."""
        sizes = []
        for method in self.methods:
            if side == "request":
                streamed = method.streamed_in
                sizes.append(
                    (streamed.window if streamed else self.size(method.request), method.request)
                )
            elif not method.streams_fields():
                sizes.append((self.size(method.reply), method.reply))
        return max(sizes, key=lambda pair: pair[0], default=(0, None))

    def kept(self, method):
        """Bytes for all of the request but its streamed field."""
        return self.size(method.request) - method.streamed_in.window if method.streamed_in else 0

    def largest_streamed(self):
        """Bytes in the transmit block for replies of methods with streamed fields, and for what these keep of
        a request; None: there is no such method."""
        sizes = [
            self.size(m.reply)
            - (m.streamed_out.window - STREAMED_MIN if m.streamed_out else 0)
            + self.kept(m)
            for m in self.methods
            if m.streams_fields()
        ]
        return max(sizes, default=None)


def typed_codec(method, message):
    """The codec of what comes in. A message cannot be made smaller before it is whole if it, or one in it, lacks
    something then: required fields, arrays of a fixed count, messages of which it is not known whether they are
    there."""
    waiting, done = [message], set()
    while waiting:
        inner = waiting.pop()
        done.add(inner.full_name)
        types = names_of_types(inner.desc)
        for field in inner.stored.all_fields():
            within = method.messages.get(types.get(field.tag))
            if field.rules in ("REQUIRED", "FIXARRAY") or (within and field.rules == "SINGULAR"):
                return "nrpc_typed_whole"
            if within and within.full_name not in done:
                waiting.append(within)
    return "nrpc_typed"


def shared_prefixes(methods):
    """(method before or None, method, length of the prefix that their names share)."""
    before = None
    for method in methods:
        n = len(os.path.commonprefix([before.name, method.name])) if before else 0
        yield before, method, n
        before = method
