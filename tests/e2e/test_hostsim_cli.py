# tests/e2e/test_hostsim_cli.py - the simulator as a program: its options, its weather, its capture, its end.
# Layer: tests. Source: host-sim/options.c; the pcap format, draft-ietf-opsawg-pcap.
# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import children
import pytest

from rawh2 import Peer, message, messages
from targets import ROOT

READY = "nanorpc: Greeter ready on 127.0.0.1:"

PROGRAM = os.path.join(ROOT, "build", "host-sim", "greeter")
LEAKS = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")  # one makes the exit status another than 0
NO_LEAKS = dict(os.environ, ASAN_OPTIONS="")
SECONDS = 60  # of patience: no test fails because the machine is slow
SUMMARY = re.compile(
    r"nanorpc: stopped after (?P<seconds>[\d.]+) s; (?P<devices>\d+) devices?; "
    r"(?P<connections>\d+) connections?; "
    r"to the device (?P<to>\d+) frames, (?P<to_bytes>\d+) bytes, (?P<to_dropped>\d+) dropped; "
    r"from it (?P<from>\d+) frames, (?P<from_bytes>\d+) bytes, (?P<from_dropped>\d+) dropped\n"
)
APIS = pytest.mark.parametrize("api", ["raw", "sockets"])


def run(*options):
    """(exit status, stdout, stderr) of a simulator that is to end by itself."""
    done = subprocess.run(
        [PROGRAM, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=LEAKS,
    )
    print(done.stdout, done.stderr)
    return done.returncode, done.stdout, done.stderr


class Simulator:
    """A running simulator, in a process group of its own as under a shell. ports: of its devices."""

    def __init__(self, *options, devices=1):
        self.process = subprocess.Popen(
            children.tied([PROGRAM, *options]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=LEAKS,
        )
        lines = [self.process.stdout.readline() for _ in range(devices)]
        self.ports = sorted(
            int(line.rpartition(":")[2]) for line in lines if line.startswith(READY)
        )
        if len(self.ports) != devices:
            pytest.fail("not ready: %s%s" % (lines, self.stop(signal.SIGKILL)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def greet(self):
        for port in self.ports:
            with Peer(port) as peer:
                assert peer.say_hello("sim") == "Hello, sim!"

    def stop(self, number=signal.SIGINT, group=True):
        """(exit status, what the summary says, stderr). group: as Ctrl-C does."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        out, error = self.process.communicate(timeout=SECONDS)
        print(out, error)
        found = SUMMARY.search(out)
        return (
            self.process.returncode,
            {k: float(v) for k, v in found.groupdict().items()} if found else None,
            error,
        )


def refused(port):
    """True when nobody listens there any more."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


def ports_in_a_row(n):
    """The first of n free ports, below those that the system gives to clients."""
    for _ in range(100):
        first = random.randrange(20000, 32000)
        if all(map(refused, range(first, first + n))):
            return first
    raise AssertionError("no free ports")


# --- The command line --------------------------------------------------------------------------------------


def test_help():
    status, out, error = run("--help")
    assert (status, error) == (0, "")
    for word in (
        "port",
        "api raw",
        "api sockets",
        "pcap",
        "loss",
        "delay",
        "rate",
        "reorder",
        "disconnect",
        "seed",
        "preempt",
        "devices",
        "serial=tcp",
        "baud",
        "noise",
        "help",
    ):
        assert "--" + word in out
    assert "localhost:50051" in out and "Ctrl-C" in out
    assert max(map(len, out.splitlines())) <= 90


@pytest.mark.parametrize(
    "options, right",
    [
        (["--port", "70000"], "0 to 65535"),
        (["--port", "-1"], "0 to 65535"),
        (["--port", "http"], "0 to 65535"),
        (["--port", ""], "0 to 65535"),
        (["--port", "1 "], "0 to 65535"),
        (["--port"], "needs a value"),
        (["--api", "posix"], "'raw' or 'sockets'"),
        (["--loss", "101"], "0 to 100"),
        (["--loss", "-1"], "0 to 100"),
        (["--loss", "nan"], "0 to 100"),
        (["--loss", "5%"], "0 to 100"),
        (["--reorder", "."], "0 to 100"),
        (["--delay", "1.5"], "0 to 5000"),
        (["--delay", "9999"], "0 to 5000"),
        (["--rate", "0"], "1 to 10000000"),
        (["--seed", "18446744073709551616"], "18446744073709551615"),
        (["--disconnect", "1"], "2 to 86400"),
        (["--preempt", "100001"], "0 to 100000"),
        (["--devices", "0"], "1 to 256"),
        (["--devices", "257"], "1 to 256"),
        (["--port", "65534", "--devices", "3"], "--port 65533 or less"),
        (["--serial=udp"], "'=tcp'"),
        (["--serial", "--baud", "300"], "1200 to 10000000"),
        (["--serial", "--delay", "1"], "--delay is for an Ethernet"),
        (["--serial", "--devices", "2"], "--devices is for an Ethernet"),
        (["--noise", "1"], "--noise is for --serial"),
        (["--sunshine"], "no option '--sunshine'"),
        (["-x"], "no option '-x'"),
        (["raw"], "'raw' belongs to no option"),
    ],
    ids=lambda value: str(value),
)
def test_bad_input(options, right):
    """Status 2, and a message that says what would be right and where to read on."""
    status, out, error = run(*options)
    assert (status, out) == (2, "")
    assert error.startswith("host-sim: ") and error.count("\n") == 1
    assert right in error and ("--help" in error or right.startswith("--port"))


def test_port_taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        for more in ([], ["--devices", "2"]):
            status, out, error = run("--port", str(port), *more)
            assert (status, SUMMARY.search(out)) == (1, None)
            assert "127.0.0.1:%d" % port in error and "--port 0" in error


def test_pcap_unwritable(tmp_path):
    path = str(tmp_path / "none" / "x.pcap")
    status, out, error = run("--port", "0", "--pcap", path)
    assert (status, out) == (1, "")
    assert path in error and "--pcap" in error


# --- One device --------------------------------------------------------------------------------------------


@APIS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_summary(api, number):
    with Simulator("--port", "0", "--api", api) as simulator:
        assert simulator.ports[0] != 0
        simulator.greet()
        simulator.greet()
        status, summary, error = simulator.stop(number)
        assert (status, error) == (0, "")
        assert (summary["devices"], summary["connections"]) == (1, 2)
        assert summary["to"] >= 10 and summary["from"] >= 10
        assert (
            summary["to_bytes"] >= 42 * summary["to"]
            and summary["from_bytes"] >= 42 * summary["from"]
        )
        assert (summary["to_dropped"], summary["from_dropped"]) == (0, 0)
        assert refused(simulator.ports[0])


@APIS
def test_stop_while_connected(api):
    """Power-off: connections end, calls do not hang."""
    with Simulator("--port", "0", "--api", api) as simulator:
        with Peer(simulator.ports[0]) as peer:
            assert peer.say_hello("sim") == "Hello, sim!"
            status, summary, error = simulator.stop()
            assert (status, error, summary["connections"]) == (0, "", 1)
            with pytest.raises((EOFError, OSError)):
                peer.say_hello("sim")


@APIS
def test_two_beyond_the_limit(api):
    """Clients beyond the limit are refused while the others have calls; those that leave make place."""
    with Simulator("--port", "0", "--api", api) as simulator:
        port = simulator.ports[0]
        peers = []
        for _ in range(16):
            peers.append(Peer(port))
            peers[-1].chat("sim")
        for _ in range(2):
            with pytest.raises((EOFError, OSError)):
                with Peer(port) as peer:
                    peer.say_hello("sim")
        for peer in peers:
            assert peer.say_hello("sim") == "Hello, sim!"
            peer.socket.close()
        simulator.greet()


# --- The capture -------------------------------------------------------------------------------------------


def frames(path):
    """[(seconds, bytes)] of a pcap file."""
    data = path.read_bytes()
    magic, major, minor, _, _, _, link = struct.unpack("=IHHIIII", data[:24])
    assert (magic, major, minor, link) == (0xA1B2C3D4, 2, 4, 1)
    found, at = [], 24
    while at < len(data):
        seconds, micros, kept, length = struct.unpack("=IIII", data[at : at + 16])
        assert kept == length and micros < 1000000
        found.append((seconds + micros / 1e6, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    assert at == len(data)
    return found


@APIS
def test_pcap(api, tmp_path):
    """Both ways, in order, with the times at which they passed; what the device did not get is not there."""
    path, began = tmp_path / "x.pcap", time.time()
    with Simulator(
        "--port", "0", "--api", api, "--pcap", str(path), "--loss", "10", "--delay", "20"
    ) as simulator:
        simulator.greet()
        assert len(frames(path)) > 8  # already
        status, summary, _ = simulator.stop()
    assert status == 0
    captured = frames(path)
    times = [seconds for seconds, _ in captured]
    assert times == sorted(times) and began - 0.001 <= times[0] and times[-1] <= time.time()
    ours = bytes.fromhex("020000000015")
    sent = [frame for _, frame in captured if frame[6:12] == ours]
    got = [frame for _, frame in captured if frame[6:12] != ours]
    assert len(sent) == summary["from"] and sum(map(len, sent)) == summary["from_bytes"]
    assert (
        0 <= summary["to"] - summary["to_dropped"] - len(got) <= 5
    )  # some may have been under way
    assert any(b"Hello, sim!" in frame for frame in sent) and any(
        b"PRI * HTTP/2.0" in frame for frame in got
    )


def test_pcap_in_wireshark(tmp_path):
    """Every frame is well-formed, with right checksums, up to the gRPC message."""
    if not shutil.which("tshark"):
        pytest.skip(
            "tshark is not installed; test_pcap has read the file as the format's description says"
        )
    path = tmp_path / "x.pcap"
    with Simulator("--port", "0", "--pcap", str(path)) as simulator:
        simulator.greet()
        simulator.stop()
    read = [
        "tshark",
        "-r",
        str(path),
        "-d",
        "tcp.port==50051,http2",
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-T",
        "fields",
        "-e",
        "http2.headers.path",
        "-e",
        "http2.headers.status",
    ]
    done = subprocess.run(read, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "/Greeter/SayHello" in done.stdout and "200" in done.stdout
    done = subprocess.run(
        [*read, "-Y", "_ws.malformed or tcp.checksum.status==0 or ip.checksum.status==0"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (0, "")


# --- A fleet -----------------------------------------------------------------------------------------------


def test_devices(tmp_path):
    """Three, on ports in a row, each with a capture of its own; Ctrl-C ends all of them."""
    first = ports_in_a_row(3)
    with Simulator(
        "--port", str(first), "--devices", "3", "--pcap", str(tmp_path / "x.y.pcap"), devices=3
    ) as simulator:
        assert simulator.ports == [first, first + 1, first + 2]
        simulator.greet()
        status, summary, error = simulator.stop()
    assert (status, error) == (0, "")
    assert (summary["devices"], summary["connections"]) == (3, 3)
    assert sorted(os.listdir(tmp_path)) == ["x.y-%d.pcap" % i for i in (1, 2, 3)]
    sent = sum(
        frame[6:12] == bytes.fromhex("020000000015")
        for path in tmp_path.iterdir()
        for _, frame in frames(path)
    )
    assert sent == summary["from"]
    assert all(map(refused, range(first, first + 3)))


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_devices_end_with_their_parent(number):
    with Simulator("--port", "0", "--devices", "2", devices=2) as simulator:
        status, summary, _ = simulator.stop(number, group=False)
        assert status == (0 if number == signal.SIGTERM else -number)
        assert (summary is not None) == (number == signal.SIGTERM)
        wait_until(lambda: all(map(refused, simulator.ports)))


def test_timeout():
    """timeout(1) sends SIGTERM and SIGCONT to all processes at once."""
    done = subprocess.run(
        ["timeout", "1", PROGRAM, "--port", "0", "--devices", "20"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=NO_LEAKS,
    )
    assert (done.returncode, done.stderr) == (124, "") and SUMMARY.search(done.stdout)


def test_a_device_dies():
    """The others end too, and the status says that something was wrong."""
    with Simulator("--port", "0", "--devices", "3", devices=3) as simulator:
        os.kill(children_of(simulator.process.pid)[1], signal.SIGKILL)
        out, error = simulator.process.communicate(timeout=SECONDS)
        assert simulator.process.returncode == 1 and SUMMARY.search(out) is None
        assert "device 2 was killed by signal 9" in error
        assert all(map(refused, simulator.ports))


# --- The weather: host-sim/weather.c alone, and on the wire --------------------------------------------------


class Settings(ctypes.Structure):
    _fields_ = [
        ("seed", ctypes.c_uint64),
        ("loss_ppm", ctypes.c_uint32),
        ("reorder_ppm", ctypes.c_uint32),
        ("delay_ms", ctypes.c_uint32),
        ("rate_kbit", ctypes.c_uint32),
        ("disconnect_s", ctypes.c_uint32),
    ]


class Weather(ctypes.Structure):
    _fields_ = [
        ("settings", ctypes.c_void_p),
        ("key", ctypes.c_uint64),
        ("frames", ctypes.c_uint64),
        ("busy_until_us", ctypes.c_uint64),
    ]


@pytest.fixture(scope="module")
def fates(tmp_path_factory):
    """A function: what happens to frames sent at these times: microseconds of arrival, None for lost."""
    path = str(tmp_path_factory.mktemp("weather") / "weather.so")
    subprocess.run(
        [
            "cc",
            "-std=c99",
            "-shared",
            "-fPIC",
            "-o",
            path,
            os.path.join(ROOT, "host-sim", "weather.c"),
        ],
        check=True,
    )
    library = ctypes.CDLL(path)

    def function(times, size=1000, direction=0, **settings):
        given, weather, due = Settings(**settings), Weather(), ctypes.c_uint64()
        library.weather_begin(ctypes.byref(weather), ctypes.byref(given), direction)
        return [
            due.value
            if library.weather_fate(
                ctypes.byref(weather),
                ctypes.c_uint64(now),
                ctypes.c_size_t(size),
                ctypes.byref(due),
            )
            else None
            for now in times
        ]

    return function


EVERY_MS = range(0, 10000000, 1000)  # ten thousand frames


def test_good_weather(fates):
    assert fates(EVERY_MS, seed=5) == list(EVERY_MS)


def test_loss(fates):
    """As often as was said; the same frames for the same seed, whatever else is set, others for another."""
    lost = {
        seed: [fate is None for fate in fates(EVERY_MS, seed=seed, loss_ppm=50000)]
        for seed in (0, 1, 2)
    }
    assert all(400 < sum(flags) < 600 for flags in lost.values())
    assert len({tuple(flags) for flags in lost.values()}) == 3
    again = fates(range(10000), seed=1, loss_ppm=50000, delay_ms=9, reorder_ppm=70000)
    assert [fate is None for fate in again] == lost[1]
    assert [fate is None for fate in fates(EVERY_MS, direction=1, seed=1, loss_ppm=50000)] != lost[
        1
    ]
    assert set(fates(EVERY_MS, seed=1, loss_ppm=1000000)) == {None}


def test_delay_and_reordering(fates):
    assert fates(EVERY_MS, seed=1, delay_ms=50) == [now + 50000 for now in EVERY_MS]
    extra = [due - now for now, due in zip(EVERY_MS, fates(EVERY_MS, seed=1, reorder_ppm=200000))]
    held = [more for more in extra if more]
    assert 1800 < len(held) < 2200 and 5000 <= min(held) < 6000 and 24000 < max(held) < 25000


def test_rate(fates):
    """1000 bytes at 800 kbit/s take 10 ms; frames wait for each other, until 64 KB wait."""
    dues = fates([0] * 100, seed=1, rate_kbit=800)
    assert dues[:66] == [10000 * (i + 1) for i in range(66)] and set(dues[66:]) == {None}
    assert fates([0, 5000, 900000], seed=1, rate_kbit=800) == [10000, 20000, 910000]


def test_disconnection(fates):
    """One second in every ten, at its own moment in each."""
    minute = range(0, 60000000, 10000)
    for seed in (1, 2):
        out = [
            now
            for now, due in zip(minute, fates(minute, seed=seed, disconnect_s=10))
            if due is None
        ]
        assert [sum(now // 10000000 == i for now in out) for i in range(6)] == [100] * 6
        begins = [min(now % 10000000 for now in out if now // 10000000 == i) for i in range(6)]
        assert len(set(begins)) == 6 and max(begins) <= 9000000


def test_seed_on_the_wire():
    """Of a device's first frame, its ARP announcement, the seed alone decides whether it is lost."""

    def lost(seed):
        with Simulator("--port", "0", "--seed", str(seed), "--loss", "50") as simulator:
            summary = simulator.stop()[1]
        assert summary["from"] == 1
        return summary["from_dropped"]

    first = [lost(seed) for seed in range(1, 9)]
    assert set(first) == {0, 1}
    assert [lost(seed) for seed in range(1, 9)] == first


@APIS
def test_delay_on_the_wire(api):
    with Simulator("--port", "0", "--api", api, "--delay", "100") as simulator:
        with Peer(simulator.ports[0]) as peer:
            began = time.monotonic()
            assert peer.say_hello("sim") == "Hello, sim!"
            assert 0.2 <= time.monotonic() - began < 5


def test_loss_on_the_wire():
    """Nothing reaches the device, nothing hangs."""
    with Simulator("--port", "0", "--loss", "100") as simulator:
        with pytest.raises((TimeoutError, OSError)):
            Peer(simulator.ports[0], timeout=2)
        status, summary, _ = simulator.stop()
        assert (status, summary["connections"]) == (0, 0)
        assert summary["to"] == summary["to_dropped"] > 0


@APIS
def test_syn_ack_comes_twice(api):
    """Before the acknowledgement is back the device sends its SYN-ACK again; libslirp then lost what had
    not left yet, and the device read the rest as a protocol error."""
    with Simulator("--port", "0", "--api", api, "--delay", "600") as simulator:
        with Peer(simulator.ports[0], wait=False) as peer:
            streams = [
                peer.begin("/Greeter/SayHello", message(str(i)), ("x-long", ("%02d" % i) * 200))
                for i in range(12)
            ]
            answers = [messages(peer.finish(stream).data) for stream in streams]
        assert answers == [["Hello, %d!" % i] for i in range(12)]
