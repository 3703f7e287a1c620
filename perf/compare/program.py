# SPDX-License-Identifier: Apache-2.0
"""What every measured program offers: testpmd, Open vSwitch and this switch are three of these."""
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import processes
from .ports import Port

Frames = Callable[[], tuple[int, int]]  # received and transmitted, by all ports, since the beginning


@dataclass(frozen=True)
class Counts:
    """Of one port, since the beginning."""

    received: int
    received_bytes: int
    transmitted: int
    transmitted_bytes: int


@dataclass(frozen=True)
class Layout:
    """The same for all: where threads run and how much hugepage memory there is."""

    control_core: int = 0
    worker_core: int = 1
    memory_mib: int = 512


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen
    log: Path
    frames: Frames  # of ports that replay: a guest's are counted by the guest
    counts: Callable[[], list[Counts]] | None = None  # the same by port, in the order of the ports; None: it can't say
    stations: Callable[[], tuple[int, int]] | None = None  # MACs known: of ports, of tunnels; None: no switch
    judged: Callable[[], int] | None = None  # frames that a firewall's rules let through; None: it has no rules

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, what: str, ready: Callable[[], bool], timeout_s: float = 30) -> None:
        """Until `ready`; MeasurementFailed when the program ends or the time is over."""
        processes.wait_for(what, ready, self.process, self.log, timeout_s)


class Program(Protocol):
    key: str  # as in --peer and in the JSON
    title: str

    def missing(self) -> str | None:
        """Why it can't be measured here, and what to install; None when it can."""

    def version(self) -> str: ...

    def start(self, ports: Sequence[Port], layout: Layout, folder: Path) -> AbstractContextManager[Running]:
        """Moves frames between `ports`, files in `folder`, until the context ends; it is up when that begins.

        Those that judge take `firewall`, too.
        """
