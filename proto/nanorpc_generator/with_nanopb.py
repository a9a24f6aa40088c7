# proto/nanorpc_generator/with_nanopb.py - nanopb's generator: found, imported, and made to name what it refuses.
# Layer: generator, runs on the host. Source: nanopb's generator/nanopb_generator.py.
# SPDX-License-Identifier: Apache-2.0
"""Given: the environment's NANOPB_DIR, or build/third/nanopb of this project; and the plugin's parameter, which is
read as nanopb reads its own. Gives: nanopb's generator as a module, and its options. What is wrong is a Problem."""

import os
import re
import shlex
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))


class Problem(Exception):
    """What is wrong with the input, as the user reads it."""


def import_nanopb():
    """nanopb's generator, as a module."""
    directory = os.environ.get("NANOPB_DIR") or os.path.join(
        HERE, "..", "..", "build", "third", "nanopb"
    )
    generator = os.path.abspath(os.path.join(directory, "generator"))
    if not os.path.isfile(os.path.join(generator, "nanopb_generator.py")):
        sys.exit(
            "protoc-gen-nanorpc: no nanopb generator in %s: set NANOPB_DIR to nanopb's "
            "directory" % generator
        )
    sys.path.insert(0, generator)
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


def name_field_errors(nanopb):
    """nanopb's exceptions about a field name only the field; lets them name its message too. And
    FT_STATIC without a bound raises one: with FT_DEFAULT it is found with all the others."""
    plain = nanopb.Field

    class NamedField(plain):
        def __init__(self, struct_name, desc, field_options, *rest, **named):
            if field_options.type == nanopb.nanopb_pb2.FT_STATIC:
                field_options.type = nanopb.nanopb_pb2.FT_DEFAULT
            try:
                plain.__init__(
                    self, struct_name, desc, field_options, *rest, **named
                )  # self: also an extension
            except NotImplementedError:
                raise Problem(
                    "%s.%s: nanopb does not know this type of field (a proto2 group?)"
                    % (".".join(struct_name.parts), desc.name)
                )
            except Exception as error:
                raise Problem("%s.%s: %s" % (".".join(struct_name.parts), desc.name, error))

        def is_streamed(self):
            """type:FT_CALLBACK and max_size: nanopb knows nothing of it, here it marks a streamed field."""
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

    nanopb.Field = NamedField


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

    nanopb.optparser.error = refuse
    options, rest = nanopb.process_cmdline(arguments, is_plugin=True)
    if rest:
        refuse("what is `%s`?" % rest[0])
    return options
