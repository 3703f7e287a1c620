# SPDX-License-Identifier: Apache-2.0
"""events.subscribe: what happens is told to those who asked, in order, and a slow reader learns that it missed some."""
import re
import socket

import pytest
from scapy.all import Ether, Raw

from lib.control import Control, Refused
from lib.netns import Namespace, pod

MAC = "02:00:00:00:00:77"


@pytest.fixture
def listener(switch):
    with switch.control() as listener:
        yield listener


def broadcast(source, payload=b"hello"):
    return Ether(src=source, dst="ff:ff:ff:ff:ff:ff", type=0x88b5) / Raw(payload)


def test_addresses_learned_and_moved(control, listener):
    with pod(control, "p1", "blue") as one, pod(control, "p2", "blue") as two, one.wire() as first, two.wire() as second:
        listener.call("events.subscribe", kinds=["mac.learned", "mac.moved"])
        first.send(broadcast(MAC))
        mine = lambda kind: next_about(listener, kind, mac=MAC)
        event = mine("mac.learned")
        assert (event["segment"], event["port"]) == ("blue", "p1")
        second.send(broadcast(MAC))
        event = mine("mac.moved")
        assert (event["segment"], event["port"], event["from_port"]) == ("blue", "p2", "p1")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"]), event["time"]


def next_about(listener, kind, **fields):
    while True:
        event = listener.next_event(kind)
        if all(event[name] == value for name, value in fields.items()):
            return event


def test_the_limit_of_a_segment_is_told(control, listener):
    control.call("segment.set", name="blue", mac_limit=2)
    with pod(control, "p1", "blue") as one, one.wire() as wire:
        listener.call("events.subscribe", kinds=["mac.limit"])
        for number in range(8):
            wire.send(broadcast(f"02:00:00:00:01:{number:02x}"))
        event = listener.next_event("mac.limit")
        assert (event["segment"], event["port"]) == ("blue", "p1")


def test_changes_are_told_to_others_too(control, listener):
    listener.call("events.subscribe", kinds=["config.changed"])
    answer = control.call("config.apply", owner="me", config={"version": 1, "segments": [{"name": "a", "vni": 1}, {"name": "b", "vni": 2}]})
    event = listener.next_event("config.changed")
    assert (event["generation"], event["changes"]) == (answer["generation"], answer["changes"])
    control.call("config.apply", owner="me", config={"version": 1}, dry_run=True)
    with pytest.raises(Refused):
        control.call("segment.remove", name="nowhere")
    answer = control.call("segment.set", name="a", mtu=1400)
    event = listener.next_event("config.changed")
    assert event["generation"] == answer["generation"], "what changes nothing is no event"
    assert event["changes"] == [{"op": "set", "kind": "segment", "name": "a"}]


def test_a_link_that_the_pod_takes_down_and_up(control, listener):
    """Told without anybody asking for the port's state."""
    with pod(control, "p1", "blue") as one:
        listener.call("events.subscribe", kinds=["port.up", "port.down"])
        one.ip("link", "set", "net1", "down")
        assert listener.next_event("port.down")["port"] == "p1"
        one.ip("link", "set", "net1", "up")
        assert listener.next_event("port.up")["port"] == "p1"


def test_a_device_that_the_pod_deletes_waits_and_comes_back(control, listener):
    with pod(control, "p1", "blue", "10.4.0.1/24") as one, pod(control, "p2", "blue", "10.4.0.2/24"):
        listener.call("events.subscribe", kinds=["port.waiting", "port.opened"])
        one.ip("link", "delete", "net1")
        assert listener.next_event("port.waiting")["port"] == "p1"
        assert listener.next_event("port.opened")["port"] == "p1"
        one.ip("address", "add", "10.4.0.1/24", "dev", "net1")
        assert one.pings("10.4.0.2")


def test_a_pod_that_goes_is_let_go_and_its_successor_joins(control, listener):
    """The kernel keeps a namespace while a TAP of it is open, so the switch must notice by the name."""
    with pod(control, "p2", "blue", "10.4.0.2/24"):
        namespace = Namespace("mortal")
        listener.call("events.subscribe", kinds=["port.waiting", "port.opened"])
        with namespace:
            control.call("port.add", name="p1", type="tap", netns=namespace.path, ifname="net1", segment="blue")
        assert listener.next_event("port.waiting")["port"] == "p1"
        assert control.call("port.get", name="p1")["state"]["status"] == "waiting"
        with namespace:
            assert listener.next_event("port.opened")["port"] == "p1"
            namespace.ip("address", "add", "10.4.0.1/24", "dev", "net1")
            assert namespace.pings("10.4.0.2")
            control.call("port.remove", name="p1")


def test_numbers_have_no_gap_and_kinds_are_kept_apart(control, switch):
    with switch.control() as all_kinds, switch.control() as only_ports:
        first = all_kinds.call("events.subscribe")["seq"]
        only_ports.call("events.subscribe", kinds=["port.opened"])
        for i in range(50):
            control.call("segment.set", name="blue", mtu=1000 + i)
        numbers = [all_kinds.next_event()["seq"] for _ in range(50)]
        assert numbers == list(range(first + 1, first + 51))
        only_ports.call("system.get")
        assert only_ports.events == []
        all_kinds.call("events.unsubscribe")
        control.call("segment.set", name="blue", mtu=1400)
        all_kinds.call("system.get")
        assert all_kinds.events == []


def test_a_slow_reader_is_told_how_much_it_lost(switch):
    """It reads nothing while far more happens than the switch keeps for it; then it hears everything up to the gap, how
    wide that is, and what comes after."""
    slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(str(switch.socket))
    big = [{"version": 1, "segments": [{"name": f"s{i}", "vni": 1000 + i, "mtu": mtu} for i in range(500)]} for mtu in (1400, 1401)]
    with Control(connected=slow) as reader, switch.control() as busy:
        reader.call("events.subscribe", kinds=["config.changed"])
        count = 80  # of some 25 kB each, where 1 MiB is kept
        for i in range(count):
            busy.call("config.apply", owner="me", config=big[i % 2])
        heard, last = 0, 0
        while (event := reader.next_event())["kind"] != "lost":
            assert event["seq"] == last + 1 or last == 0
            heard, last = heard + 1, event["seq"]
        assert heard > 0 and event["count"] > 0
        assert heard + event["count"] == count
        busy.call("segment.set", name="s0", mtu=1300)
        assert reader.next_event()["changes"] == [{"op": "set", "kind": "segment", "name": "s0"}]


def test_subscribers_that_hang_up_are_forgotten(switch, control):
    for _ in range(50):
        with switch.control() as fleeting:
            fleeting.call("events.subscribe")
    for i in range(20):
        control.call("segment.set", name="blue", mtu=1200 + i)
    assert switch.alive()
