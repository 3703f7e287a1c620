# SPDX-License-Identifier: Apache-2.0
"""What docs/performance.json holds: measurements, each of one machine and hour. A case that is measured again leaves the one that
it was in; the others stay as they are, so that figures of a new case don't cost an hour for the old ones."""
import json
from collections.abc import Iterable
from pathlib import Path

from .cases import CASES
from .processes import MeasurementFailed
from .summary import summarize


def result(file: Path) -> dict:
    """What --json has written."""
    content = _load(file, "runs")
    if unknown := set(_cases(content)) - set(CASES):
        raise MeasurementFailed(f"{file} has cases that are no more: {', '.join(sorted(unknown))}")
    return content


def committed(file: Path) -> list[dict]:
    """The measurements, the newest last. Cases that are no more are left out."""
    return [kept for one in _load(file, "measurements")["measurements"] if (kept := _without(one, set(_cases(one)) - set(CASES)))]


def with_new(measurements: list[dict], new: dict) -> list[dict]:
    return [*(kept for one in measurements if (kept := _without(one, set(_cases(new))))), new]


def write(measurements: list[dict], file: Path) -> None:
    file.write_text(json.dumps({"format": 1, "measurements": measurements}, indent=1) + "\n")


def rows(measurements: list[dict]) -> list[dict]:
    """Of all summaries, in the order of the cases."""
    order = list(CASES)
    return sorted((row for one in measurements for row in one["summary"]), key=lambda row: order.index(row["case"]))


def _load(file: Path, key: str) -> dict:
    """One with `key`."""
    try:
        content = json.loads(file.read_text())
    except OSError as error:
        raise MeasurementFailed(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise MeasurementFailed(f"{file} is no JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != 1 or key not in content:
        raise MeasurementFailed(f"{file} was not written by scripts/bench")
    return content


def _cases(measurement: dict) -> Iterable[str]:
    return dict.fromkeys(run["case"] for run in measurement["runs"])


def _without(measurement: dict, cases: set[str]) -> dict | None:
    """None if nothing is left of it."""
    runs = [run for run in measurement["runs"] if run["case"] not in cases]
    if len(runs) == len(measurement["runs"]):
        return measurement
    parameters = {**measurement["parameters"], "cases": [name for name in measurement["parameters"]["cases"] if name not in cases]}
    return {**measurement, "parameters": parameters, "summary": summarize(runs), "runs": runs} if runs else None
