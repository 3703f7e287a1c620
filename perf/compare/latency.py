# SPDX-License-Identifier: Apache-2.0
"""How long a frame takes from guest to guest, at a rate that both the switch and the floor have room for."""
from dataclasses import dataclass, replace
from pathlib import Path

from . import window
from .group import CANARY, CORE, LOST, RUNS, Figure, Group, shown, to_floor
from .guest import MEMORY_MIB
from .plan import Plan
from .processes import MeasurementFailed
from .program import Program
from .vhost import GUEST_CORE, WARM_UP_S, pair

P50 = Figure("p50_us", "p50", "p50 µs")
P99 = Figure("p99_us", "p99", "p99 µs")
P999 = Figure("p999_us", "p999", "p99.9 µs")
MAX = Figure("max_us", "max", "max µs")
RATE = Figure("rate_mpps", "rate", "Mpps sent", best="max", digits=2)

GROUP = Group(
    name="latency", title="Latency", figures=(P99, P50, P999, MAX, RATE),
    about="""\
The guest's first port sends 60-byte frames to its second at a constant rate, one to four at a time, each with its TSC
at sending in it. The rate is the same for all programs of a round: half of what the slowest of them moved that way in
a second of the same round, but no more than 2.5 million a second, which a guest on one core
can send so evenly. One thread of the guest sends and receives, so a round of its loop is part of every
figure, for all programs alike; a moment in which the host took either core away is in p99.9 and the maximum. × floor
is that of p99.""",
    columns=(shown(P50), shown(P99), to_floor(P99), shown(P999), shown(MAX), shown(RATE), LOST, GUEST_CORE, CORE, CANARY,
             RUNS),
    unit="p99, µs", rival=None)

_TOP_RATE_SECONDS = 1.0
_GUESTS_LIMIT = 2_500_000
# Less than this of the rate that was asked for is another measurement.
_LEAST_RATE = 0.75


@dataclass(frozen=True)
class LatencyCase:
    name: str
    rate: int = 0  # frames a second; 0: not yet known

    group = GROUP
    programs = ("testpmd", "bulkhead")
    guest_mib = MEMORY_MIB
    most_rounds = None
    title = "60-byte frames one way at half the top rate"

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "LatencyCase":
        """With half the top rate of the slowest, as far as the guest can go."""
        slowest = min(_top_rate(program, plan, folder) for program in programs)
        return replace(self, rate=min(int(slowest / 2), _GUESTS_LIMIT))

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        with pair(program, plan, "latency", folder, "--rate", self.rate) as (running, one):
            sample = window.measure(running, one.frames, WARM_UP_S, plan.seconds)
            answer, guest_share = one.last, one.core_share
        sent = answer["sent_since"] / answer["seconds"]
        if sent < _LEAST_RATE * self.rate:
            raise MeasurementFailed(f"the guest sent {sent:,.0f} frames a second instead of {self.rate:,}")
        return {"received": sample.received, "transmitted": sample.transmitted, "wall_s": sample.wall_s,
                "core_s": sample.core_s, "rate_asked": self.rate, "rate_mpps": sent / 1e6, "skipped": answer["skipped"],
                "guest_share": guest_share,
                **{f"{name}_us": answer[f"{name}_ns"] / 1e3 for name in ("p50", "p99", "p999", "max")}}


def _top_rate(program: Program, plan: Plan, folder: Path) -> float:
    """Frames a second, the clock's second: what a guest can rely on."""
    its_own = folder / program.key
    its_own.mkdir()
    with pair(program, plan, "throughput", its_own, "--one-way") as (running, one):
        sample = window.measure(running, one.frames, WARM_UP_S / 2, _TOP_RATE_SECONDS)
    return sample.transmitted / sample.wall_s
