# tests/certs.py - makes the test CAs, and good and bad certificates from them, below build/certs: make certs.
# Layer: tests. Source: openssl-ca(1); RFC 5280.
# SPDX-License-Identifier: Apache-2.0
"""Use: certs.py DIRECTORY   Needs the openssl program. Keys are new each time; dates are fixed. Writes NAME.pem and
NAME.key for each certificate, and certs.h, which holds the same as C arrays (DER): certs_NAME_crt, certs_NAME_key
(keys of P-256 alone), certs_public_crt, both roots that are not P-256, and certs_server_pkcs8_key. Behind a
certificate that no root has signed stands the one that has."""

import base64
import os
import re
import subprocess
import sys

VALID, EXPIRED = ("20250101000000Z", "20450101000000Z"), ("20200101000000Z", "20210101000000Z")
SERVER, CLIENT = "serverAuth", "clientAuth"
LOCAL = "DNS:localhost,DNS:device.test,IP:127.0.0.1,IP:::1"
P256, P384 = (("EC", "ec_paramgen_curve:" + curve) for curve in ("P-256", "P-384"))
RSA2048, RSA4096 = (("RSA", "rsa_keygen_bits:" + bits) for bits in ("2048", "4096"))
# name: issuer, common name, key, digest that signs it. Those below "other" have the shapes of the public internet's:
# RSA all the way, P-384 all the way (Let's Encrypt's X1 and X2 with their R and E, Google's R1 and R4), and both.
AUTHORITIES = {
    "ca": ("ca", "nanorpc test CA", P256, "sha256"),
    "other": ("other", "another CA", P256, "sha256"),
    "rsa_root": ("rsa_root", "nanorpc RSA root", RSA4096, "sha256"),
    "rsa_middle": ("rsa_root", "nanorpc RSA CA", RSA2048, "sha256"),
    "p384_root": ("p384_root", "nanorpc P-384 root", P384, "sha384"),
    "p384_middle": ("p384_root", "nanorpc P-384 CA", P384, "sha384"),
    "cross_middle": ("rsa_root", "nanorpc P-384 CA of RSA", P384, "sha384"),
}
# name: key, digest that signs it; of the others P-256 and SHA-256
SIGNED = {
    "rsa_leaf": (RSA2048, "sha256"),
    "p384_signed": (P256, "sha384"),
    "cross_signed": (P256, "sha384"),
    "sha384_signed": (P256, "sha384"),
}
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
    "rsa_leaf": ("rsa_middle", "nanorpc server, RSA", SERVER, LOCAL, VALID),
    "rsa_signed": ("rsa_middle", "nanorpc server by RSA", SERVER, LOCAL, VALID),
    "p384_signed": ("p384_middle", "nanorpc server by P-384", SERVER, LOCAL, VALID),
    "cross_signed": ("cross_middle", "nanorpc server by P-384 by RSA", SERVER, LOCAL, VALID),
    "sha384_signed": ("ca", "nanorpc server by SHA-384", SERVER, LOCAL, VALID),
    "client_rsa_signed": ("rsa_middle", "client-rsa", CLIENT, "DNS:client-rsa.test", VALID),
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


def sign(folder, name, issuer, common_name, use, names, dates, key=P256, digest="sha256"):
    def path(ending, of=name):
        return os.path.join(folder, of + ending)

    with open(path(".cnf"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(dir=folder, use=use or SERVER, names=names or "DNS:none.test"))
    with open(path(".txt", "index"), "w", encoding="utf-8"):
        pass
    openssl("genpkey", "-algorithm", key[0], "-pkeyopt", key[1], "-out", path(".key"))
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
        "-md",
        digest,
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
        "leaf" if use else "authority",
    )
    if use and AUTHORITIES[issuer][0] != issuer:
        with open(path(".pem"), "a", encoding="utf-8") as file, open(path(".pem", issuer)) as its:
            file.write(its.read())


def der(path):
    with open(path, encoding="utf-8") as file:
        found = re.findall(r"-----BEGIN [A-Z ]+-----(.*?)-----END", file.read(), re.S)
    return b"".join(base64.b64decode(part) for part in found)


def array(name, data):
    rows = [
        ", ".join("0x%02x" % byte for byte in data[at : at + 16]) for at in range(0, len(data), 16)
    ]
    return "static const unsigned char certs_%s[] = {\n    %s};\n" % (name, ",\n    ".join(rows))


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    for name, (issuer, common_name, key, digest) in AUTHORITIES.items():
        sign(folder, name, issuer, common_name, None, None, VALID, key, digest)
    for name, how in CERTIFICATES.items():
        sign(folder, name, *how, *SIGNED.get(name, ()))
    text = "/* Made by tests/certs.py: keys for tests, known to everybody. */\n"
    for name in list(AUTHORITIES) + list(CERTIFICATES):
        text += array(name + "_crt", der(os.path.join(folder, name + ".pem")))
        if (AUTHORITIES[name][2] if name in AUTHORITIES else SIGNED.get(name, (P256,))[0]) == P256:
            openssl(
                "ec",
                "-in",
                os.path.join(folder, name + ".key"),
                "-out",
                os.path.join(folder, name + ".sec1"),
            )
            text += array(name + "_key", der(os.path.join(folder, name + ".sec1")))
    roots = [der(os.path.join(folder, name + ".pem")) for name in ("rsa_root", "p384_root")]
    text += array("public_crt", b"".join(roots))
    text += array("server_pkcs8_key", der(os.path.join(folder, "server.key")))
    with open(os.path.join(folder, "certs.h"), "w", encoding="utf-8") as file:
        file.write(text)
    for name in os.listdir(folder):
        if not name.endswith((".pem", ".key", ".h")) or re.match(r"[0-9A-F]{20,}\.pem", name):
            os.remove(os.path.join(folder, name))


if __name__ == "__main__":
    main()
