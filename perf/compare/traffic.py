# SPDX-License-Identifier: Apache-2.0
"""The frames of a case, as capture files that net_pcap replays from memory."""
import struct
from collections.abc import Sequence
from pathlib import Path

from .ports import Replay

FRAME_BYTES = 60  # the shortest Ethernet frame, its checksum not counted
# Classic pcap, microseconds, Ethernet: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/
_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def write(name: str, pairs: int, folder: Path) -> list[Replay]:
    """Two ports with `pairs` stations on each, that talk with those of the other."""
    there, back = folder / f"{name}-a.pcap", folder / f"{name}-b.pcap"
    write_file(there, [frame("b", "a", pair) for pair in range(pairs)])
    write_file(back, [frame("a", "b", pair) for pair in range(pairs)])
    return [Replay(there, pairs), Replay(back, pairs)]


def write_services(name: str, pairs: int, folder: Path, services: Sequence[int]) -> list[Replay]:
    """The same, where each of the first port's stations asks one of the `services` of the second's, and is answered."""
    there, back = folder / f"{name}-a.pcap", folder / f"{name}-b.pcap"
    ports = [(32768 + pair * 7919 % 28000, services[pair % len(services)]) for pair in range(pairs)]
    write_file(there, [frame("b", "a", pair, *ports[pair]) for pair in range(pairs)])
    write_file(back, [frame("a", "b", pair, *reversed(ports[pair])) for pair in range(pairs)])
    return [Replay(there, pairs), Replay(back, pairs)]


def frame(to: str, by: str, pair: int, source_port: int = 1024, port: int = 1024) -> bytes:
    """UDP over IPv4 between two stations, sound down to its checksums.

    With IP addresses that differ by pair: Open vSwitch hashes these for its first cache, and other frames all alike.
    """
    udp = struct.pack(">HHHH", source_port, port, FRAME_BYTES - 34, 0) + bytes(FRAME_BYTES - 42)
    addresses = _ip(by, pair) + _ip(to, pair)
    return mac(to, pair) + mac(by, pair) + b"\x08\x00" + ipv4(addresses, len(udp)) + udp


def ipv4(addresses: bytes, payload: int) -> bytes:
    """The header (RFC 791) of a UDP packet between `addresses`, source first, with so many bytes after it."""
    head = struct.pack(">BBHHHBB", 0x45, 0, 20 + payload, 0, 0, 64, 17)
    return head + struct.pack(">H", _checksum(head + bytes(2) + addresses)) + addresses


def mac(side: str, pair: int) -> bytes:
    """A locally administered unicast address."""
    return bytes([0x02, ord(side)]) + pair.to_bytes(4, "big")


def _ip(side: str, pair: int) -> bytes:
    """In 10.0.0.0/8, the sides apart."""
    return (0x0A << 24 | (side == "b") << 23 | pair).to_bytes(4, "big")


def _checksum(header: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def write_file(path: Path, frames: list[bytes]) -> None:
    records = (struct.pack("<IIII", 0, 0, len(one), len(one)) + one for one in frames)
    path.write_bytes(_FILE_HEADER + b"".join(records))
