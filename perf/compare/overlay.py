# SPDX-License-Identifier: Apache-2.0
"""The cases of the overlay: a pod's port and a NIC, and between them the tunnel to a remote node."""
from dataclasses import dataclass
from pathlib import Path

from . import overlay_check, processes, traffic, tunnelled, window
from .group import CANARY, CORE, LOST, RUNS, Figure, Group, over_floor, shown, to_floor, to_rival
from .plan import Plan
from .ports import Port, Replay, Silent, Uplink
from .program import Program
from .replay import CYCLES, MPPS

_COLUMNS = (shown(MPPS), to_rival(MPPS), LOST, CORE, CANARY, RUNS)
TUNNELS = Group(
    name="overlay", title="Tunnels", figures=(CYCLES, MPPS),
    about=f"""\
A `net_pcap` port is the pod's and another the NIC. `encap`: the pod's port replays {traffic.FRAME_BYTES}-byte UDP frames from memory,
which leave the NIC within VXLAN over IPv4 (zero UDP checksum, {tunnelled.FRAME_BYTES} bytes). `decap`: the NIC replays such
frames from the remote node, their outer source port by flow, and they leave at the pod's port as they were. `mixed`:
both at once; each frame counts once. A flow is a pair of stations, one on either side. Both switches learn the MACs of
those that send; those behind a port that receives nothing are static entries, for both alike. The next hop is a static
neighbour. Open vSwitch has a bridge for the pod's port and the tunnel and one for the NIC, both by `NORMAL`. The floor
moves the same files' frames, and leaves them as they are. After each run the counters are looked at: as many frames
must have left the one port as came to the other, longer or shorter by the outer header, and every station must be in
the MAC table, behind its port or tunnel.""",
    columns=(shown(CYCLES), over_floor(CYCLES), to_floor(CYCLES), *_COLUMNS),
    unit="TSC cycles per packet", rival_figure=MPPS, log_scale=True)

VXLAN_CYCLES = Figure("vxlan_cycles", "vxlan_cycles", "VXLAN's cycles/packet")
TO_VXLAN = Figure("to_vxlan", "to_vxlan", "× VXLAN", digits=3)
GENEVE = Group(
    name="geneve", title="Geneve beside VXLAN", figures=(CYCLES, VXLAN_CYCLES, TO_VXLAN, MPPS),
    about="""\
The same with Geneve (no options), each run right after one with VXLAN, both as long; *× VXLAN* is the one's cycles by
the other's, run by run. The floor looks at no frame: how far its ratio is from 1 is what the machine adds. The two
columns of cycles have the best of all runs, in which it adds least.""",
    columns=(shown(CYCLES), shown(VXLAN_CYCLES), shown(TO_VXLAN), over_floor(CYCLES), to_floor(CYCLES), *_COLUMNS),
    unit="TSC cycles per packet", rival_figure=MPPS, log_scale=True)

WAYS = {"encap": "encapsulation", "decap": "decapsulation", "mixed": "both directions"}


@dataclass(frozen=True)
class OverlayCase:
    """`flows` of one `way`, a key of WAYS."""

    way: str
    flows: int
    warm_up_s: float

    group = TUNNELS
    programs = ("testpmd", "ovs", "bulkhead")
    guest_mib = 0
    most_rounds = None

    @property
    def name(self) -> str:
        return f"vxlan-{self.way}-{self.flows}"

    @property
    def title(self) -> str:
        return f"{WAYS[self.way]}, {self.flows:,} inner flows"

    def for_round(self, programs: list[Program], plan: Plan, folder: Path) -> "OverlayCase":
        return self

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        return self._play("vxlan", program, plan, folder, mood)

    def _play(self, tunnel: str, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        with program.start(self._ports(tunnel, folder), plan.layout, folder) as running:
            processes.keep_off(running.pid, plan.layout.worker_core, plan.layout.control_core)
            sample = window.measure(running, running.frames, self.warm_up_s, plan.seconds)
            overlay_check.check(running, self.way != "decap", self.way != "encap", self.flows)
        return sample.as_dict(mood["tsc_hz"])

    def _ports(self, tunnel: str, folder: Path) -> list[Port]:
        inner = [traffic.frame("b", "a", flow) for flow in range(self.flows)]
        outer = [tunnelled.wrap(traffic.frame("a", "b", flow), tunnel, flow) for flow in range(self.flows)]
        pod = self._port(folder / "pod.pcap", inner, "a", self.way != "decap")
        nic = self._port(folder / "nic.pcap", outer, "b", self.way != "encap")
        return [pod, Uplink(nic, tunnel)]

    def _port(self, file: Path, frames: list[bytes], side: str, sends: bool) -> Replay | Silent:
        traffic.write_file(file, frames if sends else [])
        if sends:
            return Replay(file, self.flows)
        return Silent(file, tuple(traffic.mac(side, flow).hex(":") for flow in range(self.flows)))


@dataclass(frozen=True)
class GeneveCase(OverlayCase):
    group = GENEVE

    @property
    def name(self) -> str:
        return f"geneve-{self.way}-{self.flows}"

    def play(self, program: Program, plan: Plan, folder: Path, mood: dict) -> dict:
        samples = {}
        for tunnel in tunnelled.KINDS:
            its_own = folder / tunnel
            its_own.mkdir()
            samples[tunnel] = self._play(tunnel, program, plan, its_own, mood)
        geneve, vxlan = samples["geneve"], samples["vxlan"]
        return {**geneve, "vxlan_cycles": vxlan["cycles_per_packet"],
                "to_vxlan": geneve["cycles_per_packet"] / vxlan["cycles_per_packet"]}
