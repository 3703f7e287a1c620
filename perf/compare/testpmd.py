# SPDX-License-Identifier: Apache-2.0
"""The floor: dpdk-testpmd in mode `io`, which moves frames from port to port and looks at none."""
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from . import processes
from .ports import Port, Replay, Silent, Uplink, Vhost
from .program import Layout, Running
from .telemetry import Telemetry


class Testpmd:
    key = "testpmd"
    title = "floor (testpmd io)"

    def missing(self) -> str | None:
        if shutil.which("dpdk-testpmd"):
            return None
        return "dpdk-testpmd is not installed (apt-get install dpdk-dev)"

    def version(self) -> str:
        # There is no --version without an EAL; the library's package says it.
        found = re.search(r"^Version: (\S+)", processes.run(["dpkg", "-s", "dpdk-dev"]), re.MULTILINE)
        return found.group(1) if found else "unknown"

    @contextmanager
    def start(self, ports: Sequence[Port], layout: Layout, folder: Path) -> Iterator[Running]:
        prefix = f"bulkhead-bench-{os.getpid()}-testpmd"
        log = folder / "testpmd.log"
        devices = [word for number, port in enumerate(ports) for word in ("--vdev", _device(port, number))]
        # infinite_rx keeps the whole file in buffers of its own.
        buffers = sum(port.frames for port in ports if isinstance(port, (Replay, Uplink))) + 16384
        command = ["dpdk-testpmd", "-l", f"{layout.control_core},{layout.worker_core}",
                   "--main-lcore", str(layout.control_core), "--no-pci", "--in-memory", f"--file-prefix={prefix}",
                   "-m", str(layout.memory_mib), *devices, "--",
                   "--forward-mode=io", "--nb-cores=1", f"--total-num-mbufs={buffers}", "--no-lsc-interrupt",
                   "--disable-link-check", *_burst(ports)]
        with closing(Telemetry(prefix)) as telemetry, processes.child(command, log) as process:
            running = Running(process, log, telemetry.frames, telemetry.counts)
            running.wait_for("ports", lambda: telemetry.ports() == len(ports))
            yield running


def _device(port: Port, number: int) -> str:
    match port:
        case Replay() | Silent() | Uplink():
            return port.device(number)
        case Vhost():
            return f"net_vhost{number},iface={port.socket},client=1,queues=1"


def _burst(ports: Sequence[Port]) -> list[str]:
    # What a vhost frame costs depends on how many are moved at once: as many as this switch does.
    return ["--burst=64"] if any(isinstance(port, Vhost) for port in ports) else []
