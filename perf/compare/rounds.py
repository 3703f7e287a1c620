# SPDX-License-Identifier: Apache-2.0
"""The rounds of a case: every program once a round, in turn, each time a fresh process, with the canary before it."""
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import machine, processes
from .case import Case
from .plan import Plan
from .program import Program

# A program that answers no more, or is not there, fails its run as one that says so does.
FAILURES = (processes.MeasurementFailed, OSError, subprocess.SubprocessError)


def measure(case: Case, programs: list[Program], plan: Plan, report: Callable[[dict], None]) -> list[dict]:
    """All runs of a case. A run that fails is reported on stderr and left out; the others go on."""
    able = [program for program in programs if program.key in case.programs]
    runs = []
    for number in range(min(plan.rounds, case.most_rounds or plan.rounds)):
        try:
            with _folder() as folder:
                of_round = case.for_round(able, plan, folder)
        except FAILURES as failure:
            print(f"{case.name}, round {number + 1}: {failure}", file=sys.stderr, flush=True)
            continue
        for program in able:
            try:
                with _folder() as folder:
                    runs.append(_one(of_round, program, plan, number, folder))
            except FAILURES as failure:
                print(f"{case.name}, {program.key}, round {number + 1}: {failure}", file=sys.stderr, flush=True)
            else:
                report(runs[-1])
    return runs


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as name:
        yield Path(name)


def _one(case: Case, program: Program, plan: Plan, number: int, folder: Path) -> dict:
    mood = machine.canary(plan.canary, plan.layout.worker_core)
    figures = case.play(program, plan, folder, mood)
    return {"case": case.name, "program": program.key, "round": number + 1, **figures, "canary": mood}
