# tests/dist/test_dist.py - the source archive: the same bytes each time, and all that its users need is in it.
# Layer: tests. Source: README.md, whose thermometer is built from the archive and called.
# SPDX-License-Identifier: Apache-2.0
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile

import pytest

import dist
from conftest import ROOT

NAME = "nanorpc-" + dist.version()
EPOCH = "1700000000"
ENVIRONMENT = dict(
    {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"},
    GIT_CONFIG_GLOBAL=os.devnull,
    GIT_AUTHOR_DATE=EPOCH + " +0000",
    GIT_COMMITTER_DATE=EPOCH + " +0000",
)


def run(*command, cwd, **environment):
    done = subprocess.run(
        command,
        cwd=cwd,
        env=dict(ENVIRONMENT, **environment),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def make_dist(folder, **environment):
    """`make dist` there; the archive's path."""
    run("make", "-s", "dist", cwd=folder, **environment)
    (path,) = glob.glob(os.path.join(folder, "build", "dist", "*.tar.gz"))
    assert os.path.basename(path) == NAME + ".tar.gz"
    return path


def sum_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def litter(folder):
    """What is no source, in places where it often lies."""
    for path in ("build/linux/a.o", ".venv/ready", "tests/__pycache__/dist.pyc", "notes.txt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("nothing of ours")


def repository(folder, files, mask):
    """This tree's sources in a repository of their own, committed at EPOCH."""
    folder.mkdir()
    before = os.umask(mask)
    try:
        for path in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(os.path.join(ROOT, path), folder / path)
            if os.stat(os.path.join(ROOT, path)).st_mode & 0o100:
                (folder / path).chmod(0o777 & ~mask)
    finally:
        os.umask(before)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-f", "--", *files, cwd=folder)
    run("git", *author, "commit", "-q", "-m", "all", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_dist(repository(tmp_path_factory.mktemp("one") / "a", dist.tree(), 0o022))


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    """The archive in an empty folder, with the third-party sources and Python that are here already."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "-xzf", archive, cwd=folder)
    assert os.listdir(folder) == [NAME]
    return folder / NAME


@pytest.fixture(scope="module")
def furnished(unpacked):
    (unpacked / "build").mkdir(exist_ok=True)
    (unpacked / "build" / "third").symlink_to(os.path.join(ROOT, "build", "third"))
    (unpacked / ".venv").symlink_to(os.path.join(ROOT, ".venv"))
    return unpacked


# --- The bytes ---------------------------------------------------------------------------------------------


def test_same_bytes(archive, tmp_path):
    """Another folder, order of writing, umask, dates of files; and what is not tracked, though it lies there."""
    other = repository(tmp_path / "b", dist.tree()[::-1], 0o077)
    litter(other)
    assert sum_of(make_dist(other)) == sum_of(archive)


def test_same_bytes_from_the_archive(archive, tmp_path):
    """Unpacked, without git's help, it makes itself again."""
    run("tar", "-xzf", archive, cwd=tmp_path)
    litter(tmp_path / NAME)
    assert sum_of(make_dist(tmp_path / NAME)) == sum_of(archive)


def test_other_bytes(archive, tmp_path):
    """A changed file, another date: another archive. SOURCE_DATE_EPOCH is the date of all."""
    run("tar", "-xzf", archive, cwd=tmp_path)
    seen = {sum_of(archive)}
    seen.add(sum_of(make_dist(tmp_path / NAME, SOURCE_DATE_EPOCH="1600000000")))
    with tarfile.open(tmp_path / NAME / "build" / "dist" / (NAME + ".tar.gz")) as tar:
        assert {member.mtime for member in tar} == {1600000000}
    with open(tmp_path / NAME / "LICENSE", "a", encoding="utf-8") as file:
        file.write("\n")
    seen.add(sum_of(make_dist(tmp_path / NAME)))
    assert len(seen) == 3


def test_entries(archive):
    """In order, of nobody, with the commit's date; all that is tracked, and the list."""
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert set(names) == {NAME + "/" + path for path in dist.tree() + [dist.MANIFEST]}
    for member in members:
        assert member.isfile() and member.mtime == int(EPOCH), member.name
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
        assert member.mode in (0o644, 0o755), member.name
    assert [m.mode for m in members if m.name.endswith("/protoc-gen-nanorpc")] == [0o755]
    with open(archive, "rb") as file:
        head = file.read(10)
    assert head[3:8] == bytes(5)  # gzip: no name, no time


# --- What is in it -----------------------------------------------------------------------------------------


def test_all_can_be_built(furnished):
    """Every file that make wants for all images and for the tests is there, or has a rule."""
    for target in ("all", "test"):
        said = run("make", "-n", target, cwd=furnished)
        assert "lm3s6965evb/greeter.elf" in said


def readme_files(text):
    """{name: content} of the README's fences that a comment, or the paragraph before, calls a file."""
    found = {}
    for named in (
        r"^[^\n]*`([\w.]+\.(?:proto|options|c|py))`(?:(?!```)[^`])*?:\n\n```\w+\n(.*?)^```",
        r"^<!-- file: ([\w.]+)(?:(?!-->).)*?-->\n```\w+\n(.*?)^```",
    ):
        found.update(re.findall(named, text, re.S | re.M))
    return found


LINUX_MAIN = """
int main(void)
{
    if (nrpc_posix_listen(&server, "localhost", 0) != 0) return 1;
    printf("%u\\n", (unsigned)nrpc_posix_port());
    fflush(stdout);
    for (;;) nrpc_posix_poll(1000);
}
"""


def for_linux(code):
    """The README's service with the start of a program for Linux in the place of a board's."""
    body, found, _ = code.partition("int main(")
    assert found and "Thermometer_Read" in body and "NRPC_SERVER_DEFINE" in body
    ours = r'^#include "(board|ports/|nrpc_)[^\n]*\n'
    includes = '#include <stdio.h>\n#include "ports/posix/nrpc_posix.h"\n'
    return includes + re.sub(ours, "", body, flags=re.M) + LINUX_MAIN


def build(folder, home):
    """The README's thermometer, generated and compiled from the sources below `home`."""
    with open(home / "README.md", encoding="utf-8") as file:
        files = readme_files(file.read())
    (main,) = (name for name, text in files.items() if "Thermometer_Read(struct" in text)
    files[main] = for_linux(files[main])
    for name, content in files.items():
        (folder / name).write_text(content)
    nanopb = os.path.join(ROOT, os.environ.get("NANOPB_DIR") or "build/third/nanopb")
    run(
        *(sys.executable, "-B", "-m", "grpc_tools.protoc", "-I."),
        *("--python_out=.", "--grpc_python_out=."),
        "--plugin=protoc-gen-nanopb=%s/proto/protoc-gen-nanopb" % home,
        *("--nanopb_opt=-I.", "--nanopb_out=."),
        "--plugin=protoc-gen-nanorpc=%s/proto/protoc-gen-nanorpc" % home,
        *("--nanorpc_opt=-I.", "--nanorpc_out=."),
        "thermometer.proto",
        cwd=folder,
        PATH=os.path.join(ROOT, ".venv", "bin") + ":" + os.environ["PATH"],
        NANOPB_DIR=nanopb,
    )
    rooms = ("hpack", "http2", "grpc", "server", "client")
    sources = [path for room in rooms for path in glob.glob("%s/nanorpc/%s/*.c" % (home, room))]
    sources += glob.glob("%s/ports/posix/*.c" % home)
    sources += [main, "thermometer.pb.c", "thermometer.nrpc.c"]
    sources += ["%s/pb_%s.c" % (nanopb, name) for name in ("common", "decode", "encode")]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-I.", "-I" + str(home)]
    run("gcc", *flags, "-isystem", nanopb, *sources, "-pthread", "-o", "thermometer", cwd=folder)


def test_readme_service(furnished, tmp_path):
    """Built of nothing but the archive and third-party sources, it answers the README's client."""
    build(tmp_path, furnished)
    server = subprocess.Popen([tmp_path / "thermometer"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        client = (tmp_path / "read.py").read_text().replace(":50051", ":%d" % port)
        (tmp_path / "read_here.py").write_text(client)
        said = run(sys.executable, "-B", "read_here.py", cwd=tmp_path)
    finally:
        server.kill()
        server.communicate()
    assert said == "21500\n"
