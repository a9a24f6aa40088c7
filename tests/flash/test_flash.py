# tests/flash/test_flash.py - `make flash-BOARD`: which tool, what it is told, and what is said when it does not work.
# Layer: tests. Source: boards/tools/flash.py, docs/flashing.md.
# SPDX-License-Identifier: Apache-2.0
"""The tools are made up: programs that write down how they were called, and print what words.py says. What the drives
are: folders, and a file like /proc/mounts."""

import argparse
import os
import re
import stat
import subprocess
import sys
import threading
import time

import pytest
import words

from conftest import ROOT

FLASH = os.path.join(ROOT, "boards", "tools", "flash.py")
sys.path.insert(0, os.path.dirname(FLASH))
import flash  # noqa: E402  (it stands there)

ALL_TOOLS = "uf2 picotool openocd pyocd st-flash"
BOARD = "BOARD"
SECONDS = 60  # for what must happen, however slow the machine is


class Place:
    """A folder with an image in its formats, a PATH of made-up tools alone, and a made-up root of mounted drives."""

    def __init__(self, path):
        self.path, self.bin, self.root = path, path / "bin", path / "root"
        for folder in (self.bin, self.root / "proc", self.root / "dev/disk/by-label"):
            folder.mkdir(parents=True)
        for ending in ("elf", "bin", "hex", "uf2"):
            (path / ("greeter." + ending)).write_bytes(ending.encode() * 5000)
        (self.root / "proc/mounts").write_text("proc /proc proc rw 0 0\n")

    def tool(self, name, status, text):
        said, program = self.path / (name + ".says"), self.bin / name
        said.write_text(text)
        program.write_text(
            '#!/bin/sh\nprintf "%%s\\n" "$@" > %s.called\nexec 3< %s\nwhile IFS= read -r line <&3; do\n'
            '    printf "%%s\\n" "$line"\ndone\nexit %d\n' % (self.path / name, said, status)
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def called(self, name):
        """Its arguments; None: it was not called."""
        path = self.path / (name + ".called")
        return path.read_text().splitlines() if path.exists() else None

    def drive(self, name, board_id="", device="sdb1", kind="vfat"):
        folder = self.root / "media/me" / name
        folder.mkdir(parents=True)
        (self.root / "dev" / device).write_text("")
        if board_id:
            (folder / "INFO_UF2.TXT").write_text(
                "UF2 Bootloader v3.0\r\nModel: A\r\nBoard-ID: %s\r\n" % board_id
            )
        with open(self.root / "proc/mounts", "a") as file:
            file.write(
                "/dev/%s /media/me/%s %s rw 0 0\n" % (device, name.replace(" ", "\\040"), kind)
            )
        return folder

    def flash(self, tools, *more, drive="RPI-RP2", drive_seconds=SECONDS):
        return subprocess.run(
            [
                sys.executable,
                "-B",
                FLASH,
                BOARD,
                str(self.path / "greeter.elf"),
                "--tools",
                tools,
                "--drive",
                drive,
            ]
            + [
                "--openocd",
                "interface/a.cfg target/b.cfg",
                "--openocd-khz",
                "5000",
                "--pyocd",
                "a-chip",
            ]
            + [
                "--stflash",
                "0x08000000",
                "--root",
                str(self.root),
                "--drive-seconds",
                str(drive_seconds),
                *more,
            ],
            env={"PATH": str(self.bin)},
            cwd=self.path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=3 * SECONDS,
        )


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def lines(done):
    found = done.stdout.splitlines()
    assert found and all(line.startswith("flash-%s: " % BOARD) for line in found), done.stdout
    return [line.split(": ", 1)[1] for line in found]


# --- Tools ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", words.ALL, ids=lambda case: "%s: %s" % (case.tool, case.name))
def test_words(place, case):
    """One clear sentence, not the tool's page; the page is kept."""
    place.tool(case.tool, case.status, case.text)
    done = place.flash(case.tool)
    said = lines(done)
    assert case.says in done.stdout, done.stdout
    assert done.returncode == (0 if case.kind == "done" else 1)
    assert len(said) <= 3 and not any(
        line in said for line in case.text.splitlines() if len(line) > 20
    )
    assert (place.path / "flash.log").read_text() == case.text
    if case.kind in ("nobody", "unknown"):
        assert said[-1].startswith("nothing was written. Next: ")
    elif case.kind != "done":
        assert said[-1].endswith(
            "all that %s printed is in %s" % (case.tool, place.path / "flash.log")
        )


def test_what_they_are_told(place):
    for case in words.ALL:
        if case.kind == "nobody":
            place.tool(case.tool, case.status, case.text)
    assert place.flash(ALL_TOOLS).returncode == 1
    elf, uf2, flat = (str(place.path / ("greeter." + ending)) for ending in ("elf", "uf2", "bin"))
    assert place.called("picotool") == ["load", "-f", "-v", "-x", uf2]
    assert place.called("openocd") == (
        ["-f", "interface/a.cfg", "-f", "target/b.cfg", "-c", "adapter speed 5000"]
        + ["-c", "program {%s} verify reset exit" % elf]
    )
    assert place.called("pyocd") == ["flash", "-W", "-t", "a-chip", elf]
    assert place.called("st-flash") == ["--reset", "write", flat, "0x08000000"]


def named(tool, kind):
    return next(case for case in words.ALL if (case.tool, case.kind) == (tool, kind))


def test_the_first_that_finds_the_board(place):
    """In the board's order; those that are not there, or find nobody, are named, with their packages."""
    for tool, kind in (("picotool", "nobody"), ("pyocd", "done"), ("st-flash", "done")):
        place.tool(tool, named(tool, kind).status, named(tool, kind).text)
    done = place.flash(ALL_TOOLS)
    assert done.returncode == 0, done.stdout
    said = "\n".join(lines(done))
    order = (
        "no drive RPI-RP2",
        "no board in BOOTSEL mode",
        "openocd is not installed (Debian: openocd)",
    )
    places = [said.index(text) for text in (*order, "pyocd has written")]
    assert places == sorted(places)
    assert place.called("st-flash") is None


def test_one_that_fails_ends_it(place):
    """Another tool would only find the same board."""
    place.tool("openocd", 1, named("openocd", "verify").text)
    place.tool("pyocd", 0, named("pyocd", "done").text)
    done = place.flash("openocd pyocd")
    assert done.returncode == 1 and place.called("pyocd") is None


def test_nothing_is_there(place):
    done = place.flash(ALL_TOOLS)
    assert done.returncode == 1
    assert lines(done) == [
        "no drive RPI-RP2 is mounted",
        "picotool is not installed (Debian 13: picotool)",
        "openocd is not installed (Debian: openocd)",
        "pyocd is not installed (PyPI: pyocd)",
        "st-flash is not installed (Debian: stlink-tools)",
        "nothing was written. Next: hold BOOTSEL while you plug in the board, or attach a debug probe; then run this"
        " again",
    ]


def test_one_alone(place):
    place.tool("openocd", 0, named("openocd", "done").text)
    place.tool("pyocd", 0, named("pyocd", "done").text)
    assert place.flash("openocd pyocd", "--tool", "pyocd").returncode == 0
    assert place.called("openocd") is None
    done = place.flash("openocd", "--tool", "pyocd")
    assert done.returncode == 2 and "this board's tools are: openocd" in done.stdout
    done = place.flash("")
    assert done.returncode == 1 and "there is no hardware to flash for this board" in done.stdout
    done = place.flash("hammer")
    assert done.returncode == 2 and "hammer: the tools are: uf2 hex bin openocd" in done.stdout


def test_one_that_hangs(place):
    (place.bin / "openocd").write_text(
        "#!/bin/sh\nexec %s -c 'import time; time.sleep(600)'\n" % sys.executable
    )
    (place.bin / "openocd").chmod(0o755)
    done = place.flash("openocd", "--seconds", "0.5")
    assert done.returncode == 1 and "openocd did not end within 0.5 s" in done.stdout


def test_pip_may_have_put_it_here(place):
    place.tool("pyocd", 0, named("pyocd", "done").text)
    (place.path / ".venv/bin").mkdir(parents=True)
    (place.bin / "pyocd").rename(place.path / ".venv/bin/pyocd")
    assert place.flash("pyocd").returncode == 0


# --- Drives --------------------------------------------------------------------------------------------------


def unplugs(place, drive, name, size, device="sdb1", then=lambda: None):
    """What a boot loader does when it has the whole file: it goes, and `then`."""

    def work():
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if (drive / name).exists() and (drive / name).stat().st_size == size:
                (place.root / "dev" / device).unlink()
                then()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("name", ["RPI-RP2", "RPI-RP21", "my drive"])
def test_uf2_is_copied(place, name):
    """To the drive that says that it is the board's, whatever its folder is called."""
    drive = place.drive(name, "RPI-RP2")
    thread = unplugs(place, drive, "greeter.uf2", 15000)
    done = place.flash("uf2 openocd")
    thread.join()
    assert done.returncode == 0, done.stdout
    assert "greeter.uf2 is copied, and the board has taken it" in done.stdout
    assert (drive / "greeter.uf2").read_bytes() == b"uf2" * 5000


def test_uf2_is_not_taken(place):
    place.drive("RPI-RP2", "RPI-RP2")
    done = place.flash("uf2 openocd", drive_seconds=0.3)
    assert done.returncode == 1
    assert "is still there after 0.3 s: the board has not taken it" in done.stdout
    assert lines(done)[-1] == "nothing is lost: run this again"


def test_drive_is_full(place):
    """The rest of the file is removed."""
    drive = place.drive("RPI-RP2", "RPI-RP2")
    (drive / "greeter.uf2").symlink_to("/dev/full")
    done = place.flash("uf2")
    assert done.returncode == 1
    assert "No space left on device; unplug the board, and plug it in again" in done.stdout
    assert not os.path.lexists(drive / "greeter.uf2")


def test_drive_of_another_board(place):
    drive = place.drive("RP2350", "RP2350")
    done = place.flash("uf2")
    assert done.returncode == 1
    assert "no drive RPI-RP2 is mounted; %s is that of RP2350" % drive in done.stdout
    assert os.listdir(drive) == ["INFO_UF2.TXT"]


def test_two_boards(place):
    drives = [
        place.drive(name, "RPI-RP2", device)
        for name, device in (("RPI-RP2", "sdb1"), ("RPI-RP21", "sdc1"))
    ]
    done = place.flash("uf2 openocd")
    assert done.returncode == 1 and "unplug all but one" in done.stdout
    assert all(os.listdir(drive) == ["INFO_UF2.TXT"] for drive in drives)


def test_drive_that_nobody_mounted(place):
    (place.root / "dev/disk/by-label/RPI-RP2").write_text("")
    done = place.flash("uf2")
    assert "the drive RPI-RP2 is there, but not mounted: udisksctl mount -b " in done.stdout


def test_only_file_systems_of_drives(place):
    """Nobody waits for a server of files that does not answer."""
    place.drive("RPI-RP2", "RPI-RP2", kind="nfs4")
    assert "no drive RPI-RP2 is mounted" in place.flash("uf2").stdout


def test_macos(place):
    drive = place.root / "Volumes/RPI-RP2"
    drive.mkdir(parents=True)
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    (place.root / "proc/mounts").unlink()
    done = place.flash("uf2", drive_seconds=0.1)
    assert (drive / "greeter.uf2").read_bytes() == b"uf2" * 5000, done.stdout


@pytest.mark.parametrize("refuses", ["", "The hex file cannot be decoded.\r\n"])
def test_hex_to_a_debugger(place, refuses):
    """It unmounts its drive, writes the board, and comes back."""
    drive = place.drive("MICROBIT")

    def comes_back():
        time.sleep(0.2)
        if refuses:
            (drive / "FAIL.TXT").write_text(refuses)
        (place.root / "dev/sdb1").write_text("")

    thread = unplugs(place, drive, "greeter.hex", 15000, then=comes_back)
    done = place.flash("hex openocd", drive="MICROBIT")
    thread.join()
    if refuses:
        assert done.returncode == 1
        assert "the board has refused it: The hex file cannot be decoded." in done.stdout
    else:
        assert done.returncode == 0 and "and the board has taken it" in done.stdout
    assert (drive / "greeter.hex").read_bytes() == b"hex" * 5000


def test_debugger_that_does_not_come_back(monkeypatch):
    monkeypatch.setattr(flash, "fitting", lambda options: [])
    options = argparse.Namespace(drive_seconds=0.1)
    result = flash.taken("hex", "it is copied", flash.Drive("there", "", "MICROBIT"), options)
    assert result.kind == "done" and "has not come back" in result.text


# --- make ------------------------------------------------------------------------------------------------------


def make(*arguments, **environment):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )


def test_make_needs_no_openocd_where_another_tool_is(place):
    """.ci/setup is asked for it only when none of the board's tools is there."""
    asked = r"\.ci/setup .*openocd"
    # All that this machine has, but for what writes boards.
    for name in set(os.listdir("/usr/bin")) - {"openocd", "st-flash", "picotool", "pyocd"}:
        (place.bin / name).symlink_to(os.path.join("/usr/bin", name))
    path = str(place.bin)
    arguments = ("-n", "-W", "boards/main.c", "flash-stm32vldiscovery")
    assert re.search(asked, make(*arguments, PATH=path).stdout)
    place.tool("st-flash", 0, "")
    assert not re.search(asked, make(*arguments, PATH=path).stdout)


def test_make_flash(place):
    """With what board.mk says."""
    case = named("openocd", "done")
    place.tool("openocd", case.status, case.text)
    done = make("flash-stm32vldiscovery", PATH="%s:%s" % (place.bin, os.environ["PATH"]))
    assert done.returncode == 0, done.stdout
    assert "openocd has written build/stm32vldiscovery/greeter.elf" in done.stdout
    assert place.called("openocd") == (
        ["-f", "board/stm32vldiscovery.cfg", "-c"]
        + ["program {build/stm32vldiscovery/greeter.elf} verify reset exit"]
    )
    done = make("flash-mps2_an385")
    assert done.returncode != 0 and "no hardware to flash" in done.stdout
