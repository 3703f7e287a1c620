# SPDX-License-Identifier: Apache-2.0
"""A picture of the summary, where matplotlib is installed."""
from pathlib import Path

from . import programs
from .group import Group
from .table import by_group

_COLUMNS = 2
_LABELS_ABREAST = 5
_WIDTH, _HEIGHT = 5.2, 3.2  # of a group
# A program has its colour in every picture.
_COLOURS = dict(zip(programs.TITLES, ("tab:gray", "tab:gray", "tab:orange", "tab:red", "tab:blue")))


def draw(rows: list[dict], target: Path) -> bool:
    """Of summaries' rows, a group's first figure by case, a bar a program; a picture a group. False when matplotlib is not there."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    from matplotlib import pyplot

    # Where nothing is compared there is nothing to see.
    groups = [(group, its) for group, its in by_group(rows) if group.floor]
    lines = max(1, -(-len(groups) // _COLUMNS))
    figure, all_axes = pyplot.subplots(lines, _COLUMNS, figsize=(_WIDTH * _COLUMNS, _HEIGHT * lines), squeeze=False)
    for axes in all_axes.flat[len(groups):]:
        axes.set_visible(False)
    for (group, rows), axes in zip(groups, all_axes.flat):
        _draw(group, rows, axes)
    figure.tight_layout()
    figure.savefig(target)
    pyplot.close(figure)
    return True


def _draw(group: Group, rows: list[dict], axes) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    shown = list(dict.fromkeys(row["program"] for row in rows))
    width = 0.8 / len(shown)
    for number, program in enumerate(shown):
        of_program = {row["case"]: row[f"{group.metric.row}_median"] for row in rows if row["program"] == program}
        at = [cases.index(case) + (number - (len(shown) - 1) / 2) * width for case in of_program]
        axes.bar(at, of_program.values(), width, label=programs.TITLES.get(program, program),
                 color=_COLOURS.get(program))
    axes.set_title(group.title)
    axes.set_xticks(range(len(cases)), cases, fontsize="small",
                    **({"rotation": 20, "ha": "right"} if len(cases) > _LABELS_ABREAST else {}))
    axes.set_ylabel(f"{group.unit}, median", fontsize="small")
    if group.log_scale:
        axes.set_yscale("log")
    axes.margins(y=0.25)  # room for the legend
    axes.grid(True, axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(fontsize="small")
