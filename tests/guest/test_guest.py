# SPDX-License-Identifier: Apache-2.0
"""Two real guests talk through two vhost-user ports. pytest tests/guest; needs BULKHEAD_BUILD (default: build) and, for
the first run, apt's sources. GUEST_IMAGES names the folder that keeps kernel and initramfs (default: under BUILD)."""

import os
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from guest import Guest, GuestError, build

BUILD = Path(os.environ.get("BULKHEAD_BUILD", Path(__file__).parents[2] / "build"))


@pytest.fixture(scope="session")
def images():
    return build(Path(os.environ.get("GUEST_IMAGES", BUILD / "guest-images")))


class Bridge:
    """vhost_bridge with what it counted of each side: a dict for frames of A, one for frames of B."""

    def __init__(self, folder):
        self.paths = [folder / "a.sock", folder / "b.sock"]
        self._process = subprocess.Popen([BUILD / "tests/unit/vhost/vhost_bridge", *self.paths], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "bridging\n"

    def cpu_seconds(self):
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        output, _ = self._process.communicate(timeout=20)
        assert self._process.returncode == 0, output
        return [{name: int(value) for name, value in re.findall(r"(\w+) (\d+)", line)} for line in output.splitlines()]


@pytest.fixture
def bridge(tmp_path):
    bridge = Bridge(tmp_path)
    yield bridge
    bridge.stop()


def pair(stack, bridge, images, **of_b):
    a = stack.enter_context(Guest(bridge.paths[0], images, ip=["10.1.0.1/24", "fd00::1/64"], mac="52:54:00:00:00:0a"))
    b = stack.enter_context(Guest(bridge.paths[1], images, ip=["10.1.0.2/24", "fd00::2/64"], mac="52:54:00:00:00:0b", **of_b))
    print(f"booted in {a.boot_seconds:.1f} s and {b.boot_seconds:.1f} s")
    return a, b


def megabytes_between(client, server, address):
    server.run("iperf3 -s -1 -D -p 5201 >/dev/null 2>&1")
    report = client.run(f"iperf3 -c {address} -n 24M --connect-timeout 5000 -f m", timeout=60).text
    return float(re.search(r"([\d.]+) MBytes .* receiver", report).group(1))


def test_guests_ping_and_talk_tcp_with_offloads(bridge, images):
    with ExitStack() as stack:
        a, b = pair(stack, bridge, images)
        assert " 0% packet loss" in a.run("ping -c 3 10.1.0.2").text
        assert " 0% packet loss" in b.run("ping -c 3 fd00::1").text
        assert megabytes_between(a, b, "10.1.0.2") >= 20
        assert megabytes_between(b, a, "fd00::1") >= 20
        before = bridge.cpu_seconds()
        time.sleep(2)
        idle = bridge.cpu_seconds() - before
        assert idle < 0.5, f"{idle} s of CPU in 2 s of silence"
    of_a, of_b = bridge.stop()
    assert of_a["super_segments"] > 0 and of_b["super_segments"] > 0
    assert of_a["finished"] == of_b["finished"] == 0
    for side in (of_a, of_b):  # an emulated guest may be slow to give buffers back
        assert side["refused"] < side["received"] / 100


def test_a_guest_without_offloads_talks_to_one_with(bridge, images):
    with ExitStack() as stack:
        a, b = pair(stack, bridge, images, offloads=False)
        assert " 0% packet loss" in a.run("ping -c 3 10.1.0.2").text
        assert megabytes_between(a, b, "10.1.0.2") >= 20
        assert megabytes_between(b, a, "10.1.0.1") >= 20
    of_a, of_b = bridge.stop()
    assert of_a["super_segments"] > 0 and of_a["finished"] > 0
    assert of_b["super_segments"] == of_b["checksum_requests"] == 0


def test_a_guest_that_dies_comes_back(bridge, images):
    with ExitStack() as stack:
        a, b = pair(stack, bridge, images)
        b.kill()
        assert a.run("ping -c 1 -W 1 10.1.0.2", check=False).code != 0
        b.close()
        again = stack.enter_context(Guest(bridge.paths[1], images, ip=["10.1.0.2/24"], mac="52:54:00:00:00:0b"))
        assert " 0% packet loss" in again.run("ping -c 2 10.1.0.1").text


def test_commands_report_their_exit_and_their_time(bridge, images):
    with ExitStack() as stack:
        stack.enter_context(Guest(bridge.paths[1], images, mac="52:54:00:00:00:0b"))
        guest = stack.enter_context(Guest(bridge.paths[0], images, ip=["10.1.0.1/24"], mtu=1400, exec="touch /tmp/made"))
        assert guest.run("echo one; echo 'two  three'").text == "one\ntwo  three\n"
        assert guest.run("exit 7", check=False).code == 7
        assert guest.run("cat /sys/class/net/eth0/mtu; ls /tmp").text == "1400\nmade\n"
        with pytest.raises(GuestError, match="exited with 1"):
            guest.run("false")
        with pytest.raises(GuestError, match="longer"):
            guest.run("sleep 30", timeout=1)
        assert guest.run("echo still here").text == "still here\n"
