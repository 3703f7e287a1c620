# SPDX-License-Identifier: Apache-2.0
"""The cases between ports in memory: what neither net_pcap nor the 32 ports of a DPDK program can do."""
import json
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .group import CANARY, CORE, RUNS, Column, Figure, Group, over_floor, pair, shown, to_floor
from .mover import Mover
from .plan import Plan
from .program import Program
from .replay import CYCLES, MPPS

_PROGRAMS = {Mover.key: "floor", "bulkhead": "bulkhead"}  # by the rig's names
_ABOUT = """\
`perf/rig` runs the real switch, with its workers, between ports that live in the same process: each frame is a fresh
buffer from the pool, its 60 bytes copied from a template and given random stations, and is freed where it is
transmitted. The floor is a loop that takes 64 frames from a port and gives them to its partner."""

STATIONS = Group(
    name="stations", title="Many stations", figures=(CYCLES, MPPS), about=_ABOUT,
    columns=(shown(CYCLES), over_floor(CYCLES), to_floor(CYCLES), shown(MPPS), CORE, CANARY, RUNS),
    unit="TSC cycles per packet", floor=Mover.key, rival=None)

COPIES = Group(
    name="copies", title="Replication", figures=(Figure("cycles_per_packet", "cycles", "cycles/copy"),),
    about="Broadcast frames from one of 65 ports in memory to the other 64; what one copy costs. The floor hands the "
          "same\nbuffers to 64 ports with one reference count for each frame.",
    columns=(shown(CYCLES), over_floor(CYCLES), to_floor(CYCLES), CORE, CANARY, RUNS),
    unit="TSC cycles per copy", floor=Mover.key, rival=None)

SPEEDUP = Figure("speedup", "speedup", "two workers × one", best="max", digits=2)
_ONE = Figure("mpps_of_one", "mpps_one", "Mpps of one", best="max", digits=2)
_TWO = Figure("mpps_of_two", "mpps_two", "Mpps of two", best="max", digits=2)
WORKERS = Group(
    name="workers", title="Two workers", figures=(SPEEDUP, _ONE, _TWO),
    about="Two pairs of ports in memory, 10,000 pairs of stations, with one worker and right after with two: frames "
          "per\nsecond that the workers had their cores. The target is 1.9.",
    columns=(shown(SPEEDUP), shown(_ONE), shown(_TWO), to_floor(SPEEDUP), CANARY, RUNS),
    unit="Mpps of two workers ÷ Mpps of one", floor=Mover.key, rival=None)

KEPT = Figure("kept", "kept", "known traffic kept", best="max", digits=3)
_LEARNED = Figure("learned_per_s", "learned", "learned/s", best="max", digits=0)
_NEW = Figure("cycles_per_known", "cycles_known", "cycles/known packet")
LEARNING = Group(
    name="learning", title="Learning", figures=(KEPT, _LEARNED, _NEW),
    about="Two ports forward between 20,000 known stations; a third sends 1,000,000 frames a second, each from a new "
          "one.\n*Kept* is the known traffic's rate beside that with the same frames from stations that are known "
          "already (target: 0.9).",
    columns=(Column(KEPT.title, lambda row: pair(row, KEPT.row, KEPT.best, KEPT.digits)), shown(_LEARNED), shown(_NEW),
             CANARY, RUNS),
    unit="share of the known traffic", floor=None, rival=None)

WITHOUT = Figure("without_cycles", "without_cycles", "without policy")
ADDED = Figure("added", "added", "policy adds")
CONNECTIONS = Group(
    name="connections", title="Many connections", figures=(CYCLES, WITHOUT, ADDED, MPPS),
    about="Two ports in memory, 1,000 stations on each, UDP in both directions; each frame is of a random connection. Ten "
          "rules,\nwhich deny by default and the last of which opened all of them before. *Policy adds* is what a frame "
          "costs more than\nin the run just before, of the same frames without policy.",
    columns=(shown(CYCLES), shown(WITHOUT), shown(ADDED), over_floor(CYCLES), to_floor(CYCLES), shown(MPPS), CORE, CANARY,
             RUNS),
    unit="TSC cycles per packet", floor=Mover.key, rival=None)

UNMARKED = Figure("unmarked_cycles", "unmarked_cycles", "without marks")
SAVED = Figure("saved", "saved", "marks save", best="max")
MARKS = Group(
    name="marks", title="Marks of a NIC", figures=(CYCLES, UNMARKED, SAVED, MPPS),
    about="A NIC in memory hands over VXLAN of 110 bytes from 64 nodes in 16 segments, each frame of a random node and segment, "
          "to a pod\nin each. It has marked each frame as a NIC does that matched it by a flow rule (no card was at hand: the "
          "mark costs nothing here).\n*Marks save* is what a frame cost more in the run just before, of the same frames without "
          "marks.",
    columns=(shown(CYCLES), shown(UNMARKED), shown(SAVED), shown(MPPS), CORE, CANARY, RUNS),
    unit="TSC cycles per packet", floor=None, rival=None)

PER_SECOND = Figure("opened_per_s", "opened", "new connections/s", best="max", digits=0)
_OPENING = Figure("cycles_per_packet", "cycles", "cycles/new connection")
OPENINGS = Group(
    name="openings", title="New connections", figures=(PER_SECOND, _OPENING, WITHOUT),
    about="Four ports in memory; every frame is the first of a connection that there has never been, and passes by the last "
          "of ten\nrules. Only the opening is measured, lap by lap: 180,000 connections fill the empty table; then the "
          "switch's clock goes\nforward until silence has ended them. Per second that the one worker had its core "
          "(target: 1,000,000).",
    columns=(shown(PER_SECOND), shown(_OPENING), shown(WITHOUT), CORE, CANARY, RUNS),
    unit="new connections a second", floor=None, rival=None)


@dataclass(frozen=True)
class RigCase:
    """One run of the rig."""

    name: str
    title: str
    group: Group = STATIONS
    warm_up_s: float = 0.5

    programs = tuple(_PROGRAMS)
    guest_mib = 0
    most_rounds = None

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "RigCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        return run_rig(self.name, program, plan, plan.seconds, self.warm_up_s)


@dataclass(frozen=True)
class WorkersCase(RigCase):
    group: Group = WORKERS

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        one, two = (run_rig(f"workers-{count}", program, plan, plan.seconds, self.warm_up_s)["details"]["mpps_of_all"]
                    for count in (1, 2))
        return {"speedup": two / one, "mpps_of_one": one, "mpps_of_two": two}


@dataclass(frozen=True)
class LearningCase(RigCase):
    group: Group = LEARNING

    programs = ("bulkhead",)

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        # Three kinds of window take turns.
        details = run_rig(self.name, program, plan, 3 * plan.seconds, self.warm_up_s)["details"]
        new, known = details["new"], details["known"]
        return {"kept": known["cycles_per_known_packet"] / new["cycles_per_known_packet"],
                "learned_per_s": new["learned_per_s"], "cycles_per_known": new["cycles_per_known_packet"],
                "macs_held": details["macs_held"]}


@dataclass(frozen=True)
class ConnectionsCase(RigCase):
    """Of the rig's case `flows`, and of `flows`-policy right after."""

    group: Group = CONNECTIONS
    flows: str = "flows-100000"

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        without = run_rig(self.flows, program, plan, plan.seconds, self.warm_up_s)
        if program.key == self.group.floor:
            return without
        figures = run_rig(f"{self.flows}-policy", program, plan, plan.seconds, self.warm_up_s)
        cost = without["cycles_per_packet"]
        return {**figures, "without_cycles": cost, "added": figures["cycles_per_packet"] - cost}


@dataclass(frozen=True)
class MarksCase(RigCase):
    """Of the rig's case of this name, and of NAME-marks right after."""

    group: Group = MARKS

    programs = ("bulkhead",)

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        without = run_rig(self.name, program, plan, plan.seconds, self.warm_up_s)["cycles_per_packet"]
        figures = run_rig(f"{self.name}-marks", program, plan, plan.seconds, self.warm_up_s)
        return {**figures, "unmarked_cycles": without, "saved": without - figures["cycles_per_packet"]}


@dataclass(frozen=True)
class OpeningsCase(ConnectionsCase):
    group: Group = OPENINGS
    flows: str = "openings"

    programs = ("bulkhead",)

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        figures = super().play(program, plan, folder, mood)
        return {**figures, "opened_per_s": figures["transmitted"] / figures["core_s"]}


def run_rig(case: str, program: Program, plan: Plan, seconds: float, warm_up_s: float) -> dict:
    command = [str(plan.rig), "--case", case, "--program", _PROGRAMS[program.key], "--seconds", str(seconds),
               "--warm-up", str(warm_up_s), "--worker-core", str(plan.layout.worker_core),
               "--control-core", str(plan.layout.control_core)]
    figures = json.loads(processes.run(command, timeout_s=seconds + 120))
    del figures["case"], figures["program"]
    return figures
