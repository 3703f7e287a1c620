# SPDX-License-Identifier: Apache-2.0
"""A tunnel of Open vSwitch's netdev datapath, as its guide to userspace tunnelling says: a bridge more, which has the
NIC and the node's address (https://docs.openvswitch.org/en/stable/howto/userspace-tunneling/)."""
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import processes, tunnelled
from .ports import Silent, Uplink

_UNDERLAY = "underlay"  # the bridge, and its internal interface
_TUNNEL = 99  # its OpenFlow port on the pods' bridge


@dataclass(frozen=True)
class Control:
    """What ovs-vsctl can't say or do."""

    process: subprocess.Popen
    socket: Path

    def ask(self, *words: str) -> str:
        return processes.run(["ovs-appctl", f"--target={self.socket}", *words])

    def place(self, port: str, stations: Iterable[str]) -> None:
        """Static entries of br0's MAC table. By unixctl's JSON-RPC itself: a process for each would take a minute."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.socket))
            for mac in stations:
                request = {"method": "fdb/add", "params": ["br0", port, "0", mac], "id": 0}
                connection.sendall(json.dumps(request).encode())
                if error := json.loads(_reply(connection)).get("error"):
                    raise processes.MeasurementFailed(f"Open vSwitch, fdb/add {mac}: {error}")

    def ip(self, *words: str) -> None:
        """In the namespace of its interfaces."""
        processes.run(["nsenter", f"--net=/proc/{self.process.pid}/ns/net", "ip", *words])

    def stations(self) -> tuple[int, int]:
        """MACs known on the pods' bridge: behind ports, behind the tunnel. A line each, the OpenFlow port first."""
        ports = re.findall(r"^ *(\d+) +\d+ +\S+:\S+", self.ask("fdb/show", "br0"), re.MULTILINE)
        of_tunnel = ports.count(str(_TUNNEL))
        return len(ports) - of_tunnel, of_tunnel


def _reply(connection: socket.socket) -> str:
    reply = ""
    while not reply.endswith("}"):  # its one object: nothing else marks the end
        if not (more := connection.recv(4096)):
            raise processes.MeasurementFailed("Open vSwitch closed its control socket")
        reply += more.decode()
    return reply


def add(port: Uplink, number: int, vsctl: Callable[..., str], control: Control) -> None:
    """The underlay's bridge, the tunnel on br0, and last the NIC, whose first frames find all of it in place."""
    vsctl("add-br", _UNDERLAY, "--", "set", "Bridge", _UNDERLAY, "datapath_type=netdev", "fail_mode=standalone",
          f'other_config:hwaddr="{tunnelled.LOCAL.mac}"')
    control.ip("address", "add", tunnelled.LOCAL.cidr, "dev", _UNDERLAY)
    control.ip("link", "set", _UNDERLAY, "up")
    processes.wait_for("route to the remote node", lambda: tunnelled.LOCAL.ip in control.ask("ovs/route/show"),
                       control.process, control.socket.with_name("ovs.log"))
    control.ask("tnl/arp/set", _UNDERLAY, tunnelled.REMOTE.ip, tunnelled.REMOTE.mac)
    vsctl("add-port", "br0", "remote", "--", "set", "Interface", "remote", f"type={port.tunnel}",
          f"ofport_request={_TUNNEL}", f'options:local_ip="{tunnelled.LOCAL.ip}"',
          f'options:remote_ip="{tunnelled.REMOTE.ip}"', f"options:key={tunnelled.VNI}")
    if isinstance(port.nic, Silent):
        control.place("remote", port.nic.stations)
    vsctl("add-port", _UNDERLAY, f"p{number}", "--", "set", "Interface", f"p{number}", "type=dpdk",
          f'options:dpdk-devargs="{port.device(number)}"')
    # Or frames to a node that sends none would be flooded, to the bridge's own interface too.
    control.ask("fdb/add", _UNDERLAY, f"p{number}", "0", tunnelled.REMOTE.mac)
