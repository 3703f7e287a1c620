# SPDX-License-Identifier: Apache-2.0
"""Many vhost-user guests in one process (tests/guest/herd.cpp), which send to each other without a pause and note for
how long they hear nothing."""
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import processes
from .plan import Plan
from .processes import MeasurementFailed

_HEAR_S = 30


class Herd:
    def __init__(self, process, folder: Path, count: int):
        self._process, self._count = process, count
        self.sockets = [folder / f"{guest}.sock" for guest in range(count)]

    def all_hear(self, of_switch_since: float = 0) -> None:
        """Waits until every guest hears of its partner, by a switch that has come since then (CLOCK_MONOTONIC)."""
        deadline = time.monotonic() + _HEAR_S
        while True:
            report = self._ask("report")
            hearing = sum(first > of_switch_since for first in report["first_heard"])
            if min(hearing, report["hearing"]) == self._count:
                return
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"after {_HEAR_S} s only {hearing} of {self._count} guests hear")
            time.sleep(0.01)

    def forget_gaps(self) -> None:
        self._ask("reset")

    def longest_gap_ms(self) -> float:
        """Of the guest that heard nothing for longest since the gaps were forgotten."""
        return max(self._ask("report")["longest_gap_ms"])

    def _ask(self, line: str) -> dict:
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise MeasurementFailed("the guests have ended")
        return json.loads(answer)


@contextmanager
def herd(plan: Plan, folder: Path, count: int) -> Iterator[Herd]:
    """The guests listen at their sockets until the context ends."""
    if not plan.herd.exists():
        raise MeasurementFailed(f"{plan.herd} is not built (ninja -C build tests/guest/herd)")
    log = folder / "herd.log"
    with processes.child([str(plan.herd), str(folder), str(count)], log, answers=True) as process:
        guests = Herd(process, folder, count)
        processes.wait_for("its sockets", lambda: all(socket.exists() for socket in guests.sockets), process, log)
        yield guests
