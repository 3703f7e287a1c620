# SPDX-License-Identifier: Apache-2.0
"""How long, how often, where, and with which tools a measurement is made."""
from dataclasses import dataclass
from pathlib import Path

from .program import Layout


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    layout: Layout
    build: Path

    @property
    def canary(self) -> Path:
        return self.build / "perf" / "canary"

    @property
    def guest(self) -> Path:
        return self.build / "perf" / "guest"

    @property
    def rig(self) -> Path:
        return self.build / "perf" / "rig"

    @property
    def herd(self) -> Path:
        return self.build / "tests" / "guest" / "herd"
