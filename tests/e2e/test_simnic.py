# SPDX-License-Identifier: Apache-2.0
"""The simulated SmartNIC, judged by programs nobody here wrote: what they ask of it by rte_flow, it does to their frames."""
import re
import subprocess

import pytest
from lib.child import dies_with_us
from lib.simnic import driver, needs_simnic, on_simnic
from lib.wait import until
from scapy.all import IP, UDP, Dot1Q, Ether, wrpcap
from scapy.layers.vxlan import VXLAN

pytestmark = needs_simnic

OUTER = "eth / ipv4 src is 192.0.2.2 dst is 192.0.2.1 / udp dst is 4789"
FLOWS = 8


def tunnelled(vni, flow=0, source="192.0.2.2"):
    inner = Ether(src="02:00:00:00:00:07", dst="02:00:00:00:00:01") / IP(src=f"10.0.0.{flow + 1}", dst="10.0.0.99") / UDP(sport=1000 + flow)
    return (Ether(src="02:00:00:00:00:bb", dst="02:00:00:00:00:aa") / IP(src=source, dst="192.0.2.1") / UDP(sport=50000, dport=4789) /
            VXLAN(flags=8, vni=vni) / inner / (b"x" * 20))


@pytest.fixture
def frames(tmp_path):
    """Eight inner flows of each of three VNIs, all of one outer flow; some in a VLAN, some from elsewhere."""
    every = [tunnelled(vni, flow) for vni in (100, 200, 300) for flow in range(FLOWS)]
    every += [Ether(src="02:00:00:00:00:bb", dst="02:00:00:00:00:aa") / Dot1Q(vlan=7) / IP(dst="192.0.2.1") / UDP(dport=9) for _ in range(3)]
    every += [tunnelled(100, source="192.0.2.3") for _ in range(5)]
    wrpcap(str(tmp_path / "in.pcap"), every)
    return tmp_path / "in.pcap"


def create(program, rule):
    said = program.ask(f"flow create 0 {rule}")
    assert "created" in said, said
    return int(re.search(r"#(\d+) created", said).group(1))


def received(program):
    return int(re.search(r"RX-packets: (\d+)", program.ask("show port stats 0")).group(1))


def listen(program, count):
    """Every frame that came to the program: its queue, and its mark or None."""
    program.ask("set fwd rxonly")
    program.ask("set verbose 1")
    said = program.ask("start")
    until(lambda: received(program) >= count, 10, "the frames")
    said += program.ask("stop")
    lines = re.findall(r"length=\d+.*Receive queue=0x\w+", said)
    marks = [re.search(r"FDIR matched ID=0x(\w+)", line) for line in lines]
    return [(int(re.search(r"Receive queue=0x(\w+)", line).group(1), 16), int(mark.group(1), 16) if mark else None)
            for line, mark in zip(lines, marks)]


def test_marks_steers_counts_and_drops(frames):
    with on_simnic(frames, queues=4) as program:
        marked = create(program, f"ingress pattern {OUTER} / vxlan vni is 100 / end actions mark id 65700 / queue index 3 / count / end")
        dropped = create(program, f"ingress pattern {OUTER} / vxlan vni is 200 / end actions drop / count / end")
        tagged = create(program, "ingress pattern eth / vlan vid is 7 / end actions mark id 9 / queue index 2 / count / end")
        got = listen(program, 2 * FLOWS + 3 + 5)
        assert got.count((3, 65700)) == FLOWS
        assert got.count((2, 9)) == 3
        assert sorted({mark for _, mark in got if mark}) == [9, 65700]
        assert sum(mark is None for _, mark in got) == FLOWS + 5, "VNI 300, and VNI 100 from elsewhere; nothing of VNI 200"
        assert [program.counts(rule)[0] for rule in (marked, dropped, tagged)] == [FLOWS, FLOWS, 3]
        assert program.counts(dropped)[1] == FLOWS * len(tunnelled(200))


@pytest.mark.parametrize("level, spread", [(0, False), (2, True)])
def test_spreads_by_the_header_that_the_level_means(frames, level, spread):
    """All frames are of one outer flow."""
    with on_simnic(frames, queues=4) as program:
        create(program, f"ingress pattern {OUTER} / vxlan / end actions mark id 1 / rss level {level} queues 1 2 3 end / end")
        queues = {queue for queue, mark in listen(program, 3 * FLOWS) if mark == 1}
        assert queues <= {1, 2, 3}
        assert (len(queues) > 1) == spread


def test_the_lower_priority_number_goes_first(frames):
    with on_simnic(frames) as program:
        create(program, f"priority 1 ingress pattern {OUTER} / end actions mark id 1 / queue index 0 / end")
        create(program, f"priority 0 ingress pattern {OUTER} / vxlan vni is 300 / end actions mark id 2 / queue index 0 / end")
        marks = [mark for _, mark in listen(program, 3 * FLOWS + 8)]
        assert (marks.count(1), marks.count(2)) == (2 * FLOWS, FLOWS)


def test_a_rule_that_is_gone_does_nothing(frames):
    with on_simnic(frames) as program:
        gone = create(program, f"ingress pattern {OUTER} / end actions mark id 1 / queue index 0 / count / end")
        program.ask(f"flow destroy 0 rule {gone}")
        create(program, f"ingress pattern {OUTER} / vxlan vni is 200 / end actions drop / end")
        assert "flushed" not in program.ask("flow flush 0") and "=>" not in program.ask("flow list 0")
        assert [mark for _, mark in listen(program, 3 * FLOWS + 8)] == [None] * (3 * FLOWS + 8)


MARK = f"ingress pattern {OUTER} / vxlan vni is 100 / end actions mark id 5 / queue index 0 / end"
COUNTED = f"ingress pattern {OUTER} / vxlan vni is 100 / end actions mark id 5 / rss queues 0 end / count / end"
INNER = f"ingress pattern {OUTER} / vxlan vni is 100 / eth / ipv4 dst is 10.0.0.1 / end actions drop / end"
LEVEL = f"ingress pattern {OUTER} / vxlan vni is 100 / end actions rss level 2 queues 0 end / end"
GENEVE = "ingress pattern eth / ipv4 / udp dst is 6081 / geneve vni is 100 / end actions drop / end"
NO_FATE = f"ingress pattern {OUTER} / end actions mark id 5 / end"
BIG_MARK = f"ingress pattern {OUTER} / end actions mark id 0xfffff1 / rss queues 0 end / end"
ITEM, ACTION, LEVELS = "item not supported", "action not supported", "RSS encapsulation level is not supported"
REFUSALS = [
    ("mlx5", MARK, None), ("mlx5", COUNTED, None), ("mlx5", INNER, None), ("mlx5", LEVEL, None), ("mlx5", GENEVE, None),
    ("mlx5", NO_FATE, "no fate action is found"), ("mlx5", BIG_MARK, "mark id is out of range"),
    ("mlx5", "ingress pattern eth / sctp / end actions drop / end", ITEM),
    ("mlx5", "ingress group 1 pattern eth / end actions drop / end", "groups are not supported"),
    ("mlx5", "egress pattern eth / end actions drop / end", "egress is not supported"),
    ("mlx5", "ingress pattern eth / end actions queue index 9 / end", "queue index out of range"),
    ("mlx5", "ingress pattern eth / end actions drop / mark id 1 / end", "drop is not compatible with other actions"),
    ("ice", MARK, None), ("ice", COUNTED, None), ("ice", LEVEL, LEVELS), ("ice", GENEVE, ITEM), ("ice", NO_FATE, None),
    ("bnxt", MARK, ACTION), ("bnxt", COUNTED, None), ("bnxt", LEVEL, LEVELS), ("bnxt", GENEVE, ITEM),
    ("sfc", MARK, None), ("sfc", INNER, "inner headers are not supported"), ("sfc", GENEVE, None),
]


@pytest.mark.parametrize("profile", ["mlx5", "ice", "bnxt", "sfc"])
def test_each_family_accepts_and_refuses_as_its_matrix_says(profile):
    with on_simnic(profile=profile) as program:
        for family, rule, refusal in REFUSALS:
            if family != profile:
                continue
            said = program.ask(f"flow validate 0 {rule}")
            assert ("Flow rule validated" if refusal is None else refusal) in said, rule
            assert ("created" in program.ask(f"flow create 0 {rule}")) == (refusal is None), rule
            program.ask("flow flush 0")


def test_a_full_table_refuses_and_has_room_again():
    rule = "ingress pattern eth / vlan vid is {} / end actions drop / end"
    with on_simnic(table=2) as program:
        first, _ = create(program, rule.format(1)), create(program, rule.format(2))
        assert "no space left for flow rules" in program.ask("flow create 0 " + rule.format(3))
        program.ask(f"flow destroy 0 rule {first}")
        assert "exists" in program.ask("flow create 0 " + rule.format(2))
        create(program, rule.format(3))


def test_goes_wrong_when_told_to():
    rule = "ingress pattern eth / vlan vid is {} / end actions drop / end"
    with on_simnic(faults="(refuse_create=1,no_space=1,fail_destroy=1)") as program:
        assert "the device refused the flow rule" in program.ask("flow create 0 " + rule.format(1))
        assert "no space left for flow rules" in program.ask("flow create 0 " + rule.format(1))
        made = create(program, rule.format(1))
        assert "the device did not let go of it" in program.ask(f"flow destroy 0 rule {made}")
        assert "destroyed" in program.ask(f"flow destroy 0 rule {made}")


def test_no_rule_outlives_a_stop(frames):
    with on_simnic(frames) as program:
        create(program, f"ingress pattern {OUTER} / end actions drop / end")
        program.ask("port stop 0")
        program.ask("port start 0")
        assert len(listen(program, 3 * FLOWS + 8)) == 3 * FLOWS + 8


@pytest.mark.parametrize("arguments, complaint", [
    ("profile=cx9", "there are mlx5, ice, bnxt, sfc"), ("table=many", "a number is wanted"), ("tables=1", "there are wire, profile"),
    ("faults=(fire=1)", "there is no fire"),
])
def test_arguments_that_mean_nothing(arguments, complaint):
    with driver() as path:
        ended = subprocess.run(
            dies_with_us(["dpdk-testpmd", "-l", "0", "--no-pci", "--in-memory", "--no-telemetry", "-m", "64", "-d", path, "--vdev",
                          f"net_simnic0,wire=(net_null0),{arguments}", "--", "--no-mlockall"]),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        assert complaint in ended.stdout + ended.stderr


def test_ten_thousand_rules_in_a_second():
    """By dpdk-test-flow-perf, which tells how many thousand it made, and unmade, in a second."""
    with driver() as path:
        ended = subprocess.run(
            dies_with_us(["dpdk-test-flow-perf", "-l", "0,1", "--no-pci", "--in-memory", "--no-telemetry", "-m", "512", "-d", path, "--vdev",
                          "net_simnic0,wire=(net_null0)", "--", "--ingress", "--ether", "--ipv4", "--queue", "--rules-count=10000",
                          "--rules-batch=1000", "--deletion-rate"]),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        thousands = {what: float(rate) for what, rate in re.findall(r"Rules (\w+) rate -> ([\d.]+) K Rule", ended.stdout)}
        assert set(thousands) == {"insertion", "deletion"} and min(thousands.values()) > 10, ended.stdout + ended.stderr
