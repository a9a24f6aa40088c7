# proto/nanorpc_generator/preparing.py - what protoc sends, made into what nanopb and C can take.
# Layer: generator, runs on the host. Source: google/protobuf/descriptor.proto; protobuf's editions.
# SPDX-License-Identifier: Apache-2.0
"""Given: the descriptors of all files of a request. Gives: copies, as nanopb reads them: files of editions as the
proto3 files that mean the same; without custom options, and without imports that are there for these only. Both
plugins read these, so they agree. What reflection gives out comes from the originals (descriptors.py)."""

from .descriptors import is_option, walk_messages
from .with_nanopb import Problem

GOOGLE = "google/protobuf/"
# nanopb writes no include of these. Nothing in a device needs them.
NEVER_INCLUDED = ("nanopb.proto", GOOGLE + "descriptor.proto")
FIRST_EDITION, LAST_EDITION = 998, 1001  # EDITION_PROTO2 .. EDITION_2024, of descriptor.proto
IMPLICIT, LEGACY_REQUIRED, DELIMITED = 2, 3, 2  # of FeatureSet


def prepare(files, generated):
    """{name: descriptor} of the files of `generated`, and of what they need, out of a Files; in protoc's order."""
    prepared = {}
    for name, desc in files.whole.items():
        copy = type(desc).FromString(desc.SerializeToString())
        drop_option_extensions(copy)
        drop_imports(copy, desc, files)
        if copy.syntax == "editions":
            as_proto3(copy)
        prepared[name] = copy
    needed = with_imports(prepared, generated)
    return {name: desc for name, desc in prepared.items() if name in needed}


def with_imports(descs, names):
    """These files, and all that they import, directly or not."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in descs and name not in found:
            found.add(name)
            waiting += descs[name].dependency
    return found


def wanted_of_google(descs, generated):
    """Names of Google's files whose headers are included, and that protoc was not asked for: see main.py."""
    return [
        name
        for name in descs
        if name.startswith(GOOGLE) and name not in generated and name not in NEVER_INCLUDED
    ]


# --- Imports that only bring options ----------------------------------------------------------------


def drop_option_extensions(desc):
    """An extension of what protobuf itself is described with is an option: it is for other generators."""
    for holder in [desc, *walk_messages(desc.message_type)]:
        kept = [extension for extension in holder.extension if not is_option(extension)]
        del holder.extension[:]
        holder.extension.extend(kept)


def drop_imports(desc, whole, files):
    """Of what is imported, leaves out what is there for options alone: it has them, or is what they consist of."""
    used, before = ({files.home.get(name) for name in files.types_of(d)} for d in (desc, whole))
    public = {desc.dependency[index] for index in desc.public_dependency}

    def for_options(name):
        shown = files.shown_by(name)
        return name in NEVER_INCLUDED or shown & before or any(map(files.brings_options, shown))

    kept = [
        name
        for name in desc.dependency
        if name in public or files.shown_by(name) & used or not for_options(name)
    ]
    for field in ("dependency", "public_dependency", "weak_dependency"):
        desc.ClearField(field)
    desc.dependency.extend(kept)
    desc.public_dependency.extend(i for i, name in enumerate(kept) if name in public)


# --- Editions -------------------------------------------------------------------------------------------


def feature(name, default, *holders):
    """Of an edition: what the innermost of `holders` that says something says."""
    for holder in reversed(holders):
        features = holder.options.features if holder.HasField("options") else None
        if features is not None and features.HasField(name):
            return getattr(features, name)
    return default


def as_proto3(desc):
    """nanopb knows proto2 and proto3 only; an explicit presence is proto3's `optional`."""
    if not hasattr(type(desc), "edition"):
        raise Problem(
            "%s: a file of an edition, which this Python's protobuf does not know: install protobuf 5 or newer, "
            'or write syntax = "proto3"' % desc.name
        )
    desc.syntax = "proto3"
    for message, way in with_ways(desc.message_type, (desc,)):
        if not message.options.map_entry:
            for field in message.field:
                field_as_proto3(field, *way, message)
        for extension in message.extension:
            field_as_proto3(extension, *way, message)
    for extension in desc.extension:
        field_as_proto3(extension, desc)


def with_ways(messages, way):
    """(message, what it lies in from the file inwards)."""
    for message in messages:
        yield message, way
        yield from with_ways(message.nested_type, (*way, message))


def field_as_proto3(field, *way):
    if field.type == field.TYPE_MESSAGE:
        if feature("message_encoding", 0, *way, field) == DELIMITED:
            field.type = field.TYPE_GROUP
    if field.label != field.LABEL_OPTIONAL or field.HasField("oneof_index"):
        return
    presence = feature("field_presence", 1, *way, field)
    if presence == LEGACY_REQUIRED:
        field.label = field.LABEL_REQUIRED
    elif presence != IMPLICIT and field.type != field.TYPE_MESSAGE:
        field.proto3_optional = True
