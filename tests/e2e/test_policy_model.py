# SPDX-License-Identifier: Apache-2.0
"""The table of policy cases and the model of docs/policy.md were written apart: they agree."""
import pytest
from lib.policy_cases import SCENES
from lib.policy_model import Policy
from lib.policy_scene import PORT_OF

#: What the model knows nothing of.
BEYOND = {"security", "limits", "isolated"}


KNOWN = [scene for scene in SCENES if not BEYOND & {field for fields in scene.ports.values() for field in fields}]


@pytest.mark.parametrize("scene", KNOWN, ids=lambda scene: scene.name)
def test_the_model_judges_as_the_table_says(scene):
    groups = {port: fields["group"] for port, fields in scene.ports.items() if "group" in fields}
    policy = Policy(scene.default, scene.rules, PORT_OF, groups)
    for step in scene.steps:
        assert policy.judge(step.frame, step.sender) == (set(step.to), step.reason), step.note
