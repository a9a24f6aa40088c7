# tests/flash/words.py - what the tools that write a board print, and what that means.
# Layer: tests; test_flash.py has programs print it. Source: each entry says its own.
# SPDX-License-Identifier: Apache-2.0
"""RUN: the tool of that version printed it here (long lines are cut), where no probe is attached; with "bit-bang"
OpenOCD had a made-up probe, which answers with one TAP and no processor behind it. READ: put together from the texts
in that version's program; nobody here has a board that would make it say so."""

import collections

Words = collections.namedtuple("Words", "tool name source status text kind says")

OPENOCD_HEAD = """Open On-Chip Debugger 0.12.0
Licensed under GNU GPL v2
For bug reports, read
\thttp://openocd.org/doc/doxygen/bugs.html
"""

ALL = [
    Words(
        "openocd",
        "no ST-Link",
        "RUN, Debian's 0.12.0-1 (12) and 0.12.0-3+b2 (13)",
        1,
        OPENOCD_HEAD
        + """Info : The selected transport took over low-level target control. The results might differ
srst_only separate srst_nogate srst_open_drain connect_deassert_srst

Info : clock speed 1000 kHz
Error: open failed
in procedure 'program'
** OpenOCD init failed **
shutdown command invoked

""",
        "nobody",
        "no debug probe is attached (openocd: open failed)",
    ),
    Words(
        "openocd",
        "no CMSIS-DAP",
        "RUN, Debian's 0.12.0-1 (12) and 0.12.0-3+b2 (13)",
        1,
        OPENOCD_HEAD
        + """adapter speed: 5000 kHz

Error: unable to find a matching CMSIS-DAP device
** OpenOCD init failed **
shutdown command invoked

""",
        "nobody",
        "no debug probe is attached (openocd: unable to find a matching CMSIS-DAP device)",
    ),
    Words(
        "openocd",
        "no FTDI",
        "RUN, Debian's 0.12.0-1 (12) and 0.12.0-3+b2 (13)",
        1,
        OPENOCD_HEAD
        + """Info : auto-selecting first available session transport "jtag".
Error: no device found
Error: unable to open ftdi device with vid 0403, pid bcd9, description 'Stellaris Evaluation Board', serial '*'
** OpenOCD init failed **
shutdown command invoked

""",
        "nobody",
        "no debug probe is attached (openocd: ",
    ),
    Words(
        "openocd",
        "unknown chip",
        "RUN, Debian's 0.12.0-1",
        1,
        OPENOCD_HEAD
        + """embedded:startup.tcl:28: Error: Can't find target/rp2350.cfg
in procedure 'script'
at file "embedded:startup.tcl", line 28
""",
        "unknown",
        "this openocd does not know the chip (Can't find target/rp2350.cfg)",
    ),
    Words(
        "openocd",
        "chip is silent",
        "RUN, Debian's 0.12.0-1, bit-bang",
        1,
        OPENOCD_HEAD
        + """Info : Initializing remote_bitbang driver
Info : remote_bitbang driver initialized
Info : This adapter doesn't support configurable speed
Info : JTAG tap: lm3s.cpu tap/device found: 0x1ba00477 (mfg: 0x23b (ARM Ltd), part: 0xba00, ver: 0x1)
Error: Invalid ACK (7) in DAP response
in procedure 'program'
** OpenOCD init failed **
shutdown command invoked

""",
        "silent",
        "openocd: Invalid ACK (7) in DAP response",
    ),
    Words(
        "openocd",
        "may not open",
        "READ, 0.12.0",
        1,
        OPENOCD_HEAD
        + """Info : clock speed 1000 kHz
Error: libusb_open() failed with LIBUSB_ERROR_ACCESS
Error: open failed
in procedure 'program'
** OpenOCD init failed **
shutdown command invoked
""",
        "denied",
        "root may",
    ),
    Words(
        "openocd",
        "wrong chip",
        "READ, 0.12.0",
        1,
        OPENOCD_HEAD
        + """Warn : JTAG tap: stm32f1x.cpu       UNEXPECTED: 0x4ba00477
Error: JTAG tap: stm32f1x.cpu  expected 1 of 1: 0x3ba00477
Error: Cannot identify target as a stm32x
Error: auto_probe failed
** Programming Failed **
shutdown command invoked
""",
        "wrong chip",
        "this is another chip than BOARD has",
    ),
    Words(
        "openocd",
        "verify failed",
        "READ, 0.12.0",
        1,
        OPENOCD_HEAD
        + """** Programming Started **
** Programming Finished **
** Verify Started **
Error: checksum mismatch - attempting binary compare
** Verify Failed **
shutdown command invoked
""",
        "verify",
        "what is in its flash now is not the image",
    ),
    Words(
        "openocd",
        "done",
        "READ, 0.12.0",
        0,
        OPENOCD_HEAD
        + """** Programming Started **
** Programming Finished **
** Verify Started **
** Verified OK **
** Resetting Target **
shutdown command invoked
""",
        "done",
        "openocd has written",
    ),
    Words(
        "openocd",
        "ends well and says nothing",
        "made up: an image that nobody verified does not count",
        0,
        OPENOCD_HEAD + "shutdown command invoked\n",
        "failed",
        "it did not say that the image was verified",
    ),
    Words(
        "openocd",
        "fails in a way that nobody knows",
        "made up",
        1,
        OPENOCD_HEAD + "Error: the moon is in the way\n** Programming Failed **\n",
        "failed",
        "openocd: Error: the moon is in the way (it ended with 1)",
    ),
    Words(
        "picotool",
        "no board",
        "RUN, Debian's 2.1.1+dfsg-1 (13)",
        249,
        "No accessible RP-series devices in BOOTSEL mode were found.\n",
        "nobody",
        "no board in BOOTSEL mode is attached (picotool: No accessible RP-series devices in BOOTSEL mode were",
    ),
    Words(
        "picotool",
        "may not open",
        "READ, 2.1.1",
        249,
        "No accessible RP-series devices in BOOTSEL mode were found.\n\nbut:\n\nRP2040 device at bus 1, address 7"
        " appears to be in BOOTSEL mode, but picotool was unable to connect. Maybe try 'sudo' or check your"
        " permissions.\n",
        "denied",
        "root may",
    ),
    Words(
        "picotool",
        "verify failed",
        "READ, 2.1.1",
        247,
        "Loading into Flash: [==============================]  100%\nVerifying Flash:    [====]  12%\n"
        "  FAILED\nERROR: The device contents did not match the file\n",
        "verify",
        "what is in its flash now is not the image",
    ),
    Words(
        "picotool",
        "wrong chip",
        "READ, 2.1.1",
        253,
        "ERROR: File to load contained an invalid memory range 0x10000000-0x10005800: Memory segment"
        " 10000000->10005800 is outside of valid address range for device\n",
        "wrong chip",
        "this is another chip than BOARD has",
    ),
    Words(
        "picotool",
        "done",
        "READ, 2.1.1",
        0,
        "Loading into Flash: [==============================]  100%\n"
        "Verifying Flash:    [==============================]  100%\n  OK\n\n"
        "The device was rebooted to start the application.\n",
        "done",
        "picotool has written",
    ),
    Words(
        "pyocd",
        "no probe",
        "RUN, PyPI's 0.46.0",
        1,
        "No connected debug probes\n0001088 E No target device available [load_cmd]\n",
        "nobody",
        "no debug probe is attached (pyocd: No connected debug probes)",
    ),
    Words(
        "pyocd",
        "unknown chip",
        "READ, 0.46.0",
        1,
        "0000512 C Target type a-chip not recognized. Use 'pyocd list --targets' to see currently available target"
        " types. See <https://pyocd.io/docs/target_support.html> for how to install additional target support."
        " [__main__]\n",
        "unknown",
        "`pyocd pack install a-chip` may bring it",
    ),
    Words(
        "pyocd",
        "chip is silent",
        "READ, 0.46.0",
        1,
        "0000920 C SWD/JTAG communication failure (No ACK) [__main__]\n",
        "silent",
        "has it power",
    ),
    Words(
        "pyocd",
        "not written",
        "READ, 0.46.0",
        1,
        "0001302 C flash program page failure (address 0x08000400; result code 0x1) [__main__]\n",
        "verify",
        "what is in its flash now is not the image",
    ),
    Words(
        "pyocd",
        "done",
        "READ, 0.46.0",
        0,
        "0001203 I Loading build/x/greeter.elf [load_cmd]\n[=========================] 100%\n"
        "0002512 I Erased 24576 bytes (6 sectors), programmed 22528 bytes (88 pages), identical 0 bytes (0 pages)"
        " at 21.40 kB/s [loader]\n",
        "done",
        "pyocd has written",
    ),
    Words(
        "st-flash",
        "no probe",
        "RUN, Debian's 1.7.0+ds-1 (12)",
        255,
        "st-flash 1.7.0\n2026-11-30T07:08:35 WARN usb.c: Couldn't find any ST-Link devices\n",
        "nobody",
        "no debug probe is attached (st-flash: Couldn't find any ST-Link devices)",
    ),
    Words(
        "st-flash",
        "no probe, later version",
        "RUN, Debian's 1.8.0-1.1 (13)",
        255,
        "/usr/share/stlink/chips: No such file or directory\nst-flash 1.8.0\n"
        "2026-11-30T07:09:49 WARN usb.c: Couldn't find any ST-Link devices\n",
        "nobody",
        "no debug probe is attached (st-flash: Couldn't find any ST-Link devices)",
    ),
    Words(
        "st-flash",
        "may not open",
        "READ, 1.7.0",
        255,
        "st-flash 1.7.0\n2026-11-30T07:08:35 WARN usb.c: Could not open USB device 0x0483:0x374b, access error.\n"
        "2026-11-30T07:08:35 WARN usb.c: Couldn't find any ST-Link devices\n",
        "denied",
        "root may",
    ),
    Words(
        "st-flash",
        "wrong chip",
        "READ, 1.7.0",
        255,
        "st-flash 1.7.0\n2026-11-30T07:08:35 WARN common.c: unknown chip id! 0x2000\n"
        "Failed to connect to target\n",
        "wrong chip",
        "this is another chip than BOARD has",
    ),
    Words(
        "st-flash",
        "chip is silent",
        "READ, 1.7.0",
        255,
        "st-flash 1.7.0\n2026-11-30T07:08:35 ERROR common.c: Can not connect to target."
        " Please use 'connect under reset' and try again\nFailed to connect to target\n",
        "silent",
        "has it power",
    ),
    Words(
        "st-flash",
        "verify failed",
        "READ, 1.7.0",
        255,
        "st-flash 1.7.0\n2026-11-30T07:08:35 INFO common.c: Starting verification of write complete\n"
        "2026-11-30T07:08:35 ERROR common.c: Verification of flash failed at offset: 1024\n"
        "stlink_fwrite_flash() == -1\n",
        "verify",
        "what is in its flash now is not the image",
    ),
    Words(
        "st-flash",
        "done",
        "READ, 1.7.0",
        0,
        "st-flash 1.7.0\n2026-11-30T07:08:35 INFO common.c: Starting verification of write complete\n"
        "2026-11-30T07:08:35 INFO common.c: Flash written and verified! jolly good!\n",
        "done",
        "st-flash has written",
    ),
]
