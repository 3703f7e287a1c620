# SPDX-License-Identifier: Apache-2.0
"""Cases of policy: fragments, extension headers, and headers that are not what they say."""
from scapy.all import ICMP, IP, TCP, UDP, Ether, ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Raw

from .policy_scene import (A, B, C, ETHERNET, IPV4, IPV6, Scene, at, chain, cut, default, denied, destination_options, echo, ip, ip6, nd, passes, pieces,
                           rule, tcp, udp, unjudged, unreadable, v6)

UDP_HEADER, TCP_HEADER = 8, 20
LONG = b"0123456789abcdef" * 8
RULES = [
    rule(1, "dns", sender=at(A), receiver=at(B), protocol="udp", dst_ports=["53"]),
    rule(2, "no-54", "deny", sender=at(A), receiver=at(B), protocol="udp", dst_ports=["54"]),
    rule(3, "web", sender=at(A), receiver=at(B), protocol="tcp", dst_ports=["80"]),
    rule(4, "ping", sender=at(A), receiver=at(B), protocol="icmp"),
    rule(5, "gre", sender=at(A), receiver=at(B), protocol=47),
]


def datagram(number, size=64, destination=53, net=ip, sender=A):
    return pieces(udp(sender, B, 5000, destination, LONG, net), size, number)


def segment(number, size, flags="S", port=4000, net=ip, **fields):
    return pieces(tcp(A, B, flags, port, 80, 1000, data=LONG, net=net, **fields), size, number)


def placed(frame, units):
    """An IPv4 fragment somewhere else in its packet, in units of 8 octets."""
    return Ether(bytes(frame)[:ETHERNET]) / IP(src=frame[IP].src, dst=frame[IP].dst, proto=frame[IP].proto, id=frame[IP].id, flags="MF", frag=units) / \
        Raw(bytes(frame[IP].payload))


def placed6(frame, units):
    number = frame[IPv6ExtHdrFragment]
    return Ether(bytes(frame)[:ETHERNET]) / IPv6(src=frame[IPv6].src, dst=frame[IPv6].dst) / \
        IPv6ExtHdrFragment(nh=number.nh, offset=units, m=1, id=number.id) / Raw(bytes(number.payload))


def atomic(number, destination=53):
    """A whole packet with a Fragment header (RFC 6946)."""
    return ip6(A, B) / IPv6ExtHdrFragment(id=number) / UDP(sport=5000, dport=destination) / Raw(LONG)


FRAGMENTS = [
    Scene("IPv4 fragments share the verdict of the first", "deny", RULES, [
        unjudged("a later one alone", A, datagram(1)[1]),
        passes("the first", A, datagram(1)[0]),
        passes("a later one", A, datagram(1)[1]),
        passes("the last", A, datagram(1)[2]),
        passes("a later one again", A, datagram(1)[1]),
        unjudged("of another packet", A, datagram(2)[1]),
        unjudged("of another sender's", C, datagram(1, sender=C)[1]),
        unjudged("of another protocol's", A, pieces(tcp(A, B, "S", data=LONG), 64, 1)[1]),
        passes("the first of another", A, datagram(3)[0]),
        passes("its last before the others", A, datagram(3)[2]),
        passes("and the others", A, datagram(3)[1]),
        denied("a first that a rule denies", A, datagram(4, destination=54)[0]),
        denied("what follows it", A, datagram(4, destination=54)[1]),
        default("a first that none allows", A, datagram(5, destination=55)[0]),
        default("what follows it", A, datagram(5, destination=55)[1]),
        passes("the answer's first: of the connection", B, pieces(udp(B, A, 53, 5000, LONG), 64, 6)[0]),
        passes("what follows it", B, pieces(udp(B, A, 53, 5000, LONG), 64, 6)[1]),
        default("the first of no answer", B, pieces(udp(B, A, 53, 5001, LONG), 64, 7)[0]),
        passes("SYN in a first", A, segment(8, 32)[0]),
        passes("what follows it", A, segment(8, 32)[1]),
        default("ACK of no connection in a first", A, segment(9, 32, "A", 4009)[0]),
        default("what follows it", A, segment(9, 32, "A", 4009)[1]),
        passes("echo in a first", A, pieces(echo(A, B) / Raw(LONG), 64, 10)[0]),
        passes("what follows it", A, pieces(echo(A, B) / Raw(LONG), 64, 10)[1]),
        passes("GRE in a first", A, pieces(ip(A, B, proto=47) / Raw(LONG), 64, 11)[0]),
        passes("what follows it", A, pieces(ip(A, B, proto=47) / Raw(LONG), 64, 11)[1]),
        passes("GRE, and no more than eight octets", A, pieces(ip(A, B, proto=47) / Raw(LONG), 8, 12)[0]),
        passes("not to be fragmented is no fragment", A, ip(A, B, flags="DF") / UDP(sport=5000, dport=53) / Raw(LONG)),
    ]),
    Scene("IPv4 fragments that hide a header", "deny", RULES, [
        unjudged("TCP without its flags", A, segment(1, 8)[0]),
        unjudged("what follows it", A, segment(1, 8)[1]),
        unjudged("TCP without its last octets", A, segment(2, 16)[0]),
        unjudged("UDP without its length", A, cut(ip(A, B, proto=17, flags="MF", len=IPV4 + 4, id=3) / Raw(b"\x13\x88\x00\x35"), ETHERNET + IPV4 + 4)),
        unjudged("ICMP without its id", A, cut(ip(A, B, proto=1, flags="MF", len=IPV4 + 4, id=4) / Raw(b"\x08\0\0\0"), ETHERNET + IPV4 + 4)),
        unjudged("TCP without all of its options", A, segment(5, 24, options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0))])[0]),
        passes("a good first", A, segment(6, 32)[0]),
        unjudged("what would overwrite its flags", A, placed(segment(6, 32)[1], 1)),
        unjudged("what would overwrite its last octets", A, placed(segment(6, 32)[1], 2)),
        passes("what begins behind its header", A, placed(segment(6, 32)[1], 3)),
        passes("and what really follows", A, segment(6, 32)[1]),
        passes("a good first of UDP, no more than its header", A, datagram(7, UDP_HEADER)[0]),
        passes("what follows it", A, datagram(7, UDP_HEADER)[1]),
    ]),
    Scene("IPv4 fragments where all may pass, but for a rule", "allow", [rule(1, "no-54", "deny", protocol="udp", dst_ports=["54"])], [
        unjudged("a later one alone", A, datagram(1)[1]),
        passes("a first", A, datagram(1)[0]),
        passes("what follows it", A, datagram(1)[1]),
        denied("a first that is denied", A, datagram(2, destination=54)[0]),
        denied("what follows it", A, datagram(2, destination=54)[1]),
        unjudged("a tiny first", A, segment(3, 8)[0]),
    ]),
    Scene("IPv6 fragments", "deny", RULES, [
        unjudged("a later one alone", A, datagram(1, net=ip6)[1]),
        passes("the first", A, datagram(1, net=ip6)[0]),
        passes("a later one", A, datagram(1, net=ip6)[1]),
        passes("the last", A, datagram(1, net=ip6)[2]),
        unjudged("of another packet", A, datagram(2, net=ip6)[1]),
        unjudged("of one whose number differs in the upper half", A, datagram(0x10001, net=ip6)[1]),
        denied("a first that a rule denies", A, datagram(4, destination=54, net=ip6)[0]),
        denied("what follows it", A, datagram(4, destination=54, net=ip6)[1]),
        default("a first that none allows", A, datagram(5, destination=55, net=ip6)[0]),
        default("what follows it", A, datagram(5, destination=55, net=ip6)[1]),
        passes("SYN in a first", A, segment(6, 32, net=ip6)[0]),
        passes("what follows it", A, segment(6, 32, net=ip6)[1]),
        unjudged("TCP without its flags", A, segment(7, 8, net=ip6)[0]),
        unjudged("what follows it", A, segment(7, 8, net=ip6)[1]),
        unjudged("what would overwrite the header", A, placed6(segment(6, 32, net=ip6)[1], 1)),
        passes("a whole packet with a Fragment header", A, atomic(8)),
        unjudged("which nothing follows", A, datagram(8, net=ip6)[1]),
        default("such a packet that none allows", A, atomic(9, 55)),
        denied("such a packet that a rule denies", A, atomic(9, 54)),
        passes("a first", A, datagram(10, net=ip6)[0]),
        default("a whole packet of the same number", A, atomic(10, 55)),
        passes("is another packet: what follows the first", A, datagram(10, net=ip6)[1]),
        passes("behind a hop-by-hop header", A, ip6(A, B) / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(nh=17, m=1, id=11) / UDP(sport=5000, dport=53) / Raw(LONG)),
        passes("what follows it", A, ip6(A, B) / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(nh=17, offset=17, id=11) / Raw(LONG)),
        passes("in front of destination options", A, ip6(A, B) / IPv6ExtHdrFragment(nh=60, m=1, id=12) / destination_options() /
               UDP(sport=5000, dport=53) / Raw(LONG)),
        passes("what follows it", A, ip6(A, B) / IPv6ExtHdrFragment(nh=60, offset=18, id=12) / Raw(LONG)),
        default("NS is plain ICMPv6 then", A, pieces(nd(A, ICMPv6ND_NS(tgt=v6(B)), B), 16, 13)[0]),
    ]),
]


def authentication(following):
    """RFC 4302, with twelve octets of check value."""
    return Raw(bytes([following, 4]) + bytes(22))


DNS6 = UDP(sport=5000, dport=53) / Raw(LONG)
HIDDEN = UDP(sport=5000, dport=55) / Raw(LONG)

EXTENSIONS = [
    Scene("IPv6 extension headers", "deny", [*RULES, rule(6, "esp", sender=at(A), receiver=at(B), protocol=50)], [
        passes("hop-by-hop options", A, ip6(A, B) / IPv6ExtHdrHopByHop() / DNS6),
        default("which hide no port", A, ip6(A, B) / IPv6ExtHdrHopByHop() / HIDDEN),
        passes("destination options", A, ip6(A, B) / destination_options() / DNS6),
        passes("routing", A, ip6(A, B) / IPv6ExtHdrRouting(type=4, addresses=[v6(B)], segleft=0) / DNS6),
        passes("authentication", A, ip6(A, B, nh=51) / authentication(17) / Raw(bytes(DNS6))),
        default("which hides no port", A, ip6(A, B, nh=51) / authentication(17) / Raw(bytes(HIDDEN))),
        passes("several", A, ip6(A, B) / IPv6ExtHdrHopByHop() / destination_options() / IPv6ExtHdrRouting(addresses=[v6(B)], segleft=0) / DNS6),
        passes("eight", A, ip6(A, B) / chain(*[destination_options() for _ in range(8)]) / DNS6),
        default("eight, which hide no port", A, ip6(A, B) / chain(*[destination_options() for _ in range(8)]) / HIDDEN),
        unreadable("nine", A, ip6(A, B) / chain(*[destination_options() for _ in range(9)]) / DNS6),
        unreadable("one that is longer than its packet", A, ip6(A, B, nh=60) / Raw(bytes([17, 3]) + bytes(22))),
        unreadable("one that is cut off", A, ip6(A, B, nh=60) / Raw(bytes([17, 0]) + bytes(2))),
        unreadable("nothing where one should be", A, ip6(A, B, nh=0)),
        unreadable("nothing where UDP should be", A, ip6(A, B) / chain(IPv6ExtHdrHopByHop(nh=17))),
        denied("a port that a rule denies, behind two", A, ip6(A, B) / IPv6ExtHdrHopByHop() / destination_options() / UDP(sport=5000, dport=54)),
        passes("SYN behind destination options", A, ip6(A, B) / destination_options() / TCP(sport=4000, dport=80, flags="S")),
        default("ACK of no connection behind them", A, ip6(A, B) / destination_options() / TCP(sport=4001, dport=80, flags="A")),
        passes("its answer has none", B, tcp(B, A, "SA", 80, 4000, 9000, 1, net=ip6)),
        passes("ESP", A, ip6(A, B, nh=50) / Raw(bytes(32))),
        default("no next header", A, ip6(A, B, nh=59)),
    ]),
    Scene("a denied port behind extension headers, where all else may pass", "allow", [rule(1, "no-ssh", "deny", protocol="tcp", dst_ports=["22"])], [
        denied("none", A, tcp(A, B, "S", 4000, 22, net=ip6)),
        denied("destination options", A, ip6(A, B) / destination_options() / TCP(dport=22)),
        denied("a Fragment header", A, ip6(A, B) / IPv6ExtHdrFragment(id=1) / TCP(dport=22)),
        denied("authentication", A, ip6(A, B, nh=51) / authentication(6) / Raw(bytes(TCP(dport=22)))),
        unreadable("nine", A, ip6(A, B) / chain(*[destination_options() for _ in range(9)]) / TCP(dport=22)),
        passes("another port behind eight", A, ip6(A, B) / chain(*[destination_options() for _ in range(8)]) / TCP(dport=23)),
    ]),
]


def tcp_cut(length, net=ip, header=IPV4):
    """A whole packet whose TCP header ends early, by its IP header, too."""
    fields = {"proto": 6} if net is ip else {"nh": 6}
    return net(A, B, **fields) / Raw(bytes(TCP(sport=4000, dport=80, flags="S"))[:length])


def of_length(total):
    """UDP in an IPv4 packet that says to be so long."""
    return ip(A, B, len=total) / UDP(sport=5000, dport=53) / Raw(LONG)


BROKEN = [
    Scene("headers that can't be read pass no rule", "deny", [rule(1, "everything", stateful=False)], [
        passes("a good packet", A, udp(A, B)),
        unreadable("IPv4 cut off in its addresses", A, cut(udp(A, B), ETHERNET + 18)),
        unreadable("IPv4 with nothing behind the EtherType", A, cut(udp(A, B), ETHERNET)),
        unreadable("a header too short", A, ip(A, B, ihl=4) / UDP(dport=53)),
        unreadable("a header longer than the packet", A, cut(ip(A, B, ihl=15) / Raw(b"x" * 8), ETHERNET + 28)),
        unreadable("IPv6 where IPv4 is said", A, ip(A, B, version=6) / UDP(dport=53)),
        unreadable("IPv4 where IPv6 is said", A, ip6(A, B, version=4) / UDP(dport=53)),
        unreadable("less in all than its header", A, of_length(16)),
        unreadable("no more in all than its header", A, of_length(IPV4)),
        unreadable("UDP ends within its header", A, of_length(IPV4 + 4)),
        unreadable("longer than its frame", A, of_length(1400)),
        unreadable("UDP cut off", A, ip(A, B, proto=17) / Raw(b"\x13\x88\x00\x35\x00")),
        unreadable("TCP cut off before its flags", A, tcp_cut(12)),
        unreadable("TCP cut off in its last octets", A, tcp_cut(18)),
        unreadable("ICMP cut off", A, ip(A, B, proto=1) / Raw(b"\x08\0\0")),
        unreadable("TCP over IPv6 cut off", A, tcp_cut(12, ip6)),
        unreadable("IPv6 cut off", A, cut(udp(A, B, net=ip6), ETHERNET + IPV6 - 1)),
        unreadable("IPv6 longer than its frame", A, ip6(A, B, plen=1400) / UDP(dport=53)),
        unreadable("UDP over IPv6 ends within its header", A, ip6(A, B, plen=4) / UDP(dport=53)),
    ]),
    Scene("headers that are odd, and can be read", "deny", RULES, [
        passes("IPv4 options", A, ip(A, B, options=[Raw(b"\x01\x01\x01\x00")]) / UDP(sport=5000, dport=53)),
        default("which hide no port", A, ip(A, B, options=[Raw(b"\x01\x01\x01\x00")]) / UDP(sport=5000, dport=55)),
        default("which look like UDP", A, ip(A, B, proto=17, ihl=7, len=28 + UDP_HEADER) / Raw(bytes(UDP(sport=5000, dport=53))) /
                Raw(bytes(UDP(sport=5000, dport=55)))),
        passes("all forty octets of options", A, ip(A, B, options=[Raw(b"\x01" * 40)]) / UDP(sport=5000, dport=53)),
        passes("padding behind the packet", A, Raw(bytes(udp(A, B)).ljust(200, b"\xff"))),
        default("padding that looks like a port", A, Raw(bytes(udp(A, B, destination=55)) + bytes(UDP(sport=5000, dport=53)))),
        passes("TCP options", A, tcp(A, B, "S", options=[("NOP", None)] * 40)),
        passes("of another traffic class", A, ip(A, B, tos=0xb8) / UDP(sport=5000, dport=53)),
        passes("TTL 1", A, ip(A, B, ttl=1) / UDP(sport=5000, dport=53)),
        passes("a flow label", A, ip6(A, B, fl=0xfffff, tc=0xff) / UDP(sport=5000, dport=53)),
        passes("padding behind IPv6", A, Raw(bytes(udp(A, B, net=ip6)).ljust(200, b"\xff"))),
        default("ICMP with options in front", A, ip(A, B, options=[Raw(b"\x01" * 4)]) / ICMP(type=17)),
    ]),
]

HEADER_SCENES = FRAGMENTS + EXTENSIONS + BROKEN
