# tests/dist/dist.py - the source archive, build/dist/nanorpc-VERSION.tar.gz: one commit, one file.
# Layer: tests; run by `make dist`. Source: POSIX ustar; the SOURCE_DATE_EPOCH specification.
# SPDX-License-Identifier: Apache-2.0
"""Use: make dist

All that git tracks goes in, as it is in the folder now, in the order of its names, with one date for all: that of
the commit, or SOURCE_DATE_EPOCH. MANIFEST is added, date and list, so that an unpacked archive makes the same."""

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION_H = "nanorpc/version.h"
MANIFEST = "MANIFEST"
NOT_SOURCES = {"build", ".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache"}


def version(root=ROOT):
    """ "MAJOR.MINOR.PATCH" of nanorpc/version.h."""
    with open(os.path.join(root, VERSION_H), encoding="utf-8") as file:
        text = file.read()
    parts = [
        re.search(r"^#define NRPC_VERSION_%s (\d+)$" % part, text, re.M)
        for part in ("MAJOR", "MINOR", "PATCH")
    ]
    if None in parts:
        sys.exit("dist: %s does not say which version this is" % VERSION_H)
    return ".".join(part.group(1) for part in parts)


def git(root, *command):
    """What git says, or None: there is none, or the folder is not the top of its own repository."""
    try:
        top, said = (
            subprocess.run(
                ["git", *words], cwd=root, text=True, check=True, capture_output=True
            ).stdout
            for words in (["rev-parse", "--show-toplevel"], command)
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said if os.path.realpath(top.rstrip("\n")) == os.path.realpath(root) else None


def manifest(root):
    """(date, files) of an unpacked archive, or None."""
    try:
        with open(os.path.join(root, MANIFEST), encoding="utf-8") as file:
            date, *files = file.read().splitlines()
    except OSError:
        return None
    return int(date.partition(" ")[2]), files


def walk(root):
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return [path for path in found if not path.endswith(".pyc")]


def tree(root=ROOT):
    """The sources' paths below `root`: what git tracks, else what MANIFEST lists, else what is there."""
    tracked = git(root, "ls-files", "-z")
    listed = manifest(root)
    if tracked:
        files = tracked.rstrip("\0").split("\0")
    else:
        files = listed[1] if listed else walk(root)
    return sorted(set(files) - {MANIFEST})


def date(root):
    """Seconds since 1970 that all files get."""
    wanted = os.environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct")
    listed = manifest(root)
    return int(wanted) if wanted else listed[0] if listed else 0


def entry(name, content, executable, when):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), when, 0o755 if executable else 0o644
    return info, io.BytesIO(content)


def archive(root):
    """The bytes of the .tar.gz."""
    when, files, folder = date(root), tree(root), "nanorpc-%s/" % version(root)
    entries = [
        entry(folder + MANIFEST, "\n".join(["date %d" % when, *files, ""]).encode(), False, when)
    ]
    for name in files:
        path = os.path.join(root, name)
        if os.path.islink(path) or not os.path.isfile(path):
            sys.exit("dist: %s is tracked, but no file" % name)
        with open(path, "rb") as file:
            entries.append(entry(folder + name, file.read(), os.stat(path).st_mode & 0o100, when))
    packed = io.BytesIO()
    # GzipFile: the header that gzip.compress writes is not the same with each Python.
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for info, content in sorted(entries, key=lambda pair: pair[0].name):
                tar.addfile(info, content)
    return packed.getvalue()


def main():
    changed = git(ROOT, "status", "--porcelain")
    if changed:
        print("dist: NOTE: this is not what is committed:\n" + changed, end="", file=sys.stderr)
    path = os.path.join(ROOT, "build", "dist", "nanorpc-%s.tar.gz" % version())
    content = archive(ROOT)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    print("%s  %s" % (hashlib.sha256(content).hexdigest(), os.path.relpath(path, ROOT)))


if __name__ == "__main__":
    main()
