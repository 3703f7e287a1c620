# SPDX-License-Identifier: Apache-2.0
"""Writes what a fuzz target starts from: seeds.py TARGET FOLDER. The frames are scapy's."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from lib.stations import PORT_SECURITY, STRICT  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
from scapy.layers.l2 import ARP, Dot1Q, Ether

NODE, PEER, ALL = "02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"
NODE4, PEER4, NODE6, PEER6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"


def underlay():
    """As tests/fuzz/underlay.cpp reads them: a link that is up and all remotes wanted, then a frame, then a minute."""
    to_node = Ether(dst=NODE, src=PEER)
    to_all = Ether(dst=ALL, src=PEER)
    to_group = Ether(dst="33:33:ff:00:00:01", src=PEER)
    node_group, group6 = "ff02::1:ff00:1", Ether(dst="33:33:00:00:00:01", src=PEER)
    ask = ARP(op=1, hwsrc=PEER, psrc=PEER4, pdst=NODE4)
    frames = {
        "arp-request": to_all / ask,
        "arp-tagged": to_all / Dot1Q(vlan=0, prio=6) / ask,
        "arp-reply": to_node / ARP(op=2, hwsrc=PEER, psrc=PEER4, hwdst=NODE, pdst=NODE4),
        "arp-gratuitous": to_all / ARP(op=1, hwsrc=PEER, psrc=PEER4, pdst=PEER4),
        "arp-probe": to_all / ARP(op=1, hwsrc=PEER, psrc="0.0.0.0", pdst=NODE4),
        "arp-duplicate": to_all / ARP(op=1, hwsrc=PEER, psrc=NODE4, pdst=NODE4),
        "solicitation": to_group / IPv6(src=PEER6, dst=node_group) / ICMPv6ND_NS(tgt=NODE6)
        / ICMPv6NDOptSrcLLAddr(lladdr=PEER),
        "dad": to_group / IPv6(src="::", dst=node_group) / ICMPv6ND_NS(tgt=NODE6),
        "advertisement": to_node / IPv6(src=PEER6, dst=NODE6) / ICMPv6ND_NA(R=0, S=1, O=1, tgt=PEER6)
        / ICMPv6NDOptDstLLAddr(lladdr=PEER),
        "advertisement-to-all": group6 / IPv6(src=PEER6, dst="ff02::1") / ICMPv6ND_NA(R=1, S=0, O=1, tgt=PEER6)
        / ICMPv6NDOptDstLLAddr(lladdr=PEER),
        "duplicate": group6 / IPv6(src=NODE6, dst="ff02::1") / ICMPv6ND_NA(R=0, S=0, O=1, tgt=NODE6)
        / ICMPv6NDOptDstLLAddr(lladdr=PEER),
        "ping": to_node / IP(src=PEER4, dst=NODE4) / ICMP(id=1, seq=2) / b"abcde",
        "ping6": to_node / IPv6(src=PEER6, dst=NODE6) / ICMPv6EchoRequest(id=1, seq=2, data=b"abcde"),
    }
    for name, frame in frames.items():
        octets = bytes(frame)
        yield name, b"\xdf\x40" + len(octets).to_bytes(2, "little") + octets + b"\xbf" * 4


def answers():
    """As tests/fuzz/answers.cpp reads them: requests, and packets beyond what is said to fit."""
    station = Ether(dst=NODE, src=PEER)
    group = Ether(dst="33:33:ff:00:00:01", src=PEER)
    tag = Dot1Q(vlan=7)
    four, six = IP(src=PEER4, dst=NODE4, flags="DF"), IPv6(src=PEER6, dst=NODE6)
    frames = {
        "arp": Ether(dst=ALL, src=PEER) / ARP(op=1, hwsrc=PEER, psrc=PEER4, pdst=NODE4),
        "solicitation": group / IPv6(src=PEER6, dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt=NODE6) / ICMPv6NDOptSrcLLAddr(lladdr=PEER),
        "dad": group / tag / IPv6(src="::", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt=NODE6),
        "ping": station / four / ICMP() / (b"x" * 60),
        "udp": station / tag / tag / four / UDP() / (b"x" * 60),
        "ping6": station / six / ICMPv6EchoRequest(data=b"x" * 60),
        "extensions": station / six / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(m=1) / ICMPv6EchoRequest(data=b"x" * 60),
    }
    for name, frame in frames.items():
        yield name, b"\x40\x50\x00" + bytes(frame)


NICS = {0: "02:00:00:00:00:aa", 1: "02:00:00:00:00:ab"}
REPAIR, CHAINED, SMALL, END, MATCHED = 0x08, 0x10, 0x20, 0x40, 0x80


def step(port, frame, flags=END, first=64):
    octets = bytes(frame)
    return (bytes([port | flags]) + len(octets).to_bytes(2, "little") + (bytes([first]) if flags & CHAINED else b"")
            + octets)


def outer(nic, source, shim, inner, checksum=False, ecn=0, options=(), port=4789):
    """From a remote to the switch; the UDP checksum is scapy's or none."""
    local = {"192": "192.0.2.1", "198": "198.51.100.1"}.get(source[:3], source[:-1] + "1")
    ip = (IPv6(src=source, dst=local, tc=ecn) if ":" in source
          else IP(src=source, dst=local, tos=ecn, options=list(options)))
    udp = UDP(sport=50000, dport=port)
    if not checksum:
        udp.chksum = 0
    ether = Ether(src=PEER, dst=NICS[nic])
    return (ether / Dot1Q(vlan=7) if nic else ether) / ip / udp / (shim + bytes(inner))


def vxlan(vni, group=None):
    return (b"\x08\0\0\0" if group is None else b"\x88\0" + group.to_bytes(2, "big")) + vni.to_bytes(3, "big") + b"\0"


def geneve(vni, options=b"", critical=0):
    return bytes([len(options) // 4, critical << 6]) + b"\x65\x58" + vni.to_bytes(3, "big") + b"\0" + options


def tunnel():
    """As tests/fuzz/tunnel.cpp reads them: frames from every tunnel and every port, and bursts of several."""
    inner = Ether(src="02:00:00:00:01:01", dst=ALL) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP() / b"abcdefgh"
    known = Ether(src="02:00:00:00:01:02", dst="02:00:00:00:01:01") / IPv6(src="fd00::1", dst="fd00::2") / TCP()
    marked = inner.copy()
    marked[IP].tos = 2
    vlans = [Ether(src="02:00:00:00:01:03", dst=ALL) / Dot1Q(vlan=vlan) / IP() / ICMP() for vlan in (10, 20, 30)]
    group = b"\xff\x42\x01\x01\x41\x43\0\0"
    option, critical = b"\x01\x02\x03\x01wxyz", b"\x01\x02\x83\x01wxyz"
    frames = {
        "a-blue": (0, outer(0, "192.0.2.2", vxlan(100), inner)),
        "a-red": (0, outer(0, "192.0.2.2", vxlan(200), inner, checksum=True)),
        "a-unknown": (0, outer(0, "192.0.2.2", vxlan(300), inner)),
        "a-congested": (0, outer(0, "192.0.2.2", vxlan(100), marked, ecn=3)),
        "a-not-capable": (0, outer(0, "192.0.2.2", vxlan(100), inner, ecn=3)),
        "a-marked6": (0, outer(0, "192.0.2.2", vxlan(100), known, ecn=1)),
        "a-options": (0, outer(0, "192.0.2.2", vxlan(100), inner, options=[b"\x01"] * 8)),
        "b-spoke": (0, outer(0, "192.0.2.3", vxlan(100), inner, checksum=True)),
        "c-geneve": (0, outer(0, "192.0.2.4", geneve(100), inner, port=6081)),
        "c-options": (0, outer(0, "192.0.2.4", geneve(200, option), inner, checksum=True, port=6081)),
        "c-critical": (0, outer(0, "192.0.2.4", geneve(200, critical, 1), inner, port=6081)),
        "a-group": (0, outer(0, "192.0.2.2", vxlan(100, 0x4142), inner)),
        "b-group": (0, outer(0, "192.0.2.3", vxlan(100, 0x4143), inner)),
        "c-group": (0, outer(0, "192.0.2.4", geneve(100, group), inner, port=6081)),
        "c-group-behind": (0, outer(0, "192.0.2.4", geneve(100, option + group), inner, port=6081)),
        "e-group": (0, outer(0, "2001:db8::3", geneve(200, group), inner, port=6081)),
        "f-group": (1, outer(1, "198.51.100.2", vxlan(200, 0x4143), inner)),
        "d-v6": (0, outer(0, "2001:db8::2", vxlan(100), inner, checksum=True)),
        "e-v6": (0, outer(0, "2001:db8::3", geneve(200), inner, port=6081)),
        "f-vlan": (1, outer(1, "198.51.100.2", vxlan(200), inner)),
        "g-vlan": (1, outer(1, "2001:db8:1::2", geneve(100), inner, checksum=True, ecn=1, port=6081)),
        "arp": (0, Ether(src=PEER, dst=ALL) / ARP(op=1, hwsrc=PEER, psrc="192.0.2.2", pdst="192.0.2.1")),
        "ping": (0, Ether(src=PEER, dst=NICS[0]) / IP(src="192.0.2.2", dst="192.0.2.1") / ICMP()),
        "b1": (2, inner),
        "r1": (3, inner),
        **{f"t1-{at}": (4, frame) for at, frame in enumerate(vlans)},
    }
    frames["a-padded"] = (0, bytes(frames["a-blue"][1]) + b"\0" * 9)
    for name, (port, frame) in frames.items():
        yield name, step(port, frame)
        yield name + "-repaired", step(port, frame, REPAIR | END)
        yield name + "-chained", step(port, frame, REPAIR | CHAINED | END)
        yield name + "-small", step(port, frame, CHAINED | SMALL | END, 100)
        if port < len(NICS):
            yield name + "-matched", step(port, frame, REPAIR | END | MATCHED)
    alike = outer(0, "192.0.2.2", vxlan(100), known)
    yield "burst-alike", step(0, alike, 0) * 3 + step(0, alike, END)
    yield "burst-matched", step(0, alike, MATCHED) * 2 + step(*frames["a-red"], MATCHED) + step(0, alike, END | MATCHED)
    yield "burst-groups", b"".join(step(0, outer(0, "192.0.2.2", vxlan(100, number), known), 0) for number in (1, 2, 3, 1))
    yield "burst-mixed", b"".join(step(*frames[name], 0) for name in ("a-blue", "c-options", "d-v6", "b1"))
    yield "there-and-back", step(*frames["a-blue"]) + step(2, known) + step(4, vlans[0]) + step(0, alike)


def messages():
    """As tests/fuzz/messages.cpp reads them: how guests start and stop, with split and with packed rings."""
    event, memory = 0x01, 0x21  # one descriptor of a kind; 0x80: more is said before it is heard

    def message(request, payload=b"", how=0, flags=1):
        said = struct.pack("<III", request, flags, len(payload)) + payload
        return bytes([how, len(said)]) + said

    def ring(number, size, base):
        pair = struct.pack("<II", number, size)
        return (message(8, pair) + message(10, struct.pack("<II", number, base)) + message(9, struct.pack("<IIQQQQ", number, 0, 0, 6144, 4096, 0))
                + message(13, struct.pack("<Q", number), event) + message(12, struct.pack("<Q", number), event)
                + message(18, struct.pack("<II", number, 1)))

    def negotiated(features):
        return (message(1) + message(3) + message(15) + message(16, struct.pack("<Q", 0x19)) + message(17)
                + message(2, struct.pack("<Q", features)) + message(5, struct.pack("<IIQQQQ", 1, 0, 0, 1 << 20, 0, 0), memory))
    split = negotiated(1 << 32 | 1 << 30) + ring(0, 64, 0) + ring(1, 64, 0)
    packed = negotiated(1 << 34 | 1 << 32 | 1 << 30) + ring(0, 63, 0x8000) + ring(1, 63, 0x8000)
    yield "split", b"\x00" + split
    yield "packed", b"\x00" + packed
    yield "stopped", b"\x01" + split + message(11, struct.pack("<II", 0, 0)) + message(11, struct.pack("<II", 1, 0)) + ring(0, 128, 5)
    yield "others", (b"\x02" + message(1, flags=9) + message(20, struct.pack("<Q", 1500)) + message(19, bytes(8)) + message(39, bytes(8)) + message(40)
                     + message(6, struct.pack("<QQ", 4096, 0), memory) + message(7, b"", event) + message(12, struct.pack("<Q", 0x101)) + message(4))
    regions = struct.pack("<II", 8, 0) + struct.pack("<QQQQ", 0, 4096, 0, 0) * 8
    yield "regions", b"\x00" + message(1) + bytes([0x28 | 0x80, 12]) + struct.pack("<III", 5, 1, len(regions)) + b"\x00\xff" + regions[:255] + b"\x00\x09" + regions[255:]
    yield "in-pieces", b"\x00" + b"".join(b"\x80\x01" + bytes([octet]) for octet in struct.pack("<IIIQ", 2, 1, 8, 1 << 32))


def stations():
    """As tests/fuzz/stations.cpp reads them: what the strict station of the tests sends."""
    for number, case in enumerate(PORT_SECURITY):
        if case.sender == STRICT:
            yield f"{number:03}", b"\x40" + bytes(case.frame)


TARGETS = {"answers": answers, "messages": messages, "stations": stations, "underlay": underlay, "tunnel": tunnel}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"{__doc__.strip()} TARGET is one of: {', '.join(sorted(TARGETS))}")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in TARGETS[sys.argv[1]]():
        (folder / name).write_bytes(octets)


main()
