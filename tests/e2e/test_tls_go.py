# tests/e2e/test_tls_go.py - a real client that begins with X25519MLKEM768: grpcio, with the TLS of Go.
# Layer: tests. Source: RFC 8446 4.1.4; draft-ietf-tls-ecdhe-mlkem.
# SPDX-License-Identifier: Apache-2.0
"""tls_proxy.go takes grpcio's plain link and makes TLS of it. Skipped where there is no Go 1.24 or newer."""

import os
import re
import shutil
import subprocess

import grpc
import pytest
from helloworld import greeter_pb2, greeter_pb2_grpc

import secure
from targets import ROOT, Server, chosen

SECONDS = 60  # of patience: no test fails because the machine is slow
FIRST_GO = (1, 24)  # that has X25519MLKEM768


@pytest.fixture(scope="session")
def proxy_program(tmp_path_factory):
    """The proxy, of Go's own library alone: nothing is fetched."""
    go = shutil.which("go")
    if not go:
        pytest.skip("there is no Go")
    folder = tmp_path_factory.mktemp("go")
    environment = dict(
        os.environ, GOTOOLCHAIN="local", GOFLAGS="", GO111MODULE="on", GOWORK="off", CGO_ENABLED="0"
    )
    if not os.environ.get("HOME"):
        environment["GOCACHE"] = str(folder / "cache")
    version = re.search(
        r"go(\d+)\.(\d+)",
        subprocess.run(
            [go, "version"], env=environment, stdout=subprocess.PIPE, text=True, check=False
        ).stdout,
    )
    if not version or tuple(map(int, version.groups())) < FIRST_GO:
        pytest.skip("this Go is older than %d.%d" % FIRST_GO)
    program = str(folder / "tls_proxy")
    (folder / "go.mod").write_text(
        "module proxy\n\ngo %d.%d\n" % FIRST_GO
    )  # else Go does as versions of old did
    shutil.copy(os.path.join(ROOT, "tests", "e2e", "tls_proxy.go"), folder)
    built = subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip("Go could not build tls_proxy.go: " + built.stdout)
    return program


@pytest.mark.parametrize("name", chosen(["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]))
def test_hybrid_share_first(proxy_program, name):
    """TLS 1.3: a HelloRetryRequest, then calls as ever. The board's small profile has TLS 1.2, and needs none."""
    is_13 = name != "lm3s6965evb"
    server = Server(name, app="tls")
    proxy = subprocess.Popen(
        [proxy_program, server.target(), secure.path("ca.pem")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        port = int(proxy.stdout.readline())
        with grpc.insecure_channel(
            "127.0.0.1:%d" % port, [("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            say = greeter_pb2_grpc.GreeterStub(channel).SayHello
            for i in range(3):
                reply = say(
                    greeter_pb2.HelloRequest(name="Go %d" % i), timeout=SECONDS, wait_for_ready=True
                )
                assert reply.message == "Hello, Go %d!" % i
        said = proxy.stdout.readline().strip()
        assert said == "version=%s alpn=h2 hybrid=true retry=%s" % (
            ("304", "true") if is_13 else ("303", "false")
        )
    finally:
        proxy.kill()
        proxy.communicate()
        server.stop()
        print(server.new_output())
