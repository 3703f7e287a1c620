# SPDX-License-Identifier: Apache-2.0
"""Rules with `log`: what is told of frames on the wire, to whom, and how often."""
import contextlib
import json
import os
import re

import pytest
from scapy.all import ICMP, IP, TCP, UDP, Dot1Q, Ether, IPv6, Raw

from lib.daemon import running
from lib.netns import pod
from lib.stations import BROADCAST
from lib.user import control_as
from lib.wait import until

MACS = {name: f"02:00:00:00:00:0{at}" for at, name in enumerate("abc", 1)}
ADDRESSES = {name: f"10.1.0.{at}" for at, name in enumerate("abc", 1)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
AT_ONCE, A_SECOND = 20 + 1, 10 + 1  # of a port, with what is of its rule alone: docs/policy.md


def frame(sender, receiver, upper, to=None):
    return Ether(src=MACS[sender], dst=to or MACS[receiver]) / IP(src=ADDRESSES[sender], dst=ADDRESSES[receiver]) / upper


def listener(switch):
    control = switch.control()
    control.call("events.subscribe", kinds=["policy.log"])
    return control


def add_rule(control, name, order, action, **fields):
    control.call("policy.add", segment="blue", name=name, order=order, action=action, **{"log": True, **fields})


def told(events):
    """The fields of the next event but its time and number, which are as they should be."""
    event = events.next_event("policy.log")
    assert TIME.fullmatch(event.pop("time")) and event.pop("seq") > 0 and event.pop("kind") == "policy.log"
    return event


@pytest.fixture
def scene(control, switch):
    """Pods a, b and c in blue, a wire into each, and who hears of the policy log."""
    with contextlib.ExitStack() as stack:
        wires = {}
        for name in MACS:
            space = stack.enter_context(pod(control, name, "blue", mac=MACS[name], silent=True, macs=[MACS[name]]))
            wires[name] = stack.enter_context(space.wire())
        yield wires, stack.enter_context(listener(switch))


def test_an_event_has_all_of_its_frame(control, scene):
    wires, events = scene
    add_rule(control, "no-ssh", 1, "deny", protocol="tcp", dst_ports=["22"])
    add_rule(control, "quiet", 2, "deny", protocol="tcp", dst_ports=["23"], log=False)
    add_rule(control, "ping", 3, "allow", protocol="icmp")
    add_rule(control, "web", 4, "allow", protocol="tcp", dst_ports=["80"])
    add_rule(control, "odd", 5, "deny", ethertype="0x88b5")
    add_rule(control, "no-v6", 6, "deny", ethertype="ipv6")
    common = {"segment": "blue", "port": "a", "source_mac": MACS["a"], "destination_mac": MACS["b"], "suppressed": 0}
    ends = {"ethertype": "ipv4", "source": ADDRESSES["a"], "destination": ADDRESSES["b"]}
    wires["a"].send(frame("a", "b", TCP(sport=4000, dport=23)))  # nobody is told of it
    wires["a"].send(frame("a", "b", TCP(sport=4000, dport=22, flags="S")))
    assert told(events) == {**common, **ends, "rule": "no-ssh", "action": "deny", "reason": "policy_denied", "protocol": "tcp",
                            "source_port": 4000, "destination_port": 22, "tcp_flags": "S", "length": 54}
    wires["a"].send(frame("a", "b", ICMP(type=8, id=9) / Raw(bytes(20))))
    assert told(events) == {**common, **ends, "rule": "ping", "action": "allow", "protocol": "icmp", "icmp_type": 8, "icmp_code": 0,
                            "length": 62}
    wires["a"].send(Ether(src=MACS["a"], dst=MACS["b"], type=0x88b5) / Raw(bytes(50)))
    assert told(events) == {**common, "rule": "odd", "action": "deny", "reason": "policy_denied", "ethertype": "0x88b5", "length": 64}
    wires["a"].send(Ether(src=MACS["a"], dst=MACS["b"]) / IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=5, dport=6))
    assert told(events) == {**common, "rule": "no-v6", "action": "deny", "reason": "policy_denied", "ethertype": "ipv6", "protocol": "udp",
                            "source": "fd00::1", "destination": "fd00::2", "source_port": 5, "destination_port": 6, "length": 62}
    # Of a connection its opening, and nothing more.
    for number in range(3):
        wires["a"].send(frame("a", "b", TCP(sport=4001, dport=80, flags="S", seq=7)))
        wires["b"].send(frame("b", "a", TCP(sport=80, dport=4001, flags="SA", seq=9, ack=8)))
    wires["a"].send(frame("a", "b", TCP(sport=4000, dport=22, flags="FPU")))
    assert told(events) == {**common, **ends, "rule": "web", "action": "allow", "protocol": "tcp", "source_port": 4001,
                            "destination_port": 80, "tcp_flags": "S", "length": 54}
    assert told(events)["tcp_flags"] == "FPU"
    assert not events.events
    for rule in ("no-ssh", "quiet", "ping", "web", "odd", "no-v6"):
        assert control.call("policy.get", segment="blue", name=rule)["state"]["packets"] >= 1


def test_a_trunk_ports_vlan_is_told(control, switch):
    with (pod(control, "b", "blue", silent=True), pod(control, "t", vlans=[{"vlan": 7, "segment": "blue"}]) as space,
          space.wire() as wire, listener(switch) as events):
        add_rule(control, "no-udp", 1, "deny", protocol="udp")
        wire.send(Ether(src=MACS["a"], dst=MACS["b"]) / Dot1Q(vlan=7) / IP(src=ADDRESSES["a"], dst=ADDRESSES["b"]) / UDP())
        event = told(events)
        assert (event["port"], event["vlan"], event["source"]) == ("t", 7, ADDRESSES["a"])


def test_a_flooded_frame_is_told_of_once(control, scene):
    wires, events = scene
    add_rule(control, "no-dhcp", 1, "deny", protocol="udp", dst_ports=["67"])
    with contextlib.ExitStack() as stack:
        for at in range(4):
            stack.enter_context(pod(control, f"more-{at}", "blue", silent=True))
        for number in range(3):
            wires["a"].send(frame("a", "b", UDP(sport=68 + number, dport=67), to=BROADCAST))
        assert [told(events)["source_port"] for _ in range(3)] == [68, 69, 70]
        wires["b"].send(frame("b", "a", UDP(sport=1, dport=67)))
        assert told(events)["port"] == "b" and not events.events
    assert control.call("policy.get", segment="blue", name="no-dhcp")["state"]["packets"] == 4


def test_a_flood_is_counted_and_hides_nobody(control, scene):
    wires, events = scene
    add_rule(control, "no-dns", 1, "deny", protocol="udp", dst_ports=["53"])
    rule = lambda: control.call("policy.get", segment="blue", name="no-dns")["state"]["packets"]
    flood = bytes(frame("a", "b", UDP(sport=4000, dport=53) / Raw(bytes(20))))
    goal = 100_000
    sent = 0
    while sent < goal:
        for _ in range(5000):
            wires["a"].send(flood)
        sent += 5000
        if sent == goal // 2:
            wires["c"].send(frame("c", "b", UDP(sport=77, dport=53)))
    count, seen = {"a": 0, "c": 0}, []
    # The TAP's queue may have dropped some before the switch saw them.
    until(lambda: rule() > 1000, 10)
    def all_told():
        with contextlib.suppress(TimeoutError):
            events.socket.settimeout(0.5)
            while True:
                seen.append(told(events))
        events.reader = events.socket.makefile("rb")
        return sum(event["suppressed"] + ("rule" in event) for event in seen) == rule()
    until(all_told, 10, "every frame to be told of or counted")
    for event in seen:
        count[event["port"]] += 1 if "rule" in event else 0
    of_c = [event for event in seen if event["port"] == "c"]
    assert [event["source_port"] for event in of_c] == [77] and of_c[0]["suppressed"] == 0, "the other port's is there"
    records = [event for event in seen if "rule" in event]
    print(f"{rule()} frames in {len(records)} records and {len(seen) - len(records)} sums")
    assert AT_ONCE <= count["a"] < 1000, "a flood of ten seconds would have made 130"
    assert sum(event["suppressed"] for event in seen) > rule() // 2


def test_tenants_hear_of_their_own(tmp_path):
    entry, acme, zeta = 64000, 64004, 64005
    roles = [{"uid": acme, "role": "tenant", "tenant": "acme"}, {"uid": zeta, "role": "tenant", "tenant": "zeta"}]
    with running(node={"roles": roles}) as switch, contextlib.ExitStack() as stack:
        switch.folder.chmod(0o711)
        os.chown(switch.socket, -1, entry)
        control = stack.enter_context(switch.control())
        for name, vni, tenant in (("acme-1", 100, "acme"), ("zeta-1", 200, "zeta")):
            control.call("segment.add", name=name, vni=vni, tenant=tenant)
            control.call("policy.add", segment=name, name="no-udp", order=1, action="deny", protocol="udp", log=True)
        hears = {uid: stack.enter_context(control_as(switch, uid, uid, (entry,))) for uid in (acme, zeta)}
        root = stack.enter_context(switch.control())
        for ears in (*hears.values(), root):
            ears.call("events.subscribe", kinds=["policy.log"])
        wires = {}
        for name, segment in (("a", "acme-1"), ("z", "zeta-1")):
            stack.enter_context(pod(control, f"{name}-peer", segment, silent=True))
            space = stack.enter_context(pod(control, name, segment, silent=True))
            wires[name] = stack.enter_context(space.wire())
        for name in ("a", "z", "a", "z"):
            wires[name].send(frame("a", "b", UDP()))
            root.next_event("policy.log")
        for uid, port, segment in ((acme, "a", "acme-1"), (zeta, "z", "zeta-1")):
            events = [told(hears[uid]) for _ in range(2)]
            assert {(event["port"], event["segment"]) for event in events} == {(port, segment)}


def test_the_daemons_log_has_it_as_an_object():
    with running(arguments=["--log-format", "json"]) as switch:
        with switch.control() as control:
            control.call("segment.add", name="blue", vni=1)
            add_rule(control, "no-udp", 1, "deny", protocol="udp")
            with (pod(control, "b", "blue", silent=True), pod(control, "a", "blue", silent=True) as space, space.wire() as wire,
                  listener(switch) as events):
                wire.send(frame("a", "b", UDP(sport=1, dport=2)))
                event = events.next_event("policy.log")
                space.ip("link", "set", "net1", "down")
                until(lambda: "port.down" in switch.log.read_text(), what="another event")
        lines = [json.loads(line) for line in switch.log.read_text().splitlines()]
        logged = [line for line in lines if line["message"] == "policy.log"]
        assert len(logged) == 1 and set(logged[0]) == {"time", "level", "message", "event"}
        assert logged[0]["event"] == {key: value for key, value in event.items() if key not in ("seq", "kind")}
        assert [line["event"] for line in lines if line["message"] == "port.down"] == [{"port": "a"}]
