# tests/dist/packages.py - the Python package: build/dist/python/, an sdist and a wheel.
# Layer: tests; run by `make dist`. Source: pyproject.toml; dist.py, whose archive is what they are built of.
# SPDX-License-Identifier: Apache-2.0
"""Use: make dist

Built in a folder of their own, of what dist.py archives: so nothing is written into the tree, and nothing goes in that
lies there by chance. The wheel is built of the sdist, with the tools of this interpreter's environment: no network."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import dist

FOLDER = os.path.join(dist.ROOT, "build", "dist", "python")


def build(folder, root=dist.ROOT):
    """Builds both into `folder`, which has nothing else then. Returns their paths, in the order of their names."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with tempfile.TemporaryDirectory() as sources:
        with tarfile.open(fileobj=io.BytesIO(dist.archive(root))) as tar:
            tar.extractall(sources)
        done = subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, "."],
            cwd=os.path.join(sources, "nanorpc-" + dist.version(root)),
            env=dict(os.environ, SOURCE_DATE_EPOCH=str(max(dist.date(root), 315532800))),  # zip: 1980
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if done.returncode:
        sys.exit("dist: the Python package cannot be built:\n" + done.stdout)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def main():
    for path in build(FOLDER):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        print("%s  %s" % (digest, os.path.relpath(path, dist.ROOT)))


if __name__ == "__main__":
    main()
