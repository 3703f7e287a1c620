# SPDX-License-Identifier: Apache-2.0
"""What the switch puts on the cable, header by header, as scapy and Wireshark read it; and what it makes of what comes."""
import contextlib
import itertools
import json

import pytest
from lib.cable import FAR, Cable, mac_of, nic
from lib.netns import Namespace, pod, run
from lib.overlay import DST_PORTS, FAMILIES, cidr, dropped, tunnel, underlay
from lib.tshark import complaints, dissect, fields
from lib.wait import until
from scapy.all import IP, UDP, Ether, IPv6, Raw
from scapy.contrib.geneve import GENEVE
from scapy.layers.vxlan import VXLAN

VNI, FLOWS = 100, 64
POD, STATION = "02:00:00:00:00:01", "02:00:00:00:00:02"
CE = 3
HEADERS = {"vxlan": VXLAN, "geneve": GENEVE}
WAYS = list(itertools.product(HEADERS, FAMILIES, (False, True)))
WAY_NAMES = [f"{kind}-{which}-{'checksum' if checksum else 'zero'}" for kind, which, checksum in WAYS]


class Rig:
    """A pod of blue, and the far end of the tunnel as a bare wire: the neighbour is static, its kernel says nothing."""

    def __init__(self, kind, family, inside, outside, near_mac, far_mac):
        self.kind, self.family, self.inside, self.outside = kind, family, inside, outside
        self.near_mac, self.far_mac = near_mac, far_mac

    def encapsulated(self, inner):
        """Sends a frame from the pod; what comes out of the cable."""
        self.inside.send(bytes(inner))
        got = self.outside.receive(5, lambda frame: bytes(inner)[:12] in frame and len(frame) > len(inner), count=1)
        assert len(got) == 1, "nothing comes out of the cable"
        return got[0]

    def decapsulated(self, frame, inner):
        """Sends a frame into the cable; what the pod gets of it, if anything."""
        end = Ether(src=STATION, dst=POD, type=0x88b5) / Raw(b"the end")
        for each in (frame, self.outer(end)):
            self.outside.send(bytes(each))
        got = [frame for frame in self.inside.receive_before(b"the end") if frame[:14] == bytes(inner)[:14]]
        return Ether(got[0]) if got else None

    def outer(self, inner, tos=0):
        """An honest packet of the far end's."""
        if self.family is FAMILIES["ipv4"]:
            ip = IP(src=self.family.peer, dst=self.family.switch, tos=tos)
        else:
            ip = IPv6(src=self.family.peer, dst=self.family.switch, tc=tos)
        header = VXLAN(flags=8, vni=VNI) if self.kind == "vxlan" else GENEVE(vni=VNI, proto=0x6558)
        return Ether(src=self.far_mac, dst=self.near_mac) / ip / UDP(sport=50000, dport=DST_PORTS[self.kind]) / header / inner


@contextlib.contextmanager
def rig(control, kind, which, vlan=None, **fields):
    family = FAMILIES[which]
    control.call("segment.set", name="blue", mtu=1430)
    with Namespace("far") as space, contextlib.ExitStack() as stack:
        space.silence()
        cable = stack.enter_context(Cable(space))
        stack.enter_context(nic(control, "uplink0", cable))
        near, far = json.loads(run("ip", "-j", "link", "show", cable.near).stdout)[0]["address"], mac_of(space)
        stack.enter_context(underlay(control, cidr(family, family.switch), neighbors=[{"ip": family.peer, "mac": far}],
                                     **({"vlan": vlan} if vlan else {})))
        stack.enter_context(tunnel(control, "far", kind, family.peer, ["blue"], **fields))
        namespace = stack.enter_context(pod(control, "a", "blue", mac=POD, silent=True))
        inside, outside = stack.enter_context(namespace.wire()), stack.enter_context(space.wire(FAR))
        yield Rig(kind, family, inside, outside, near, far)


def inner_frame(flow=0, tos=0, size=100):
    return Ether(src=POD, dst=STATION) / IP(src="10.1.0.1", dst="10.1.0.2", tos=tos) / UDP(sport=1000 + flow, dport=7) / Raw(b"x" * size)


def inner_frame_v6(tos=0):
    return Ether(src=POD, dst=STATION) / IPv6(src="fd00::1", dst="fd00::2", tc=tos) / UDP(sport=1000, dport=7) / Raw(b"x" * 100)


def rebuilt(packet, layer, field):
    """What scapy would write into a checksum field."""
    copy = packet.__class__(bytes(packet))
    delattr(copy[layer], field)
    return getattr(packet.__class__(bytes(copy))[layer], field)


def tos_of(packet):
    return packet[IP].tos if IP in packet else packet[IPv6].tc


def outer_ip(packet):
    return packet.payload


@pytest.mark.parametrize("kind, which, checksum", WAYS, ids=WAY_NAMES)
def test_every_field(control, kind, which, checksum):
    with rig(control, kind, which, udp_checksum=checksum, ttl=33, dscp=10) as it:
        frames = [it.encapsulated(inner_frame(flow)) for flow in range(FLOWS)]
        again = it.encapsulated(inner_frame(0))
    ports = []
    for flow, frame in enumerate(frames):
        packet, inner = Ether(frame), bytes(inner_frame(flow))
        ip, udp, header = outer_ip(packet), packet[UDP], packet[HEADERS[kind]]
        assert (packet.src, packet.dst) == (it.near_mac, it.far_mac)
        assert (ip.src, ip.dst) == (it.family.switch, it.family.peer)
        room = 8 + 8 + len(inner)
        if which == "ipv4":
            assert (ip.version, ip.ihl, ip.ttl, ip.proto, ip.tos, ip.len, ip.frag) == (4, 5, 33, 17, 10 << 2, 20 + room, 0)
            assert ip.chksum == rebuilt(packet, IP, "chksum")
        else:
            assert (ip.version, ip.hlim, ip.nh, ip.tc, ip.plen) == (6, 33, 17, 10 << 2, room)
        assert (udp.dport, udp.len) == (DST_PORTS[kind], room)
        assert udp.chksum == (rebuilt(packet, UDP, "chksum") if checksum else 0)
        expected = VXLAN(flags=8, vni=VNI) if kind == "vxlan" else GENEVE(vni=VNI, proto=0x6558)
        assert bytes(header)[:8] == bytes(expected)[:8] and frame.endswith(inner)
        ports.append(udp.sport)
    assert all(49152 <= port <= 65535 for port in ports)
    assert len(set(ports)) > FLOWS * 3 // 4, "flows do not spread over the source ports"
    assert Ether(again)[UDP].sport == ports[0], "a flow has more than one source port"
    for packet in dissect(frames, f"udp.ignore_ipv6_zero_checksum:{str(not checksum).upper()}"):
        assert complaints(packet) == []
        assert fields(packet, f"{kind}.vni") == [str(VNI) if kind == "vxlan" else f"0x{VNI:06x}"]
        assert fields(packet, "udp.dstport") == [str(DST_PORTS[kind]), "7"]


def test_wireshark_does_complain():
    """The same questions to packets that are wrong: without this, its silence above would prove nothing."""
    good = Ether() / IP(dst="192.0.2.1") / UDP(sport=50000, dport=4789) / VXLAN(flags=8, vni=VNI) / inner_frame()
    spoiled = bytearray(bytes(good))
    spoiled[-1] ^= 1
    wrong = [Ether() / IP(dst="192.0.2.1", chksum=1) / UDP(sport=50000, dport=4789) / VXLAN(flags=8, vni=VNI) / inner_frame(), bytes(spoiled),
             Ether() / IP(dst="192.0.2.1", len=40) / UDP(sport=50000, dport=4789, chksum=0) / VXLAN(flags=8, vni=VNI) / inner_frame(),
             Ether() / IP(dst="192.0.2.1") / UDP(sport=50000, dport=6081) / GENEVE(vni=VNI, proto=0x6558, optionlen=20) / Raw(b"short")]
    assert [bool(complaints(packet)) for packet in dissect([bytes(good), *map(bytes, wrong)])] == [False, True, True, True, True]


@pytest.mark.parametrize("kind, which", itertools.product(HEADERS, FAMILIES))
def test_ecn_and_dscp_going_out(control, kind, which):
    """RFC 6040, section 4.1, normal mode: ECN is copied."""
    with rig(control, kind, which, dscp="copy") as it:
        for build in (inner_frame, inner_frame_v6):
            for tos in (*range(4), 46 << 2, 46 << 2 | CE):
                frame = Ether(it.encapsulated(build(tos=tos)))
                assert tos_of(outer_ip(frame)) == tos, build
        no_ip = Ether(src=POD, dst=STATION, type=0x88b5) / Raw(b"x" * 50)
        assert tos_of(outer_ip(Ether(it.encapsulated(no_ip)))) == 0


# RFC 6040, figure 4: inner ECN, then what leaves for an outer Not-ECT, ECT(0), ECT(1) and CE; None is a drop. The codepoints:
NOT_ECT, ECT_1, ECT_0 = 0, 1, 2
ARRIVING = {NOT_ECT: (NOT_ECT, NOT_ECT, NOT_ECT, None), ECT_0: (ECT_0, ECT_0, ECT_1, CE), ECT_1: (ECT_1, ECT_1, ECT_1, CE),
            CE: (CE, CE, CE, CE)}


@pytest.mark.parametrize("kind, which", itertools.product(HEADERS, FAMILIES))
def test_ecn_coming_in(control, kind, which):
    lost = 0
    with rig(control, kind, which) as it:
        for inner_ecn, row in ARRIVING.items():
            for outer_ecn, expected in zip((NOT_ECT, ECT_0, ECT_1, CE), row):
                for version, layers in (("ipv4", IP(src="10.1.0.2", dst="10.1.0.1", tos=46 << 2 | inner_ecn)),
                                        ("ipv6", IPv6(src="fd00::2", dst="fd00::1", tc=46 << 2 | inner_ecn))):
                    inner = Ether(src=STATION, dst=POD) / layers / UDP(sport=7, dport=7) / Raw(b"x" * 50)
                    got = it.decapsulated(it.outer(inner, tos=12 << 2 | outer_ecn), inner)
                    case = f"inner {version} {inner_ecn}, outer {outer_ecn}"
                    if expected is None:
                        assert got is None, case
                        lost += 1
                        continue
                    assert got and tos_of(got) == (46 << 2 | expected), case
                    if IP in got:
                        assert got[IP].chksum == rebuilt(got, IP, "chksum"), case
        assert dropped(control, "ecn_not_capable") == lost > 0


def test_geneve_options_are_passed_over(control):
    """RFC 8926, section 3.4: an option that is not critical and not known is ignored; a critical one drops the packet."""
    with rig(control, "geneve", "ipv4") as it:
        inner = Ether(src=STATION, dst=POD) / IP(src="10.1.0.2", dst="10.1.0.1") / UDP(sport=7, dport=7) / Raw(b"x" * 50)
        for critical, option_type, passes in ((0, 0x01, True), (1, 0x81, False)):
            option = bytes.fromhex("fff0") + bytes([option_type, 1]) + b"note"  # an experimental class
            header = bytes([2, critical << 6]) + bytes.fromhex("6558") + VNI.to_bytes(3, "big") + b"\0" + option
            outer = Ether(src=it.far_mac, dst=it.near_mac) / IP(src=it.family.peer, dst=it.family.switch) / \
                UDP(sport=50000, dport=6081) / Raw(header + bytes(inner))
            assert bool(it.decapsulated(outer, inner)) == passes, f"critical {critical}"


def test_a_placed_mac_needs_no_flood(control):
    """A segment that floods nothing reaches what the controller has placed, and learns from the wire as ever."""
    with rig(control, "vxlan", "ipv4") as it:
        control.call("segment.set", name="blue", flood="none")
        control.call("fdb.add", segment="blue", mac=STATION, tunnel="far")
        assert Ether(it.encapsulated(inner_frame()))[VXLAN].vni == VNI
        it.inside.send(bytes(Ether(src=POD, dst="ff:ff:ff:ff:ff:ff", type=0x88b5) / Raw(b"to all")))
        it.inside.send(bytes(inner_frame(size=333)))
        until(lambda: dropped(control, "flood_disabled") == 1, what="the drop of the broadcast")
        came = it.outside.receive(5, lambda frame: len(frame) > 14 + it.family.overhead, count=1)
        assert b"to all" not in came[0] and len(came[0]) == 14 + it.family.overhead + 20 + 8 + 333


def test_an_underlay_on_a_vlan(control):
    with rig(control, "vxlan", "ipv4", vlan=30) as it:
        frame = it.encapsulated(inner_frame())
        assert frame[12:16] == b"\x81\x00\x00\x1e" and Ether(frame)[VXLAN].vni == VNI
        inner = Ether(src=STATION, dst=POD) / IP(src="10.1.0.2", dst="10.1.0.1") / UDP(sport=7, dport=7) / Raw(b"of no VLAN")
        it.outside.send(bytes(it.outer(inner)))
        until(lambda: any(row["packets"] for row in control.call("drop.list", port="uplink0")["items"]), what="a drop of the untagged frame")
        assert [got for got in it.inside.receive(0) if b"of no VLAN" in got] == []
