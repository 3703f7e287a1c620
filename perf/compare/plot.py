# SPDX-License-Identifier: Apache-2.0
"""A picture of the summary, where matplotlib is installed."""
from pathlib import Path

from .group import Group
from .table import by_group

_HEIGHT = 4.5  # of a group


def draw(result: dict, target: Path) -> bool:
    """A group's first figure by case, a line a program; a picture a group. False when matplotlib is not there."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    from matplotlib import pyplot

    # Where nothing is compared there is nothing to see.
    groups = [(group, rows) for group, rows in by_group(result["summary"]) if group.floor]
    figure, all_axes = pyplot.subplots(max(1, len(groups)), figsize=(8, _HEIGHT * max(1, len(groups))), squeeze=False)
    for (group, rows), axes in zip(groups, all_axes.flat):
        _draw(group, rows, axes)
    figure.tight_layout()
    figure.savefig(target)
    pyplot.close(figure)
    return True


def _draw(group: Group, rows: list[dict], axes) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    for program in dict.fromkeys(row["program"] for row in rows):
        of_program = {row["case"]: row for row in rows if row["program"] == program}
        at = [index for index, case in enumerate(cases) if case in of_program]
        axes.plot(at, [of_program[cases[index]][f"{group.metric.row}_median"] for index in at], marker="o",
                  label=program)
    axes.set_xticks(range(len(cases)), cases)
    axes.set_ylabel(f"{group.unit}, median")
    if group.log_scale:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(True, alpha=0.3)
    axes.legend()
