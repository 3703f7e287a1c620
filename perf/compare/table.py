# SPDX-License-Identifier: Apache-2.0
"""The summary as a table: aligned for a terminal, or in Markdown."""
from collections.abc import Callable

from .bulkheadd import Bulkhead
from .openvswitch import OpenVswitch
from .testpmd import Testpmd

_TITLES = {program.key: program.title for program in (Testpmd, OpenVswitch, Bulkhead)}


def _pair(row: dict, first: str, second: str, digits: int) -> str:
    if first not in row:
        return "–"
    return f"{row[first]:.{digits}f} / {row[second]:.{digits}f}"


_COLUMNS: list[tuple[str, Callable[[dict], str]]] = [
    ("case", lambda row: row["case"]),
    ("program", lambda row: _TITLES.get(row["program"], row["program"])),
    ("cycles/packet", lambda row: _pair(row, "cycles_min", "cycles_median", 1)),
    ("over the floor", lambda row: _pair(row, "over_floor_min", "over_floor_median", 1)),
    ("× floor", lambda row: _pair(row, "to_floor_min", "to_floor_median", 2)),
    ("Mpps", lambda row: _pair(row, "mpps_max", "mpps_median", 2)),
    ("× Open vSwitch", lambda row: _pair(row, "to_ovs_max", "to_ovs_median", 2)),
    ("lost", lambda row: f"{row['lost']:.2%}"),
    ("core", lambda row: f"{row['core_share']:.0%}"),
    ("canary", lambda row: f"{row['memory_canary']:.0f}"),
    ("runs", lambda row: str(row["runs"])),
]
_LEFT = 2  # the first columns are words; numbers stand on the right


def text(rows: list[dict]) -> str:
    cells = [[title for title, _ in _COLUMNS]] + [[show(row) for _, show in _COLUMNS] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) if column < _LEFT else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in cells)


def markdown(rows: list[dict]) -> str:
    lines = ["| " + " | ".join(title for title, _ in _COLUMNS) + " |",
             "|" + "|".join("---" if column < _LEFT else "---:" for column in range(len(_COLUMNS))) + "|"]
    lines += ["| " + " | ".join(show(row) for _, show in _COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


LEGEND = """\
Pairs are best / median of the runs. Cycles are TSC cycles of the worker's core; Mpps are per second of that core.
Core: how much of the time the worker had it; other programs on the machine had the rest, and the caches too.
Canary: what one dependent access within 4 MiB cost in cycles, just before the runs (median). Compare rows only where
core and canary are alike."""
