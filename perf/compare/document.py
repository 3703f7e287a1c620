# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md, written from docs/performance.json and from nothing else."""
from . import book, table
from .cases import CASES, group_of
from .group import Group
from .window import LEAST_SHARE


def render(measurements: list[dict], has_plot: bool) -> str:
    """The page; `has_plot`: performance.svg lies beside it."""
    groups = "\n\n".join(_section(group, rows) for group, rows in table.by_group(book.rows(measurements)))
    plot = "\n![The first figure of each table, by case](performance.svg)\n" if has_plot else ""
    measured = "\n".join(_measurement(one, measurements) for one in reversed(measurements))
    return f"""<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by scripts/bench --update-docs from docs/performance.json; don't edit. -->
# Performance
What a frame costs, beside what the same ports cost when dpdk-testpmd only moves it (the floor) and beside Open vSwitch.

{table.LEGEND}
{plot}
{groups}

## How it was measured
{measured}
- **Each run** is a fresh process: one worker on a core, everything else on another one. The programs take turns.
- **Cycles per packet** = TSC frequency × seconds the worker had its core ÷ frames transmitted by both ports (by the guest's
  count, where there is a guest), one formula for all. Time on the core is the kernel's account of the worker thread, so that a
  neighbour who takes the core away does not count. A run whose worker had less than {LEAST_SHARE:.0%} of its core is left out.
- **Open vSwitch** forwards by `NORMAL` on a netdev bridge with its defaults, but for a MAC table made large enough for the case.

## Repeat it
```
sudo scripts/bench --json result.json          # every case, every peer
sudo scripts/bench --case l2-16 --quick        # a first look, half a minute
sudo scripts/bench --update-docs               # measures, and rewrites this page and docs/performance.json
sudo scripts/bench --update-docs --case l2-16  # of this case alone
sudo scripts/bench --check                     # only the ratios to the floor, and fails if one got worse by over 10 %
```
Figures of different minutes can't be compared: on a shared host, memory and execution ports belong to others too. Compare rows of
one run, by their ratios.
"""


def _measurement(one: dict, measurements: list[dict]) -> str:
    machine, parameters = one["machine"], one["parameters"]
    titles = ", ".join(_part(group, rows, book.rows(measurements)) for group, rows in table.by_group(one["summary"]))
    versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
    return f"""\
- {titles}: commit {one["commit"]}, {one["started"]}. {machine["cpu"]}, {machine["cores"]} cores ({machine["hypervisor"]}), TSC
  {one["tsc_hz"] / 1e9:.2f} GHz, {machine["system"]}, kernel {machine["kernel"]}. {versions}. {parameters["rounds"]} rounds of
  {parameters["seconds"]:g} s after the warm-up, {parameters["memory_mib"]} MiB of hugepages, worker on core {parameters["worker_core"]}."""


def _part(group: Group, rows: list[dict], all_rows: list[dict]) -> str:
    """Which of the page's tables, or rows of them."""
    cases = list(dict.fromkeys(row["case"] for row in rows))
    is_whole = {row["case"] for row in all_rows if group_of(row["case"]) is group} == set(cases)
    return f"*{group.title}*" + ("" if is_whole else f" ({', '.join(cases)})")


def _section(group: Group, rows: list[dict]) -> str:
    cases = "\n".join(f"- `{name}`: {CASES[name].title}" for name in dict.fromkeys(row["case"] for row in rows))
    return f"## {group.title}\n{table.markdown(group, rows)}\n\n{group.about}\n{cases}"
