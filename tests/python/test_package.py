# tests/python/test_package.py - the Python package as it is handed out: sdist, wheel, and what is installed from it.
# Layer: tests. Source: pyproject.toml, nanorpc/version.h.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "dist"))
import dist  # noqa: E402
import packages  # noqa: E402

FOLDERS = ("ports/python/nanorpc", "proto/nanorpc_generator")
SOURCES = {
    os.path.relpath(path, ROOT)
    for folder in FOLDERS
    for ending in ("*.py", "google/protobuf/*.options")
    for path in glob.glob(os.path.join(ROOT, folder, ending))
}
INSTALLED = {path.replace("ports/python/", "").replace("proto/", "", 1) for path in SOURCES}


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(sdist, wheel)"""
    before = set(dist.walk(ROOT))
    sdist, wheel = sorted(
        packages.build(str(tmp_path_factory.mktemp("built"))), key=lambda path: path.endswith("whl")
    )
    assert set(dist.walk(ROOT)) == before  # nothing was left in the tree
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The scripts' folder of a fresh environment with the wheel; what it depends on is that of ours."""
    folder = str(tmp_path_factory.mktemp("venv"))
    run(sys.executable, "-m", "venv", folder)
    python = os.path.join(folder, "bin", "python")
    quiet = ("--disable-pip-version-check", "--quiet", "--no-index", "--no-deps")
    run(python, "-m", "pip", "install", *quiet, built[1])
    (site,) = glob.glob(os.path.join(folder, "lib", "python3*", "site-packages"))
    with open(os.path.join(site, "ours.pth"), "w", encoding="utf-8") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    return os.path.join(folder, "bin")


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_names(built):
    sdist, wheel = map(os.path.basename, built)
    assert sdist == "nanorpc-%s.tar.gz" % dist.version()
    assert wheel == "nanorpc-%s-py3-none-any.whl" % dist.version()


def test_contents(built):
    """All sources, and nothing of the firmware's but its version."""
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (metadata,) = [wheel.read(n).decode() for n in wheel.namelist() if n.endswith("METADATA")]
    assert names == INSTALLED
    for line in (
        "Version: " + dist.version(),
        "Requires-Python: >=3.9",
        "License-Expression: Apache-2.0",
    ):
        assert line in metadata.splitlines()
    for name in ("grpcio", "grpcio-tools", "nanopb", "protobuf", "pyserial"):
        assert "Requires-Dist: " + name in metadata
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    names = {name for name in names if "." in name and ".egg-info" not in name}
    extra = {name for name in names if not name.startswith(("ports/python/", "proto/"))}
    assert extra == {
        "MANIFEST.in",
        "nanorpc/version.h",
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
    }
    assert SOURCES < names


def test_same_wheel_again(built, tmp_path):
    again = [path for path in packages.build(str(tmp_path / "again")) if path.endswith(".whl")]
    with open(built[1], "rb") as one, open(again[0], "rb") as two:
        assert one.read() == two.read()


def test_installed(installed, tmp_path):
    """The command and the module are those of the wheel, and know which version they are."""
    command = os.path.join(installed, "nanorpc")
    said = run(command, "--help", cwd=tmp_path, env=ENVIRONMENT)
    for name in ("ports", "monitor", "relay", "call", "generate"):
        assert name in said
    said = run(command, "--version", cwd=tmp_path, env=ENVIRONMENT)
    assert said == "nanorpc %s\n" % dist.version()
    code = "import nanorpc; print(nanorpc.__file__, nanorpc.__version__, nanorpc.serial_channel.__name__)"
    said = run(os.path.join(installed, "python"), "-c", code, cwd=tmp_path, env=ENVIRONMENT)
    path, version, name = said.split()
    assert path.startswith(os.path.dirname(installed)) and (version, name) == (
        dist.version(),
        "serial_channel",
    )


def test_installed_generator(installed, tmp_path):
    """It is the wheel's, with nanopb's of PyPI, and bounds for Google's messages; also as a plugin of protoc's."""
    text = 'syntax = "proto3"; import "google/protobuf/any.proto"; message M { google.protobuf.Any a = 1; }'
    (tmp_path / "m.proto").write_text(text + " service S { rpc Do(M) returns (M); }")
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "NANOPB_DIR"}
    run(os.path.join(installed, "nanorpc"), "generate", "m.proto", cwd=tmp_path, env=environment)
    for name in ("m.nrpc.c", "m.pb.h", "google/protobuf/any.pb.c"):
        assert (tmp_path / name).exists()
    plugin = "--plugin=" + os.path.join(installed, "protoc-gen-nanorpc")
    python = os.path.join(installed, "python")
    run(python, "-m", "grpc_tools.protoc", plugin, "-I.", "--nanorpc_out=out", "m.proto",
        cwd=(tmp_path / "out").mkdir() or tmp_path, env=environment)  # fmt: skip
    assert (tmp_path / "out" / "m.nrpc.c").read_text() == (tmp_path / "m.nrpc.c").read_text()


def test_python_is_not_too_new():
    """The oldest Python that is promised compiles the sources, as far as this one can tell."""
    import ast

    for name in sorted(n for n in SOURCES if n.endswith(".py")):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            ast.parse(file.read(), feature_version=(3, 9))
