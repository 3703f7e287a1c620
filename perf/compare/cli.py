# SPDX-License-Identifier: Apache-2.0
"""The command line of scripts/bench."""
import argparse
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from . import book, document, hugepages, machine, plot, programs, table
from .cases import CASES, group_of
from .check import check
from .plan import Plan
from .processes import MeasurementFailed
from .program import Layout
from .rounds import measure
from .summary import summarize
from .traffic import FRAME_BYTES

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures this switch beside the floor (testpmd), Open vSwitch and the Linux "
                                          "bridge, in turn.")
    parser.add_argument("--peer", action="append", choices=[*programs.PEERS, "none"],
                        help="measure beside this one; may be repeated (default: all)")
    parser.add_argument("--case", action="append", choices=list(CASES), help="may be repeated (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a run after its warm-up (default 3)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine, parameters and every run")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the result (SVG; needs python3-matplotlib)")
    parser.add_argument("--from", type=Path, dest="source", metavar="FILE", help="measure nothing: take this JSON")
    parser.add_argument("--update-docs", action="store_true",
                        help="put the figures into docs/performance.md, .json and .svg; those of other cases stay")
    parser.add_argument("--check", action="store_true",
                        help="measure beside the floor only; fails when a ratio to it is worse than that in docs/")
    parser.add_argument("--only-check", action="store_true", help=argparse.SUPPRESS)  # for scripts/bench, of the others
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 2, 2.0
    if options.rounds < 1 or options.seconds < 0.5:
        parser.error("--rounds is at least 1 and --seconds at least 0.5")
    if options.check and options.update_docs:
        parser.error("--check compares with what --update-docs would overwrite")
    for target in (options.json, options.plot):
        if target and not target.parent.is_dir():  # said now, not when all is measured
            parser.error(f"there is no folder {target.parent}")
    return options


def _cases(options: argparse.Namespace) -> list[str]:
    if options.case:
        return list(dict.fromkeys(options.case))
    return [name for name, case in CASES.items() if case.group.floor or not options.check]


def _peers(options: argparse.Namespace, cases: list[str]) -> list[str]:
    if options.check:
        return [floor for name in cases if (floor := group_of(name).floor)]
    return options.peer or list(programs.PEERS)


def _show(run: dict) -> None:
    figures = "  ".join(f"{run[figure.key]:.{figure.digits}f} {figure.title}"
                        for figure in group_of(run["case"]).figures if figure.key in run)
    core = f"  core {run['core_s'] / run['wall_s']:.0%}" if "core_s" in run else ""
    print(f"  {run['case']:13} round {run['round']}  {run['program']:9} {figures}{core}  "
          f"canary {run['canary']['memory_cycles']:.0f}", file=sys.stderr, flush=True)


def _measure(options: argparse.Namespace) -> dict:
    if os.geteuid() != 0:
        raise MeasurementFailed("needs root: hugepages, network namespaces")
    if (os.cpu_count() or 1) < 2:
        raise MeasurementFailed("needs two cores: one for the worker, one for everything else")
    build = Path(os.environ.get("BULKHEAD_BUILD", REPOSITORY / "build"))
    plan = Plan(options.rounds, options.seconds, Layout(), build)
    cases = _cases(options)
    found = programs.present(_peers(options, cases), build)
    # All that can fail besides a run, before the first of them: an hour's figures are not lost for a name.
    result = {
        "format": 1, "started": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": machine.commit(REPOSITORY), "machine": machine.describe(),
        "tsc_hz": machine.canary(plan.canary, plan.layout.worker_core)["tsc_hz"],
        "versions": {program.title: program.version() for program in found},
        "parameters": {"cases": cases, "rounds": plan.rounds, "seconds": plan.seconds, "frame_bytes": FRAME_BYTES,
                       "control_core": plan.layout.control_core, "worker_core": plan.layout.worker_core,
                       "memory_mib": plan.layout.memory_mib},
    }
    with hugepages.reserved(plan.layout.memory_mib + max(CASES[name].guest_mib for name in cases)):
        runs = [run for name in cases for run in measure(CASES[name], found, plan, _show)]
    if not runs:
        raise MeasurementFailed("no run succeeded")
    return {**result, "summary": summarize(runs), "runs": runs}


def _write(result: dict, target: Path) -> None:
    target.write_text(json.dumps(result, indent=1) + "\n")


def _update_docs(result: dict, folder: Path) -> None:
    file = folder / "performance.json"
    measurements = book.with_new(book.committed(file) if file.exists() else [], result)
    drawn = _draw(book.rows(measurements), folder / "performance.svg")
    book.write(measurements, file)
    (folder / "performance.md").write_text(document.render(measurements, drawn))


def _draw(rows: list[dict], target: Path) -> bool:
    drawn = plot.draw(rows, target)
    if not drawn:
        print("skipped: the plot: matplotlib is not installed (apt-get install python3-matplotlib)", file=sys.stderr)
    return drawn


def main() -> int:
    options = _arguments()
    if options.only_check:
        return 0
    # As an exception, so that every process and folder is cleaned up on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        committed = book.rows(book.committed(DOCS / "performance.json")) if options.check else []
        result = book.result(options.source) if options.source else _measure(options)
    except (MeasurementFailed, OSError, subprocess.SubprocessError) as failure:
        print(f"scripts/bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(table.text(result["summary"]))
    print("\n" + table.LEGEND)
    if options.json:
        _write(result, options.json)
    if options.plot:
        _draw(result["summary"], options.plot)
    if options.update_docs:
        _update_docs(result, DOCS)
    return _say_check(options, result, committed) if options.check else 0


def _say_check(options: argparse.Namespace, result: dict, committed: list[dict]) -> int:
    names = options.case or result["parameters"]["cases"]
    lines, good = check(names, result["summary"], committed)
    print("\n" + "\n".join(lines))
    return 0 if good else 1
