# SPDX-License-Identifier: Apache-2.0
"""Nodes: a switch in each of several network namespaces, and a cable between two or a hub between more."""
import contextlib

from .cable import FAR, Cable
from .daemon import running
from .netns import Namespace, pod

ADDRESSES = ("192.0.2.1", "192.0.2.2")
MEMORY_MIB = 128  # two of them are to fit where one usually runs
MTU = 1450  # of the segments: 1,500 less the 50 of VXLAN over IPv4
SEGMENTS = {"blue": 100, "red": 200}


class Node:
    def __init__(self, name, space, daemon, control):
        self.name, self.space, self.daemon, self.control = name, space, daemon, control

    def pod(self, name, segment, address, **port):
        return pod(self.control, name, segment, address, label=f"{self.name}-{name}", **port)


@contextlib.contextmanager
def _node(name, space, device, own, tunnels, check_books, segment_fields=None):
    """One node, whose segments go on behind its tunnels."""
    devargs = f"net_af_packet_{device},iface={device}"
    config = {
        "underlays": [{"name": "u0", "port": "uplink0", "addresses": [f"{own}/24"]}],
        "segments": [{"name": segment, "vni": vni, "mtu": MTU, **(segment_fields or {})} for segment, vni in SEGMENTS.items()],
        "ports": [{"name": "uplink0", "type": "ethdev", "devargs": devargs}],
        "tunnels": [{"underlay": "u0", "segments": list(SEGMENTS), **tunnel} for tunnel in tunnels],
    }
    with running({"name": name, "memory_mib": MEMORY_MIB}, config, wrapper=["nsenter", f"--net={space.path}"],
                 check_books=check_books) as daemon, daemon.control() as control:
        yield Node(name, space, daemon, control)


@contextlib.contextmanager
def two_nodes(kind="vxlan", segment_fields=None, check_books=True, is_lasting=True, **tunnel):
    """Nodes edge-1 and edge-2 with segments blue and red, which span both.

    `segment_fields`, `tunnel`: more of their fields. Tunnels that are not lasting, as the configuration file's are, can be changed.
    """
    with contextlib.ExitStack() as stack:
        spaces = [stack.enter_context(Namespace(name)) for name in ("edge-1", "edge-2")]
        spaces[1].silence()  # both ends of the cable are switches': no kernel has a say at either
        cable = stack.enter_context(Cable(spaces[1], spaces[0]))
        spaces[1].ip("link", "set", FAR, "arp", "off")
        nodes = []
        for name, space, device, own, other in zip(("edge-1", "edge-2"), spaces, (cable.near, FAR), ADDRESSES, reversed(ADDRESSES)):
            peer = {"name": "peer", "type": kind, "remote": other, **tunnel}
            nodes.append(stack.enter_context(_node(name, space, device, own, [peer] if is_lasting else [], check_books, segment_fields)))
            if not is_lasting:
                nodes[-1].control.call("tunnel.add", underlay="u0", segments=list(SEGMENTS), **peer)
        yield nodes


class Hub:
    """A namespace with a Linux bridge, which joins the underlays of any number of nodes."""

    def __init__(self, space):
        self.space, self.ends = space, []
        space.silence()
        space.ip("link", "add", "hub", "type", "bridge", "mcast_snooping", "0")
        space.ip("link", "set", "hub", "up")

    def plug(self, space):
        """The node's end of a cable to the hub."""
        space.silence()
        near, end = "uplink", f"end{len(self.ends)}"
        space.ip("link", "add", near, "type", "veth", "peer", "name", end, "netns", self.space.name)
        space.ip("link", "set", near, "up", "arp", "off")
        self.space.ip("link", "set", end, "master", "hub", "up")
        self.ends.append(end)
        return near

    def frames(self):
        """How many frames the nodes have sent so far."""
        return sum(self.space.counter(end, "rx_packets") for end in self.ends)


@contextlib.contextmanager
def joined_nodes(count, tunnels, check_books=True):
    """Nodes 1 to `count` on a hub. `tunnels`: (node, node, horizon); the one of node 1 to node 2 is to-2. Yields nodes and
    hub."""
    address = lambda number: f"192.0.2.{number}"
    with contextlib.ExitStack() as stack:
        hub = Hub(stack.enter_context(Namespace("hub")))
        nodes = []
        for number in range(1, count + 1):
            space = stack.enter_context(Namespace(f"edge-{number}"))
            others = [(b if a == number else a, horizon) for a, b, horizon in tunnels if number in (a, b)]
            mine = [{"name": f"to-{other}", "type": "vxlan", "remote": address(other), "horizon": horizon} for other, horizon in others]
            node = stack.enter_context(_node(f"edge-{number}", space, hub.plug(space), address(number), [], check_books))
            for tunnel in mine:
                node.control.call("tunnel.add", underlay="u0", segments=list(SEGMENTS), **tunnel)
            nodes.append(node)
        yield nodes, hub
