# tests/readme/test_readme.py - README.md and docs/ say what is so: generated parts, commands, names, paths, links.
# Layer: tests; the code blocks are test_pages.py's.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import pages
import readme
import targets
from conftest import ROOT
from pages import text_of

DOCUMENTS = pages.names()
SOURCES = ("nanorpc", "ports", "boards", "proto", "host-sim", "tests")
# Placeholders; what make makes; what a command writes; files that a user has.
NOT_HERE = re.compile(
    r"(build|\.venv|google/protobuf)/|.*\b(NAME|BOARD|my_)|(weather\.pcap|main\.c|app\.mk|lwipopts\.h|firmware\.elf)$"
)


def prose(text):
    return re.sub(r"^<!-- .*?-->$|^ *```.*?^ *```", "", text, flags=re.S | re.M)


def spans(text):
    return re.findall(r"`([^`\n]+)`", prose(text))


@pytest.fixture(scope="module")
def shown():
    """The names of all files that some page shows, and those that are generated of its .proto files."""
    files = {
        os.path.basename(block.words[0])
        for page in DOCUMENTS
        for block in pages.blocks(page)
        if block.check == "file"
    }
    return files, tuple(name[: -len("proto")] for name in files if name.endswith(".proto"))


@pytest.fixture(scope="module")
def sources():
    """All of our sources in one text."""
    found = [text_of("Makefile"), text_of("tests/budgets.ini")]
    for folder in SOURCES:
        for directory, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith(
                    (".c", ".h", ".py", ".mk", ".ld", ".proto", ".options", "nanorpc")
                ):
                    found.append(text_of(os.path.join(directory, name)))
    return "\n".join(found)


# --- What is generated -------------------------------------------------------------------------------------


def test_demo():
    """The transcript is what `make demo` prints; but the emulator's own warnings differ by version."""

    def ours(text):
        return [
            line
            for line in text.splitlines()
            if not line.startswith("board: ") or "nanorpc" in line
        ]

    assert ours(readme.block("demo")) == ours(readme.demo()), "run: make readme"


def test_boards():
    assert readme.block("boards") == readme.boards_block(), "run: make readme"


def test_speed():
    assert readme.block("speed") == readme.speed_block(), "run: make readme"


def number(text):
    return float(re.search(r"[\d.]+", text).group())


def close(is_, now, slack):
    """slack: below 1 a share, else a difference."""
    return abs(number(is_) - number(now)) <= (slack * number(now) if 0 < slack < 1 else slack)


def test_first_figures():
    """README.md has some of the figures, as docs/figures.md has them."""
    tools, lines = readme.read_figures(readme.block("figures"))
    assert readme.block("first-figures") == readme.figures_block(readme.first(lines), tools), (
        "run: make readme"
    )


def test_figures():
    """Budgets in any case; what was measured, on the compilers that it was measured with."""
    tools, lines = readme.read_figures(readme.block("figures"))
    rows = readme.figure_rows()
    assert [line[:2] for line in lines] == [line[:2] for line in readme.figure_lines({})], (
        "run: make readme"
    )
    for row, line in zip(rows, lines):
        assert re.search(r"\d", line.is_), (
            "not measured: %s; run: make readme ARGS=--rates" % row.what
        )
    if tools != readme.toolchain():
        pytest.skip("the figures were measured with %s, here is %s" % (tools, readme.toolchain()))
    now = readme.measure()
    wrong = [
        "%s: shown %s, is %s" % (row.what, line.is_, now.get(row.name))
        for row, line in zip(rows, lines)
        if row.slack is not None and not close(line.is_, now.get(row.name, "0"), row.slack)
    ]
    assert not wrong, "\n".join(wrong + ["run: make readme"])


# --- Commands ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def make_targets():
    done = subprocess.run(
        ["make", "-pqn"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return set(re.findall(r"^([\w.-]+):(?!=)", done.stdout, re.M))


def commands(name):
    """Each command line of the shell blocks that are not run, without its comment; each `make ...` of the text."""
    text = text_of(name)
    looked_up = [block.text for block in pages.blocks(name) if block.check == "commands"]
    joined = "\n".join(looked_up).replace("\\\n", " ")
    lines = [re.sub(r"\s+#.*", "", line) for line in joined.splitlines() if line.strip()]
    return [part.strip() for line in lines for part in line.split("&&")] + [
        span for span in spans(text) if span.startswith("make ")
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(name, make_targets):
    for command in commands(name):
        words = shlex.split(command)
        if not words or words[0] != "make":
            continue
        for word in words[1:]:
            if word.startswith("APP="):
                assert word[4:] == "NAME" or os.path.exists(
                    os.path.join(ROOT, "boards", "apps", word[4:], "app.mk")
                ), command
            elif "=" not in word and "NAME" not in word and "BOARD" not in word and word != "...":
                assert word in make_targets, command


OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def help_of(*command):
    done = subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return set(OPTION.findall(done.stdout))


@pytest.fixture(scope="module")
def helps():
    package = {
        "nanorpc " + name: help_of(sys.executable, "-B", "-m", "nanorpc", name, "--help")
        for name in ("ports", "monitor", "relay", "call", "generate")
    }
    return {
        **package,
        "sim": help_of("build/host-sim/greeter", "--help"),
        "run-linux": help_of("build/linux/greeter", "--help"),
        "bench": help_of(sys.executable, "tests/bench/bench.py", "--help"),
        "readme": help_of(sys.executable, "tests/readme/readme.py", "--help"),
        "relay": help_of(sys.executable, "host-sim/relay.py", "--help"),
        "size": {"--record", "--budgets"},
        "debug": help_of(sys.executable, "-B", "boards/tools/debug.py", "--help"),
        "emulate": {"--gdb"},  # of boards/rp2/emulator/emulate.mjs
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_options_exist(name, helps):
    """Of what `make TARGET ARGS=` starts, and of the relay; those that stand alone are some program's, or run."""
    for command in commands(name):
        found = re.match(
            r"make (\S+) .*ARGS=\"?([^\"]*)|python3 host-sim/(relay)\.py (.*)|(nanorpc \w+) (.*)",
            command,
        )
        target, options = [part for part in found.groups() if part] if found else ("", "")
        if target in helps:
            assert set(OPTION.findall(options)) <= helps[target], command
    alone = {
        option
        for span in spans(text_of(name))
        if span.startswith("--")
        for option in OPTION.findall(span)
    }
    ran = {
        option
        for page in DOCUMENTS
        for block in pages.blocks(page)
        if block.check in ("run", "serve")
        for option in OPTION.findall(block.text)
    }
    with open(
        os.path.join(ROOT, "proto", "nanorpc_generator", "with_nanopb.py"), encoding="utf-8"
    ) as file:
        plugin = set(OPTION.findall(file.read()))
    assert alone - ran - plugin - set().union(*helps.values()) - {"--gc-sections"} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_programs_exist(name):
    for command in commands(name):
        words = [word for word in shlex.split(command) if not re.match(r"\w+=", word)]
        if words and words[0] not in ("export", "cd", "make"):
            assert shutil.which(
                words[0], path=os.path.join(ROOT, ".venv", "bin") + ":" + os.environ["PATH"]
            ) or os.path.exists(os.path.join(ROOT, words[0])), command


# --- Names -------------------------------------------------------------------------------------------------


def is_path(span):
    return re.fullmatch(
        r"[\w.*-]+(/[\w.*-]*)+|[\w-]+\.(c|h|py|ini|mk|ld|md|proto|options)|Makefile|LICENSE", span
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_exist(name, shown):
    """A name without a folder may stand anywhere among the sources, or be a file that a page shows."""
    files, generated = shown
    for span in filter(
        is_path, spans(text_of(name)) + re.findall(r"\S+/\S+\.py", "\n".join(commands(name)))
    ):
        if NOT_HERE.match(span) or span in files or span.startswith(("application/", *generated)):
            continue
        places = [span] if "/" in span else [span, "**/" + span]
        assert any(
            path
            for place in places
            for path in glob.glob(os.path.join(ROOT, place), recursive=True)
        ), span


def anchors(text):
    """What a link to a heading is called."""
    titles = re.findall(r"^#+ (.*)$", prose(text), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    """To a file, and where they say so to a heading of it."""
    for target in re.findall(r"\]\(([^)]+)\)", prose(text_of(name))):
        file, _, heading = target.partition("#")
        path = os.path.join(ROOT, os.path.dirname(name), file) if file else os.path.join(ROOT, name)
        assert os.path.exists(path), target
        assert not heading or heading in anchors(text_of(os.path.relpath(path, ROOT))), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_identifiers_exist(name, sources):
    known = set(re.findall(r"[A-Za-z_]\w+", sources))
    lwip = re.compile(r"NO_SYS|LWIP_|MEMP_|TCP_|PBUF_|MEM_|TCPIP_")
    text = text_of(name)
    wanted = set(re.findall(r"\b(?:NRPC|nrpc|board|BOARD)_\w*[A-Za-z0-9]\b", text))
    wanted |= {span for span in spans(text) if re.fullmatch(r"[A-Z][A-Z0-9]+_[A-Z0-9_]+", span)}
    assert {
        word
        for word in wanted
        if "NAME" not in word
        and not lwip.match(word)
        and not word.startswith("GRPC_ARG_")  # grpcio's own
        and word not in known
        and not any(other.startswith(word + "_") for other in known)
    } == set()


def test_defaults(sources):
    """The tables of limits have config.h's defaults."""
    rows = [
        row
        for name in DOCUMENTS
        for row in re.findall(r"\| `(NRPC_\w+)` \| (\d+) \|", text_of(name))
    ]
    assert len(rows) > 4
    for name, value in rows:
        assert re.search(r"^#define %s %s$" % (name, value), sources, re.M), name


def known_tests():
    found = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "**", "*"), recursive=True):
        if path.endswith((".c", ".py")):
            found |= set(re.findall(r"RUN(?:_\w+)?\((\w+)\)|def (test_\w+)", text_of(path)))
    return {a or b for a, b in found}


def test_answers_name_their_tests():
    """docs/wire.md: each row's last cell names tests that exist."""
    known, rows = known_tests(), 0
    for row in re.findall(r"^\| (?!---|what )(.*) \|$", text_of("docs/wire.md"), re.M):
        tests = re.findall(r"`(\w+)`", row.split(" | ")[-1])
        assert tests, "no test: " + row
        assert set(tests) <= known, (row, set(tests) - known)
        rows += 1
    assert rows > 40


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_of_a_machine(name):
    text = text_of(name)
    assert not re.search(r"(?<![\w.])/(work|home|root|tmp|opt|usr)/", text)
    assert not re.search(r"https?://", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_lines_are_short(name):
    """Rows of tables cannot be broken; nor can what a program printed."""
    text = re.sub(
        r"^<!-- ([\w-]+): written by.*?^<!-- /\1 -->$", "", text_of(name), flags=re.S | re.M
    )
    long = [line for line in text.splitlines() if len(line) > 118 and not line.startswith("|")]
    assert not long, "\n".join(long)


def test_targets_of_the_tests():
    """The names that TARGETS= takes, as the pages have them."""
    values = [
        value for name in DOCUMENTS for value in re.findall(r'TARGETS="([^"]*)"', text_of(name))
    ]
    assert values
    assert {word for value in values for word in value.split()} <= set(targets.OURS)


def test_readme_is_a_front_door():
    """Short, and it leads to every page."""
    text = text_of("README.md")
    assert len(text.splitlines()) <= 200
    links = set(re.findall(r"\]\(((?:docs/)?[\w-]+\.md)\)", text)) - {"CHANGELOG.md"}
    assert links == set(DOCUMENTS) - {"README.md"}
