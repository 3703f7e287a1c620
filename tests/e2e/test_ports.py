# SPDX-License-Identifier: Apache-2.0
"""Ports of every kind, joined with each other."""
import contextlib
import json

import pytest
from lib.cable import veth_port
from lib.control import Refused
from lib.daemon import running
from lib.frames import ethernet, read_pcap, write_pcap
from lib.netns import pod
from lib.tcp import MIB, transfer
from lib.wait import until

M1, M2, M3 = "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:01:03"


def state(control, port):
    return control.call("port.get", name=port)["state"]


def marked(payload):
    return lambda frame: payload in frame


def test_a_nic_by_af_packet_joins_taps(control):
    with pod(control, "a", "blue", "10.1.0.1/24") as a, veth_port(control, "nic", "blue", "10.1.0.2/24") as nic:
        assert a.pings("10.1.0.2") and nic.pings("10.1.0.1")
        nic_state = state(control, "nic")
        assert nic_state["status"] == "up" and nic_state["driver"] == "net_af_packet" and nic_state["link"]


def test_a_nic_carries_a_trunk(control):
    trunk = [{"vlan": 10, "segment": "blue"}, {"vlan": 20, "segment": "red"}]
    with pod(control, "a", "blue", silent=True) as a, pod(control, "r", "red", silent=True) as r, \
            veth_port(control, "nic", vlans=trunk, silent=True) as nic, \
            a.wire() as at_a, r.wire() as at_r, nic.wire("far") as at_nic:
        at_nic.send(ethernet(b"into red", M1, vlan=20))
        assert at_r.receive(5, marked(b"into red"), 1)[0][12:14] == b"\x88\xb5", "the tag was not popped"
        at_a.send(ethernet(b"from blue", M2))
        assert at_nic.receive(5, marked(b"from blue"), 1)[0][12:16] == b"\x81\x00\x00\x0a"
        at_nic.send(ethernet(b"into blue", M3, vlan=10))
        assert not any(map(marked(b"into red"), at_a.receive_before(b"into blue")))


def test_a_null_port_swallows_and_gives(control):
    with pod(control, "a", "blue", silent=True) as a, a.wire() as wire:
        control.call("port.add", name="null", type="ethdev", devargs="net_null0,no-rx=1", segment="blue")
        for _ in range(100):
            wire.send(ethernet(b"into the void", M1))
        until(lambda: state(control, "null")["tx_packets"] == 100, what="the frames")
        control.call("port.remove", name="null")


def test_a_file_plays_into_pods_and_a_file_records(control, switch):
    played, recorded = switch.folder / "in.pcap", switch.folder / "out.pcap"
    frames = [ethernet(f"frame {number}".encode(), M1) for number in range(500)]
    write_pcap(played, frames)
    with pod(control, "a", "blue", silent=True) as a, a.wire() as wire:
        control.call("port.add", name="file", type="ethdev", devargs=f"net_pcap0,rx_pcap={played},tx_pcap={recorded}", segment="blue")
        assert wire.receive(5, count=500) == frames
        answer = ethernet(b"answer", M2, M1)
        wire.send(answer)
        until(lambda: state(control, "file")["tx_packets"] == 1, what="the answer")
        control.call("port.remove", name="file")
        assert read_pcap(recorded) == [answer]


def test_a_device_can_be_removed_and_added_again(control):
    """The same devargs a dozen times: nothing of the device is left behind that would refuse the next."""
    with pod(control, "a", "blue", "10.1.0.1/24") as a, veth_port(control, "nic", "blue", "10.1.0.2/24") as nic:
        devargs = control.call("port.get", name="nic")["devargs"]
        for _ in range(12):
            control.call("port.remove", name="nic")
            control.call("port.add", name="nic", type="ethdev", devargs=devargs, segment="blue")
        assert a.pings("10.1.0.2") and nic.pings("10.1.0.1")
        with pytest.raises(Refused) as refused:
            control.call("port.add", name="twin", type="ethdev", devargs=devargs, segment="blue")
        assert refused.value.field == "/devargs"


def test_a_device_that_cannot_be_is_refused_and_leaves_nothing(control):
    for devargs in ("net_af_packet_none,iface=no-such-device", "net_no_such_driver0", "net_pcap0,rx_pcap=/no/such/file"):
        with pytest.raises(Refused) as refused:
            control.call("port.add", name="bad", type="ethdev", devargs=devargs, segment="blue")
        assert refused.value.field == "/devargs", devargs
    assert control.call("port.list")["items"] == []


def test_a_tap_can_be_removed_and_added_again(control):
    with pod(control, "a", "blue", "10.1.0.1/24") as a, pod(control, "b", "blue", "10.1.0.2/24") as b:
        b.ip("address", "flush", "dev", "net1")
        control.call("port.remove", name="b")
        assert "net1" not in b.ip("-j", "link").stdout, "the pod's interface outlives its port"
        control.call("port.add", name="b", type="tap", netns=b.path, ifname="net1", segment="blue")
        b.ip("address", "add", "10.1.0.2/24", "dev", "net1")
        assert a.pings("10.1.0.2")


def test_two_workers_share_a_taps_queues():
    with running(node={"cores": "0,1"}) as switch, switch.control() as control:
        control.call("segment.add", name="blue", vni=100)
        with pod(control, "a", "blue", "10.1.0.1/24", queues=2) as a, pod(control, "b", "blue", "10.1.0.2/24", queues=2) as b:
            for name in ("a", "b"):
                assert sorted(queue["worker"] for queue in state(control, name)["queues"]) == [0, 1]
            # The kernel chooses a queue by a hash over the flow: some of these come by each.
            for _ in range(16):
                transfer(a, b, "10.1.0.2", MIB)
            assert all(worker["received"] > 0 for worker in control.call("stats.get")["workers"])


def test_the_queue_plan_can_be_overridden():
    with running(node={"cores": "0,1"}) as switch, switch.control() as control:
        control.call("segment.add", name="blue", vni=100)
        with pod(control, "a", "blue", "10.1.0.1/24", queues=4, workers=[1]) as a, pod(control, "b", "blue", "10.1.0.2/24"):
            assert state(control, "a")["queues"] == [{"queue": queue, "worker": 1} for queue in range(4)]
            control.call("port.set", name="a", workers=[1, 0])
            assert [queue["worker"] for queue in state(control, "a")["queues"]] == [1, 0, 1, 0]
            assert a.pings("10.1.0.2")
            with pytest.raises(Refused) as refused:
                control.call("port.set", name="a", workers=[2])
            assert refused.value.field.startswith("/workers")


@pytest.mark.parametrize("mtu", [1280, 1500, 9000])
def test_the_mtu_of_a_segment(control, mtu):
    control.call("segment.set", name="blue", mtu=mtu)
    with pod(control, "a", "blue", "10.1.0.1/24") as a, pod(control, "b", "blue", "10.1.0.2/24") as b:
        assert json.loads(a.ip("-j", "link", "show", "net1").stdout)[0]["mtu"] == mtu
        assert echoes_of(a, mtu - 28, "10.1.0.2") == 1
        # The pod thinks that more would do: the switch knows better.
        for namespace in (a, b):
            namespace.ip("link", "set", "net1", "mtu", str(mtu + 8))
        assert echoes_of(a, mtu - 27, "10.1.0.2") == 0
        assert control.call("drop.list", port="a", reason="mtu_exceeded")["items"][0]["packets"] >= 1
        assert echoes_of(a, mtu - 28, "10.1.0.2") == 1


def echoes_of(namespace, size, address):
    """Of one ping with so many bytes, in one piece."""
    return namespace.echoes(address, "-M", "do", "-s", str(size), count=1, deadline=1)


def test_the_mtu_of_a_segment_changes_live(control):
    with pod(control, "a", "blue", "10.1.0.1/24") as a, pod(control, "b", "blue", "10.1.0.2/24"):
        assert echoes_of(a, 8972, "10.1.0.2") == 0
        control.call("segment.set", name="blue", mtu=9000)
        assert echoes_of(a, 8972, "10.1.0.2") == 1, "addresses and frames of 9000 bytes are there"
        control.call("segment.set", name="blue", mtu=1500)
        assert echoes_of(a, 8972, "10.1.0.2") == 0 and echoes_of(a, 1472, "10.1.0.2") == 1


def test_an_mtu_that_a_nic_does_not_take_is_refused(control):
    with veth_port(control, "nic", "blue"):
        with pytest.raises(Refused) as refused:
            control.call("segment.set", name="blue", mtu=9000)
        assert 'port "nic"' in refused.value.message and "MTU" in refused.value.message
        assert refused.value.data["got"] == "9000" and refused.value.data["allowed"] == "46 to 1500"
        assert control.call("segment.get", name="blue")["mtu"] == 1500
        assert state(control, "nic")["status"] == "up"


def test_a_vlan_is_translated_between_trunks(control):
    with contextlib.ExitStack() as stack:
        access = stack.enter_context(pod(control, "access", "blue", silent=True))
        ten = stack.enter_context(pod(control, "ten", vlans=[{"vlan": 10, "segment": "blue"}, {"vlan": 11, "segment": "red"}], silent=True))
        twenty = stack.enter_context(pod(control, "twenty", vlans=[{"vlan": 20, "segment": "blue"}], silent=True))
        at = {name: stack.enter_context(namespace.wire()) for name, namespace in (("access", access), ("ten", ten), ("twenty", twenty))}
        at["ten"].send(ethernet(b"by ten", M1, vlan=[(0x8100, 5 << 13 | 10)]))
        assert at["access"].receive(5, marked(b"by ten"), 1)[0][12:14] == b"\x88\xb5"
        assert at["twenty"].receive(5, marked(b"by ten"), 1)[0][12:16] == b"\x81\x00\xa0\x14", "VLAN 20, and the priority it had"
        at["access"].send(ethernet(b"answer", M2, M1))
        assert at["ten"].receive(5, marked(b"answer"), 1)[0][12:16] == b"\x81\x00\x00\x0a"
        at["ten"].send(ethernet(b"for red", M3, vlan=11))
        at["ten"].send(ethernet(b"the end", M3, vlan=10))
        for name in ("access", "twenty"):
            assert not any(map(marked(b"for red"), at[name].receive_before(b"the end"))), name


def test_a_tag_that_is_to_stay_stays(control):
    with pod(control, "a", "blue", tagged="carry", silent=True) as a, pod(control, "b", "blue", tagged="carry", silent=True) as b, \
            pod(control, "c", "blue", silent=True) as c, a.wire() as at_a, b.wire() as at_b, c.wire() as at_c:
        at_a.send(ethernet(b"of my own", M1, vlan=[77, 78]))
        assert at_b.receive(5, marked(b"of my own"), 1) == [ethernet(b"of my own", M1, vlan=[77, 78])]
        at_c.send(ethernet(b"not mine", M2, vlan=77))
        until(lambda: control.call("drop.list", port="c", reason="tagged_frame")["items"], what="the drop")
        at_c.send(ethernet(b"the end", M2))
        assert not any(map(marked(b"not mine"), at_b.receive_before(b"the end")))
        at_a.send(ethernet(b"the end", M1))
        assert at_c.receive_before(b"the end") == []


def test_isolated_ports_talk_only_to_others(control):
    with contextlib.ExitStack() as stack:
        pods = {name: stack.enter_context(pod(control, name, "blue", f"10.1.0.{number}/24", isolated=name != "router"))
                for number, name in enumerate(("router", "x", "y"), 1)}
        assert pods["x"].pings("10.1.0.1") and pods["y"].pings("10.1.0.1") and pods["router"].pings("10.1.0.2")
        assert pods["x"].echoes("10.1.0.3", deadline=1) == 0
        control.call("port.set", name="y", isolated=False)
        assert pods["x"].pings("10.1.0.3")


def test_link_state_of_a_pod_is_seen(control, switch):
    with pod(control, "a", "blue") as a, switch.control() as events:
        events.call("events.subscribe", kinds=["port.up", "port.down"])
        a.ip("link", "set", "net1", "down")
        down = events.next_event("port.down")
        assert down["port"] == "a" and not state(control, "a")["link"]
        a.ip("link", "set", "net1", "up")
        assert events.next_event("port.up")["port"] == "a" and state(control, "a")["link"]


def test_a_pod_that_is_down_counts_its_drops(control):
    with pod(control, "a", "blue", silent=True) as a, pod(control, "b", "blue", silent=True, macs=[M2]) as b, a.wire() as wire:
        b.ip("link", "set", "net1", "down")
        for _ in range(10):
            wire.send(ethernet(b"anybody home?", M1, M2))
        until(lambda: sum(row["packets"] for row in control.call("drop.list", port="b", reason="link_down")["items"]) == 10, what="drops")
