# SPDX-License-Identifier: Apache-2.0
"""Frames as a remote node sends them: those of traffic.py within VXLAN (RFC 7348) or Geneve (RFC 8926) over IPv4."""
import ipaddress
import struct
from dataclasses import dataclass

from . import traffic

VNI = 100
MTU = 1450  # of the segment: what an underlay of 1,500 leaves
HEADER_BYTES = 14 + 20 + 8 + 8  # Ethernet, IPv4, UDP, and either header without options
FRAME_BYTES = HEADER_BYTES + traffic.FRAME_BYTES
KINDS = ("vxlan", "geneve")
_PORTS = {"vxlan": 4789, "geneve": 6081}
_FIRST_SOURCE_PORT = 49152  # RFC 7348, section 5: the dynamic ports


@dataclass(frozen=True)
class Node:
    mac: str
    ip: str

    @property
    def cidr(self) -> str:
        return f"{self.ip}/24"

    @property
    def hardware(self) -> bytes:
        return bytes.fromhex(self.mac.replace(":", ""))

    @property
    def address(self) -> bytes:
        return ipaddress.IPv4Address(self.ip).packed


# net_pcap numbers its devices' addresses: this is the one of a program's second.
LOCAL = Node("02:70:63:61:70:01", "192.0.2.1")
REMOTE = Node("02:00:00:00:00:02", "192.0.2.2")


def wrap(inner: bytes, tunnel: str, flow: int) -> bytes:
    """From the remote node to this one; the source port tells flows apart, the UDP checksum is zero."""
    # Flags, then the VNI: one with its I flag, the other with the type of what follows, an Ethernet frame.
    first = struct.pack(">I", 0x08000000 if tunnel == "vxlan" else 0x6558)
    payload = first + struct.pack(">I", VNI << 8) + inner
    udp = struct.pack(">HHHH", _FIRST_SOURCE_PORT + flow % 16384, _PORTS[tunnel], 8 + len(payload), 0)
    head = LOCAL.hardware + REMOTE.hardware + b"\x08\x00"
    return head + traffic.ipv4(REMOTE.address + LOCAL.address, len(udp) + len(payload)) + udp + payload
