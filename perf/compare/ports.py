# SPDX-License-Identifier: Apache-2.0
"""What a program is started with: its ports. Each program says in its own words what they are."""
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Replay:
    """Receives the frames of a capture file for ever, from memory; what is transmitted is counted and dropped."""

    file: Path
    frames: int  # in the file; net_pcap holds a buffer for each

    def device(self, number: int) -> str:
        """DPDK device arguments."""
        return f"net_pcap{number},rx_pcap={self.file},infinite_rx=1"


@dataclass(frozen=True)
class Silent:
    """Receives nothing; what is transmitted is counted and dropped. Programs that learn are told who is behind it."""

    file: Path  # a capture file without a frame: net_pcap wants one
    stations: tuple[str, ...]  # MAC addresses

    frames = 0

    def device(self, number: int) -> str:
        return f"net_pcap{number},rx_pcap={self.file}"


@dataclass(frozen=True)
class Uplink:
    """A NIC on the underlay: behind it is a remote node, by a tunnel that carries the segment of the other ports."""

    nic: Replay | Silent
    tunnel: str  # vxlan or geneve; addresses and VNI are those of tunnelled.py

    @property
    def frames(self) -> int:
        return self.nic.frames

    def device(self, number: int) -> str:
        return self.nic.device(number)


@dataclass(frozen=True)
class Vhost:
    """A guest's vhost-user socket. The guest listens and the program connects, so that all start alike."""

    socket: Path
    wants_cores: bool = False  # the guest lives on all cores, the worker's too


@dataclass(frozen=True)
class Tap:
    """An interface of this name that the program puts into a network namespace."""

    netns: Path
    interface: str


Port = Replay | Silent | Uplink | Vhost | Tap
