# SPDX-License-Identifier: Apache-2.0
"""A million hostile frames into one segment: not one comes out in another."""
import contextlib
import struct

import pytest
from lib.daemon import books, running
from lib.frames import ethernet, read_pcap, write_pcap
from lib.mutations import mutants
from lib.netns import pod
from lib.wait import until

BLUE, RED = "02:00:00:00:00:01", "02:00:00:00:00:02"
RED_STATIC, TRUNK = "02:00:00:00:00:03", "02:00:00:00:00:04"
BLUE_VLAN, RED_VLAN = 10, 20
FRAMES_A_WAY = 250_000
# Every kind of attachment that a sender of blue could have.
WAYS_IN = {
    "access": {"segment": "blue"},
    "carry": {"segment": "blue", "tagged": "carry"},
    "trunk": {"vlans": [{"vlan": BLUE_VLAN, "segment": "blue", "tagged": "carry"}]},
    "keep-tag": {"vlans": [{"vlan": RED_VLAN, "segment": "blue", "keep_tag": True}]},
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "mutants.pcap"
    write_pcap(path, mutants(FRAMES_A_WAY, [BLUE, RED, RED_STATIC, TRUNK], [BLUE_VLAN, RED_VLAN]))
    yield path
    path.unlink()


@pytest.mark.parametrize("cores", ["1", "0,1"])
def test_a_million_mutated_frames_stay_in_their_segment(cores, hostile, tmp_path):
    with contextlib.ExitStack() as stack:
        switch = stack.enter_context(running(node={"cores": cores}))
        control = stack.enter_context(switch.control())
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        blue = stack.enter_context(pod(control, "blue", "blue", mac=BLUE, macs=[BLUE], silent=True))
        red = stack.enter_context(pod(control, "red", "red", mac=RED, silent=True))
        red_wire = stack.enter_context(red.wire())
        silent, trunk_file = tmp_path / "red.pcap", tmp_path / "trunk.pcap"
        write_pcap(tmp_path / "nothing.pcap", [])
        nothing = f"rx_pcap={tmp_path / 'nothing.pcap'}"
        control.call("port.add", name="red-file", type="ethdev", devargs=f"net_pcap_out_red,{nothing},tx_pcap={silent}",
                     segment="red", tagged="carry", macs=[RED_STATIC])
        both = [{"vlan": BLUE_VLAN, "segment": "blue", "macs": [TRUNK]}, {"vlan": RED_VLAN, "segment": "red"}]
        control.call("port.add", name="trunk-file", type="ethdev", vlans=both,
                     devargs=f"net_pcap_out_trunk,{nothing},tx_pcap={trunk_file}")

        ways = WAYS_IN if cores == "1" else {"trunk": WAYS_IN["trunk"]}
        for way, attachments in ways.items():
            control.call("port.add", name=way, type="ethdev", devargs=f"net_pcap_in_{way},rx_pcap={hostile}", **attachments)
            until(lambda: received(control, way) == FRAMES_A_WAY, 60, f"the end of the file on {way}")
            control.call("port.remove", name=way)
            assert not any(books(control.call("stats.get")))

        assert red.counter("net1", "rx_packets") == 0
        stats = control.call("stats.get")
        ports = {port["name"]: port for port in stats["ports"]}
        segments = {segment["name"]: segment for segment in stats["segments"]}
        assert ports["red"]["tx_packets"] == ports["red-file"]["tx_packets"] == segments["red"]["tx_packets"] == 0
        assert segments["red"]["rx_packets"] == 0, "a frame of blue was taken for one of red"
        assert [entry for entry in control.call("fdb.list", segment="red")["items"] if not entry["static"]] == []
        # The frames did go through the switch, on to their own segment.
        arrived = blue.counter("net1", "rx_packets")
        print({name: count for name, count in segments["blue"]["drops"].items() if count}, arrived)
        assert arrived == ports["blue"]["tx_packets"] > FRAMES_A_WAY // 100
        for port in ("red-file", "trunk-file"):
            control.call("port.remove", name=port)
        # What listened in red could hear: a frame of red's own comes, and it is the first.
        write_pcap(tmp_path / "own.pcap", [ethernet(b"of red", TRUNK)])
        control.call("port.add", name="own", type="ethdev", devargs=f"net_pcap_own,rx_pcap={tmp_path / 'own.pcap'}", segment="red")
        assert red_wire.receive_before(b"of red") == []
        assert read_pcap(silent) == []
        on_trunk = read_pcap(trunk_file)
        assert len(on_trunk) == ports["trunk-file"]["tx_packets"] > FRAMES_A_WAY // 100
        for frame in on_trunk:
            ethertype, tci = struct.unpack_from("!HH", frame, 12)
            assert ethertype == 0x8100 and tci & 0xFFF == BLUE_VLAN, frame[:64].hex()


def received(control, port):
    return control.call("stats.get", port=port)["ports"][0]["rx_packets"]


def test_the_same_addresses_in_both_segments(switch, control):
    """A pod that pretends to be another segment's pod takes nothing from it."""
    with pod(control, "v", "red", mac=RED, silent=True) as victim, pod(control, "w", "red", silent=True) as friend, \
            pod(control, "x", "blue", silent=True) as attacker:
        with victim.wire() as at_victim, friend.wire() as at_friend, attacker.wire() as at_attacker:
            at_victim.send(ethernet(b"here I am", RED))
            assert len(at_friend.receive(5, lambda frame: b"here I am" in frame, count=1)) == 1
            for _ in range(50):
                at_attacker.send(ethernet(b"no, here", RED))
            until(lambda: received(control, "x") == 50, what="the end of the attack")
            assert [e["port"] for e in control.call("fdb.list", segment="blue")["items"] if e["mac"] == RED] == ["x"]
            at_friend.send(ethernet(b"secret", "02:00:00:00:00:09", RED))
            assert at_victim.receive_before(b"secret") == []
            with pod(control, "y", "blue", silent=True) as other, other.wire() as at_other:
                at_other.send(ethernet(b"the end", "02:00:00:00:00:0a"))
                assert at_attacker.receive_before(b"the end") == []
