# SPDX-License-Identifier: Apache-2.0
"""From runs to figures: minimum and median of each program, and how it stands to the floor and to Open vSwitch."""
from statistics import median

FLOOR = "testpmd"
RIVAL = "ovs"


def summarize(runs: list[dict]) -> list[dict]:
    """One row a case and program, in the order of the runs."""
    rows = []
    for case in dict.fromkeys(run["case"] for run in runs):
        of_case = [run for run in runs if run["case"] == case]
        rows_of_case = {key: _row(case, key, [run for run in of_case if run["program"] == key])
                        for key in dict.fromkeys(run["program"] for run in of_case)}
        for row in rows_of_case.values():
            _compare(row, rows_of_case.get(FLOOR), rows_of_case.get(RIVAL))
        rows += rows_of_case.values()
    return rows


def _row(case: str, program: str, runs: list[dict]) -> dict:
    cycles = [run["cycles_per_packet"] for run in runs]
    received = sum(run["received"] for run in runs)
    return {
        "case": case, "program": program, "runs": len(runs),
        "cycles_min": min(cycles), "cycles_median": median(cycles),
        "mpps_max": max(run["mpps"] for run in runs), "mpps_median": median(run["mpps"] for run in runs),
        "lost": max(0.0, 1 - sum(run["transmitted"] for run in runs) / received) if received else 0.0,
        "core_share": median(run["core_s"] / run["wall_s"] for run in runs),
        "memory_canary": median(run["canary"]["memory_cycles"] for run in runs),
    }


def _compare(row: dict, floor: dict | None, rival: dict | None) -> None:
    """Like with like: minimum beside minimum, median beside median."""
    if floor:
        for kind in ("min", "median"):
            row[f"over_floor_{kind}"] = row[f"cycles_{kind}"] - floor[f"cycles_{kind}"]
            row[f"to_floor_{kind}"] = row[f"cycles_{kind}"] / floor[f"cycles_{kind}"]
    if rival:
        row["to_ovs_max"] = row["mpps_max"] / rival["mpps_max"]
        row["to_ovs_median"] = row["mpps_median"] / rival["mpps_median"]
