# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch with DPDK: a private database and switch in a folder and a network namespace of their own."""
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from . import openvswitch_overlay, processes
from .firewall import Firewall
from .ports import Port, Replay, Silent, Uplink, Vhost
from .program import Layout, Running
from .telemetry import Telemetry

_SWITCH = Path("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


class OpenVswitch:
    key = "ovs"
    title = "Open vSwitch"

    def missing(self) -> str | None:
        if _SWITCH.exists() and _SCHEMA.exists():
            return None
        return f"{_SWITCH} is not installed (apt-get install openvswitch-switch-dpdk)"

    def version(self) -> str:
        return processes.run([str(_SWITCH), "--version"]).splitlines()[0].split()[-1]

    @contextmanager
    def start(self, ports: Sequence[Port], layout: Layout, folder: Path,
              firewall: Firewall | None = None) -> Iterator[Running]:
        """Where a database serves the folder already, the switch goes by that: it was killed, and comes back."""
        prefix = f"bulkhead-bench-{os.getpid()}-ovs"
        log = folder / "ovs.log"
        env = {name: str(folder) for name in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")}
        database, remote = folder / "conf.db", f"unix:{folder}/db.sock"
        is_back = database.exists()

        def vsctl(*arguments: str) -> str:
            return processes.run(["ovs-vsctl", f"--db={remote}", "--timeout=60", *arguments], env)

        @contextmanager
        def serve_database() -> Iterator[None]:
            processes.run(["ovsdb-tool", "create", str(database), str(_SCHEMA)], env)
            server = ["ovsdb-server", str(database), f"--remote=p{remote}", f"--unixctl={folder}/ovsdb.ctl"]
            with processes.child(server, log, env) as process:
                processes.wait_for("database", (folder / "db.sock").exists, process, log)
                vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".", *_settings(layout, prefix))
                yield

        # A netdev bridge makes TAP interfaces: in a namespace of its own they can't meet the machine's.
        switch = ["unshare", "--net", str(_SWITCH), remote, f"--unixctl={folder}/vswitchd.ctl"]
        with closing(Telemetry(prefix)) as telemetry, nullcontext() if is_back else serve_database():
            with processes.child(switch, log, env) as process:
                if is_back:
                    yield Running(process, log, telemetry.frames, telemetry.counts)
                    return
                vsctl(*_bridge(ports))  # which waits until the switch has done it
                control = openvswitch_overlay.Control(process, folder / "vswitchd.ctl")
                for number, port in enumerate(ports):
                    match port:
                        case Uplink():
                            openvswitch_overlay.add(port, number, vsctl, control)
                        case Silent():
                            control.place(f"p{number}", port.stations)
                judged = None if firewall is None else _judge(firewall, folder)
                yield Running(process, log, telemetry.frames, telemetry.counts, control.stations, judged)


def _settings(layout: Layout, prefix: str) -> list[str]:
    settings = {
        "dpdk-init": "true",
        "dpdk-extra": f"--no-pci --in-memory --file-prefix={prefix}",
        "dpdk-lcore-mask": hex(1 << layout.control_core),
        "dpdk-socket-mem": str(layout.memory_mib),
        "dpdk-socket-limit": str(layout.memory_mib),
        "pmd-cpu-mask": hex(1 << layout.worker_core),
    }
    return [f'other_config:{key}="{value}"' for key, value in settings.items()]


def _bridge(ports: Sequence[Port]) -> list[str]:
    # The MAC table's own default of 8,192 entries would make it flood in the larger cases.
    command = ["add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev",
               "other_config:mac-table-size=1048576", "fail_mode=standalone"]
    for number, port in enumerate(ports):
        if isinstance(port, Uplink):
            continue  # of another bridge
        command += ["--", "add-port", "br0", f"p{number}", "--", "set", "Interface", f"p{number}",
                    *_interface(port, number)]
    return command


def _judge(firewall: Firewall, folder: Path) -> Callable[[], int]:
    """Puts the rules in force. Yields what counts the frames that they let through."""
    file = folder / "flows"
    file.write_text(firewall.flows())

    def ofctl(command: str, *arguments: str) -> str:
        # Connection tracking needs a version that the tool does not offer by itself.
        return processes.run(["ovs-ofctl", "--protocols=OpenFlow13", command, f"unix:{folder}/br0.mgmt", *arguments])

    ofctl("replace-flows", str(file))

    def judged() -> int:
        flows = ofctl("dump-flows")
        return sum(int(packets) for packets in re.findall(r"n_packets=(\d+),.*actions=.*NORMAL", flows))
    return judged


def _interface(port: Port, number: int) -> list[str]:
    match port:
        case Replay() | Silent():
            # A comma would part the value in ovs-vsctl's own syntax: quoted, it does not.
            return ["type=dpdk", f'options:dpdk-devargs="{port.device(number)}"']
        case Vhost():
            return ["type=dpdkvhostuserclient", f'options:vhost-server-path="{port.socket}"']
