# SPDX-License-Identifier: Apache-2.0
"""What docs/policy.md looks at in a frame, taken apart by hand: not by the switch's code, and by no packet library either."""
import struct
from typing import NamedTuple

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
NAMES = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "icmpv6": ICMPV6, "sctp": SCTP}
PORTED = (TCP, UDP, SCTP)
FRAGMENT, AUTHENTICATION = 44, 51
EXTENSIONS = (0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140)
HEADER = {TCP: 20, UDP: 8, SCTP: 12, ICMP: 8, ICMPV6: 8}
FIN, SYN, RST, PSH, ACK, URG = (1 << bit for bit in range(6))
NEIGHBOR_DISCOVERY = range(133, 138)
ERRORS = {ICMP: (3, 4, 11, 12), ICMPV6: (1, 2, 3, 4)}
#: Questions that open a connection, and their answers.
QUESTIONS = {ICMP: {8: 0, 13: 14}, ICMPV6: {128: 129}}


class Unreadable(Exception):
    """What docs/policy.md drops as unreadable_headers."""


class Piece(NamedTuple):
    """A fragment's place in its packet."""
    key: tuple
    offset: int  # octets
    more: bool

    @property
    def is_first(self):
        return self.offset == 0


class Packet(NamedTuple):
    destination: str
    source: str
    ethertype: int
    version: int = 0  # 0: not IP
    src: bytes = b""
    dst: bytes = b""
    protocol: int = -1
    hop_limit: int = 0
    piece: object = None  # of a fragment that is not the whole packet
    payload: bytes = b""  # from the upper-layer header to the packet's end
    has_fragment_header: bool = False

    @property
    def header_length(self):
        """Octets of the upper-layer header, of those protocols that are looked into."""
        if self.protocol == TCP and len(self.payload) >= HEADER[TCP]:
            return max(HEADER[TCP], 4 * (self.payload[12] >> 4))
        return HEADER[self.protocol] if self.protocol in PORTED or self.is_icmp else 0

    @property
    def lacks_header(self):
        return len(self.payload) < self.header_length

    @property
    def ports(self):
        return struct.unpack_from("!HH", self.payload)

    @property
    def flags(self):
        return self.payload[13] & 0x3F

    @property
    def sequence(self):
        return struct.unpack_from("!II", self.payload, 4)

    @property
    def segment_length(self):
        """In sequence numbers."""
        return len(self.payload) - 4 * (self.payload[12] >> 4) + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def icmp(self):
        return struct.unpack_from("!BBxxH", self.payload)  # type, code, id

    @property
    def is_icmp(self):
        return (self.version, self.protocol) in ((4, ICMP), (6, ICMPV6))

    @property
    def is_neighbor_discovery(self):
        return self.version == 6 and self.protocol == ICMPV6 and not self.piece and not self.has_fragment_header and \
            self.hop_limit == 255 and self.icmp[0] in NEIGHBOR_DISCOVERY and self.icmp[1] == 0


def ipv4(data, whole=True):
    """The fields of an IPv4 packet; `whole`: all of it must be there, which is not so in an ICMP error."""
    if len(data) < 20 or data[0] >> 4 != 4:
        raise Unreadable
    header, total = 4 * (data[0] & 15), struct.unpack_from("!H", data, 2)[0]
    if header < 20 or total < header or header > len(data) or (whole and total > len(data)):
        raise Unreadable
    number, place = struct.unpack_from("!HH", data, 4)
    fields = {"version": 4, "src": data[12:16], "dst": data[16:20], "protocol": data[9], "hop_limit": data[8], "payload": data[header:total]}
    if place & 0x3FFF:
        fields["piece"] = Piece((4, data[12:20], data[9], number), 8 * (place & 0x1FFF), bool(place & 0x2000))
    return fields


def ipv6(data, whole=True):
    """The same of IPv6, behind its extension headers."""
    if len(data) < 40 or data[0] >> 4 != 6:
        raise Unreadable
    length, following, hops = struct.unpack_from("!HBB", data, 4)
    if whole and 40 + length > len(data):
        raise Unreadable
    rest, piece, met = data[40:40 + length], None, 0
    has_fragment_header = False
    while following in EXTENSIONS and (not piece or piece.is_first):
        met += 1
        if met > 8 or len(rest) < 8:
            raise Unreadable
        size = 8 if following == FRAGMENT else 4 * (rest[1] + 2) if following == AUTHENTICATION else 8 * (rest[1] + 1)
        if len(rest) < size:
            raise Unreadable
        if following == FRAGMENT:
            has_fragment_header = True
            place, number = struct.unpack_from("!HI", rest, 2)
            if place & 0xFFF9:
                piece = Piece((6, data[8:40], number), place & 0xFFF8, bool(place & 1))
        following, rest = rest[0], rest[size:]
    return {"version": 6, "src": data[8:24], "dst": data[24:40], "protocol": following, "hop_limit": hops, "payload": rest, "piece": piece,
            "has_fragment_header": has_fragment_header}


def parse(frame):
    """Raises Unreadable."""
    at = 12
    while struct.unpack_from("!H", frame, at)[0] in (0x8100, 0x88A8):
        at += 4
    ethertype = struct.unpack_from("!H", frame, at)[0]
    fields = {IPV4: ipv4, IPV6: ipv6}.get(ethertype, lambda _: {})(frame[at + 2:])
    packet = Packet(frame[:6].hex(":"), frame[6:12].hex(":"), ethertype, **fields)
    if packet.version and not packet.piece and packet.lacks_header:
        raise Unreadable
    return packet
