# tests/interop/test_tls_public.py - our client calls servers as on the public internet: their chains, 16 KB records.
# Layer: tests. Source: ports/mbedtls/nrpc_profile_public.h; RFC 8446 5.1; RFC 5246 6.2.1.
# SPDX-License-Identifier: Apache-2.0
"""The chains have the shapes of Let's Encrypt's and Google's; tests/certs.py makes them. The servers are grpcio as it
is (BoringSSL), and grpcio behind Python's ssl (OpenSSL), where the version is ours to choose and records are seen."""

import contextlib
import select
import socket
import ssl
import threading

import grpc
import pytest
import reference_server

import clients
import secure
from targets import use

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# RSA to an RSA leaf, RSA to a P-256 one, P-384, P-384 below RSA
CHAINS = ["rsa_leaf", "rsa_signed", "p384_signed", "cross_signed"]
RECORD_BYTES = 16384


class Front:
    """TLS in front of a server at server_port; longest: of the records that it has sent."""

    def __init__(self, server_port, certificate, version):
        self.server_port, self.longest, self.versions = server_port, 0, set()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(
            secure.path(certificate + ".pem"), secure.path(certificate + ".key")
        )
        self.context.set_alpn_protocols(["h2"])
        self.context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE  # RSA and TLS 1.2: see docs/tls.md
        self.context.minimum_version = self.context.maximum_version = VERSIONS[version]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                link = self.listener.accept()[0]
                threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def send(self, link, out):
        data = out.read()
        link.sendall(data)
        while data:
            n = int.from_bytes(data[3:5], "big")
            if data[0] == 23:
                self.longest = max(self.longest, n)
            data = data[5 + n :]

    def serve(self, link):
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = self.context.wrap_bio(into, out, server_side=True)
        with link, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            with contextlib.suppress(OSError):
                while self.move(link, server, into, out, end):
                    self.versions.add(end.version())

    def move(self, link, server, into, out, end):
        """Returns whether both are still there."""
        ready = select.select([link] + ([server] if end.version() else []), [], [])[0]
        if link in ready:
            data = link.recv(65536)
            into.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):
                while data and (plain := end.read(65536)):
                    server.sendall(plain)
            self.send(link, out)
            return bool(data)
        data = server.recv(65536, socket.MSG_PEEK)
        if 0 < len(data) < RECORD_BYTES:  # a little more may come
            select.select([link], [], [], 0.001)
        data = server.recv(65536)
        end.write(data)
        self.send(link, out)
        return bool(data)


@pytest.fixture
def device():
    yield from use("posix", "interop_public")


@pytest.fixture(scope="module")
def reference():
    server, port = reference_server.serve()
    yield port
    server.stop(None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("chain", CHAINS)
def test_openssl(device, reference, chain, version):
    nanorpc = clients.Nanorpc()
    with Front(reference, chain, version) as front:
        nanorpc.tell("large_unary", device, front.port)
        nanorpc.tell("ping_pong", device, front.port)
        assert front.versions - {None} == {"TLSv" + version}
        assert front.longest >= RECORD_BYTES


@pytest.mark.parametrize("chain", CHAINS)
def test_grpcio(device, chain, monkeypatch):
    """Its server takes the newest version."""
    own = [(secure.read(chain + ".key"), secure.read(chain + ".pem"))]
    monkeypatch.setattr(secure, "server_credentials", lambda: grpc.ssl_server_credentials(own))
    server, port = reference_server.serve(tls=True)
    clients.Nanorpc().tell("large_unary", device, port)
    server.stop(None)


@pytest.mark.parametrize("certificate", ["server", "elsewhere"])
def test_others_are_refused(device, reference, certificate):
    """One of the device's own makers' CA is none of the public internet's."""
    with Front(reference, certificate, "1.3") as front:
        with pytest.raises((AssertionError, grpc.RpcError)):
            clients.cases.SECONDS, seconds = 5, clients.cases.SECONDS
            try:
                clients.Nanorpc().tell("empty_unary", device, front.port)
            finally:
                clients.cases.SECONDS = seconds
        assert any("certificate from an unknown CA" in line for line in device.output)
