# tests/interop/clients.py - what calls the TestService: the clients, and one case by one of them on one target.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import atexit
import json
import os
import shutil
import subprocess
import traceback

import grpc

import cases
import targets
from cases import NotRun
from tap import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = targets.ROOT
TARGETS = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]
PASS, FAIL, NOT_RUN = "pass", "FAIL", "not run"


class Caller:
    """A client of ours to call: call(case, target) raises what went wrong, or NotRun."""
    knows = list(cases.CASES)

    def run(self, case, server):
        if case not in cases.COMPRESSED:
            self.call(case, server.target())
            return
        with Tap(server.port) as wire:
            self.call(case, wire.target())
            wire.check(case)


class Grpcio(Caller):
    name = "grpcio"

    @staticmethod
    def call(case, target):
        with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1),
                                                    ("grpc.max_receive_message_length", -1)]) as channel:
            cases.run(case, channel)


class GrpcJs(Caller):
    """client.js, started once: a line of JSON for each case, and a line back."""
    name = "grpc-js"
    MODULES = os.path.join(ROOT, "build", "node", "node_modules")
    process = None

    def start(self):
        if not shutil.which("node") or not os.path.isdir(self.MODULES):
            raise NotRun("grpc-js is not installed: make build/node/ready")
        self.process = subprocess.Popen(["node", os.path.join(HERE, "client.js")], cwd=ROOT, text=True,
                                        env=dict(os.environ, NODE_PATH=self.MODULES),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.process.kill)

    def call(self, case, target):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(json.dumps({"case": case, "target": target}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "client.js has ended"
        answer = json.loads(line)
        assert answer["ok"], answer["error"]


class GrpcGo(Caller):
    """gRPC's own interop client in Go; it is not ours, so it is used where somebody has built it."""
    name = "grpc-go"
    PROGRAM = os.path.join(ROOT, "build", "go", "client")
    knows = [case.__name__ for case in cases.OFFICIAL if case.__name__ not in cases.COMPRESSED]

    def call(self, case, target):
        host, port = target.split(":")
        done = subprocess.run([self.PROGRAM, "--server_host=" + host, "--server_port=" + port, "--test_case=" + case],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=cases.SECONDS)
        assert done.returncode == 0, done.stdout


CLIENTS = {client.name: client for client in (Grpcio(), GrpcJs())}
WITHOUT = None

if os.path.exists(GrpcGo.PROGRAM):
    CLIENTS[GrpcGo.name] = GrpcGo()
else:
    WITHOUT = "grpc-go: not run, since gRPC's own client in Go is not built; where Go is installed: make build/go/client"


# --- What cannot be run, and why ------------------------------------------------------------------------

UNSEEN = "gRPC's server for Python does not tell whether a request was compressed"


def app_of(case, target):
    """The application that serves a case: compression comes with blocks as large as its payloads, where there is room."""
    return "compressed" if case in cases.COMPRESSED and target != "reference" else "interop"


def has(target, macro, least=1, app="interop"):
    """Whether the target's image has an option of config.h switched on."""
    return (targets.limit(target, macro, 0, app) or 0) >= least


def reason(client, case, target):
    """Why a client cannot do a case on a target, or None."""
    if case not in CLIENTS[client].knows:
        return "%s: it does not have this case" % client
    if target == "reference":
        return UNSEEN if case.startswith("client_compressed") else None
    if case in cases.COMPRESSED:
        return None if has(target, "COMPRESSED_BYTES", 400000, "compressed") else \
            "its messages are larger than the blocks that they would be inflated into"
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
