# tests/python/test_cli.py - the command nanorpc, against a device on a pty and servers of grpcio.
# Layer: tests. Source: docs/serial.md.
# SPDX-License-Identifier: Apache-2.0
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

import nanorpc
import served
from conftest import ROOT
from nanorpc import call, cli, port, schema
from served import board  # noqa: F401 (fixture)

PROTO = os.path.join(ROOT, "proto", "helloworld", "greeter.proto")


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command in this process: (status, stdout, stderr)."""

    def run(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        status = cli.main(list(arguments))
        return (status, *capsys.readouterr())

    return run


class Process:
    """`nanorpc` in a process of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", "nanorpc", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.said = {"stdout": b"", "stderr": b""}
        self.threads = [threading.Thread(target=self.read, args=(name,)) for name in self.said]
        for thread in self.threads:
            thread.start()

    def read(self, name):
        for line in getattr(self.process, name):
            self.said[name] += line

    def waits_for(self, name, pattern):
        end = time.monotonic() + 30
        while True:
            found = re.search(pattern, self.said[name])
            if found:
                return found
            assert time.monotonic() < end and self.process.poll() is None, self.said
            time.sleep(0.01)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(20)
        for thread in self.threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        return status


# --- call --------------------------------------------------------------------------------------------------


@pytest.fixture
def target(board):
    """The server behind the device, without the line."""
    return "unix:" + board.server_path


def test_call_over_the_line(run, board):
    """The three ways to name the method; the line is closed again."""
    for method in ("Greeter/SayHello", "served.Greeter/SayHello", "/served.Greeter/SayHello"):
        assert run("call", board.path, method, '{"name": "you"}') == (
            0,
            '{"message": "Hello, you!"}\n',
            "",
        )
    assert not board.device.links


@pytest.mark.parametrize(
    "method, given, replies",
    [
        ("SayHello", "{}", ["Hello, !"]),
        ("SayHello", '{"name": "\u00e4"}', ["Hello, \u00e4!"]),
        ("Replies", '{"name": "x"}', ["Hello, %d x!" % i for i in range(5)]),
        ("Requests", '{"name": "a"} {"name": "b"}\n{"name":"c"}', ["Hello, a and b and c!"]),
        ("Requests", "", ["Hello, !"]),
        ("Both", '{"name": "a"}{"name": "b"}', ["Hello, a!", "Hello, b!"]),
    ],
)
@pytest.mark.parametrize("how", ["argument", "stdin"])
def test_call(run, target, method, given, replies, how):
    words = [given] if how == "argument" else ["-"]
    status, out, error = run("call", target, "Greeter/" + method, *words, stdin=given)
    assert (status, error) == (0, "")
    assert [json.loads(line)["message"] for line in out.splitlines()] == replies


def test_call_metadata_and_timeout(run, target):
    assert "Hello, me!" in run("call", target, "Greeter/SayHello", "-H", "WHO: me")[1]
    status, out, error = run(
        "call", target, "Greeter/SayHello", '{"name": "sleeper"}', "--timeout", "0.2"
    )
    assert (
        (status, out) == (1, "") and error.startswith("DEADLINE_EXCEEDED") and "--timeout" in error
    )


def test_call_that_fails(run, target):
    """The status is on stderr; what came before it on stdout."""
    assert run("call", target, "Greeter/SayHello", '{"name": "nobody"}') == (
        1,
        "",
        "NOT_FOUND: nobody is here\n",
    )
    status, out, error = run("call", target, "Greeter/Replies", '{"name": "nobody"}')
    assert status == 1 and len(out.splitlines()) == 5 and error == "NOT_FOUND: nobody is here\n"


def test_stream_answers_as_it_goes(target):
    """A reply is there before the next request is."""
    process = Process("call", target, "Greeter/Both", "-")
    for name in (b"a", b"b"):
        process.process.stdin.write(b'{"name": "%s"}\n' % name)
        process.process.stdin.flush()
        process.waits_for("stdout", b"Hello, %s!" % name)
    process.process.stdin.close()
    assert process.process.wait(20) == 0
    process.end()


@pytest.mark.parametrize("proto", [False, True])
@pytest.mark.parametrize(
    "method, given, why",
    [
        ("Greeter/SayHello", "{", "no JSON"),
        ("Greeter/SayHello", '{"nam": 1}', "whose fields are: name"),
        ("Greeter/SayHello", "{} {}", "one request, not 2"),
        ("Greeter/SayHi", "{}", "there is no method SayHi; there are: [a-z]+.Greeter/SayHello"),
        ("Greeter", "{}", "which method"),
        ("Greet/SayHello", "{}", "there is no service Greet; there are: .*Greeter"),
    ],
)
def test_call_that_cannot_be_made(run, target, proto, method, given, why):
    words = ["--proto", PROTO] if proto else []
    status, out, error = run("call", target, method, given, *words)
    assert (status, out) == (1, "") and re.search(why, error), error


def test_stream_with_a_bad_request(run, target):
    status, out, error = run("call", target, "Greeter/Both", '{"name": "a"} {"nam": 1}')
    assert status == 1 and "whose fields are: name" in error and "Traceback" not in error
    assert out == "" and "cancelled" not in error  # the call was not begun


@pytest.mark.parametrize(
    "bad, why",
    [
        (b'{"nam": 1}', "whose fields are: name"),
        (b'{"name": }', "no JSON: Expecting value: {"),
        (b"you", "no JSON: Expecting value: you"),
    ],
)
def test_stream_with_a_bad_line(target, bad, why):
    """It is named at once, with its line, behind the replies that were there; nothing more is read."""
    process = Process("call", target, "Greeter/Both", "-")
    process.process.stdin.write(b'\n{"name":\n "a"}\n')
    process.process.stdin.flush()
    process.waits_for("stdout", b"Hello, a!")
    process.process.stdin.write(b"\n%s\n" % bad)
    process.process.stdin.flush()
    assert process.process.wait(20) == 1  # with its stdin still open
    process.end()
    error = process.said["stderr"].decode()
    assert process.said["stdout"].count(b"\n") == 1
    assert error.startswith("nanorpc: line 5: the request ") and why in error
    assert "the call was cancelled after 1 request, replies may be missing" in error


def test_targets(run, target, tmp_path):
    for where, why in (
        ("device", "a target is HOST:PORT"),
        ("127.0.0.1:1", "UNAVAILABLE.*\n.*listening at 127.0.0.1:1"),
        (str(tmp_path / "none"), "there is no port"),
    ):
        status, out, error = run("call", where, "Greeter/SayHello")
        assert (status, out) == (1, "") and re.search(why, error), error
    assert "KEY:VALUE" in run("call", target, "Greeter/SayHello", "-H", "nothing")[2]


def test_device_that_serves_nothing(run, board):
    """The line is there, and nobody answers: what to look at is said."""
    board.is_plugged = False
    board.thread.join()  # it prints nothing, hears nothing
    status, _, error = run("call", board.path, "Greeter/SayHello", "--timeout", "20")
    board.is_plugged = True
    board.thread = threading.Thread(target=board.serve, daemon=True)
    board.thread.start()
    assert status == 1 and "UNAVAILABLE" in error and "nanorpc monitor" in error
    assert "does its firmware serve gRPC" in error, error


# --- Schemas -----------------------------------------------------------------------------------------------


def plain_server(folder, *services):
    """A server with the handlers alone, and with what `services` add."""
    server = grpc.server(served.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(served.handlers("helloworld.Greeter"))
    for add in services:
        add(server)
    server.add_insecure_port("unix:%s" % (folder / "plain"))
    server.start()
    return server, "unix:%s" % (folder / "plain")


def test_without_reflection(run, tmp_path):
    server, target = plain_server(tmp_path)
    try:
        status, _, error = run("call", target, "Greeter/SayHello")
        assert status == 1 and "--proto FILE" in error
        for method in ("Greeter/SayHello", "helloworld.Greeter/SayHello"):
            words = ("call", target, method, '{"name": "you"}', "--proto", PROTO)
            assert run(*words) == (0, '{"message": "Hello, you!"}\n', "")
    finally:
        server.stop(None).wait()


def test_bad_protos(run, target, tmp_path, monkeypatch):
    (tmp_path / "bad.proto").write_text("nonsense")
    for path, why in (
        ("bad.proto", "protoc does not take"),
        ("none.proto", "there is no file"),
        (".", "is a folder: name the .proto file in it"),
    ):
        words = ("call", target, "A/B", "--proto", str(tmp_path / path))
        assert why in run(*words)[2]
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    assert "pip install grpcio-tools" in run("call", target, "A/B", "--proto", PROTO)[2]


def test_method_without_a_slash(run, target):
    status, _, error = run("call", target, "helloworld.Greeter.SayHello", "--proto", PROTO)
    assert status == 1 and "SERVICE/METHOD, with a slash" in error and "helloworld.Greeter" in error


@pytest.mark.parametrize(
    "words, right",
    [
        (("call", "/dev/null", "A/B"), "/dev/null is no serial port; `nanorpc ports` lists"),
        (("call", "socket://127.0.0.1", "A/B"), "a port over TCP is socket://HOST:PORT"),
        (("relay", "/dev/null"), "/dev/null is no serial port"),
    ],
)
def test_what_is_no_port(run, words, right):
    status, out, error = run(*words)
    assert (status, out) == (1, "") and right in error


def test_only_the_older_reflection(target):
    """v1 is asked first; a server that has v1alpha alone answers that."""
    with grpc.insecure_channel(target) as channel:
        reflection = schema.Reflection(channel)
        assert "served.Greeter" in reflection.services()
        assert reflection._versions == [
            "grpc.reflection.v1alpha"
        ]  # what grpcio-reflection serves here


def test_both_reflections(tmp_path):
    """A server with v1 is not asked for the older one."""
    asked = []

    def answer(version):
        def reflect(requests, context):
            for request in requests:
                asked.append(version)
                answered = schema._Response()
                answered.services.service.add(name="a.B")
                yield answered

        handler = grpc.stream_stream_rpc_method_handler(
            reflect, schema._Request.FromString, lambda reply: reply.SerializeToString()
        )
        name = version + ".ServerReflection"
        return grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})

    handlers = tuple(answer(version) for version in schema.VERSIONS)
    server, target = plain_server(tmp_path, lambda s: s.add_generic_rpc_handlers(handlers))
    with grpc.insecure_channel(target) as channel:
        assert schema.Reflection(channel).services() == ["a.B"]
    server.stop(None).wait()
    assert asked == ["grpc.reflection.v1"]


def test_reflection_messages_are_the_real_ones():
    """Their bytes, as the package grpcio-reflection has them."""
    from grpc_reflection.v1alpha import reflection_pb2

    real = reflection_pb2.ServerReflectionRequest
    for ours, theirs in (
        (schema._Request(list="*"), real(list_services="*")),
        (schema._Request(symbol="a.B"), real(file_containing_symbol="a.B")),
        (schema._Request(file_by_filename="a"), real(file_by_filename="a")),
    ):
        assert ours.SerializeToString() == theirs.SerializeToString()
    theirs = reflection_pb2.ServerReflectionResponse()
    theirs.error_response.error_code, theirs.error_response.error_message = 5, "none"
    ours = schema._Response.FromString(theirs.SerializeToString())
    assert (ours.error.code, ours.error.message) == (5, "none")


def test_objects():
    whole = '{"a": "}{"} [1]\n {}'
    found = [(1, {"a": "}{"}), (1, [1]), (2, {})]
    assert list(call.objects([whole])) == list(call.objects(whole)) == found
    lines = ["\n", "{\n", '"a":\n', "true,\n", '"b": "}"\n', "}\n", "\n", "7\n"]
    assert list(call.objects(lines)) == [(2, {"a": True, "b": "}"}), (8, 7)]
    for texts, line in ((["{} {"], 1), (["{}\n", "{\n", "]\n", "{}"], 3), (["\n", "{'a'"], 2)):
        with pytest.raises(call.RequestError, match="no JSON") as error:
            list(call.objects(texts))
        assert error.value.line == line


# --- ports, relay, monitor ---------------------------------------------------------------------------------


def test_ports(run, monkeypatch):
    class Info:
        def __init__(
            self, device, vid=None, pid=None, description="n/a", product=None, number=None
        ):
            self.device, self.name = device, os.path.basename(device)
            self.vid, self.pid, self.description = vid, pid, description
            self.manufacturer, self.product, self.serial_number = None, product, number

        def __lt__(self, other):
            return self.device < other.device

    found = [
        Info("/dev/ttyACM1", 0x2E8A, 0x000A, product="Pico", number="E66"),
        Info("/dev/ttyACM0", 0x0483, 0x374B),
        Info("/dev/ttyUSB0", 1, 2, product="Gadget"),
        Info("/dev/ttyS0"),
        Info("/dev/ttyS4", description="16550A"),
    ]
    monkeypatch.setattr(port.list_ports, "comports", lambda: found)
    status, out, _ = run("ports")
    assert status == 0 and out.splitlines() == [
        "/dev/ttyACM0  ST-Link/V2-1: the UART of a Nucleo or Discovery board (0483:374b)",
        "/dev/ttyACM1  Raspberry Pi Pico, USB (2e8a:000a, Pico, serial number E66)",
        "/dev/ttyS4  16550A",
        "/dev/ttyUSB0  Gadget (0001:0002)",
    ]
    monkeypatch.setattr(port.list_ports, "comports", lambda: [])
    status, out, error = run("ports")
    assert (status, out) == (1, "") and "plug it in" in error


def test_relay_and_monitor(board, run):
    """The firmware's text goes by while calls do; SIGTERM ends it well, and the device knows."""
    process = Process("relay", board.path, "--listen", "127.0.0.1:0", "--monitor")
    target = process.waits_for("stderr", rb"is at (\S+)").group(1).decode()
    for i in range(3):
        board.device.text = b"tick %d\r\n" % i
        assert run("call", target, "Greeter/SayHello")[0] == 0
        process.waits_for("stdout", b"tick %d\r\n" % i)
    status, _, error = run("call", board.path, "Greeter/SayHello")
    assert status == 1 and "busy" in error and "nanorpc relay" in error
    assert process.end() == 0
    assert process.said["stdout"] == b"tick 0\r\ntick 1\r\ntick 2\r\n"
    assert not board.device.links


def test_monitor(board):
    process = Process("monitor", board.path)
    end = time.monotonic() + 30
    while b"hello" not in process.said["stdout"]:
        assert time.monotonic() < end
        board.device.text = b"hello\r\n"
        time.sleep(0.05)
    assert process.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    "address, why",
    [
        ("nonsense", "HOST:PORT"),
        ("127.0.0.1:99999", "0 to 65535"),
        ("unix:/none/a", "cannot listen"),
    ],
)
def test_relay_that_cannot_listen(run, board, address, why):
    status, _, error = run("relay", board.path, "--listen", address)
    assert status == 1 and why in error and "--listen" in error
    port.Port(board.path, 115200).close()


def test_readable():
    assert cli.readable("gr\u00fc\u00dfe\t\x1b[1m\r\n".encode()) == "gr\u00fc\u00dfe\t\x1b[1m\r\n"
    assert cli.readable(b"\x01\x02damaged") == ""
    assert cli.readable(b"\x01\x02damaged\r\ngood\r\n") == "good\r\n"


def test_usage(capsys):
    for words in ([], ["nonsense"], ["call"], ["monitor", "a", "--baudrate", "0"]):
        with pytest.raises(SystemExit) as error:
            cli.main(words)
        assert error.value.code == 2
    with pytest.raises(SystemExit) as error:
        cli.main(["--version"])
    assert error.value.code == 0 and capsys.readouterr().out == "nanorpc %s\n" % nanorpc.__version__


@pytest.mark.parametrize("page", ["docs/python.md", "ports/python/README.md"])
def test_commands_of_the_pages(page):
    """They are commands, with options that there are."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        commands = re.findall(r"^nanorpc (.*)", file.read(), re.M)
    assert len(commands) >= 4
    for command in commands:
        assert cli.parsed(shlex.split(command, comments=True)).function


@pytest.mark.parametrize("place", (3, 5, 7))
def test_the_json_stands_anywhere_behind_the_method(place):
    words = ["call", "d:1", "s/M", "--proto", "a.proto", "-H", "a:b"]
    words.insert(place, '{"n": 1}')
    options = cli.parsed(words)
    assert (options.json, options.proto, options.header) == ('{"n": 1}', "a.proto", ["a:b"])
    assert cli.parsed(["call", "d:1", "s/M", "--timeout", "1"]).json == "{}"
    assert cli.parsed(["call", "d:1", "s/M", "--timeout", "1", "-"]).json == "-"
    with pytest.raises(SystemExit):
        cli.parsed(["call", "d:1", "s/M", "{}", "{}"])
    with pytest.raises(SystemExit):
        cli.parsed(["call", "d:1", "s/M", "--nothing"])
