# SPDX-License-Identifier: Apache-2.0
"""Port security as a table: what a station sends, and what becomes of it. The end-to-end test sends these frames from pods; the
unit test reads the same table as JSON, which this file prints when it is run."""
import json
import sys
from typing import NamedTuple

from scapy.all import (ARP, BOOTP, DHCP, ICMP, IP, LLC, SNAP, UDP, DHCP6_Advertise, DHCP6_Solicit, Dot1Q, Dot3, Ether, ICMPv6EchoRequest,
                       ICMPv6MLDMultAddrRec, ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, PadN, Raw, TCP)

BROADCAST, ALL_NODES = "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"
PASS = "none"


def mac_of(number):
    return f"02:00:00:00:00:{number:02x}"


# One of each kind in segment blue. "peer" is whom they talk to, and what passes arrives there.
PEER, OPEN, MAC, STRICT, ROUTER, GUARDED, NAMELESS, CARRY, TRUNK = range(2, 11)
VLAN = 10
ATTACHMENTS = {
    PEER: {"tagged": "carry"},
    OPEN: {},
    MAC: {"macs": [mac_of(MAC)], "security": "mac"},
    STRICT: {"macs": [mac_of(STRICT), mac_of(0x55)], "ips": [f"10.1.0.{STRICT}/24", "10.1.0.55/32", f"fd00::{STRICT}/64"],
             "security": "strict"},
    ROUTER: {"macs": [mac_of(ROUTER)], "ips": [f"10.1.0.{ROUTER}/24", "10.9.0.0/16", f"fd00::{ROUTER}/64", "fd09::/48", "10.8.0.0/31"],
             "security": "strict"},
    GUARDED: {"guards": ["ra", "dhcp"]},
    NAMELESS: {"macs": [mac_of(NAMELESS)], "security": "strict", "guards": ["dhcp"]},
    CARRY: {"macs": [mac_of(CARRY)], "ips": [f"10.1.0.{CARRY}/24", f"fd00::{CARRY}/64"], "security": "strict", "tagged": "carry"},
    TRUNK: {"vlan": VLAN, "macs": [mac_of(TRUNK)], "ips": [f"10.1.0.{TRUNK}/24"], "security": "strict"},
}


class Case(NamedTuple):
    name: str
    sender: int
    frame: object
    verdict: str = PASS
    #: What arrives, if that is not the frame as it was sent.
    arrives: object = None


def v4(number):
    return f"10.1.0.{number}"


def v6(number):
    return f"fd00::{number:x}"


def link_local(number):
    """As RFC 4291, appendix A, makes it of the MAC."""
    return f"fe80::ff:fe00:{number:x}"


def ether(sender, to=None):
    return Ether(src=mac_of(sender), dst=to or mac_of(PEER))


def ip(sender, source=None, target=PEER, **fields):
    return ether(sender) / IP(src=source or v4(sender), dst=v4(target), **fields)


def ip6(sender, source=None, target=PEER, **fields):
    return ether(sender) / IPv6(src=source or v6(sender), dst=v6(target), **fields)


def arp(sender, hardware=None, source=None, target=v4(PEER), op=1, **fields):
    return ether(sender, BROADCAST) / ARP(op=op, hwsrc=hardware or mac_of(sender), psrc=source or v4(sender), pdst=target, **fields)


def nd(sender, message, *options, source=None, extensions=None):
    """Of Neighbor Discovery, to everybody."""
    packet = ether(sender, ALL_NODES) / IPv6(src=source or v6(sender), dst="ff02::1", hlim=255)
    for part in (extensions, message, *options):
        packet = packet / part if part is not None else packet
    return packet


def source_mac(number):
    return ICMPv6NDOptSrcLLAddr(lladdr=mac_of(number))


def target_mac(number):
    return ICMPv6NDOptDstLLAddr(lladdr=mac_of(number))


def dhcp4(sender, source="0.0.0.0", ports=(68, 67)):
    return ether(sender, BROADCAST) / IP(src=source, dst="255.255.255.255") / UDP(sport=ports[0], dport=ports[1]) / \
        BOOTP(chaddr=bytes.fromhex(mac_of(sender).replace(":", ""))) / DHCP(options=[("message-type", "discover"), "end"])


def cut(frame, length):
    return Raw(bytes(frame)[:length])


ETHERNET, IPV4, IPV6 = 14, 20, 40
data = Raw(b"data" * 8)
udp = UDP(sport=4000, dport=5000) / data
MLD = ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=4, dst="ff02::1:ff00:5")])


def chain(*headers):
    """IPv6 extension headers, in front of whatever follows."""
    packet = headers[0]
    for header in headers[1:]:
        packet = packet / header
    return packet


def destination_options():
    return IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])


PORT_SECURITY = [
    # ---- off: nothing is asked, but that nobody takes an owned MAC ----
    Case("off: any source", OPEN, Ether(src=mac_of(0x77), dst=mac_of(PEER)) / IP(src="192.0.2.1", dst=v4(PEER)) / udp),
    Case("off: another's MAC", OPEN, ether(MAC) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "source_mac_owned"),
    Case("off: any ARP", OPEN, arp(OPEN, hardware=mac_of(STRICT), source=v4(STRICT))),
    Case("off: a router", OPEN, nd(OPEN, ICMPv6ND_RA(), source_mac(STRICT), source="fe80::1")),
    # ---- mac: source ----
    Case("mac: its own", MAC, ip(MAC) / udp),
    Case("mac: any IP address", MAC, ip(MAC, source="192.0.2.1") / udp),
    Case("mac: another MAC", MAC, ether(0x77) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "spoofed_mac"),
    Case("mac: another's MAC", MAC, ether(STRICT) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "spoofed_mac"),
    Case("mac: another MAC, no IP at all", MAC, Ether(src=mac_of(0x77), dst=mac_of(PEER), type=0x88b5) / data, "spoofed_mac"),
    Case("mac: no IP at all", MAC, Ether(src=mac_of(MAC), dst=mac_of(PEER), type=0x88b5) / data),
    Case("mac: IPv4 cut off, which nobody looks at", MAC, cut(ip(MAC), ETHERNET + 12)),
    # ---- mac: ARP ----
    Case("mac: ARP", MAC, arp(MAC)),
    Case("mac: ARP with any IP address", MAC, arp(MAC, source="192.0.2.1")),
    Case("mac: ARP for another MAC", MAC, arp(MAC, hardware=mac_of(0x77)), "spoofed_arp"),
    Case("mac: ARP reply for another MAC", MAC, arp(MAC, hardware=mac_of(STRICT), source=v4(STRICT), op=2), "spoofed_arp"),
    Case("mac: gratuitous ARP for another MAC", MAC, arp(MAC, hardware=mac_of(0x77), source=v4(MAC), target=v4(MAC)), "spoofed_arp"),
    Case("mac: ARP cut off", MAC, cut(arp(MAC), ETHERNET + 27), "unreadable_headers"),
    Case("mac: ARP of longer hardware addresses", MAC, arp(MAC, hwlen=8), "unreadable_headers"),
    Case("mac: ARP for another protocol", MAC, arp(MAC, ptype=0x86dd), "unreadable_headers"),
    Case("mac: RARP, as a hypervisor announces a guest", MAC,
         Ether(src=mac_of(MAC), dst=BROADCAST, type=0x8035) / ARP(op=3, hwsrc=mac_of(MAC), psrc="0.0.0.0", pdst="0.0.0.0", hwdst=mac_of(MAC))),
    Case("mac: RARP for another MAC", MAC,
         Ether(src=mac_of(MAC), dst=BROADCAST, type=0x8035) / ARP(op=3, hwsrc=mac_of(0x77), psrc="0.0.0.0", pdst="0.0.0.0"), "spoofed_arp"),
    # ---- mac: Neighbor Discovery ----
    Case("mac: NS", MAC, nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(MAC))),
    Case("mac: NS of another MAC", MAC, nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(0x77)), "spoofed_nd"),
    Case("mac: NA of another MAC", MAC, nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), target_mac(STRICT)), "spoofed_nd"),
    Case("mac: NA for any IP address", MAC, nd(MAC, ICMPv6ND_NA(tgt=v6(STRICT)), target_mac(MAC))),
    Case("mac: RS of another MAC", MAC, nd(MAC, ICMPv6ND_RS(), source_mac(0x77)), "spoofed_nd"),
    Case("mac: RA of another MAC", MAC, nd(MAC, ICMPv6ND_RA(), source_mac(0x77), source=link_local(MAC)), "spoofed_nd"),
    Case("mac: RA of another MAC behind other options", MAC,
         nd(MAC, ICMPv6ND_RA(), ICMPv6NDOptMTU(), ICMPv6NDOptMTU(), source_mac(0x77), source=link_local(MAC)), "spoofed_nd"),
    Case("mac: the second of two options says another MAC", MAC,
         nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), target_mac(MAC), target_mac(0x77)), "spoofed_nd"),
    Case("mac: Redirect to another MAC", MAC,
         nd(MAC, ICMPv6ND_Redirect(tgt=v6(MAC), dst="fd01::1"), target_mac(0x77)), "spoofed_nd"),
    Case("mac: an option of no length", MAC, nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), Raw(b"\x02\0" + b"\0" * 6)), "unreadable_headers"),
    Case("mac: an option that is cut off", MAC, nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), Raw(b"\x0e\x02" + b"\0" * 6)), "unreadable_headers"),
    Case("mac: an address of 16 octets", MAC, nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), Raw(b"\x02\x02" + b"\0" * 14)), "spoofed_nd"),
    Case("mac: NA that is cut off", MAC, ip6(MAC, nh=58, hlim=255) / Raw(bytes([136]) + b"\0" * 11), "unreadable_headers"),
    Case("mac: NA longer than its frame", MAC, cut(nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), target_mac(MAC)), ETHERNET + IPV6 + 24), "unreadable_headers"),
    Case("mac: NS behind extension headers, of another MAC", MAC,
         nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(0x77), extensions=chain(IPv6ExtHdrHopByHop(), destination_options())), "spoofed_nd"),
    Case("mac: NS behind extension headers", MAC,
         nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(MAC), extensions=chain(IPv6ExtHdrHopByHop(), destination_options()))),
    Case("mac: NS in an atomic fragment", MAC,
         nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(MAC), extensions=IPv6ExtHdrFragment()), "spoofed_nd"),
    Case("mac: a fragment that NS begins in", MAC,
         nd(MAC, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(MAC), extensions=IPv6ExtHdrFragment(m=1)), "spoofed_nd"),
    Case("mac: nine extension headers", MAC, ip6(MAC) / chain(*[destination_options() for _ in range(9)]) / udp, "unreadable_headers"),
    Case("mac: eight extension headers", MAC, ip6(MAC) / chain(*[destination_options() for _ in range(8)]) / udp),
    Case("mac: an extension header that is cut off", MAC,
         ip6(MAC, nh=60) / Raw(bytes([17, 3]) + b"\0" * 22), "unreadable_headers"),
    Case("mac: another MAC behind the packet's end", MAC,
         Raw(bytes(nd(MAC, ICMPv6ND_NA(tgt=v6(MAC)), target_mac(MAC))) + bytes(target_mac(0x77)))),
    # ---- strict: IPv4 ----
    Case("strict: its own", STRICT, ip(STRICT) / udp),
    Case("strict: its second MAC and address", STRICT, ether(0x55) / IP(src="10.1.0.55", dst=v4(PEER)) / udp),
    Case("strict: both its own, though not of each other", STRICT, ether(0x55) / IP(src=v4(STRICT), dst=v4(PEER)) / udp),
    Case("strict: another MAC", STRICT, ether(0x77) / IP(src=v4(STRICT), dst=v4(PEER)) / udp, "spoofed_mac"),
    Case("strict: a neighbour's address", STRICT, ip(STRICT, source=v4(MAC)) / udp, "spoofed_ip"),
    Case("strict: an address of the same network", STRICT, ip(STRICT, source="10.1.0.200") / udp, "spoofed_ip"),
    Case("strict: the network's address", STRICT, ip(STRICT, source="10.1.0.0") / udp, "spoofed_ip"),
    Case("strict: a group's address", STRICT, ip(STRICT, source="224.0.0.1") / udp, "spoofed_ip"),
    Case("strict: everybody's address", STRICT, ip(STRICT, source="255.255.255.255") / udp, "spoofed_ip"),
    Case("strict: loopback", STRICT, ip(STRICT, source="127.0.0.1") / udp, "spoofed_ip"),
    Case("strict: ICMP", STRICT, ip(STRICT) / ICMP() / data),
    Case("strict: ICMP with another source", STRICT, ip(STRICT, source=v4(PEER)) / ICMP() / data, "spoofed_ip"),
    Case("strict: with IP options", STRICT, ip(STRICT, options=[Raw(b"\x01\x01\x01\x00")]) / udp),
    Case("strict: options that are cut off", STRICT, cut(ip(STRICT, ihl=15) / Raw(b"x" * 8), ETHERNET + 28), "unreadable_headers"),
    Case("strict: a header too short", STRICT, ip(STRICT, ihl=4) / udp, "unreadable_headers"),
    Case("strict: another version", STRICT, ip(STRICT, version=6) / udp, "unreadable_headers"),
    Case("strict: cut off in its addresses", STRICT, cut(ip(STRICT) / udp, ETHERNET + 18), "unreadable_headers"),
    Case("strict: a first fragment", STRICT, ip(STRICT, flags="MF") / udp),
    Case("strict: a later fragment", STRICT, ip(STRICT, frag=100) / data),
    Case("strict: a later fragment with another source", STRICT, ip(STRICT, source=v4(MAC), frag=100) / data, "spoofed_ip"),
    Case("strict: TCP with another source", STRICT, ip(STRICT, source=v4(MAC)) / TCP(flags="R"), "spoofed_ip"),
    Case("strict: a protocol of its own", STRICT, Ether(src=mac_of(STRICT), dst=mac_of(PEER), type=0x88b5) / data),
    Case("strict: IP behind LLC and SNAP", STRICT,
         Dot3(src=mac_of(STRICT), dst=mac_of(PEER)) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(code=0x0800) / IP(src=v4(MAC), dst=v4(PEER)) / udp,
         "unreadable_headers"),
    Case("strict: LLC without SNAP", STRICT, Dot3(src=mac_of(STRICT), dst=mac_of(PEER)) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / data),
    # ---- strict: without an address yet ----
    Case("strict: DHCP", STRICT, dhcp4(STRICT)),
    Case("nameless: DHCP", NAMELESS, dhcp4(NAMELESS)),
    Case("nameless: DHCP from another port", NAMELESS, dhcp4(NAMELESS, ports=(4000, 67)), "spoofed_ip"),
    Case("nameless: to a DHCP client", NAMELESS, dhcp4(NAMELESS, ports=(67, 68)), "spoofed_ip"),
    Case("nameless: DHCP with an address", NAMELESS, dhcp4(NAMELESS, source=v4(NAMELESS)), "spoofed_ip"),
    Case("nameless: UDP from nowhere", NAMELESS, ip(NAMELESS, source="0.0.0.0") / udp, "spoofed_ip"),
    Case("nameless: DHCP's ports in a later fragment", NAMELESS,
         ip(NAMELESS, source="0.0.0.0", frag=100) / UDP(sport=68, dport=67) / data, "spoofed_ip"),
    Case("nameless: IGMP", NAMELESS, ether(NAMELESS, "01:00:5e:00:00:16") / IP(src="0.0.0.0", dst="224.0.0.22", proto=2, ttl=1) / Raw(b"\x22" + b"\0" * 7)),
    Case("nameless: IPv6 from its link-local address", NAMELESS, ip6(NAMELESS, source=link_local(NAMELESS)) / udp),
    Case("nameless: IPv6 from another link-local address", NAMELESS, ip6(NAMELESS, source=link_local(STRICT)) / udp, "spoofed_ip"),
    Case("nameless: MLD from nowhere", NAMELESS, ether(NAMELESS, "33:33:00:00:00:16") / IPv6(src="::", dst="ff02::16", hlim=1) / MLD),
    Case("nameless: RS from nowhere", NAMELESS, nd(NAMELESS, ICMPv6ND_RS(), source="::")),
    Case("nameless: an echo from nowhere", NAMELESS, nd(NAMELESS, ICMPv6EchoRequest(), source="::"), "spoofed_ip"),
    Case("nameless: UDP from nowhere, IPv6", NAMELESS, ip6(NAMELESS, source="::") / udp, "spoofed_ip"),
    Case("nameless: NA from nowhere", NAMELESS, nd(NAMELESS, ICMPv6ND_NA(tgt=link_local(NAMELESS)), source="::"), "spoofed_ip"),
    Case("nameless: DAD of its link-local address", NAMELESS, nd(NAMELESS, ICMPv6ND_NS(tgt=link_local(NAMELESS)), source="::")),
    Case("nameless: DAD of another's address", NAMELESS, nd(NAMELESS, ICMPv6ND_NS(tgt=v6(STRICT)), source="::"), "spoofed_nd"),
    Case("nameless: DHCPv6", NAMELESS,
         ether(NAMELESS, "33:33:00:01:00:02") / IPv6(src=link_local(NAMELESS), dst="ff02::1:2") / UDP(sport=546, dport=547) / DHCP6_Solicit()),
    # ---- strict: ARP ----
    Case("strict: ARP", STRICT, arp(STRICT)),
    Case("strict: ARP of its second MAC", STRICT, arp(STRICT, hardware=mac_of(0x55))),
    Case("strict: ARP for another's address", STRICT, arp(STRICT, source=v4(MAC)), "spoofed_arp"),
    Case("strict: ARP reply for another's address", STRICT, arp(STRICT, source=v4(MAC), op=2), "spoofed_arp"),
    Case("strict: gratuitous ARP", STRICT, arp(STRICT, target=v4(STRICT))),
    Case("strict: gratuitous ARP for another's address", STRICT, arp(STRICT, source=v4(MAC), target=v4(MAC)), "spoofed_arp"),
    Case("strict: probe for its address", STRICT, arp(STRICT, source="0.0.0.0", target=v4(STRICT))),
    Case("strict: probe for another's address", STRICT, arp(STRICT, source="0.0.0.0", target=v4(MAC)), "spoofed_arp"),
    Case("strict: a reply from nowhere", STRICT, arp(STRICT, source="0.0.0.0", target=v4(STRICT), op=2), "spoofed_arp"),
    Case("strict: inverse ARP for another's address", STRICT, arp(STRICT, source=v4(MAC), op=8), "spoofed_arp"),
    Case("strict: RARP reply in another's name", STRICT,
         Ether(src=mac_of(STRICT), dst=BROADCAST, type=0x8035) / ARP(op=4, hwsrc=mac_of(STRICT), psrc=v4(MAC)), "spoofed_arp"),
    # ---- strict: IPv6 ----
    Case("strict: IPv6", STRICT, ip6(STRICT) / udp),
    Case("strict: its link-local address", STRICT, ip6(STRICT, source=link_local(STRICT)) / udp),
    Case("strict: the link-local address of its second MAC", STRICT, ip6(STRICT, source=link_local(0x55)) / udp),
    Case("strict: another link-local address", STRICT, ip6(STRICT, source="fe80::1") / udp, "spoofed_ip"),
    Case("strict: another IPv6 address", STRICT, ip6(STRICT, source=v6(MAC)) / udp, "spoofed_ip"),
    Case("strict: an address of the same IPv6 network", STRICT, ip6(STRICT, source="fd00::5:1") / udp, "spoofed_ip"),
    Case("strict: a group as IPv6 source", STRICT, ip6(STRICT, source="ff02::1") / udp, "spoofed_ip"),
    Case("strict: its IPv4 address as an IPv6 one", STRICT, ip6(STRICT, source=f"::ffff:{v4(STRICT)}") / udp, "spoofed_ip"),
    Case("strict: IPv6 cut off", STRICT, cut(ip6(STRICT) / udp, ETHERNET + 39), "unreadable_headers"),
    Case("strict: IPv6 of another version", STRICT, ip6(STRICT, version=4) / udp, "unreadable_headers"),
    Case("strict: a later IPv6 fragment", STRICT, ip6(STRICT) / IPv6ExtHdrFragment(offset=50, nh=17) / data),
    Case("strict: a later IPv6 fragment with another source", STRICT, ip6(STRICT, source=v6(MAC)) / IPv6ExtHdrFragment(offset=50, nh=17) / data,
         "spoofed_ip"),
    Case("strict: NS", STRICT, nd(STRICT, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(STRICT))),
    Case("strict: NS from its link-local address", STRICT, nd(STRICT, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(STRICT), source=link_local(STRICT))),
    Case("strict: NS from another's address", STRICT, nd(STRICT, ICMPv6ND_NS(tgt=v6(PEER)), source_mac(STRICT), source=v6(MAC)), "spoofed_ip"),
    Case("strict: NA", STRICT, nd(STRICT, ICMPv6ND_NA(tgt=v6(STRICT)), target_mac(STRICT))),
    Case("strict: NA for another's address", STRICT, nd(STRICT, ICMPv6ND_NA(tgt=v6(MAC)), target_mac(STRICT)), "spoofed_nd"),
    Case("strict: NA without a MAC for another's address", STRICT, nd(STRICT, ICMPv6ND_NA(tgt=v6(MAC))), "spoofed_nd"),
    Case("strict: DAD", STRICT, nd(STRICT, ICMPv6ND_NS(tgt=v6(STRICT)), source="::")),
    Case("strict: DAD of another's address", STRICT, nd(STRICT, ICMPv6ND_NS(tgt=v6(MAC)), source="::"), "spoofed_nd"),
    Case("strict: RA from another's address", STRICT, nd(STRICT, ICMPv6ND_RA(), source="fe80::1"), "spoofed_ip"),
    Case("strict: RA, which no guard forbids", STRICT, nd(STRICT, ICMPv6ND_RA(), source_mac(STRICT), source=link_local(STRICT))),
    # ---- strict, for a whole network ----
    Case("router: its own", ROUTER, ip(ROUTER) / udp),
    Case("router: of its network", ROUTER, ip(ROUTER, source="10.9.200.7") / udp),
    Case("router: of no network of its", ROUTER, ip(ROUTER, source="10.10.0.1") / udp, "spoofed_ip"),
    Case("router: of the segment's network", ROUTER, ip(ROUTER, source=v4(STRICT)) / udp, "spoofed_ip"),
    Case("router: of its IPv6 network", ROUTER, ip6(ROUTER, source="fd09:0:0:7::1") / udp),
    Case("router: of no IPv6 network of its", ROUTER, ip6(ROUTER, source="fd09:0:1::1") / udp, "spoofed_ip"),
    Case("router: one of two addresses", ROUTER, ip(ROUTER, source="10.8.0.0") / udp),
    Case("router: the other of two addresses", ROUTER, ip(ROUTER, source="10.8.0.1") / udp, "spoofed_ip"),
    # ---- guards ----
    Case("guarded: any source", GUARDED, Ether(src=mac_of(0x66), dst=mac_of(PEER)) / IP(src="192.0.2.1", dst=v4(PEER)) / udp),
    Case("guarded: RA", GUARDED, nd(GUARDED, ICMPv6ND_RA(), source=link_local(GUARDED)), "rogue_router"),
    Case("guarded: RA behind extension headers", GUARDED,
         nd(GUARDED, ICMPv6ND_RA(), source=link_local(GUARDED), extensions=chain(IPv6ExtHdrHopByHop(), destination_options())), "rogue_router"),
    Case("guarded: a fragment that RA begins in", GUARDED,
         nd(GUARDED, ICMPv6ND_RA(), source=link_local(GUARDED), extensions=IPv6ExtHdrFragment(m=1)), "spoofed_nd"),
    Case("guarded: a fragment that ends within its extension headers", GUARDED,
         ip6(GUARDED) / IPv6ExtHdrFragment(m=1, nh=60) / Raw(bytes([58, 9]) + b"\0" * 6), "unreadable_headers"),
    Case("guarded: Redirect", GUARDED, nd(GUARDED, ICMPv6ND_Redirect(tgt=v6(GUARDED), dst="fd01::1")), "rogue_router"),
    Case("guarded: RS", GUARDED, nd(GUARDED, ICMPv6ND_RS())),
    Case("guarded: NA of any MAC", GUARDED, nd(GUARDED, ICMPv6ND_NA(tgt=v6(STRICT)), target_mac(STRICT))),
    Case("guarded: a DHCP server", GUARDED, dhcp4(GUARDED, source=v4(GUARDED), ports=(67, 68)), "rogue_dhcp_server"),
    Case("guarded: a DHCP server on another port", GUARDED, dhcp4(GUARDED, source=v4(GUARDED), ports=(4000, 68)), "rogue_dhcp_server"),
    Case("guarded: a DHCP client", GUARDED, dhcp4(GUARDED)),
    Case("guarded: a datagram cut off in its ports", GUARDED, Raw(bytes(ip(GUARDED, flags="MF", proto=17) / Raw(b"\0\x43")).ljust(60, b"\0")),
         "unreadable_headers"),
    Case("guarded: an IPv6 datagram cut off in its ports", GUARDED, Raw(bytes(ip6(GUARDED, nh=17) / Raw(b"\0\x43")).ljust(60, b"\0")),
         "unreadable_headers"),
    Case("guarded: a later fragment", GUARDED, ip(GUARDED, frag=100, proto=17) / data),
    Case("guarded: TCP to that port", GUARDED, ip(GUARDED) / TCP(dport=68)),
    Case("guarded: a DHCPv6 server", GUARDED,
         ip6(GUARDED) / UDP(sport=547, dport=546) / DHCP6_Advertise(), "rogue_dhcp_server"),
    Case("guarded: a DHCPv6 server behind extension headers", GUARDED,
         ip6(GUARDED) / destination_options() / UDP(sport=547, dport=546) / DHCP6_Advertise(), "rogue_dhcp_server"),
    Case("guarded: a DHCPv6 client", GUARDED, ip6(GUARDED) / UDP(sport=546, dport=547) / DHCP6_Solicit()),
    Case("guarded: a later IPv6 fragment whose data look like DHCPv6", GUARDED,
         ip6(GUARDED) / IPv6ExtHdrFragment(offset=50, nh=17) / UDP(sport=547, dport=546) / data),
    Case("guarded: a later IPv6 fragment whose data look like half an extension header", GUARDED,
         ip6(GUARDED) / IPv6ExtHdrFragment(offset=50, nh=60) / Raw(b"\xff" * 16)),
    Case("nameless: a later IPv6 fragment from nowhere whose data look like MLD", NAMELESS,
         ip6(NAMELESS, source="::") / IPv6ExtHdrFragment(offset=50, nh=58) / Raw(b"\x8f" + b"\0" * 15), "spoofed_ip"),
    # ---- VLAN tags hide nothing ----
    Case("carry: its own in a tag", CARRY, ether(CARRY) / Dot1Q(vlan=7) / IP(src=v4(CARRY), dst=v4(PEER)) / udp),
    Case("carry: another's address in a tag", CARRY, ether(CARRY) / Dot1Q(vlan=7) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "spoofed_ip"),
    Case("carry: another's ARP in a tag", CARRY,
         ether(CARRY, BROADCAST) / Dot1Q(vlan=7) / ARP(hwsrc=mac_of(CARRY), psrc=v4(MAC), pdst=v4(PEER)), "spoofed_arp"),
    Case("carry: another's address in two tags", CARRY,
         ether(CARRY) / Dot1Q(vlan=7) / Dot1Q(vlan=8) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "spoofed_ip"),
    Case("carry: three tags", CARRY,
         ether(CARRY) / Dot1Q(vlan=7) / Dot1Q(vlan=8) / Dot1Q(vlan=9) / IP(src=v4(CARRY), dst=v4(PEER)) / udp, "unreadable_headers"),
    Case("trunk: its own", TRUNK, ether(TRUNK) / Dot1Q(vlan=VLAN) / IP(src=v4(TRUNK), dst=v4(PEER)) / udp,
         arrives=ether(TRUNK) / IP(src=v4(TRUNK), dst=v4(PEER)) / udp),
    Case("trunk: another MAC", TRUNK, ether(0x77) / Dot1Q(vlan=VLAN) / IP(src=v4(TRUNK), dst=v4(PEER)) / udp, "spoofed_mac"),
    Case("trunk: another's address", TRUNK, ether(TRUNK) / Dot1Q(vlan=VLAN) / IP(src=v4(MAC), dst=v4(PEER)) / udp, "spoofed_ip"),
    Case("trunk: another's ARP", TRUNK,
         ether(TRUNK, BROADCAST) / Dot1Q(vlan=VLAN) / ARP(hwsrc=mac_of(TRUNK), psrc=v4(MAC), pdst=v4(PEER)), "spoofed_arp"),
]


def main():
    cases = [{"name": case.name, "sender": case.sender, "frame": bytes(case.frame).hex(), "verdict": case.verdict,
              "arrives": bytes(case.arrives or case.frame).hex()} for case in PORT_SECURITY]
    json.dump({"attachments": {str(number): fields for number, fields in ATTACHMENTS.items()}, "peer": PEER, "cases": cases}, sys.stdout)


if __name__ == "__main__":
    main()
