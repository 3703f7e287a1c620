# SPDX-License-Identifier: Apache-2.0
"""What the switch is on its underlay link, with no help from the kernel: a host that answers for its own addresses."""
import contextlib
import json

import pytest
from lib.cable import FAR, Cable, mac_of
from lib.netns import run
from lib.overlay import FAMILIES, cidr, dropped, plugged_into, tunnel
from lib.peers.kernel import KernelPeer
from lib.peers.ovs import OvsPeer
from lib.wait import until
from scapy.all import ARP, IP, UDP, Ether, Raw
from scapy.layers.vxlan import VXLAN


class Link:
    """The kernel at the far end of a cable, and what the switch's end is called."""

    def __init__(self, control, peer, cable, family):
        self.control, self.peer, self.cable, self.family = control, peer, cable, family
        self.mac = json.loads(run("ip", "-j", "link", "show", cable.near).stdout)[0]["address"]

    def neighbors(self):
        return {item["ip"]: item for item in self.control.call("underlay.neighbors", name="u0")["items"]}


@contextlib.contextmanager
def linked(control, which, vlan=None):
    family = FAMILIES[which]
    # On a VLAN Open vSwitch tags what its namespace's kernel says: not every host's kernel has VLANs.
    with OvsPeer() if vlan else KernelPeer() as peer, Cable(peer) as cable, plugged_into(control, cable, peer, family, vlan):
        yield Link(control, peer, cable, family)


@pytest.mark.parametrize("vlan", [None, 30], ids=["untagged", "vlan"])
@pytest.mark.parametrize("which", FAMILIES)
def test_it_answers_ping(control, which, vlan):
    with linked(control, which, vlan) as link:
        assert link.peer.pings(link.family.switch)
        assert link.peer.pings(link.family.switch, "-s", "1400")
        shown = run("ip", "address", "show", link.cable.near).stdout
        assert "inet" not in shown, "this end's kernel has an address that could have answered"
        table = link.peer.ip("neighbor", "show", link.family.switch).stdout
        assert link.mac in table and "router" not in table


def test_it_answers_arp_for_its_own_addresses_only(control):
    with linked(control, "ipv4") as link, link.peer.wire(FAR) as wire:
        mac = mac_of(link.peer)

        def ask(target, sender):
            question = ARP(op="who-has", hwsrc=mac, psrc=sender, pdst=target)
            wire.send(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / question)

        for sender in (link.family.peer, "0.0.0.0"):  # a question, and an RFC 5227 probe
            ask("192.0.2.77", sender)  # nobody's
            ask(link.family.switch, sender)
            is_answer = lambda frame: frame[12:14] == b"\x08\x06" and Ether(frame)[ARP].op == 2
            answers = wire.receive(5, is_answer, count=1)
            assert len(answers) == 1
            answer = Ether(answers[0])
            assert (answer.src, answer.dst, answer[ARP].hwsrc, answer[ARP].psrc) == (link.mac, mac, link.mac, link.family.switch)


def test_it_announces_its_address_at_start(control):
    with KernelPeer() as kernel, Cable(kernel) as cable, kernel.wire(FAR) as wire, plugged_into(control, cable, kernel, FAMILIES["ipv4"]):
        def announces(frame):
            packet = Ether(frame)
            return ARP in packet and packet[ARP].psrc == packet[ARP].pdst == FAMILIES["ipv4"].switch

        assert wire.receive(10, announces, count=1)


@pytest.mark.parametrize("which", FAMILIES)
def test_neighbours(control, which):
    with linked(control, which) as link, tunnel(control, "kernel", "vxlan", link.family.peer, ["blue"]):
        def known():
            neighbor = link.neighbors().get(link.family.peer)
            return neighbor and neighbor["state"] == "reachable" and neighbor

        assert until(known, 10, "the neighbour")["mac"] == mac_of(link.peer)
        state = control.call("tunnel.get", name="kernel")["state"]
        assert state["resolved"] and state["next_hop"] == link.family.peer and state["next_hop_mac"] == mac_of(link.peer)
        # Another card: its kernel forgets what it knew and asks for the switch, which thereby learns of it.
        link.peer.ip("link", "set", FAR, "address", "02:00:00:00:0f:0f")
        link.peer.pings(link.family.switch)
        until(lambda: link.neighbors()[link.family.peer]["mac"] == "02:00:00:00:0f:0f", 10, "the neighbour's new MAC")


def test_a_static_neighbour_is_nobodys_to_take(control):
    with linked(control, "ipv4") as link, tunnel(control, "kernel", "vxlan", link.family.peer, ["blue"]):
        control.call("underlay.set", name="u0", neighbors=[{"ip": link.family.peer, "mac": "02:00:00:00:0e:0e"}])
        link.peer.pings(link.family.switch)
        entry = link.neighbors()[link.family.peer]
        assert (entry["mac"], entry["state"]) == ("02:00:00:00:0e:0e", "static")


def vxlan(link, **ip):
    """An honest outer packet, for a case to spoil."""
    inner = Ether(src="02:00:00:00:00:02", dst="ff:ff:ff:ff:ff:ff", type=0x88b5) / Raw(b"inner" * 12)
    return Ether(src=mac_of(link.peer), dst=link.mac) / IP(src=link.family.peer, dst=link.family.switch, **ip) / \
        UDP(sport=50000, dport=4789, chksum=0) / VXLAN(flags=8, vni=100) / inner


def spoiled(packet, layer, **fields):
    for name, value in fields.items():
        setattr(packet[layer], name, value)
    return packet


BAD = {
    "no I flag": lambda link: spoiled(vxlan(link), VXLAN, flags=0),
    "header checksum": lambda link: spoiled(vxlan(link), IP, chksum=0xBAD),
    "UDP longer than the packet": lambda link: spoiled(vxlan(link), UDP, len=2000),
    "UDP shorter than its header": lambda link: spoiled(vxlan(link), UDP, len=4),
    "no room for VXLAN": lambda link: spoiled(vxlan(link), UDP, len=12),
    "IP longer than the frame": lambda link: spoiled(vxlan(link), IP, len=1500),
}


@pytest.mark.parametrize("case", BAD)
def test_a_malformed_outer_header(control, case):
    with linked(control, "ipv4") as link, tunnel(control, "kernel", "vxlan", link.family.peer, ["blue"]), \
            link.peer.wire(FAR) as wire:
        wire.send(vxlan(link))
        until(lambda: control.call("fdb.list", segment="blue")["items"], what="the honest packet")
        before = dropped(control, "bad_outer")
        wire.send(BAD[case](link))
        until(lambda: dropped(control, "bad_outer") == before + 1, what=f"a drop for {case}")
        assert link.peer.pings(link.family.switch), "the underlay has suffered"
