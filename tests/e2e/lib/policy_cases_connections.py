# SPDX-License-Identifier: Apache-2.0
"""Cases of policy: connections, what belongs to one, and what only looks so."""
from scapy.all import ICMP, IP, SCTP, UDP, ICMPv6EchoReply, Raw

from .policy_scene import (A, B, C, ETHERNET, IPV4, Scene, at, default, denied, dropped, echo, echo6, error, error6, ip, ip6, passes, rule, tcp,
                           udp, unreadable, v4)

FAR = 1 << 30  # more than any window has (RFC 7323, section 2.3)
WEB = rule(1, "web", sender=at(A), receiver=at(B), protocol="tcp", dst_ports=["80"])
DNS = rule(1, "dns", sender=at(A), receiver=at(B), protocol="udp", dst_ports=["53"])


def client(flags, seq, ack=0, port=4000, **fields):
    return tcp(A, B, flags, port, 80, seq, ack, **fields)


def server(flags, seq, ack=0, port=4000, **fields):
    return tcp(B, A, flags, 80, port, seq, ack, **fields)


def handshake(port, **fields):
    """The client is at 1001 then, the server at 9001."""
    return [passes(f"{port}: SYN", A, client("S", 1000, 0, port, **fields)),
            passes(f"{port}: SYN-ACK", B, server("SA", 9000, 1001, port, **fields)),
            passes(f"{port}: ACK", A, client("A", 1001, 9001, port, **fields))]


TCP_SCENES = [
    Scene("TCP that no connection is there for", "deny", [WEB], [
        default("SYN the other way", B, tcp(B, A, "S", 4000, 80)),
        default("SYN-ACK without SYN", B, server("SA", 9000, 1001)),
        default("ACK", A, client("A", 1001, 9001)),
        default("data", A, client("PA", 1001, 9001, data=b"GET")),
        default("data, from the server", B, server("PA", 9001, 1001, data=b"200")),
        default("FIN", A, client("FA", 1001, 9001)),
        default("RST", A, client("R", 1001)),
        default("RST, from the server", B, server("RA", 0, 1001)),
        default("SYN-ACK, where SYN is allowed", A, client("SA", 1000, 9001)),
        default("SYN and FIN", A, client("SF", 1000)),
        default("SYN and RST", A, client("SR", 1000)),
        default("SYN with all there is", A, client("SFRPAU", 1000)),
        default("no flags", A, client("", 1000)),
        default("FIN, PSH, URG: a Christmas tree", A, client("FPU", 1000)),
        passes("SYN", A, client("S", 1000)),
        passes("SYN with ECN (RFC 3168)", A, client("SEC", 1000, port=4001)),
        passes("SYN with data (RFC 7413)", A, client("S", 1000, port=4002, data=b"GET")),
        passes("SYN with options", A, client("S", 1000, port=4003, options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("WScale", 7)])),
        passes("SYN over IPv6", A, client("S", 1000, net=ip6)),
        default("another port", A, tcp(A, B, "S", 4000, 81)),
        default("from another", C, tcp(C, B, "S")),
    ]),
    Scene("a TCP connection, from its SYN to its end", "deny", [WEB], [
        passes("SYN", A, client("S", 1000)),
        passes("SYN once more", A, client("S", 1000)),
        default("SYN-ACK from another port", B, tcp(B, A, "SA", 81, 4000, 9000, 1001)),
        default("SYN-ACK to another port", B, server("SA", 9000, 1001, port=4001)),
        default("SYN-ACK from another station", C, tcp(C, A, "SA", 80, 4000, 9000, 1001)),
        default("SYN-ACK over IPv6", B, server("SA", 9000, 1001, net=ip6)),
        passes("SYN-ACK", B, server("SA", 9000, 1001)),
        passes("ACK", A, client("A", 1001, 9001)),
        passes("data", A, client("PA", 1001, 9001, data=b"GET /")),
        passes("ACK of the server", B, server("A", 9001, 1006)),
        passes("data of the server", B, server("PA", 9001, 1006, data=b"200 OK")),
        passes("the same data once more", B, server("PA", 9001, 1006, data=b"200 OK")),
        passes("ACK of it", A, client("A", 1006, 9007)),
        default("SYN and FIN", A, client("SF", 1006)),
        default("SYN and RST", B, server("SR", 9007)),
        default("FIN and RST", B, server("FRA", 9007, 1006)),
        default("RST far outside the window", B, server("R", 9007 + FAR)),
        default("RST far before the window", B, server("R", (9007 - FAR) % (1 << 32))),
        default("RST far outside the window, of the client", A, client("R", 1006 + FAR)),
        default("data of another station's", C, tcp(C, B, "PA", 4000, 80, 1006, 9007, b"x")),
        default("data to another port", A, tcp(A, B, "PA", 4000, 81, 1006, 9007, b"x")),
        default("data over another protocol", A, udp(A, B, 4000, 80)),
        passes("none of it has ended the connection", A, client("PA", 1006, 9007, data=b"more")),
        passes("nor the other way", B, server("A", 9007, 1010)),
        passes("FIN", A, client("FA", 1010, 9007)),
        passes("ACK of the FIN", B, server("A", 9007, 1011)),
        passes("the server is not done yet", B, server("PA", 9007, 1011, data=b"tail")),
        passes("ACK of it, after FIN", A, client("A", 1011, 9011)),
        passes("FIN of the server", B, server("FA", 9011, 1011)),
        passes("the last ACK", A, client("A", 1011, 9012)),
        passes("the same ports again: SYN", A, client("S", 500_000)),
        passes("SYN-ACK", B, server("SA", 700_000, 500_001)),
        passes("ACK", A, client("A", 500_001, 700_001)),
    ]),
    Scene("TCP connections that are reset", "deny", [WEB], [
        passes("SYN", A, client("S", 1000)),
        passes("refused", B, server("RA", 0, 1001)),
        default("data after that", B, server("PA", 1, 1001, data=b"x")),
        passes("SYN again", A, client("S", 2000)),
        *handshake(4001),
        passes("RST of the client", A, client("R", 1001, port=4001)),
        passes("what was on its way behind it", A, client("PA", 1001, 9001, 4001, data=b"x")),
        passes("a new SYN", A, client("S", 7000, port=4001)),
        default("which the server has not answered yet", A, client("PA", 7001, 9001, 4001, data=b"x")),
        *handshake(4002),
        passes("RST of the server", B, server("RA", 9001, 1001, 4002)),
        passes("the client has not believed it", A, client("PA", 1001, 9001, 4002, data=b"x")),
        passes("nor has the server sent it", B, server("PA", 9001, 1002, 4002, data=b"x")),
        passes("SYN", A, client("S", 1000, port=4003)),
        default("refused by who has not seen the SYN", B, server("RA", 0, 1001 + FAR, 4003)),
        passes("SYN-ACK after that", B, server("SA", 9000, 1001, 4003)),
        passes("SYN", A, client("S", 1000, port=4004)),
        passes("given up", A, client("R", 1001, port=4004)),
        default("SYN-ACK after that", B, server("SA", 9000, 1001, 4004)),
        *handshake(4005, net=ip6),
        default("over IPv6, RST far outside the window", B, server("R", 9001 + FAR, port=4005, net=ip6)),
        passes("over IPv6, data after that", B, server("PA", 9001, 1001, 4005, data=b"x", net=ip6)),
        passes("over IPv6, RST", B, server("R", 9001 + 1, port=4005, net=ip6)),
        passes("over IPv6, data on its way behind it", B, server("PA", 9002, 1001, 4005, data=b"x", net=ip6)),
    ]),
]

BESIDE_RULES = [
    Scene("a connection passes rules that deny", "deny", [
        rule(1, "nothing-to-a", "deny", receiver=at(A)),
        rule(2, "from-a", sender=at(A)),
    ], [
        denied("UDP to a", B, udp(B, A, 53, 5000)),
        passes("UDP of a", A, udp(A, B, 5000, 53)),
        passes("its answer", B, udp(B, A, 53, 5000)),
        denied("UDP to a, another port", B, udp(B, A, 53, 5001)),
        denied("SYN to a", B, tcp(B, A, "S", 80, 4000)),
        passes("SYN of a", A, tcp(A, B, "S")),
        passes("its answer", B, tcp(B, A, "SA", 80, 4000, 9000, 1)),
        passes("echo of a", A, echo(A, B)),
        passes("its answer", B, echo(B, A, 0)),
    ]),
    Scene("what no rule has let through opens no connection", "allow", [
        rule(1, "nothing-to-a", "deny", receiver=at(A)),
        rule(2, "no-53", "deny", sender=at(A), protocol="udp", dst_ports=["53"]),
    ], [
        passes("by default", A, udp(A, B, 5000, 54)),
        denied("its answer", B, udp(B, A, 54, 5000)),
        passes("SYN, by default", A, tcp(A, B, "S")),
        denied("its answer", B, tcp(B, A, "SA", 80, 4000, 9000, 1)),
        denied("a question that is denied", A, udp(A, B, 5000, 53)),
        denied("the answer to it", B, udp(B, A, 53, 5000)),
    ]),
    Scene("a stray segment goes on to the next rules", "deny", [
        rule(1, "web", protocol="tcp", dst_ports=["80-82"]),
        rule(2, "stray-80", "deny", protocol="tcp", dst_ports=["80"]),
        rule(3, "stray-81", protocol="tcp", dst_ports=["81"], stateful=False),
    ], [
        passes("SYN", A, tcp(A, B, "S", 4000, 80)),
        denied("ACK that the next rule denies", A, tcp(A, B, "A", 4001, 80)),
        passes("ACK that the next rule allows", A, tcp(A, B, "A", 4001, 81)),
        default("its answer: there is no connection", B, tcp(B, A, "A", 81, 4001)),
        default("ACK that no rule is left for", A, tcp(A, B, "A", 4001, 82)),
        denied("a reply of none", B, tcp(B, A, "SA", 4001, 80)),
    ]),
    Scene("a stray segment that may pass by default", "allow", [rule(1, "web", protocol="tcp", dst_ports=["80"])], [
        passes("ACK", A, tcp(A, B, "A")),
        passes("SYN-ACK", B, tcp(B, A, "SA", 80, 4000)),
        passes("an ICMP error about nothing", B, error(B, A, udp(A, B))),
    ]),
    Scene("stateless rules have one direction, and let all of it pass", "deny", [
        rule(1, "web", sender=at(A), receiver=at(B), protocol="tcp", dst_ports=["80"], stateful=False),
        rule(2, "dns", sender=at(A), receiver=at(B), protocol="udp", dst_ports=["53"], stateful=False),
        rule(3, "ping", sender=at(A), receiver=at(B), protocol="icmp", stateful=False),
        rule(4, "ping6", sender=at(A), receiver=at(B), protocol="icmpv6", stateful=False),
        rule(5, "gre", sender=at(A), receiver=at(B), protocol=47, stateful=False),
        rule(6, "answers", sender=at(C), receiver=at(A), protocol="tcp", src_ports=["80"], stateful=False),
    ], [
        passes("SYN", A, tcp(A, B, "S")),
        default("SYN-ACK", B, tcp(B, A, "SA", 80, 4000, 9000, 1)),
        passes("ACK", A, tcp(A, B, "A", 4000, 80, 1, 9001)),
        passes("RST", A, tcp(A, B, "R", 4001, 80, FAR)),
        passes("SYN and FIN", A, tcp(A, B, "SF", 4001, 80)),
        default("RST back", B, tcp(B, A, "RA", 80, 4000, 0, 1)),
        passes("UDP", A, udp(A, B)),
        default("its answer", B, udp(B, A, 53, 5000)),
        passes("echo request", A, echo(A, B)),
        default("its answer", B, echo(B, A, 0)),
        passes("echo reply", A, echo(A, B, 0)),
        passes("ICMP error", A, error(A, B, udp(B, A))),
        default("ICMP error about what passed", B, error(B, A, udp(A, B))),
        passes("ICMPv6 echo request", A, echo6(A, B)),
        default("its answer", B, echo6(B, A, ICMPv6EchoReply)),
        passes("MLD", A, ip6(A, B, nh=58) / Raw(bytes([143]) + bytes(7))),
        passes("GRE", A, ip(A, B, proto=47) / Raw(bytes(8))),
        default("its answer", B, ip(B, A, proto=47) / Raw(bytes(8))),
        passes("the answers' own rule", C, tcp(C, A, "SA", 80, 4000)),
        default("and not the question", A, tcp(A, C, "S")),
    ]),
]

UDP_SCENES = [
    Scene("UDP and its answers", "deny", [DNS], [
        default("an answer before its question", B, udp(B, A, 53, 5000)),
        passes("question", A, udp(A, B)),
        passes("answer", B, udp(B, A, 53, 5000)),
        passes("a second answer", B, udp(B, A, 53, 5000, b"more")),
        passes("a second question", A, udp(A, B, data=b"more")),
        default("from another port", B, udp(B, A, 54, 5000)),
        default("to another port", B, udp(B, A, 53, 5001)),
        default("from another station", C, udp(C, A, 53, 5000)),
        default("to another station", B, udp(B, C, 53, 5000)),
        default("ports the wrong way round", B, udp(B, A, 5000, 53)),
        default("of TCP", B, tcp(B, A, "A", 53, 5000)),
        default("over IPv6", B, udp(B, A, 53, 5000, net=ip6)),
        passes("question over IPv6", A, udp(A, B, net=ip6)),
        passes("answer over IPv6", B, udp(B, A, 53, 5000, net=ip6)),
        default("over IPv6 to another port", B, udp(B, A, 53, 5001, net=ip6)),
        passes("both ports the same", A, udp(A, B, 53, 53)),
        passes("its answer", B, udp(B, A, 53, 53)),
        passes("from port 0", A, udp(A, B, 0, 53)),
        passes("to port 0", B, udp(B, A, 53, 0)),
        passes("without data", A, ip(A, B) / UDP(sport=5009, dport=53)),
    ]),
    Scene("a port has its share of connections", "deny", [rule(1, "udp", protocol="udp", dst_ports=["53"])], [
        passes("the first", A, udp(A, B, 5000)),
        passes("is answered", B, udp(B, A, 53, 5000)),
        passes("the second", A, udp(A, B, 5001)),
        passes("is answered", B, udp(B, A, 53, 5001)),
        dropped("connection_limit", "a third", A, udp(A, B, 5002)),
        default("which has no answer", B, udp(B, A, 53, 5002)),
        passes("the first goes on", A, udp(A, B, 5000)),
        passes("the second, too", B, udp(B, A, 53, 5001)),
        passes("another port has its own share", C, udp(C, B, 5000)),
    ], ports={A: {"limits": {"connections": 2}}}),
]


QUESTION, ANSWER = udp(A, B), udp(B, A, 53, 5000)
SYN = client("S", 1000)

ICMP_SCENES = [
    Scene("ICMP questions and answers", "deny", [rule(1, "ping", sender=at(A), receiver=at(B), protocol="icmp"),
                                                rule(2, "ping6", sender=at(A), receiver=at(B), protocol="icmpv6")], [
        default("an answer before its question", B, echo(B, A, 0)),
        passes("echo request", A, echo(A, B)),
        passes("echo reply", B, echo(B, A, 0)),
        passes("of another sequence number", B, echo(B, A, 0, seq=9)),
        passes("request of another sequence number", A, echo(A, B, seq=9)),
        default("reply with another id", B, echo(B, A, 0, number=8)),
        default("reply of another", C, echo(C, A, 0)),
        default("timestamp reply with that id", B, echo(B, A, 14)),
        default("echo reply in IPv6", B, echo6(B, A, ICMPv6EchoReply)),
        default("request of the other side", B, echo(B, A, 8, number=9)),
        passes("timestamp request", A, echo(A, B, 13, number=21)),
        passes("timestamp reply", B, echo(B, A, 14, number=21)),
        default("address mask request: such have no state", A, echo(A, B, 17, number=22)),
        default("router solicitation", A, echo(A, B, 10)),
        default("redirect", A, ip(A, B) / ICMP(type=5, gw=v4(A)) / Raw(bytes(28))),
        default("unreachable about nothing", A, error(A, B, udp(B, A, 1, 2))),
        passes("ICMPv6 echo request", A, echo6(A, B)),
        passes("ICMPv6 echo reply", B, echo6(B, A, ICMPv6EchoReply)),
        default("ICMPv6 echo reply with another id", B, echo6(B, A, ICMPv6EchoReply, number=8)),
        default("ICMPv6 request of the other side", B, echo6(B, A, number=9)),
        default("node information query", A, ip6(A, B, nh=58) / Raw(bytes([139]) + bytes(23))),
        default("ICMPv6 unreachable about nothing", A, error6(A, B, udp(B, A, 1, 2, net=ip6))),
        default("ICMPv6 reply without request", A, echo6(A, B, ICMPv6EchoReply, number=33)),
    ]),
    Scene("ICMP errors about connections", "deny", [
        DNS, WEB,
        rule(2, "ping", sender=at(A), receiver=at(B), protocol="icmp"),
        rule(3, "other-dns", sender=at(B), receiver=at(C), protocol="udp", dst_ports=["53"]),
    ], [
        default("about what is not there yet", B, error(B, A, QUESTION)),
        passes("a question", A, QUESTION),
        passes("port unreachable", B, error(B, A, QUESTION)),
        passes("fragmentation needed, from a router", C, error(C, A, QUESTION, 3, 4)),
        passes("time exceeded, from a router", C, error(C, A, QUESTION, 11, 0)),
        passes("parameter problem", B, error(B, A, QUESTION, 12, 0)),
        passes("source quench", B, error(B, A, QUESTION, 4, 0)),
        default("redirect, which is none of them", C, error(C, A, QUESTION, 5, 1)),
        default("an echo reply with all that inside", B, error(B, A, QUESTION, 0, 0)),
        passes("about the answer, the other way", A, error(A, B, ANSWER)),
        default("about another port", B, error(B, A, udp(A, B, 5001))),
        default("about another protocol", B, error(B, A, tcp(A, B, "S", 5000, 53))),
        default("about a packet that its receiver has not sent", B, error(B, A, ANSWER)),
        default("to one whose connection it is not", B, error(B, C, QUESTION)),
        passes("another connection", B, udp(B, C)),
        default("about a foreign connection", C, error(C, A, udp(B, C))),
        passes("with all of the packet in it", B, error(B, A, udp(A, B, data=b"x" * 100), keep=108)),
        passes("with eight octets behind its header", B, error(B, A, QUESTION, keep=8)),
        default("with half of its ports", B, error(B, A, QUESTION, keep=2)),
        default("with nothing behind its header", B, error(B, A, QUESTION, keep=0)),
        default("with half of its header", B, error(B, A, QUESTION, keep=-10)),
        default("with nothing", B, error(B, A, QUESTION, keep=-IPV4)),
        unreadable("cut off in its own header", B, ip(B, A, proto=1) / Raw(bytes([3, 3, 0, 0]))),
        default("a header with no room for one in it", B, ip(B, A) / ICMP(type=3, code=3) / Raw(b"\x41" + bytes(QUESTION[IP])[1:28])),
        default("IPv6 in it", B, ip(B, A) / ICMP(type=3, code=3) / Raw(bytes(udp(A, B, net=ip6))[ETHERNET:])),
        default("a later fragment in it", B, error(B, A, ip(A, B, proto=17, frag=10) / QUESTION[UDP])),
        default("an error about the error", A, error(A, B, error(B, A, QUESTION), keep=36)),
        passes("SYN", A, SYN),
        passes("about the SYN", B, error(B, A, SYN)),
        passes("that did not end it", B, server("SA", 9000, 1001)),
        passes("an echo", A, echo(A, B)),
        passes("time exceeded of the echo", C, error(C, A, echo(A, B), 11, 0)),
        default("of an echo with another id", C, error(C, A, echo(A, B, number=8), 11, 0)),
    ]),
    Scene("ICMPv6 errors about connections", "deny", [DNS, WEB], [
        default("about what is not there yet", B, error6(B, A, udp(A, B, net=ip6))),
        passes("a question", A, udp(A, B, net=ip6)),
        passes("port unreachable", B, error6(B, A, udp(A, B, net=ip6))),
        passes("packet too big, from a router", C, error6(C, A, udp(A, B, net=ip6), 2, 0)),
        passes("time exceeded, from a router", C, error6(C, A, udp(A, B, net=ip6), 3, 0)),
        passes("parameter problem", B, error6(B, A, udp(A, B, net=ip6), 4, 0)),
        default("a type that is no error of these", B, error6(B, A, udp(A, B, net=ip6), 100, 0)),
        passes("about the answer, the other way", A, error6(A, B, udp(B, A, 53, 5000, net=ip6))),
        default("about another port", B, error6(B, A, udp(A, B, 5001, net=ip6))),
        default("to one whose connection it is not", B, error6(B, C, udp(A, B, net=ip6))),
        default("with nothing behind its header", B, error6(B, A, udp(A, B, net=ip6), keep=0)),
        default("with half of its header", B, error6(B, A, udp(A, B, net=ip6), keep=-20)),
        unreadable("cut off in its own header", B, ip6(B, A, nh=58) / Raw(bytes([1, 4, 0, 0]))),
        default("IPv4 in it", B, error6(B, A, udp(A, B), keep=0)),
        passes("SYN", A, client("S", 1000, net=ip6)),
        passes("about the SYN", B, error6(B, A, client("S", 1000, net=ip6))),
        passes("it went on", B, server("SA", 9000, 1001, net=ip6)),
    ]),
]


def raw(sender, receiver, protocol, net=ip):
    number = {"proto": protocol} if net is ip else {"nh": protocol}
    return net(sender, receiver, **number) / Raw(bytes(range(24)))


OTHERS = [
    Scene("other protocols: who talks to whom is the connection", "deny", [
        rule(1, "gre", sender=at(A), receiver=at(B), protocol=47),
        rule(2, "esp", sender=at(A), receiver=at(B), protocol=50),
        rule(3, "sctp", sender=at(A), receiver=at(B), protocol="sctp", dst_ports=["36412"]),
        rule(4, "experiment", sender=at(A), receiver=at(B), protocol=253),
    ], [
        default("GRE before the question", B, raw(B, A, 47)),
        passes("GRE", A, raw(A, B, 47)),
        passes("GRE back", B, raw(B, A, 47)),
        default("GRE of another", C, raw(C, A, 47)),
        default("GRE to another", B, raw(B, C, 47)),
        default("ESP is another connection", B, raw(B, A, 50)),
        passes("ESP", A, raw(A, B, 50)),
        passes("ESP back", B, raw(B, A, 50)),
        passes("ESP over IPv6", A, raw(A, B, 50, ip6)),
        passes("ESP over IPv6 back", B, raw(B, A, 50, ip6)),
        default("GRE over IPv6 back", B, raw(B, A, 47, ip6)),
        passes("GRE over IPv6", A, raw(A, B, 47, ip6)),
        passes("and back", B, raw(B, A, 47, ip6)),
        default("SCTP to another port", A, ip(A, B) / SCTP(sport=9, dport=80) / Raw(bytes(16))),
        default("SCTP before the question", B, ip(B, A) / SCTP(sport=36412, dport=9) / Raw(bytes(16))),
        passes("SCTP", A, ip(A, B) / SCTP(sport=9, dport=36412) / Raw(bytes(16))),
        passes("SCTP back", B, ip(B, A) / SCTP(sport=36412, dport=9) / Raw(bytes(16))),
        passes("a protocol for experiments (RFC 3692)", A, raw(A, B, 253)),
        passes("and back", B, raw(B, A, 253)),
        default("the next protocol", A, raw(A, B, 254)),
    ]),
]

CONNECTION_SCENES = TCP_SCENES + BESIDE_RULES + UDP_SCENES + ICMP_SCENES + OTHERS
