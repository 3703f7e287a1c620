# SPDX-License-Identifier: Apache-2.0
"""Cases of policy: what a rule matches, which rule decides, and what decides without one."""
from scapy.all import (ARP, BOOTP, DHCP, ICMP, IP, LLC, SCTP, TCP, UDP, Dot1Q, Dot3, Ether, ICMPv6EchoRequest, ICMPv6MLDMultAddrRec, ICMPv6MLReport2,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS, IPv6, IPv6ExtHdrHopByHop, Raw)

from .policy_scene import (A, ALL_NODES, B, BROADCAST, C, D, ETHERNET, Scene, arp, at, chain, cut, default, denied, destination_options, dropped, echo,
                           ether, ip, ip6, link_local, mac_of, nd, passes, pieces, reaches, rule, tcp, udp, v4, v6)

EXPERIMENT = 0x88b5
NS, NA = ICMPv6ND_NS(tgt=v6(B)), ICMPv6ND_NA(tgt=v6(A))
MLD = ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=4, dst="ff02::1:ff00:5")])


def experiment(sender, receiver, number=EXPERIMENT):
    return ether(sender, receiver, type=number) / Raw(b"not IP at all")


def dhcp(sender):
    return ether(sender, BROADCAST) / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / \
        BOOTP(chaddr=bytes.fromhex(mac_of(sender).replace(":", ""))) / DHCP(options=[("message-type", "discover"), "end"])


def udp6(sender, receiver, **fields):
    return udp(sender, receiver, net=ip6, **fields)


DEFAULTS = [
    Scene("nothing is looked at where there are no rules and all may pass", "allow", [], [
        passes("UDP", A, udp(A, B)),
        passes("UDP over IPv6", A, udp6(A, B)),
        passes("a TCP segment of no connection", A, tcp(A, B, "A")),
        passes("a later fragment alone", A, pieces(udp(A, B, data=b"x" * 64), 32)[1]),
        passes("a later IPv6 fragment alone", A, pieces(udp6(A, B, data=b"x" * 64), 32)[1]),
        passes("an IPv4 header cut off", A, cut(udp(A, B), ETHERNET + 12)),
        passes("nine extension headers", A, ip6(A, B) / chain(*[destination_options() for _ in range(9)]) / UDP(dport=53)),
        passes("no IP at all", A, experiment(A, B)),
        reaches("to everybody", A, ether(A, BROADCAST, type=EXPERIMENT) / Raw(b"hello"), B, C, D),
    ]),
    Scene("without rules all but ARP and Neighbor Discovery is denied", "deny", [], [
        default("UDP", A, udp(A, B)),
        default("UDP over IPv6", A, udp6(A, B)),
        default("SYN", A, tcp(A, B, "S")),
        default("an answer without its question", B, tcp(B, A, "SA", 80, 4000)),
        default("echo request", A, echo(A, B)),
        default("GRE", A, ip(A, B, proto=47) / Raw(bytes(8))),
        default("no IP at all", A, experiment(A, B)),
        default("LLC, whose length stands for an EtherType", A, Dot3(src=mac_of(A), dst=mac_of(B)) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(b"x" * 40)),
        default("no IP at all, to everybody", A, experiment(A, BROADCAST)),
        default("DHCP is plain UDP", A, dhcp(A)),
        default("IGMP is plain IP", A, ether(A, "01:00:5e:00:00:16") / IP(src=v4(A), dst="224.0.0.22", proto=2, ttl=1) / Raw(b"\x22" + bytes(7))),
        default("MLD is plain ICMPv6", A, ether(A, "33:33:00:00:00:16") / IPv6(src=link_local(A), dst="ff02::16", hlim=1) / MLD),
        reaches("ARP request", A, arp(A), B, C, D),
        passes("ARP reply", B, arp(B, A, target=A, op=2)),
        reaches("gratuitous ARP", A, arp(A, target=A), B, C, D),
        reaches("NS", A, nd(A, NS), B, C, D),
        passes("NA", B, nd(B, ICMPv6ND_NA(tgt=v6(B)), A, dst=v6(A))),
        reaches("RS", A, nd(A, ICMPv6ND_RS()), B, C, D),
        reaches("RA", A, nd(A, ICMPv6ND_RA(), src=link_local(A)), B, C, D),
        passes("Redirect", A, nd(A, ICMPv6ND_Redirect(tgt=v6(A), dst="fd01::1"), B, dst=v6(B), src=link_local(A))),
        reaches("DAD, from nowhere", A, nd(A, NS, src="::"), B, C, D),
        reaches("NS behind a hop-by-hop header", A, nd(A, IPv6ExtHdrHopByHop() / NS), B, C, D),
    ]),
]

NAMED = [
    Scene("what only looks like Neighbor Discovery is plain ICMPv6", "deny", [], [
        default("NS, hop limit 254", A, nd(A, NS, hlim=254)),
        default("NA, hop limit 64", A, nd(A, NA, hlim=64)),
        default("NS, code 1", A, nd(A, ICMPv6ND_NS(tgt=v6(B), code=1))),
        default("RA, code 1", A, nd(A, ICMPv6ND_RA(code=1))),
        default("NS in a first fragment", A, pieces(nd(A, NS), 16, number=31)[0]),
        default("and what follows it", A, pieces(nd(A, NS), 16, number=31)[1]),
        default("the type before them", A, nd(A, Raw(bytes([132]) + bytes(23)), nh=58)),
        default("the type after them", A, nd(A, Raw(bytes([138]) + bytes(23)), nh=58)),
        default("an echo with hop limit 255", A, nd(A, ICMPv6EchoRequest(), B, dst=v6(B))),
        default("the same types in IPv4", A, ip(A, B, ttl=255, proto=1) / Raw(bytes([135]) + bytes(23))),
    ]),
    Scene("rules that don't name ARP and Neighbor Discovery are not asked about them", "allow", [
        rule(1, "nobody", "deny"),
        rule(2, "no-ipv6", "deny", ethertype="ipv6"),
        rule(3, "no-icmpv6", "deny", protocol="icmpv6"),
        rule(4, "no-echo", "deny", protocol="icmpv6", icmp_types=[128]),
        rule(5, "not-from-a", "deny", sender={"macs": [mac_of(A)]}),
    ], [
        denied("the rules are in force", A, udp(A, B)),
        denied("an echo", A, ip6(A, B) / ICMPv6EchoRequest()),
        reaches("ARP", A, arp(A), B, C, D),
        reaches("NS", A, nd(A, NS), B, C, D),
        reaches("NA", A, nd(A, NA), B, C, D),
        denied("NS, hop limit 254", A, nd(A, NS, hlim=254)),
    ]),
    Scene("ARP that is named", "allow", [
        rule(1, "a-may-ask-b", ethertype="arp", sender={"macs": [mac_of(A)]}, receiver={"groups": ["asked"]}),
        rule(2, "a-may-not", "deny", ethertype="arp", sender={"macs": [mac_of(A)]}),
        rule(3, "no-ip-of-anybody", "deny", sender={"ips": ["0.0.0.0/0"]}, receiver={"macs": [mac_of(D)]}),
    ], [
        reaches("a's, to those of the group only", A, arp(A), B),
        denied("a's, to another", A, arp(A, C, target=C, op=2)),
        reaches("b's: none decides, and one that names addresses does not name ARP", B, arp(B, target=A), A, C, D),
        passes("a's IP", A, udp(A, C)),
        denied("a's in a tag", A, ether(A, C) / Dot1Q(vlan=7) / ARP(psrc=v4(A), pdst=v4(C))),
    ], ports={A: {"tagged": "carry"}, B: {"group": "asked"}, C: {"tagged": "carry"}}, groups=("asked",)),
    Scene("ARP that is named by number, where the rest is denied", "deny", [
        rule(1, "a", "deny", ethertype=0x0806, sender={"macs": [mac_of(A)]}),
    ], [
        denied("a's", A, arp(A)),
        reaches("b's passes: none decides", B, arp(B, target=A), A, C, D),
        reaches("and NS of a", A, nd(A, NS), B, C, D),
    ]),
    Scene("Neighbor Discovery that is named", "deny", [
        rule(1, "no-ra", "deny", protocol="icmpv6", icmp_types=[134, 137]),
        rule(2, "ns-of-a", "allow", protocol="icmpv6", icmp_types=[135], stateful=False, sender=at(A), receiver={"groups": ["asked"]}),
        rule(3, "no-ns", "deny", protocol="icmpv6", icmp_types=[135, 128]),
    ], [
        denied("RA", A, nd(A, ICMPv6ND_RA())),
        denied("Redirect", A, nd(A, ICMPv6ND_Redirect(tgt=v6(A), dst="fd01::1"))),
        reaches("NS of a, to those of the group only", A, nd(A, NS), B),
        denied("NS of b", B, nd(B, NS)),
        reaches("NA, which none names", B, nd(B, NA), A, C, D),
        reaches("RS, which none names", B, nd(B, ICMPv6ND_RS()), A, C, D),
        denied("RA with hop limit 1: plain ICMPv6 that a rule names", A, nd(A, ICMPv6ND_RA(), hlim=1)),
    ], ports={B: {"group": "asked"}}, groups=("asked",)),
]

ORDER = [
    Scene("the first rule that matches decides", "deny", [
        rule(30, "deny-the-rest", "deny", protocol="udp"),
        rule(20, "allow-b", receiver=at(B), protocol="udp"),
        rule(10, "deny-53", "deny", protocol="udp", dst_ports=["53"]),
        rule(5, "allow-53-from-c", sender=at(C), protocol="udp", dst_ports=["53"]),
    ], [
        denied("10 is before 20", A, udp(A, B)),
        passes("20 is before 30", A, udp(A, B, destination=54)),
        denied("30 is left", A, udp(A, D, destination=54)),
        passes("5 is before 10", C, udp(C, B)),
        default("and none", A, tcp(A, B, "S")),
    ]),
    Scene("names decide where the order is the same", "deny", [
        rule(7, "b-allow", protocol="udp", dst_ports=["53"]),
        rule(7, "a-deny", "deny", protocol="udp", dst_ports=["53"]),
        rule(7, "d-deny", "deny", protocol="udp", dst_ports=["54"]),
        rule(7, "c-allow", protocol="udp", dst_ports=["54"]),
        rule(7, "n-10", protocol="udp", dst_ports=["55"]),
        rule(7, "n-9", "deny", protocol="udp", dst_ports=["55"]),
    ], [
        denied("a before b", A, udp(A, B, destination=53)),
        passes("c before d", A, udp(A, B, destination=54)),
        passes("as text, 10 is before 9", A, udp(A, B, destination=55)),
    ]),
    Scene("what is allowed unless a rule denies it", "allow", [
        rule(1, "no-ssh", "deny", protocol="tcp", dst_ports=["22"]),
        rule(2, "no-udp-to-d", "deny", protocol="udp", receiver=at(D)),
    ], [
        denied("SYN", A, tcp(A, B, "S", destination=22)),
        denied("a segment of no connection is denied like any", A, tcp(A, B, "A", destination=22)),
        denied("RST", A, tcp(A, B, "R", destination=22)),
        passes("another port", A, tcp(A, B, "S", destination=23)),
        passes("a segment of no connection to another port", A, tcp(A, B, "PA", destination=23, data=b"x")),
        passes("from that port: a rule has one direction", B, tcp(B, A, "SA", 22, 4000)),
        denied("UDP to d", A, udp(A, D)),
        passes("UDP from d", D, udp(D, A)),
        passes("no IP at all", A, experiment(A, D)),
        denied("IPv6 as well", A, tcp(A, B, "S", destination=22, net=ip6)),
    ]),
]

ENDS = [
    Scene("groups", "deny", [
        rule(1, "web-to-db", sender={"groups": ["web"]}, receiver={"groups": ["db"]}, protocol="udp", stateful=False),
        rule(2, "both-to-log", sender={"groups": ["web", "db"]}, receiver={"groups": ["log"]}, stateful=False),
    ], [
        passes("web to db", A, udp(A, B)),
        passes("web to db over IPv6", A, udp6(A, B)),
        default("db to web", B, udp(B, A)),
        default("web to one of no group", A, udp(A, D)),
        passes("web to log", A, udp(A, C)),
        passes("db to log, which is the other of the list", B, tcp(B, C, "S")),
        passes("db to log, no IP at all", B, experiment(B, C)),
        default("log to web", C, udp(C, A)),
        default("of no group, to db", D, udp(D, B)),
        default("not UDP", A, tcp(A, B, "S")),
    ], ports={A: {"group": "web"}, B: {"group": "db"}, C: {"group": "log"}}, groups=("web", "db", "log")),
    Scene("networks", "deny", [
        rule(1, "host", sender={"ips": [f"{v4(A)}/32"]}, receiver={"ips": [f"{v4(B)}/32"]}, stateful=False),
        rule(2, "network", sender={"ips": ["10.2.3.0/24", "10.9.0.0/16"]}, stateful=False),
        rule(3, "half", receiver={"ips": ["10.7.128.0/17"]}, stateful=False),
        rule(4, "host6", sender={"ips": [f"{v6(A)}/128"]}, receiver={"ips": [f"{v6(B)}/128"]}, stateful=False),
        rule(5, "network6", sender={"ips": ["fd09:0:1::/48", "fd0a:1:2:3:8000::/65"]}, stateful=False),
        rule(6, "host-bits", receiver={"ips": ["10.6.0.77/24"]}, stateful=False),
    ], [
        passes("the host's", A, udp(A, B)),
        default("the other way", B, udp(B, A)),
        default("another receiver", A, udp(A, C)),
        passes("of the first network", A, ip(A, B, src="10.2.3.255") / UDP(dport=53)),
        default("beside it", A, ip(A, B, src="10.2.4.0") / UDP(dport=53)),
        passes("of the second network", A, ip(A, C, src="10.9.255.1") / TCP(dport=1)),
        default("the first octet differs", A, ip(A, C, src="11.9.255.1") / TCP(dport=1)),
        passes("of the upper half", C, ip(C, B, dst="10.7.128.0") / UDP(dport=1)),
        default("of the lower half", C, ip(C, B, dst="10.7.127.255") / UDP(dport=1)),
        passes("the host's over IPv6", A, udp6(A, B)),
        default("another receiver over IPv6", A, udp6(A, C)),
        passes("of the IPv6 network", C, ip6(C, B, src="fd09:0:1:ffff::1") / UDP(dport=1)),
        default("beside it", C, ip6(C, B, src="fd09:0:2::1") / UDP(dport=1)),
        passes("by the 65th bit", C, ip6(C, B, src="fd0a:1:2:3:8000::1") / UDP(dport=1)),
        default("but for the 65th bit", C, ip6(C, B, src="fd0a:1:2:3:7000::1") / UDP(dport=1)),
        passes("bits of the host are of no meaning", C, ip(C, B, dst="10.6.0.1") / UDP(dport=1)),
    ]),
    Scene("every IPv4 address is no IPv6 address, and nothing else", "deny", [
        rule(1, "all-of-4", sender={"ips": ["0.0.0.0/0"]}, receiver={"macs": [mac_of(B)]}, stateful=False),
        rule(2, "all-of-6", sender={"ips": ["::/0"]}, receiver={"macs": [mac_of(C)]}, stateful=False),
    ], [
        passes("IPv4", A, udp(A, B)),
        default("IPv6 where IPv4 is allowed", A, udp6(A, B)),
        passes("IPv6", A, udp6(A, C)),
        default("IPv4 where IPv6 is allowed", A, udp(A, C)),
        default("no IP at all", A, experiment(A, B)),
        default("no IP at all, either", A, experiment(A, C)),
    ]),
    Scene("MACs", "deny", [
        rule(1, "one", sender={"macs": [mac_of(A), "02:00:00:00:77:77"]}, receiver={"macs": [mac_of(B)]}, stateful=False),
        rule(2, "group-address", receiver={"macs": ["01:00:5e:00:00:fb"]}, stateful=False),
    ], [
        passes("UDP", A, udp(A, B)),
        passes("no IP at all", A, experiment(A, B)),
        passes("the other of the list", C, Ether(src="02:00:00:00:77:77", dst=mac_of(B), type=EXPERIMENT) / Raw(b"x" * 46)),
        default("another sender", C, udp(C, B)),
        default("another receiver", A, udp(A, C)),
        reaches("to a group", D, ether(D, "01:00:5e:00:00:fb") / IP(src=v4(D), dst="224.0.0.251") / UDP(sport=5353, dport=5353), A, B, C),
        default("to another group", D, ether(D, "01:00:5e:00:00:fc") / IP(src=v4(D), dst="224.0.0.252") / UDP(sport=5353, dport=5353)),
    ]),
    Scene("all that a rule names must match", "deny", [
        rule(1, "all", sender={"groups": ["web"], "ips": [f"{v4(A)}/32"], "macs": [mac_of(A)]},
             receiver={"groups": ["db"], "ips": [f"{v4(B)}/32"], "macs": [mac_of(B)]}, ethertype="ipv4", protocol="udp", src_ports=["5000"],
             dst_ports=["53"], stateful=False),
    ], [
        passes("all", A, udp(A, B)),
        default("another source address", A, ip(A, B, src="10.1.0.99") / UDP(sport=5000, dport=53)),
        default("another source MAC", A, Ether(src="02:00:00:00:77:78", dst=mac_of(B)) / IP(src=v4(A), dst=v4(B)) / UDP(sport=5000, dport=53)),
        default("another group, its addresses stolen", C, Ether(src="02:00:00:00:77:79", dst=mac_of(B)) / IP(src=v4(A), dst=v4(B)) / UDP(sport=5000, dport=53)),
        default("another destination address", A, ip(A, B, dst="10.1.0.99") / UDP(sport=5000, dport=53)),
        default("another receiver", A, ip(A, C, dst=v4(B)) / UDP(sport=5000, dport=53)),
        default("another protocol", A, tcp(A, B, "S", 5000, 53)),
        default("another source port", A, udp(A, B, source=5001)),
        default("another destination port", A, udp(A, B, destination=54)),
        default("another EtherType", A, udp6(A, B)),
    ], ports={A: {"group": "web"}, B: {"group": "db"}}, groups=("web", "db")),
]

HEADERS = [
    Scene("protocols and ports", "deny", [
        rule(1, "ranges", protocol="tcp", dst_ports=["80", "8000-8080"], stateful=False),
        rule(2, "from-low", protocol="udp", src_ports=["0-1023"], stateful=False),
        rule(3, "both", protocol="udp", src_ports=["2000"], dst_ports=["3000-3001"], stateful=False),
        rule(4, "number", protocol=89, stateful=False),
        rule(5, "sctp", protocol="sctp", dst_ports=["36412"], stateful=False),
        rule(6, "last", protocol="tcp", dst_ports=["65535"], stateful=False),
        rule(7, "tcp-as-number", protocol=6, src_ports=["179"], stateful=False),
    ], [
        passes("a port", A, tcp(A, B, "S")),
        default("the port before it", A, tcp(A, B, "S", destination=79)),
        passes("the first of a range", A, tcp(A, B, "S", destination=8000)),
        passes("the last of a range", A, tcp(A, B, "S", destination=8080)),
        default("behind the range", A, tcp(A, B, "S", destination=8081)),
        default("before the range", A, tcp(A, B, "S", destination=7999)),
        default("that port of UDP", A, udp(A, B, destination=80)),
        default("that port as source", A, tcp(A, B, "S", 80, 4000)),
        passes("that port over IPv6", A, tcp(A, B, "S", net=ip6)),
        passes("source port 0", A, udp(A, B, source=0)),
        passes("source port 1023", A, udp(A, B, source=1023)),
        default("source port 1024", A, udp(A, B, source=1024)),
        passes("both ports", A, udp(A, B, 2000, 3001)),
        default("one of both", A, udp(A, B, 2000, 3002)),
        default("the other of both", A, udp(A, B, 2001, 3000)),
        passes("a protocol by number", A, ip(A, B, proto=89) / Raw(bytes(24))),
        passes("a protocol by number over IPv6", A, ip6(A, B, nh=89) / Raw(bytes(24))),
        default("the next protocol", A, ip(A, B, proto=90) / Raw(bytes(24))),
        passes("SCTP", A, ip(A, B) / SCTP(sport=1, dport=36412) / Raw(bytes(16))),
        default("SCTP to another port", A, ip(A, B) / SCTP(sport=1, dport=36413) / Raw(bytes(16))),
        passes("the last port", A, tcp(A, B, "S", destination=65535)),
        passes("TCP by number", A, tcp(A, B, "S", 179, 9)),
    ]),
    Scene("EtherTypes", "deny", [
        rule(1, "ipv4", ethertype="ipv4", receiver={"macs": [mac_of(B)]}, stateful=False),
        rule(2, "ipv6", ethertype="ipv6", receiver={"macs": [mac_of(C)]}, stateful=False),
        rule(3, "number", ethertype=EXPERIMENT),
        rule(4, "number-of-ipv4", ethertype=0x0800, receiver={"macs": [mac_of(D)]}, stateful=False),
    ], [
        passes("IPv4", A, udp(A, B)),
        default("IPv6", A, udp6(A, B)),
        passes("IPv6 where it is allowed", A, udp6(A, C)),
        default("IPv4 where it is not", A, udp(A, C)),
        passes("by number, and no state is asked for", A, experiment(A, B)),
        passes("and back", B, experiment(B, A)),
        default("the next number", A, experiment(A, B, EXPERIMENT + 1)),
        passes("IPv4 by number", A, udp(A, D)),
        default("IPv6 there", A, udp6(A, D)),
    ]),
    Scene("ICMP types", "deny", [
        rule(1, "echo", protocol="icmp", icmp_types=[8, 0], stateful=False),
        rule(2, "six", protocol="icmpv6", icmp_types=[128], stateful=False),
        rule(3, "to-d", protocol="icmp", receiver=at(D), stateful=False),
    ], [
        passes("echo request", A, echo(A, B)),
        passes("echo reply, the other of the list", A, echo(A, B, 0)),
        default("timestamp", A, echo(A, B, 13)),
        default("unreachable", A, ip(A, B) / ICMP(type=3) / Raw(bytes(28))),
        passes("ICMPv6 echo request", A, ip6(A, B) / ICMPv6EchoRequest()),
        default("ICMPv6 echo reply", A, ip6(A, B, nh=58) / Raw(bytes([129]) + bytes(7))),
        default("ICMPv6 type 8", A, ip6(A, B, nh=58) / Raw(bytes([8]) + bytes(7))),
        default("ICMP's number in IPv6", A, ip6(A, B, nh=1) / Raw(bytes([8]) + bytes(7))),
        passes("any type", A, echo(A, D, 13)),
        default("UDP", A, udp(A, D)),
    ]),
    Scene("rules of IP say nothing about what is not IP", "deny", [
        rule(1, "udp", protocol="udp"),
        rule(2, "ips", sender={"ips": ["0.0.0.0/0", "::/0"]}),
        rule(3, "ipv4", ethertype="ipv4"),
    ], [
        passes("they are in force", A, udp(A, B)),
        default("no IP at all", A, experiment(A, B)),
        default("an EtherType that is none", A, ether(A, B, type=0) / Raw(b"x" * 46)),
        default("a packet of IPv4 in another EtherType", A, ether(A, B, type=EXPERIMENT) / IP(src=v4(A), dst=v4(B)) / UDP(dport=53)),
    ]),
    Scene("a stateful rule of everything allows what is not IP, too", "deny", [rule(1, "everything")], [
        passes("no IP at all", A, experiment(A, B)),
        passes("and back", B, experiment(B, A)),
        reaches("to everybody", A, experiment(A, BROADCAST), B, C, D),
        passes("UDP", A, udp(A, B)),
    ]),
]

MANY = [
    Scene("a frame to many is judged for each", "deny", [
        rule(1, "not-to-c", "deny", receiver={"groups": ["shut"]}, protocol="udp", dst_ports=["67"]),
        rule(2, "to-group", receiver={"groups": ["open", "shut"]}, protocol="udp", dst_ports=["67-68"], stateful=False),
        rule(3, "experiment-to-d", receiver={"groups": ["own"]}, ethertype=EXPERIMENT),
    ], [
        reaches("one is allowed", A, dhcp(A), B),
        reaches("two are allowed", A, ether(A, BROADCAST) / IP(src=v4(A), dst="255.255.255.255") / UDP(dport=68), B, C),
        default("none is", A, ether(A, BROADCAST) / IP(src=v4(A), dst="255.255.255.255") / UDP(dport=69)),
        reaches("no IP at all", A, experiment(A, BROADCAST), D),
        reaches("multicast", A, experiment(A, "33:33:00:00:00:99"), D),
        reaches("to an unknown station", A, experiment(A, "02:00:00:00:99:99"), D),
        default("from the only one that may hear it", D, experiment(D, BROADCAST)),
        reaches("ARP reaches all", A, arp(A), B, C, D),
        reaches("IPv6 multicast, UDP", A, ether(A, ALL_NODES) / IPv6(src=v6(A), dst="ff02::1") / UDP(dport=67), B),
    ], ports={B: {"group": "open"}, C: {"group": "shut"}, D: {"group": "own"}}, groups=("open", "shut", "own")),
    Scene("isolated attachments, whatever is allowed", "deny", [rule(1, "udp", protocol="udp", stateful=False)], [
        dropped("isolated", "both are", A, udp(A, B)),
        passes("one is", A, udp(A, C)),
        passes("the other is", C, udp(C, A)),
        passes("none is", C, udp(C, D)),
        default("one is, and no rule allows it", A, tcp(A, C, "S")),
        reaches("ARP to everybody", A, arp(A), C, D),
        reaches("allowed, to everybody", A, ether(A, BROADCAST) / IP(src=v4(A), dst="255.255.255.255") / UDP(dport=9), C, D),
        reaches("from one that is not", C, ether(C, BROADCAST) / IP(src=v4(C), dst="255.255.255.255") / UDP(dport=9), A, B, D),
    ], ports={A: {"isolated": True}, B: {"isolated": True}}),
    Scene("addresses must be one's own, whatever is allowed", "deny", [rule(1, "udp", protocol="udp")], [
        passes("its own", A, udp(A, B)),
        dropped("spoofed_ip", "another's address", A, ip(A, B, src=v4(C)) / UDP(dport=53)),
        dropped("spoofed_ip", "another's IPv6 address", A, ip6(A, B, src=v6(C)) / UDP(dport=53)),
        dropped("spoofed_mac", "another MAC", A, Ether(src="02:00:00:00:77:77", dst=mac_of(B)) / IP(src=v4(A), dst=v4(B)) / UDP(dport=53)),
        dropped("spoofed_arp", "another's ARP", A, arp(A, psrc=v4(C))),
        dropped("spoofed_nd", "another's NA", A, nd(A, ICMPv6ND_NA(tgt=v6(C)))),
        default("its own, and not allowed", A, tcp(A, B, "S")),
        dropped("spoofed_ip", "another's, and not allowed", A, ip(A, B, src=v4(C)) / TCP(dport=53)),
        reaches("its own ARP", A, arp(A), B, C, D),
    ], ports={A: {"security": "strict"}}),
    Scene("VLAN tags hide nothing", "deny", [
        rule(1, "udp", protocol="udp", dst_ports=["53"], stateful=False),
        rule(2, "six", ethertype="ipv6", protocol="tcp", stateful=False),
        rule(3, "experiment", ethertype=EXPERIMENT),
    ], [
        passes("allowed in a tag", A, ether(A, B) / Dot1Q(vlan=7) / udp(A, B)[IP]),
        default("another port in a tag", A, ether(A, B) / Dot1Q(vlan=7) / udp(A, B, destination=54)[IP]),
        passes("in two tags", A, ether(A, B) / Dot1Q(vlan=7) / Dot1Q(vlan=8) / udp(A, B)[IP]),
        default("another port in two tags", A, ether(A, B) / Dot1Q(vlan=7) / Dot1Q(vlan=8) / udp(A, B, destination=54)[IP]),
        passes("IPv6 in a tag", A, ether(A, B) / Dot1Q(vlan=7) / tcp(A, B, "S", net=ip6)[IPv6]),
        default("IPv4 in a tag, where IPv6 is allowed", A, ether(A, B) / Dot1Q(vlan=7) / tcp(A, B, "S")[IP]),
        passes("ARP in a tag", A, ether(A, B) / Dot1Q(vlan=7) / ARP(psrc=v4(A), pdst=v4(B))),
        passes("an EtherType in a tag", A, ether(A, B) / Dot1Q(vlan=7, type=EXPERIMENT) / Raw(b"x" * 46)),
        default("another in a tag", A, ether(A, B) / Dot1Q(vlan=7, type=EXPERIMENT + 1) / Raw(b"x" * 46)),
    ], ports={A: {"tagged": "carry"}, B: {"tagged": "carry"}}),
]

RULE_SCENES = DEFAULTS + NAMED + ORDER + ENDS + HEADERS + MANY
