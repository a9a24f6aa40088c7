# proto/nanorpc_generator/text.py - what all generated files have in common: names, includes, comments.
# Layer: generator, runs on the host. Source: nanopb's options.
# SPDX-License-Identifier: Apache-2.0
"""Given: a Source and its options. Gives: the names of the files written for it, and pieces of their text."""

import os
import textwrap

KIND_TITLES = ("Unary", "Client streaming", "Server streaming", "Bidirectional")


def comment(text):
    """text: paragraphs, as one C comment of lines of 100 characters."""
    lines = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, 94, break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
    return (
        "/* "
        + "\n".join((" * " + line).rstrip() if i else line for i, line in enumerate(lines))
        + " */\n"
    )


def file_names(source):
    """(.nrpc.h, .nrpc.c, the name by which .nrpc.h is included, likewise .pb.h)."""
    options = source.options
    header, code = (
        source.stem + ".nrpc" + e for e in (options.header_extension, options.source_extension)
    )
    messages = source.stem + options.extension + options.header_extension
    if options.strip_path:
        return header, code, os.path.basename(header), os.path.basename(messages)
    return header, code, header, messages


def descriptor_name(source):
    return source.stem + ".desc" + source.options.source_extension


def client_names(source):
    """(.client.h, .client.c, the name by which .client.h is included)."""
    return [".client".join(name.rsplit(".nrpc", 1)) for name in file_names(source)[:3]]


def included_messages(source, services):
    """The headers with the messages of these services."""
    messages = file_names(source)[3]
    imported = {
        m.source.desc.name: file_names(m.source)[3]
        for s in services
        for side in ("request", "reply")
        for m in s.distinct(side)
        if m.source is not source
    }
    excluded = source.options.exclude + list(source.parsed.file_options.exclude)
    return [messages] + sorted(h for proto, h in imported.items() if proto not in excluded)


# Source.local knows of the messages that a file imports. A program's file may include others before the header.
BEGIN_QUIET = """/* A parameter may have the name of a message of another file, which is of no use here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

"""
END_QUIET = "#pragma GCC diagnostic pop\n\n"
