# SPDX-License-Identifier: Apache-2.0
"""What the switch needs in memory for a full node: many vhost-user ports, each with a guest that sends and receives."""
import re
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from .group import RUNS, Figure, Group, shown
from .guest import Guest, guest
from .plan import Plan
from .ports import Vhost
from .processes import MeasurementFailed
from .program import Program, Running

HUGEPAGES = Figure("hugepages_mib", "hugepages", "hugepages MiB", digits=0)
RSS_ANON = Figure("rss_anon_mib", "rss_anon", "RssAnon MiB")

GROUP = Group(
    name="memory", title="Memory", figures=(HUGEPAGES, RSS_ANON),
    about="""\
The switch alone, with a guest at every port: each port sends 60-byte frames to its neighbour as fast as its ring (of
256) takes them. When every port has received, the switch's own hugepages are counted (not the guests', which it maps
too) and its anonymous memory. The targets are 512 MiB and 150 MiB.""",
    columns=(shown(HUGEPAGES), shown(RSS_ANON), RUNS),
    unit="MiB", floor=None, rival=None)

_PORTS_A_GUEST = 32  # all that a DPDK program of Debian's can have
_GUEST_MIB = 192
# librte_vhost looks for those it could not connect to once a second, and a guest opens its sockets one after the other.
_CONNECT_S = 120


@dataclass(frozen=True)
class MemoryCase:
    name: str
    ports: int

    group = GROUP
    programs = ("bulkhead",)
    most_rounds = 1

    @property
    def title(self) -> str:
        return f"{self.ports} vhost-user ports, all in use"

    @property
    def guest_mib(self) -> int:
        return self.ports // _PORTS_A_GUEST * _GUEST_MIB

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "MemoryCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        sockets = [folder / f"{port}.sock" for port in range(self.ports)]
        with program.start([Vhost(socket) for socket in sockets], plan.layout, folder) as running, ExitStack() as stack:
            guests = [stack.enter_context(_guest(plan, sockets, first, folder))
                      for first in range(0, self.ports, _PORTS_A_GUEST)]
            for one in guests:
                one.ask(_CONNECT_S)
            running.wait_for("frames on every port", lambda: all(min(one.ask()["received"]) > 0 for one in guests))
            time.sleep(plan.seconds)
            received = [count for one in guests for count in one.ask()["received"]]
            return {**_memory(running), "ports": self.ports, "received_least": min(received),
                    "received_most": max(received)}


def _guest(plan: Plan, sockets: list[Path], first: int, folder: Path) -> AbstractContextManager[Guest]:
    return guest(plan, "throughput", sockets[first:first + _PORTS_A_GUEST], folder, "--first-station", first,
                 "--ring", 256, name=f"guest-{first}", memory_mib=_GUEST_MIB)


def _memory(running: Running) -> dict:
    # A page that is a guest's is mapped by both, and so counted as shared.
    return {"hugepages_mib": _kib(running.pid, "smaps_rollup", "Private_Hugetlb") / 1024,
            "rss_anon_mib": _kib(running.pid, "status", "RssAnon") / 1024}


def _kib(pid: int, file: str, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
    if found is None:
        raise MeasurementFailed(f"/proc/{pid}/{file} has no {field}")
    return int(found.group(1))
