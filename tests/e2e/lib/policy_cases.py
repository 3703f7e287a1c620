# SPDX-License-Identifier: Apache-2.0
"""Policy as a table: what docs/policy.md says of single frames and of sequences. The end-to-end test sends these frames from pods;
the unit test reads the same table as JSON, which this file prints when it is run: python3 -m lib.policy_cases."""
import json
import sys

from .policy_cases_connections import CONNECTION_SCENES
from .policy_cases_headers import HEADER_SCENES
from .policy_cases_rules import RULE_SCENES
from .policy_scene import NUMBERS, port_fields

SCENES = RULE_SCENES + CONNECTION_SCENES + HEADER_SCENES


def as_json(scene):
    steps = [{"note": step.note, "sender": step.sender, "frame": bytes(step.frame).hex(), "to": sorted(step.to), "reason": step.reason}
             for step in scene.steps]
    return {"name": scene.name, "default_policy": scene.default, "groups": list(scene.groups), "rules": scene.rules, "steps": steps,
            "ports": {port: port_fields(scene, port) for port in NUMBERS}}


if __name__ == "__main__":
    json.dump([as_json(scene) for scene in SCENES], sys.stdout)
