# tests/readme/test_readme.py - README.md and docs/ say what is so: code, commands, names, paths, figures.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import readme
import targets
from conftest import ROOT

DOCUMENTS = ["README.md"] + sorted(
    "docs/" + os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "docs", "*.md"))
)
SOURCES = ("nanorpc", "ports", "boards", "proto", "host-sim", "tests")
# Made by the user, or by make.
NOT_HERE = re.compile(
    r"(build|\.venv)/|.*\b(NAME|thermometer|my_|MODULE)|read\.py$|weather\.pcap$|main\.c$"
)


def text_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def fences(text, language):
    return re.findall(r"^```%s\n(.*?)^```" % language, text, re.S | re.M)


def prose(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def spans(text):
    return re.findall(r"`([^`\n]+)`", prose(text))


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

    assert ours(readme.block(text_of("README.md"), "demo")) == ours(readme.demo()), (
        "run: make readme"
    )


def test_boards():
    assert readme.block(text_of("README.md"), "boards") == readme.boards_block(), "run: make readme"


def number(text):
    return float(re.search(r"[\d.]+", text).group())


def close(is_, now, slack):
    """slack: below 1 a share, else a difference."""
    return abs(number(is_) - number(now)) <= (slack * number(now) if 0 < slack < 1 else slack)


def test_figures():
    """Budgets in any case; what was measured, on the compilers that it was measured with."""
    tools, lines = readme.read_figures(readme.block(text_of("README.md"), "figures"))
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
        "%s: README %s, is %s" % (row.what, line.is_, now.get(row.name))
        for row, line in zip(rows, lines)
        if row.slack is not None and not close(line.is_, now.get(row.name, "0"), row.slack)
    ]
    assert not wrong, "\n".join(wrong + ["run: make readme"])


# --- The service in 15 lines -------------------------------------------------------------------------------


def shown_files(text):
    """{name: content}: a fence after a paragraph that begins or ends with the file's name."""
    named = r"^[^\n]*`([\w.]+\.(?:proto|options|c|py))`(?:(?!```)[^`])*?:\n\n```\w+\n(.*?)^```"
    return dict(re.findall(named, text, re.S | re.M))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The README's files in a folder, generated and compiled by the README's commands, and linked."""
    folder = tmp_path_factory.mktemp("service")
    text = text_of("README.md")
    for name, content in shown_files(text).items():
        (folder / name).write_text(content)
    commands = [fence for fence in fences(text, "sh") if "$NANORPC" in fence]
    assert len(commands) == 2
    script = "set -e\n" + "\n".join(commands).replace("gcc -c", "gcc -Wall -Wextra -Werror -c")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(os.environ, NANORPC=ROOT),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    link(folder)
    return folder


def link(folder, tree=os.path.join(ROOT, "build", "lm3s6965evb"), more=()):
    """With the start-up code, drivers and lwIP that the board's own image has."""
    board = dict((name, variables) for name, _, variables in readme.boards())["lm3s6965evb"]
    others = glob.glob(tree + "/lwip/**/*.o", recursive=True) + glob.glob(tree + "/boards/*/*.o")
    assert others, "lm3s6965evb is not built: run make"
    cflags = board["BOARD_CFLAGS"].replace("$(SMALLEST)", "-flto")  # the board's objects need it
    done = subprocess.run(
        ["arm-none-eabi-gcc", "-Wl,--gc-sections", "-o", str(folder / "thermometer.elf")]
        + shlex.split(cflags + " " + board["BOARD_LDFLAGS"])
        + glob.glob(str(folder / "*.o"))
        + others
        + list(more),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout


def test_service_is_short():
    body = shown_files(text_of("README.md"))["main.c"]
    lines = [line for line in body.splitlines() if line.strip() not in ("", "{", "}")]
    assert len(lines) <= 15, len(lines)


def test_service_answers(service):
    """It boots in the emulator, and the README's client gets the reading."""
    assert answer_to((service / "read.py").read_text(), service) == (0, "21500\n")


def answer_to(client, folder):
    """What a client prints that talks to the folder's image, in the emulator."""
    port = readme.free_port()
    board = dict((name, variables) for name, _, variables in readme.boards())["lm3s6965evb"]
    emulator = subprocess.Popen(
        shlex.split(board["BOARD_QEMU"].replace("$(PORT)", str(port)))
        + ["-kernel", str(folder / "thermometer.elf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = client.replace("localhost:50051", "127.0.0.1:%d" % port)
        client = client.replace('insecure_channel("127', 'insecure_channel(target="127')
        (folder / "read_here.py").write_text(
            client.replace("timeout=20", "timeout=60, wait_for_ready=True")
        )
        done = subprocess.run(
            [sys.executable, "read_here.py"],
            cwd=folder,
            text=True,
            timeout=120,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    finally:
        emulator.terminate()
        emulator.wait(10)
    return done.returncode, done.stdout


STRANGER = """
import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

with grpc.insecure_channel("localhost:50051") as channel:
    request = health_pb2.HealthCheckRequest(service="Thermometer")
    print(health_pb2_grpc.HealthStub(channel).Check(request, timeout=20).status)
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName("Thermometer").methods_by_name["Read"]
    ask, told = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
    call = channel.unary_unary("/Thermometer/Read", ask.SerializeToString, told.FromString)
    print(call(ask(sensor="case"), timeout=20).millidegrees)
"""


def test_services_answer(service, tmp_path):
    """The same with the section's lines in the place of one: its health, and a client without the .proto."""
    define = next(
        fence for fence in fences(text_of("README.md"), "c") if "NRPC_HEALTH_DEFINE" in fence
    )
    for path in service.iterdir():
        if path.suffix in (".c", ".h"):
            shutil.copy(path, tmp_path)
    main = (tmp_path / "main.c").read_text()
    assert main.count("NRPC_SERVER_DEFINE") == 1
    (tmp_path / "main.c").write_text(re.sub(r"^NRPC_SERVER_DEFINE.*\n", define, main, flags=re.M))
    command = next(fence for fence in fences(text_of("README.md"), "sh") if "gcc -c" in fence)
    command = command.replace(
        "thermometer.nrpc.c",
        'thermometer.nrpc.c thermometer.desc.c "$NANORPC"/nanorpc/services/*.c',
    )
    environment = dict(
        os.environ, NANORPC=ROOT, NANOPB_DIR=os.path.join(ROOT, "build", "third", "nanopb")
    )
    done = subprocess.run(
        ["bash", "-c", command.replace("gcc -c", "gcc -Wall -Wextra -Werror -DNRPC_PIECES=1 -c")],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    link(tmp_path)
    assert answer_to(STRANGER, tmp_path) == (0, "1\n21500\n")


SECURE = """
import grpc, thermometer_pb2, thermometer_pb2_grpc

%s
with channel:
    stub = thermometer_pb2_grpc.ThermometerStub(channel)
    print(stub.Read(thermometer_pb2.ReadRequest(sensor="case"), timeout=20).millidegrees)
"""


def test_tls_answers(service, tmp_path):
    """The same with the section's lines: they are 10, and the README's secure channel gets the reading."""
    section = re.search(r"^## TLS\n.*?(?=^## )", text_of("README.md"), re.S | re.M).group()
    (code,), (flags,), (python,) = (
        fences(section, "c"),
        fences(section, "text"),
        fences(section, "python"),
    )
    assert len([line for line in code.splitlines() if line.strip() not in ("", "{", "}")]) <= 10
    for path in service.iterdir():
        if path.suffix in (".c", ".h", ".py"):
            shutil.copy(path, tmp_path)
    main = (tmp_path / "main.c").read_text()
    main = re.sub(r"^NRPC_SERVER_DEFINE.*\n", lambda _: code, main, flags=re.M).replace(
        "board_init();", "board_init(); start_tls();"
    )
    (tmp_path / "main.c").write_text(main)
    command = next(
        fence for fence in fences(text_of("README.md"), "sh") if "gcc -c" in fence
    ).rstrip()
    command = command.replace(
        "gcc -c", "gcc -Wall -Wextra -Werror -DNRPC_TLS_TEST_SEED=1 -I$NANORPC/build/certs -c"
    )
    tree = os.path.join(ROOT, "build", "lm3s6965evb-tls")
    flags = flags.replace(
        '-I"$NANORPC/build/third/mbedtls/include"', '-isystem "$MBEDTLS_DIR/include"'
    ).split("\n")
    third = {
        name: os.path.join(
            ROOT, os.environ.get(name) or os.path.join("build", "third", folder)
        )  # make's may be relative
        for name, folder in (("NANOPB_DIR", "nanopb"), ("MBEDTLS_DIR", "mbedtls"))
    }
    environment = dict(os.environ, NANORPC=ROOT, **third)
    done = subprocess.run(
        ["bash", "-c", " \\\n".join([command] + flags)],
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    link(tmp_path, tree, glob.glob(tree + "/mbedtls/*.o"))
    python = python.replace("build/certs", os.path.join(ROOT, "build", "certs"))
    assert answer_to(SECURE % python, tmp_path) == (0, "21500\n")


def test_client_compiles(service, tmp_path):
    """The section's lines, with the stubs that the README's commands have written."""
    code = next(
        fence for fence in fences(text_of("README.md"), "c") if "NRPC_CHANNEL_DEFINE" in fence
    )
    lines = [
        line for line in code.splitlines() if line.strip() not in ("", "{", "}", "(void)call;")
    ]
    assert len(lines) <= 20, len(lines)
    (tmp_path / "calls.c").write_text(
        '#include "board.h"\n#include "nrpc_lwip_dial.h"\n#include "thermometer.client.h"\n'
        "void show(int32_t millidegrees);\n"
        "void begin(void);\nvoid ask(void);\n" + code
    )
    nanopb = os.environ.get("NANOPB_DIR") or os.path.join(ROOT, "build", "third", "nanopb")
    for source in (tmp_path / "calls.c", service / "thermometer.client.c"):
        done = subprocess.run(
            [
                "gcc",
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fsyntax-only",
                "-DNRPC_CLIENT=1",
                "-I" + str(service),
                "-I.",
                "-Iboards",
                "-isystem",
                nanopb,
                str(source),
            ],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout


def test_streamed_fields_compile(tmp_path):
    """The lines of C of that section are handlers of proto/blobs.proto, whose .options has its line."""
    section = re.search(
        r"^## Messages larger than memory.*?(?=^## )", text_of("README.md"), re.S | re.M
    ).group()
    (line,) = fences(section, "text")
    assert line.split() in [row.split() for row in text_of("proto/blobs.options").splitlines()]
    code = "".join(fences(section, "c"))
    (tmp_path / "handlers.c").write_text(
        '#include "blobs.nrpc.h"\nint flash_write(uint32_t at, const void *data, size_t n);\n'
        "size_t flash_read(uint32_t at, void *buf, size_t n);\n" + code
    )
    nanopb = os.environ.get("NANOPB_DIR") or os.path.join(ROOT, "build", "third", "nanopb")
    done = subprocess.run(
        [
            "gcc",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wno-unused-parameter",
            "-Wmissing-prototypes",
            "-Werror",
            "-fsyntax-only",
            "-DNRPC_PIECES=1",
            "-Ibuild/gen",
            "-I.",
            "-isystem",
            nanopb,
            str(tmp_path / "handlers.c"),
        ],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout


# --- Commands ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def make_targets():
    done = subprocess.run(
        ["make", "-pqn"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return set(re.findall(r"^([\w.-]+):(?!=)", done.stdout, re.M))


def commands(name):
    """Each command line of the document's shell fences, its comment removed, and each `make ...` in the text."""
    text = text_of(name)
    joined = "\n".join(fences(text, "sh")).replace("\\\n", " ")
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
            if "=" not in word and "NAME" not in word and "BOARD" not in word and word != "...":
                assert word in make_targets, command


OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def help_of(*command):
    done = subprocess.run(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return set(OPTION.findall(done.stdout))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_options_exist(name):
    """Of what `make TARGET ARGS=` starts; and those that the text names alone are the simulator's."""
    helps = {
        "sim": help_of("build/host-sim/greeter", "--help"),
        "run-linux": help_of("build/linux/greeter", "--help"),
        "bench": help_of(sys.executable, "tests/bench/bench.py", "--help"),
        "readme": help_of(sys.executable, "tests/readme/readme.py", "--help"),
        "size": {"--record", "--budgets"},
    }
    for command in commands(name):
        found = re.match(r"make (\S+) .*ARGS=\"?([^\"]*)", command)
        if found and found.group(1) in helps:
            assert set(OPTION.findall(found.group(2))) <= helps[found.group(1)], command
    alone = {
        option
        for span in spans(text_of(name))
        if span.startswith("--")
        for option in OPTION.findall(span)
    }
    assert alone - helps["sim"] - {"--gc-sections"} == set()


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
def test_paths_exist(name):
    """A name without a folder may stand anywhere among the sources."""
    for span in filter(
        is_path, spans(text_of(name)) + re.findall(r"\S+/\S+\.py", "\n".join(commands(name)))
    ):
        if (
            NOT_HERE.match(span)
            or "/" in span
            and span.split("/")[0] in ("application", "tests/unit")
        ):
            continue
        places = [span] if "/" in span else [span, "**/" + span]
        assert any(
            path
            for place in places
            for path in glob.glob(os.path.join(ROOT, place), recursive=True)
        ), span


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)]+)\)", prose(text_of(name))):
        assert os.path.exists(os.path.join(ROOT, os.path.dirname(name), target)), target


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
        and word not in known
        and not any(other.startswith(word + "_") for other in known)
    } == set()


def test_defaults(sources):
    """README's table of limits has config.h's defaults."""
    rows = re.findall(r"\| `(NRPC_\w+)` \| (\d+) \|", text_of("README.md"))
    assert len(rows) > 4
    for name, value in rows:
        assert re.search(r"^#define %s %s$" % (name, value), sources, re.M), name


def known_tests():
    found = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "**", "*"), recursive=True):
        if path.endswith((".c", ".py")):
            found |= set(re.findall(r"RUN\((\w+)\)|def (test_\w+)", text_of(path)))
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
    assert max(map(len, text.splitlines())) < 400


def test_targets_of_the_tests():
    """The names that TARGETS= takes, as README has them."""
    for value in re.findall(r'TARGETS="([^"]*)"', text_of("README.md")):
        assert set(value.split()) <= set(targets.OURS)
