# SPDX-License-Identifier: Apache-2.0
"""The floor between ports in memory, which testpmd can't have: the rig's own loop, which only moves the frames."""
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from . import processes
from .ports import Port
from .program import Layout, Running


class Mover:
    key = "mover"
    title = "floor (frames only moved)"

    def __init__(self, rig: Path, switch: Path):
        self._rig, self._switch = rig, switch

    def missing(self) -> str | None:
        return None if self._rig.exists() else f"{self._rig} is not built (ninja -C build perf/rig)"

    def version(self) -> str:
        return processes.run([str(self._switch), "--version"]).split()[1]

    def start(self, ports: Sequence[Port], layout: Layout, folder: Path) -> AbstractContextManager[Running]:
        raise processes.MeasurementFailed("lives in the rig, and moves frames between its ports alone")
