# SPDX-License-Identifier: Apache-2.0
"""What NICs do by flow rules, on the simulated one: what it accepts it does, what it refuses software does, and both is said."""
import contextlib
import time

import pytest
from lib.cable import FAR, Cable, mac_of
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import Namespace, pod
from lib.overlay import FAMILIES, cidr, everything, tunnel, underlay
from lib.simnic import Telemetry, driver, needs_simnic
from lib.wait import until
from scapy.all import IP, UDP, Ether, Raw
from scapy.layers.vxlan import VXLAN

pytestmark = needs_simnic

POD, STATION = "02:00:00:00:00:01", "02:00:00:00:00:02"
FAMILY = FAMILIES["ipv4"]
BURST = 20


class Rig:
    """A pod of blue (VNI 100) and one of red (200), a NIC, and a bare wire to the node that their tunnel leads to."""

    def __init__(self, control, inside, other, outside, near_mac, far_mac):
        self.control, self.inside, self.other, self.outside = control, inside, other, outside
        self.near_mac, self.far_mac = near_mac, far_mac

    def outer(self, vni, payload, source=FAMILY.peer):
        inner = Ether(src=STATION, dst=POD, type=0x88b5) / Raw(payload)
        return (Ether(src=self.far_mac, dst=self.near_mac) / IP(src=source, dst=FAMILY.switch) / UDP(sport=50000, dport=4789, chksum=0) /
                VXLAN(flags=8, vni=vni) / inner)

    def send(self, vni, count=BURST, payload=b"something to carry", **fields):
        for number in range(count):
            self.outside.send(bytes(self.outer(vni, payload + b" %d" % number, **fields)))

    def arrived(self, wire, vni, **fields):
        """What the pod got of what was sent so far."""
        self.outside.send(bytes(self.outer(vni, b"the end of it", **fields)))
        return [frame for frame in wire.receive_before(b"the end of it") if frame[12:14] == b"\x88\xb5"]

    def rules(self, **filters):
        return everything(self.control, "offload.list", **filters)

    def rule(self, vni):
        return next(rule for rule in self.rules() if rule["vni"] == vni)

    def settled(self, count, status="installed"):
        until(lambda: sum(rule["status"] == status for rule in self.rules()) == count, 10, f"{count} rules {status}")

    def worker(self):
        return self.control.call("stats.get", worker=0)["workers"][0]

    def counted(self, vni):
        """In hardware; looked at once a second."""
        return self.rule(vni)["packets"]


@contextlib.contextmanager
def rig(nic="profile=mlx5", queues=1, segments=("blue", "red"), eal_args=(), **port):
    with driver() as path, running(node={"eal_args": ["-d", path, *eal_args]}) as switch, switch.control() as control, \
            contextlib.ExitStack() as stack:
        for name, vni in (("blue", 100), ("red", 200), ("green", 300)):
            control.call("segment.add", name=name, vni=vni, mtu=1430)
        space = stack.enter_context(Namespace("far"))
        space.silence()
        cable = stack.enter_context(Cable(space, nic=nic))
        control.call("port.add", name="uplink0", type="ethdev", devargs=cable.devargs, queues=queues, **port)
        far = mac_of(space)
        stack.enter_context(underlay(control, cidr(FAMILY, FAMILY.switch), neighbors=[{"ip": FAMILY.peer, "mac": far}]))
        stack.enter_context(tunnel(control, "far", "vxlan", FAMILY.peer, list(segments)))
        pods = [stack.enter_context(pod(control, name, segment, mac=POD, silent=True)) for name, segment in (("a", "blue"), ("b", "red"))]
        wires = [stack.enter_context(namespace.wire()) for namespace in pods]
        outside = stack.enter_context(space.wire(FAR))
        near = control.call("port.get", name="uplink0")["state"]["mac"]
        yield Rig(control, *wires, outside, near, far)
        control.call("port.remove", name="a")
        control.call("port.remove", name="b")


@pytest.mark.parametrize("profile, rules", [("mlx5", 3), ("ice", 3), ("bnxt", 3), ("sfc", 2)])
def test_what_the_nic_has_matched_needs_no_look_up(profile, rules):
    """The last of these has no priorities, so it can't drop what no other rule wants."""
    with rig(f"profile={profile}") as it:
        it.settled(rules)
        before = it.worker()["marked"]
        it.send(100), it.send(200)
        assert len(it.arrived(it.inside, 100)) == BURST and len(it.arrived(it.other, 200)) == BURST
        assert it.worker()["marked"] - before == 2 * (BURST + 1)
        assert it.worker()["stale_marks"] == 0
        # Parity: hardware and software have counted the same.
        until(lambda: (it.counted(100), it.counted(200)) == (BURST + 1, BURST + 1), 5, "the NIC's counters")
        got = it.control.call("offload.get", port="uplink0")
        assert got["packets"] == got["tunnels_rx_packets"] == 2 * (BURST + 1)
        assert got["driver"] == "net_simnic" and got["reason"] is None


def test_what_the_nic_refuses_software_does():
    with rig("profile=mlx5,faults=(refuse_create=1000000)") as it:
        it.settled(3, "refused")
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST
        assert it.worker()["marked"] == 0
        got = it.control.call("offload.get", port="uplink0")
        assert got["steering"] is None and got["rules"] == {"installed": 0, "refused": 3, "waiting": 0, "leaving": 0}
        assert [rung["accepted"] for rung in got["ladder"]] == [False] * 4
        assert {rung["words"] for rung in got["ladder"]} == {"the device refused the flow rule"} == {it.rule(100)["reason"]}


@pytest.mark.parametrize("profile, queues, steering", [("mlx5", 1, "queue"), ("mlx5", 4, "inner_rss"), ("ice", 4, "outer_rss"),
                                                       ("bnxt", 1, "outer_rss")])
def test_steps_down_to_what_the_nic_can_do(profile, queues, steering):
    with rig(f"profile={profile}", queues=queues) as it:
        it.settled(3)
        got = it.control.call("offload.get", port="uplink0")
        assert got["steering"] == {"fate": steering, "counts": True}
        assert all(rung["words"] for rung in got["ladder"] if not rung["accepted"])
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST
        assert it.worker()["marked"] == BURST + 1


def test_off_means_off():
    with rig(flow_offload="off") as it:
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST
        assert it.worker()["marked"] == 0 and it.rules() == []
        assert it.control.call("offload.get", port="uplink0")["reason"] == "flow_offload is off"


def test_other_vnis_are_dropped_by_the_nic_until_they_are_ours():
    with rig() as it:
        it.settled(3)
        dropped = it.control.call("stats.get", port="uplink0")["ports"][0]["drops"].get("vni_not_attached", 0)
        it.send(300), it.send(999)
        it.arrived(it.inside, 100)
        until(lambda: it.counted(None) == 2 * BURST, 5, "the count of the NIC's drops")
        assert it.control.call("stats.get", port="uplink0")["ports"][0]["drops"].get("vni_not_attached", 0) == dropped
        it.control.call("port.set", name="b", segment="green")
        it.control.call("tunnel.set", name="far", segments=["blue", "red", "green"])
        # From the reply on: nothing is dropped that the change lets in.
        it.send(300)
        assert len(it.arrived(it.other, 300)) == BURST
        it.settled(4)
        it.send(999)
        until(lambda: it.counted(None) == BURST, 5, "the count of the NIC's drops")


def test_what_a_full_table_has_no_room_for_comes_in_later():
    with rig("profile=mlx5,table=1") as it:
        it.settled(1)
        it.settled(1, "refused")
        assert [rule["reason"] for rule in it.rules() if rule["status"] == "refused"] == ["no space left for flow rules"]
        it.send(100), it.send(200)
        assert len(it.arrived(it.inside, 100)) == BURST and len(it.arrived(it.other, 200)) == BURST
        it.control.call("tunnel.set", name="far", segments=["red"])
        until(lambda: it.rule(200)["status"] == "installed", 10, "room for the other one")
        it.send(200)
        assert len(it.arrived(it.other, 200)) == BURST


def test_a_segment_that_is_gone_is_left_at_once():
    """Whatever the NIC still says of its frames: it takes half a second to forget a rule."""
    with rig("profile=mlx5,faults=(destroy_delay_us=500000)") as it:
        it.settled(3)
        it.send(200)
        assert len(it.arrived(it.other, 200)) == BURST
        it.control.call("tunnel.set", name="far", segments=["blue"])
        it.send(200)
        assert it.arrived(it.inside, 100) == []
        assert it.other.receive(0) == [], "frames of one queue are handled in order, so these would be here"
        assert it.worker()["stale_marks"] == BURST
        until(lambda: {rule["vni"] for rule in it.rules()} == {100, None}, 10, "the end of the rule")


def test_a_nic_that_does_not_let_go_holds_up_no_change():
    with rig("profile=mlx5,faults=(fail_destroy=100)") as it:
        it.settled(0, "leaving")
        started = time.monotonic()
        it.control.call("tunnel.set", name="far", segments=["blue", "red", "green"])
        it.control.call("port.set", name="b", segment="green")
        assert time.monotonic() - started < 4
        it.send(300)
        assert len(it.arrived(it.other, 300)) == BURST


def test_probes_anew_when_asked():
    with rig(queues=4) as it:
        it.settled(3)
        got = it.control.call("offload.probe", port="uplink0")
        assert [rung["accepted"] for rung in got["ladder"]] == [True]
        it.settled(3)
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST


def test_an_mtu_that_opens_the_nic_anew_keeps_its_rules():
    with rig() as it:
        it.settled(3)
        it.control.call("underlay.set", name="u0", mtu=1490)
        it.settled(3)
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST


@pytest.mark.parametrize("fault", ["reset", "lose_rules"])
def test_rules_that_are_lost_come_back(fault):
    telemetry = Telemetry()
    with rig(eal_args=telemetry.eal_args) as it:
        it.settled(3)
        it.control.call("events.subscribe", kinds=["offload.lost"])
        device = it.control.call("port.get", name="uplink0")["devargs"].split(",")[0]
        telemetry.fault(device, fault, 1)
        # Meanwhile software does the work.
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST
        lost = it.control.next_event("offload.lost")
        assert lost["port"] == "uplink0" and lost["rules"] == 3
        until(lambda: telemetry.ask(f"/simnic/state,{device}")["/simnic/state"]["rules"] == 3, 10, "the rules' return")
        before = it.worker()["marked"]
        it.send(200)
        assert len(it.arrived(it.other, 200)) == BURST
        assert it.worker()["marked"] - before == BURST + 1


def test_a_mark_of_a_former_rule_is_not_believed():
    telemetry = Telemetry()
    with rig(eal_args=telemetry.eal_args) as it:
        it.settled(3)
        device = it.control.call("port.get", name="uplink0")["devargs"].split(",")[0]
        telemetry.fault(device, "wrong_marks", BURST)
        it.send(100)
        assert len(it.arrived(it.inside, 100)) == BURST
        assert it.worker()["stale_marks"] == BURST
