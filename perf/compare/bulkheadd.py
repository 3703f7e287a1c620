# SPDX-License-Identifier: Apache-2.0
"""This switch: bulkheadd with one segment and the ports, asked for its counters as any client would."""
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import firewall as rules_of, processes, tunnelled
from .firewall import Firewall
from .ports import Port, Replay, Silent, Tap, Uplink, Vhost
from .program import Counts, Layout, Running


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
    def start(self, ports: Sequence[Port], layout: Layout, folder: Path,
              predecessor: Running | None = None, firewall: Firewall | None = None) -> Iterator[Running]:
        """With a `predecessor`, of the same ports and folder, it takes over from that, which ends."""
        log, config, path = folder / "bulkheadd.log", folder / "bulkhead.json", folder / "control.sock"
        config.write_text(json.dumps(_configuration(ports, layout, firewall), indent=2))
        command = [str(self._program), "--config", str(config), "--state-dir", str(folder / "state"),
                   "--socket", str(path), *(["--replace"] if predecessor else [])]
        client = _Client(path)
        with processes.child(command, log) as process:
            try:
                running = Running(process, log, client.frames, client.counts, client.stations, client.judged)
                if predecessor:
                    running.wait_for("end of its predecessor", lambda: predecessor.process.poll() is not None)
                running.wait_for("control socket", lambda: client.frames() is not None)
                if any(isinstance(port, Uplink) for port in ports):
                    running.wait_for("next hop", client.tunnel_is_up)
                yield running
            finally:
                client.close()


def _configuration(ports: Sequence[Port], layout: Layout, firewall: Firewall | None = None) -> dict:
    plain = {
        "version": 1,
        "node": {"cores": str(layout.worker_core), "memory_mib": layout.memory_mib, "idle": _idle(ports)},
        "segments": [{"name": "blue", "vni": tunnelled.VNI, "mac_limit": 1_000_000, **_mtu(ports)}],
        "ports": [{"name": f"p{number}", **_port(port, number)} for number, port in enumerate(ports)],
        **_overlay(ports),
        "fdb": [{"segment": "blue", "mac": mac, **place} for number, port in enumerate(ports)
                for mac, place in _stations(port, number)],
    }
    return plain if firewall is None else _with_policy(plain, firewall)


def _with_policy(plain: dict, firewall: Firewall) -> dict:
    """Every port is in the group that its stations are of, in the order of the ports."""
    groups = (rules_of.CLIENTS, rules_of.SERVERS)
    segment, = plain["segments"]
    return {**plain,
            "segments": [{**segment, "default_policy": "deny"}],
            "ports": [{**port, "group": group} for port, group in zip(plain["ports"], groups, strict=True)],
            "groups": [{"segment": segment["name"], "name": group, "id": number} for number, group in enumerate(groups, 1)],
            "policies": firewall.policies(segment["name"])}


def _stations(port: Port, number: int) -> Iterator[tuple[str, dict]]:
    """Who is said to be where: those that no frame will tell about."""
    match port:
        case Silent():
            yield from ((mac, {"port": f"p{number}"}) for mac in port.stations)
        case Uplink(nic=Silent() as nic):
            yield from ((mac, {"tunnel": "remote"}) for mac in nic.stations)


def _mtu(ports: Sequence[Port]) -> dict:
    return {"mtu": tunnelled.MTU} if any(isinstance(port, Uplink) for port in ports) else {}


def _overlay(ports: Sequence[Port]) -> dict:
    for number, port in enumerate(ports):
        if isinstance(port, Uplink):
            neighbor = {"ip": tunnelled.REMOTE.ip, "mac": tunnelled.REMOTE.mac}
            return {"underlays": [{"name": "u0", "port": f"p{number}", "addresses": [tunnelled.LOCAL.cidr],
                                   "neighbors": [neighbor]}],
                    "tunnels": [{"name": "remote", "type": port.tunnel, "underlay": "u0", "remote": tunnelled.REMOTE.ip,
                                 "segments": ["blue"]}]}
    return {}


def _idle(ports: Sequence[Port]) -> dict:
    # What talks through a TAP needs cores too, all that there are: there the worker sleeps, as installed.
    shared = any(isinstance(port, Tap) or isinstance(port, Vhost) and port.wants_cores for port in ports)
    return {} if shared else {"mode": "busy"}


def _port(port: Port, number: int) -> dict:
    match port:
        case Replay() | Silent():
            return {"type": "ethdev", "segment": "blue", "devargs": port.device(number)}
        case Uplink():
            return {"type": "ethdev", "devargs": port.device(number)}
        case Vhost():
            return {"segment": "blue", "type": "vhost-user", "mode": "client", "path": str(port.socket)}
        case Tap():
            return {"type": "tap", "segment": "blue", "netns": str(port.netns), "ifname": port.interface}


class _Client:
    """JSON-RPC 2.0 over the control socket, one request a line."""

    def __init__(self, path: Path):
        self._path = path
        self._stream = None

    def frames(self) -> tuple[int, int]:
        ports = self._call("stats.get")["ports"]
        return sum(port["rx_packets"] for port in ports), sum(port["tx_packets"] for port in ports)

    def counts(self) -> list[Counts]:
        return [Counts(*(port[key] for key in ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")))
                for port in sorted(self._call("stats.get")["ports"], key=lambda port: port["name"])]

    def tunnel_is_up(self) -> bool:
        """MeasurementFailed where the NIC has another address than the frames that were written for it."""
        state = self._call("underlay.get", name="u0")["state"]
        if state["mac"] is not None and state["mac"] != tunnelled.LOCAL.mac:
            raise processes.MeasurementFailed(f"the NIC's address is {state['mac']} instead of {tunnelled.LOCAL.mac}")
        return self._call("tunnel.get", name="remote")["state"]["resolved"]

    def stations(self) -> tuple[int, int]:
        of_tunnels, total, page = 0, 0, {}
        while True:
            answer = self._call("fdb.list", segment="blue", limit=1000, **page)
            total += len(answer["items"])
            of_tunnels += sum(entry["tunnel"] is not None for entry in answer["items"])
            if answer["cursor"] is None:
                return total - of_tunnels, of_tunnels
            page = {"cursor": answer["cursor"]}

    def judged(self) -> int:
        return sum(rule["state"]["packets"] for rule in self._call("policy.list", segment="blue", limit=1000)["items"])

    def _call(self, method: str, **parameters: object) -> dict:
        if self._stream is None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(str(self._path))
                self._stream = connection.makefile("rw")
        self._stream.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
                           + "\n")
        self._stream.flush()
        reply = json.loads(self._stream.readline() or '{"error": "the connection was closed"}')
        if "error" in reply:
            raise processes.MeasurementFailed(f"{method}: {reply['error']}")
        return reply["result"]

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
