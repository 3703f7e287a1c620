# SPDX-License-Identifier: Apache-2.0
"""net_simnic, the simulated SmartNIC, and testpmd, a program nobody here wrote, in front of it."""
import contextlib
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from .child import dies_with_us
from .daemon import DRIVER

needs_simnic = pytest.mark.skipif(not DRIVER.exists(), reason="net_simnic is not built: no headers of DPDK's drivers (scripts/deps simnic)")
PROMPT = b"testpmd> "
_EAL = ["-l", "0,1", "--no-pci", "--in-memory", "--no-telemetry", "-m", "256"]


@contextlib.contextmanager
def driver():
    """The driver's path: DPDK loads none from a folder that others may write to, as those of a checkout may be."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-test-", dir="/run"))
    try:
        yield shutil.copy(DRIVER, folder)
    finally:
        shutil.rmtree(folder)


class Testpmd:
    """Started with its prompt; ask() gives it a line and returns what it says to it."""

    __test__ = False  # pytest takes it for tests

    def __init__(self, path, device, queues):
        self._process = subprocess.Popen(
            dies_with_us(["stdbuf", "-oL", "dpdk-testpmd", *_EAL, "-d", path, "--vdev", device, "--", "-i", f"--rxq={queues}", f"--txq={queues}",
                          "--total-num-mbufs=4096", "--port-topology=loop", "--no-mlockall"]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._read(20)

    def _read(self, seconds):
        end, text = time.monotonic() + seconds, b""
        while not text.endswith(PROMPT):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            assert more, f"testpmd ended or fell silent: {text.decode(errors='replace')}"
            text += more
        return text.removesuffix(PROMPT).decode()

    def ask(self, command, seconds=10):
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        return self._read(seconds)

    def counts(self, rule):
        """Packets and bytes of a rule."""
        lines = dict(line.strip().split(": ") for line in self.ask(f"flow query 0 {rule} count").splitlines() if ": " in line)
        return int(lines["hits"]), int(lines["bytes"])

    def close(self):
        self._process.kill()
        self._process.wait(10)


@contextlib.contextmanager
def on_simnic(frames=None, queues=1, **arguments):
    """testpmd on a simulated NIC whose wire brings the frames of a pcap file, once."""
    wire = f"net_pcap0,rx_pcap={frames},tx_pcap={frames}.out" if frames else "net_null0,no-rx=1"
    device = ",".join([f"net_simnic0,wire=({wire})", *(f"{name}={value}" for name, value in arguments.items())])
    with driver() as path:
        program = Testpmd(path, device, queues)
        try:
            yield program
        finally:
            program.close()


class Telemetry:
    """The way to a program's NIC while it runs, for what goes wrong there: EAL's telemetry."""

    def __init__(self):
        self.prefix = f"bulkhead-test-{os.getpid()}"
        self.eal_args = ["--telemetry", f"--file-prefix={self.prefix}"]

    def ask(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(10)
            connection.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            connection.recv(4096)  # who it is
            connection.send(command.encode())
            return json.loads(connection.recv(16384))

    def fault(self, device, name, value):
        answer = self.ask(f"/simnic/fault,{device} {name} {value}")
        assert answer["/simnic/fault"] == {name: "set"}, answer
