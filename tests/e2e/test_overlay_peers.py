# SPDX-License-Identifier: Apache-2.0
"""The peers of the overlay's tests against each other, without the switch: where these pass and a test with the switch fails,
the switch is wrong."""
import contextlib

import pytest
from lib.cable import FAR, Cable
from lib.peers.kernel import KernelPeer
from lib.peers.ovs import OvsPeer
from lib.tcp import MIB, bad_checksums, iperf_bytes

FAMILIES = {"ipv4": ("192.0.2.1", "192.0.2.2", 24), "ipv6": ("2001:db8::1", "2001:db8::2", 64)}


@pytest.fixture
def connect():
    """connect(left, right): the two peers at the ends of a cable."""
    with contextlib.ExitStack() as stack:
        def enter(left, right):
            left, right = stack.enter_context(left), stack.enter_context(right)
            cable = stack.enter_context(Cable(right, left))
            return left, right, cable
        yield enter


def reach_each_other(left, right):
    assert left.pings("10.1.0.2", deadline=10) and right.pings("10.1.0.1")
    assert iperf_bytes(left, right, "10.1.0.2") > MIB and iperf_bytes(left, right, "10.1.0.2", "-R") > MIB
    assert bad_checksums(left) == bad_checksums(right) == {}


@pytest.mark.parametrize("options", [(), ("csum=true",)], ids=["zero-checksum", "checksum"])
@pytest.mark.parametrize("family", FAMILIES)
def test_open_vswitch_and_the_kernel_by_vxlan(connect, family, options):
    here, there, length = FAMILIES[family]
    ovs, kernel, cable = connect(OvsPeer(), KernelPeer())
    ovs.connect(f"{here}/{length}", cable.near)
    kernel.connect(f"{there}/{length}")
    taken = ("udp6zerocsumrx",) if family == "ipv6" else ()
    with ovs.station("vxlan", 100, here, there, "10.1.0.1/24", options=options) as left, \
            kernel.station(100, there, here, "10.1.0.2/24", options=taken) as right:
        reach_each_other(left, right)


@pytest.mark.parametrize("vlan", [None, 30], ids=["untagged", "vlan"])
@pytest.mark.parametrize("family", FAMILIES)
def test_open_vswitch_by_geneve(connect, family, vlan):
    here, there, length = FAMILIES[family]
    left, right, cable = connect(OvsPeer("left"), OvsPeer("right"))
    left.connect(f"{here}/{length}", cable.near, vlan)
    right.connect(f"{there}/{length}", vlan=vlan)
    with left.station("geneve", 100, here, there, "10.1.0.1/24") as one, \
            right.station("geneve", 100, there, here, "10.1.0.2/24") as other, right.wire(FAR) as wire:
        reach_each_other(one, other)
        tagged = {frame[12:14] == b"\x81\x00" for frame in wire.receive(0)}
        assert tagged == {vlan is not None}
