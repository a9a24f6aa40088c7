# proto/nanorpc_generator/messages.py - NAME.pb.h and NAME.pb.c: nanopb's own text, fit for every path and number.
# Layer: generator, runs on the host. Source: nanopb's generator/nanopb_generator.py, pb.h.
# SPDX-License-Identifier: Apache-2.0
"""Given: a file's descriptor and nanopb's generator. Gives: the two files that nanopb writes for it, with an include
guard that no other file has, and with what must be known of numbers over 65535. And, for files of services, Google's
messages once more, so that a program need not link their own files."""

import contextlib
import io
import re

from .names import escaped, guard
from .text import file_names
from .with_nanopb import Problem

NUMBER_MAX = 65535  # of a field, in nanopb's pb_size_t without PB_FIELD_32BIT
PLAIN = re.compile("[a-z][a-z0-9_/]*")  # stems whose names in C need nothing


def nanopb_symbol(source):
    """What nanopb calls a file in macros."""
    package = source.desc.package + "_" if source.desc.package else ""
    name = file_names(source)[3]
    return "".join(c if c.isalnum() else "_" for c in (package + name).upper())


def own_symbol(source):
    """The same, where it can be a macro and is no other file's; for other files what nanopb says."""
    if PLAIN.fullmatch(source.stem):
        return nanopb_symbol(source)
    package = escaped(source.desc.package, "[a-z]") + "_" if source.desc.package else "X"
    return (package + escaped("/" + source.stem, "[a-z]") + "_PB_H").upper()


def needs_32_bits(sources):
    """What stops a compiler at once where a field's number would not fit."""
    for source in sources:
        fields = [
            (field.tag, "%s.%s" % (".".join(message.name.parts), field.name))
            for message in source.parsed.messages
            for field in message.all_fields()
        ]
        fields += [(e.tag, ".".join(e.fullname.parts)) for e in source.parsed.extensions]
        number, name = max(fields, default=(0, ""))
        if number > NUMBER_MAX:
            yield (
                '#ifndef PB_FIELD_32BIT\n#error "%s: %s has the number %d: numbers over %d need -DPB_FIELD_32BIT=1, '
                'for all files, those of nanopb too"\n#endif\n'
                % (source.desc.name, name, number, NUMBER_MAX)
            )


def own_guards(sources):
    """Where headers of nanopb's own plugin, which are included together, would have one guard: then the second would
    be empty."""
    alike = {}
    for source in sources:
        if source.parsed.messages + source.parsed.enums:
            alike.setdefault(nanopb_symbol(source), []).append(source)
    for first, *others in alike.values():
        for source in [first, *others] if others else ():
            yield (
                "#ifndef %s\n#error \"%s: nanopb's own plugin gives this header and another one include guard: take "
                "nanorpc's proto/protoc-gen-nanopb\"\n#endif\n"
                % (guard(source.stem, "PB"), file_names(source)[3])
            )


def size_assertion(message, relation, macro, what):
    """That nanopb has seen the same bounds; on one line: glibc's C99 _Static_assert shows no text but the line."""
    text = "generate messages and %s together, the messages with proto/protoc-gen-nanopb of nanorpc"
    return 'NRPC_STATIC_ASSERT(%s %s %s, "%s: %s");\n' % (
        message.size_macro(),
        relation,
        macro,
        message.c_type(),
        text % what,
    )


def mended_header(text, source, shared):
    """shared: another file's header has the same symbol."""
    old, new = nanopb_symbol(source), own_symbol(source)
    its_guard = guard(source.stem, "PB")
    text = text.replace("PB_%s_INCLUDED" % old, its_guard)
    text = re.sub(
        r"^#define %s_MAX_SIZE +.*\n" % re.escape(old),
        lambda line: "" if shared else line.group().replace(old, new, 1),
        text,
        flags=re.M,
    )
    large = "".join(needs_32_bits([source]))
    return text.replace("#if PB_PROTO_HEADER_VERSION", large + "#if PB_PROTO_HEADER_VERSION", 1)


def message_files(nanopb, source, sources):
    """(name, text) of the header and of the C file."""
    parsed = {name: other.parsed for name, other in sources.items()}
    chatter = io.StringIO()
    try:
        with contextlib.redirect_stderr(chatter):
            made = nanopb.process_file(source.desc.name, source.desc, source.options, parsed)
    except SystemExit:  # nanopb's way to end after it has said what is wrong
        raise Problem(chatter.getvalue().strip())
    except Exception as error:
        raise Problem("%s: %s" % (source.desc.name, error))
    symbols = [own_symbol(other) for other in sources.values() if other.parsed.messages]
    shared = symbols.count(own_symbol(source)) > 1
    yield made["headername"], mended_header(made["headerdata"], source, shared)
    yield made["sourcename"], made["sourcedata"]


# --- Google's, once more ------------------------------------------------------------------------------

SHARED = "/* Google's messages that are used here. Where their own files are linked, too, one of each is taken. */\n"


def used_of_google(source, messages):
    """Messages of google/protobuf/ that a file needs, or one that it imports; sorted."""
    waiting = [side for m in source_methods(source) for side in (m.input_type, m.output_type)]
    for message in messages.values():
        if message.source in source.visible and not message.source.is_googles():
            waiting += message.stored_types()
    found = {}
    while waiting:
        message = messages.get(waiting.pop())
        if message and message.source.is_googles() and message.full_name not in found:
            found[message.full_name] = message
            waiting += message.stored_types()
    return [found[name] for name in sorted(found) if found[name].stored]


def source_methods(source):
    return [method for service in source.desc.service for method in service.method]


def shared_messages(source, messages):
    """Their definitions, of which any number of files in a program may have some."""
    for i, message in enumerate(used_of_google(source, messages)):
        yield "" if i else SHARED
        c = message.c_type()
        for form in (
            "uint32_t %s_field_info[]",
            "pb_msgdesc_t *const %s_submsg_info[]",
            "pb_msgdesc_t %s_msg",
        ):
            yield "extern const %s __attribute__((weak));\n" % (form % c)
        text = message.stored.fields_definition(message.source.parsed.dependencies)
        yield text.strip() + "\n\n"
