# SPDX-License-Identifier: Apache-2.0
"""What every measured program offers: testpmd, Open vSwitch and this switch are three of these."""
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .traffic import Traffic


@dataclass(frozen=True)
class Layout:
    """The same for all: where threads run and how much hugepage memory there is."""

    control_core: int = 0
    worker_core: int = 1
    memory_mib: int = 512


@dataclass(frozen=True)
class Running:
    pid: int
    frames: Callable[[], tuple[int, int]]  # received and transmitted by both ports since the program began


class Program(Protocol):
    key: str  # as in --peer and in the JSON
    title: str

    def missing(self) -> str | None:
        """Why it can't be measured here, and what to install; None when it can."""

    def version(self) -> str: ...

    def start(self, traffic: Traffic, layout: Layout, folder: Path) -> AbstractContextManager[Running]:
        """Runs it, files in `folder`, until the context ends; frames flow when it begins."""
