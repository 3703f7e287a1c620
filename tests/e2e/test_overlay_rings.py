# SPDX-License-Identifier: Apache-2.0
"""Segments over five switches: full mesh, star, two-level tree, and a ring that should not be one."""
import collections
import contextlib
import datetime
import itertools
import time

import pytest
from lib.frames import ethernet
from lib.nodes import joined_nodes
from lib.wait import until

COUNT = 5
MESH = [(a, b, "mesh") for a, b in itertools.combinations(range(1, COUNT + 1), 2)]
STAR = [(1, node, "spoke") for node in range(2, COUNT + 1)]
TREE = [(1, 2, "spoke"), (1, 3, "spoke"), (2, 4, "spoke"), (2, 5, "spoke")]
RING = [(node, node % COUNT + 1, "spoke") for node in range(1, COUNT + 1)]
NOBODY = "02:00:00:00:00:99"
PER_SECOND = 20  # broadcasts of each pod, and as many frames to nobody
RING_EVENTS = ["ring.suspected", "ring.cut", "ring.lifted"]


class Net:
    def __init__(self, nodes, hub, pods, wires, listeners):
        self.nodes, self.hub, self.pods, self.wires, self.listeners = nodes, hub, pods, wires, listeners

    def talk(self, seconds):
        """Every pod broadcasts, and sends to nobody. Returns how often each pod saw each frame, of how many, how many frames
        the nodes sent meanwhile, and when it began."""
        before, began, seen = self.hub.frames(), time.time(), [collections.Counter() for _ in self.wires]
        rounds = int(seconds * PER_SECOND)
        for number in range(rounds):
            for sender, wire in enumerate(self.wires):
                for kind, to in ((b"all", "ff:ff:ff:ff:ff:ff"), (b"nobody", NOBODY)):
                    wire.send(ethernet(b"#%s %d %d#" % (kind, sender, number), mac(sender), to))
            for wire, counter in zip(self.wires, seen):
                take(wire, counter, max(0, (began + (number + 1) / PER_SECOND - time.time()) / COUNT))
        until(lambda: self.is_quiet(seen), what="the end of it", seconds=10)
        return seen, 2 * rounds * COUNT, self.hub.frames() - before, began

    def is_quiet(self, seen):
        before = self.hub.frames()
        for wire, counter in zip(self.wires, seen):
            take(wire, counter, 0.1)
        return self.hub.frames() - before < 10  # a probe or a question for a neighbour may be among them

    def events(self):
        """What nodes have said of rings so far, with the node's number."""
        said = []
        for number, listener in enumerate(self.listeners, 1):
            listener.call("system.get")  # whatever was said before is here now
            said += [(event["kind"], number, event) for event in listener.events]
        return said

    def cuts(self):
        """(node, tunnel) of what is cut for blue."""
        return [(number, tunnel["name"]) for number, node in enumerate(self.nodes, 1)
                for tunnel in node.control.call("tunnel.list")["items"] if "blue" in tunnel["state"]["cut"]]

    def all_reach_all(self):
        for a, b in itertools.permutations(range(COUNT), 2):
            assert self.pods[a].pings(f"10.1.0.{b + 1}", count=2, deadline=10), f"{a + 1} to {b + 1}"


def mac(sender):
    return f"02:00:00:00:01:{sender + 1:02x}"


def take(wire, counter, seconds):
    for frame in wire.receive(seconds, lambda frame: frame.count(b"#") == 2):
        counter[frame.split(b"#")[1]] += 1


@contextlib.contextmanager
def net(tunnels):
    with contextlib.ExitStack() as stack:
        nodes, hub = stack.enter_context(joined_nodes(COUNT, tunnels))
        listeners = [stack.enter_context(node.daemon.control()) for node in nodes]
        for listener in listeners:
            listener.call("events.subscribe", kinds=RING_EVENTS)
        until(lambda: all(tunnel["state"]["resolved"] for node in nodes for tunnel in node.control.call("tunnel.list")["items"]),
              what="that all nodes know each other", seconds=10)
        pods = [stack.enter_context(node.pod(f"pod-{number}", "blue", f"10.1.0.{number}/24", silent=True))
                for number, node in enumerate(nodes, 1)]
        wires = [stack.enter_context(pod.wire()) for pod in pods]
        yield Net(nodes, hub, pods, wires, listeners)


def assert_each_once(seen, sent):
    everything = {frame for counter in seen for frame in counter}
    assert len(everything) == sent
    for number, counter in enumerate(seen):
        wrong = {frame: counter[frame] for frame in everything if counter[frame] != (int(frame.split()[1]) != number)}
        assert not wrong, f"pod {number + 1}: {wrong}"


@pytest.mark.parametrize("tunnels", [MESH, STAR, TREE], ids=["mesh", "star", "tree"])
def test_where_there_is_no_ring_each_pod_gets_each_frame_once(tunnels):
    with net(tunnels) as it:
        seen, sent, frames, _ = it.talk(1)
        assert_each_once(seen, sent)
        assert sent * (COUNT - 1) <= frames <= sent * (COUNT - 1) + 100, "a frame to each node, once"
        it.all_reach_all()
        assert it.events() == [] and it.cuts() == []


def test_a_ring_is_cut_at_one_place_and_never_a_storm():
    with net(RING) as it:
        seen, sent, frames, began = it.talk(3)
        assert_each_once(seen, sent)
        assert frames <= 2 * sent * (COUNT - 1), "twice what a tree would need"
        cuts = [event for kind, _, event in it.events() if kind == "ring.cut"]
        assert len(cuts) == 1 and cuts[0]["segment"] == "blue", it.events()
        assert datetime.datetime.fromisoformat(cuts[0]["time"].replace("Z", "+00:00")).timestamp() - began < 1
        assert len(it.cuts()) == 1
        it.all_reach_all()
        mend(it)


def mend(it):
    """Takes a tunnel of the ring away, of two other nodes: what was cut is used again."""
    (node, tunnel), = it.cuts()
    a, b = next((a, b) for a, b, _ in RING if not {a, b} & {node, int(tunnel[3:])})
    it.nodes[a - 1].control.call("tunnel.remove", name=f"to-{b}")
    it.nodes[b - 1].control.call("tunnel.remove", name=f"to-{a}")
    event = it.listeners[node - 1].next_event("ring.lifted")
    assert event["tunnel"] == tunnel
    assert it.cuts() == []
    it.all_reach_all()
