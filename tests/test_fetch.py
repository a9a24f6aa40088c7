# tests/test_fetch.py - .ci/fetch: two makes that fetch at once do not take each other's sources away.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess

import pytest

from conftest import ROOT

TARBALL = os.path.join(ROOT, "build", "third", "nanopb_0.4.9.1.orig.tar.gz")


def fetch(folder, name="nanopb"):
    return subprocess.Popen(
        [os.path.join(ROOT, ".ci", "fetch"), name, str(folder / name)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def cache(tmp_path):
    if not os.path.exists(TARBALL):
        pytest.skip("there is no " + TARBALL)
    shutil.copy(TARBALL, tmp_path)
    return tmp_path


def test_two_at_once(cache):
    """Whoever is done reads what no other one removes, not even for a moment."""
    running = [fetch(cache) for _ in range(3)]
    places = []
    for process in running:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        places.append(os.stat(cache / "nanopb").st_ino)
        assert (cache / "nanopb" / "pb.h").exists()
    assert len(set(places)) == 1
    assert not [name for name in os.listdir(cache) if name.endswith((".new", ".old"))]


def test_what_is_there_stays(cache):
    assert fetch(cache).wait(300) == 0
    (cache / "nanopb" / "pb.h").write_text("read by a compiler just now")
    assert fetch(cache).wait(300) == 0
    assert (cache / "nanopb" / "pb.h").read_text() == "read by a compiler just now"


def test_another_version_replaces_it(cache):
    assert fetch(cache).wait(300) == 0
    (cache / "nanopb" / ".fetched").write_text("nanopb_0.4.8.orig.tar.gz 0\n")
    (cache / "nanopb" / "old.h").write_text("")
    assert fetch(cache).wait(300) == 0
    assert not (cache / "nanopb" / "old.h").exists()
    assert (cache / "nanopb" / "pb.h").exists()


def test_a_package(tmp_path):
    """What Debian has as a binary package of sources: what lies in its usr/src/, and nothing else."""
    package = os.path.join(ROOT, "build", "third", "tinyusb-source_0.18.0+dfsg-1_all.deb")
    if not os.path.exists(package):
        pytest.skip("there is no " + package)
    shutil.copy(package, tmp_path)
    assert fetch(tmp_path, "tinyusb").wait(300) == 0
    assert (tmp_path / "tinyusb" / "src" / "tusb.h").exists()
    assert not (tmp_path / "tinyusb" / "usr").exists()


CRATE = os.path.join(ROOT, "build", "third", "freertos-next-0.12.0.crate")


@pytest.mark.parametrize("more", [b"", b"x"])
def test_a_kernel_in_a_crate(tmp_path, more):
    """The folder is the kernel's own; a crate that is not the pinned one is refused and removed."""
    if not os.path.exists(CRATE):
        pytest.skip("there is no " + CRATE)
    with open(CRATE, "rb") as file:
        (tmp_path / os.path.basename(CRATE)).write_bytes(file.read() + more)
    process = subprocess.run(
        [os.path.join(ROOT, ".ci", "fetch"), "freertos", str(tmp_path / "freertos")],
        capture_output=True,
        text=True,
    )
    assert (process.returncode != 0) == bool(more)
    assert ("does not have the SHA-256" in process.stderr) == bool(more)
    assert (tmp_path / "freertos" / "tasks.c").exists() == (not more)
    assert (tmp_path / os.path.basename(CRATE)).exists() == (not more)
