# tests/interop/clients.py - what calls the TestService: the clients, and one case by one of them on one target.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import atexit
import contextlib
import json
import os
import shutil
import subprocess
import traceback

import children
import grpc
import negative_server
import reference_server
from interop import driver_pb2, driver_pb2_grpc

import cases
import secure
import targets
from cases import NotRun
from tap import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = targets.ROOT
PLAIN = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]
TARGETS = PLAIN + ["posix-tls", "hostsim-raw-tls", "hostsim-sockets-tls"]
PASS, FAIL, NOT_RUN = "pass", "FAIL", "not run"
# gRPC's own: those for a service, then those for a client alone.
OFFICIAL = [case.__name__ for case in cases.OFFICIAL] + negative_server.CASES
CASES = OFFICIAL + [name for name in cases.CASES if name not in OFFICIAL]


def name_and_app(target):
    """Of a target: what targets.Server is asked for."""
    return target.replace("-tls", ""), "interop_tls" if target.endswith("-tls") else "interop"


@contextlib.contextmanager
def tap_of(port, tls):
    """A tap before the server at port; None: before gRPC's own server, which it tells what it has seen."""
    with Tap(port, tls) as wire:
        if port is not None:
            yield wire
            return
        server, wire.server_port = reference_server.serve(tap=wire, tls=tls)
        yield wire
        server.stop(None)


class Caller:
    """A client of ours to call: call(case, target, tls) raises what went wrong, or NotRun."""

    knows = list(cases.CASES)
    targets = ["reference"] + TARGETS

    def run(self, case, server):
        if case not in cases.COMPRESSED:
            self.call(case, server.target(), server.tls)
            return
        with tap_of(None if server.name == "reference" else server.port, server.tls) as wire:
            self.call(case, wire.target(), server.tls)
            wire.check(case)


def channel_to(target, tls, *options):
    options += (("grpc.use_local_subchannel_pool", 1),)
    if tls:
        return grpc.secure_channel(target, secure.channel_credentials(), options=options)
    return grpc.insecure_channel(target, options=options)


class Grpcio(Caller):
    name = "grpcio"

    @staticmethod
    def call(case, target, tls):
        with channel_to(target, tls, ("grpc.max_receive_message_length", -1)) as channel:
            cases.run(case, channel)


class GrpcJs(Caller):
    """client.js, started once: a line of JSON for each case, and a line back."""

    name = "grpc-js"
    MODULES = os.path.join(ROOT, "build", "node", "node_modules")
    process = None

    def start(self):
        if not shutil.which("node") or not os.path.isdir(self.MODULES):
            raise NotRun("grpc-js is not installed: make build/node/ready")
        self.process = subprocess.Popen(
            children.tied(["node", os.path.join(HERE, "client.js")]),
            cwd=ROOT,
            text=True,
            env=dict(os.environ, NODE_PATH=self.MODULES),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self.process.kill)

    def call(self, case, target, tls):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(
            json.dumps(
                {"case": case, "target": target, "ca": secure.path("ca.pem") if tls else None}
            )
            + "\n"
        )
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "client.js has ended"
        answer = json.loads(line)
        assert answer["ok"], answer["error"]


class GrpcGo(Caller):
    """gRPC's own interop client in Go; it is not ours, so it is used where somebody has built it."""

    name = "grpc-go"
    PROGRAM = os.path.join(ROOT, "build", "go", "client")
    knows = [
        name
        for name in OFFICIAL
        if name not in cases.COMPRESSED and name not in negative_server.CASES
    ]

    SECURE = [
        "--use_tls",
        "--use_test_ca",
        "--ca_file=" + secure.path("ca.pem"),
        "--server_host_override=" + secure.HOST,
    ]

    def call(self, case, target, tls):
        host, port = target.split(":")
        done = subprocess.run(
            [self.PROGRAM, "--server_host=" + host, "--server_port=" + port, "--test_case=" + case]
            + (self.SECURE if tls else []),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=cases.SECONDS,
        )
        assert done.returncode == 0, done.stdout


class Nanorpc:
    """The other direction: nanorpc's own client, in the same image; interop.Driver tells it what to do. It calls
    gRPC's server for Python and, for the negative cases, one that misbehaves."""

    name = "nanorpc"
    # This machine, as the targets see it.
    HOSTS = {
        "posix": "127.0.0.1",
        "hostsim-raw": "10.0.2.2",
        "hostsim-sockets": "10.0.2.2",
        "lm3s6965evb": "10.0.2.2",
    }
    knows = OFFICIAL
    targets = TARGETS

    def __init__(self):
        self.others = {}

    @staticmethod
    def start(tls):
        return targets.Server("reference", ["--tls"] if tls else [], app="interop")

    def port(self, tls):
        """Of the server that is called, started once."""
        if tls not in self.others or self.others[tls].process.poll() is not None:
            self.others[tls] = self.start(tls)
        return self.others[tls].port

    def tapped_port(self, tls):
        return None

    def run(self, case, server):
        if case in negative_server.CASES:
            with negative_server.NegativeServer(case, server.tls) as other:
                self.tell(case, server, other.port)
                other.check()
        elif case in cases.COMPRESSED:
            with tap_of(self.tapped_port(server.tls), server.tls) as wire:
                self.tell(case, server, wire.port)
                wire.check(case)
        else:
            self.tell(case, server, self.port(server.tls))

    def tell(self, case, server, port):
        with channel_to(server.target(), server.tls) as channel:
            reply = driver_pb2_grpc.DriverStub(channel).Run(
                driver_pb2.RunRequest(name=case, host=self.HOSTS[server.name], port=port),
                timeout=cases.SECONDS,
                wait_for_ready=True,
            )
            assert not reply.problem, "call %d: %s; status %d, %s" % (
                reply.call,
                reply.problem,
                reply.status,
                reply.message,
            )


class Itself(Nanorpc):
    """Both ends are ours: the target's client calls our server on Linux."""

    name = "itself"
    knows = [name for name in OFFICIAL if name not in negative_server.CASES]

    @staticmethod
    def start(tls):
        return targets.Server("posix", app="interop_tls" if tls else "interop")

    def tapped_port(self, tls):
        return self.port(tls)


CLIENTS = {client.name: client for client in (Grpcio(), GrpcJs(), Nanorpc(), Itself())}
WITHOUT = None
if os.path.exists(GrpcGo.PROGRAM):
    CLIENTS[GrpcGo.name] = GrpcGo()
else:
    WITHOUT = (
        "grpc-go: not run, since gRPC's own client in Go is not built; where Go is installed: "
        "make build/go/client"
    )


# --- What cannot be run, and why ------------------------------------------------------------------------


def concerns(client, case, target):
    """Whether the three make a test of nanorpc, or of the tests themselves."""
    if (
        case in negative_server.CASES
        and client != "nanorpc"
        or target not in CLIENTS[client].targets
    ):
        return False
    return case in OFFICIAL or case in CLIENTS[client].knows


def reason(client, case, target):
    """Why a client cannot do a case on a target, or None."""
    if case not in CLIENTS[client].knows:
        return "%s: it does not have this case" % client
    if (
        target != "reference"
        and case in cases.COMPRESSED
        and targets.limit(target, "INTEROP_BYTES", 0, "interop") < cases.LARGE_REPLY
    ):
        return "its compressed messages are larger than the blocks that they would have to fit into"
    return None


def attempt(client, case, server):
    """(PASS, ""), (FAIL, what went wrong) or (NOT_RUN, why)."""
    why = reason(client, case, server.name)
    if why is not None:
        return NOT_RUN, why
    try:
        CLIENTS[client].run(case, server)
    except NotRun as why:
        return NOT_RUN, str(why)
    except grpc.RpcError as error:
        return FAIL, "%s: %s" % (error.code(), error.details())
    except Exception:
        return FAIL, traceback.format_exc()
    return PASS, ""
