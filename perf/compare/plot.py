# SPDX-License-Identifier: Apache-2.0
"""A picture of the summary, where matplotlib is installed."""
from pathlib import Path


def draw(result: dict, target: Path) -> bool:
    """Cycles per packet by case, a line a program. False when matplotlib is not there."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    from matplotlib import pyplot

    rows = result["summary"]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for program in dict.fromkeys(row["program"] for row in rows):
        of_program = {row["case"]: row for row in rows if row["program"] == program}
        at = [index for index, case in enumerate(cases) if case in of_program]
        axes.plot(at, [of_program[cases[index]]["cycles_median"] for index in at], marker="o", label=program)
    axes.set_xticks(range(len(cases)), cases)
    axes.set_ylabel("TSC cycles per packet, median")
    axes.set_yscale("log")
    axes.grid(True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(target)
    pyplot.close(figure)
    return True
