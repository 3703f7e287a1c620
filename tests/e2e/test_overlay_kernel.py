# SPDX-License-Identifier: Apache-2.0
"""Segments that go on behind the Linux kernel's VXLAN."""
import contextlib

import pytest
from lib.cable import FAR, Cable
from lib.frames import ethernet
from lib.netns import pod
from lib.overlay import FAMILIES, blue_pod, cidr, dropped, everything, plugged_into, tunnel
from lib.peers.kernel import KernelPeer
from lib.tcp import MIB, bad_checksums, iperf_bytes, transfer
from lib.wait import until

MACS, AT_ONCE = 1000, 100  # no more than a ring of the cable holds while the worker sleeps
POD_MAC = "02:00:00:00:00:01"
# The kernel's words for what the tunnel's udp_checksum says; unasked it refuses zero over IPv6, as RFC 6935 has it.
CHECKSUMS = {("ipv4", False): ("noudpcsum",), ("ipv4", True): ("udpcsum",),
             ("ipv6", False): ("udp6zerocsumtx", "udp6zerocsumrx"), ("ipv6", True): ("noudp6zerocsumtx", "noudp6zerocsumrx")}


@contextlib.contextmanager
def joined(control, family, mtu=1500, segments=("blue",), **fields):
    """The kernel's node at the far end of a cable, and a tunnel to it."""
    with KernelPeer() as kernel, Cable(kernel, mtu=mtu) as cable, plugged_into(control, cable, kernel, family), \
            tunnel(control, "kernel", "vxlan", family.peer, list(segments), **fields):
        yield kernel


@contextlib.contextmanager
def station(kernel, family, vni=100, address="10.1.0.2/24", mtu=1500, local=None, **more):
    with kernel.station(vni, local or family.peer, family.switch, address, mtu=mtu - family.overhead, **more) as namespace:
        yield namespace


def pings_of_full_size(namespace, address, family, mtu=1500):
    """With "don't fragment": what fits the segment passes whole."""
    return namespace.echoes(address, "-M", "do", "-s", str(mtu - family.overhead - 28)) == 3


def reach_each_other(a, b, family, mtu=1500):
    assert a.pings("10.1.0.2", deadline=10) and b.pings("10.1.0.1")
    assert pings_of_full_size(a, "10.1.0.2", family, mtu) and pings_of_full_size(b, "10.1.0.1", family, mtu)
    transfer(a, b, "10.1.0.2", 4 * MIB)
    transfer(b, a, "10.1.0.1", 4 * MIB)
    assert bad_checksums(a) == bad_checksums(b) == {}


@pytest.mark.parametrize("checksum", [False, True], ids=["zero-checksum", "checksum"])
@pytest.mark.parametrize("which", FAMILIES)
def test_ping_and_tcp_both_ways(control, which, checksum):
    family = FAMILIES[which]
    with joined(control, family, udp_checksum=checksum) as kernel, blue_pod(control, family) as a, \
            station(kernel, family, options=CHECKSUMS[which, checksum]) as b:
        reach_each_other(a, b, family)
        assert bad_checksums(kernel) == {}
        state = control.call("tunnel.get", name="kernel")["state"]
        counted = control.call("stats.get", tunnel="kernel")["tunnels"][0]
        assert min(state["rx_packets"], state["tx_packets"], counted["rx_packets"], counted["tx_packets"]) > 6


@pytest.mark.parametrize("which", FAMILIES)
def test_iperf3_both_ways(control, which):
    family = FAMILIES[which]
    with joined(control, family) as kernel, blue_pod(control, family) as a, station(kernel, family) as b:
        assert iperf_bytes(a, b, "10.1.0.2") > MIB
        assert iperf_bytes(a, b, "10.1.0.2", "-R") > MIB


@pytest.mark.parametrize("which", FAMILIES)
def test_ipv6_inside(control, which):
    family = FAMILIES[which]
    with joined(control, family) as kernel, blue_pod(control, family) as a, station(kernel, family) as b:
        a.add_addresses("net1", "fd00::1/64")
        b.add_addresses("net1", "fd00::2/64")
        assert a.pings("fd00::2", deadline=10) and b.pings("fd00::1")
        transfer(a, b, "fd00::2", 4 * MIB)


@pytest.mark.parametrize("which", FAMILIES)
def test_jumbo_underlay(control, which):
    """9,000 bytes both ways, in chains of buffers."""
    family = FAMILIES[which]
    with joined(control, family, mtu=9000) as kernel, blue_pod(control, family, 9000) as a, \
            station(kernel, family, mtu=9000) as b, a.wire() as here, b.wire() as there:
        assert b.pings("10.1.0.1", deadline=10)
        assert pings_of_full_size(a, "10.1.0.2", family, 9000) and pings_of_full_size(b, "10.1.0.1", family, 9000)
        payload = bytes(range(256)) * 36
        frame = ethernet(payload[:9000 - family.overhead], "02:00:00:00:00:02", POD_MAC)
        there.send(frame)
        assert here.receive(5, lambda got: got == frame, count=1), "the frame of full size"
        frame = ethernet(payload[:9000 - family.overhead], POD_MAC, "02:00:00:00:00:02")
        here.send(frame)
        assert there.receive(5, lambda got: got == frame, count=1), "the frame of full size, out"
        transfer(a, b, "10.1.0.2", 4 * MIB)
        transfer(b, a, "10.1.0.1", 4 * MIB)
        assert bad_checksums(a) == bad_checksums(b) == {}


def test_a_thousand_macs(control):
    family = FAMILIES["ipv4"]
    macs = [f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}" for number in range(MACS)]
    groups = [macs[at:at + AT_ONCE] for at in range(0, MACS, AT_ONCE)]
    with joined(control, family) as kernel, pod(control, "a", "blue", mac=POD_MAC, silent=True) as a, \
            pod(control, "c", "blue", silent=True) as c, station(kernel, family, address=None, silent=True) as b, \
            a.wire() as here, c.wire() as beside, b.wire() as there:
        for some in groups:
            for mac in some:
                there.send(ethernet(b"hello", mac))
            assert len(here.receive(10, lambda frame: b"hello" in frame, count=len(some))) == len(some)
        entries = {entry["mac"]: entry for entry in everything(control, "fdb.list", segment="blue")}
        assert {(entries[mac]["tunnel"], entries[mac]["port"]) for mac in macs} == {("kernel", None)}
        got = []
        for some in groups:
            for mac in some:
                here.send(ethernet(b"you", POD_MAC, mac))
            got += there.receive(10, lambda frame: b"you" in frame, count=len(some))
        here.send(ethernet(b"the end", POD_MAC))
        got += there.receive_before(b"the end")
        assert {frame[:6].hex(":") for frame in got if b"you" in frame} == set(macs)
        assert not [frame for frame in beside.receive_before(b"the end") if b"you" in frame], "a known MAC was flooded"


def test_two_vnis_with_the_same_addresses(control):
    family = FAMILIES["ipv4"]
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(joined(control, family, segments=("blue", "red")))
        inside = {}
        for name, vni in (("blue", 100), ("red", 200)):
            inside[name] = (stack.enter_context(pod(control, name, name, "10.1.0.1/24", mac=POD_MAC)),
                            stack.enter_context(station(kernel, family, vni, mac="02:00:00:00:00:02")))
        for here, there in inside.values():
            assert here.pings("10.1.0.2", deadline=10) and there.pings("10.1.0.1")
        inside["red"][1].add_addresses("net1", "10.1.0.9/24")
        assert inside["red"][0].pings("10.1.0.9")
        assert inside["blue"][0].echoes("10.1.0.9", deadline=1) == 0, "an address that only red has answered in blue"
        control.call("port.remove", name="blue")
        assert inside["blue"][1].echoes("10.1.0.1", deadline=1) == 0, "red's pod answered in blue"
        assert inside["red"][1].pings("10.1.0.1")


STRAYS = {  # what the stray's outer packet says: its VNI and whether its source is the tunnel's remote
    "unknown_vni": (999, True), "vni_not_attached": (200, True), "unknown_remote": (100, False)}


@pytest.mark.parametrize("reason", STRAYS)
@pytest.mark.parametrize("which", FAMILIES)
def test_the_underlay_is_not_trusted(control, which, reason):
    family, (vni, known) = FAMILIES[which], STRAYS[reason]
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(joined(control, family))
        kernel.add_addresses(FAR, [] if known else cidr(family, family.other))
        wires = {name: stack.enter_context(stack.enter_context(pod(control, name, name, silent=True)).wire()) for name in ("blue", "red")}
        stray = stack.enter_context(station(kernel, family, vni, None, local=family.peer if known else family.other, silent=True))
        # The kernel tells stations of one VNI apart by their remote, so the honest one comes when the stray has gone.
        with stray.wire() as wire:
            for _ in range(10):
                wire.send(ethernet(b"stray", "02:00:00:00:06:66"))
            until(lambda: dropped(control, reason) == 10, what=f"ten drops for {reason}")
        stray.ip("link", "del", "net1")
        honest = stack.enter_context(station(kernel, family, address=None, silent=True))
        with honest.wire() as wire:
            wire.send(ethernet(b"the end", "02:00:00:00:00:02"))
        assert wires["blue"].receive_before(b"the end") == []
        assert wires["red"].receive(0) == [], "blue's frame, or the stray, came out in red"
        assert [entry for entry in everything(control, "fdb.list") if entry["mac"] == "02:00:00:00:06:66"] == []


def test_a_remote_that_nobody_is(control):
    family = FAMILIES["ipv4"]
    with joined(control, family, segments=()), tunnel(control, "nobody", "vxlan", "192.0.2.77", ["blue"]), \
            blue_pod(control, family) as a:
        assert a.echoes("10.1.0.2", deadline=1) == 0
        until(lambda: dropped(control, "no_neighbor") > 0, 10, "a drop for want of a neighbour")
        assert control.call("tunnel.get", name="nobody")["state"]["resolved"] is False
