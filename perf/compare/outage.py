# SPDX-License-Identifier: Apache-2.0
"""For how long guests hear nothing when the switch ends and comes back."""
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .group import RUNS, Figure, Group, shown, to_rival
from .herd import herd
from .plan import Plan
from .ports import Vhost
from .program import Layout, Program, Running

GUESTS = 64
TIMES = 10

SILENCE = Figure("silence_ms", "silence", "silence ms", digits=0)
WORST = Figure("worst_ms", "worst", "worst ms", digits=0)

GROUP = Group(
    name="outage", title="Restart", figures=(SILENCE, WORST),
    about=f"""\
{GUESTS} vhost-user guests in one segment, pairs of which send each other a frame every 2 ms. Silence is the longest
time between two frames that one of them heard, while the switch ended and came back: of the guest that had to wait
longest, from before the signal to after the last guest's connection. A run is {TIMES} times: *silence* is their median,
*worst* the longest. The targets are 150 ms (median) and 1,000 ms. The switch sleeps when idle, as installed, since the
guests live on both cores; Open vSwitch's worker polls, and its database goes on while the switch is away.""",
    columns=(shown(SILENCE), shown(WORST), to_rival(SILENCE), RUNS),
    unit="ms", floor=None)

# Ends what runs and brings up the next one.
Restart = Callable[[ExitStack, Program, list[Vhost], Layout, Path, Running], Running]


def handed_over(stack: ExitStack, program: Program, ports: list[Vhost], layout: Layout, folder: Path,
                running: Running) -> Running:
    return stack.enter_context(program.start(ports, layout, folder, predecessor=running))


def killed(stack: ExitStack, program: Program, ports: list[Vhost], layout: Layout, folder: Path,
           running: Running) -> Running:
    running.process.kill()
    running.process.wait()
    return stack.enter_context(program.start(ports, layout, folder))


@dataclass(frozen=True)
class OutageCase:
    name: str
    title: str
    restart: Restart
    programs: tuple[str, ...] = ("bulkhead",)

    group = GROUP
    guest_mib = Layout.memory_mib  # of the second switch, while there are two
    most_rounds = None

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "OutageCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        with herd(plan, folder, GUESTS) as guests, ExitStack() as stack:
            ports = [Vhost(socket, wants_cores=True) for socket in guests.sockets]
            running = stack.enter_context(program.start(ports, plan.layout, folder))
            silences = []
            for _ in range(TIMES):
                guests.all_hear()
                guests.forget_gaps()
                begin = time.monotonic()
                running = self.restart(stack, program, ports, plan.layout, folder, running)
                guests.all_hear(of_switch_since=begin)
                silences.append(guests.longest_gap_ms())
            return {"silence_ms": median(silences), "worst_ms": max(silences), "silences_ms": silences}
