# SPDX-License-Identifier: Apache-2.0
"""Frames as bytes, without a packet library in between: cheap enough for a million of them."""
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
TEST_TYPE = 0x88B5  # IEEE 802, local experimental EtherType 1
PCAP_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(payload, source, destination=BROADCAST, vlan=None, ethertype=TEST_TYPE):
    """`vlan`: a VLAN id or a list of tags, outer first; a tag is an id or (EtherType, TCI)."""
    tags = [] if vlan is None else vlan if isinstance(vlan, list) else [vlan]
    inside = b"".join(struct.pack("!HH", *(tag if isinstance(tag, tuple) else (0x8100, tag))) for tag in tags)
    return (mac(destination) + mac(source) + inside + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(PCAP_HEADER)
        for frame in frames:
            file.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)))
            file.write(frame)


def read_pcap(path):
    """Frames of a file in this machine's byte order, as DPDK writes it."""
    data = open(path, "rb").read()
    frames, at = [], len(PCAP_HEADER)
    while at + 16 <= len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames
