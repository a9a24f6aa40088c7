# proto/nanorpc_generator/checking.py - what is wrong with the services and messages of a request.
# Layer: generator, runs on the host. Source: nanopb's options; nanorpc/hpack/nrpc_match.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: services and messages as reading.py has them. Gives: lines of text for the user, each with the place, what is wrong
with it, and what to do; none: all can be written."""
from .reading import STREAMED_DEPTH, STREAMED_MIN, shared_prefixes

C_KEYWORDS = frozenset("""auto break case char const continue default do double else enum extern
    float for goto if inline int long register restrict return short signed sizeof static struct
    switch typedef union unsigned void volatile while bool true false""".split())
METHODS_MAX = 255  # nrpc_match's ordinals are one byte, 255 is no match
PREFIX_MAX = 126   # 0x80 | 127 closes the list


class Checker:
    """Collects all that is wrong with the messages that a service can reach."""

    def __init__(self, messages):
        self.messages = messages
        self.open, self.done, self.recursive = [], set(), set()
        self.found = []  # (message, text, whether recursion alone explains it)

    def problems(self):
        return [text for message, text, explained in self.found
                if not (explained and message.full_name in self.recursive)]

    def add(self, message, field, text, explained=False):
        source = message.source
        where = "%s: %s.%s: " % (source.desc.name, message.full_name[1:], field)
        hint = "" if source.has_options() else \
            " (no such file was found; --nanorpc_opt=-IDIR says where it is)"
        mask = ".".join((message.stored.name + field).parts)
        text = where + text % {"mask": mask, "file": source.options_name() + hint}
        self.found.append((message, text, explained))

    def check(self, message, wanted_by):
        if message.full_name in self.done:
            return
        self.done.add(message.full_name)
        if message.stored is None:
            self.found.append((message, "%s: %s: left out by skip_message or discard_deprecated, but %s "
                               "needs it" % (message.source.desc.name, message.full_name[1:], wanted_by), False))
            return
        if str(message.c_type()) in C_KEYWORDS:
            self.found.append((message, "%s: %s: a keyword of C; rename the message"
                               % (message.source.desc.name, message.full_name[1:]), False))
        self.open.append(message.full_name)
        described = {f.number: f for f in message.desc.field}
        for field in message.stored.all_fields():
            self.check_field(message, field, described.get(field.tag))
        for group in message.stored.oneofs.values():
            self.check_name(message, group)
        self.open.pop()

    def check_name(self, message, field):
        if message.source.style.var_name(field.name) in C_KEYWORDS:
            self.add(message, field.name, "a keyword of C; rename the field")

    def check_field(self, message, field, described):
        if described is None:
            self.add(message, field.name, "extensions have no largest size; give %(mask)s "
                     "type:FT_IGNORE in %(file)s")
            return
        self.check_name(message, field)
        inner = self.messages.get(described.type_name) if field.pbtype in ("MESSAGE", "MSG_W_CB") else None
        self.check_bounds(message, field, inner)
        if inner is None:
            return
        if inner.full_name in self.open:
            self.recursive.update(self.open[self.open.index(inner.full_name):])
            self.add(message, field.name, "recursive: messages inside themselves have no largest size; "
                     "change the message, or give %(mask)s type:FT_IGNORE in %(file)s")
        self.check(inner, "%s.%s" % (message.full_name[1:], field.name))

    def check_bounds(self, message, field, inner):
        is_map = inner is not None and inner.desc.options.map_entry
        is_array = field.rules in ("REPEATED", "FIXARRAY")
        kind = "map" if is_map else field.pbtype.lower() if field.pbtype in ("STRING", "BYTES") else "field"
        kind = "repeated " + kind if is_array and not is_map else kind
        missing = ["max_count"] if is_array and field.max_count is None else []
        if field.pbtype in ("STRING", "BYTES") and field.max_size is None:
            missing.append("max_size")
        if missing:
            self.add(message, field.name, "unbounded %s; give %%(mask)s a %s in %%(file)s"
                     % (kind, " and a ".join(missing)))
        elif field.is_streamed():
            if field.max_size < STREAMED_MIN:
                self.add(message, field.name, "a streamed field's max_size is the bytes received ahead: at least %d"
                         % STREAMED_MIN)
        elif field.allocation != "STATIC":
            self.add(message, field.name, "a %s field, which has no largest size; give %%(mask)s "
                     "type:FT_STATIC in %%(file)s" % field.allocation.lower(), explained=True)


def check_streamed(method):
    """What streamed fields cannot be."""
    for side, message in method.sides():
        where = "%s: %s.%s: its %s, %s: " % (method.service.source.desc.name, method.service.name, method.name, side,
                                             message.full_name[1:])
        ways = method.all_streamed[side]
        names = [".".join(field.name for field in way) for way in ways]
        if len(ways) > 1:
            yield where + "one streamed field is possible, not %s" % " and ".join(names)
        for way, name in zip(ways, names):
            if len(way) > STREAMED_DEPTH:
                yield where + "streamed field %s lies deeper than %d messages" % (name, STREAMED_DEPTH)
            for field in way:
                if field.rules in ("REPEATED", "FIXARRAY", "ONEOF"):
                    yield where + "streamed field %s is, or lies in, a %s field; it can only be in singular ones" \
                        % (name, "oneof" if field.rules == "ONEOF" else "repeated")


def check_names(services, sources):
    """Two things that would have one name in C. Names of messages are nanopb's to check."""
    taken, problems = {}, []
    for source in sources:
        for message in source.parsed.messages:
            for form in ("%s", "%s_msg", "%s_fields", "%s_size", "%s_init_zero", "%s_init_default"):
                taken[form % source.style.type_name(message.name)] = "message %s" % message.name
        for enum in source.parsed.enums:
            for name in [enum.names] + [name for name, _ in enum.values]:
                taken[str(name)] = "enum %s" % enum.names
    for service in services:
        for name, owner, role in service.identifiers():
            where = "%s: %s: " % (service.source.desc.name, owner)
            if name in taken:
                problems.append(where + "its %s would be %s in C, as is that of %s; rename one"
                                % (role, name, taken[name]))
            elif name.startswith("nrpc_"):
                problems.append(where + "names beginning with nrpc_ are the library's own; rename the "
                                "package or the service")
            taken.setdefault(name, owner)
    return problems


def check_table(service):
    where = "%s: %s: " % (service.source.desc.name, service.name)
    if len(service.methods) > METHODS_MAX:
        return [where + "%d methods; a service may have %d" % (len(service.methods), METHODS_MAX)]
    return [where + "methods %s and %s begin with the same %d characters; %d may be shared"
            % (before.name, method.name, n, PREFIX_MAX)
            for before, method, n in shared_prefixes(service.methods) if n > PREFIX_MAX]


def all_problems(messages, services, sources, generated):
    """Of all that is generated now, or that it needs. generated: names of .proto files."""
    chosen = [service for service in services if service.source.desc.name in generated]
    methods = [method for service in chosen for method in service.methods]
    checker = Checker(messages)
    for method in methods:
        for message in (method.request, method.reply):
            checker.check(message, "%s.%s" % (method.service.name, method.name))
    problems = checker.problems() + [text for service in chosen for text in check_table(service)]
    problems += [text for method in methods for text in check_streamed(method)]
    return problems + check_names(services, sources)
