# tests/cmake/test_cmake.py - CMake projects: nanorpc installed, in C++, as firmware; what is said when it goes wrong.
# Layer: tests. Source: docs/cmake.md, whose own project tests/readme builds and calls.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import shutil
import subprocess
import sys

import children
import grpc
import pytest

from conftest import ROOT
from targets import emulator, free_port

HERE = os.path.join(ROOT, "tests", "cmake")
THIRD = os.path.join(ROOT, "build", "third")
GIVEN = [
    "-DNANORPC_PYTHON=" + sys.executable,
    "-DNANOPB_DIR=" + os.path.join(THIRD, "nanopb"),
]
PROTO = """syntax = "proto3";
service Thermometer { rpc Read(ReadRequest) returns (Reading); }
message ReadRequest { string sensor = 1; }
message Reading { sint32 millidegrees = 1; }
"""
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in ("NANOPB_DIR", "PYTHONPATH")
}


def run(*command, cwd, fails=False):
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def lay_out(folder, name, protos="."):
    """A copy of a project of this folder, with the service's files."""
    shutil.copytree(os.path.join(HERE, name), folder, dirs_exist_ok=True)
    (folder / protos).mkdir(exist_ok=True)
    (folder / protos / "thermometer.proto").write_text(PROTO)
    (folder / protos / "thermometer.options").write_text("ReadRequest.sensor max_length:16\n")
    return folder


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "-S", ROOT, "-B", "b", "--install-prefix", folder / "p", cwd=folder)
    run("cmake", "--install", "b", cwd=folder)
    return folder / "p"


def read(port):
    """A greeting of the thermometer, as a client that has nothing generated."""
    with grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
        call = channel.unary_unary("/Thermometer/Read")
        return call(b"\x0a\x04case", timeout=60, wait_for_ready=True)


ANSWER = b"\x08\xf8\xcf\x02"  # sint32 21500


def started(command, ready):
    process = subprocess.Popen(
        children.tied(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if re.search(ready, line):
            return process
    raise AssertionError("".join(said))


def configured(folder, prefix, *words, fails=False):
    with open(os.path.join(ROOT, "nanorpc", "version.h"), encoding="utf-8") as file:
        numbers = re.findall(r"^#define NRPC_VERSION_M\w+ (\d+)$", file.read(), re.M)
    words = ["-DVERSION=" + ".".join(numbers), "-DCMAKE_PREFIX_PATH=%s" % prefix, *GIVEN, *words]
    return run("cmake", "-G", "Ninja", "-B", "b", *words, cwd=folder, fails=fails)


def test_installed(prefix, tmp_path):
    """find_package, Ninja, C and C++, a library beside; the program answers. A change of bounds is seen."""
    folder = lay_out(tmp_path, "installed", "protos")
    configured(folder, prefix, "-DSTREAMS_OF_NAMES=8")
    run("cmake", "--build", "b", cwd=folder)
    port = free_port()
    process = started([folder / "b" / "program", port], "^ready: OK$")
    try:
        assert read(port) == ANSWER
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "no work to do" in run("cmake", "--build", "b", cwd=folder)
    (folder / "protos" / "thermometer.options").write_text("ReadRequest.sensor max_length:30\n")
    run("cmake", "--build", "b", cwd=folder)
    assert "sensor[31]" in (folder / "b/nanorpc-program/thermometer.pb.h").read_text()
    (folder / "protos" / "thermometer.options").write_text("")
    said = run("cmake", "--build", "b", cwd=folder, fails=True)
    assert "ReadRequest.sensor: unbounded string" in said


def test_settings_that_differ_do_not_link(prefix, tmp_path):
    folder = lay_out(tmp_path, "installed", "protos")
    configured(folder, prefix, "-DSTREAMS_OF_NAMES=4")
    said = run("cmake", "--build", "b", cwd=folder, fails=True)
    assert "nrpc_built_with_NRPC_MAX_STREAMS_4" in said


def test_missing_handlers_are_named(prefix, tmp_path):
    folder = lay_out(tmp_path, "installed", "protos")
    (folder / "handlers.c").write_text(
        '#include "thermometer.nrpc.h"\nNRPC_SERVER_DEFINE(server, 2, Thermometer_service);\n'
    )
    configured(folder, prefix, "-DSTREAMS_OF_NAMES=8", "-DREQUIRE=REQUIRE_HANDLERS")
    said = run("cmake", "--build", "b", cwd=folder, fails=True)
    assert "undefined reference to `Thermometer_Read'" in said


def test_firmware(tmp_path):
    """Cross-built with a toolchain file, booted in QEMU and called."""
    folder = lay_out(tmp_path, "firmware")
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        (main,) = re.findall(r"<!-- file: main\.c.*?```c\n(.*?)```", file.read(), re.S)
    (folder / "main.c").write_text(main)
    run(
        *("cmake", "-B", "b", "--toolchain", "arm.cmake", "-DNANORPC=" + ROOT, *GIVEN),
        *("-DLWIP_DIR=" + os.path.join(THIRD, "lwip"),),
        cwd=folder,
    )
    run("cmake", "--build", "b", "--parallel", "2", cwd=folder)
    port = free_port()
    command = emulator("mps2_an385", port, str(folder / "b" / "firmware"))
    process = subprocess.Popen(children.tied(command), stdout=subprocess.DEVNULL)
    try:
        assert read(port) == ANSWER
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "text, words, says",
    [
        ("", ["-DNANOPB_DIR=/nowhere"], "NANOPB_DIR=/nowhere: there is no pb_encode.c in it"),
        ("nanorpc_generate(TARGET app)", [], r"nanorpc_generate\(TARGET app PROTOS a.proto"),
        ("nanorpc_generate(TARGET b PROTOS thermometer.proto)", [], "there is no target b yet"),
        ("nanorpc_generate(TARGET app PROTOS none.proto)", [], "there is no file .*/none.proto"),
        (
            "nanorpc_generate(TARGET app PROTOS thermometer.proto)",
            ["-DNANORPC_PYTHON=/bin/false"],
            "CMake Error",
        ),
    ],
)
def test_errors(tmp_path, text, words, says):
    folder = lay_out(tmp_path, "firmware")
    (folder / "app.c").write_text("int main(void) { return 0; }\n")
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(errors C)\n"
        "add_subdirectory(%s nanorpc)\nadd_executable(app app.c)\n%s\n" % (ROOT, text)
    )
    said = run("cmake", "-B", "b", *GIVEN, *words, cwd=folder, fails=True)
    assert re.search(says, re.sub(r"\s+", " ", said)), said
