# tests/e2e/targets.py - starts and stops what the end-to-end tests talk to: Linux, the simulator, emulated boards.
# Layer: tests. Source: boards/*/board.mk.
# SPDX-License-Identifier: Apache-2.0
"""Tests take the fixture `server`, imported from here, and so run once for each target. One program a
target serves all tests of the session. After each test a fresh client must be served, else that test
has an error, and the next one gets a new server. To choose targets: pytest -k posix, or TARGETS="posix ..."."""

import atexit
import os
import queue
import re
import resource
import shlex
import socket
import subprocess
import sys
import threading
import time

import children
import pytest

import secure
from rawh2 import Peer, message

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY = re.compile(r"nanorpc: \w+ ready on ")
BOOT_SECONDS, RECOVER_SECONDS = 60, 40
OURS = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb", "mps2_an385"]
RAW = OURS[:4]  # the bytes on the wire: one board is enough
BOARD = {
    "posix": "boards/linux",
    "hostsim-raw": "host-sim",
    "hostsim-sockets": "host-sim",
}  # and each board that an emulator runs, by its own name

# What shows, for each application, that a new client is served.
PROBES = {
    "greeter": lambda peer: peer.say_hello("probe") == "Hello, probe!",
    "services": lambda peer: peer.say_hello("probe") == "Hello, probe",
    "blobs": lambda peer: peer.call("/blobs.Blobs/Put", message()).grpc_status == "0",
    "interop": lambda peer: (
        peer.call("/grpc.testing.TestService/EmptyCall", message()).grpc_status == "0"
    ),
}
PROBES["interop_tls"] = PROBES["interop_public"] = PROBES["interop"]
PROBES["reporter"] = PROBES["tls"] = PROBES["greeter"]
PROBES["caller"] = PROBES["caller_public"] = lambda peer: True
TOKEN = "a token of these tests"  # boards/apps/guarded/guarded.c has it
PROBES["guarded"] = lambda peer: (
    peer.call("/Greeter/SayHello", message(), ("authorization", "Bearer " + TOKEN)).grpc_status
    == "0"
)

# 1024 connections to one server: both ends' sockets are ours.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def chosen(names):
    wanted = os.environ.get("TARGETS", "").split()
    return [name for name in names if not wanted or name in wanted]


def assignments(*path):
    """What a board.mk, or an application's .mk, assigns."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return dict(
            re.findall(
                r"^((?:BOARD|APP)_[\w-]+)[ \t]*:?=[ \t]*(.*)$",
                file.read().replace("\\\n", ""),
                re.M,
            )
        )


def board_variables(folder):
    return assignments(folder, "board.mk")


def emulated():
    """The boards that an emulator runs."""
    boards = sorted(os.listdir(os.path.join(ROOT, "boards")))
    return [
        board
        for board in boards
        if os.path.exists(os.path.join(ROOT, "boards", board, "board.mk"))
        and board_variables("boards/" + board)["BOARD_RUN_STATE"] == "emulated"
    ]


BOARD.update({board: "boards/" + board for board in emulated()})


def limit(name, macro, default, app="greeter"):
    """A -DMACRO=N of a target: the application's for this board, the application's, the board's."""
    if name == "reference":
        return None
    own = assignments("boards", "apps", app, "app.mk")
    board = board_variables(BOARD[name])
    for text in (
        own.get("APP_CONFIG_" + os.path.basename(BOARD[name]), ""),
        own.get("APP_CONFIG", ""),
        board.get("BOARD_CONFIG", ""),
    ):
        found = re.search(r"-D%s=(\d+)" % macro, text)
        if found:
            return int(found.group(1))
    return default


def emulator(board, port, image):
    """The command that runs an image of boards/BOARD; 127.0.0.1:port leads to it. [] where none does."""
    command = assignments("boards", board, "board.mk").get("BOARD_EMULATOR", "")
    return shlex.split(command.replace("$(PORT)", str(port)).replace("$(IMAGE)", image))


def command(name, port, app="greeter"):
    if name == "reference":
        folder = "e2e" if app == "greeter" else app
        return [
            sys.executable,
            os.path.join(ROOT, "tests", folder, "reference_server.py"),
            str(port),
        ]
    program = os.path.join(ROOT, "build", os.path.basename(BOARD[name]), app)
    emulated = emulator(name, port, program + ".elf") if BOARD[name] == "boards/" + name else []
    program += ".elf" if emulated else ""
    assert os.path.exists(program), "%s is not built: run make" % program
    if emulated:
        return emulated
    api = ["--api", name.split("-")[1]] if name.startswith("hostsim") else []
    return [program, "--port", str(port)] + api


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running target, with its console among what a failed test shows. port: on 127.0.0.1."""

    def __init__(self, name, extra=(), port=None, app="greeter", image=None):
        """image: a program like the application's, in its place."""
        self.name, self.app = name, app
        self.ours = name != "reference"
        self.tls = app.endswith("tls")
        self.connections = limit(name, app.upper() + "_CONNECTIONS", 2, app)
        self.output = []
        self.shown = 0
        for _ in range(3):  # another process may have taken the port meanwhile
            self.port = port or free_port()
            self.command = command(name, self.port, app) + list(extra)
            if image:
                self.command = [
                    image if os.path.basename(part) == os.path.basename(image) else part
                    for part in self.command
                ]
            self.process = subprocess.Popen(
                children.tied(self.command),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                errors="replace",
            )
            atexit.register(self.stop)
            lines = queue.Queue()
            threading.Thread(target=self.read, args=(lines,), daemon=True).start()
            if self.wait_ready(lines):
                return
            self.stop()
        raise RuntimeError(
            "%s is not ready:\n%s\n%s" % (name, shlex.join(self.command), self.new_output())
        )

    def read(self, lines):
        for line in self.process.stdout:
            self.output.append(line.rstrip())
            lines.put(line)
        lines.put(None)

    @staticmethod
    def wait_ready(lines):
        end = time.monotonic() + BOOT_SECONDS
        try:
            while True:
                line = lines.get(timeout=max(0.0, end - time.monotonic()))
                if line is None or READY.match(line):
                    return line is not None
        except queue.Empty:
            return False

    def new_output(self):
        """The console since the last time."""
        lines, self.shown = self.output[self.shown :], len(self.output)
        return "\n".join(lines)

    def target(self):
        """For grpcio."""
        return "127.0.0.1:%d" % self.port

    def serves(self, seconds=RECOVER_SECONDS):
        """True as soon as a new client gets an answer; connections that end may hold their places a while."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            try:
                with Peer(
                    self.port, timeout=5, context=secure.client_context() if self.tls else None
                ) as peer:
                    if PROBES[self.app](peer):
                        return True
            except (OSError, EOFError):
                pass
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        print(self.new_output())

    def stop(self):
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


running = {}


def use(name, app="greeter"):
    """The session's server of this target, whole at the beginning and at the end of each test."""
    key = name, app
    if key not in running:
        running[key] = Server(name, app=app)
    server = running[key]
    yield server
    print("%s: %s" % (name, shlex.join(server.command)))  # shown with a failure, as its output is
    fine = server.serves()
    print(server.new_output())
    if not fine:
        code = server.process.poll()
        server.stop()
        del running[key]
        pytest.fail(
            "%s no longer serves after this test (exit code %s)" % (name, code), pytrace=False
        )


@pytest.fixture(params=chosen(["reference"] + OURS))
def server(request):
    """Every target, and gRPC's own server, which shows that the tests are right."""
    yield from use(request.param)


@pytest.fixture(params=chosen(OURS))
def our_server(request):
    yield from use(request.param)


@pytest.fixture(params=chosen(RAW))
def raw_server(request):
    """For the tests of single frames."""
    yield from use(request.param)
