# tests/conformance/h2specd.py - runs h2spec's cases for clients: the caller calls servers that do wrong.
# Layer: tests; used by h2spec.py and test_h2specd.py. Source: h2spec 2.6.0, whose command for this is h2specd.
# SPDX-License-Identifier: Apache-2.0
import os
import queue
import random
import re
import socket
import subprocess
import threading

import caller_pb2
import caller_pb2_grpc
import grpc

import targets

PROGRAM = os.path.join(targets.ROOT, "build", "h2spec", "h2specd")
TARGETS = ["posix", "hostsim-raw", "hostsim-sockets", "lm3s6965evb"]
HOST = {"posix": "127.0.0.1"}  # this machine, as the device sees it
SECONDS = 60  # that a case waits for each frame; one that passes waits for nothing
# h2specd's encoder does not heed that our HPACK table has no room (RFC 7541 4.2), as it has said it would. A field
# that is longer than its own table never gets in there, so that it is sent in full the second time as well.
HEADER_LENGTH = 4100

# All sections that have cases of their own, and how many; in the order of their ports.
SECTIONS = {
    "client/1": 1,
    "client/4.1": 3,
    "client/4.2": 3,
    "client/4.3": 1,
    "client/5.1": 10,
    "client/5.1.1": 1,
    "client/5.4.1": 2,
    "client/5.5": 1,
    "client/6.1": 3,
    "client/6.2": 3,
    "client/6.3": 2,
    "client/6.4": 3,
    "client/6.5": 3,
    "client/6.5.2": 4,
    "client/6.5.3": 1,
    "client/6.7": 4,
    "client/6.8": 1,
    "client/6.9": 3,
    "client/6.9.1": 2,
    "client/6.10": 6,
}
CASES = 57


def free_ports(n):
    """The first of n free ports in a row, below those that the system gives to clients."""
    while True:
        first = random.randrange(10000, 32000)
        try:
            for port in range(first, first + n):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            pass


class Servers:
    """h2specd: a port for each case, and one for its report. It prints what comes of those that are called."""

    def __init__(self):
        while True:
            self.port = free_ports(CASES + 1)
            command = [
                PROGRAM,
                "--timeout",
                str(SECONDS),
                "--max-header-length",
                str(HEADER_LENGTH),
                "--from-port",
                str(self.port),
                "--port",
                str(self.port + CASES),
            ]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            self.lines = queue.Queue()
            threading.Thread(target=self.read, daemon=True).start()
            if self.until(r"Report server is listened"):
                return
            self.stop()  # somebody else has taken a port

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def until(self, pattern):
        """What has come up to the line that matches; "": it does not come."""
        text = ""
        try:
            while line := self.lines.get(timeout=2 * SECONDS):
                text += line
                if re.search(pattern, line):
                    return text
        except queue.Empty:
            pass
        return ""

    def stop(self):
        self.process.kill()
        self.process.wait()


class Between:
    """Between the device and a server of h2specd: makes its responses gRPC's own, with a content-type.

    One that is not ends a call at once; and what h2specd does then to the stream, its cases are about."""

    HEAD, HEADERS, PADDED_OR_PRIORITY = 9, 1, 0x28
    STATUS, CONTENT_TYPE = (
        b"\x88",
        b"\x0f\x10\x10application/grpc",
    )  # RFC 7541 6.1; 6.2.2, the name's index is 31

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                device = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.port))
                for source, sink, change in (
                    (device, server, bytes),
                    (server, device, self.responses(b"")),
                ):
                    threading.Thread(
                        target=self.copy, args=(source, sink, change), daemon=True
                    ).start()
        except OSError:
            pass  # closed, by either

    def responses(self, held):
        """A function that is given the bytes of a server, and returns those of the frames that are whole."""

        def change(data):
            nonlocal held
            held, whole = held + data, b""
            while len(held) >= self.HEAD and len(held) >= (
                size := self.HEAD + int.from_bytes(held[:3], "big")
            ):
                frame, held = held[:size], held[size:]
                if (
                    frame[3] == self.HEADERS
                    and not frame[4] & self.PADDED_OR_PRIORITY
                    and frame[self.HEAD :].startswith(self.STATUS)
                ):
                    size = len(frame) - self.HEAD + len(self.CONTENT_TYPE)
                    frame = size.to_bytes(3, "big") + frame[3:] + self.CONTENT_TYPE
                whole += frame
            return whole

        return change

    @staticmethod
    def copy(source, sink, change):
        try:
            while data := source.recv(65536):
                sink.sendall(change(data))
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)  # also wakes the other thread; close alone would not
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self.listener.close()


def case(section, number, stub, host):
    """The device calls the server of one case. Returns what is wrong with it, or "".

    A process for each: a server that has done wrong is called again, and would say so again."""
    servers = Servers()
    before = sum(list(SECTIONS.values())[: list(SECTIONS).index(section)])
    between = Between(servers.port + before + number - 1)
    try:
        order = caller_pb2.Order(host=host, port=between.own_port, requests=["x"])
        events = stub.Run(order, timeout=5 * SECONDS, wait_for_ready=True)
        text = servers.until(r"^\s*(✔|×) %d: " % number)
        if "-> %s. " % section.split("/")[1] not in text:
            return "has not been called: " + text
        if "✔" not in text:
            return text + servers.until(r"Actual: |Error: ")
    finally:
        between.stop()
        servers.stop()
    what = [event.what for event in events]  # in the end, as the server is gone
    return (
        ""
        if what.count(caller_pb2.Event.DONE) == 1 and what[-1] == caller_pb2.Event.DONE
        else "its call: %s" % what
    )


def failures(section, server):
    """Runs a section. Returns what is said of each case that has not passed."""
    said = []
    with grpc.insecure_channel(server.target()) as channel:
        stub = caller_pb2_grpc.CallerStub(channel)
        for number in range(1, SECTIONS[section] + 1):
            wrong = case(section, number, stub, HOST.get(server.name, "10.0.2.2"))
            if wrong:
                said.append("%s/%d %s" % (section, number, wrong))
    return said
