# SPDX-License-Identifier: Apache-2.0
"""Segments that go on behind Open vSwitch, by VXLAN and by Geneve."""
import contextlib
import itertools

import pytest
from lib.cable import FAR, Cable
from lib.overlay import FAMILIES, blue_pod, everything, plugged_into, tunnel
from lib.peers.ovs import OvsPeer
from lib.tcp import MIB, bad_checksums, iperf_bytes, transfer

KINDS = ("vxlan", "geneve")


@contextlib.contextmanager
def joined(control, kind, family, checksum=False, vlan=None):
    """A pod of blue, and its neighbour behind Open vSwitch."""
    options = (f"csum={str(checksum).lower()}",)
    with OvsPeer() as ovs, Cable(ovs) as cable, plugged_into(control, cable, ovs, family, vlan), \
            tunnel(control, "ovs", kind, family.peer, ["blue"], udp_checksum=checksum), blue_pod(control, family) as a, \
            ovs.station(kind, 100, family.peer, family.switch, "10.1.0.2/24", 1500 - family.overhead, options) as b:
        yield a, b, ovs


@pytest.mark.parametrize("checksum", [False, True], ids=["zero-checksum", "checksum"])
@pytest.mark.parametrize("kind, which", itertools.product(KINDS, FAMILIES))
def test_ping_and_tcp_both_ways(control, kind, which, checksum):
    with joined(control, kind, FAMILIES[which], checksum) as (a, b, _):
        assert a.pings("10.1.0.2", deadline=10) and b.pings("10.1.0.1")
        transfer(a, b, "10.1.0.2", 4 * MIB)
        transfer(b, a, "10.1.0.1", 4 * MIB)
        assert bad_checksums(a) == bad_checksums(b) == {}
        assert {entry["tunnel"] for entry in everything(control, "fdb.list", segment="blue")} == {None, "ovs"}


@pytest.mark.parametrize("kind", KINDS)
def test_iperf3_both_ways(control, kind):
    with joined(control, kind, FAMILIES["ipv4"]) as (a, b, _):
        assert iperf_bytes(a, b, "10.1.0.2") > MIB
        assert iperf_bytes(a, b, "10.1.0.2", "-R") > MIB


@pytest.mark.parametrize("kind, which", itertools.product(KINDS, FAMILIES))
def test_an_underlay_on_a_vlan(control, kind, which):
    with joined(control, kind, FAMILIES[which], vlan=30) as (a, b, ovs), ovs.wire(FAR) as wire:
        assert a.pings("10.1.0.2", deadline=10) and b.pings("10.1.0.1")
        transfer(a, b, "10.1.0.2", MIB)
        transfer(b, a, "10.1.0.1", MIB)
        assert {frame[12:16] for frame in wire.receive(0)} == {b"\x81\x00\x00\x1e"}
