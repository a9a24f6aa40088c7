# tests/ports/test_posix_limits.py - ports/posix where the system, or the build, gives it little.
# Layer: tests. Source: getrlimit(2), boards/linux, boards/apps/blobs and tls.
# SPDX-License-Identifier: Apache-2.0
import glob
import re
import resource
import shlex
import subprocess
import zlib

import blobs_pb2
import blobs_pb2_grpc
import grpc
import pytest

import secure
from conftest import ROOT
from rawh2 import DATA, END_STREAM, WINDOW_UPDATE, Peer, frame, message, messages, request
from targets import Server, limit

SECONDS = 120
MEGABYTE = 1 << 20
CONNECTIONS = limit("posix", "GREETER_CONNECTIONS", 0)


def start(soft, hard):
    """The Greeter, as a process that may open so many files."""
    return subprocess.Popen(
        ["build/linux/greeter", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
    )


def test_files_are_allowed():
    hard = CONNECTIONS + 500
    with start(100, hard) as server:
        assert "ready" in server.stdout.readline()
        with open(f"/proc/{server.pid}/limits", encoding="ascii") as limits:
            assert re.search(rf"Max open files +{hard} +{hard} ", limits.read())
        server.terminate()
        assert server.stderr.read() == ""


def test_files_that_are_not_allowed():
    """It says so, serves as many as it can, and refuses the others."""
    most = 60
    with start(50, most) as server:
        port = int(re.search(r":(\d+)$", server.stdout.readline().strip()).group(1))
        warning = server.stderr.readline()
        assert re.search(rf"{CONNECTIONS} connections need 1\d\d\d open files", warning)
        assert f"this process may have {most}:" in warning and "ulimit -Hn" in warning
        peers = []
        with pytest.raises((OSError, EOFError)):
            for _ in range(most):
                peers.append(Peer(port))
        assert most - 20 < len(peers) < most
        assert peers[0].say_hello("first") == "Hello, first!"
        for peer in peers:
            peer.socket.close()
        server.terminate()


def image(folder, app, *settings):
    """The application for Linux, with other settings of ports/posix."""
    tree = f"{ROOT}/build/linux-{app}"
    with open(f"{tree}/flags", encoding="ascii") as file:
        flags = [flag for flag in shlex.split(file.read()) if flag not in ("-MMD", "-MP")]
    objects = glob.glob(f"{tree}/**/*.o", recursive=True)
    objects = [name for name in objects if "/ports/posix/" not in name]
    assert objects, f"{tree} is not built: run make"
    program = str(folder / app)
    sources = sorted(glob.glob("ports/posix/*.c", root_dir=ROOT))
    subprocess.run(
        [*flags, *settings, "-Wl,--gc-sections", "-o", program, *sources, *objects],
        cwd=ROOT,
        check=True,
    )
    return program


@pytest.fixture
def few_buffers(tmp_path):
    servers = []

    def run(app):
        settings = ("-DNRPC_POSIX_BUFFERS=0", "-DNRPC_POSIX_BUFFER_BYTES=4096")
        servers.append(Server("posix", app=app, image=image(tmp_path, app, *settings)))
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


def made_up(n):
    return bytes((i + i // 251) & 255 for i in range(n))


def test_blobs_with_few_buffers(few_buffers):
    """Up and down whole, while another one asks for much and reads nothing of it."""
    server = few_buffers("blobs")
    with Peer(server.port, wait=False) as deaf, grpc.insecure_channel(server.target()) as channel:
        ask = blobs_pb2.Ask(bytes=MEGABYTE, count=20).SerializeToString()
        deaf.begin("/blobs.Blobs/GetAll", b"\0" + len(ask).to_bytes(4, "big") + ask)
        for stream in (0, 1):
            deaf.send(frame(WINDOW_UPDATE, 0, stream, (1 << 30).to_bytes(4, "big")))
        stub = blobs_pb2_grpc.BlobsStub(channel)
        data = made_up(MEGABYTE)
        for _ in range(3):
            named = blobs_pb2.Named(name="a name", blob=blobs_pb2.Blob(data=data))
            summary = stub.Put(named, timeout=SECONDS)
            assert (summary.bytes, summary.crc32) == (MEGABYTE, zlib.crc32(data))
            assert stub.Get(blobs_pb2.Ask(bytes=MEGABYTE), timeout=SECONDS).data == data


def test_tls_with_few_buffers(few_buffers):
    """More than the server has places for, at once: it waits in Mbed TLS's record, and in TCP behind that."""
    server, count = few_buffers("tls"), 500
    with Peer(server.port, context=secure.client_context(), wait=False) as peer:
        peer.send(
            peer.headers(1, request("/simpletest.SimpleTest/PostAndPost")),
            frame(DATA, END_STREAM, 1, message("a") * count),
            peer.headers(3, request("/Greeter/SayHello")),
            frame(DATA, END_STREAM, 3, message("behind")),
        )
        answer = peer.finish(1)
        assert answer.grpc_status == "0" and messages(answer.data) == ["Hello !! a"] * count
        assert messages(peer.finish(3).data)[0].startswith("Hello, behind")
