# SPDX-License-Identifier: Apache-2.0
"""What the tables of policy cases are written with: a scene is one segment with its rules, and frames sent in it one after another,
each with what becomes of it by docs/policy.md."""
from typing import NamedTuple

from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN, Raw

DENIED, DEFAULT, FRAGMENT, UNREADABLE = "policy_denied", "policy_default", "fragment_unjudged", "unreadable_headers"
BROADCAST, ALL_NODES = "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"
A, B, C, D = "a", "b", "c", "d"
NUMBERS = {A: 0x11, B: 0x12, C: 0x13, D: 0x14}
ETHERNET, IPV4, IPV6 = 14, 20, 40  # lengths of headers


class Step(NamedTuple):
    note: str
    sender: str
    frame: object
    #: The ports that it arrives at, as it was sent.
    to: frozenset
    #: Why it is dropped, if it arrives nowhere.
    reason: object = None


class Scene(NamedTuple):
    name: str
    default: str
    rules: list
    steps: list
    #: Fields of ports beyond those that all have; a port that is not named here has none.
    ports: dict = {}
    groups: tuple = ()


def mac_of(port):
    return f"02:00:00:00:00:{NUMBERS[port]:02x}"


def v4(port):
    return f"10.1.0.{NUMBERS[port]}"


def v6(port):
    return f"fd00::{NUMBERS[port]:x}"


def link_local(port):
    """As RFC 4291, appendix A, makes it of the MAC."""
    return f"fe80::ff:fe00:{NUMBERS[port]:x}"


PORT_OF = {mac_of(port): port for port in NUMBERS}


def port_fields(scene, port):
    """As `port.add` takes them, but for the device."""
    return {"macs": [mac_of(port)], "ips": [f"{v4(port)}/24", f"{v6(port)}/64"], **scene.ports.get(port, {})}


# ---- steps ----

def passes(note, sender, frame):
    """It arrives where its destination says."""
    destination = bytes(frame)[:6].hex(":")
    return Step(note, sender, frame, frozenset({PORT_OF[destination]}))


def reaches(note, sender, frame, *ports):
    return Step(note, sender, frame, frozenset(ports))


def dropped(reason, note, sender, frame):
    return Step(note, sender, frame, frozenset(), reason)


def denied(note, sender, frame):
    return dropped(DENIED, note, sender, frame)


def default(note, sender, frame):
    return dropped(DEFAULT, note, sender, frame)


def unjudged(note, sender, frame):
    return dropped(FRAGMENT, note, sender, frame)


def unreadable(note, sender, frame):
    return dropped(UNREADABLE, note, sender, frame)


# ---- rules ----

def rule(order, name, action="allow", **fields):
    """`sender` and `receiver` are `from` and `to`."""
    for end, key in (("sender", "from"), ("receiver", "to")):
        if end in fields:
            fields[key] = fields.pop(end)
    return {"order": order, "name": name, "action": action, **fields}


def at(*ports):
    """An end of a rule: the addresses of these ports, of both families."""
    return {"ips": [address for port in ports for address in (f"{v4(port)}/32", f"{v6(port)}/128")]}


# ---- frames ----

def ether(sender, receiver, **fields):
    """`receiver`: a port or a MAC."""
    return Ether(src=mac_of(sender), dst=mac_of(receiver) if receiver in NUMBERS else receiver, **fields)


def ip(sender, receiver, **fields):
    return ether(sender, receiver) / IP(**{"src": v4(sender), "dst": v4(receiver), **fields})


def ip6(sender, receiver, **fields):
    return ether(sender, receiver) / IPv6(**{"src": v6(sender), "dst": v6(receiver), **fields})


def udp(sender, receiver, source=5000, destination=53, data=b"datagram", net=ip):
    return net(sender, receiver) / UDP(sport=source, dport=destination) / Raw(data)


def tcp(sender, receiver, flags, source=4000, destination=80, seq=0, ack=0, data=b"", net=ip, **fields):
    segment = net(sender, receiver) / TCP(sport=source, dport=destination, flags=flags, seq=seq, ack=ack, **fields)
    return segment / Raw(data) if data else segment


def arp(sender, receiver=BROADCAST, target=B, **fields):
    return ether(sender, receiver) / ARP(**{"op": 1, "hwsrc": mac_of(sender), "psrc": v4(sender), "pdst": v4(target), **fields})


def nd(sender, message, receiver=ALL_NODES, **fields):
    """Of Neighbor Discovery, to everybody."""
    return ether(sender, receiver) / IPv6(**{"src": v6(sender), "dst": "ff02::1", "hlim": 255, **fields}) / message


def echo(sender, receiver, kind=8, number=7, **fields):
    return ip(sender, receiver) / ICMP(type=kind, id=number, **fields) / Raw(b"ping")


def echo6(sender, receiver, message=ICMPv6EchoRequest, number=7):
    return ip6(sender, receiver) / message(id=number, data=b"ping")


def error(sender, receiver, about, kind=3, code=3, keep=8, net=IPV4):
    """An ICMP error with the IP header of `about` in it and `keep` octets behind."""
    return ip(sender, receiver) / ICMP(type=kind, code=code) / Raw(bytes(about)[ETHERNET:][:max(0, net + keep)])


def error6(sender, receiver, about, kind=1, code=4, keep=48):
    """The same of ICMPv6: type, code, checksum (nobody looks), and four octets."""
    return ip6(sender, receiver, nh=58) / Raw(bytes([kind, code]) + bytes(6) + bytes(about)[ETHERNET:][:IPV6 + keep])


def cut(frame, length):
    """What is left of a frame whose sender stopped there."""
    return Raw(bytes(frame)[:length])


def pieces(frame, size, number=1):
    """An IPv4 or IPv6 packet in fragments with `size` octets of payload each (a multiple of 8, but for a packet's only one)."""
    packet = frame[IPv6] if IPv6 in frame else frame[IP]
    payload = bytes(frame)[ETHERNET + (IPV6 if IPv6 in frame else IPV4):]
    parts = []
    for start in range(0, len(payload), size):
        more, data = start + size < len(payload), Raw(payload[start:start + size])
        if IPv6 in frame:
            head = IPv6(src=packet.src, dst=packet.dst) / IPv6ExtHdrFragment(nh=bytes(packet)[6], offset=start // 8, m=more, id=number)
        else:
            head = IP(src=packet.src, dst=packet.dst, proto=bytes(packet)[9], id=number, flags="MF" if more else 0, frag=start // 8)
        parts.append(Ether(src=frame[Ether].src, dst=frame[Ether].dst) / head / data)
    return parts


def destination_options():
    return IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])


def chain(*headers):
    """IPv6 extension headers, in front of whatever follows."""
    packet = headers[0]
    for header in headers[1:]:
        packet = packet / header
    return packet
