# proto/nanorpc_generator/checking.py - what is wrong with the services and messages of a request.
# Layer: generator, runs on the host. Source: nanopb's options; nanorpc/hpack/nrpc_match.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: services and messages as reading.py has them. Gives: lines of text for the user, each with the place, what
is wrong with it, and what to do; none: all can be written."""

from .names import global_reason, keyword_reason, member_reason, object_name
from .preparing import GOOGLE
from .reading import STREAMED_DEPTH, STREAMED_MIN, shared_prefixes

VALUES = (
    "a value within a value has no largest size; use a message of your own, or JSON in a string"
)
DESCRIPTORS = "it describes protobuf itself, without a largest size; use a message of your own"
METHODS_MAX = 255  # nrpc_match's ordinals are one byte, 255 is no match
PREFIX_MAX = 126  # 0x80 | 127 closes the list


def google_reason(message):
    """Why a message is none that can be used, whatever .options say; or None."""
    file, name = message.source.desc.name, message.full_name[1:]
    if file == GOOGLE + "struct.proto":
        return "%s: %s" % (name, VALUES)
    if file in (GOOGLE + "descriptor.proto", GOOGLE + "compiler/plugin.proto"):
        return "%s: %s" % (name, DESCRIPTORS)
    return None


class Checker:
    """Collects all that is wrong with the messages that a service can reach."""

    def __init__(self, messages):
        self.messages = messages
        self.open, self.done, self.recursive = [], set(), set()
        self.found = []  # (message, text, whether recursion alone explains it)

    def problems(self):
        return [
            text
            for message, text, explained in self.found
            if not (explained and message.full_name in self.recursive)
        ]

    def add(self, message, field, text, explained=False):
        source = message.source
        where = "%s: %s.%s: " % (source.desc.name, message.full_name[1:], field)
        hint = (
            ""
            if source.has_options()
            else " (no such file was found; --nanorpc_opt=-IDIR says where it is)"
        )
        mask = ".".join((message.stored.name + field).parts)
        text = where + text % {"mask": mask, "file": source.options_name() + hint}
        self.found.append((message, text, explained))

    def check(self, message, wanted_by):
        if message.full_name in self.done:
            return
        self.done.add(message.full_name)
        if message.stored is None:
            self.found.append(
                (
                    message,
                    "%s: %s: left out by skip_message or discard_deprecated, but %s "
                    "needs it" % (message.source.desc.name, message.full_name[1:], wanted_by),
                    False,
                )
            )
            return
        self.open.append(message.full_name)
        described = {f.number: f for f in message.desc.field}
        for field in message.stored.all_fields():
            self.check_field(message, field, described.get(field.tag))
        self.open.pop()

    def check_field(self, message, field, described):
        if described is None:
            self.add(
                message,
                field.name,
                "extensions have no largest size; give %(mask)s type:FT_IGNORE in %(file)s",
            )
            return
        inner = (
            self.messages.get(described.type_name)
            if field.pbtype in ("MESSAGE", "MSG_W_CB")
            else None
        )
        if inner and google_reason(inner):
            text = google_reason(inner) + ", or give %(mask)s type:FT_IGNORE in %(file)s"
            self.add(message, field.name, text)
            return
        self.check_bounds(message, field, inner)
        if inner is None:
            return
        if inner.full_name in self.open:
            self.recursive.update(self.open[self.open.index(inner.full_name) :])
            self.add(
                message,
                field.name,
                "recursive: messages inside themselves have no largest size; "
                "change the message, or give %(mask)s type:FT_IGNORE in %(file)s",
            )
        self.check(inner, "%s.%s" % (message.full_name[1:], field.name))

    def check_bounds(self, message, field, inner):
        is_map = inner is not None and inner.desc.options.map_entry
        is_array = field.rules in ("REPEATED", "FIXARRAY")
        kind = (
            "map"
            if is_map
            else field.pbtype.lower()
            if field.pbtype in ("STRING", "BYTES")
            else "field"
        )
        kind = "repeated " + kind if is_array and not is_map else kind
        missing = ["max_count"] if is_array and field.max_count is None else []
        if field.pbtype in ("STRING", "BYTES") and field.max_size is None:
            missing.append("max_length" if field.pbtype == "STRING" else "max_size")
        if missing:
            self.add(
                message,
                field.name,
                "unbounded %s; give %%(mask)s a %s in %%(file)s" % (kind, " and a ".join(missing)),
            )
        elif field.is_streamed():
            if field.max_size < STREAMED_MIN:
                self.add(
                    message,
                    field.name,
                    "a streamed field's max_size is the bytes received ahead: at least %d"
                    % STREAMED_MIN,
                )
        elif field.allocation != "STATIC":
            self.add(
                message,
                field.name,
                "a %s field, which has no largest size; give %%(mask)s "
                "type:FT_STATIC in %%(file)s" % field.allocation.lower(),
                explained=True,
            )


def check_streamed(method):
    """What streamed fields cannot be."""
    for side, message in method.sides():
        where = "%s: %s.%s: its %s, %s: " % (
            method.service.source.desc.name,
            method.service.name,
            method.name,
            side,
            message.full_name[1:],
        )
        ways = method.all_streamed[side]
        names = [".".join(field.name for field in way) for way in ways]
        if len(ways) > 1:
            yield where + "one streamed field is possible, not %s" % " and ".join(names)
        for way, name in zip(ways, names):
            if len(way) > STREAMED_DEPTH:
                yield where + "streamed field %s lies deeper than %d messages" % (
                    name,
                    STREAMED_DEPTH,
                )
            for field in way:
                if field.rules in ("REPEATED", "FIXARRAY", "ONEOF"):
                    yield (
                        where
                        + "streamed field %s is, or lies in, a %s field; it can only be in singular ones"
                        % (name, "oneof" if field.rules == "ONEOF" else "repeated")
                    )


def scope_problems(names, types):
    """Of the members of one struct or union, those that C++ does not take. names: {of a field: in C}."""
    for field, name in names.items():
        if name in types:
            yield (
                field,
                "the C type of this or another field of its message, which C++ does not allow; rename the field",
            )


def member_problems(message, macros):
    """(field, what is wrong with its name) of a message."""
    var, stored = message.source.style.var_name, message.stored
    names = {f.name: str(var(f.name)) for f in [*stored.all_fields(), *stored.oneofs.values()]}
    for field, name in names.items():
        reason = member_reason(name, macros)
        if reason:
            yield field, reason + "; rename the field"
    types = {
        f.name: str(
            message.source.style.type_name(f.ctype)
            if f.pbtype in ("MESSAGE", "MSG_W_CB", "ENUM", "UENUM")
            else f.ctype
        )
        for f in stored.all_fields()
    }
    within = {
        f.name for group in stored.oneofs.values() if not group.anonymous for f in group.fields
    }
    counts = (
        {"pb_size_t"}
        if any(f.rules in ("REPEATED", "ONEOF") for f in stored.all_fields())
        else set()
    )
    yield from scope_problems(
        {f: n for f, n in names.items() if f not in within}, {*types.values(), *counts}
    )
    for group in stored.oneofs.values():
        inner = [f.name for f in group.fields if f.name in within]
        yield from scope_problems({f: names[f] for f in inner}, {types[f] for f in inner})


def check_file(source, messages, own):
    """What C or C++ would not take in nanopb's header of a file."""
    names, macros = own
    style, package = source.style, " or the package" if source.desc.package else ""
    for message in (m for m in messages.values() if m.source is source and m.stored is not None):
        where = "%s: %s" % (source.desc.name, message.full_name[1:])
        reason = global_reason(str(message.c_type()), names)
        tag = str(style.struct_name(message.stored.name))
        if reason is None and keyword_reason(tag):
            reason = "its struct would be %s, %s" % (tag, keyword_reason(tag))
        if reason:
            yield "%s: %s; rename the message%s" % (where, reason, package)
        for field, problem in member_problems(message, macros):
            yield "%s.%s: %s" % (where, field, problem)
    for enum in source.parsed.enums:
        where = "%s: enum %s" % (source.desc.name, ".".join(enum.names.parts))
        tag = str(style.enum_name(enum.names))
        reason = global_reason(str(style.type_name(enum.names)), names) or (
            keyword_reason(tag) and "it would be enum %s, %s" % (tag, keyword_reason(tag))
        )
        if reason:
            yield "%s: %s; rename the enum%s" % (where, reason, package)
        for name, _ in enum.values:
            reason = global_reason(str(style.enum_entry(name)), names)
            if reason:
                yield "%s: its value %s: %s; rename the value%s" % (
                    where,
                    style.enum_entry(name),
                    reason,
                    package,
                )


def taken_names(sources):
    """{name in C: whose it is} of all messages and enums, and of the files' descriptors."""
    taken = {}
    for source in sources:
        taken[object_name(source.desc.name)] = "the descriptor of %s" % source.desc.name
        for name, whose in source.globals():
            taken[name] = whose
        for message in source.parsed.messages:
            for form in ("%s_msg", "%s_fields", "%s_size", "%s_init_zero", "%s_init_default"):
                taken[form % source.style.type_name(message.name)] = "message %s" % message.name
    return taken


def check_names(services, sources, own):
    """Two things that would have one name in C, and what is not ours to name.

    Names of messages are nanopb's to check.
    """
    taken = taken_names(sources)
    for source in sources:
        descriptor = object_name(source.desc.name)
        whose = dict(source.globals()).get(descriptor)
        if whose:
            yield "%s: its descriptor would be %s in C, as is %s; rename one" % (
                source.desc.name,
                descriptor,
                whose,
            )
    for service in services:
        where = service.source.desc.name
        for name, owner, role in service.identifiers():
            reason = global_reason(name, own[0])
            if name in taken:
                yield "%s: %s: its %s would be %s in C, as is that of %s; rename one" % (
                    where,
                    owner,
                    role,
                    name,
                    taken[name],
                )
            elif reason and name.startswith("nrpc_"):
                yield (
                    "%s: %s: names beginning with nrpc_ are the library's own; rename the package or the service"
                    % (where, owner)
                )
            elif reason:
                yield "%s: %s: its %s would be %s in C, %s; rename one of its parts" % (
                    where,
                    owner,
                    role,
                    name,
                    reason,
                )
            taken.setdefault(name, owner)
    for service in services:  # in C++ a type may not have the tag of another, nor a macro's name
        for name, owner, role in service.tags():
            if taken.get(name, "").split()[:1] in (["message"], ["enum"]):
                yield "%s: %s: its %s would be %s in C, as is that of %s; rename one" % (
                    service.source.desc.name,
                    owner,
                    role,
                    name,
                    taken[name],
                )


def check_table(service):
    where = "%s: %s: " % (service.source.desc.name, service.name)
    if len(service.methods) > METHODS_MAX:
        return [where + "%d methods; a service may have %d" % (len(service.methods), METHODS_MAX)]
    return [
        where
        + "methods %s and %s begin with the same %d characters; %d may be shared"
        % (before.name, method.name, n, PREFIX_MAX)
        for before, method, n in shared_prefixes(service.methods)
        if n > PREFIX_MAX
    ]


def all_problems(messages, services, sources, generated, own):
    """Of all that is generated now, or that it needs.

    sources: by name; generated: names of .proto files; own: see own_names.
    """
    chosen = [service for service in services if service.source.desc.name in generated]
    methods = [method for service in chosen for method in service.methods]
    checker, problems = Checker(messages), []
    for method in methods:
        where = "%s.%s" % (method.service.name, method.name)
        for _, message in method.sides():
            if google_reason(message):
                file = method.service.source.desc.name
                problems.append("%s: %s: %s" % (file, where, google_reason(message)))
            else:
                checker.check(message, where)
    problems += checker.problems()
    problems += [text for service in chosen for text in check_table(service)]
    problems += [text for method in methods for text in check_streamed(method)]
    reached = {messages[name].source.desc.name for name in checker.done}
    for source in sources.values():
        if source.desc.name in generated or source.desc.name in reached:
            problems += check_file(source, messages, own)
    return problems + list(check_names(services, sources.values(), own))
