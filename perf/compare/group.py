# SPDX-License-Identifier: Apache-2.0
"""Cases that are measured alike: which figures a run of them has, what is compared, and how it is shown.

A new kind of case brings a group of its own, made of the columns here or of others; nothing else needs to know it.
"""
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure of a run, of which a summary's row has the best and the median."""

    key: str  # in a run
    row: str  # in a row, followed by _min or _max, and _median
    title: str
    best: str = "min"  # or "max"
    digits: int = 1

    @property
    def kinds(self) -> tuple[str, str]:
        return self.best, "median"


@dataclass(frozen=True)
class Column:
    """Of a table; `show` yields a dash where the row has no such figure."""

    title: str
    show: Callable[[dict], str]


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    about: str  # how these cases are played, for the page
    figures: tuple[Figure, ...]  # the first is what programs are compared by, and what is drawn
    columns: tuple[Column, ...]  # after case and program
    unit: str  # of the first figure, for the plot's axis
    floor: str | None = "testpmd"  # what the others are compared with; None: nothing
    rival: str | None = "ovs"
    rival_figure: Figure | None = None  # by which, if not by the first figure
    log_scale: bool = False

    @property
    def metric(self) -> Figure:
        return self.figures[0]


def pair(row: dict, figure: str, best: str, digits: int) -> str:
    """Best / median."""
    if f"{figure}_{best}" not in row:
        return "–"
    return f"{row[f'{figure}_{best}']:.{digits}f} / {row[f'{figure}_median']:.{digits}f}"


def share(row: dict, figure: str, digits: int = 0) -> str:
    return f"{row[figure]:.{digits}%}" if figure in row else "–"


def shown(figure: Figure) -> Column:
    return Column(figure.title, lambda row: pair(row, figure.row, figure.best, figure.digits))


def over_floor(figure: Figure) -> Column:
    return Column("over the floor", lambda row: pair(row, "over_floor", figure.best, figure.digits))


def to_floor(figure: Figure, title: str = "floor") -> Column:
    return Column(f"× {title}", lambda row: pair(row, "to_floor", figure.best, 2))


def to_rival(figure: Figure, title: str = "Open vSwitch", key: str = "ovs") -> Column:
    return Column(f"× {title}", lambda row: pair(row, f"to_{key}", figure.best, 2))


LOST = Column("lost", lambda row: share(row, "lost", 2))
CORE = Column("core", lambda row: share(row, "core_share"))
CANARY = Column("canary", lambda row: f"{row['memory_canary']:.0f}")
RUNS = Column("runs", lambda row: str(row["runs"]))
