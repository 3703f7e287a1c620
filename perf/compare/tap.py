# SPDX-License-Identifier: Apache-2.0
"""The cases with pods: TCP between two network namespaces, through the switch's TAPs or a Linux bridge's veth pairs."""
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from . import iperf, processes
from .group import CANARY, RUNS, Figure, Group, shown, to_floor, to_rival
from .iperf import Transfer
from .namespace import Namespace, namespace
from .plan import Plan
from .ports import Tap
from .program import Program, Running
from .vhost import GBPS

PER_CORE = Figure("gbit_per_core_s", "gbit_per_core_s", "Gbit/core-second", best="max", digits=2)
CORES = Figure("cores", "cores", "cores busy", digits=2)
RETRANSMITS = Figure("retransmits", "retransmits", "retransmits", digits=0)

GROUP = Group(
    name="tap", title="Pod to pod", figures=(GBPS, PER_CORE, CORES, RETRANSMITS),
    about=f"""\
Two network namespaces, iperf3's client in one and its server in the other, MTU 1,500, all offloads as they are by
default. Through the switch each has a TAP port; through the Linux bridge, a veth pair. The scheduler puts iperf3 where
it likes, for both alike: a pod knows no cores. The bridge has no thread of its own and works in the time of those who
send and receive, on either core; the switch's worker is bound to its core as in the other cases, but sleeps
when idle (`idle.mode` as installed, not `busy`), for iperf3 may use that core too. Gbit/s are what the server's
application received (both did, where both ways) per second of the clock, after {iperf.WARM_UP_S} s that does not count.
*Cores busy*: time on a core of iperf3's threads, the switch's and ksoftirqd's, a neighbour's not counted, per second;
*Gbit/core-second* is the one by the other: what a byte costs the machine, which Gbit/s alone do not say where a
switch brings a thread of its own.""",
    columns=(shown(GBPS), to_floor(GBPS, "Linux bridge"), shown(PER_CORE),
             to_rival(PER_CORE, "Linux bridge, per core", key="bridge"), shown(CORES), shown(RETRANSMITS), CANARY, RUNS),
    unit="Gbit/s", floor="bridge", rival="bridge", rival_figure=PER_CORE)

_INTERFACE = "net1"
_ADDRESSES = ("10.1.0.1", "10.1.0.2")


@dataclass(frozen=True)
class TapCase:
    name: str
    title: str
    transfer: Transfer

    group = GROUP
    programs = ("bridge", "bulkhead")
    guest_mib = 0
    most_rounds = None

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "TapCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        with ExitStack() as stack:
            client, server = (stack.enter_context(namespace(f"pod-{address}", folder)) for address in _ADDRESSES)
            ports = [Tap(pod.path, _INTERFACE) for pod in (client, server)]
            running = stack.enter_context(program.start(ports, plan.layout, folder))
            processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
            for pod, address in zip((client, server), _ADDRESSES):
                _address(pod, address, running)
            return iperf.measure(self.transfer, plan.seconds, (client, server), _ADDRESSES[1], _INTERFACE, running,
                                 folder)


def _address(pod: Namespace, address: str, running: Running) -> None:
    running.wait_for("interface in the pod", lambda: _INTERFACE in pod.received_bytes())
    pod.ip("address", "add", f"{address}/24", "dev", _INTERFACE)
    pod.ip("link", "set", _INTERFACE, "up")
