# SPDX-License-Identifier: Apache-2.0
"""A NIC that is the switch's and the node's own: what is not for the switch passes between the cable and a host TAP."""
import contextlib
import json

import pytest
from lib.cable import FAR, Cable, mac_of
from lib.control import Refused
from lib.daemon import running
from lib.netns import Namespace, pod
from lib.overlay import FAMILIES, cidr
from lib.peers.kernel import KernelPeer
from lib.tcp import MIB, bad_checksums, iperf_bytes, transfer
from lib.wait import until
from scapy.all import ARP, IP, UDP, Dot1Q, Ether, Raw

TAP = "bh-host0"
HOST = {"ipv4": "192.0.2.11", "ipv6": "2001:db8::11"}
MTU = {"ipv4": 1450, "ipv6": 1430}
MARK = b"the last of them"


class Shared:
    """A node whose kernel has its addresses on the host TAP, and the kernel at the far end of its cable."""

    def __init__(self, space, daemon, far, cable):
        self.space, self.daemon, self.far, self.cable = space, daemon, far, cable
        self.mac = mac_of(space, cable.near)

    def host_tap(self):
        with self.daemon.control() as control:
            return control.call("underlay.get", name="u0")["state"]["host_tap"]


@contextlib.contextmanager
def shared(which):
    family = FAMILIES[which]
    with contextlib.ExitStack() as stack:
        space = stack.enter_context(Namespace("node"))
        far = stack.enter_context(KernelPeer())
        cable = stack.enter_context(Cable(far, space))
        # This end's kernel sees what the switch receives: without a NIC of the switch's alone it must not take it twice.
        space.run("sysctl", "-q", "-w", f"net.ipv4.conf.{cable.near}.rp_filter=1")
        far.connect(cidr(family, family.peer))
        config = {"segments": [{"name": "blue", "vni": 100, "mtu": MTU[which]}],
                  "ports": [{"name": "uplink0", "type": "ethdev", "devargs": cable.devargs}]}
        daemon = stack.enter_context(running(config=config, wrapper=["nsenter", f"--net={space.path}"]))
        with daemon.control() as control:
            control.call("underlay.add", name="u0", port="uplink0", addresses=cidr(family, family.switch), host_tap=TAP)
            control.call("tunnel.add", name="kernel", type="vxlan", underlay="u0", remote=family.peer, segments=["blue"])
        space.add_addresses(TAP, f"{HOST[which]}/{family.length}")
        yield Shared(space, daemon, far, cable)


def shown(node):
    return json.loads(node.space.ip("-j", "address", "show", TAP).stdout)[0]


@pytest.mark.parametrize("which", FAMILIES)
def test_host_and_tunnel_share_the_nic(which):
    family = FAMILIES[which]
    with shared(which) as node, node.daemon.control() as control:
        assert shown(node)["address"] == node.mac and shown(node)["mtu"] == 1500 and "UP" in shown(node)["flags"]
        assert node.space.pings(family.peer, deadline=10) and node.far.pings(HOST[which])
        assert node.far.pings(family.switch), "the switch's own address"
        transfer(node.space, node.far, family.peer, 4 * MIB)
        transfer(node.far, node.space, HOST[which], 4 * MIB)
        assert iperf_bytes(node.space, node.far, family.peer) > MIB
        with pod(control, "a", "blue", "10.1.0.1/24", mtu=MTU[which]) as a, \
                node.far.station(100, family.peer, family.switch, "10.1.0.2/24", mtu=MTU[which]) as b:
            assert a.pings("10.1.0.2", deadline=10)
            transfer(a, b, "10.1.0.2", 4 * MIB)
            transfer(b, a, "10.1.0.1", 4 * MIB)
        assert bad_checksums(node.space) == bad_checksums(node.far) == {}
        state = node.host_tap()
        assert (state["status"], state["reason"]) == ("up", None)
        assert min(state["rx_packets"], state["tx_packets"]) > 100


def test_full_sized_packets_pass():
    """Whole ones: net_af_packet has fragments put together by the kernel, into more than a frame of its own holds."""
    with shared("ipv4") as node:
        assert node.far.pings(HOST["ipv4"], "-M", "do", "-s", "1472", deadline=10)
        assert node.space.pings(FAMILIES["ipv4"].peer, "-M", "do", "-s", "1472")


@pytest.mark.parametrize("which", FAMILIES)
def test_each_address_is_answered_once(which):
    family = FAMILIES[which]
    with shared(which) as node:
        for address in (family.switch, HOST[which]):
            assert node.far.pings(address, deadline=10)
            report = node.far.run("ping", "-n", "-c", "5", "-i", "0.05", address).stdout
            assert "5 received" in report and "duplicates" not in report and "DUP" not in report


def to_node(node, destination=None):
    return Ether(src=mac_of(node.far), dst=destination or node.mac)


def test_what_comes_to_the_tap():
    family = FAMILIES["ipv4"]
    with shared("ipv4") as node, node.space.wire(TAP) as tap, node.far.wire(FAR) as wire:
        udp = lambda address, port: IP(src=family.peer, dst=address) / UDP(sport=4000, dport=port) / Raw(b"x" * 40)
        frames = {
            "an address of its own": (to_node(node) / udp(HOST["ipv4"], 4789), True),
            "no port of a tunnel": (to_node(node) / udp(family.switch, 53), True),
            "a tunnel's port": (to_node(node) / udp(family.switch, 4789), False),
            "another VLAN": (to_node(node) / Dot1Q(vlan=77, prio=5) / udp("198.51.100.1", 9), True),
            "another protocol": (Ether(src=mac_of(node.far), dst=node.mac, type=0x88b5) / Raw(b"y" * 46), True),
            "a group": (to_node(node, "01:00:5e:00:00:fb") / udp("224.0.0.251", 5353), True),
            "another station": (to_node(node, "02:00:00:00:77:77") / udp(HOST["ipv4"], 53), False),
            "a question for the switch's address": (to_node(node) / ARP(op=1, psrc=family.peer, pdst=family.switch), False),
        }
        for frame, _ in frames.values():
            wire.send(frame)
        wire.send(Ether(src=mac_of(node.far), dst=node.mac, type=0x88b5) / Raw(MARK + b"z" * 46))
        seen = tap.receive_before(MARK)
        for case, (frame, passes) in frames.items():
            whole = bytes(frame)
            arrived = [got for got in seen if got[:len(whole)] == whole]
            assert len(arrived) == passes, f"{case}: {seen}"


def test_a_tagged_frame_leaves_as_it_is():
    with shared("ipv4") as node, node.space.wire(TAP) as tap, node.far.wire(FAR) as wire:
        frame = bytes(Ether(src=node.mac, dst=mac_of(node.far)) / Dot1Q(vlan=77, prio=5, type=0x88b5) / Raw(b"tagged" * 10))
        tap.send(frame)
        assert wire.receive(5, lambda got: got == frame, count=1)


def test_the_interface_outlives_the_daemon():
    with shared("ipv4") as node:
        def identity():
            """Whether an address is still tentative (RFC 4862, section 5.4) is a matter of time, not of the switch."""
            interface = shown(node)
            return interface["ifindex"], [{key: value for key, value in address.items() if key != "tentative"}
                                          for address in interface["addr_info"]]

        before = identity()
        node.daemon.kill()
        assert identity() == before
        node.daemon.start()
        until(lambda: node.host_tap()["status"] == "up", 10, "the host TAP")
        assert identity() == before
        assert node.far.pings(HOST["ipv4"], deadline=10)


def test_it_comes_and_goes_with_the_configuration():
    with shared("ipv4") as node, node.daemon.control() as control:
        interfaces = lambda: node.space.ip("-o", "link").stdout
        assert TAP in interfaces()
        control.call("underlay.set", name="u0", host_tap="bh-other")
        assert TAP not in interfaces() and "bh-other" in interfaces()
        control.call("underlay.set", name="u0", host_tap="")
        assert "bh-other" not in interfaces() and node.host_tap() is None
        node.space.ip("link", "add", "taken", "type", "bridge")
        with pytest.raises(Refused) as refusal:
            control.call("underlay.set", name="u0", host_tap="taken")
        assert refusal.value.data["field"] == "/host_tap" and "taken" in refusal.value.data["got"]
        # Whoever deletes it gets it back.
        control.call("underlay.set", name="u0", host_tap=TAP)
        index = shown(node)["ifindex"]
        node.space.ip("link", "del", TAP)
        until(lambda: TAP in interfaces() and node.host_tap()["status"] == "up", 15, "a new host TAP")
        assert shown(node)["ifindex"] != index
