# SPDX-License-Identifier: Apache-2.0
"""Policy with real frames: the scenes of lib/policy_cases.py from pods, beside what packet.explain says of each frame before."""
import collections
import contextlib

import pytest
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import pod
from lib.policy_cases import SCENES
from lib.policy_scene import B, NUMBERS, mac_of, nd, port_fields, v6
from lib.wait import until
from scapy.all import ICMPv6ND_NS, Raw

#: Beside its attachment in the scene's segment each port has one in another, where no rule is: frames of it are in the same queues,
#: so what is not there before such a frame does not come any more.
WITNESS = {"vlan": 99, "segment": "witness"}


@pytest.fixture(scope="module")
def control():
    with running() as switch, switch.control() as control:
        control.call("segment.add", name="witness", vni=99)
        yield control


def carries_tags(scene):
    """A port that carries tags can have no other attachment. The scenes that have such ports leave Neighbor Discovery alone."""
    return any("tagged" in fields for fields in scene.ports.values())


def last_word(scene, sender, end):
    """What all others hear after the frame of a step."""
    if carries_tags(scene):
        return nd(sender, ICMPv6ND_NS(tgt=v6(B))) / Raw(end)
    return ethernet(end, mac_of(sender), vlan=WITNESS["vlan"])


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
        yield wires


def drops(control):
    counter = collections.Counter()
    for row in control.call("drop.list", segment="scene", limit=1000)["items"]:
        counter[row["reason"]] += row["packets"]
    return counter


def received(control, port):
    return control.call("stats.get", port=port)["ports"][0]["rx_packets"]


def foretold(control, step):
    """What packet.explain says of a step, which has not happened yet."""
    said = control.call("packet.explain", port=step.sender, frame=bytes(step.frame).hex())
    return said["verdict"], said["reason"], sorted(said["egress"])


def expected(step):
    return "forward" if step.to else "drop", step.reason, sorted(step.to)


def play(control, wires, step, end, last):
    """Sends the frame, and `last` behind it, in which `end` is. Returns what arrives in each of the other pods and what is dropped."""
    before, count = drops(control), received(control, step.sender)
    wires[step.sender].send(step.frame)
    until(lambda: received(control, step.sender) > count, 5, f"{step.note}: the switch to see it")
    wires[step.sender].send(last)
    came = {port: wires[port].receive_before(end) for port in wires if port != step.sender}
    return {port: frames for port, frames in came.items() if frames}, drops(control) - before


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_frames_end_as_the_table_says(control, scene):
    wrong = []
    with stage(control, scene) as wires:
        for number, step in enumerate(scene.steps):
            said = foretold(control, step)
            end = f"after step {number} of {scene.name}".encode()
            came, dropped = play(control, wires, step, end, last_word(scene, step.sender, end))
            if came != {port: [bytes(step.frame)] for port in step.to}:
                wrong.append(f"{step.note}: arrives at {sorted(came)}, not at {sorted(step.to)}: {came}")
            # A frame to many may be dropped on the way to some of them.
            if not step.to and set(dropped) != {step.reason}:
                wrong.append(f"{step.note}: dropped as {dict(dropped)}, not as {step.reason}")
            if dropped and bytes(step.frame)[:6].hex(":") in {mac_of(port) for port in step.to}:
                wrong.append(f"{step.note}: it arrives and is dropped as {dict(dropped)}, too")
            if said != expected(step):
                wrong.append(f"{step.note}: packet.explain says {said}, not {expected(step)}")
    assert not wrong, "\n".join(wrong)
