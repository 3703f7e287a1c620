# SPDX-License-Identifier: Apache-2.0
"""Our own guest (perf/guest): virtio-user ports on the control core, asked for its figures a line at a time."""
import json
import os
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from . import processes
from .plan import Plan
from .processes import MeasurementFailed
from .telemetry import Telemetry

MEMORY_MIB = 128
LEAST_SHARE = 0.8


class Guest:
    """Asked at the beginning and at the end of a window, it knows what was in between."""

    def __init__(self, process: subprocess.Popen, log: Path):
        self._process, self._log = process, log
        self._before: dict = {}
        self.last: dict = {}

    def ask(self, timeout_s: float = 30) -> dict:
        """What it counts. It answers when the switch has come to all its ports."""
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("ended") from None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            raise self._failed(f"gave no answer within {timeout_s:.0f} s: has the switch come to its ports?")
        answer = self._process.stdout.readline()
        if not answer:
            raise self._failed("ended")
        self._before, self.last = self.last, json.loads(answer)
        return self.last

    def frames(self) -> tuple[int, int]:
        """What its rings took and what it was brought: what the switch received and transmitted."""
        answer = self.ask()
        return sum(answer["sent"]), sum(answer["received"])

    @property
    def ring_full(self) -> float:
        """Between the last two answers: how often a ring did not take a whole burst, for the switch was behind."""
        offers = self.last["offers"] - self._before["offers"]
        return (self.last["refused"] - self._before["refused"]) / offers if offers else 0.0

    @property
    def core_share(self) -> float:
        """Between the last two answers. MeasurementFailed if that was too little.

        A worker that waits for a guest is counted as if it worked: unlike its own, time that the guest has not had
        can't be taken out of the figures.
        """
        share = (self.last["core_s"] - self._before["core_s"]) / (self.last["wall_s"] - self._before["wall_s"])
        if share < LEAST_SHARE:
            raise MeasurementFailed(f"the guest had its core for only {share:.0%} of the time")
        return share

    def _failed(self, what: str) -> MeasurementFailed:
        return MeasurementFailed(f"the guest {what}\n{processes.tail(self._log)}")


@contextmanager
def guest(plan: Plan, mode: str, sockets: Sequence[Path], folder: Path, *options: object, name: str = "guest",
          memory_mib: int = MEMORY_MIB) -> Iterator[Guest]:
    """Listens on `sockets` until the context ends."""
    if not plan.guest.exists():
        raise MeasurementFailed(f"{plan.guest} is not built (ninja -C build perf/guest)")
    log = folder / f"{name}.log"
    prefix = f"bulkhead-bench-{os.getpid()}-{name}"
    command = [str(plan.guest), mode, "--name", prefix,
               "--core", str(plan.layout.control_core), "--memory", str(memory_mib), *map(str, options)]
    for socket in sockets:
        command += ["--port", str(socket)]
    with closing(Telemetry(prefix)), processes.child(command, log, answers=True) as process:
        yield Guest(process, log)
