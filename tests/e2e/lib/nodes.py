# SPDX-License-Identifier: Apache-2.0
"""Two nodes: a switch in each of two network namespaces, and a cable between them."""
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
def _node(name, space, device, own, other, kind, segment_fields, check_books, tunnel):
    """One node, whose segments go on behind a tunnel to the other one."""
    devargs = f"net_af_packet_{device},iface={device}"
    config = {
        "underlays": [{"name": "u0", "port": "uplink0", "addresses": [f"{own}/24"]}],
        "segments": [{"name": segment, "vni": vni, "mtu": MTU, **segment_fields} for segment, vni in SEGMENTS.items()],
        "ports": [{"name": "uplink0", "type": "ethdev", "devargs": devargs}],
        "tunnels": [{"name": "peer", "type": kind, "underlay": "u0", "remote": other, "segments": list(SEGMENTS), **tunnel}],
    }
    with running({"name": name, "memory_mib": MEMORY_MIB}, config, wrapper=["nsenter", f"--net={space.path}"],
                 check_books=check_books) as daemon, daemon.control() as control:
        yield Node(name, space, daemon, control)


@contextlib.contextmanager
def two_nodes(kind="vxlan", segment_fields=None, check_books=True, **tunnel):
    """Nodes edge-1 and edge-2 with segments blue and red, which span both.

    `segment_fields`, `tunnel`: more of their fields.
    """
    with contextlib.ExitStack() as stack:
        spaces = [stack.enter_context(Namespace(name)) for name in ("edge-1", "edge-2")]
        spaces[1].silence()  # both ends of the cable are switches': no kernel has a say at either
        cable = stack.enter_context(Cable(spaces[1], spaces[0]))
        spaces[1].ip("link", "set", FAR, "arp", "off")
        yield [stack.enter_context(_node(name, space, device, own, other, kind, segment_fields or {}, check_books, tunnel)) for name, space, device, own, other in
               zip(("edge-1", "edge-2"), spaces, (cable.near, FAR), ADDRESSES, reversed(ADDRESSES))]
