# boards/tools/port.py - whether the TCP port of an emulator can be had.
# Layer: board; `make run-BOARD` asks before it says that the port leads to the board.
# SPDX-License-Identifier: Apache-2.0
"""Use: port.py WHO N   Fails, and says what to do, when 127.0.0.1:N cannot be had now. WHO: the goal of make."""

import errno
import socket
import sys


def why_not(port):
    """What to do; "": it is free."""
    where = "127.0.0.1:%d" % port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return "%s cannot be had (%s): choose another with PORT=n" % (where, error.strerror)
            return (
                "%s is taken, by another board that runs or another program:"
                " end that, or choose another with PORT=n" % where
            )
    return ""


def main():
    who, port = sys.argv[1], int(sys.argv[2])
    why = why_not(port)
    if why:
        sys.exit("%s: %s" % (who, why))


if __name__ == "__main__":
    main()
