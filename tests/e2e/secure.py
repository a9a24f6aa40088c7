# tests/e2e/secure.py - the certificates of `make certs`, as grpcio and Python's ssl take them.
# Layer: tests. Source: RFC 7301; RFC 9113 3.2.
# SPDX-License-Identifier: Apache-2.0
import os
import ssl

import grpc

CERTS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build", "certs"
)
HOST = "localhost"  # which the server's certificate is for, beside 127.0.0.1


def path(name):
    return os.path.join(CERTS, name)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def channel_credentials():
    return grpc.ssl_channel_credentials(read("ca.pem"))


def server_credentials():
    return grpc.ssl_server_credentials([(read("server.key"), read("server.pem"))])


def client_context(ca="ca.pem"):
    context = ssl.create_default_context(cafile=path(ca))
    context.set_alpn_protocols(["h2"])
    return context


def server_context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path("server.pem"), path("server.key"))
    context.set_alpn_protocols(["h2"])
    return context
