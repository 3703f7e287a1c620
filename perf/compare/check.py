# SPDX-License-Identifier: Apache-2.0
"""Has the switch become worse? Its ratios to the floor, beside those of the committed figures.

Never times themselves: those of another machine, or of another hour of this one, say nothing. The floor is measured
beside the switch and has the same weather.
"""
from .cases import CASES
from .programs import SUBJECT

ALLOWED = 0.10  # worse by more than this fails


def check(names: list[str], measured: list[dict], committed: list[dict]) -> tuple[list[str], bool]:
    """A line for each of the cases `names`, from the rows of both summaries; and whether all is well."""
    lines, good = [], True
    for name in names:
        line, is_good = _check(name, _ratio(name, measured), _ratio(name, committed))
        lines.append(line)
        good = good and is_good
    return lines, good


def _ratio(name: str, rows: list[dict]) -> float | None:
    """Median to median."""
    return next((row.get("to_floor_median") for row in rows if row["case"] == name and row["program"] == SUBJECT), None)


def _check(name: str, now: float | None, before: float | None) -> tuple[str, bool]:
    if CASES[name].group.floor is None:
        return f"{name}: has no floor to be compared with", True
    if before is None:
        return f"no figure committed for {name}", True
    if now is None:
        return f"{name}: WORSE: could not be measured beside the floor; committed {before:.2f} × floor", False
    loss = now / before - 1 if CASES[name].group.metric.best == "min" else 1 - now / before
    verdict = f"WORSE by {loss:.1%}, more than {ALLOWED:.0%}" if loss > ALLOWED else "good"
    return f"{name}: {verdict}: {now:.2f} × floor, committed {before:.2f}", loss <= ALLOWED
