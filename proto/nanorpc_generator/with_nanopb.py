# proto/nanorpc_generator/with_nanopb.py - nanopb's generator: found, imported, and made to name what it refuses.
# Layer: generator, runs on the host. Source: nanopb's generator/nanopb_generator.py.
# SPDX-License-Identifier: Apache-2.0
"""Given: the environment's NANOPB_DIR, or build/third/nanopb of this project, or the package nanopb of PyPI; and the
plugin's parameter, which is read as nanopb reads its own. Gives: nanopb's generator as a module, and its options.
What is wrong is a Problem."""

import copy
import importlib.util
import os
import re
import shlex
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))


class Problem(Exception):
    """What is wrong with the input, as the user reads it."""


def nanopb_folder():
    """The one that nanopb_generator.py is in."""
    directory = os.environ.get("NANOPB_DIR") or os.path.join(
        HERE, "..", "..", "build", "third", "nanopb"
    )
    generator = os.path.abspath(os.path.join(directory, "generator"))
    installed = importlib.util.find_spec("nanopb")
    if not os.path.isfile(os.path.join(generator, "nanopb_generator.py")):
        if os.environ.get("NANOPB_DIR") or installed is None:
            sys.exit(
                "protoc-gen-nanorpc: no nanopb generator in %s: set NANOPB_DIR to nanopb's "
                "directory, or pip install nanopb" % generator
            )
        generator = os.path.join(installed.submodule_search_locations[0], "generator")
    return generator


def import_nanopb():
    """nanopb's generator, as a module."""
    sys.path.insert(0, nanopb_folder())
    # On a first use it runs protoc, for a nanopb_pb2.py that suits this Python, and tells at length
    # why; that is of interest only when it fails.
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 1)
        os.dup2(chatter.fileno(), 2)
        try:
            import nanopb_generator

            widen_enums(nanopb_generator)
            return nanopb_generator
        except BaseException:
            chatter.seek(0)
            os.write(stderr, chatter.read())
            raise
        finally:
            os.dup2(stderr, 1)
            os.dup2(stderr, 2)
            os.close(stderr)


# Where a compiler makes enums short, numbers that an enum does not have would not fit into it, and nanopb refuses
# negative ones where it has none. GCC and Clang know the attribute, for C and C++.
WIDE = "__attribute__((mode(SI))) "
ENUM_BYTES = 10  # a negative number


def widen_enums(nanopb):
    """Lets nanopb make enums of 32 bits, whose numbers may all arrive; but for those whose size was chosen."""
    plain = nanopb.Enum.__str__

    def text(self):
        name = str(nanopb.Globals.naming_style.enum_name(self.names))
        definition = "typedef enum "
        if self.packed or self.options.HasField("enum_intsize"):
            return plain(self)
        return plain(self).replace(definition + name, definition + WIDE + name, 1)

    nanopb.Enum.__str__ = text
    nanopb.Enum.has_negative = lambda self: True
    nanopb.Enum.encoded_size = lambda self: ENUM_BYTES


def own_names(nanopb):
    """(names, macros) that nanopb's headers have; without them, none."""
    names, macros = set(), set()
    for header in ("pb.h", "pb_common.h", "pb_decode.h", "pb_encode.h"):
        path = os.path.join(
            os.path.dirname(os.path.dirname(os.path.abspath(nanopb.__file__))), header
        )
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            names.update(re.findall(r"\b(?:pb|PB)_\w+", text))
            macros.update(re.findall(r"^\s*#\s*define\s+(PB_\w+)(?!\w|\()", text, re.M))
    return names, macros


def name_field_errors(nanopb, lenient=True):
    """nanopb's exceptions about a field name only the field; lets them name its message too.

    lenient: FT_STATIC without a bound raises one; with FT_DEFAULT it is found with all the others.
    """
    plain = nanopb.Field

    class NamedField(plain):
        def __init__(self, struct_name, desc, field_options, *rest, **named):
            where = "%s.%s: " % (".".join(struct_name.parts), desc.name)
            if lenient and field_options.type == nanopb.nanopb_pb2.FT_STATIC:
                field_options.type = nanopb.nanopb_pb2.FT_DEFAULT
            if desc.type == desc.TYPE_GROUP:
                raise Problem(
                    where + "a group, which nanopb does not know; make it a message in a message"
                )
            try:
                plain.__init__(
                    self, struct_name, desc, field_options, *rest, **named
                )  # self: also an extension
            except Exception as error:
                raise Problem(where + str(error))

    nanopb.Field = NamedField


def know_streamed_fields(nanopb):
    """After name_field_errors: nanopb knows nothing of them, here type:FT_CALLBACK and max_size mark one."""

    class StreamedField(nanopb.Field):
        def is_streamed(self):
            return (
                self.allocation == "CALLBACK"
                and self.pbtype in ("STRING", "BYTES")
                and self.callback_datatype == "pb_callback_t"
                and self.max_size is not None
                and self.rules not in ("REPEATED", "FIXARRAY")
            )

        def encoded_size(self, dependencies):
            if not self.is_streamed():
                return super().encoded_size(dependencies)
            return nanopb.EncodedSize(nanopb.varint_max_size(self.tag << 3) + 5 + self.max_size)

    nanopb.Field = StreamedField


def skip_extensions(nanopb):
    """proto2: extensions that a message may have are fields that the device does not know, and are skipped, unless
    an .options file says another type."""
    load_fields = nanopb.Message.load_fields

    def load_some(message, desc, message_options):
        load_fields(message, desc, message_options)
        options = nanopb.get_nanopb_suboptions(desc, message_options, message.name + "extensions")
        if options.type == nanopb.nanopb_pb2.FT_DEFAULT:
            message.fields = [f for f in message.fields if not isinstance(f, nanopb.ExtensionRange)]

    nanopb.Message.load_fields = load_some


def bound_google(nanopb):
    """Google's own files have bounds in google/protobuf/ beside this; a user's .options come after them."""
    parse_file, read_options_file = nanopb.parse_file, nanopb.read_options_file

    def read_both(ours, file):
        found = []
        if not os.path.isfile(file.name) or not os.path.samefile(ours, file.name):
            with open(ours, encoding="utf-8") as other:
                found = read_options_file(other)
        return found + read_options_file(file)

    def parse_bounded(filename, desc, options):
        ours = os.path.join(HERE, os.path.splitext(filename)[0] + ".options")
        if not (filename.startswith("google/protobuf/") and os.path.isfile(ours)):
            return parse_file(filename, desc, options)
        options = copy.copy(options)
        options.options_path = [*options.options_path, HERE]
        nanopb.read_options_file = lambda file: read_both(ours, file)
        try:
            return parse_file(filename, desc, options)
        finally:
            nanopb.read_options_file = read_options_file

    nanopb.parse_file = parse_bounded


def add_own_parameters(parser):
    """Both plugins take them, so that both can be given the same; protoc-gen-nanorpc does what they say."""
    parser.add_option("--require-handlers", action="store_true", default=False)
    parser.add_option("--template", metavar="DIR")
    parser.add_option("--messages", action="store_true", default=False)
    parser.add_option("--no-imports", action="store_true", default=False)


def parse_parameter(nanopb, text, usage):
    """The plugin's parameter, read just as nanopb reads its own. usage: what --help prints."""
    if "," not in text and " -" in text:
        arguments = shlex.split(text)
    else:
        lex = shlex.shlex(text)
        lex.whitespace_split, lex.whitespace, lex.commenters = True, ",", ""
        arguments = list(lex)
    if "-h" in arguments or "--help" in arguments:
        raise Problem("help\n" + usage)

    def refuse(reason):
        raise Problem(
            "parameter `%s`: %s; the parameters are those of protoc-gen-nanopb" % (text, reason)
        )

    add_own_parameters(nanopb.optparser)
    nanopb.optparser.error = refuse
    options, rest = nanopb.process_cmdline(arguments, is_plugin=True)
    if rest:
        refuse("what is `%s`?" % rest[0])
    return options
