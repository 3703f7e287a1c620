# SPDX-License-Identifier: Apache-2.0
"""Where the scenes of policy cases are played: a segment, its rules, and a pod for each of its ports."""
import collections
import contextlib

from scapy.all import ICMPv6ND_NS, Raw

from .frames import ethernet
from .netns import pod
from .policy_scene import B, NUMBERS, mac_of, nd, port_fields, v6
from .wait import until

#: Beside its attachment in the scene's segment each port has one in another, where no rule is: frames of it are in the same queues,
#: so what is not there before such a frame does not come any more. That segment must be there.
WITNESS = {"vlan": 99, "segment": "witness"}


def carries_tags(scene):
    """A port that carries tags can have no other attachment. The scenes that have such ports leave Neighbor Discovery alone."""
    return any("tagged" in fields for fields in scene.ports.values())


def last_word(scene, sender, end):
    """What all others hear after the frame of a step."""
    if carries_tags(scene):
        return nd(sender, ICMPv6ND_NS(tgt=v6(B))) / Raw(end)
    return ethernet(end, mac_of(sender), vlan=WITNESS["vlan"])


class Stage:
    def __init__(self, control, scene, wires):
        self.control, self.scene, self.wires, self.played = control, scene, wires, 0

    def drops(self):
        counter = collections.Counter()
        for row in self.control.call("drop.list", segment="scene", limit=1000)["items"]:
            counter[row["reason"]] += row["packets"]
        return counter

    def received(self, port):
        return self.control.call("stats.get", port=port)["ports"][0]["rx_packets"]

    def foretold(self, step):
        """What packet.explain says of a step, which has not happened yet."""
        said = self.control.call("packet.explain", port=step.sender, frame=bytes(step.frame).hex())
        return said["verdict"], said["reason"], sorted(said["egress"])

    def play(self, step):
        """Sends the frame. Returns what arrives in each of the other pods, and what is dropped."""
        self.played += 1
        end = f"after step {self.played} of {self.scene.name}".encode()
        before, count = self.drops(), self.received(step.sender)
        self.wires[step.sender].send(step.frame)
        until(lambda: self.received(step.sender) > count, 5, f"{step.note}: the switch to see it")
        self.wires[step.sender].send(last_word(self.scene, step.sender, end))
        came = {port: self.wires[port].receive_before(end) for port in self.wires if port != step.sender}
        return {port: frames for port, frames in came.items() if frames}, self.drops() - before

    def faults(self, step):
        """Plays the step, and tells what is not as it says."""
        came, dropped = self.play(step)
        faults = []
        if came != {port: [bytes(step.frame)] for port in step.to}:
            faults.append(f"{step.note}: arrives at {sorted(came)}, not at {sorted(step.to)}: {came}")
        # A frame to many may be dropped on the way to some of them.
        if not step.to and set(dropped) != {step.reason}:
            faults.append(f"{step.note}: dropped as {dict(dropped)}, not as {step.reason}")
        if dropped and bytes(step.frame)[:6].hex(":") in {mac_of(port) for port in step.to}:
            faults.append(f"{step.note}: it arrives and is dropped as {dict(dropped)}, too")
        return faults


@contextlib.contextmanager
def stage(control, scene):
    """The segment, its groups, ports and rules, and a wire into each pod; all gone at the end."""
    with contextlib.ExitStack() as stack:
        control.call("segment.add", name="scene", vni=100, default_policy=scene.default)
        stack.callback(control.call, "segment.remove", name="scene", force=True)
        for number, group in enumerate(scene.groups, 1):
            control.call("group.add", segment="scene", name=group, id=number)
        wires, beside = {}, {} if carries_tags(scene) else {"vlans": [WITNESS]}
        for port in NUMBERS:
            space = stack.enter_context(pod(control, port, "scene", label=port, silent=True, **port_fields(scene, port), **beside))
            wires[port] = stack.enter_context(space.wire())
        for rule in scene.rules:
            control.call("policy.add", segment="scene", **rule)
        yield Stage(control, scene, wires)
