# SPDX-License-Identifier: Apache-2.0
"""The floor: dpdk-testpmd in mode `io`, which moves frames from port to port and looks at none."""
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import processes
from .program import Layout, Running
from .telemetry import Telemetry
from .traffic import Traffic


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
    def start(self, traffic: Traffic, layout: Layout, folder: Path) -> Iterator[Running]:
        prefix = f"bulkhead-bench-{os.getpid()}-testpmd"
        log = folder / "testpmd.log"
        devices = [word for device in traffic.devices() for word in ("--vdev", device)]
        # infinite_rx keeps the whole file in buffers of its own.
        buffers = 2 * traffic.frames_per_file + 16384
        command = ["dpdk-testpmd", "-l", f"{layout.control_core},{layout.worker_core}",
                   "--main-lcore", str(layout.control_core), "--no-pci", "--in-memory", f"--file-prefix={prefix}",
                   "-m", str(layout.memory_mib), *devices, "--",
                   "--forward-mode=io", "--nb-cores=1", f"--total-num-mbufs={buffers}", "--no-lsc-interrupt"]
        with closing(Telemetry(prefix)) as telemetry, processes.child(command, log) as process:
            processes.wait_for("frames moved", lambda: telemetry.frames()[1] > 0, process, log)
            yield Running(process.pid, telemetry.frames)
