# SPDX-License-Identifier: Apache-2.0
"""Writes what a fuzz target starts from: seeds.py TARGET FOLDER. The frames are scapy's."""
import pathlib
import sys

from scapy.layers.inet import ICMP, IP, UDP
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


TARGETS = {"underlay": underlay, "answers": answers}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"{__doc__.strip()} TARGET is one of: {', '.join(sorted(TARGETS))}")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in TARGETS[sys.argv[1]]():
        (folder / name).write_bytes(octets)


main()
