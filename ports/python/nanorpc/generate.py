# ports/python/nanorpc/generate.py - .proto files become C: protoc, nanopb's generator and nanorpc's, in one step.
# Layer: port. Source: google/protobuf/compiler/plugin.proto.
# SPDX-License-Identifier: Apache-2.0
"""The plugin is a program that reads a CodeGeneratorRequest; so protoc only has to parse. Nothing is written unless
all could be generated, and a file that would be the same stays as it is: a build then has nothing to do."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Dict, Iterable, List, Optional

try:
    from google.protobuf import descriptor_pb2
    from google.protobuf.compiler import plugin_pb2
except ImportError:
    sys.exit("nanorpc: %s has no protobuf: pip install grpcio-tools nanopb" % sys.executable)

GOOGLE = "google/protobuf/"
HERE = os.path.dirname(os.path.abspath(__file__))


class GenerateError(Exception):
    """What was asked for cannot be generated; the text says what to do."""


def _generator_path() -> List[str]:
    """What Python's path needs beside its own to have nanorpc_generator: nothing, or the sources' folder."""
    sources = os.path.abspath(os.path.join(HERE, "..", "..", "..", "proto"))
    if os.path.isdir(os.path.join(sources, "nanorpc_generator")):
        return [sources]
    if importlib.util.find_spec("nanorpc_generator"):
        return []
    raise GenerateError("nanorpc_generator is not installed: pip install nanorpc")


def _own_includes() -> List[str]:
    """Folders that protoc finds Google's files in, and nanopb's."""
    found = []
    tools = importlib.util.find_spec("grpc_tools")
    if tools and tools.submodule_search_locations:
        found.append(os.path.join(tools.submodule_search_locations[0], "_proto"))
    nanopb = importlib.util.find_spec("nanopb")
    if os.environ.get("NANOPB_DIR"):
        found.append(os.path.join(os.environ["NANOPB_DIR"], "generator", "proto"))
    elif nanopb and nanopb.submodule_search_locations:
        found.append(os.path.join(nanopb.submodule_search_locations[0], "generator", "proto"))
    return [folder for folder in found if os.path.isdir(folder)]


def _protoc() -> List[str]:
    if importlib.util.find_spec("grpc_tools"):
        return [sys.executable, "-m", "grpc_tools.protoc"]
    if shutil.which("protoc"):
        return ["protoc"]
    raise GenerateError("there is no protoc: pip install grpcio-tools")


class Protos:
    """Some .proto files, and all that they import."""

    def __init__(self, files: Iterable[str], include: Iterable[str] = ()) -> None:
        """files: paths; include: folders that imports are looked for in, and that a file's name counts from. Those of
        the files themselves come last, where no other has them."""
        for folder in include:
            if not os.path.isdir(folder):
                raise GenerateError("-I %s: there is no such folder" % folder)
        self.include = [os.path.abspath(folder) for folder in include]
        paths = [os.path.abspath(file) for file in files]
        for path in paths:
            if not os.path.isfile(path):
                raise GenerateError("there is no file %s" % path)
            if not any(path.startswith(os.path.join(folder, "")) for folder in self.include):
                self.include.append(os.path.dirname(path))
        self.names = [self._name(path) for path in paths]
        self.set = self._parse()

    def _name(self, path: str) -> str:
        """As protoc calls it: from the first folder that it lies in."""
        for folder in self.include:
            if path.startswith(os.path.join(folder, "")):
                return os.path.relpath(path, folder)
        raise AssertionError(path)

    def _run(self, *words: str) -> None:
        folders = ["-I" + folder for folder in [*self.include, *_own_includes()]]
        done = subprocess.run(
            [*_protoc(), *folders, *words, *self.names], text=True, capture_output=True
        )
        if done.returncode:
            raise GenerateError(
                "protoc does not take %s; -I DIR says where imports are:\n%s"
                % (" ".join(self.names), done.stderr.strip())
            )

    def _parse(self) -> descriptor_pb2.FileDescriptorSet:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "set")
            self._run("--include_imports", "--include_source_info", "--descriptor_set_out=" + out)
            with open(out, "rb") as file:
                return descriptor_pb2.FileDescriptorSet.FromString(file.read())

    def path_of(self, name: str) -> Optional[str]:
        """Where a file of the set is; None: it is Google's own."""
        for folder in self.include:
            if os.path.isfile(os.path.join(folder, name)):
                return os.path.join(folder, name)
        return None

    def inputs(self) -> List[str]:
        """All .proto files that were read, and the .options files beside them."""
        found = []
        for file in self.set.file:
            path = self.path_of(file.name)
            if path:
                options = os.path.splitext(path)[0] + ".options"
                found += [path] + ([options] if os.path.isfile(options) else [])
        return found

    def write_python(self, out: str) -> None:
        """NAME_pb2.py and NAME_pb2_grpc.py of the files; without their imports."""
        os.makedirs(out, exist_ok=True)
        self._run("--python_out=" + out, "--grpc_python_out=" + out)


def _plugin(protos: Protos, names: List[str], words: List[str]) -> Dict[str, str]:
    """{name: text} of what the plugin makes of the files `names`."""
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=names)
    request.proto_file.extend(protos.set.file)
    request.parameter = ",".join(["-I" + folder for folder in protos.include] + words)
    path = [*_generator_path(), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-B", "-m", "nanorpc_generator"],
        input=request.SerializeToString(),
        capture_output=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(path)),
    )
    if done.returncode:
        raise GenerateError(done.stderr.decode("utf-8", "replace").strip())
    sys.stderr.write(done.stderr.decode("utf-8", "replace"))
    response = plugin_pb2.CodeGeneratorResponse.FromString(done.stdout)
    if response.error:
        raise GenerateError(response.error.strip())
    return {file.name: file.content for file in response.file}


def _needed(protos: Protos) -> List[str]:
    """The files, and those of their imports that C has something of; Google's come with who imports them."""
    sys.path[:0] = [folder for folder in _generator_path() if folder not in sys.path]
    from nanorpc_generator.descriptors import Files
    from nanorpc_generator.preparing import prepare

    descs = prepare(Files(protos.set.file), protos.names)
    return [name for name in descs if name in protos.names or not name.startswith(GOOGLE)]


def generate(protos: Protos, words: Iterable[str] = ()) -> Dict[str, str]:
    """{name: text} of all C files: of the files, of what they import, and of what that needs of Google's.

    words: parameters of the plugin, as --require-handlers. Raises GenerateError, with all that is wrong.
    """
    names, words = _needed(protos), list(words)
    made = _plugin(protos, names, words)
    made.update(_plugin(protos, names, [*words, "--messages"]))
    return made


def write(files: Dict[str, str], out: str) -> None:
    """Into the folder `out`, those that differ from what is there."""
    for name, text in files.items():
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                if file.read() == text:
                    continue
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)


# --- The command -------------------------------------------------------------------------------------------


def do_generate(options: Any) -> int:
    protos = Protos(options.files, options.include)
    words = ["--require-handlers"] * options.require_handlers
    if options.handlers:
        words.append("--template=" + os.path.abspath(options.handlers))
        os.makedirs(options.handlers, exist_ok=True)
    made = generate(protos, words)
    if options.list:
        print("\n".join(sorted(made)))
        return 0
    write(made, options.out)
    if options.python:
        protos.write_python(options.python)
    if options.descriptor_set:
        with open(options.descriptor_set, "wb") as file:
            file.write(protos.set.SerializeToString())
    if options.depfile:
        write_depfile(options.depfile, [os.path.join(options.out, name) for name in made], protos)
    return 0


def write_depfile(path: str, made: List[str], protos: Protos) -> None:
    """For make, Ninja and CMake: what the files were made of."""

    def escaped(name: str) -> str:
        return re.sub(r"([ #\\])", r"\\\1", name).replace("$", "$$")

    text = "%s: %s\n" % (
        " ".join(map(escaped, sorted(made))),
        " ".join(map(escaped, protos.inputs())),
    )
    write({os.path.basename(path): text}, os.path.dirname(os.path.abspath(path)))


def add_command(command: Any) -> None:
    """command: makes a subcommand, see cli.py."""
    made = command("generate", do_generate, "make C of .proto files: messages, services, clients")
    made.add_argument("files", nargs="+", metavar="FILE.proto", help="with its .options beside it")
    made.add_argument(
        "-I",
        dest="include",
        action="append",
        default=[],
        metavar="DIR",
        help="of imports, .options",
    )
    made.add_argument("--out", default=".", metavar="DIR", help="of the C files (this folder)")
    made.add_argument("--python", metavar="DIR", help="Python's files of the services as well")
    made.add_argument(
        "--handlers", metavar="DIR", help="NAME.handlers.c, to be filled in; not over one there"
    )
    made.add_argument(
        "--require-handlers",
        action="store_true",
        help="no handler may be left out: the linker says",
    )
    made.add_argument(
        "--descriptor-set", metavar="FILE", help="what protoc read, with imports: for proxies"
    )
    made.add_argument(
        "--depfile", metavar="FILE", help="what they were made of, for make and Ninja"
    )
    made.add_argument("--list", action="store_true", help="print the C files' names, write nothing")


def main(arguments: Optional[List[str]] = None) -> int:
    """This file as a program, where the package is not installed: of Python's packages it needs the generator's."""
    parser = argparse.ArgumentParser(prog="generate.py", allow_abbrev=False)
    add_command(lambda name, function, says: parser)
    options = parser.parse_args(arguments)
    try:
        return do_generate(options)
    except GenerateError as error:
        print("nanorpc: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose modules are the package's
    sys.exit(main())
