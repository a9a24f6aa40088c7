# tests/e2e/test_tls.py - the Greeter over TLS: grpcio with and without a certificate, sessions, wrong peers.
# Layer: tests. Source: RFC 8446; RFC 5246; RFC 9113 9.2; ports/mbedtls/nrpc_tls.h.
# SPDX-License-Identifier: Apache-2.0
"""Each refusal is looked at from both ends: what the client is told, and what the server's console says."""

import contextlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import grpc
import pytest
from helloworld import greeter_pb2, greeter_pb2_grpc

import secure
from rawh2 import DATA, END_STREAM, PREFACE, Peer, frame, message, messages, request, settings
from targets import ROOT, Server, chosen, use

SECONDS = 60  # of patience: no test fails because the machine is slow
CODE = grpc.StatusCode
HOSTS = [
    "posix",
    "hostsim-raw",
    "hostsim-sockets",
]  # TLS 1.2 and 1.3; the board: 1.2 alone, with short records
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(params=chosen(HOSTS + ["lm3s6965evb"]))
def server(request):
    yield from use(request.param, "tls")


@pytest.fixture(params=chosen(HOSTS))
def host(request):
    yield from use(request.param, "tls")


@contextlib.contextmanager
def started(monkeypatch, **environment):
    """A server on Linux that boards/apps/tls/greeter_tls.c lets be other than usual."""
    for name, value in environment.items():
        monkeypatch.setenv("GREETER_TLS_" + name.upper(), value)
    with Server("posix", app="tls") as server:
        yield server


def says(server, pattern):
    """Waits until a line of the console since the last time is like that."""
    end = time.monotonic() + SECONDS
    while not any(re.search(pattern, line) for line in server.output[server.shown :]):
        assert time.monotonic() < end, "the console does not say %r:\n%s" % (
            pattern,
            server.new_output(),
        )
        time.sleep(0.02)


def stub(server, certificate=None, ca="ca.pem", name=None):
    own = [secure.read(certificate + ending) for ending in (".key", ".pem")] if certificate else []
    options = [("grpc.use_local_subchannel_pool", 1)] + (
        [("grpc.ssl_target_name_override", name)] if name else []
    )
    channel = grpc.secure_channel(
        "127.0.0.1:%d" % server.port, grpc.ssl_channel_credentials(secure.read(ca), *own), options
    )
    return channel, greeter_pb2_grpc.GreeterStub(channel)


def hello(method, name="TLS"):
    return method(greeter_pb2.HelloRequest(name=name), timeout=SECONDS).message


def context(version=None, certificate=None, protocols=("h2",), ca="ca.pem"):
    made = secure.client_context(ca)
    made.set_alpn_protocols(list(protocols))
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    if certificate:
        made.load_cert_chain(secure.path(certificate + ".pem"), secure.path(certificate + ".key"))
    return made


def tcp(server):
    return socket.create_connection(("127.0.0.1", server.port), SECONDS)


def refused(server, its_context, name="localhost"):
    """What a client is told whose handshake, or first read after it, fails."""
    with tcp(server) as link, pytest.raises(ssl.SSLError) as error:
        with its_context.wrap_socket(link, server_hostname=name) as end:
            end.sendall(PREFACE + settings())
            while end.recv(4096):
                pass
            pytest.fail("not refused")
    return str(error.value)


# --- Good clients ----------------------------------------------------------------------------------------------


def test_grpcio(server):
    channel, greeter = stub(server)
    with channel:
        for i in range(3):
            assert hello(greeter.SayHello, "TLS %d" % i) == "Hello, TLS %d!" % i


def test_grpcio_with_a_certificate(server):
    """Only who has shown one may call Test; the interceptor and the console know who it is."""
    channel, greeter = stub(server)
    with channel, pytest.raises(grpc.RpcError) as error:
        hello(greeter.Test)
    assert error.value.code() == CODE.UNAUTHENTICATED
    channel, greeter = stub(server, "client")
    with channel:
        assert hello(greeter.Test) == "Test OK, TLS!"
    says(server, "tls: a call of client-1")


@BOTH
def test_versions(host, version):
    with Peer(host.port, context=context(version)) as peer:
        assert peer.socket.version() == "TLSv" + version
        assert peer.say_hello("all") == "Hello, all!"


@BOTH
@pytest.mark.parametrize(
    "certificate,ca",
    [
        ("rsa_signed", "rsa_root.pem"),
        ("p384_signed", "p384_root.pem"),
        ("cross_signed", "rsa_root.pem"),
        ("sha384_signed", "ca.pem"),
    ],
)
def test_certificates_signed_by_others(monkeypatch, version, certificate, ca):
    """With what our P-256 certificate is signed is the client's business: the profile has no RSA, P-384, SHA-384."""
    with started(monkeypatch, certificate=certificate) as server:
        with Peer(server.port, context=context(version, ca=ca)) as peer:
            assert peer.socket.version() == "TLSv" + version
            assert peer.say_hello("all") == "Hello, all!"
        channel, greeter = stub(server, ca=ca)
        with channel:
            assert hello(greeter.SayHello) == "Hello, TLS!"


def test_sessions_are_resumed(server):
    """TLS 1.2, as the small profile has."""
    its_context = context("1.2")
    session = None
    for again in (False, True, True):
        with (
            tcp(server) as link,
            its_context.wrap_socket(link, server_hostname="localhost", session=session) as end,
        ):
            assert end.session_reused == again
            session = end.session


def test_sessions_of_13_are_resumed(monkeypatch):
    """Where no certificate is asked for; see nrpc_tls.h."""
    with started(monkeypatch, clients="any") as server:
        its_context = context("1.3")
        session = None
        for again in (False, True, True):
            with (
                tcp(server) as link,
                its_context.wrap_socket(link, server_hostname="localhost", session=session) as end,
            ):
                assert end.session_reused == again
                end.sendall(PREFACE + settings())
                assert end.recv(4096)  # the ticket comes before it
                session = end.session


def test_others_are_served_during_a_handshake(host):
    """A client that stalls in its midst holds up nobody. (The board has memory for one connection.)"""
    with contextlib.ExitStack() as stack:
        for cut in (0, 3, 40):
            link = stack.enter_context(tcp(host))
            link.sendall(client_hello(X25519)[:cut])
        channel, greeter = stub(host)
        with channel:
            assert hello(greeter.SayHello) == "Hello, TLS!"


# --- A client that begins with X25519MLKEM768, as browsers and Go do ----------------------------------------------

SECP256R1, X25519, X25519MLKEM768 = 0x17, 0x1D, 0x11EC
SHARE_BYTES = {X25519: 32, X25519MLKEM768: 1216}
HELLO_RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")


def extension(kind, data):
    return struct.pack(">HH", kind, len(data)) + data


def listed(data, length=">H"):
    return struct.pack(length, len(data)) + data


def client_hello(*shares):
    groups = shares + tuple(group for group in (X25519, SECP256R1) if group not in shares)
    keys = b"".join(
        struct.pack(">HH", group, SHARE_BYTES[group])
        + bytes(range(1, 33)) * (SHARE_BYTES[group] // 32)
        for group in shares
    )
    extensions = (
        extension(0, listed(b"\0" + listed(b"localhost")))
        + extension(10, listed(struct.pack(">%dH" % len(groups), *groups)))
        + extension(13, listed(b"\x04\x03"))
        + extension(16, listed(listed(b"h2", ">B")))
        + extension(43, listed(b"\x03\x04", ">B"))
        + extension(51, listed(keys))
    )
    body = (
        b"\x03\x03"
        + bytes(range(32))
        + listed(bytes(32), ">B")
        + listed(b"\x13\x01")
        + b"\1\0"
        + listed(extensions)
    )
    handshake = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + listed(handshake)


def read_record(link):
    head = link.recv(5, socket.MSG_WAITALL)
    return head[0], link.recv(int.from_bytes(head[3:], "big"), socket.MSG_WAITALL)


@pytest.mark.parametrize("shares", [(X25519MLKEM768, X25519), (X25519MLKEM768,), (X25519,)])
def test_hello_retry(host, shares):
    """It is asked for a share of P-256. (grpcio's own hello has X25519 alone, so each of its handshakes goes on from
    there.)"""
    with tcp(host) as link:
        link.sendall(client_hello(*shares))
        kind, answer = read_record(link)
        assert (kind, answer[0], answer[6:38]) == (22, 2, HELLO_RETRY)
        assert extension(51, struct.pack(">H", SECP256R1)) in answer


# --- Peers that do it wrong ---------------------------------------------------------------------------------------


@BOTH
def test_wrong_protocol(host, version):
    assert (
        "no application protocol" in refused(host, context(version, protocols=["http/1.1"])).lower()
    )
    says(host, "no application protocol: the peer does not offer h2")


@BOTH
@pytest.mark.parametrize(
    "certificate,theirs,ours",
    [
        ("expired", "certificate has expired", "alert of the peer: certificate expired"),
        (
            "stranger",
            "unable to get local issuer certificate|self.signed",
            "alert of the peer: unknown CA",
        ),
        ("elsewhere", "Hostname mismatch|not valid for", "alert of the peer|truncated"),
    ],
)
def test_certificates_of_the_server(monkeypatch, version, certificate, theirs, ours):
    with started(monkeypatch, certificate=certificate) as server:
        assert re.search(theirs, refused(server, context(version)))
        says(server, "tls: .*(%s)" % ours)
        channel, greeter = stub(server, name="localhost")
        with channel, pytest.raises(grpc.RpcError) as error:
            hello(greeter.SayHello)
        assert error.value.code() == CODE.UNAVAILABLE
        assert server.process.poll() is None


@BOTH
@pytest.mark.parametrize(
    "certificate,theirs,ours",
    [
        (
            None,
            {"1.2": "handshake failure", "1.3": "certificate required"},
            "the client has no certificate",
        ),
        (
            "client_expired",
            {"1.2": "certificate expired", "1.3": "certificate expired"},
            "certificate expired",
        ),
        (
            "client_stranger",
            {"1.2": "unknown ca", "1.3": "unknown ca"},
            "certificate from an unknown CA",
        ),
    ],
)
def test_certificates_of_clients(monkeypatch, version, certificate, theirs, ours):
    with started(monkeypatch, clients="verified") as server:
        assert theirs[version] in refused(server, context(version, certificate)).lower()
        says(server, "tls: " + ours)
        channel, greeter = stub(server, "client")
        with channel:
            assert hello(greeter.Test) == "Test OK, TLS!"


def test_truncated(server):
    """The link ends without close_notify while a call is open: the call is cancelled, and that is told."""
    with Peer(server.port, context=context("1.2")) as peer:
        peer.start("/helloworld.Greeter/SayHello")
        raw = socket.socket(fileno=os.dup(peer.socket.fileno()))
        raw.shutdown(socket.SHUT_WR)
        says(server, "truncated: the peer closed without close_notify")
        raw.close()


def test_renegotiation(server):
    """TLS 1.2 allows it, HTTP/2 does not (9.2.1): openssl's R."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % server.port, "-tls1_2", "-alpn", "h2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said = b""
        while b"Verify return code" not in said:
            line = client.stdout.readline()
            assert line, said
            said += line
        client.stdin.write(b"R\n")
        client.stdin.flush()
        says(server, "renegotiation refused")
        assert b"no renegotiation" in client.communicate(timeout=SECONDS)[0].lower()
    finally:
        client.kill()
        client.wait()


def test_tiny_messages_at_once(host):
    """They wait in Mbed TLS's record, and in TCP behind that."""
    count = 500
    with Peer(host.port, context=context(), wait=False) as peer:
        peer.send(
            peer.headers(1, request("/simpletest.SimpleTest/PostAndPost")),
            frame(DATA, END_STREAM, 1, message("a") * count),
            peer.headers(3, request()),
            frame(DATA, END_STREAM, 3, message("behind")),
        )
        answer = peer.finish(1)
        assert answer.grpc_status == "0" and messages(answer.data) == ["Hello !! a"] * count
        assert messages(peer.finish(3).data)[0].startswith("Hello, behind")


def test_long_records():
    """The small profile takes no record over 4 KB, and says so to whom it ends with."""
    for server in use("lm3s6965evb", "tls"):
        with (
            Peer(server.port, context=context("1.2")) as peer,
            pytest.raises(ssl.SSLError) as error,
        ):
            peer.send(frame(0x77, 0, 0, bytes(8000)))
            while peer.socket.recv(4096):
                pass
        assert "record overflow" in str(error.value).lower()
        says(server, "record too long: it exceeds MBEDTLS_SSL_IN_CONTENT_LEN")


def test_what_is_no_tls(server):
    """As a client does that has forgotten it: the end, after an alert or without."""
    with tcp(server) as link:
        link.sendall(PREFACE + settings())
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while new := link.recv(100):
                said += new
        assert said[:1] in (b"", b"\x15")
    says(server, "tls: (not TLS|unexpected message|malformed|protocol version)")


def test_without_entropy(monkeypatch):
    """It does not start, and says why."""
    monkeypatch.setenv("GREETER_TLS_NO_ENTROPY", "1")
    done = subprocess.run(
        [os.path.join(ROOT, "build", "linux", "tls"), "--port", "0"],
        stdin=subprocess.DEVNULL,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
    )
    assert done.returncode != 0
    assert "no source of entropy" in done.stdout


def test_the_seed_is_named(server):
    """A board whose keys follow from a test seed says so; Linux has entropy."""
    said = any("NOT SECURE" in line and "TEST SEED" in line for line in server.output)
    assert said == (server.name == "lm3s6965evb")


# --- Our client -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "certificate,ours",
    [
        ("expired", "certificate expired"),
        ("stranger", "certificate from an unknown CA"),
        ("elsewhere", "certificate for another host"),
        (None, "no application protocol"),
    ],
)
def test_our_client_refuses(certificate, ours):
    """It sends nothing to a server that is not the one it was told of, or has no h2."""
    from interop import driver_pb2, driver_pb2_grpc

    got = []
    its_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    its_context.load_cert_chain(
        secure.path((certificate or "server") + ".pem"),
        secure.path((certificate or "server") + ".key"),
    )
    its_context.set_alpn_protocols(["h2"] if certificate else ["http/1.1"])

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                link = listener.accept()[0]
                with (
                    contextlib.suppress(OSError),
                    its_context.wrap_socket(link, server_side=True) as end,
                ):
                    got.append(end.recv(100))

    for server in use("posix", "interop_tls"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
            with grpc.secure_channel(
                "localhost:%d" % server.port, secure.channel_credentials()
            ) as channel:
                call = driver_pb2_grpc.DriverStub(channel).Run.future(
                    driver_pb2.RunRequest(
                        name="empty_unary", host="127.0.0.1", port=listener.getsockname()[1]
                    ),
                    timeout=SECONDS,
                )
                says(server, "tls: " + ours)
                call.cancel()
            listener.shutdown(socket.SHUT_RDWR)
        assert not any(got)
