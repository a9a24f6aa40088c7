# tests/readme/test_pages.py - README.md and docs/: every code block is compiled, run or looked up, by pages.py.
# Layer: tests. SPDX-License-Identifier: Apache-2.0
import difflib
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

import pages
import readme
from conftest import ROOT

NAMES = pages.names()
GENERATED = os.path.join(ROOT, "build", "gen")
STRICT = (
    "-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wmissing-prototypes -Werror -Wno-unused-parameter "
    "-Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable -fsyntax-only"
).split()


def environment():
    board = dict((name, variables) for name, _, variables in readme.boards())["lm3s6965evb"]
    # -flto: the board's objects need it.
    flags = board["BOARD_CFLAGS"].replace("$(SMALLEST)", "-flto") + " " + board["BOARD_LDFLAGS"]
    third = {
        name: os.path.join(ROOT, os.environ.get(name) or "build/third/" + folder)
        for name, folder in (
            ("NANOPB_DIR", "nanopb"),
            ("LWIP_DIR", "lwip"),
            ("MBEDTLS_DIR", "mbedtls"),
        )
    }
    return dict(
        os.environ,
        NANORPC=ROOT,
        **third,
        PATH=os.path.join(ROOT, ".venv", "bin") + ":" + os.environ["PATH"],
        HARNESS_PYTHON=sys.executable,
        HARNESS_LINK="arm-none-eabi-gcc -Wl,--gc-sections " + flags,
        HARNESS_EMULATOR=board["BOARD_EMULATOR"]
        .replace("$(PORT)", pages.PORT)
        .replace("$(IMAGE)", "firmware.elf"),
    )


def run(*command, cwd=ROOT):
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """page -> the folder with its files, and what the generators make of its .proto files."""
    made = {}

    def generate(page):
        if page not in made:
            made[page] = folder = tmp_path_factory.mktemp("generated")
            files = [block for block in pages.blocks(page) if block.check == "file"]
            for block in files:
                (folder / block.words[0]).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.words[0]).write_text(block.whole())
            for block in files:
                if block.words[0].endswith(".proto"):
                    done = protoc(folder, block.words[0])
                    refused = "refused" in block.words
                    assert (done.returncode != 0) == refused, block.where + ": " + done.stdout
        return made[page]

    return generate


def protoc(folder, proto):
    return run(
        *(sys.executable, "-m", "grpc_tools.protoc", "-I.", "-I" + os.path.join(ROOT, "proto")),
        *("--python_out=.", "--grpc_python_out=."),
        "--plugin=protoc-gen-nanopb=" + os.path.join(ROOT, "proto", "protoc-gen-nanopb"),
        *("--nanopb_opt=-I.", "--nanopb_out=."),
        "--plugin=protoc-gen-nanorpc=" + os.path.join(ROOT, "proto", "protoc-gen-nanorpc"),
        *("--nanorpc_opt=-I.", "--nanorpc_out=.", proto),
        cwd=folder,
    )


def blocks_of(page, *checks):
    return [block for block in pages.blocks(page) if block.check in checks]


@pytest.mark.parametrize("page", NAMES)
def test_every_block_is_claimed(page):
    pages.blocks(page)


def compile_c(block, folders, path):
    flags = [word for word in block.words if word.startswith(("-", "$"))]
    protos = [word for word in block.words if word not in flags]
    flags = [re.sub(r"\$(\w+)", lambda name: environment()[name.group(1)], word) for word in flags]
    kinds = ["nrpc"] + ["client"] * ("-DNRPC_CLIENT=1" in flags)
    path.write_text(
        block.whole("".join('#include "%s.%s.h"\n' % (p, k) for p in protos for k in kinds))
    )
    for compiler in ("gcc", "clang"):
        done = run(
            *[compiler, *STRICT, *flags, "-I" + ROOT],
            *["-I" + str(folder) for folder in folders],
            *["-isystem", environment()["NANOPB_DIR"], str(path)],
        )
        assert done.returncode == 0, block.where + ":\n" + done.stdout


def check_code(blocks, folders, tmp_path):
    for block in blocks:
        path = tmp_path / ("block%d.%s" % (block.line, {"python": "py"}.get(block.language, "c")))
        if block.language == "c":
            compile_c(block, folders, path)
        else:
            path.write_text(block.whole())
            done = run("ruff", "check", "--isolated", "--no-cache", "--select", "F", str(path))
            assert done.returncode == 0, block.where + ":\n" + done.stdout


@pytest.mark.parametrize("page", NAMES)
def test_code_compiles(page, generated, tmp_path):
    """C with both compilers; Python without undefined names. And each .proto of the page is what it claims."""
    folders = [generated(page), generated("README.md"), GENERATED]
    check_code(blocks_of(page, "compile"), folders, tmp_path)


def squeezed(line):
    return " ".join(line.split())


@pytest.mark.parametrize("page", NAMES)
def test_quotes(page):
    for block in blocks_of(page, "quote"):
        there = {squeezed(line) for line in pages.text_of(block.words[0]).splitlines()}
        for line in block.text.splitlines():
            assert not line.strip() or squeezed(line) in there, block.where + ": " + line


def tell(folder):
    """Where a page's script has stopped, and what was said there."""
    at = folder / ".story" / "at"
    outs = sorted((folder / ".story").glob("*.out"), key=os.path.getmtime)
    said = outs[-1].read_text() if outs else ""
    return "%s\n%s" % (at.read_text().strip() if at.exists() else "?", said)


def run_story(page, folder, readme_folder):
    blocks = pages.blocks(page)
    port = str(readme.free_port())
    copies = folder / ".readme"  # with the same port
    copies.mkdir()
    for path in filter(os.path.isfile, readme_folder.iterdir()):
        (copies / path.name).write_text(path.read_text().replace(pages.PORT, port))
    story = subprocess.Popen(
        ["bash", "-c", pages.script(blocks, str(folder), port)],
        cwd=folder,
        env={
            name: value.replace(pages.PORT, port)
            for name, value in dict(environment(), README=str(copies)).items()
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, errors = story.communicate(timeout=500)
        assert story.returncode == 0, tell(folder) + errors
    finally:
        try:  # what it has started and left running
            os.killpg(story.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    for said in (folder / ".story").glob("*.out"):
        assert "warning:" not in said.read_text(), said.read_text()
    check_outputs(blocks, folder, port)


def matches(shown, printed):
    pattern = "".join(
        "(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


def check_outputs(blocks, folder, port):
    last = None
    for number, block in enumerate(blocks):
        if block.check in ("run", "serve"):
            last = number
        if block.check == "output":
            printed = (folder / ".story" / ("%d.out" % last)).read_text()
            printed = printed.replace(port, pages.PORT)
            assert matches(block.text, printed), "%s:\n%s" % (
                block.where,
                "\n".join(difflib.ndiff(block.text.splitlines(), printed.splitlines())),
            )


@pytest.mark.parametrize("page", list(filter(pages.has_story, NAMES)))
def test_steps_work(page, generated, tmp_path):
    """The page's files and commands, one after another, in an empty folder."""
    run_story(page, tmp_path, generated("README.md"))


# --- The harness itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, why",
    [
        ("```c\nint x;\n```\n", "x:1: no check claims"),
        ("text\n\n```\nint x;\n```\n", "x:3: the block has no language"),
        ("```sh\nls\n", "x:1: the block has no end"),
        ("<!-- compile: -->\n```make\nall:\n```\n", "x:2: compile cannot check make"),
        ("<!-- compiled -->\n```c\nint x;\n```\n", "x:1: no such check"),
        ("<!-- run -->\n\n```sh\nls\n```\n", "x:1: no block follows"),
        ("<!-- compile: lines:1 -->\n```c\nint x;\nint y;\n```\n", "x:2: 2 lines, not 1"),
    ],
)
def test_unclaimed_blocks_are_found(text, why):
    with pytest.raises(pages.Problem, match=re.escape(why)):
        pages.blocks("x", text)


HANDLER = (
    "<!-- compile: helloworld %s -->\n```c\n"
    "enum nrpc_status Greeter_%s(struct nrpc_call *call, const HelloRequest *request, HelloReply *reply)\n"
    "{\n    return %s;\n}\n```\n"
)


@pytest.mark.parametrize(
    "text, why",
    [
        (HANDLER % ("", "SayHello", "NRPC_OK"), None),
        (HANDLER % ("", "SayHallo", "NRPC_OK"), "no previous prototype"),
        (HANDLER % ("", "SayHello", "request->name"), "incompatible types"),
        (HANDLER % ("-DNRPC_MAX_STREAMS=0", "SayHello", "NRPC_OK"), "NRPC_MAX_STREAMS: 1..1024"),
        ("<!-- compile: -->\n```python\nprint(1)\n```\n", None),
        ("<!-- compile: -->\n```python\nprint(one)\n```\n", "Undefined name"),
        ("<!-- compile:\none = 1\n-->\n```python\nprint(one)\n```\n", None),
    ],
)
def test_code_is_looked_at(text, why, tmp_path):
    blocks = pages.blocks("x", text)
    if why is None:
        check_code(blocks, [GENERATED], tmp_path)
    else:
        with pytest.raises(AssertionError, match=why):
            check_code(blocks, [GENERATED], tmp_path)


def story_of(text, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "text_of", lambda name: text)
    run_story("x", tmp_path, tmp_path)


def test_a_page_is_a_script(tmp_path, monkeypatch):
    """Files, exports, steps that are not shown; what fails is found, by line."""
    text = (
        "<!-- file: a.txt\none\n...\nthree\n-->\n```text\ntwo\n```\n<!-- do\nexport WORD=50051\n-->\n"
        "<!-- run -->\n```sh\ncat a.txt; echo $WORD\n```\n<!-- output -->\n```console\none\n...\n%s\n```\n"
        "<!-- run: fails -->\n```sh\nfalse\necho not reached\n```\n"
    )
    (tmp_path / "good").mkdir()
    story_of(text % "50051", tmp_path / "good", monkeypatch)
    (tmp_path / "bad").mkdir()
    with pytest.raises(AssertionError, match="x:17"):
        story_of(text % "50052", tmp_path / "bad", monkeypatch)
    (tmp_path / "worse").mkdir()
    with pytest.raises(AssertionError, match=r"x:2\n *no such thing"):
        story_of(
            "<!-- run -->\n```sh\necho no such thing; false\n```\n", tmp_path / "worse", monkeypatch
        )


def test_shell_words():
    """The parser of directives takes flags with quotes."""
    (block,) = pages.blocks("x", "<!-- compile: a '-DX=\"b c\"' -->\n```c\nint x;\n```\n")
    assert block.words == ["a", '-DX="b c"'] == shlex.split("a '-DX=\"b c\"'")
