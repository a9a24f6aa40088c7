# tests/bench/abuse.py - what a well-behaved client keeps of its rate while another connection attacks the server.
# Layer: tests. Source: docs/wire.md, "Floods"; the CVEs that are named there.
# SPDX-License-Identifier: Apache-2.0
"""Use: make abuse [ARGS="--seconds S --target NAME"]   A bench, not a test: it prints a table, and never fails.

One client makes unary calls, one after the other, first alone, then while an attacker in a process of its own sends
one kind of flood as fast as TCP takes it, on one connection until that is ended; with --again it comes back at once,
again and again. Both share the machine with the emulator, so the first row is an attacker that only sleeps: how far
that is from 100 % is how much the machine's other work disturbs the figures."""

import argparse
import multiprocessing
import os
import select
import socket
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e")]

import rawh2 as h2  # noqa: E402
from rawh2 import Peer, frame, message, request  # noqa: E402
from targets import Server  # noqa: E402

BATCH = 64  # frames, or calls, that are made at once
WINDOW_CALLS, WINDOW_BYTES = 500, 17  # a reply takes so many bytes of the connection's window


class Calls:
    """An attacker's requests, in HPACK's shortest form from the second on."""

    def __init__(self, peer):
        self.peer = peer

    def headers(self, path="/Greeter/SayHello", flags=0, *extra):
        stream = self.peer.new_stream()
        return stream, self.peer.headers(stream, request(path, *extra), flags)


def repeated(data):
    return lambda calls: data * BATCH


def each(one):
    """An attack that makes its calls anew."""
    return lambda calls: b"".join(one(calls) for _ in range(BATCH))


def reset(calls):
    stream, data = calls.headers()
    return data + h2.rst_stream(stream)


def reset_and_finish(calls):
    return reset(calls) + calls.headers("/Greeter/Nobody", h2.END_STREAM)[1]


def made_to_reset(calls):
    stream, data = calls.headers()
    return data + h2.window_update(stream, 0)


def dead_data(calls):
    """For a call that has ended, which is the first one of the connection."""
    if calls.peer.next_stream == 1:
        return calls.headers("/Greeter/Nobody", h2.END_STREAM)[1] + frame(h2.PING, 0, 0, bytes(8))
    return frame(h2.DATA, 0, 1, b"x") * BATCH


def huffman(calls):
    """A call whose headers are 900 bytes of Huffman code that are not indexed."""
    stream = calls.peer.new_stream()
    fields = request() + [("x-a", "a" * 1400)]
    block = calls.peer.encoder.encode([f + (True,) for f in fields], huffman=True)
    return frame(h2.HEADERS, h2.END_HEADERS, stream, block) + frame(
        h2.DATA, h2.END_STREAM, stream, message("x")
    )


ATTACKS = {
    "nothing: the attacker only waits": None,
    "PING": repeated(frame(h2.PING, 0, 0, bytes(8))),
    "answers to PINGs": repeated(frame(h2.PING, h2.ACK, 0, bytes(8))),
    "SETTINGS": repeated(h2.settings()),
    "acknowledgements of SETTINGS": repeated(frame(h2.SETTINGS, h2.ACK, 0)),
    "PRIORITY": repeated(frame(h2.PRIORITY, 0, 1, bytes(5))),
    "unknown frames": repeated(frame(0x77, 0, 0)),
    "GOAWAY": repeated(frame(h2.GOAWAY, 0, 0, bytes(8))),
    "WINDOW_UPDATE of 1": repeated(h2.window_update(0, 1)),
    "DATA for a call that is over": dead_data,
    "calls, each reset": each(reset),
    "the same, with a cheap call after each": each(reset_and_finish),
    "calls that we are made to reset": each(made_to_reset),
    "good calls with 900 bytes of Huffman code": each(huffman),
}


def attack(port, name, again, ready, stop):
    make = ATTACKS[name]
    while not stop.is_set():
        if make is None:
            ready.set()
            time.sleep(0.05)
            continue
        try:
            with Peer(port, timeout=5) as peer:
                calls, left = Calls(peer), b""
                ready.set()
                while not stop.is_set() and peer.next_stream < 1 << 30:
                    left = left or make(calls)
                    _, writable, _ = select.select([], [peer.socket], [], 0.05)
                    if writable:
                        left = left[peer.socket.send(left, socket.MSG_DONTWAIT) :]
                    while peer.poll.poll(0):
                        if not peer.socket.recv(65536):
                            raise EOFError
        except (OSError, EOFError):
            ready.set()
            if not again:
                return
            time.sleep(0.001)


def rate(port, seconds):
    """Calls a second of the well-behaved client; it comes back when it is thrown off."""
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with Peer(port, timeout=seconds) as peer:
                while time.monotonic() < end:
                    peer.say_hello()
                    done += 1
                    if done % WINDOW_CALLS == 0:  # the replies have used it
                        peer.send(h2.window_update(0, WINDOW_CALLS * WINDOW_BYTES))
        except (OSError, EOFError, AssertionError):
            pass
    return done / seconds


def attacked(port, name, again, seconds):
    ready, stop = multiprocessing.Event(), multiprocessing.Event()
    process = multiprocessing.Process(target=attack, args=(port, name, again, ready, stop))
    process.start()
    ready.wait(10)
    result = rate(port, seconds)
    stop.set()
    process.join(10)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--again", action="store_true", help="attackers that come back")
    parser.add_argument("--target", default="lm3s6965evb")
    options = parser.parse_args()
    multiprocessing.set_start_method("fork")
    with Server(options.target) as server:
        print("| attack on %s | alone, calls/s | attacked | kept |" % options.target)
        print("| --- | --- | --- | --- |")
        kept = []
        for name in ATTACKS:
            alone = rate(server.port, options.seconds)
            result = attacked(server.port, name, options.again, options.seconds)
            kept.append(result / alone if alone else 0)
            print(
                "| %s | %.0f | %.0f | %.0f %% |" % (name, alone, result, 100 * kept[-1]), flush=True
            )
        print("least: %.0f %%, median: %.0f %%" % (100 * min(kept), 100 * statistics.median(kept)))


if __name__ == "__main__":
    main()
