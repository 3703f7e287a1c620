# SPDX-License-Identifier: Apache-2.0
"""What every case offers: a name, what it belongs to, who can play it, and a way to play one run of it."""
from pathlib import Path
from typing import Protocol

from .group import Group
from .plan import Plan
from .program import Program


class Case(Protocol):
    name: str
    title: str  # what it is, in a line
    group: Group  # the cases whose figures mean the same, shown in one table
    programs: tuple[str, ...]  # keys of those that can play it
    guest_mib: int  # hugepages that it needs beside the program's own
    most_rounds: int | None  # where more would say no more

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "Case":
        """The case as it is played in this round by all `programs`; itself, if it need not look at them first."""

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        """One run, its files in `folder`: the group's figures by name, and whatever else is worth keeping.

        `mood` is what the canary said just before. MeasurementFailed, OSError or SubprocessError: the run is left out.
        """
