# SPDX-License-Identifier: Apache-2.0
"""docs/policy.md once more, as short as it can be said: rules and a table of connections that give a verdict on a frame. A third
opinion beside the switch and nftables. It knows no time, no limits, and nothing of port security."""
import ipaddress

from .policy_packet import (ACK, ARP, ERRORS, FIN, ICMP, ICMPV6, IPV4, IPV6, NAMES, PORTED, PSH, QUESTIONS, RST, SYN, TCP, UDP, URG, Packet, Unreadable,
                            ipv4, ipv6, parse)

DENIED, DEFAULT, FRAGMENT, UNREADABLE = "policy_denied", "policy_default", "fragment_unjudged", "unreadable_headers"
ETHERTYPES = {"ipv4": IPV4, "ipv6": IPV6, "arp": ARP}
#: Those that can be together, beside PSH and URG; all others exclude each other.
POSSIBLE_FLAGS = (SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK)
NEAR = 1 << 20  # of a window, for the model: frames of the tests are well inside or far outside


def in_ranges(number, ranges):
    return any(int(first) <= number <= int(last or first) for first, _, last in (text.partition("-") for text in ranges))


def end_matches(end, group, address, mac):
    if "groups" in end and group not in end["groups"]:
        return False
    if "ips" in end and not (address and any(ipaddress.ip_address(address) in network(text) for text in end["ips"])):
        return False
    return "macs" not in end or mac in end["macs"]


_networks = {}


def network(text):
    if text not in _networks:
        _networks[text] = ipaddress.ip_network(text, strict=False)
    return _networks[text]


def protocol_of(rule):
    return NAMES.get(rule.get("protocol"), rule.get("protocol"))


def matches(rule, packet, from_group, to_group):
    """But for state."""
    if not end_matches(rule.get("from", {}), from_group, packet.src, packet.source):
        return False
    if not end_matches(rule.get("to", {}), to_group, packet.dst, packet.destination):
        return False
    if "ethertype" in rule and ETHERTYPES.get(rule["ethertype"], rule["ethertype"]) != packet.ethertype:
        return False
    if "protocol" in rule and protocol_of(rule) != packet.protocol:
        return False
    for index, key in enumerate(("src_ports", "dst_ports")):
        if key in rule and not (packet.protocol in PORTED and in_ranges(packet.ports[index], rule[key])):
            return False
    return "icmp_types" not in rule or packet.is_icmp and packet.icmp[0] in rule["icmp_types"]


def names(rule, packet):
    """Whether the rule names this frame of ARP or Neighbor Discovery."""
    if packet.ethertype == ARP:
        return ETHERTYPES.get(rule.get("ethertype"), rule.get("ethertype")) == ARP
    return protocol_of(rule) == ICMPV6 and packet.icmp[0] in rule.get("icmp_types", ())


class Connection:
    def __init__(self, packet):
        self.opener = sides(packet)[0]
        self.next = {}  # of TCP: what the side sends next
        self.finished = set()
        self.established = False
        self.reset_by = None

    def can_have(self, packet):
        """Whether this segment, of its addresses and ports, can be part of it."""
        if packet.protocol in QUESTIONS and packet.is_icmp:
            return (packet.icmp[0] in QUESTIONS[packet.protocol]) == (sides(packet)[0] == self.opener)
        if packet.protocol != TCP:
            return True
        if packet.flags & ~(PSH | URG) not in POSSIBLE_FLAGS:
            return False
        side, other = sides(packet)
        if not packet.flags & RST:
            is_answered = any(known != self.opener for known in self.next)
            return is_answered or bool(packet.flags & SYN) and (side != self.opener or not packet.flags & ACK)
        sequence, acknowledged = packet.sequence
        if side in self.next:
            return distance(sequence, self.next[side]) <= NEAR
        return bool(packet.flags & ACK) and acknowledged == self.next[other]  # RFC 9293, section 3.10.7.3

    def follow(self, packet):
        """False: that was its end."""
        if packet.protocol != TCP:
            return True
        side = sides(packet)[0]
        if packet.flags & RST:
            self.reset_by = side
            return self.established
        if side != self.reset_by:
            self.reset_by = None  # it has not believed the RST
        if packet.flags & ACK and side == self.opener and len(self.next) == 2:
            self.established = True
        end = (packet.sequence[0] + packet.segment_length) % (1 << 32)
        if side not in self.next or (end - self.next[side]) % (1 << 32) < 1 << 31:
            self.next[side] = end
        if packet.flags & FIN:
            self.finished.add(side)
        return True


def distance(left, right):
    return min((left - right) % (1 << 32), (right - left) % (1 << 32))


def sides(packet):
    if packet.protocol in (TCP, UDP):
        source, destination = packet.ports
    elif packet.is_icmp:
        source = destination = packet.icmp[2]
    else:
        source = destination = 0
    return (packet.src, source), (packet.dst, destination)


def key_of(packet):
    """None: such a packet is part of no connection."""
    kind = packet.protocol
    if not packet.version:
        return None
    if packet.is_icmp:
        for question, answer in QUESTIONS[kind].items():
            if packet.icmp[0] in (question, answer):
                kind = (kind, question)
        if kind == packet.protocol:
            return None
    return packet.version, kind, frozenset(sides(packet))


def quoted(packet):
    """The packet that an ICMP error is about, if it tells enough of it."""
    if not packet.is_icmp or packet.icmp[0] not in ERRORS[packet.protocol]:
        return None
    try:
        fields = (ipv4 if packet.version == 4 else ipv6)(packet.payload[8:], whole=False)
    except Unreadable:
        return None
    inner = Packet("", "", packet.ethertype, **fields)
    return None if inner.piece and not inner.piece.is_first or inner.protocol in (TCP, UDP, ICMP, ICMPV6) and len(inner.payload) < 8 else inner


def opens(packet):
    """Whether a stateful rule lets it through as the first of a connection."""
    if packet.protocol == TCP and packet.version:
        return packet.flags & ~(PSH | URG) == SYN
    return not packet.is_icmp or packet.icmp[0] in QUESTIONS[packet.protocol]


class Policy:
    """One segment. `groups`: the group of each port that has one; `owners`: the port of each MAC."""

    def __init__(self, default, rules, owners, groups=None):
        self.default = default
        self.rules = sorted(rules, key=lambda rule: (rule["order"], rule["name"]))
        self.owners = owners
        self.groups = groups or {}
        self.connections = {}
        self.pieces = {}

    def judge(self, frame, sender):
        """The ports that it leaves by, and the reason if there is none."""
        destination = bytes(frame)[:6].hex(":")
        receivers = {self.owners[destination]} if destination in self.owners else set(self.owners.values())
        verdicts = {port: self.verdict(bytes(frame), sender, port) for port in sorted(receivers - {sender})}
        passed = {port for port, reason in verdicts.items() if reason is None}
        return passed, None if passed else next(iter(verdicts.values()), None)

    def verdict(self, frame, sender, receiver):
        """None, or the reason of the drop."""
        if not self.rules and self.default == "allow":
            return None
        try:
            packet = parse(frame)
        except Unreadable:
            return UNREADABLE
        if packet.ethertype == ARP or packet.is_neighbor_discovery:
            return self.ask([rule for rule in self.rules if names(rule, packet)], packet, sender, receiver, "allow")
        if packet.piece:
            return self.of_fragment(packet, sender, receiver)
        return self.of_packet(packet, sender, receiver)

    def of_fragment(self, packet, sender, receiver):
        key = (packet.piece.key, sender, receiver)
        if packet.piece.is_first:
            if packet.lacks_header:
                return FRAGMENT
            self.pieces[key] = self.of_packet(packet, sender, receiver), packet.header_length
        verdict, header = self.pieces.get(key, (FRAGMENT, 0))
        return FRAGMENT if 0 < packet.piece.offset < header else verdict

    def of_packet(self, packet, sender, receiver):
        about = quoted(packet)
        if about and packet.dst == about.src and key_of(about) in self.connections:
            return None
        key = key_of(packet)
        connection = self.connections.get(key)
        if connection and not (self.is_over(connection) and opens(packet)):
            if connection.can_have(packet):
                if not connection.follow(packet):
                    del self.connections[key]
                return None
        return self.ask(self.rules, packet, sender, receiver, self.default)

    @staticmethod
    def is_over(connection):
        return len(connection.finished) == 2 or connection.reset_by is not None

    def ask(self, rules, packet, sender, receiver, default):
        for rule in rules:
            if not matches(rule, packet, self.groups.get(sender), self.groups.get(receiver)):
                continue
            if rule["action"] == "deny":
                return DENIED
            if packet.version and rule.get("stateful", True):
                if not opens(packet):
                    continue
                if key_of(packet):
                    connection = self.connections[key_of(packet)] = Connection(packet)
                    connection.follow(packet)
            return None
        return None if default == "allow" else DEFAULT
