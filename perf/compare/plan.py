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
    tools: Path  # the build's folder of perf programs: canary, guest

    @property
    def canary(self) -> Path:
        return self.tools / "canary"

    @property
    def guest(self) -> Path:
        return self.tools / "guest"
