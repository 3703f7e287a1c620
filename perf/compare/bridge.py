# SPDX-License-Identifier: Apache-2.0
"""What pods have without a switch of their own: a Linux bridge with a veth pair to each, as the kernel sets them up."""
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .namespace import namespace
from .ports import Port, Tap
from .program import Layout, Running


class LinuxBridge:
    key = "bridge"
    title = "Linux bridge"

    def missing(self) -> str | None:
        lacking = [tool for tool in ("ip", "iperf3") if not shutil.which(tool)]
        return f"{' and '.join(lacking)} not installed (apt-get install iproute2 iperf3)" if lacking else None

    def version(self) -> str:
        return platform.release()

    @contextmanager
    def start(self, ports: Sequence[Port], layout: Layout, folder: Path) -> Iterator[Running]:
        """In a namespace of its own, where it meets neither the machine's interfaces nor its packet filter."""
        with namespace("bridge", folder) as own:
            own.ip("link", "add", "br0", "type", "bridge")
            own.ip("link", "set", "br0", "up")
            for number, port in enumerate(ports):
                for command in _cable(port, f"p{number}"):
                    own.ip(*command)
            yield Running(own.holder, own.log, lambda: (0, 0))


def _cable(port: Port, near: str) -> list[list[str]]:
    """The commands of `ip` that lead from the bridge to the port."""
    match port:
        case Tap():
            return [["link", "add", near, "type", "veth", "peer", "name", port.interface, "netns", str(port.netns)],
                    ["link", "set", near, "master", "br0", "up"]]
        case _:
            raise TypeError(f"a Linux bridge has no such port: {port}")
