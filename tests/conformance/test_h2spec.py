# tests/conformance/test_h2spec.py - every section of h2spec passes on every target, none skipped.
# Layer: tests. Source: RFC 9113, RFC 7541, as h2spec 2.6.0 reads them.
# SPDX-License-Identifier: Apache-2.0
import re
import socket
import threading

import h2spec
import pytest

from targets import chosen, use

needs_h2spec = pytest.mark.skipif(h2spec.missing() is not None, reason=h2spec.missing() or "")


over_tls = {}


def use_tls(name):
    """As targets.use does without TLS."""
    if name not in over_tls:
        over_tls[name] = h2spec.start(name)
    server = over_tls[name]
    yield server
    fine = h2spec.serves(server)
    print(server.new_output())
    if not fine:
        server.stop()
        del over_tls[name]
        pytest.fail("%s no longer serves after this test" % name, pytrace=False)


@pytest.fixture(params=chosen(h2spec.TARGETS))
def server(request):
    yield from (use_tls if request.param.endswith("-tls") else use)(request.param)


@needs_h2spec
def test_every_case_is_run():
    output, _ = h2spec.run(0, "greeter", "--dryrun")
    assert (
        len(re.findall(r"^ +\d+: ", output, re.M)) == sum(h2spec.SECTIONS.values()) == h2spec.CASES
    )


@needs_h2spec
@pytest.mark.parametrize("section", h2spec.SECTIONS)
def test_section(section, server):
    said = h2spec.failures(section, server)
    assert not said, "\n\n".join(said)


class FrameByFrame:
    """Between h2spec and a server: passes on a frame at a time, so that most answers overtake the next frame."""

    PREFACE, PAUSE = 24, 0.005

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.port))
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.frames, args=(client, server), daemon=True).start()
                threading.Thread(target=self.copy, args=(server, client), daemon=True).start()
        except OSError:
            pass  # closed

    def whole(self, data, first):
        """The size of the preface, or of the frame, that data begins with; 0: it is not all there."""
        size = self.PREFACE if first else 9 + int.from_bytes(data[:3], "big")
        return size if size <= len(data) else 0

    def frames(self, client, server):
        data, first, pause = b"", True, threading.Event()
        try:
            while new := client.recv(65536):
                data += new
                while size := self.whole(data, first):
                    server.sendall(data[:size])
                    data, first = data[size:], False
                    pause.wait(self.PAUSE)
            server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            self.end(server, client)  # either has closed

    @staticmethod
    def end(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)  # also wakes the other thread; close alone would not
            except OSError:
                pass

    def copy(self, server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        self.end(server, client)
        server.close()
        client.close()


@needs_h2spec
@pytest.mark.parametrize("name", chosen(["posix"]))
def test_answers_that_overtake(name):
    """What h2spec expects must not depend on whether our answer leaves before its next frame comes."""
    for server in use(name):
        between = FrameByFrame(server.port)
        output, result = h2spec.run(between.listener.getsockname()[1], "greeter")
        between.listener.close()
        assert result == (h2spec.CASES, h2spec.CASES, 0, 0), output[
            max(0, output.find("Failures:")) :
        ]
