# SPDX-License-Identifier: Apache-2.0
"""What is measured: the cases, by name. A kind of case is a module; one more case of a kind is a line here."""
from collections.abc import Iterable

from . import firewall
from .case import Case
from .group import Group
from .iperf import Transfer
from .latency import LatencyCase
from .memory import MemoryCase
from .outage import OutageCase, handed_over, killed
from .overlay import WAYS, GeneveCase, OverlayCase
from .policy import PolicyCase
from .replay import ReplayCase
from .rig import COPIES, ConnectionsCase, LearningCase, MarksCase, OpeningsCase, RigCase, WorkersCase
from .tap import TapCase
from .vhost import VhostCase

_ALL: tuple[Case, ...] = (
    ReplayCase("l2-16", 16, 1.0),
    ReplayCase("l2-1024", 1024, 1.5),
    ReplayCase("l2-4096", 4096, 3.0),
    ReplayCase("l2-10000", 10000, 5.0),
    ReplayCase("l2-50000", 50000, 8.0),
    *(PolicyCase(f"policy-stateless-{pairs}", f"100 stateless rules, {pairs:,} pairs", pairs, firewall.stateless(), warm_up_s)
      for pairs, warm_up_s in ((16, 1.0), (1024, 1.5))),
    *(PolicyCase(f"policy-stateful-{pairs}", f"10 rules, {pairs:,} connections", pairs, firewall.stateful(), warm_up_s)
      for pairs, warm_up_s in ((16, 1.0), (1024, 1.5))),
    *(OverlayCase(way, flows, warm_up_s)
      for way in WAYS for flows, warm_up_s in ((16, 1.0), (1024, 1.5), (10000, 5.0))),
    *(GeneveCase(way, 1024, 1.5) for way in WAYS),
    RigCase("macs-1000000", "1,000,000 MACs in one segment, sources and destinations at random"),
    RigCase("segments-1000x64", "1,000 segments on two trunks, 64 MACs each, at random"),
    RigCase("flood-64", "broadcast to 64 ports", COPIES),
    WorkersCase("workers-2", "one worker and two, two pairs of ports"),
    ConnectionsCase("policy-stateful-100000", "10 rules, 100,000 connections, all established, at random"),
    MarksCase("tunnels-64x16", "VXLAN from 64 nodes in 16 segments"),
    OpeningsCase("policy-new-connections", "10 rules, each frame opens a connection"),
    LearningCase("learning", "1,000,000 new MACs a second"),
    VhostCase("vhost-60", 60),
    VhostCase("vhost-1514", 1514),
    LatencyCase("vhost-latency"),
    MemoryCase("memory-64", 64),
    OutageCase("outage-handed-over", "a successor takes over (`--replace`)", handed_over),
    OutageCase("outage-killed", "killed (SIGKILL), and started again at once", killed, ("ovs", "bulkhead")),
    TapCase("tap-tcp", "TCP from pod to pod, one stream", Transfer(streams=1, both_ways=False)),
    TapCase("tap-tcp-both", "TCP between pods, four streams each way at once", Transfer(streams=4, both_ways=True)),
)

CASES = {case.name: case for case in _ALL}


def group_of(name: str) -> Group:
    return CASES[name].group


def groups_of(names: Iterable[str]) -> list[Group]:
    """Those of the cases `names`, each once, in that order."""
    return list({group_of(name).name: group_of(name) for name in names}.values())
