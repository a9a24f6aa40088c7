# boards/tools/flash.py - writes an image to a board, with the first of its tools that is there and finds the board.
# Layer: board; `make flash-BOARD` runs it. Source: docs/flashing.md, the tools' manuals.
# SPDX-License-Identifier: Apache-2.0
"""Use: flash.py BOARD IMAGE.elf --tools "uf2 picotool ..." [what board.mk says of each]

IMAGE.bin, .hex and .uf2 stand beside it. A tool that is not installed, and one that finds no board, gives way to the
next. One that finds the board and then fails ends it: the sentence says why and what to do. All that a tool printed
is kept beside the image, in flash.log."""

import argparse
import collections
import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import time

TOOL_SECONDS = 180
DRIVE_SECONDS = 20
# What a boot loader of UF2 says of itself, and where a DAPLink or ST-Link says why it refused a file.
UF2_INFO, DRIVE_FAILED = "INFO_UF2.TXT", "FAIL.TXT"
FILE_SYSTEMS = ("vfat", "msdos", "exfat", "fuseblk")

PACKAGES = {
    "openocd": "Debian: openocd",
    "picotool": "Debian 13: picotool",
    "pyocd": "PyPI: pyocd",
    "st-flash": "Debian: stlink-tools",
}
# Those that copy a file of that ending to the board's drive: boot loaders of UF2, and debuggers that have a drive.
DRIVES = ("uf2", "hex", "bin")

# What to do then. Those that are not here give way to the next tool.
ADVICE = {
    "denied": "this user may not open the USB device: root may; so may all with udev rules for it, such as those of"
    " Debian's openocd (then plug it in again)",
    "silent": "the probe is there, and the board's chip does not answer: has it power, are SWDIO, SWCLK and GND"
    " connected? Then run this again",
    "wrong chip": "this is another chip than %(board)s has: which board is it? `make help` lists those that are here",
    "verify": "what is in its flash now is not the image. Nothing is lost: run this again",
    "failed": "nothing is lost: run this again",
}

# What a tool printed, and what it means; the first that fits counts. "nobody": no probe, or no board, is there.
# tests/flash/words.py says where the words come from.
SAYS = {
    "openocd": (
        (r"LIBUSB_ERROR_ACCESS|[Pp]ermission denied|insufficient permissions", "denied"),
        (
            r"Error: (open failed|unable to find (a matching )?CMSIS-DAP device|unable to open ftdi device.*"
            r"|No J-Link device found|no device found)",
            "nobody",
        ),
        (r"Can't find \S+\.cfg", "unknown"),
        (r"UNEXPECTED(?: idcode)?: \S+|Cannot identify target.*", "wrong chip"),
        (r"\*\* Verify Failed \*\*|checksum mismatch", "verify"),
        (
            r"scan chain interrogation failed.*|init mode failed.*|cannot read IDR|DP initialisation failed"
            r"|Could not find MEM-AP.*|voltage may be too low.*|not examined yet|Invalid ACK.*|IR capture error.*",
            "silent",
        ),
    ),
    "picotool": (
        (r"was unable to connect", "denied"),
        (r"No accessible .* devices.*were found", "nobody"),
        (r"did not match the file", "verify"),
        (r"outside of valid address range.*|[Ff]amily.*(not|cannot).*", "wrong chip"),
    ),
    "pyocd": (
        (r"insufficient permissions|Access denied|LIBUSB_ERROR_ACCESS", "denied"),
        (
            r"No connected debug probes|No target device available|No available debug probes",
            "nobody",
        ),
        (r"Target type \S+ not recognized", "unknown"),
        (r"No ACK.*|SWD/JTAG.*|Unexpected ACK.*|no cores were discovered.*", "silent"),
        (r"[Vv]erif.*fail.*|program page failure.*|erase sector failure.*", "verify"),
    ),
    "st-flash": (
        (r"access error", "denied"),
        (r"Couldn't find any ST-Link devices", "nobody"),
        (r"[Uu]nknown chip id.*|Could not find chip id.*|Unknown memory region", "wrong chip"),
        (
            r"Can not connect to target|Failed to connect to target|Failed to enter SWD mode",
            "silent",
        ),
        (r"Verification of flash failed.*", "verify"),
    ),
}
# Without these words a tool that ends well has not said that the image is there. picotool and pyocd verify what
# they write or end with an error.
DONE = {"openocd": r"\*\* Verified OK \*\*", "st-flash": r"jolly good"}

# kind: done; absent (no such tool), nobody, unknown (chip); or a word of ADVICE. text: one line.
Result = collections.namedtuple("Result", "kind text")


# --- Tools ---------------------------------------------------------------------------------------------------


def find(tool):
    """Also in this folder's own Python environment, where pip may have put it."""
    return shutil.which(
        tool, path=os.pathsep.join([os.environ.get("PATH", os.defpath), ".venv/bin"])
    )


def openocd_files(options):
    files = [word for name in options.openocd for word in ("-f", name)]
    return files + (["-c", "adapter speed %s" % options.openocd_khz] if options.openocd_khz else [])


def command(tool, options):
    """Its arguments."""
    base = os.path.splitext(options.image)[0]
    if tool == "openocd":
        return [*openocd_files(options), "-c", "program {%s} verify reset exit" % options.image]
    if tool == "picotool":
        return ["load", "-f", "-v", "-x", base + ".uf2"]
    if tool == "pyocd":
        return ["flash", "-W", "-t", options.pyocd, options.image]
    return ["--reset", "write", base + ".bin", options.stflash]


def meaning(tool, status, text):
    """(kind, the words that say so) of what a tool printed, and ended with."""
    for pattern, kind in SAYS[tool] if status else ():
        found = re.search(pattern, text)
        if found:
            return kind, found.group()
    if status == 0 and re.search(DONE.get(tool, ""), text):
        return "done", ""
    errors = re.findall(r"^.*?(?:[Ee]rror|ERROR)\b.*$", text, re.M) or text.split("\n") or [""]
    last = next((line.strip() for line in reversed(errors) if line.strip()), "it printed nothing")
    if status == 0:
        return "failed", "it did not say that the image was verified"
    return "failed", "%s (it ended with %d)" % (last, status)


def run_tool(tool, options, note):
    program = find(tool)
    if program is None:
        return Result("absent", "%s is not installed (%s)" % (tool, PACKAGES[tool]))
    note("%s, for %s" % (tool, options.image))
    try:
        done = subprocess.run(
            [program, *command(tool, options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=options.seconds,
        )
    except subprocess.TimeoutExpired as late:
        keep_log(options, late.stdout or b"")
        return Result("failed", "%s did not end within %g s" % (tool, options.seconds))
    except OSError as error:
        return Result("failed", "%s cannot be started: %s" % (tool, error.strerror))
    keep_log(options, done.stdout)
    kind, words = meaning(tool, done.returncode, done.stdout.decode("utf-8", "replace"))
    if kind == "nobody":
        what = "no board in BOOTSEL mode" if tool == "picotool" else "no debug probe"
        return Result(kind, "%s is attached (%s: %s)" % (what, tool, words.replace("Error: ", "")))
    if kind == "done":
        return Result(kind, "%s has written %s, and started it" % (tool, options.image))
    if kind == "unknown":
        brings = "; `pyocd pack install %s` may bring it" % options.pyocd if tool == "pyocd" else ""
        return Result(kind, "this %s does not know the chip (%s)%s" % (tool, words, brings))
    return Result(kind, "%s: %s" % (tool, words))


def log_of(options):
    return os.path.join(os.path.dirname(options.image), "flash.log")


def keep_log(options, text):
    with open(log_of(options), "wb") as file:
        file.write(text)


# --- Drives --------------------------------------------------------------------------------------------------


Drive = collections.namedtuple("Drive", "path device name")


def mounted(root):
    """(path, device) of all that may be a board's; device is "" where the system does not say."""
    found = {}
    with contextlib.suppress(OSError), open(os.path.join(root, "proc/mounts"), "rb") as file:
        for line in file.read().decode("utf-8", "replace").splitlines():
            device, path, kind = (unescaped(word) for word in line.split(" ")[:3])
            if kind in FILE_SYSTEMS:
                found[os.path.join(root, path.lstrip("/"))] = os.path.join(root, device.lstrip("/"))
    with contextlib.suppress(OSError):
        volumes = os.path.join(root, "Volumes")  # macOS
        found.update((os.path.join(volumes, name), "") for name in os.listdir(volumes))
    return sorted(found.items())


def unescaped(word):
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word)


def read_text(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return None


def drives(root):
    """Those of boards: a boot loader of UF2 says what it is, others go by the drive's name."""
    for path, device in mounted(root):
        if os.path.isdir(path) and (not device or os.path.exists(device)):
            found = re.search(r"^Board-ID:\s*(\S+)", read_text(path, UF2_INFO) or "", re.M)
            yield Drive(path, device, found.group(1) if found else os.path.basename(path))


def fitting(options):
    return [drive for drive in drives(options.root) if drive.name in options.drive]


def write_file(source, to):
    """Whole, and as far as the device; returns what the device said at the end, where a boot loader that has the last
    byte may be gone: "" when it took all."""
    with open(source, "rb") as file:
        data = file.read()
    with open(to, "wb", buffering=0) as file:
        at = 0
        while at < len(data):
            at += file.write(data[at:])
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EROFS):
                raise
            return " (%s at the end, as when it restarts at once)" % error.strerror
    return ""


def no_drive(options):
    for name in options.drive:
        label = os.path.join(options.root, "dev/disk/by-label", name)
        if os.path.exists(label):
            return "the drive %s is there, but not mounted: udisksctl mount -b %s" % (name, label)
    text = "no drive %s is mounted" % " or ".join(options.drive)
    for drive in drives(options.root):
        if read_text(drive.path, UF2_INFO) is not None:
            return "%s; %s is that of %s" % (text, drive.path, drive.name)
    return text


def copy_to_drive(kind, options, note):
    source = "%s.%s" % (os.path.splitext(options.image)[0], kind)
    fit = fitting(options)
    if not fit:
        return Result("nobody", no_drive(options))
    if len(fit) > 1:
        several = " and ".join(drive.path for drive in fit)
        return Result("failed", "several boards are there, %s: unplug all but one" % several)
    note("%s goes to %s" % (source, fit[0].path))
    to = os.path.join(fit[0].path, os.path.basename(source))
    try:
        late = write_file(source, to)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(to)
        text = "%s: %s; unplug the board, and plug it in again" % (to, error.strerror)
        return Result("failed", text)
    return taken(kind, "%s is copied%s" % (source, late), fit[0], options)


def until(true, end):
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def taken(kind, copied, drive, options):
    """The board takes the drive away when it has the image; a debugger's comes back, and may say why not."""
    end = time.monotonic() + options.drive_seconds
    if not until(lambda: not fitting(options), end):
        text = "%s, and the drive %s is still there after %g s: the board has not taken it"
        return Result("failed", text % (copied, drive.path, options.drive_seconds))
    if kind == "uf2":
        return Result("done", copied + ", and the board has taken it")
    if not until(lambda: fitting(options), end):
        return Result(
            "done", copied + "; the drive, which would say if that failed, has not come back"
        )
    refused = read_text(fitting(options)[0].path, DRIVE_FAILED)
    if refused is not None:
        return Result(
            "failed", "%s, and the board has refused it: %s" % (copied, " ".join(refused.split()))
        )
    return Result("done", copied + ", and the board has taken it")


# --- The order of things ---------------------------------------------------------------------------------------


def flash(options, note):
    """0: an image is on the board."""
    for tool in options.tools:
        result = (
            copy_to_drive(tool, options, note) if tool in DRIVES else run_tool(tool, options, note)
        )
        note(result.text)
        if result.kind == "done":
            return 0
        if result.kind in ADVICE:
            kept = (
                "" if tool in DRIVES else "; all that %s printed is in %s" % (tool, log_of(options))
            )
            note(ADVICE[result.kind] % vars(options) + kept)
            return 1
    start = "plug in the board, or its debug probe"
    if "uf2" in options.tools:
        start = "hold BOOTSEL while you plug in the board, or attach a debug probe"
    note("nothing was written. Next: %s; then run this again" % start)
    return 1


def add_tools(parser):
    """What board.mk says of a board's tools."""
    parser.add_argument("board")
    parser.add_argument("image", help="the .elf; its other formats stand beside it")
    parser.add_argument(
        "--tools", type=str.split, default=[], help="which, in this order: " + known()
    )
    parser.add_argument("--openocd", type=str.split, default=[], help="OpenOCD's files for it")
    parser.add_argument(
        "--openocd-khz", default="", help="the adapter's speed, where these do not say it"
    )
    parser.add_argument("--pyocd", default="", help="pyocd's name of the chip")
    parser.add_argument("--stflash", default="", help="where its flash begins")
    parser.add_argument(
        "--drive", type=str.split, default=[], help="names that the board's drive may have"
    )


def parsed():
    parser = argparse.ArgumentParser(description="Writes an image to a board.", allow_abbrev=False)
    add_tools(parser)
    parser.add_argument("--tool", help="this one alone")
    parser.add_argument(
        "--seconds", type=float, default=TOOL_SECONDS, help="for a tool (%d)" % TOOL_SECONDS
    )
    parser.add_argument(
        "--drive-seconds",
        type=float,
        default=DRIVE_SECONDS,
        help="for the drive (%d)" % DRIVE_SECONDS,
    )
    parser.add_argument("--root", default="/", help="look for drives below this folder, for tests")
    options = parser.parse_args()
    if not options.tools:
        sys.exit("flash-%s: there is no hardware to flash for this board" % options.board)
    if options.tool and options.tool not in options.tools:
        parser.error(
            "--tool %s: this board's tools are: %s" % (options.tool, " ".join(options.tools))
        )
    options.tools = [options.tool] if options.tool else options.tools
    for tool in options.tools:
        if tool not in (*SAYS, *DRIVES):
            parser.error("%s: the tools are: %s" % (tool, known()))
    return options


def known():
    return " ".join((*DRIVES, *SAYS))


def main():
    options = parsed()

    def note(line):
        print("flash-%s: %s" % (options.board, line), flush=True)

    try:
        return flash(options, note)
    except KeyboardInterrupt:
        note("stopped; if it was writing, what is in the flash is not whole: run this again")
        return 130


if __name__ == "__main__":
    sys.exit(main())
