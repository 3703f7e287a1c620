# SPDX-License-Identifier: Apache-2.0
"""The summary as tables, one a group of cases: aligned for a terminal, or in Markdown."""
from .cases import group_of, groups_of
from .group import Column, Group
from .programs import TITLES

_FIRST = (Column("case", lambda row: row["case"]),
          Column("program", lambda row: TITLES.get(row["program"], row["program"])))
_LEFT = len(_FIRST)  # the first columns are words; numbers stand on the right


def by_group(rows: list[dict]) -> list[tuple[Group, list[dict]]]:
    return [(group, [row for row in rows if group_of(row["case"]) is group])
            for group in groups_of(row["case"] for row in rows)]


def text(rows: list[dict]) -> str:
    """All tables."""
    return "\n\n".join(_text(_cells(group, its)) for group, its in by_group(rows))


def _text(cells: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join("  ".join(cell.ljust(width) if column < _LEFT else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in cells)


def markdown(group: Group, rows: list[dict]) -> str:
    """The table of one group."""
    lines = ["| " + " | ".join(line) + " |" for line in _cells(group, rows)]
    lines.insert(1, "|" + "---|" * _LEFT + "---:|" * len(group.columns))
    return "\n".join(lines)


def _cells(group: Group, rows: list[dict]) -> list[list[str]]:
    columns = _FIRST + group.columns
    return [[column.title for column in columns]] + [[column.show(row) for column in columns] for row in rows]


LEGEND = """\
Pairs are best / median of the runs. Cycles are TSC cycles of the worker's core; Mpps and Gbit/s are per second of that
core. Core: how much of the time the worker had it; other programs on the machine had the rest, and the caches too.
Canary: what one dependent access within 4 MiB cost in cycles, just before the runs (median). Compare rows only where
core and canary are alike."""
