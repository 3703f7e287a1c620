# SPDX-License-Identifier: Apache-2.0
"""segment.verify: what it says of each pair in a closed segment is what becomes of frames that are really sent; who may ask; and
objects that are configured and not in force are told of."""
import contextlib
import ipaddress
import itertools
import os
import subprocess

import pytest
from lib.control import Refused
from lib.daemon import BUILD, running
from lib.frames import ethernet
from lib.netns import Namespace, pod
from lib.user import control_as
from lib.wait import until
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, Raw

NOT_FOUND, DENIED, PARAMS = -32001, -32006, -32602
NUMBERS = {"a": 1, "b": 2, "c": 3, "d": 4}
GROUPS = {"a": "web", "b": "db", "c": "probe"}  # and d is of none
PAIRS = list(itertools.permutations(NUMBERS, 2))


def mac(name):
    return f"02:00:00:00:05:{NUMBERS[name]:02x}"


def address(name):
    return f"10.5.0.{NUMBERS[name]}"


def rule(name, order, action="allow", **fields):
    return {"segment": "closed", "name": name, "order": order, "action": action, **fields}


RULES = [rule("sql", 10, protocol="tcp", dst_ports=["5432"], **{"from": {"groups": ["web"]}, "to": {"groups": ["db"]}}),
         rule("not-ours", 15, "deny", protocol="udp", **{"to": {"ips": [address("b") + "/32"]}}),
         rule("names", 20, protocol="udp", dst_ports=["53"], **{"from": {"groups": ["probe"]}}),
         rule("pings", 30, protocol="icmp", icmp_types=[8], **{"to": {"groups": ["web", "db"]}}),
         rule("odd", 40, ethertype="0x88b5", **{"from": {"macs": [mac("d")]}})]


def packet(sender, receiver, upper):
    return Ether(src=mac(sender), dst=mac(receiver)) / IP(src=address(sender), dst=address(receiver)) / upper


#: What is tried between each pair: the fields that an item of `allowed` can limit, and the frame.
PROBES = {
    "tcp 5432": ({"protocols": "tcp", "dst_ports": 5432}, lambda a, b: packet(a, b, TCP(sport=4000, dport=5432, flags="S"))),
    "tcp 80": ({"protocols": "tcp", "dst_ports": 80}, lambda a, b: packet(a, b, TCP(sport=4000, dport=80, flags="S"))),
    "udp 53": ({"protocols": "udp", "dst_ports": 53}, lambda a, b: packet(a, b, UDP(sport=4000, dport=53))),
    "ping": ({"protocols": "icmp", "icmp_types": 8}, lambda a, b: packet(a, b, ICMP(type=8, id=7))),
    "not IP": ({"ethertypes": "0x88b5"}, lambda a, b: ethernet(b"odd", mac(a), mac(b))),
}


def in_ranges(ranges, port):
    return any(int(one.split("-")[0]) <= port <= int(one.split("-")[-1]) for one in ranges)


def covers(item, probe, sender, receiver):
    """Whether an item of `allowed` is about a probe."""
    if "ethertypes" in probe:
        if "protocols" in item or "protocols_except" in item or "destinations" in item or "sources" in item:
            return False
        named = "ethertypes" not in item or probe["ethertypes"] in item["ethertypes"]
        return named and probe["ethertypes"] not in item.get("ethertypes_except", []) and mac_fits(item, sender)
    if not {"ipv4"} & set(item.get("ethertypes", ["ipv4"])) or "ipv4" in item.get("ethertypes_except", []):
        return False
    if probe["protocols"] not in item.get("protocols", [probe["protocols"]]) or probe["protocols"] in item.get("protocols_except", []):
        return False
    if "dst_ports" in item and not in_ranges(item["dst_ports"], probe.get("dst_ports", -1)):
        return False
    if "icmp_types" in item and probe.get("icmp_types") not in item["icmp_types"]:
        return False
    return mac_fits(item, sender) and address_fits(item.get("destinations"), address(receiver))


def mac_fits(item, sender):
    return mac(sender) in item.get("source_macs", [mac(sender)]) and mac(sender) not in item.get("source_macs_except", [])


def address_fits(ranges, one):
    """`ranges`: networks, or "first-last"; None: all."""
    if ranges is None:
        return True
    for text in ranges:
        if "-" in text:
            first, last = map(ipaddress.ip_address, text.split("-"))
        else:
            network = ipaddress.ip_network(text)
            first, last = network[0], network[-1]
        if first.version == 4 and first <= ipaddress.ip_address(one) <= last:
            return True
    return False


@pytest.fixture
def closed(switch, control):
    control.call("segment.add", name="closed", vni=300, default_policy="deny")
    for number, group in enumerate(sorted(set(GROUPS.values())), 1):
        control.call("group.add", segment="closed", name=group, id=number)
    for each in RULES:
        control.call("policy.add", **each)
    with contextlib.ExitStack() as stack:
        pods = {name: stack.enter_context(pod(control, name, "closed", silent=True, macs=[mac(name)], security="mac",
                                              **({"group": GROUPS[name]} if name in GROUPS else {}))) for name in NUMBERS}
        yield {name: stack.enter_context(each.wire()) for name, each in pods.items()}


def verify(control, **params):
    found = control.call("segment.verify", name="closed", **params)
    return {(pair["from"], pair["to"]): pair for pair in found["pairs"]}, found


def arrives(wires, sender, receiver, frame, number):
    """Whether a frame is there before one that no rule is asked about."""
    end = f"end {number:06}".encode()
    wires[sender].send(frame)
    wires[sender].send(Ether(src=mac(sender), dst=mac(receiver)) / ARP(op=1, hwsrc=mac(sender), psrc=address(sender)) / Raw(end))
    before = wires[receiver].receive_before(end)
    sent = bytes(frame)
    return any(came[:len(sent)] == sent for came in before)


def test_what_it_says_is_what_happens(closed, control):
    pairs, found = verify(control)
    assert sorted(pairs) == sorted(PAIRS)
    assert found["complete"] and found["cursor"] is None
    assert (found["attachments"], found["segment_differences"], found["waiting"], found["tunnels"]) == ([], [], [], [])
    number, passed = itertools.count(), 0
    for (sender, receiver), pair in pairs.items():
        assert pair["differences"] == [] and pair["allowed"] == pair["allowed_by_intent"]
        assert pair["reachable"] == pair["intended"] == bool(pair["allowed"]), pair
        for name, (probe, frame) in PROBES.items():
            said = any(covers(item, probe, sender, receiver) for item in pair["allowed"])
            assert arrives(closed, sender, receiver, frame(sender, receiver), next(number)) == said, (sender, receiver, name, pair)
            passed += said
    assert passed == 1 + 3 * 2 + 2 + 3  # sql; pings to a and b; names from c, but not to b; odd from d
    assert not pairs["b", "d"]["reachable"] and not pairs["a", "c"]["reachable"]


def test_answers_of_a_connection_are_no_way_back(closed, control):
    pairs, _ = verify(control)
    assert {item["rule"] for item in pairs["a", "b"]["allowed"]} == {"sql", "pings"}
    assert {item["rule"] for item in pairs["b", "a"]["allowed"]} == {"pings"}


def test_what_is_not_in_force_is_told(closed, control):
    with Namespace("late") as late:
        control.call("port.add", name="e", type="tap", netns=late.path, ifname="net1", segment="closed", group="web", macs=["02:00:00:00:05:05"])
    # Its namespace is gone, and with it the device.
    until(lambda: verify(control)[1]["attachments"], 10, "the switch to see it")
    pairs, found = verify(control, to="b")
    assert found["attachments"] == [{"attachment": "e", "differences": ["its port is not open"]}], found["attachments"]
    assert (pairs["e", "b"]["reachable"], pairs["e", "b"]["intended"]) == (False, True)
    difference = pairs["e", "b"]["differences"][0]
    assert difference["installed"]["why"] == "e: its port is not open" and difference["intended"]["action"] == "allow"
    control.call("policy.explain", segment="closed", fields=difference["fields"])  # they are as it takes them
    text = subprocess.run([BUILD / "bulkheadctl", "--socket", control.socket.getpeername(), "segment", "verify", "closed"], text=True,
                          capture_output=True, check=True).stdout
    assert text.startswith("FROM") and "DIFFERENCES BETWEEN WHAT IS INSTALLED AND WHAT WAS MEANT" in text, text
    assert "e: its port is not open" in text
    control.call("port.remove", name="e")
    assert verify(control)[1]["attachments"] == []


def test_page_by_page_and_by_its_ends(closed, control):
    seen, cursor = [], {}
    while cursor is not None:
        pairs, found = verify(control, limit=5, **cursor)
        assert len(pairs) <= 5
        seen += pairs
        cursor = {"cursor": found["cursor"]} if found["cursor"] else None
    assert seen == PAIRS
    assert sorted(verify(control, **{"from": "a"})[0]) == [("a", "b"), ("a", "c"), ("a", "d")]
    assert sorted(verify(control, **{"from": "a", "to": "c"})[0]) == [("a", "c")]


@pytest.mark.parametrize("params, code, field", [
    ({"name": "none"}, NOT_FOUND, "/name"), ({}, PARAMS, "/name"), ({"name": "closed", "from": "none"}, NOT_FOUND, "/from"),
    ({"name": "closed", "to": "elsewhere"}, PARAMS, "/to"), ({"name": "closed", "limit": 0}, PARAMS, "/limit"),
    ({"name": "closed", "cursor": "nonsense"}, PARAMS, "/cursor"), ({"name": "closed", "cursor": "a:x b"}, PARAMS, "/cursor"),
    ({"name": "closed", "colour": 1}, PARAMS, "/colour")])
def test_bad_questions(switch, control, params, code, field):
    control.call("segment.add", name="closed", vni=300)
    with pod(control, "elsewhere", "blue"), pytest.raises(Refused) as refusal:
        control.call("segment.verify", **params)
    assert (refusal.value.code, refusal.value.field) == (code, field), refusal.value


def test_a_tenant_asks_about_its_own():
    entry, tenant, viewer = 64000, 64001, 64002
    roles = [{"uid": tenant, "role": "tenant", "tenant": "acme"}, {"uid": viewer, "role": "viewer"}]
    with running(node={"roles": roles}) as daemon, daemon.control() as root, contextlib.ExitStack() as stack:
        daemon.folder.chmod(0o711)
        os.chown(daemon.socket, -1, entry)
        for name, vni, owner in (("closed", 100, "acme"), ("zeta-1", 200, "zeta")):
            root.call("segment.add", name=name, vni=vni, tenant=owner, default_policy="deny")
        for name in ("a", "b"):
            stack.enter_context(pod(root, name, "closed"))
        stack.enter_context(pod(root, "both", "closed", vlans=[{"vlan": 5, "segment": "zeta-1"}]))
        root.call("policy.add", segment="closed", name="door", order=1, action="redirect", to_port="both", protocol="tcp")
        control = stack.enter_context(control_as(daemon, tenant, tenant, (entry,)))
        pairs, found = verify(control)
        assert sorted(pairs) == [("a", "b"), ("b", "a")], "a port that is somebody else's, too, is not there for a tenant"
        assert "both" not in str(found) and "door" not in str(found)
        assert len(verify(root)[0]) == 6
        with pytest.raises(Refused) as refusal:
            control.call("segment.verify", name="zeta-1")
        assert refusal.value.code == NOT_FOUND
        looker = stack.enter_context(control_as(daemon, viewer, viewer, (entry,)))
        with pytest.raises(Refused) as refusal:
            verify(looker)
        assert refusal.value.code == DENIED
