# SPDX-License-Identifier: Apache-2.0
"""The cases of policy: those of replay.py with a firewall's rules, each run right after one without."""
from dataclasses import dataclass
from pathlib import Path

from . import firewall, processes, traffic, window
from .firewall import Firewall
from .group import CANARY, CORE, LOST, RUNS, Figure, Group, over_floor, shown, to_floor, to_rival
from .plan import Plan
from .ports import Port
from .processes import MeasurementFailed
from .program import Program, Running
from .replay import CYCLES, MPPS
from .rig import ADDED, WITHOUT
from .window import Sample

GROUP = Group(
    name="policy", title="Policy", figures=(CYCLES, WITHOUT, ADDED, MPPS),
    about="""\
As in *Frames from memory*, but that each pair has ports of its own: stations of the first port ask one of eight UDP
services of the second's, which answer. *Policy adds* is what a frame costs more than in the run just before, without
policy, both as long. Default is deny, and only the last of the rules let these frames through; the others are about other
networks, services and protocols. Stateless, all of them say `"stateful": false`, and each direction has a rule. Stateful,
the last rule opens a connection for each pair, and nearly every frame is of one that is established. Open vSwitch has
the same rules as OpenFlow, groups by ingress port; stateful, `ct(zone=…)`, recirculation, and `ct(commit,zone=…)` for what
is new. The floor moves the same frames and judges none. A run counts only if the rules' own counters say that
they decided about the frames, and if no more than one in a hundred was lost.""",
    columns=(shown(CYCLES), shown(WITHOUT), shown(ADDED), over_floor(CYCLES), to_floor(CYCLES), shown(MPPS), to_rival(MPPS),
             LOST, CORE, CANARY, RUNS),
    unit="TSC cycles per packet", rival_figure=MPPS, log_scale=True)

_MOST_LOST = 0.01


@dataclass(frozen=True)
class PolicyCase:
    """`pairs` of stations and the rules between them."""

    name: str
    title: str
    pairs: int
    rules: Firewall
    warm_up_s: float

    group = GROUP
    programs = ("testpmd", "ovs", "bulkhead")
    guest_mib = 0
    most_rounds = None

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "PolicyCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        ports = traffic.write_services(self.name, self.pairs, folder, firewall.SERVICES)
        without = self._play(program, ports, plan, _folder(folder, "without"), None).as_dict(mood["tsc_hz"])
        if program.key == GROUP.floor:
            return without
        with_rules = self._play(program, ports, plan, _folder(folder, "with"), self.rules).as_dict(mood["tsc_hz"])
        cost = without["cycles_per_packet"]
        return {**with_rules, "without_cycles": cost, "added": with_rules["cycles_per_packet"] - cost}

    def _play(self, program: Program, ports: list[Port], plan: Plan, folder: Path, rules: Firewall | None) -> Sample:
        more = {} if rules is None else {"firewall": rules}
        with program.start(ports, plan.layout, folder, **more) as running:
            processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
            sample = window.measure(running, running.frames, self.warm_up_s, plan.seconds)
            if rules is not None:
                _check(running, sample)
        return sample


def _folder(parent: Path, name: str) -> Path:
    (folder := parent / name).mkdir()
    return folder


def _check(running: Running, sample: Sample) -> None:
    """MeasurementFailed where frames were lost, or went past the rules."""
    lost = 1 - sample.transmitted / sample.received
    if lost > _MOST_LOST:
        raise MeasurementFailed(f"{lost:.1%} of the frames were lost: the rules should let all through")
    judged = running.judged()
    if judged < sample.transmitted / 2:
        raise MeasurementFailed(f"the rules have decided about {judged} frames; {sample.transmitted} went in the window alone")
