# tests/certs.py - makes the test CAs, and good and bad certificates from them, below build/certs: make certs.
# Layer: tests. Source: openssl-ca(1); RFC 5280.
# SPDX-License-Identifier: Apache-2.0
"""Use: certs.py DIRECTORY   Needs the openssl program. Keys are new each time; dates are fixed. Writes NAME.pem and
NAME.key for each certificate, and certs.h, which holds the same as C arrays (DER): certs_NAME_crt, certs_NAME_key."""

import base64
import os
import re
import subprocess
import sys

VALID, EXPIRED = ("20250101000000Z", "20450101000000Z"), ("20200101000000Z", "20210101000000Z")
SERVER, CLIENT = "serverAuth", "clientAuth"
LOCAL = "DNS:localhost,DNS:device.test,IP:127.0.0.1,IP:::1"
# name: issuer, common name, use, alternative names, dates
CERTIFICATES = {
    "server": ("ca", "nanorpc test server", SERVER, LOCAL, VALID),
    "expired": ("ca", "nanorpc expired server", SERVER, LOCAL, EXPIRED),
    "elsewhere": ("ca", "nanorpc server elsewhere", SERVER, "DNS:elsewhere.test", VALID),
    "stranger": ("other", "nanorpc stranger", SERVER, LOCAL, VALID),
    "client": (
        "ca",
        "client-1",
        CLIENT,
        "DNS:client-1.test,URI:spiffe://nanorpc.test/client-1",
        VALID,
    ),
    "client_expired": ("ca", "client-expired", CLIENT, "DNS:client-expired.test", EXPIRED),
    "client_stranger": ("other", "client-stranger", CLIENT, "DNS:client-stranger.test", VALID),
}
CONFIG = """
[ca]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {use}
subjectAltName = {names}
"""


def openssl(*arguments):
    done = subprocess.run(
        ("openssl",) + arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit("certs: openssl %s\n%s" % (" ".join(arguments), done.stdout))


def sign(folder, name, issuer, common_name, use, names, dates):
    def path(ending, of=name):
        return os.path.join(folder, of + ending)

    with open(path(".cnf"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(dir=folder, use=use or SERVER, names=names or "DNS:none.test"))
    with open(path(".txt", "index"), "w", encoding="utf-8"):
        pass
    openssl(
        "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path(".key")
    )
    openssl(
        "req", "-new", "-key", path(".key"), "-subj", "/CN=" + common_name, "-out", path(".csr")
    )
    by = (
        ("-selfsign", "-keyfile", path(".key"))
        if issuer == name
        else ("-cert", path(".pem", issuer), "-keyfile", path(".key", issuer))
    )
    openssl(
        "ca",
        "-batch",
        "-notext",
        "-name",
        "ca",
        "-config",
        path(".cnf"),
        *by,
        "-in",
        path(".csr"),
        "-out",
        path(".pem"),
        "-startdate",
        dates[0],
        "-enddate",
        dates[1],
        "-extensions",
        "authority" if issuer == name else "leaf",
    )


def der(path):
    with open(path, encoding="utf-8") as file:
        return base64.b64decode(
            re.search(r"-----BEGIN [A-Z ]+-----(.*?)-----END", file.read(), re.S).group(1)
        )


def array(name, data):
    rows = [
        ", ".join("0x%02x" % byte for byte in data[at : at + 16]) for at in range(0, len(data), 16)
    ]
    return "static const unsigned char certs_%s[] = {\n    %s};\n" % (name, ",\n    ".join(rows))


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    for name in ("ca", "other"):
        sign(
            folder,
            name,
            name,
            "nanorpc test CA" if name == "ca" else "another CA",
            None,
            None,
            VALID,
        )
    for name, how in CERTIFICATES.items():
        sign(folder, name, *how)
    text = "/* Made by tests/certs.py: keys for tests, known to everybody. */\n"
    for name in ["ca", "other"] + list(CERTIFICATES):
        openssl(
            "ec",
            "-in",
            os.path.join(folder, name + ".key"),
            "-out",
            os.path.join(folder, name + ".sec1"),
        )
        text += array(name + "_crt", der(os.path.join(folder, name + ".pem")))
        text += array(name + "_key", der(os.path.join(folder, name + ".sec1")))
    with open(os.path.join(folder, "certs.h"), "w", encoding="utf-8") as file:
        file.write(text)
    for name in os.listdir(folder):
        if not name.endswith((".pem", ".key", ".h")) or re.match(r"[0-9A-F]{20,}\.pem", name):
            os.remove(os.path.join(folder, name))


if __name__ == "__main__":
    main()
