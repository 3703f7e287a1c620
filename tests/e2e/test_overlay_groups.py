# SPDX-License-Identifier: Apache-2.0
"""Groups across nodes: who sends travels with the frame, and the receiver's node enforces what may come."""
import contextlib

import pytest
from lib.cable import FAR, Cable
from lib.nodes import two_nodes
from lib.overlay import FAMILIES, blue_pod, dropped, plugged_into, tunnel
from lib.peers.kernel import KernelPeer
from lib.peers.ovs import OvsPeer
from lib.wait import until

WEB, DB = 10, 0x0b0c
MTU = 1440  # room for Geneve's option
ROOM = 8


def enforce(control):
    """In blue, which denies by default, web may ping db."""
    control.call("group.add", segment="blue", name="web", id=WEB)
    control.call("group.add", segment="blue", name="db", id=DB)
    control.call("policy.add", segment="blue", name="web-to-db", order=100, action="allow", protocol="icmp",
                 **{"from": {"groups": ["web"]}, "to": {"groups": ["db"]}})


@contextlib.contextmanager
def counted_denials(control, reason="policy_default"):
    """Yields a function that says how many more there are."""
    before = dropped(control, reason)
    yield lambda: dropped(control, reason) - before


def is_denied(sender, control, address="10.1.0.2"):
    """No answer, since `control`'s node denied the question."""
    with counted_denials(control) as denied:
        assert sender.echoes(address, count=3, deadline=1) == 0
        until(lambda: denied() > 0, what="a denial")
        return True


@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_web_may_ping_db_on_another_node(kind):
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(two_nodes(kind, {"mtu": MTU, "default_policy": "deny"}, is_lasting=False, trust_groups=True))
        for node in nodes:
            enforce(node.control)
        web, plain = (stack.enter_context(nodes[0].pod(name, "blue", address, **group))
                      for name, address, group in (("web", "10.1.0.1/24", {"group": "web"}), ("plain", "10.1.0.3/24", {})))
        stack.enter_context(nodes[1].pod("db", "blue", "10.1.0.2/24", group="db"))
        assert web.pings("10.1.0.2", deadline=10)
        assert web.pings("10.1.0.2", "-M", "do", "-s", str(MTU - 28))
        with counted_denials(nodes[0].control) as denied_here:
            assert plain.echoes("10.1.0.2", deadline=1) == 0, "who is of no group is not web"
            assert denied_here() > 0, "its own node knows, and nothing leaves it"
        # Told, but not believed.
        nodes[1].control.call("tunnel.set", name="peer", trust_groups=False)
        assert is_denied(web, nodes[1].control)
        # Not told either.
        nodes[0].control.call("tunnel.set", name="peer", trust_groups=False)
        assert is_denied(web, nodes[1].control)
        # Believed, and not told.
        nodes[1].control.call("tunnel.set", name="peer", trust_groups=True)
        assert is_denied(web, nodes[1].control)
        nodes[0].control.call("tunnel.set", name="peer", trust_groups=True)
        assert web.pings("10.1.0.2")
        nodes[0].control.call("port.set", name="web", group="db")
        assert web.echoes("10.1.0.2", deadline=1) == 0, "db may not ping db"


@contextlib.contextmanager
def kernel_station(control, family, gbp, trust):
    """The kernel's station 10.1.0.2 and our pod 10.1.0.1, of group db."""
    with KernelPeer() as kernel, Cable(kernel) as cable, plugged_into(control, cable, kernel, family), \
            tunnel(control, "kernel", "vxlan", family.peer, ["blue"], trust_groups=trust, udp_checksum=False), \
            kernel.station(100, family.peer, family.switch, "10.1.0.2/24", mtu=1500 - family.overhead,
                           options=("udp6zerocsumrx", *(["gbp"] if gbp else []))) as station:
        yield kernel, station


def mark(station, number):
    """All IP that the station sends is of this group: a packet's mark is what the kernel's VXLAN says."""
    station.run("nft", "flush ruleset")
    station.run("nft", "add table ip marks")
    station.run("nft", "add chain ip marks out { type route hook output priority 0 ; }")
    station.run("nft", "add chain ip marks in { type filter hook input priority 0 ; }")
    station.run("nft", f"add rule ip marks out meta mark set {number}")
    station.run("nft", f"add rule ip marks in meta mark {DB} counter")


def marked(station):
    """How many packets came in with db's number as their mark."""
    listing = station.run("nft", "list chain ip marks in").stdout
    return int(listing.split("packets ")[1].split()[0])


@pytest.mark.parametrize("which", FAMILIES)
def test_the_kernels_groups(control, which):
    family = FAMILIES[which]
    enforce(control)
    control.call("segment.set", name="blue", default_policy="deny")
    with kernel_station(control, family, gbp=True, trust=True) as (kernel, station), \
            blue_pod(control, family, group="db") as db:
        mark(station, WEB)
        assert station.pings("10.1.0.1", deadline=10)
        assert marked(station) > 0, "the answers of db have its number, as the kernel reads it"
        for number in (DB, WEB + 1, 0):
            mark(station, number)
            assert is_denied(station, control, "10.1.0.1")
        mark(station, WEB)
        assert station.pings("10.1.0.1")
        control.call("tunnel.set", name="kernel", trust_groups=False)
        assert is_denied(station, control, "10.1.0.1"), "who is not trusted is not believed"


def test_a_kernel_that_knows_no_groups_is_told_none(control):
    """It drops VXLAN with flags that it does not expect: the reason why they are only told to those who are trusted."""
    family = FAMILIES["ipv4"]
    control.call("group.add", segment="blue", name="db", id=DB)
    with kernel_station(control, family, gbp=False, trust=False) as (kernel, station), blue_pod(control, family, group="db") as db, \
            kernel.wire(FAR) as wire:
        assert db.pings("10.1.0.2", deadline=10)
        tunnelled = [frame[42:46] for frame in wire.receive(0) if frame[36:38] == (4789).to_bytes(2, "big")]
        assert tunnelled and set(tunnelled) == {b"\x08\0\0\0"}
        control.call("tunnel.set", name="kernel", trust_groups=True)
        assert db.echoes("10.1.0.2", deadline=1) == 0
        tunnelled = [frame[42:46] for frame in wire.receive(0) if frame[36:38] == (4789).to_bytes(2, "big")]
        assert set(tunnelled) == {b"\x88\0" + DB.to_bytes(2, "big")}


@pytest.mark.parametrize("which", FAMILIES)
def test_geneves_option_is_no_trouble_to_open_vswitch(control, which):
    """It skips an option that it does not know, and says no group."""
    family = FAMILIES[which]
    control.call("group.add", segment="blue", name="db", id=DB)
    with OvsPeer() as ovs, Cable(ovs) as cable, plugged_into(control, cable, ovs, family):
        control.call("segment.set", name="blue", mtu=1500 - family.overhead - ROOM)
        with tunnel(control, "ovs", "geneve", family.peer, ["blue"], trust_groups=True, udp_checksum=False), \
                ovs.station("geneve", 100, family.peer, family.switch, "10.1.0.2/24", 1500 - family.overhead - ROOM, ("csum=false",)), \
                blue_pod(control, family, 1500 - ROOM, group="db") as db, ovs.wire(FAR) as wire:
            assert db.pings("10.1.0.2", deadline=10) and ovs.pings("10.1.0.1")
            udp = 14 + (20 if which == "ipv4" else 40)
            sent = [frame[udp + 8:] for frame in wire.receive(0) if frame[udp + 2:udp + 4] == (6081).to_bytes(2, "big")]
            option = b"\xff\x42\x01\x01" + DB.to_bytes(2, "big") + b"\0\0"
            assert sent and all(header[:4] == b"\x02\0\x65\x58" and header[8:16] == option for header in sent)
