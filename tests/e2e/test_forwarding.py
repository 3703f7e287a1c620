# SPDX-License-Identifier: Apache-2.0
"""The main job on real kernels: pods of one segment reach each other, pods of another never."""
import contextlib

import pytest
from scapy.all import Dot1Q, Ether, ICMP, IP, Raw

from lib.netns import pod
from lib.tcp import MIB, iperf_bytes, transfer


def frame(payload, source="02:00:00:00:00:66", destination="ff:ff:ff:ff:ff:ff", **layers):
    return Ether(src=source, dst=destination, type=layers.get("type", 0x88b5)) / Raw(payload)


@pytest.fixture
def pods(control):
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(pod(control, name, segment, address, mac=mac))
               for name, segment, address, mac in (
                   ("b1", "blue", "10.1.0.1/24", "02:00:00:00:00:01"), ("b2", "blue", "10.1.0.2/24", "02:00:00:00:00:02"),
                   ("r1", "red", "10.1.0.1/24", "02:00:00:00:00:01"), ("r2", "red", "10.1.0.2/24", "02:00:00:00:00:02"))}


def test_pods_with_equal_addresses_reach_only_their_own_segment(pods, control):
    assert pods["b1"].pings("10.1.0.2")
    assert pods["r1"].pings("10.1.0.2")
    control.call("port.remove", name="b2")
    assert pods["b1"].echoes("10.1.0.2", deadline=1) == 0, "10.1.0.2 of the other segment answered"
    assert pods["r1"].pings("10.1.0.2")


def test_broadcast_stays_in_its_segment(pods):
    with contextlib.ExitStack() as stack:
        wires = {name: stack.enter_context(namespace.wire()) for name, namespace in pods.items()}
        wires["b1"].send(frame(b"blue only"))
        mine = lambda received: b"blue only" in received
        assert len(wires["b2"].receive(5, mine, count=1)) == 1
        for silent, neighbour in (("b1", "b2"), ("r1", "r2"), ("r2", "r1")):
            wires[neighbour].send(frame(b"the end"))
            assert not any(map(mine, wires[silent].receive_before(b"the end"))), silent


def test_tcp(pods):
    transfer(pods["b1"], pods["b2"], "10.1.0.2")


def test_iperf3(pods):
    assert iperf_bytes(pods["b1"], pods["b2"], "10.1.0.2") > MIB


def test_trunk_pushes_and_pops_tags(pods, control):
    with pod(control, "b3", "blue") as plain:
        control.call("port.remove", name="b3")
        control.call("port.add", name="fw", type="tap", netns=plain.path, ifname="trunk0",
                     vlans=[{"vlan": 10, "segment": "blue"}, {"vlan": 20, "segment": "red"}])
        with plain.wire("trunk0") as trunk, pods["b1"].wire() as blue, pods["r1"].wire() as red:
            tagged = Ether(src="02:00:00:00:00:77", dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=20) / IP(dst="10.1.0.9") / ICMP()
            trunk.send(tagged)
            received = red.receive(5, lambda raw: raw[6:12] == bytes.fromhex("020000000077"), count=1)
            assert len(received) == 1 and received[0][12:14] == b"\x08\x00", "the tag was not popped"
            trunk.send(Ether(src="02:00:00:00:00:78", dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=10, type=0x88b5) / Raw(b"the end"))
            assert not any(raw[6:12] == bytes.fromhex("020000000077") for raw in blue.receive_before(b"the end"))


def test_learned_addresses_are_listed(pods, control):
    assert pods["b1"].pings("10.1.0.2")
    entries = {(entry["segment"], entry["mac"]): entry["port"] for entry in control.call("fdb.list")["items"]}
    assert entries[("blue", "02:00:00:00:00:01")] == "b1"
    assert entries[("blue", "02:00:00:00:00:02")] == "b2"


def test_a_port_added_live_joins(pods, control):
    with pod(control, "late", "blue", "10.1.0.3/24") as late:
        assert late.pings("10.1.0.1")
