# SPDX-License-Identifier: Apache-2.0
"""The cases without a guest: two ports that replay frames from memory, as fast as the program takes them."""
from dataclasses import dataclass
from pathlib import Path

from . import processes, traffic, window
from .group import CANARY, CORE, LOST, RUNS, Figure, Group, over_floor, shown, to_floor, to_rival
from .plan import Plan
from .program import Program

CYCLES = Figure("cycles_per_packet", "cycles", "cycles/packet")
MPPS = Figure("mpps", "mpps", "Mpps", best="max", digits=2)

GROUP = Group(
    name="l2", title="Frames from memory", figures=(CYCLES, MPPS),
    about=f"""\
Two `net_pcap` ports replay {traffic.FRAME_BYTES}-byte UDP frames from memory (`infinite_rx=1`) as fast
as they are polled; what is transmitted is counted and dropped. The first port's stations talk to the second port's and
back.""",
    columns=(shown(CYCLES), over_floor(CYCLES), to_floor(CYCLES), shown(MPPS), to_rival(MPPS), LOST, CORE, CANARY,
             RUNS),
    unit="TSC cycles per packet", rival_figure=MPPS, log_scale=True)


@dataclass(frozen=True)
class ReplayCase:
    """Two ports, `pairs` stations on each; A(i) of the first talks with B(i) of the second."""

    name: str
    pairs: int
    warm_up_s: float  # until every MAC is learned and every flow cache is as full as it gets

    group = GROUP
    programs = ("testpmd", "ovs", "bulkhead")
    guest_mib = 0
    most_rounds = None

    @property
    def title(self) -> str:
        return f"L2 learning, {self.pairs:,} MAC pairs"

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "ReplayCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        ports = traffic.write(self.name, self.pairs, folder)
        with program.start(ports, plan.layout, folder) as running:
            processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
            sample = window.measure(running, running.frames, self.warm_up_s, plan.seconds)
        return sample.as_dict(mood["tsc_hz"])
