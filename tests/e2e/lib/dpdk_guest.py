# SPDX-License-Identifier: Apache-2.0
"""Guests that are DPDK programs, by virtio-user: perf/guest, which sends as fast as its ring takes it, and testpmd."""
import contextlib
import json
import os
import subprocess
import time

import pytest

from .child import dies_with_us
from .daemon import BUILD

MEMORY_MIB = 128


class Sender:
    """Stations `first` and `first` + 1 behind two sockets that it makes; the first sends to the second."""

    def __init__(self, sockets, first, folder):
        program = BUILD / "perf/guest"
        if not program.exists():
            pytest.skip("perf/guest is not built here: its figures are of an optimised build")
        self.first = first
        ports = [word for socket in sockets for word in ("--port", str(socket))]
        with open(folder / f"guest-{first}.log", "wb") as log:
            self.process = subprocess.Popen(
                dies_with_us([str(program), "throughput", "--one-way", "--name", f"bulkhead-test-{os.getpid()}-{first}", "--core", "0",
                              "--memory", str(MEMORY_MIB), "--first-station", str(first), *ports]),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait(10)

    def mac(self, station):
        return f"02:00:00:00:00:{self.first + station:02x}"

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def received_per_core_second(self, seconds):
        """Of the second station. Per second that the guest had its core, which it shares with others."""
        before = self.ask()
        time.sleep(seconds)  # the time is what is measured
        after = self.ask()
        return (after["received"][1] - before["received"][1]) / (after["core_s"] - before["core_s"])


@contextlib.contextmanager
def forwarder(sockets, folder, server, cores="0"):
    """testpmd, which passes on what it hears at one socket to the other. `server`: it makes the sockets."""
    devices = [f"--vdev=net_virtio_user{number},path={path},queues=1" + (",server=1" if server else "")
               for number, path in enumerate(sockets)]
    prefix = f"bulkhead-test-{os.getpid()}-testpmd"
    with open(folder / "testpmd.log", "ab") as log:
        process = subprocess.Popen(
            dies_with_us(["dpdk-testpmd", f"--lcores=0@(0-1),1@{cores}", "--main-lcore=0", "--no-pci", "--in-memory", "--single-file-segments",
                          f"--file-prefix={prefix}", "--no-telemetry", "-m", str(MEMORY_MIB), *devices, "--", "--forward-mode=io",
                          "--auto-start", "--stats-period=3600", "--no-mlockall", "--total-num-mbufs=4096"]),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        for path in sockets if server else ():
            path.unlink(missing_ok=True)  # virtio-user never replaces one
