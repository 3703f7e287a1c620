# SPDX-License-Identifier: Apache-2.0
"""Rules of ours as nftables has them, and a kernel that judges by them: a second opinion on what docs/policy.md says.

What is not the same, and how it is made the same:
- nftables tracks a connection whoever let its first packet pass. Here only stateful rules mark it, and only what is marked passes by
  its state.
- Another tracking zone for each set of rules: none knows the connections of one before.
- ARP and Neighbor Discovery are no exception there: they are not among what is judged."""
import contextlib
import os
import struct

from .dialogues import LEFT, NETWORKS, RIGHT, address, number_of, other, packet
from .netns import Namespace
from .wait import until

MARK = 1
INSIDE = {LEFT: "l1", RIGHT: "r1"}
OUTSIDE = {LEFT: "l0", RIGHT: "r0"}
ROUTER = {LEFT: "02:00:00:00:0f:01", RIGHT: "02:00:00:00:0f:02"}
REQUESTS = {4: "icmp type { echo-request, timestamp-request }", 6: "icmpv6 type echo-request"}
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132}
LAST = b"this is the last of them"


def any_of(items):
    return "{ " + ", ".join(str(item) for item in items) + " }"


def devices(end):
    """A group is all that is on one side, and is named after it."""
    return any_of(f'"{INSIDE[group]}"' for group in end["groups"])


def of_family(end, version):
    return [text for text in end["ips"] if (":" in text) == (version == 6)]


def ends(rule, version):
    """The clauses about who talks to whom; None where none of that IP version can."""
    clauses = []
    for key, which, device in (("from", "saddr", "iifname"), ("to", "daddr", "oifname")):
        end = rule.get(key, {})
        if "groups" in end:
            clauses.append(f"{device} {devices(end)}")
        if "macs" in end:
            clauses.append(f"ether {which} {any_of(end['macs'])}")
        if "ips" in end:
            networks = of_family(end, version)
            if not networks:
                return None
            clauses.append(f"{'ip6' if version == 6 else 'ip'} {which} {any_of(networks)}")
    return clauses


def upper(rule, version):
    """The clauses about protocol, ports and types."""
    clauses = []
    if "protocol" in rule:
        clauses.append(f"meta l4proto {PROTOCOLS.get(rule['protocol'], rule['protocol'])}")
    clauses += [f"th {which} {any_of(rule[key])}" for key, which in (("src_ports", "sport"), ("dst_ports", "dport")) if key in rule]
    if "icmp_types" in rule:
        clauses.append(f"{'icmp' if version == 4 else 'icmpv6'} type {any_of(rule['icmp_types'])}")
    return clauses


def of_other_version(rule, version):
    return rule.get("ethertype", f"ipv{version}") != f"ipv{version}" or rule.get("protocol") == ("icmpv6" if version == 4 else "icmp")


def opening(rule, version):
    """What a stateful rule lets through as the first packet of a connection, one of these."""
    begins = {"tcp": "tcp flags & (fin | syn | rst | ack) == syn ct state new", "icmp": REQUESTS[version], "icmpv6": REQUESTS[version]}
    if "protocol" in rule:
        return [begins.get(rule["protocol"], "")]
    return [begins["tcp"], REQUESTS[version], "meta l4proto != { tcp, icmp, icmpv6 }"]


def translated(rule):
    """The rule as lines of nftables, each for one IP version."""
    lines = []
    for version in (4, 6):
        clauses = None if of_other_version(rule, version) else ends(rule, version)
        if clauses is None:
            continue
        clauses = [f"meta nfproto ipv{version}", *clauses, *upper(rule, version)]
        if rule["action"] == "deny":
            lines.append(" ".join([*clauses, "drop"]))
        elif not rule.get("stateful", True):
            lines.append(" ".join([*clauses, "accept"]))
        else:
            lines += [" ".join([*clauses, first, f"ct mark set {MARK} accept"]) for first in opening(rule, version)]
    return lines


def in_order(rules):
    return sorted(rules, key=lambda rule: (rule["order"], rule["name"]))


def stateful_table(default, rules, zone):
    lines = [line for rule in in_order(rules) for line in translated(rule)]
    return f"""
flush ruleset
table inet judge {{
    chain zones {{ type filter hook prerouting priority -300; ct zone set {zone}; }}
    chain forwarded {{
        type filter hook forward priority 0; policy {"accept" if default == "allow" else "drop"};
        meta l4proto 254 accept
        ct mark {MARK} ct state established,related accept
        {chr(10).join(lines)}
    }}
}}
"""


def bridged(rule):
    """The same of a rule without state, in a bridge."""
    verdict = "drop" if rule["action"] == "deny" else "accept"
    kind = rule.get("ethertype")
    if isinstance(kind, int):
        return [" ".join([f"ether type {kind:#06x}", *ends(rule, 0), verdict])]
    speaks_of_ip = kind or "protocol" in rule or any("ips" in rule.get(end, {}) for end in ("from", "to"))
    if not speaks_of_ip:
        return [" ".join([*ends(rule, 0), verdict])]
    lines = []
    for version, name in ((4, "ip"), (6, "ip6")):
        clauses = None if of_other_version(rule, version) else ends(rule, version)
        if clauses is not None:
            lines.append(" ".join([f"ether type {name}", *clauses, *upper(rule, version), verdict]))
    return lines


def bridge_table(default, rules, _):
    lines = [line for rule in in_order(rules) for line in bridged(rule)]
    return f"""
flush ruleset
table bridge judge {{
    chain forwarded {{
        type filter hook forward priority 0; policy {"accept" if default == "allow" else "drop"};
        ether type arp accept
        {chr(10).join(lines)}
    }}
}}
"""


class Kernel:
    """A namespace that forwards between two veths by nftables, and the two far ends."""

    def __init__(self, space, wires, table):
        self.space, self.wires, self.table, self.zone = space, wires, table, 0

    def judge(self, default, rules, turns):
        """The numbers of the packets that pass. `turns`: lists of them, in their order."""
        self.zone += 1
        self.space.run("nft", "-f", "-", input=self.table(default, rules, self.zone))
        with one_cpu():  # what is sent later is forwarded later, on whichever side
            for turn in turns:
                for sent in turn:
                    self.wires[sent.side].send(self.addressed(sent.frame, sent.side))
            for side in self.wires:
                self.wires[side].send(self.last(side))
        passed = set()
        for side in self.wires:
            passed |= {number_of(frame) for frame in self.wires[side].receive_before(LAST)}
        return passed & {sent.number for turn in turns for sent in turn}

    def addressed(self, frame, side):
        raise NotImplementedError

    def last(self, side):
        raise NotImplementedError


class Router(Kernel):
    def addressed(self, frame, side):
        return bytes.fromhex(ROUTER[side].replace(":", "")) + frame[6:]

    def last(self, side):
        inside = packet(address(side, 250, 4), address(other(side), 250, 4), 254, LAST, 0)
        return self.addressed(bytes.fromhex("020000000e01" * 2) + b"\x08\x00" + inside, side)


class Bridge(Kernel):
    def addressed(self, frame, side):
        return frame

    def last(self, side):
        return b"\xff" * 6 + bytes([2, 0, 0, 0, 14, 1 if side == LEFT else 2]) + struct.pack("!H", 0x0806) + LAST.ljust(46, b"\0")


@contextlib.contextmanager
def one_cpu():
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


@contextlib.contextmanager
def kernel(kind):
    """`kind`: Router or Bridge."""
    with contextlib.ExitStack() as stack:
        far = stack.enter_context(Namespace("far"))
        far.silence()
        space = stack.enter_context(Namespace("judge"))
        if kind is Bridge:
            space.silence()
        for side in (LEFT, RIGHT):
            far.ip("link", "add", OUTSIDE[side], "txqueuelen", "20000", "type", "veth", "peer", INSIDE[side], "address", ROUTER[side], "netns", space.name)
            far.ip("link", "set", OUTSIDE[side], "up")
        (route if kind is Router else bridge)(space)
        for side in (LEFT, RIGHT):
            space.ip("link", "set", INSIDE[side], "up")
        wires = {side: stack.enter_context(far.wire(OUTSIDE[side])) for side in (LEFT, RIGHT)}
        if kind is Router:
            add_routes(space)
        else:
            until(lambda: is_forwarding(space), 5, "the bridge to forward")
        yield kind(space, wires, stateful_table if kind is Router else bridge_table)


def route(space):
    space.run("sysctl", "-q", "-w", "net.netfilter.nf_conntrack_tcp_loose=0", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
              "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.core.netdev_max_backlog=20000",
              check=False)
    for side in (LEFT, RIGHT):
        space.ip("link", "set", INSIDE[side], "arp", "off")  # nobody there answers


def add_routes(space):
    for side in (LEFT, RIGHT):
        for network in NETWORKS[side].values():
            space.ip("route", "add", network, "dev", INSIDE[side])


def bridge(space):
    space.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    for side in (LEFT, RIGHT):
        space.ip("link", "set", INSIDE[side], "master", "br0")
    space.ip("link", "set", "br0", "up")


def is_forwarding(space):
    return all(space.run("cat", f"/sys/class/net/br0/brif/{device}/state").stdout.strip() == "3" for device in INSIDE.values())
