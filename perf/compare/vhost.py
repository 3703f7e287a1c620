# SPDX-License-Identifier: Apache-2.0
"""The cases with a guest: from vhost-user port to vhost-user port, as fast as the program can."""
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import processes, window
from .group import CANARY, CORE, LOST, RUNS, Column, Figure, Group, over_floor, share, shown, to_floor, to_rival
from .guest import MEMORY_MIB, Guest, guest
from .plan import Plan
from .ports import Vhost
from .program import Program, Running
from .replay import CYCLES, MPPS

GBPS = Figure("gbps", "gbps", "Gbit/s", best="max", digits=2)
RING_FULL = Column("ring full", lambda row: share(row, "ring_full"))
GUEST_CORE = Column("guest's core", lambda row: share(row, "guest_share"))

GROUP = Group(
    name="vhost", title="Guest to guest", figures=(CYCLES, MPPS, GBPS),
    about="""\
A guest of our own (`perf/guest`, virtio-user on the control core) has two vhost-user ports, rings of 1,024, one queue
each. Both ports send as much as their rings take, 64 frames at a time, whatever comes back (an open loop), and
receive. The guest counts for all programs alike: what it received is what was moved; *lost* is what a ring took and
never came. *Ring full*: how often a ring did not take a whole burst, because the switch was behind; where that is
near 0 %, the guest limits, and cycles/packet include the worker's waiting. *Guest's core*: how much of the time the
guest had its own; the worker waits for it meanwhile, which can't be taken out of the figures, so runs with little are
left out. The floor moves 64 frames at a time as this switch does; Open vSwitch moves 32.""",
    columns=(shown(CYCLES), over_floor(CYCLES), to_floor(CYCLES), shown(MPPS), shown(GBPS), to_rival(MPPS), LOST,
             RING_FULL, GUEST_CORE, CORE, CANARY, RUNS),
    unit="TSC cycles per packet", rival_figure=MPPS)

WARM_UP_S = 1.0


@contextmanager
def pair(program: Program, plan: Plan, mode: str, folder: Path, *options: object) -> Iterator[tuple[Running, Guest]]:
    """`program` between two ports of one guest."""
    sockets = [folder / "a.sock", folder / "b.sock"]
    with program.start([Vhost(socket) for socket in sockets], plan.layout, folder) as running, \
            guest(plan, mode, sockets, folder, *options) as one:
        one.ask()  # the program has come to both
        processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
        yield running, one


@dataclass(frozen=True)
class VhostCase:
    name: str
    frame_bytes: int

    group = GROUP
    programs = ("testpmd", "ovs", "bulkhead")
    guest_mib = MEMORY_MIB
    most_rounds = None

    @property
    def title(self) -> str:
        return f"L2 learning between two stations, {self.frame_bytes:,}-byte frames both ways"

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "VhostCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        with pair(program, plan, "throughput", folder, "--frame-bytes", self.frame_bytes) as (running, one):
            sample = window.measure(running, one.frames, WARM_UP_S, plan.seconds)
            ring_full, guest_share = one.ring_full, one.core_share
        return {**sample.as_dict(mood["tsc_hz"]), "gbps": sample.mpps * self.frame_bytes * 8 / 1e3,
                "ring_full": ring_full, "guest_share": guest_share}
