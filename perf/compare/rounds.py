# SPDX-License-Identifier: Apache-2.0
"""The rounds of a case: every program once a round, in turn, each time a fresh process, with the canary before it."""
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import machine, processes, traffic, window
from .cases import Case
from .program import Layout, Program


# A program that answers no more, or is not there, fails its run as one that says so does.
FAILURES = (processes.MeasurementFailed, OSError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    layout: Layout
    canary: Path


def measure(case: Case, programs: list[Program], plan: Plan, report: Callable[[dict], None]) -> list[dict]:
    """All runs of a case. A run that fails is reported on stderr and left out; the others go on."""
    runs = []
    for number in range(plan.rounds):
        for program in programs:
            with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
                try:
                    runs.append(_one(case, program, plan, number, Path(folder)))
                except FAILURES as failure:
                    print(f"{case.name}, {program.key}, round {number + 1}: {failure}", file=sys.stderr, flush=True)
                else:
                    report(runs[-1])
    return runs


def _one(case: Case, program: Program, plan: Plan, number: int, folder: Path) -> dict:
    frames = traffic.write(case, folder)
    mood = machine.canary(plan.canary, plan.layout.worker_core)
    with program.start(frames, plan.layout, folder) as running:
        processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
        sample = window.measure(running, case.warm_up_s, plan.seconds)
    return {"case": case.name, "program": program.key, "round": number + 1, **sample.as_dict(mood["tsc_hz"]),
            "canary": mood}
