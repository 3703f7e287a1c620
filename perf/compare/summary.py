# SPDX-License-Identifier: Apache-2.0
"""From runs to figures: best and median of each program, and how it stands to the floor and to its rival."""
from statistics import median

from .cases import group_of
from .group import Figure, Group


def summarize(runs: list[dict]) -> list[dict]:
    """One row a case and program, in the order of the runs."""
    rows = []
    for case in dict.fromkeys(run["case"] for run in runs):
        group = group_of(case)
        of_case = [run for run in runs if run["case"] == case]
        rows_of_case = {key: _row(group, case, key, [run for run in of_case if run["program"] == key])
                        for key in dict.fromkeys(run["program"] for run in of_case)}
        for row in rows_of_case.values():
            _compare(group, row, rows_of_case.get(group.floor), rows_of_case.get(group.rival))
        rows += rows_of_case.values()
    return rows


def _row(group: Group, case: str, program: str, runs: list[dict]) -> dict:
    row = {"case": case, "program": program, "runs": len(runs)}
    for figure in group.figures:
        values = [run[figure.key] for run in runs if figure.key in run]
        if values:
            row[f"{figure.row}_{figure.best}"] = min(values) if figure.best == "min" else max(values)
            row[f"{figure.row}_median"] = median(values)
    if all("transmitted" in run for run in runs):
        received = sum(run["received"] for run in runs)
        row["lost"] = max(0.0, 1 - sum(run["transmitted"] for run in runs) / received) if received else 0.0
    if all("core_s" in run for run in runs):
        row["core_share"] = median(run["core_s"] / run["wall_s"] for run in runs)
    for share in ("ring_full", "guest_share"):
        if all(share in run for run in runs):
            row[share] = median(run[share] for run in runs)
    row["memory_canary"] = median(run["canary"]["memory_cycles"] for run in runs)
    return row


def _compare(group: Group, row: dict, floor: dict | None, rival: dict | None) -> None:
    """Like with like: best beside best, median beside median."""
    if floor:
        for kind in group.metric.kinds:
            mine, its = _value(row, group.metric, kind), _value(floor, group.metric, kind)
            row[f"over_floor_{kind}"] = mine - its
            row[f"to_floor_{kind}"] = mine / its
    if rival:
        figure = group.rival_figure or group.metric
        for kind in figure.kinds:
            row[f"to_{group.rival}_{kind}"] = _value(row, figure, kind) / _value(rival, figure, kind)


def _value(row: dict, figure: Figure, kind: str) -> float:
    return row[f"{figure.row}_{kind}"]
