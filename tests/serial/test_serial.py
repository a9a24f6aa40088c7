# tests/serial/test_serial.py - ports/serial and the host's side, over lines that lose, flip and insert bytes.
# Layer: tests. Source: docs/serial.md; in virtual time, see world.py.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "ports", "python"))
from world import Client, Device, World  # noqa: E402

from nanorpc.link import State  # noqa: E402

FLAGS = "-std=c99 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Wpedantic -Wconversion"
FLAGS += " -Wshadow -Werror -I. -Iboards -Ibuild/gen -DPB_NO_ERRMSG=1 -DPB_BUFFER_ONLY=1"
NANOPB = os.environ["NANOPB_DIR"]
BAD = {"lost": 1000, "flipped": 1000, "inserted": 1000}  # of a million bytes, each
BAUDS = (9600, 115200)


def built(folder, baud, *settings):
    program = str(folder / ("device-%d" % baud))
    sources = ["tests/serial/device.c", "boards/apps/greeter/greeter.c"]
    for pattern in [
        "ports/serial/*.c",
        *("nanorpc/%s/*.c" % room for room in ("hpack", "http2", "grpc", "server", "client")),
        *("build/gen/%s.*.c" % name for name in ("helloworld", "helloworld/greeter", "simpletest")),
        NANOPB + "/pb_[ced]*.c",
    ]:
        sources += sorted(glob.glob(pattern, root_dir=ROOT))
    flags = [*FLAGS.split(), *settings, "-DBAUD=%d" % baud, "-isystem", NANOPB]
    subprocess.run(["gcc", *flags, "-o", program, *sources], cwd=ROOT, check=True)
    return program


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serial")
    return {baud: built(folder, baud, "-DLINKS=3", "-DRING=256") for baud in BAUDS}


@pytest.fixture
def world(programs):
    devices = []

    def make(baud, **how):
        devices.append(Device(programs[baud]))
        return World(devices[-1], baud, **how)

    yield make
    for device in devices:
        device.stop()


def hello(name):
    text = name.encode()
    return b"\0" + (2 + len(text)).to_bytes(4, "big") + b"\x0a" + bytes([len(text)]) + text


def greeting(name):
    return hello("Hello, %s!" % name)


def over(*replies):
    return lambda: all(reply[1] is not None for reply in replies)


PATH = "/helloworld.Greeter/SayHello"


@pytest.mark.parametrize("baud", BAUDS)
def test_calls(world, baud):
    here = world(baud)
    client = Client(here, "one")
    for i in range(20):
        reply = client.call(PATH, hello("n%d" % i))
        here.run(over(reply), 3000)
        assert reply == [greeting("n%d" % i), "0"]
    assert client.connections == 1 and here.text == b""


@pytest.mark.parametrize("baud", BAUDS)
@pytest.mark.parametrize("seed", range(3))
def test_bad_line(world, baud, seed):
    """No call is lost, none is answered wrongly, though one byte in 333 is."""
    here = world(baud, seed=seed, delay=seed, **BAD)
    clients = [Client(here, "one"), Client(here, "two")]
    for i in range(15):
        replies = [
            (name, c.call(PATH, hello(name))) for c in clients for name in [c.name + "-%d" % i]
        ]
        here.run(over(*(reply for _, reply in replies)), 120_000)
        for name, reply in replies:
            assert reply == [greeting(name), "0"]
    assert [client.connections for client in clients] == [1, 1]


def test_text_beside(world):
    here = world(115200)
    client = Client(here, "one")
    here.run(over(client.call(PATH, hello("a"))), 3000)
    here.up.put(b"temperature: 21 ~ 22\r\n")  # with a flag in it
    here.run(over(client.call(PATH, hello("b"))), 3000)
    here.run(lambda: b"temperature: 21" in here.text and b" 22\r\n" in here.text, 3000)


@pytest.mark.parametrize("baud", BAUDS)
def test_reset_in_mid_call(world, baud):
    """The device is reset: open calls end at once, later ones work."""
    here = world(baud)
    client = Client(here, "one")
    here.run(over(client.call(PATH, hello("a"))), 3000)
    reply = client.call(PATH, hello("b"))
    for _ in range(20):
        here.step()
    here.device.reset()
    here.run(lambda: client.link is None, 3000)
    assert reply[1] is not None
    after = client.call(PATH, hello("c"))
    here.run(over(after), 5000)
    assert after == [greeting("c"), "0"] and client.connections == 2


def test_every_byte_of_a_call_may_be_the_last_before_a_reset(world):
    here = world(115200)
    client = Client(here, "one")
    for ms in range(1, 40):
        reply = client.call(PATH, hello("x" * 20))
        for _ in range(ms):
            here.step()
        is_open = client.link.state is State.OPEN
        here.device.reset()
        # A client that is just coming asks for its link once more, and notices nothing.
        here.run(lambda: client.link is None or not is_open and reply[1], 5000)
        assert reply[1] == "0" or reply[1].startswith("closed")
        reply = client.call(PATH, hello("after"))
        here.run(over(reply), 5000)
        assert reply == [greeting("after"), "0"]


def test_cable_is_cut(world):
    """Calls end when nothing is heard any more; the device takes new clients when the cable is back."""
    here = world(115200)
    client = Client(here, "one")
    here.run(over(client.call(PATH, hello("a"))), 3000)
    here.up.is_cut = here.down.is_cut = True
    reply = client.call(PATH, hello("b"))
    here.run(over(reply), 60_000)
    assert reply[1].startswith("closed")
    for _ in range(11_000):  # the device's silence
        here.step()
    here.up.is_cut = here.down.is_cut = False
    after = client.call(PATH, hello("c"))
    here.run(over(after), 5000)
    assert after == [greeting("c"), "0"]


def test_clients_beyond_the_connections(world):
    """The Greeter has two: the third is refused while both are young, and has the place of one that is idle."""
    here = world(115200)
    clients = [Client(here, str(i)) for i in range(3)]
    for client in clients[:2]:
        here.run(over(client.call(PATH, hello("a"))), 3000)
    reply = clients[2].call(PATH, hello("b"))
    here.run(over(reply), 10_000)
    assert reply[1].startswith("closed") or reply[1] == "0"
    for _ in range(3000):
        here.step()
    reply = clients[2].call(PATH, hello("c"))
    here.run(over(reply), 10_000)
    assert reply == [greeting("c"), "0"]


def test_client_goes_and_another_comes(world):
    here = world(115200)
    for i in range(10):
        client = Client(here, str(i))
        reply = client.call(PATH, hello("a"))
        here.run(over(reply), 3000)
        assert reply == [greeting("a"), "0"]
        client.link.close(here.seconds())
