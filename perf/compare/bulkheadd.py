# SPDX-License-Identifier: Apache-2.0
"""This switch: bulkheadd with one segment and the ports, asked for its counters as any client would."""
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import processes
from .ports import Port, Replay, Tap, Vhost
from .program import Layout, Running


class Bulkhead:
    key = "bulkhead"
    title = "Bulkhead"

    def __init__(self, program: Path):
        self._program = program

    def missing(self) -> str | None:
        if self._program.exists():
            return None
        return f"{self._program} is not built (meson setup build --buildtype=release && ninja -C build)"

    def version(self) -> str:
        return processes.run([str(self._program), "--version"]).split()[1]

    @contextmanager
    def start(self, ports: Sequence[Port], layout: Layout, folder: Path) -> Iterator[Running]:
        log, config, path = folder / "bulkheadd.log", folder / "bulkhead.json", folder / "control.sock"
        config.write_text(json.dumps(_configuration(ports, layout), indent=2))
        command = [str(self._program), "--config", str(config), "--state-dir", str(folder / "state"),
                   "--socket", str(path)]
        client = _Client(path)
        with processes.child(command, log) as process:
            try:
                running = Running(process, log, client.frames)
                running.wait_for("control socket", lambda: client.frames() is not None)
                yield running
            finally:
                client.close()


def _configuration(ports: Sequence[Port], layout: Layout) -> dict:
    return {
        "version": 1,
        "node": {"cores": str(layout.worker_core), "memory_mib": layout.memory_mib, "idle": _idle(ports)},
        "segments": [{"name": "blue", "vni": 100, "mac_limit": 1_000_000}],
        "ports": [{"name": f"p{number}", "segment": "blue", **_port(port, number)}
                  for number, port in enumerate(ports)],
    }


def _idle(ports: Sequence[Port]) -> dict:
    # What talks through a TAP needs cores too, all that there are: there the worker sleeps, as installed.
    return {} if any(isinstance(port, Tap) for port in ports) else {"mode": "busy"}


def _port(port: Port, number: int) -> dict:
    match port:
        case Replay():
            return {"type": "ethdev", "devargs": port.device(number)}
        case Vhost():
            return {"type": "vhost-user", "mode": "client", "path": str(port.socket)}
        case Tap():
            return {"type": "tap", "netns": str(port.netns), "ifname": port.interface}


class _Client:
    """JSON-RPC 2.0 over the control socket, one request a line."""

    def __init__(self, path: Path):
        self._path = path
        self._stream = None

    def frames(self) -> tuple[int, int]:
        ports = self._call("stats.get")["ports"]
        return sum(port["rx_packets"] for port in ports), sum(port["tx_packets"] for port in ports)

    def _call(self, method: str) -> dict:
        if self._stream is None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(str(self._path))
                self._stream = connection.makefile("rw")
        self._stream.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}) + "\n")
        self._stream.flush()
        reply = json.loads(self._stream.readline() or '{"error": "the connection was closed"}')
        if "error" in reply:
            raise processes.MeasurementFailed(f"{method}: {reply['error']}")
        return reply["result"]

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
