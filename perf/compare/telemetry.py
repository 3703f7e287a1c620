# SPDX-License-Identifier: Apache-2.0
"""Port counters of any DPDK program, by DPDK's telemetry socket (https://doc.dpdk.org/guides/howto/telemetry.html)."""
import json
import shutil
import socket
from pathlib import Path

from .program import Counts

_RUNTIME = Path("/var/run/dpdk")


class Telemetry:
    """Of the program that was started with `--file-prefix=PREFIX`."""

    def __init__(self, prefix: str):
        self._folder = _RUNTIME / prefix
        self._socket: socket.socket | None = None

    def frames(self, ports: int = 2) -> tuple[int, int]:
        """Frames received and transmitted by ports 0 … `ports` - 1 since the program began. OSError: not up yet."""
        statistics = [self._ask(f"/ethdev/stats,{port}") for port in range(ports)]
        if not all(statistics):
            raise OSError("ports are not there yet")
        return sum(one["ipackets"] for one in statistics), sum(one["opackets"] for one in statistics)

    def counts(self, ports: int = 2) -> list[Counts]:
        """The same of each port, with bytes."""
        return [Counts(one["ipackets"], one["ibytes"], one["opackets"], one["obytes"])
                for one in (self._ask(f"/ethdev/stats,{port}") for port in range(ports))]

    def ports(self) -> int:
        """How many there are. To be asked first: net_vhost's statistics must not be read before it is started."""
        return len(self._ask("/ethdev/list"))

    def _ask(self, command: str) -> dict | list:
        if self._socket is None:
            self._socket = self._connect()
        self._socket.send(command.encode())
        if not (reply := self._socket.recv(1 << 16)):
            raise ConnectionResetError("the program ended")
        return json.loads(reply)[command.split(",")[0]]

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(5)
        try:
            connection.connect(str(next(self._folder.glob("dpdk_telemetry.v2*"), self._folder / "absent")))
            connection.recv(1 << 16)  # the greeting: version and limits
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)
