# SPDX-License-Identifier: Apache-2.0
"""A second opinion on policy: random rules and packets, judged by nftables, by the model of docs/policy.md, and by the switch.

BULKHEAD_POLICY_SETS sets of rules of each kind are tried (40 unless told), BULKHEAD_POLICY_SEED is the first one's seed."""
import contextlib
import itertools
import json
import os
import random

import pytest
from lib.daemon import running
from lib.dialogues import GRE, LEFT, MACS, RIGHT, Talk, dialogues, number_of, rounds, talk_other
from lib.frames import ethernet
from lib.netns import Namespace
from lib.nftables_model import LAST, Bridge, Router, kernel
from lib.policy_model import Policy
from lib.policy_random import frames_of_layer_2, rule_set
from lib.wait import until

SETS = int(os.environ.get("BULKHEAD_POLICY_SETS", "40"))
SEED = int(os.environ.get("BULKHEAD_POLICY_SEED", "1"))
RULES, TALKS, FRAMES = 100, 40, 200
OWNERS = {mac: side for side, macs in MACS.items() for mac in macs}


class Model:
    """The third opinion."""

    def judge(self, default, rules, turns):
        policy = Policy(default, rules, OWNERS, {LEFT: LEFT, RIGHT: RIGHT})
        return {sent.number for turn in turns for sent in turn if policy.judge(sent.frame, sent.side)[0]}


class Bulkhead:
    """Two pods, and a segment of its own for each set of rules."""

    def __init__(self, control, spaces, wires):
        self.control, self.spaces, self.wires, self.sets = control, spaces, wires, itertools.count(1)

    def judge(self, default, rules, turns):
        name = f"set-{next(self.sets)}"
        self.apply(name, default, rules)
        for turn in turns:
            due = {side: self.received(side) + sum(sent.side == side for sent in turn) for side in self.wires}
            for sent in turn:
                self.wires[sent.side].send(sent.frame)
            until(lambda: all(self.received(side) >= due[side] for side in due), 10, "the switch to see them", pause=0.001)
        passed = set()
        for side, wire in self.wires.items():
            wire.send(ethernet(LAST, MACS[side][0], ethertype=0x0806))
        for wire in self.wires.values():
            passed |= {number_of(frame) for frame in wire.receive_before(LAST)}
        return passed & {sent.number for turn in turns for sent in turn}

    def received(self, side):
        return self.control.call("stats.get", port=side)["ports"][0]["rx_packets"]

    def apply(self, name, default, rules):
        """The reply says that it is in force."""
        ports = [{"name": side, "type": "tap", "netns": space.path, "ifname": "net1", "segment": name, "group": side, "macs": MACS[side]}
                 for side, space in self.spaces.items()]
        config = {"version": 1, "segments": [{"name": name, "vni": 100, "default_policy": default}], "ports": ports,
                  "groups": [{"segment": name, "name": side, "id": number} for number, side in enumerate(self.spaces, 1)],
                  "policies": [{"segment": name, **rule} for rule in rules]}
        self.control.call("config.apply", config=config, owner="opinions")


@pytest.fixture(scope="module")
def switch():
    with contextlib.ExitStack() as stack:
        control = stack.enter_context(stack.enter_context(running()).control())
        spaces = {side: stack.enter_context(Namespace(side)) for side in (LEFT, RIGHT)}
        for space in spaces.values():
            space.silence()
        judge = Bulkhead(control, spaces, {})
        judge.apply("set-0", "allow", [])
        stack.callback(control.call, "config.apply", config={"version": 1}, owner="opinions")
        judge.wires = {side: stack.enter_context(space.wire()) for side, space in spaces.items()}
        yield judge


def stateful(seed):
    """The default, the rules, and dialogues."""
    source = random.Random(seed)
    return *rule_set(source, RULES, True), dialogues(source, itertools.count(1), TALKS)


def stateless(seed):
    source = random.Random(seed)
    return *rule_set(source, RULES, False), [[sent] for sent in frames_of_layer_2(source, itertools.count(1), FRAMES)]


KINDS = {"stateful": (stateful, Router), "stateless": (stateless, Bridge)}


def smallest(rules, differ):
    """As few of the rules as the disagreement needs: parts that it does not need are left out, half of them first, one at last."""
    size = max(1, len(rules) // 2)
    while True:
        for start in reversed(range(0, len(rules), size)):
            fewer = rules[:start] + rules[start + size:]
            if differ(fewer):
                rules = fewer
        if size == 1:
            return rules
        size //= 2


def told(names, verdicts, talk):
    return [f"  {sent.side}: {sent.note}: {sent.frame.hex()}: " +
            ", ".join(f"{name} {'passes' if sent.number in passed else 'drops'}" for name, passed in zip(names, verdicts)) for sent in talk]


def disagreement(names, judges, default, rules, talk, said):
    """In words: the rules that it takes, the packets up to the first that the two disagree about, and what each says."""
    def first(some_rules):
        verdicts = [judge.judge(default, some_rules, rounds([talk])) for judge in judges]
        return next((index for index, sent in enumerate(talk) if (sent.number in verdicts[0]) != (sent.number in verdicts[1])), None), verdicts

    if first(rules)[0] is None:
        return "a disagreement that is not there when its packets are tried again, alone: one of the two knows something of before\n" + \
            "\n".join(told(names, said, talk))
    rules = smallest(rules, lambda fewer: first(fewer)[0] is not None)
    index, verdicts = first(rules)
    return "\n".join([f"default_policy {default}, rules:", *(f"  {json.dumps(rule)}" for rule in rules), "packets:",
                      *told(names, verdicts, talk[:index + 1])])


def compare(names, judges, make):
    """Every set of rules, until one is not judged alike."""
    passed = dropped = 0
    for seed in range(SEED, SEED + SETS):
        default, rules, talks = make(seed)
        verdicts = [judge.judge(default, rules, rounds(talks)) for judge in judges]
        wrong = verdicts[0] ^ verdicts[1]
        for talk in talks:
            if wrong & {sent.number for sent in talk}:
                pytest.fail(f"seed {seed}: {disagreement(names, judges, default, rules, talk, verdicts)}")
        packets = sum(len(talk) for talk in talks)
        passed, dropped = passed + len(verdicts[0]), dropped + packets - len(verdicts[0])
    # Rules that let all or nothing pass would agree with anything.
    assert min(passed, dropped) > 0.15 * (passed + dropped), (passed, dropped)


@pytest.mark.parametrize("kind", KINDS)
def test_nftables_and_the_model_agree(kind):
    make, forwarder = KINDS[kind]
    with kernel(forwarder) as nftables:
        compare(("nftables", "the model"), (nftables, Model()), make)


@pytest.mark.parametrize("kind", KINDS)
def test_nftables_and_the_switch_agree(kind, switch):
    make, forwarder = KINDS[kind]
    with kernel(forwarder) as nftables:
        compare(("nftables", "the switch"), (nftables, switch), make)


def test_another_segment_knows_no_connection_of_the_first(switch):
    """Else sets of rules could not be compared one after another; and a segment would not keep others out."""
    talk = Talk(random.Random(1), itertools.count(1), RIGHT, 4, (1, 1))
    talk_other(talk, GRE)
    question, answer, _ = talk.sent
    rules = [{"order": 1, "name": "gre", "action": "allow", "from": {"groups": [RIGHT]}, "protocol": GRE}]
    assert switch.judge("deny", rules, [[question], [answer]]) == {question.number, answer.number}
    for _ in range(4):
        assert switch.judge("deny", rules, [[answer]]) == set()
