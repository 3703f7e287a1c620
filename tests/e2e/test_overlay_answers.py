# SPDX-License-Identifier: Apache-2.0
"""What the switch itself says into a segment: ARP and ND for stations that a controller placed, and how large a packet may be."""
import contextlib
import json
import re

import pytest
from lib.cable import FAR
from lib.netns import pod
from lib.nodes import MTU, two_nodes
from lib.overlay import dropped
from lib.tagged import tagged_device
from lib.tcp import MIB, transfer
from lib.tshark import complaints, dissect, fields
from lib.wait import until
from scapy.all import ARP, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6

WEB, DB = "02:00:00:00:00:01", "02:00:00:00:00:02"
PLACES = ((WEB, ("10.1.0.1", "fd00::1")), (DB, ("10.1.0.2", "fd00::2")))


@pytest.fixture
def nodes(request):
    with two_nodes(segment_fields=getattr(request, "param", {"flood": "none", "arp_suppression": True})) as nodes:
        yield nodes


@pytest.fixture
def pods(nodes):
    """web on the first node and db on the second, in blue; what they send may have tags."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(node.pod(name, "blue", [f"{v4}/24", f"{v6}/64"], mac=mac, tagged="carry"))
               for node, name, (mac, (v4, v6)) in zip(nodes, ("web", "db"), PLACES)]


def place(nodes):
    """What a controller does: each node is told where everybody is."""
    for number, node in enumerate(nodes):
        for other, (mac, ips) in enumerate(PLACES):
            where = {"port": ("web", "db")[number]} if other == number else {"tunnel": "peer"}
            node.control.call("fdb.add", segment="blue", mac=mac, ips=list(ips), **where)


def inner_destination(frame):
    """Of a VXLAN packet over IPv4 and no VLAN."""
    return frame[50:56] if frame[23:24] == b"\x11" and frame[36:38] == b"\x12\xb5" else None


def test_a_segment_works_without_one_flooded_frame(nodes, pods):
    place(nodes)
    near = re.search("iface=([^,]+)", nodes[0].control.call("port.get", name="uplink0")["devargs"])[1]
    with nodes[0].space.wire(near) as to_web, nodes[1].space.wire(FAR) as to_db:
        for v4, v6 in (PLACES[1][1],):
            assert pods[0].pings(v4) and pods[0].pings(v6)
            assert pods[1].pings(PLACES[0][1][0]) and pods[1].pings(PLACES[0][1][1])
        for wire in (to_web, to_db):
            inside = [mac for mac in map(inner_destination, wire.receive(0)) if mac]
            assert len(inside) >= 12, "this does not see what is on the cable"
            assert not [mac for mac in inside if mac[0] & 1]
    assert sum(worker["consumed"] for worker in nodes[0].control.call("stats.get")["workers"]) > 0
    before = dropped(nodes[0].control, "flood_disabled")
    assert pods[0].echoes("10.1.0.3", deadline=1) == 0
    assert dropped(nodes[0].control, "flood_disabled") > before, "who was not placed can't be found"


@pytest.mark.parametrize("nodes", [{"flood": "none"}], indirect=True)
def test_nobody_is_found_without_answers(nodes, pods):
    place(nodes)
    assert pods[0].echoes("10.1.0.2", deadline=1) == 0


def test_who_is_gone_is_not_found(nodes, pods):
    place(nodes)
    assert pods[0].pings("10.1.0.2", deadline=10)
    nodes[0].control.call("fdb.remove", segment="blue", mac=DB)
    pods[0].ip("neigh", "flush", "dev", "net1")
    assert pods[0].echoes("10.1.0.2", deadline=1) == 0


def state_of(namespace, address):
    """What duplicate address detection has made of it."""
    info = json.loads(namespace.ip("-j", "address", "show", "dev", "net1").stdout)[0]["addr_info"]
    entry = next((each for each in info if each.get("local") == address), {})
    return "duplicate" if entry.get("dadfailed") else "" if entry.get("tentative") else "valid"


def test_a_duplicate_is_told_and_its_owner_is_not(nodes, pods):
    place(nodes)
    pods[0].ip("address", "del", "fd00::1/64", "dev", "net1")
    for address in ("fd00::1/64", "fd00::2/64"):
        pods[0].ip("address", "add", address, "dev", "net1")
    assert until(lambda: state_of(pods[0], "fd00::2"), what="duplicate address detection") == "duplicate"
    assert until(lambda: state_of(pods[0], "fd00::1"), what="duplicate address detection") == "valid"


def test_answers_are_as_wireshark_wants_them(control):
    asker, other = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
    with pod(control, "a", "blue", mac=asker, silent=True) as a, pod(control, "b", "blue", silent=True) as b, a.wire() as wire, \
            b.wire() as beside:
        control.call("segment.set", name="blue", arp_suppression=True)
        control.call("fdb.add", segment="blue", mac=other, port="b", ips=["10.1.0.9", "fd00::9"])
        requests = [Ether(src=asker, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=asker, psrc="10.1.0.1", pdst="10.1.0.9")]
        for source, options in (("fd00::1", ICMPv6NDOptSrcLLAddr(lladdr=asker)), ("::", b"")):
            requests.append(Ether(src=asker, dst="33:33:ff:00:00:09") / IPv6(src=source, dst="ff02::1:ff00:9", hlim=255) /
                            ICMPv6ND_NS(tgt="fd00::9") / options)
        answers = []
        for request in requests:
            wire.send(bytes(request))
            answers += wire.receive(5, count=1)
        wire.send(bytes(Ether(src=asker, dst="ff:ff:ff:ff:ff:ff", type=0x88b5) / b"the end"))
        assert beside.receive_before(b"the end") == [], "an answered request is not flooded"
    assert [complaints(packet) for packet in dissect(answers)] == [[], [], []]
    arp, solicited, to_all = map(Ether, answers)
    assert (arp.dst, arp.src, arp.op, arp.hwsrc, arp.psrc, arp.hwdst, arp.pdst) == \
        (asker, other, 2, other, "10.1.0.9", asker, "10.1.0.1")
    assert (solicited.dst, solicited[IPv6].dst, to_all.dst, to_all[IPv6].dst) == (asker, "fd00::1", "33:33:00:00:00:01", "ff02::1")
    for answer, flags in ((solicited, (1, 1)), (to_all, (0, 1))):
        assert (answer[ICMPv6ND_NA].S, answer[ICMPv6ND_NA].O) == flags and answer[ICMPv6NDOptDstLLAddr].lladdr == other


def is_too_big(frame):
    """Tagged, and ICMP fragmentation needed, or ICMPv6 packet too big."""
    ip = frame[18:]
    return (frame[16:18], ip[9:10], ip[20:22]) == (b"\x08\x00", b"\x01", b"\x03\x04") or \
        (frame[16:18], ip[6:7], ip[40:42]) == (b"\x86\xdd", b"\x3a", b"\x02\x00")


@pytest.mark.parametrize("nodes", [{}], indirect=True)
@pytest.mark.parametrize("far, headers", [("10.7.0.2", 28), ("fd07::2", 48)])
def test_a_kernel_learns_the_mtu_of_the_path(nodes, pods, far, headers):
    """Tags that pods put on take room in the tunnel that the MTU of their segment does not know of."""
    web, db = pods
    with contextlib.ExitStack() as stack:
        for number, namespace in enumerate(pods, 1):
            stack.enter_context(tagged_device(namespace, 7, [f"10.7.0.{number}/24", f"fd07::{number}/64"], MTU))
        wire = stack.enter_context(web.wire())
        assert web.pings(far, "-M", "do", "-s", str(MTU - 4 - headers), deadline=10)
        assert dropped(nodes[0].control, "path_mtu_exceeded") == 0
        told = web.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", str(MTU - headers), far, check=False).stdout
        assert re.search(rf"From {far} .*mtu ?= ?{MTU - 4}", told), told
        assert f"mtu {MTU - 4}" in web.ip("route", "get", far).stdout
        assert dropped(nodes[0].control, "path_mtu_exceeded") == 1
        for family in ("-4", "-6"):
            web.ip(family, "route", "flush", "cache")
        transfer(web, db, far, MIB)
        errors = wire.receive(0, is_too_big)
    assert errors and all(frame[12:16] == b"\x81\x00\x00\x07" for frame in errors)
    packets = dissect(errors)
    assert all(fields(packet, "icmp.mtu") + fields(packet, "icmpv6.mtu") == [str(MTU - 4)] for packet in packets)
    # The ping's. Of a TCP segment of which a part is quoted Wireshark would judge the checksum by that part.
    assert complaints(packets[0]) == []
