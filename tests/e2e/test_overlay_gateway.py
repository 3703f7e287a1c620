# SPDX-License-Identifier: Apache-2.0
"""A VLAN of a provider's network and a tunnel in one segment: VLAN on one side, VXLAN on the other."""
import contextlib

import pytest
from lib.cable import FAR, Cable, nic
from lib.frames import ethernet, mac
from lib.netns import Namespace
from lib.overlay import FAMILIES, plugged_into, tunnel
from lib.peers.kernel import KernelPeer
from lib.tagged import tagged_device
from lib.tcp import MIB, transfer

VLAN, MTU = 30, 1450
PROVIDER, STATION = "10.1.0.3", "10.1.0.2"
MAC = "02:00:00:00:00:03"


@contextlib.contextmanager
def provider(control):
    """A namespace behind NIC port provider0, whose VLAN 30 is blue and whose VLAN 40 is red."""
    vlans = [{"vlan": VLAN, "segment": "blue"}, {"vlan": 40, "segment": "red"}]
    with Namespace("provider") as namespace, Cable(namespace) as cable:
        namespace.silence()
        with nic(control, "provider0", cable, vlans=vlans):
            yield namespace


@pytest.fixture
def gateway(control):
    """The provider's namespace, and a station of blue behind the kernel's VXLAN."""
    family = FAMILIES["ipv4"]
    with KernelPeer() as kernel, Cable(kernel) as cable, plugged_into(control, cable, kernel, family), \
            tunnel(control, "kernel", "vxlan", family.peer, ["blue"]), provider(control) as outside, \
            kernel.station(100, family.peer, family.switch, f"{STATION}/24", mtu=MTU) as station:
        yield outside, station


def test_kernels_reach_each_other(gateway):
    outside, station = gateway
    with outside.wire(FAR) as wire, tagged_device(outside, VLAN, [f"{PROVIDER}/24"], MTU, beneath=FAR):
        assert station.pings(PROVIDER, deadline=10) and outside.pings(STATION)
        transfer(outside, station, STATION, 4 * MIB)
        transfer(station, outside, PROVIDER, 4 * MIB)
        came = wire.receive(0)
        assert came and {frame[12:16] for frame in came} == {b"\x81\x00\x00\x1e"}, "what the provider gets has the VLAN's tag"


def test_other_vlans_stay_outside(gateway):
    outside, station = gateway
    with outside.wire(FAR) as wire, station.wire() as there:
        for words, vlan in ((b"unknown", 31), (b"untagged", None), (b"red", 40), (b"blue", VLAN)):
            wire.send(ethernet(words, MAC, vlan=vlan))
        assert not [frame for frame in there.receive_before(b"blue") if frame[6:12] == mac(MAC)]
