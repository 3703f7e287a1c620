# SPDX-License-Identifier: Apache-2.0
"""Policy with real frames: the scenes of lib/policy_cases.py from pods, beside what packet.explain says of each frame before."""
import pytest
from lib.daemon import running
from lib.policy_cases import SCENES
from lib.policy_cases_connections import raw
from lib.policy_cases_headers import RULES, datagram
from lib.policy_scene import A, B, Scene, default, passes, udp, unjudged
from lib.policy_stage import WITNESS, stage


@pytest.fixture(scope="module")
def control():
    with running() as switch, switch.control() as control:
        control.call("segment.add", name=WITNESS["segment"], vni=99)
        yield control


def expected(step):
    return "forward" if step.to else "drop", step.reason, sorted(step.to)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_frames_end_as_the_table_says(control, scene):
    faults = []
    with stage(control, scene) as place:
        for step in scene.steps:
            faults += place.faults(step)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_what_is_foretold_comes_true(control, scene):
    wrong = []
    with stage(control, scene) as place:
        for step in scene.steps:
            said = place.foretold(step)
            if said != expected(step):
                wrong.append(f"{step.note}: packet.explain says {said}, not {expected(step)}")
            place.play(step)
    assert not wrong, "\n".join(wrong)


def test_what_a_segment_knew_goes_with_it(control):
    """Another segment, with the same name, addresses and rules even, knows of no connection and no fragment of the first."""
    first = Scene("the first", "deny", RULES, [passes("UDP", A, udp(A, B)), passes("GRE", A, raw(A, B, 47)), passes("a first fragment", A, datagram(1)[0]),
                                               passes("what follows it", A, datagram(1)[1])])
    second = Scene("the second", "deny", RULES, [default("an answer", B, udp(B, A, 53, 5000)), default("GRE back", B, raw(B, A, 47)),
                                                 unjudged("a later fragment", A, datagram(1)[1])])
    for scene in (first, second):
        with stage(control, scene) as place:
            faults = [fault for step in scene.steps for fault in place.faults(step)]
        assert not faults, "\n".join(faults)
