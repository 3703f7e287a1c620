# SPDX-License-Identifier: Apache-2.0
"""What an attacker in a pod does to two others who talk to each other: nothing. Each attack says what it was dropped as, and how often."""
import collections
import contextlib
import random

import pytest
from lib.daemon import running
from lib.netns import pod
from lib.talk import Talk
from lib.wait import until
from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6, Raw

ALICE, BOB, MALLORY, CAROL = "alice", "bob", "mallory", "carol"
NUMBER = {ALICE: 1, BOB: 2, MALLORY: 3, CAROL: 4}
MAC = {name: f"02:00:00:00:03:0{number}" for name, number in NUMBER.items()}
V4 = {name: f"10.3.0.{number}" for name, number in NUMBER.items()}
V6 = {name: f"fd03::{number}" for name, number in NUMBER.items()}
BROADCAST = "ff:ff:ff:ff:ff:ff"
NOBODY = "10.3.0.200"  # answers nothing, so that what is half-open stays so
RED_VLAN = 20
RULES = [
    {"name": "alice-to-bob", "order": 1, "action": "allow", "from": {"groups": ["friends"]}, "to": {"groups": ["friends"]}, "protocol": "tcp",
     "dst_ports": ["7000"]},
    {"name": "ping", "order": 2, "action": "allow", "from": {"groups": ["friends"]}, "to": {"groups": ["friends"]}, "protocol": "icmp"},
    {"name": "ping6", "order": 3, "action": "allow", "from": {"groups": ["friends"]}, "to": {"groups": ["friends"]}, "protocol": "icmpv6"},
    # The attacker is not only kept out: there is something that it may do.
    {"name": "web", "order": 4, "action": "allow", "to": {"ips": [f"{V4[BOB]}/32", f"{NOBODY}/32"]}, "protocol": "tcp",
     "dst_ports": ["80"]},
]


def own(name):
    return {"macs": [MAC[name]], "ips": [f"{V4[name]}/24", f"{V6[name]}/64"]}


class Street:
    def __init__(self, control, spaces, wire):
        self.control, self.spaces, self.wire = control, spaces, wire

    def talk(self):
        return Talk(self.spaces[ALICE], self.spaces[BOB], V4[BOB])

    def received(self):
        return self.control.call("stats.get", port=MALLORY)["ports"][0]["rx_packets"]

    def drops(self):
        counter = collections.Counter()
        for row in self.control.call("drop.list", port=MALLORY, limit=1000)["items"]:
            counter[row["reason"]] += row["packets"]
        return counter

    def attack(self, frames):
        """Sends them all while the others talk; returns what became of them, by reason."""
        frames = [bytes(frame) for frame in frames]
        before, seen = self.drops(), self.received()
        with self.talk() as talk:
            for index, frame in enumerate(frames):
                self.wire.send(frame)
                if index % 256 == 255:  # no more than its queue holds
                    until(lambda: self.received() >= seen + index + 1, 10, "the switch to see them", pause=0.001)
                if index == len(frames) // 2:
                    talk.hears_more()
            until(lambda: self.received() >= seen + len(frames), 10, "the switch to see them all")
            talk.hears_more()
        return self.drops() - before


@contextlib.contextmanager
def street(policies=True, **mallory):
    """Alice and Bob, who may talk; Mallory, who is secured as told; and Carol, in another segment and with a VLAN."""
    with contextlib.ExitStack() as stack:
        switch = stack.enter_context(running())
        control = stack.enter_context(switch.control())
        control.call("segment.add", name="blue", vni=100, mac_limit=64, **({"default_policy": "deny"} if policies else {}))
        control.call("segment.add", name="red", vni=200)
        if policies:
            control.call("group.add", segment="blue", name="friends", id=1)
            for rule in RULES:
                control.call("policy.add", segment="blue", **rule)
        spaces = {}
        for name in (ALICE, BOB, MALLORY):
            fields = mallory if name == MALLORY else {"security": "strict", **({"group": "friends"} if policies else {})}
            # The attacker's own kernel says nothing: what is counted is the attack.
            addresses = [f"{V4[name]}/24"] if name == MALLORY else [f"{V4[name]}/24", f"{V6[name]}/64"]
            spaces[name] = stack.enter_context(pod(control, name, "blue", addresses, mac=MAC[name], silent=name == MALLORY,
                                                   **({} if fields.get("security") == "off" else own(name)), **fields))
        spaces[CAROL] = stack.enter_context(pod(control, CAROL, mac=MAC[CAROL], silent=True,
                                                vlans=[{"vlan": RED_VLAN, "segment": "red", "macs": [MAC[CAROL]]}]))
        assert spaces[ALICE].pings(V4[BOB]) and spaces[ALICE].pings(V6[BOB])
        yield Street(control, spaces, stack.enter_context(spaces[MALLORY].wire()))


@pytest.fixture(scope="module")
def strict():
    with street(security="strict") as place:
        yield place


def neighbours(space):
    """What a kernel believes, without those that it has asked for in vain."""
    lines = space.ip("neigh", "show", "dev", "net1").stdout.splitlines()
    return {line.split()[0]: line.split("lladdr ")[1].split()[0] for line in lines if "lladdr" in line}


def mallory(destination, **fields):
    return Ether(**{"src": MAC[MALLORY], "dst": destination, **fields})


def test_arp_spoofing(strict):
    lies = [mallory(BROADCAST) / ARP(op=op, hwsrc=MAC[MALLORY], psrc=V4[victim], pdst=V4[other])
            for op in (1, 2) for victim, other in ((ALICE, BOB), (BOB, ALICE)) for _ in range(100)]
    assert strict.attack(lies) == {"spoofed_arp": 400}
    for name in (ALICE, BOB):
        assert MAC[MALLORY] not in neighbours(strict.spaces[name]).values()
        assert V4[ALICE if name == BOB else BOB] in neighbours(strict.spaces[name])


def test_neighbor_discovery_spoofing(strict):
    lies = [mallory(MAC[other]) / IPv6(src=V6[source], dst=V6[other], hlim=255) / ICMPv6ND_NA(tgt=V6[victim], R=0, S=1, O=1) /
            ICMPv6NDOptDstLLAddr(lladdr=MAC[MALLORY]) for source in (MALLORY, None) for victim, other in ((ALICE, BOB), (BOB, ALICE))
            for source in [source or victim] for _ in range(100)]
    # From its own address it claims another's; from another's it does not come that far.
    assert strict.attack(lies) == {"spoofed_nd": 200, "spoofed_ip": 200}
    for name in (ALICE, BOB):
        assert MAC[MALLORY] not in neighbours(strict.spaces[name]).values()


def random_mac(source):
    return "06:" + ":".join(f"{source.randrange(256):02x}" for _ in range(5))


def mac_flood(count):
    source = random.Random(1)
    return [Ether(src=random_mac(source), dst=MAC[BOB], type=0x88B5) / Raw(bytes(46)) for _ in range(count)]


def learned(control):
    return [entry for entry in control.call("fdb.list", segment="blue", limit=1000)["items"] if not entry["static"]]


def test_mac_flooding(strict):
    assert strict.attack(mac_flood(5000)) == {"spoofed_mac": 5000}
    assert learned(strict.control) == []


def test_mac_flooding_where_any_address_may_be_used():
    with street(security="off") as place:
        assert place.attack(mac_flood(5000)) == {"policy_default": 5000}
        assert len(learned(place.control)) <= 64


def test_vlan_hopping(strict):
    inside = IP(src=V4[MALLORY], dst=V4[CAROL]) / UDP(dport=9) / Raw(b"hopped")
    with strict.spaces[CAROL].wire() as carol:
        hops = [mallory(MAC[CAROL]) / Dot1Q(vlan=RED_VLAN) / inside,
                mallory(MAC[CAROL]) / Dot1Q(vlan=1) / Dot1Q(vlan=RED_VLAN) / inside,
                mallory(MAC[CAROL], type=0x88A8) / Dot1Q(vlan=1) / Dot1Q(vlan=RED_VLAN) / inside,
                mallory(BROADCAST) / Dot1Q(vlan=RED_VLAN) / inside]
        assert strict.attack(hops * 100) == {"tagged_frame": 400}
        # Priority-tagged is untagged with a tag inside.
        assert strict.attack([mallory(MAC[CAROL]) / Dot1Q(vlan=0) / Dot1Q(vlan=RED_VLAN) / inside] * 100) == {"tagged_frame": 100}
        assert carol.receive(0) == []
    assert strict.spaces[CAROL].counter("net1", "rx_packets") == 0


def overlapping(number):
    """A SYN to where it may go, and a fragment that makes another segment of it: RFC 1858, section 3; and the tiny one of section 2."""
    def fragment(data, offset, more):
        return mallory(MAC[BOB]) / IP(src=V4[MALLORY], dst=V4[BOB], proto=6, id=number, flags="MF" if more else 0, frag=offset) / Raw(data)

    good = bytes(TCP(sport=4000 + number, dport=80, flags="S")) + bytes(12)
    bad = bytes(TCP(sport=4000 + number, dport=7000, flags="R"))
    return [fragment(good, 0, True), fragment(bad[8:], 1, False), fragment(bad[16:] + bytes(8), 2, False)]


def tiny(number):
    return mallory(MAC[BOB]) / IP(src=V4[MALLORY], dst=V4[BOB], proto=6, id=number, flags="MF") / Raw(bytes(TCP(sport=number, dport=80, flags="S"))[:8])


def test_fragment_overlap(strict):
    frames = [frame for number in range(1, 101) for frame in overlapping(number)] + [tiny(number) for number in range(1001, 1101)]
    with strict.spaces[BOB].wire() as bob:
        assert strict.attack(frames) == {"fragment_unjudged": 300}
        came = [frame for frame in bob.receive(0) if frame[6:12].hex(":") == MAC[MALLORY] and frame[12:14] == b"\x08\x00"]
    assert {int.from_bytes(frame[20:22], "big") & 0x1FFF for frame in came} == {0}, "a fragment that overlaps came through"
    assert len(came) == 100


def latest_of(place, name):
    """The TCP header of the last segment that `name` sent in the conversation, which nobody but Alice and Bob would see."""
    other = ALICE if name == BOB else BOB
    with place.spaces[other].wire() as wire:
        frame = wire.receive(5, lambda frame: frame[6:12].hex(":") == MAC[name] and frame[12:14] == b"\x08\x00" and frame[23] == 6, count=1)[0]
    return Ether(frame)[TCP]


def resets(place, distances):
    """Towards both ends, in the other's name."""
    frames = []
    for name, other in ((ALICE, BOB), (BOB, ALICE)):
        latest = latest_of(place, name)
        frames += [mallory(MAC[other]) / IP(src=V4[name], dst=V4[other]) / TCP(sport=latest.sport, dport=latest.dport, flags=flags, ack=latest.ack,
                                                                              seq=(latest.seq + distance) % (1 << 32))
                   for distance in distances for flags in ("R", "RA")]
    return frames


def injected(place, distances):
    """What becomes of resets of a conversation that is going on."""
    before, seen = place.drops(), place.received()
    with place.talk() as talk:
        frames = [bytes(frame) for frame in resets(place, distances)]
        for frame in frames:
            place.wire.send(frame)
        until(lambda: place.received() >= seen + len(frames), 10, "the switch to see them all")
        talk.hears_more(20)
    return place.drops() - before


FAR = [(1 << 32) * part // 64 for part in range(8, 57)]


def test_reset_injection_with_a_false_address(strict):
    assert injected(strict, [0, 64, *FAR]) == {"spoofed_ip": 4 * (2 + len(FAR))}


def test_blind_reset_injection_where_any_address_may_be_used():
    """The attacker knows the ports and not the window (RFC 5961, section 3)."""
    with street(security="off") as place:
        assert injected(place, FAR) == {"policy_default": 4 * len(FAR)}


def test_a_reset_that_fits_breaks_it_where_nothing_is_asked():
    """So that the others can fail: the same frames, no rules, and the right sequence numbers."""
    with street(policies=False, security="off") as place, pytest.raises(AssertionError, match="the connection broke"):
        injected(place, [number * 64 for number in range(200)])


def test_icmp_errors_about_a_connection_that_is_not_there(strict):
    quoted = bytes(IP(src=V4[BOB], dst=V4[ALICE]) / TCP(sport=7001, dport=1))[:28]
    frames = [mallory(MAC[BOB]) / IP(src=V4[MALLORY], dst=V4[BOB]) / ICMP(type=3, code=code) / Raw(quoted) for code in range(16) for _ in range(10)]
    assert strict.attack(frames) == {"policy_default": 160}


def test_syn_flood_from_false_addresses(strict):
    source = random.Random(3)
    flood = [mallory(MAC[BOB]) / IP(src=f"10.3.{source.randrange(1, 255)}.{source.randrange(1, 255)}", dst=V4[BOB]) / TCP(dport=80, flags="S")
             for _ in range(5000)]
    assert strict.attack(flood) == {"spoofed_ip": 5000}


def test_syn_flood_to_where_nobody_may(strict):
    flood = [mallory(MAC[ALICE]) / IP(src=V4[MALLORY], dst=V4[ALICE]) / TCP(sport=number + 1024, dport=7000, flags="S") for number in range(5000)]
    assert strict.attack(flood) == {"policy_default": 5000}


def test_syn_flood_to_where_one_may():
    """Its share of connections is what an attacker can fill; others open new ones meanwhile."""
    with street(security="strict", limits={"connections": 1000}) as place:
        flood = [mallory(MAC[BOB]) / IP(src=V4[MALLORY], dst=NOBODY) / TCP(sport=number + 1024, dport=80, flags="S") for number in range(5000)]
        with place.spaces[BOB].wire() as bob:
            dropped = place.attack(flood)
            came = [frame for frame in bob.receive(0) if frame[6:12].hex(":") == MAC[MALLORY] and frame[12:14] == b"\x08\x00"]
        # A new half-open one may take the place of an old one: how many are dropped is not said, only as what.
        assert set(dropped) <= {"connection_limit"}
        assert len(came) + dropped["connection_limit"] == 5000
        assert len(came) >= 1000
        with place.talk():  # a new connection
            pass
        assert place.spaces[ALICE].pings(V4[BOB])
