# proto/nanorpc_generator/descriptors.py - NAME.desc.c: a file as server reflection gives it out.
# Layer: generator, runs on the host. Source: google/protobuf/descriptor.proto.
# SPDX-License-Identifier: Apache-2.0
"""Given: the descriptors of all files of a request. Gives: the text of a C file with one of them and all that it
imports, without what a client does not need to make and to read messages: comments, custom options, options for other
languages' generators, names that follow from others, and the imports that were there for these only."""

import re

from .names import object_name

# What only other generators read: as many bytes as the messages themselves, in the usual file.
FOREIGN = frozenset(
    """java_package java_outer_classname java_multiple_files java_generate_equals_and_hash
    java_string_check_utf8 optimize_for go_package cc_generic_services java_generic_services
    py_generic_services cc_enable_arenas objc_class_prefix csharp_namespace swift_prefix php_class_prefix
    php_namespace php_metadata_namespace ruby_package""".split()
)
WIDTH = 100


def json_name(name):
    """What protoc makes of a field's name."""
    return re.sub("_+(.?)", lambda match: match.group(1).upper(), name)


def is_option(extension):
    return re.fullmatch(r"\.google\.protobuf\.\w+Options", extension.extendee) is not None


def strip_options(holder):
    if not holder.HasField("options"):
        return
    options = holder.options
    for field, _ in options.ListFields():
        if field.is_extension or field.name in FOREIGN:
            options.ClearExtension(field) if field.is_extension else options.ClearField(field.name)
    options.DiscardUnknownFields()
    if not options.ListFields():
        holder.ClearField("options")


def strip_extensions(holder):
    kept = [extension for extension in holder.extension if not is_option(extension)]
    del holder.extension[:]
    holder.extension.extend(kept)


def walk_messages(messages):
    for message in messages:
        yield message
        yield from walk_messages(message.nested_type)


def holders(desc):
    """All that can have options, below a file."""

    def fields(holder, field_name):
        for field in list(getattr(holder, field_name)) + list(holder.extension):
            yield field

    messages = list(walk_messages(desc.message_type))
    for message in messages:
        yield message
        yield from fields(message, "field")
        yield from message.oneof_decl
        yield from message.extension_range
    yield from desc.extension
    for enum in list(desc.enum_type) + [e for m in messages for e in m.enum_type]:
        yield enum
        yield from enum.value
    for service in desc.service:
        yield service
        yield from service.method


def references(desc):
    """Full names of the types that a file uses."""
    messages = list(walk_messages(desc.message_type))
    for field in [f for m in messages for f in list(m.field) + list(m.extension)] + list(
        desc.extension
    ):
        yield from (field.type_name, field.extendee)
    for method in (m for s in desc.service for m in s.method):
        yield from (method.input_type, method.output_type)


class Files:
    """The descriptors of a run, stripped."""

    def __init__(self, descs):
        self.whole = {desc.name: desc for desc in descs}
        self.home = {}  # full name of a type: its file
        for desc in descs:
            package = "." + desc.package if desc.package else ""
            self.home.update((name, desc.name) for name in self.types(desc, package))
        self.stripped = {desc.name: self.strip(desc) for desc in descs}

    def types(self, holder, prefix):
        messages = holder.message_type if hasattr(holder, "message_type") else holder.nested_type
        for message in messages:
            yield "%s.%s" % (prefix, message.name)
            yield from self.types(message, "%s.%s" % (prefix, message.name))
        for enum in holder.enum_type:
            yield "%s.%s" % (prefix, enum.name)

    def types_of(self, desc):
        """Full names of the types that a file uses."""
        return references(desc)

    def brings_options(self, name):
        """Does this file have custom options?"""
        desc = self.whole[name]
        holders_of_them = [desc, *walk_messages(desc.message_type)]
        return any(is_option(e) for holder in holders_of_them for e in holder.extension)

    def shown_by(self, name):
        """The files whose types an import of `name` makes known."""
        desc = self.whole[name]
        found = {name}
        for index in desc.public_dependency:
            found |= self.shown_by(desc.dependency[index])
        return found

    def strip(self, desc):
        whole, desc = desc, type(desc).FromString(desc.SerializeToString())
        desc.ClearField("source_code_info")
        for message in walk_messages(desc.message_type):
            strip_extensions(message)
        strip_extensions(desc)
        strip_options(desc)
        for holder in holders(desc):
            strip_options(holder)
            if holder.DESCRIPTOR.name == "FieldDescriptorProto" and holder.json_name == json_name(
                holder.name
            ):
                holder.ClearField("json_name")
        used = {self.home[name] for name in references(desc) if name in self.home}
        public = {whole.dependency[index] for index in whole.public_dependency}
        for field in ("dependency", "public_dependency", "weak_dependency", "option_dependency"):
            if field in desc.DESCRIPTOR.fields_by_name:
                desc.ClearField(field)
        for name in whole.dependency:
            if name in public or self.shown_by(name) & used:
                if name in public:
                    desc.public_dependency.append(len(desc.dependency))
                desc.dependency.append(name)
        return desc

    def imports(self, name):
        """All that a file imports, directly or not, in one order."""
        found, waiting = [], list(self.stripped[name].dependency)
        while waiting:
            first = waiting.pop(0)
            if first not in found:
                found.append(first)
                waiting += self.stripped[first].dependency
        return found

    def code_file(self, name):
        c, data = object_name(name), self.stripped[name].SerializeToString(deterministic=True)
        imports = self.imports(name)
        yield "/* %s */\nstatic const uint8_t %s_bytes[] = {\n" % (name, c)
        line = "   "
        for byte in data:
            if len(line) > WIDTH - 5:
                yield line + "\n"
                line = "   "
            line += " %d," % byte
        yield line + "\n};\n"
        if imports:
            yield "static const struct nrpc_file *const %s_imports[] = {\n" % c
            yield ",\n".join("    &" + object_name(other) for other in imports) + "\n};\n"
        yield "NRPC_FILE_SHARED const struct nrpc_file %s = {\n" % c
        yield "    .descriptor = %s_bytes,\n" % c
        if imports:
            yield "    .imports = %s_imports,\n" % c
        yield "    .bytes = sizeof %s_bytes,\n    .n_imports = %d\n};\n\n" % (c, len(imports))

    def code(self, name, own_name):
        """The text of NAME.desc.c: the file and all that it imports. So each stands alone; where
        several in one program hold the same file, the linker keeps one."""
        everything = [name] + self.imports(name)
        yield "/* %s - %s and what it imports, as server reflection gives them out.\n" % (
            own_name,
            name,
        )
        yield " * Layer: application. Source: written by protoc-gen-nanorpc, do not edit. */\n"
        yield '#include "nanorpc/services/reflection.h"\n\n'
        for other in everything:
            yield "extern const struct nrpc_file %s;\n" % object_name(other)
        yield "\n"
        for other in everything:
            yield from self.code_file(other)
