# SPDX-License-Identifier: Apache-2.0
"""The switch's side of a tunnel: the underlay on its end of a cable, and questions to the control socket."""
import contextlib
from typing import NamedTuple

from .cable import NIC_OF_ALL, nic
from .netns import pod


class Family(NamedTuple):
    switch: str
    peer: str
    other: str  # a second address of the peer's
    length: int
    overhead: int  # of VXLAN or Geneve without options: IP, UDP, the tunnel's own header, the inner Ethernet header


FAMILIES = {"ipv4": Family("192.0.2.1", "192.0.2.2", "192.0.2.3", 24, 20 + 8 + 8 + 14),
            "ipv6": Family("2001:db8::1", "2001:db8::2", "2001:db8::3", 64, 40 + 8 + 8 + 14)}
DST_PORTS = {"vxlan": 4789, "geneve": 6081}


def cidr(family, *addresses):
    return [f"{address}/{family.length}" for address in addresses]


@contextlib.contextmanager
def underlay(control, addresses, port="uplink0", **fields):
    """Underlay u0 over a port that is there."""
    control.call("underlay.add", name="u0", port=port, addresses=addresses, **fields)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            control.call("underlay.remove", name="u0")


@contextlib.contextmanager
def tunnel(control, name, kind, remote, segments, **fields):
    control.call("tunnel.add", name=name, type=kind, underlay="u0", remote=remote, segments=segments, **fields)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            control.call("tunnel.remove", name=name)


@contextlib.contextmanager
def plugged_into(control, cable, peer, family, vlan=None):
    """The switch and `peer` at the two ends of a cable, each with its underlay addresses; the segments have room for the
    overhead."""
    for name in ("blue", "red"):
        control.call("segment.set", name=name, mtu=cable.mtu - family.overhead)
    fields = {"vlan": vlan} if vlan else {}
    # One address: of several, the peer's kernel would choose which it speaks from.
    peer.connect(cidr(family, family.peer), **fields)
    with nic(control, "uplink0", cable), underlay(control, cidr(family, family.switch), mtu=cable.mtu, **fields):
        yield


@contextlib.contextmanager
def blue_pod(control, family, mtu=1500, **port):
    """10.1.0.1 in segment blue."""
    with pod(control, "a", "blue", "10.1.0.1/24", mtu=mtu - family.overhead, **port) as namespace:
        yield namespace


def everything(control, method, **filters):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        page = control.call(method, limit=1000, **filters, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["cursor"]
        if cursor is None:
            return items


NIC_DROPS = {"unknown_vni", "vni_not_attached", "unknown_remote"}  # what a rule for other VNIs drops before software sees it


def dropped(control, *reasons):
    """For these reasons, by software; and by the NIC, where one stands before all (BULKHEAD_TEST_NIC)."""
    packets = sum(row["packets"] for row in everything(control, "drop.list") if row["reason"] in reasons)
    if NIC_OF_ALL and NIC_DROPS.intersection(reasons):
        packets += sum(rule["packets"] or 0 for rule in everything(control, "offload.list") if rule["what"] == "unknown_vni")
    return packets
