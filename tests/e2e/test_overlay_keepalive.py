# SPDX-License-Identifier: Apache-2.0
"""A tunnel's keepalive: BFD with another node of ours, with Open vSwitch, and with a kernel that knows nothing of it."""
import contextlib
import itertools
import json
import signal
import time

import pytest
from lib.cable import FAR, Cable, mac_of, nic
from lib.netns import Namespace
from lib.nodes import two_nodes
from lib.overlay import FAMILIES, blue_pod, cidr, dropped, everything, plugged_into, tunnel, underlay
from lib.peers.kernel import KernelPeer
from lib.peers.ovs import OvsPeer
from lib.tshark import complaints, dissect, fields
from lib.wait import best_of_three, until
from scapy.all import UDP, Ether

KINDS = ("vxlan", "geneve")
INTERVAL_MS = 200
DETECTION_S = 3 * INTERVAL_MS / 1000
MARGIN_S = 0.3  # to end a process, to wake two control threads on a machine that is shared, and to tell us
BFD = (3784).to_bytes(2, "big")


def alive(control, name):
    return control.call("tunnel.get", name=name)["state"]["alive"]


def comes_up(control, name):
    return until(lambda: alive(control, name), 15, "the session") is True


def is_keepalive(frame):
    """By the inner UDP header, which every tunnel's keepalive ends with: 8 octets of it, and 24 of BFD."""
    return len(frame) > 32 and frame[-30:-28] == BFD


def agreed(peer):
    """Both have told each other their pace, which they do not before they are up: a few keepalives at it have passed."""
    with peer.wire(FAR) as wire:
        assert len(wire.receive(20, is_keepalive, count=8)) == 8


@contextlib.contextmanager
def listening(daemon):
    """Events of tunnels."""
    with daemon.control() as listener:
        listener.call("events.subscribe", kinds=["tunnel.up", "tunnel.down"])
        yield listener


@contextlib.contextmanager
def joined(switch, control, kind, which, **fields):
    """Open vSwitch at the far end of a tunnel with a keepalive, its own BFD on and of the same pace."""
    family = FAMILIES[which]
    # Its BFD has no segment: a port of many keys says it in none, which is VNI 0.
    with OvsPeer() as ovs, Cable(ovs) as cable, plugged_into(control, cable, ovs, family), listening(switch) as listener, \
            tunnel(control, "ovs", kind, family.peer, ["blue"], keepalive_ms=INTERVAL_MS, **fields), \
            ovs.station(kind, "flow", family.peer, family.switch):
        ovs.vsctl("set", "Interface", "tunnel", "bfd:enable=true", f"bfd:min_tx={INTERVAL_MS}", f"bfd:min_rx={INTERVAL_MS}")
        yield ovs, listener


def state_at(ovs):
    return ovs.vsctl("get", "Interface", "tunnel", "bfd_status:state").strip()


@pytest.mark.parametrize("kind, which", itertools.product(KINDS, FAMILIES))
def test_open_vswitch_lives_and_dies(switch, control, kind, which):
    with joined(switch, control, kind, which) as (ovs, listener):
        assert comes_up(control, "ovs")
        assert listener.next_event()["kind"] == "tunnel.up"
        until(lambda: state_at(ovs) == "up", 10, "Open vSwitch's session")
        agreed(ovs)
        assert control.call("tunnel.get", name="ovs")["state"]["drops"] == 0
        ovs.switch.send_signal(signal.SIGSTOP)
        ended = time.monotonic()
        event = listener.next_event()
        took = time.monotonic() - ended
        assert (event["kind"], event["tunnel"], event["remote"]) == ("tunnel.down", "ovs", FAMILIES[which].peer)
        assert alive(control, "ovs") is False
        assert took <= DETECTION_S + MARGIN_S
        ovs.switch.send_signal(signal.SIGCONT)
        assert listener.next_event()["kind"] == "tunnel.up"


@pytest.mark.parametrize("kind", KINDS)
def test_open_vswitch_sees_us_die_and_come_back(switch, control, kind):
    with joined(switch, control, kind, "ipv4") as (ovs, listener):
        until(lambda: state_at(ovs) == "up", 15, "Open vSwitch's session")
        assert comes_up(control, "ovs")
        before = control.call("tunnel.get", name="ovs")
        control.call("tunnel.remove", name="ovs")
        # The database tells of it, late as it may, within the second after.
        until(lambda: state_at(ovs) == "down", DETECTION_S + 2, "Open vSwitch's word of our end", pause=0.05)
        before.pop("state")
        control.call("tunnel.add", **before)
        assert comes_up(control, "ovs")
        until(lambda: state_at(ovs) == "up", 10, "Open vSwitch's session")


def test_open_vswitch_is_told_that_we_stop_listening(switch, control):
    with joined(switch, control, "vxlan", "ipv4") as (ovs, listener):
        until(lambda: state_at(ovs) == "up", 15, "Open vSwitch's session")
        assert comes_up(control, "ovs")
        control.call("tunnel.set", name="ovs", keepalive_ms=0)
        assert alive(control, "ovs") is None
        diagnostic = lambda: ovs.vsctl("get", "Interface", "tunnel", "bfd_status:diagnostic")
        until(lambda: state_at(ovs) == "down" and "Neighbor Signaled" in diagnostic(), 10, "Open vSwitch's word")


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_that_is_killed_is_seen_and_seen_again(kind):
    with two_nodes(kind, keepalive_ms=INTERVAL_MS) as (here, there), listening(here.daemon) as listener:
        assert comes_up(here.control, "peer") and comes_up(there.control, "peer")

        def dies():
            agreed(there.space)
            assert alive(listener, "peer") is True  # and whatever was told before is read
            listener.events.clear()
            there.daemon.kill()
            ended = time.monotonic()
            event = listener.next_event("tunnel.down")
            took = time.monotonic() - ended
            assert event["tunnel"] == "peer" and alive(here.control, "peer") is False
            there.daemon.start()
            assert listener.next_event()["kind"] == "tunnel.up" and alive(here.control, "peer") is True
            return took

        assert best_of_three(dies, DETECTION_S + MARGIN_S) <= DETECTION_S + MARGIN_S


def test_another_pace_is_agreed_on_without_a_lapse(switch, control):
    with joined(switch, control, "vxlan", "ipv4") as (ovs, listener):
        assert comes_up(control, "ovs") and listener.next_event()["kind"] == "tunnel.up"
        for pause in (1000, 100, 300):
            control.call("tunnel.set", name="ovs", keepalive_ms=pause)
            until(lambda: f"RX Interval: Approx {max(pause, INTERVAL_MS)}ms" in ovs.appctl("bfd/show"), 10, "the pace")
            agreed(ovs)
        assert alive(listener, "ovs") is True and listener.events == []
        assert 'flap_count="1"' in ovs.vsctl("get", "Interface", "tunnel", "bfd_status"), "a change of pace is no death"


@pytest.mark.parametrize("options", [(), ("udpcsum",)], ids=["zero-checksum", "checksum"])
def test_a_kernel_that_does_not_know_it_is_unharmed(switch, control, options):
    family = FAMILIES["ipv4"]
    with KernelPeer() as kernel, Cable(kernel) as cable, plugged_into(control, cable, kernel, family), listening(switch) as listener, \
            tunnel(control, "kernel", "vxlan", family.peer, ["blue"], keepalive_ms=50, udp_checksum=bool(options)), \
            blue_pod(control, family) as a, kernel.station(100, family.peer, family.switch, "10.1.0.2/24", mtu=1450, options=options) as b, \
            kernel.wire(FAR) as wire:
        assert a.pings("10.1.0.2", deadline=10) and b.pings("10.1.0.1")
        seen = wire.receive(15, is_keepalive, count=4)
        assert len(seen) == 4, "it is asked, once a second"
        assert alive(control, "kernel") is None
        assert a.pings("10.1.0.2")
        state = control.call("tunnel.get", name="kernel")["state"]
        assert state["drops"] == 0
        shown = b.run("ip", "-s", "-j", "link", "show", "net1").stdout
        assert all(counted["errors"] == 0 for counted in json.loads(shown)[0]["stats64"].values())
        assert alive(listener, "kernel") is None and listener.events == []


@pytest.mark.parametrize("kind, which, checksum", itertools.product(KINDS, FAMILIES, (False, True)))
def test_wireshark_has_nothing_to_say(control, kind, which, checksum):
    family = FAMILIES[which]
    control.call("segment.set", name="blue", mtu=1430)
    with Namespace("far") as space, contextlib.ExitStack() as stack:
        space.silence()
        cable = stack.enter_context(Cable(space))
        stack.enter_context(nic(control, "uplink0", cable))
        wire = stack.enter_context(space.wire(FAR))
        stack.enter_context(underlay(control, cidr(family, family.switch), neighbors=[{"ip": family.peer, "mac": mac_of(space)}]))
        stack.enter_context(tunnel(control, "far", kind, family.peer, ["blue"], keepalive_ms=100, udp_checksum=checksum, dscp="copy"))
        frames = wire.receive(15, is_keepalive, count=2)
        assert len(frames) == 2
        inner = Ether(frames[0][-66:])
        assert inner.dst == "00:00:5e:00:52:02" and inner[UDP].sport >= 49152
        for packet in dissect(frames, f"udp.ignore_ipv6_zero_checksum:{str(not checksum).upper()}"):
            assert complaints(packet) == []
            assert fields(packet, "bfd.version") == ["1"] and fields(packet, "bfd.detect_time_multiplier") == ["3"]
            assert fields(packet, "bfd.sta") == ["0x01"] and fields(packet, "bfd.your_discriminator") == ["0x00000000"]
            assert fields(packet, "bfd.desired_min_tx_interval") == ["1000000"]
            assert fields(packet, "bfd.required_min_rx_interval") == ["100000"]
            assert fields(packet, "ip.ttl")[-1] == "255" and fields(packet, "ip.dst")[-1] == "127.0.0.1"
            assert fields(packet, f"{kind}.vni") in (["0"], ["0x000000"])
            if kind == "geneve":
                assert fields(packet, "geneve.flags.oam") == ["1"]
        control.call("tunnel.set", name="far", keepalive_ms=0)
        assert everything(control, "tunnel.list")[0]["state"]["alive"] is None
        assert dropped(control, "no_neighbor") == 0
