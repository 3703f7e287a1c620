#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench makes of its runs, with programs that measure nothing."""
import contextlib
import io
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "perf"))

from compare import book, check, cli, document, guest, latency, machine, openvswitch, plot, processes, rounds, summary, table, testpmd, window  # noqa: E402
from compare import bridge, bulkheadd, firewall, iperf, mover, outage  # noqa: E402
from compare.cases import CASES  # noqa: E402
from compare.plan import Plan  # noqa: E402
from compare.ports import Replay, Tap, Vhost  # noqa: E402
from compare.program import Layout, Running  # noqa: E402
from compare.replay import ReplayCase  # noqa: E402

MOOD = {"tsc_hz": 2e9, "memory_cycles": 40.0}


def one(program, cycles, mpps, case="l2-16", transmitted=900, core_s=1.5, canary=40.0):
    return {"case": case, "program": program, "round": 1, "received": 1000, "transmitted": transmitted, "wall_s": 3.0, "core_s": core_s,
            "cycles_per_packet": cycles, "mpps": mpps, "canary": {"tsc_hz": 2e9, "memory_cycles": canary}}


def delay(program, p99, rate=3.0):
    """A run of a case with other figures than cycles."""
    return {"case": "vhost-latency", "program": program, "round": 1, "received": 1000, "transmitted": 1000, "wall_s": 3.0, "core_s": 3.0,
            "p50_us": p99 / 4, "p99_us": p99, "p999_us": p99 * 4, "max_us": p99 * 40, "rate_mpps": rate, "canary": MOOD}


def memory(hugepages, anonymous):
    """A run without frames, of a case without a floor."""
    return {"case": "memory-64", "program": "bulkhead", "round": 1, "hugepages_mib": hugepages, "rss_anon_mib": anonymous, "canary": MOOD}


MIXED = [delay("testpmd", 10), delay("bulkhead", 12), delay("testpmd", 20), delay("bulkhead", 30), delay("testpmd", 12), delay("bulkhead", 15),
         memory(400, 20.5)]
RUNS = [one("testpmd", 40, 50), one("ovs", 200, 10), one("bulkhead", 100, 20),
        one("testpmd", 50, 40), one("ovs", 300, 8), one("bulkhead", 120, 16),
        one("testpmd", 90, 30), one("ovs", 220, 9), one("bulkhead", 180, 12)]


def result(runs):
    return {"format": 1, "started": "2030-01-02 03:04 UTC", "commit": "abc", "tsc_hz": 2e9, "versions": {"Bulkhead": "0.1.0"},
            "machine": {"cpu": "A CPU", "cores": 2, "kernel": "6.1", "system": "Debian", "hypervisor": "none", "hugepages": 0, "memory_mib": 1},
            "parameters": {"cases": ["l2-16"], "rounds": 3, "seconds": 3.0, "frame_bytes": 60, "control_core": 0, "worker_core": 1, "memory_mib": 512},
            "summary": summary.summarize(runs), "runs": runs}


class Summary(unittest.TestCase):
    def row(self, program, runs=None):
        return next(row for row in summary.summarize(runs or RUNS) if row["program"] == program)

    def test_like_is_compared_with_like(self):
        row = self.row("bulkhead")
        self.assertEqual((row["cycles_min"], row["cycles_median"]), (100, 120))
        self.assertEqual((row["over_floor_min"], row["over_floor_median"]), (100 - 40, 120 - 50))
        self.assertEqual((row["to_floor_min"], row["to_floor_median"]), (100 / 40, 120 / 50))
        self.assertEqual((row["mpps_max"], row["mpps_median"]), (20, 16))
        self.assertEqual((row["to_ovs_max"], row["to_ovs_median"]), (20 / 10, 16 / 9))

    def test_loss_share_and_canary(self):
        row = self.row("bulkhead", [one("bulkhead", 1, 1, transmitted=500, core_s=0.6, canary=30), one("bulkhead", 1, 1, transmitted=1000, core_s=3.0, canary=50)])
        self.assertEqual((row["runs"], row["lost"], row["memory_canary"]), (2, 0.25, 40))
        self.assertAlmostEqual(row["core_share"], 0.6)

    def test_without_peers_nothing_is_compared(self):
        row = self.row("bulkhead", [one("bulkhead", 1, 1)])
        self.assertFalse({"to_floor_min", "to_ovs_max"} & set(row))

    def test_cases_do_not_mix(self):
        rows = summary.summarize([*RUNS, one("bulkhead", 7, 1, case="l2-1024")])
        self.assertEqual([(row["case"], row["program"]) for row in rows],
                         [("l2-16", "testpmd"), ("l2-16", "ovs"), ("l2-16", "bulkhead"), ("l2-1024", "bulkhead")])
        self.assertEqual(rows[-1]["cycles_min"], 7)
        self.assertNotIn("to_floor_min", rows[-1])

    def test_every_group_has_figures_of_its_own(self):
        floor, mine, alone = summary.summarize(MIXED)
        self.assertEqual((floor["p99_min"], floor["p99_median"], mine["p99_min"], mine["p99_median"]), (10, 12, 12, 15))
        self.assertEqual((mine["to_floor_min"], mine["to_floor_median"], mine["over_floor_median"]), (12 / 10, 15 / 12, 15 - 12))
        self.assertEqual((mine["rate_max"], mine["p999_median"], mine["lost"], mine["core_share"]), (3.0, 60, 0.0, 1.0))
        self.assertEqual({key: value for key, value in alone.items() if key not in ("case", "program")},
                         {"runs": 1, "hugepages_min": 400, "hugepages_median": 400, "rss_anon_min": 20.5, "rss_anon_median": 20.5, "memory_canary": 40.0})
        for row in (floor, mine, alone):
            self.assertFalse({"cycles_min", "mpps_max", "to_ovs_max"} & set(row))

    def test_a_ring_that_is_full(self):
        runs = [{**one("bulkhead", 100, 20, case="vhost-60"), "gbps": 9.6, "ring_full": full, "guest_share": full / 2} for full in (0.5, 1.0, 0.9)]
        row, = summary.summarize(runs)
        self.assertEqual((row["ring_full"], row["guest_share"], row["gbps_max"], row["cycles_min"]), (0.9, 0.45, 9.6, 100))

    def test_figures_of_a_sample(self):
        sample = window.Sample(received=4000, transmitted=2000, wall_s=2.0, core_s=1.0)
        self.assertEqual((sample.cycles_per_packet(2e9), sample.mpps), (1e6, 0.002))


class Fake:
    """Fails in the rounds that `failures` names, as it says there."""

    title = "a fake"

    def __init__(self, key, failures=None):
        self.key, self.failures, self.starts = key, failures or {}, 0

    @contextlib.contextmanager
    def start(self, ports, layout, folder):
        self.starts += 1
        if self.starts in self.failures:
            raise self.failures[self.starts]
        yield Running(mock.Mock(pid=0), folder / "log", lambda: (0, 0))


class FakeCase:
    """Tells the round by counting; fails to look at the programs in the rounds that `failures` names."""

    name, programs, most_rounds = "fake", ("a", "b"), None

    def __init__(self, failures=None):
        self.failures, self.number, self.folders = failures or {}, 0, []

    def for_round(self, programs, plan, folder):
        self.number += 1
        if self.number in self.failures:
            raise self.failures[self.number]
        return self

    def play(self, program, plan, folder, mood):
        self.folders.append(folder)
        assert folder.is_dir() and mood == MOOD
        return {"figure": self.number}


class Tiny(ReplayCase):
    programs = ("a", "b")


class Rounds(unittest.TestCase):
    def measure(self, *programs):
        plan = Plan(5, 1.0, Layout(), pathlib.Path("/no/build"))
        with mock.patch.object(machine, "canary", return_value=MOOD), mock.patch.object(processes, "keep_off"), \
                mock.patch.object(window, "measure", return_value=window.Sample(10, 10, 1.0, 1.0)), contextlib.redirect_stderr(io.StringIO()) as said:
            runs = rounds.measure(Tiny("tiny", 1, 0.0), list(programs), plan, lambda run: None)
        return [(run["program"], run["round"]) for run in runs], said.getvalue()

    def test_programs_take_turns(self):
        runs, said = self.measure(Fake("a", {}), Fake("b", {}))
        self.assertEqual((runs, said), ([(key, number) for number in range(1, 6) for key in "ab"], ""))

    def test_a_run_that_fails_is_told_and_left_out(self):
        runs, said = self.measure(Fake("a", {
            1: processes.MeasurementFailed("no frame"), 2: FileNotFoundError("no program"), 3: subprocess.TimeoutExpired("vsctl", 60), 4: TimeoutError("deaf")}),
            Fake("b", {}))
        self.assertEqual(runs, [("b", 1), ("b", 2), ("b", 3), ("b", 4), ("a", 5), ("b", 5)])
        for number, reason in enumerate(("no frame", "no program", "vsctl", "deaf"), 1):
            self.assertRegex(said, rf"tiny, a, round {number}: .*{reason}")

    def test_a_mistake_of_ours_is_not_taken_for_a_failed_run(self):
        with self.assertRaises(KeyError):
            self.measure(Fake("a", {1: KeyError("x")}))


    def play(self, case, *keys):
        with mock.patch.object(machine, "canary", return_value=MOOD), contextlib.redirect_stderr(io.StringIO()) as said:
            runs = rounds.measure(case, [Fake(key) for key in keys], Plan(3, 1.0, Layout(), pathlib.Path("/no/build")), lambda run: None)
        return [(run["program"], run["round"], run["figure"]) for run in runs], said.getvalue()

    def test_a_case_brings_its_figures_and_its_programs(self):
        runs, said = self.play(FakeCase(), "a", "no player of it", "b")
        self.assertEqual((runs, said), ([(key, number, number) for number in (1, 2, 3) for key in "ab"], ""))

    def test_every_run_has_a_folder_of_its_own(self):
        case = FakeCase()
        self.play(case, "a", "b")
        self.assertEqual(len(set(case.folders)), 6)
        self.assertFalse(any(folder.exists() for folder in case.folders))

    def test_a_round_that_can_not_begin_is_left_out(self):
        runs, said = self.play(FakeCase({2: processes.MeasurementFailed("too slow")}), "a")
        self.assertEqual([number for _, number, _ in runs], [1, 3])
        self.assertRegex(said, "fake, round 2: too slow")

    def test_more_rounds_than_a_case_wants(self):
        case = FakeCase()
        case.most_rounds = 1
        self.assertEqual(self.play(case, "a")[0], [("a", 1, 1)])


class Ports(unittest.TestCase):
    """Each program says in its own words what a port is."""

    replay, vhost = Replay(pathlib.Path("/x.pcap"), 7), Vhost(pathlib.Path("/y.sock"))
    tap = Tap(pathlib.Path("/proc/5/ns/net"), "net1")

    def test_testpmd(self):
        self.assertEqual(testpmd._device(self.replay, 0), "net_pcap0,rx_pcap=/x.pcap,infinite_rx=1")
        self.assertEqual(testpmd._device(self.vhost, 1), "net_vhost1,iface=/y.sock,client=1,queues=1")
        self.assertEqual((testpmd._burst([self.replay]), testpmd._burst([self.vhost])), ([], ["--burst=64"]))

    def test_open_vswitch(self):
        said = openvswitch._bridge([self.replay, self.vhost])
        self.assertEqual(said[said.index("type=dpdk"):][:2], ["type=dpdk", 'options:dpdk-devargs="net_pcap0,rx_pcap=/x.pcap,infinite_rx=1"'])
        self.assertEqual(said[-2:], ["type=dpdkvhostuserclient", 'options:vhost-server-path="/y.sock"'])

    def test_bulkhead(self):
        said = bulkheadd._configuration([self.replay, self.vhost], Layout())
        self.assertEqual(said["ports"], [
            {"name": "p0", "segment": "blue", "type": "ethdev", "devargs": "net_pcap0,rx_pcap=/x.pcap,infinite_rx=1"},
            {"name": "p1", "segment": "blue", "type": "vhost-user", "mode": "client", "path": "/y.sock"}])
        self.assertEqual(said["node"]["idle"], {"mode": "busy"})

    def test_bulkhead_lets_pods_have_its_core(self):
        said = bulkheadd._configuration([self.tap], Layout())
        self.assertEqual(said["ports"], [{"name": "p0", "segment": "blue", "type": "tap", "netns": "/proc/5/ns/net", "ifname": "net1"}])
        self.assertEqual(said["node"]["idle"], {})

    def test_bulkhead_lets_guests_have_its_core_that_want_it(self):
        said = bulkheadd._configuration([Vhost(pathlib.Path("/y.sock"), wants_cores=True)], Layout())
        self.assertEqual(said["node"]["idle"], {})

    def test_a_bridge(self):
        self.assertEqual([" ".join(command) for command in bridge._cable(self.tap, "p3")],
                         ["link add p3 type veth peer name net1 netns /proc/5/ns/net", "link set p3 master br0 up"])
        with self.assertRaises(TypeError):
            bridge._cable(self.vhost, "p0")


class Iperf(unittest.TestCase):
    """Reports as iperf3 3.12 writes them, but for what nobody reads."""

    def figures(self, **end):
        return iperf.figures(json.dumps({"start": {}, "intervals": [], "end": end}), 1.5)

    def test_one_way(self):
        self.assertEqual(self.figures(sum_sent={"bits_per_second": 13e9, "retransmits": 4}, sum_received={"bits_per_second": 12e9}),
                         {"gbps": 12.0, "cores": 1.5, "gbit_per_core_s": 8.0, "retransmits": 4})

    def test_both_ways_are_added(self):
        found = self.figures(sum_sent={"retransmits": 4}, sum_received={"bits_per_second": 5e9},
                             sum_sent_bidir_reverse={"retransmits": 3}, sum_received_bidir_reverse={"bits_per_second": 7e9})
        self.assertEqual((found["gbps"], found["gbit_per_core_s"], found["retransmits"]), (12.0, 8.0, 7))

    def test_a_report_of_nothing_is_no_run(self):
        for report, reason in (('{"start": {}, "error": "unable to connect"}', "unable to connect"), ("", "no report"), ("nsenter: no", "nsenter: no"),
                               ('{"end": {"sum_received": {"bits_per_second": 0}}}', "no byte")):
            with self.subTest(report=report), self.assertRaisesRegex(processes.MeasurementFailed, reason):
                iperf.figures(report, 1.0)

    def test_what_the_client_is_told(self):
        said = " ".join(iperf.Transfer(4, both_ways=True).options(2.5))
        self.assertIn("--omit 1 --time 3 --parallel 4 --bidir", said)
        self.assertNotIn("--bidir", iperf.Transfer(1, both_ways=False).options(2.0))

    def test_the_bridge_is_floor_and_rival(self):
        runs = [{"case": "tap-tcp", "program": program, "round": 1, "gbps": gbps, "cores": cores, "gbit_per_core_s": gbps / cores,
                 "retransmits": 0, "canary": MOOD} for program, gbps, cores in (("bridge", 16.0, 1.0), ("bulkhead", 12.0, 1.5))]
        row = summary.summarize(runs)[1]
        self.assertEqual((row["to_floor_max"], row["to_bridge_median"], row["cores_min"]), (0.75, 0.5, 1.5))
        self.assertNotIn("to_ovs_max", row)
        self.assertIn("0.75 / 0.75", table.text([row]))
        worse = [{**runs[1], "gbps": 10.7}]
        self.assertFalse(check.check(["tap-tcp"], summary.summarize([runs[0], *worse]), summary.summarize(runs))[1])


class Guests(unittest.TestCase):
    """With a guest that is a few lines of shell."""

    def ask(self, script, use):
        with tempfile.TemporaryDirectory() as folder, processes.child(["sh", "-c", script], pathlib.Path(folder, "log"), answers=True) as child:
            return use(guest.Guest(child, pathlib.Path(folder, "log")))

    def test_what_is_between_two_answers(self):
        script = """read x; echo '{"sent": [3, 4], "received": [1, 2], "offers": 100, "refused": 10, "core_s": 1, "wall_s": 10}'
                    read x; echo '{"sent": [5, 6], "received": [3, 4], "offers": 300, "refused": 160, "core_s": 4.6, "wall_s": 14}'; cat"""
        self.assertEqual(self.ask(script, lambda one: (one.frames(), one.frames(), one.ring_full, round(one.core_share, 3))),
                         ((7, 3), (11, 7), 0.75, 0.9))

    def test_a_guest_that_lacked_its_core_spoils_the_run(self):
        script = """read x; echo '{"core_s": 1, "wall_s": 10}'; read x; echo '{"core_s": 3, "wall_s": 14}'; cat"""
        with self.assertRaisesRegex(processes.MeasurementFailed, "its core for only 50%"):
            self.ask(script, lambda one: (one.ask(), one.ask(), one.core_share))

    def test_a_guest_that_ends_says_why(self):
        with self.assertRaisesRegex(processes.MeasurementFailed, "the guest ended\n.*no memory"):
            self.ask("echo no memory >&2; read x", lambda one: one.ask())

    def test_a_guest_that_is_silent_is_not_waited_for(self):
        with self.assertRaisesRegex(processes.MeasurementFailed, "no answer within"):
            self.ask("cat >/dev/null", lambda one: one.ask(0.05))


class Latency(unittest.TestCase):
    def rate(self, *top_rates):
        with mock.patch.object(latency, "_top_rate", side_effect=top_rates):
            case = CASES["vhost-latency"].for_round([Fake(number) for number in range(len(top_rates))], None, None)
        self.assertEqual((case.name, CASES["vhost-latency"].rate), ("vhost-latency", 0))
        return case.rate

    def test_all_run_at_half_the_top_rate_of_the_slowest(self):
        self.assertEqual(self.rate(8e6, 4e6), 2_000_000)

    def test_none_runs_faster_than_the_guest_can_send_evenly(self):
        self.assertEqual(self.rate(12e6, 9e6), 2_500_000)


class Outage(unittest.TestCase):
    def test_each_restart_is_of_what_runs_and_the_guests_are_heard_before_and_after(self):
        guests = mock.Mock(sockets=[pathlib.Path("/0.sock")])
        guests.longest_gap_ms.side_effect = [*range(1, outage.TIMES), 1000]
        restarted = []

        def restart(stack, program, ports, layout, folder, running):
            restarted.append(running)
            return len(restarted)
        with mock.patch.object(outage, "herd", return_value=contextlib.nullcontext(guests)):
            figures = outage.OutageCase("x", "an outage", restart).play(
                mock.Mock(start=lambda *_: contextlib.nullcontext(0)), Plan(1, 1.0, Layout(), pathlib.Path("/build")), pathlib.Path("/x"), MOOD)
        self.assertEqual((figures["silence_ms"], figures["worst_ms"]), ((1 + outage.TIMES) / 2 , 1000))
        self.assertEqual(restarted, list(range(outage.TIMES)))
        self.assertEqual([call[0] for call in guests.method_calls], ["all_hear", "forget_gaps", "all_hear", "longest_gap_ms"] * outage.TIMES)


class Rig(unittest.TestCase):
    PLAN = Plan(1, 2.0, Layout(), pathlib.Path("/build"))

    def play(self, name, program, *outputs):
        """The figures of a run in which the rig says `outputs`, one a call, and how it was called."""
        with mock.patch.object(processes, "run", side_effect=[json.dumps({"case": "x", "program": "y", **output}) for output in outputs]) as run:
            return CASES[name].play(program, self.PLAN, pathlib.Path("/folder"), MOOD), [call.args[0] for call in run.call_args_list]

    def test_a_program_goes_by_the_rigs_name(self):
        for program, name in ((mover.Mover(None, None), "floor"), (bulkheadd.Bulkhead(None), "bulkhead")):
            figures, calls = self.play("macs-1000000", program, {"cycles_per_packet": 7, "mpps": 2})
            self.assertEqual(figures, {"cycles_per_packet": 7, "mpps": 2})
            self.assertEqual(calls, [["/build/perf/rig", "--case", "macs-1000000", "--program", name, "--seconds", "2.0", "--warm-up", "0.5",
                                      "--worker-core", "1", "--control-core", "0"]])

    def test_two_workers_are_compared_with_one(self):
        figures, calls = self.play("workers-2", bulkheadd.Bulkhead(None), {"details": {"mpps_of_all": 20}}, {"details": {"mpps_of_all": 39}})
        self.assertEqual(figures, {"speedup": 1.95, "mpps_of_one": 20, "mpps_of_two": 39})
        self.assertEqual([call[2] for call in calls], ["workers-1", "workers-2"])

    def test_known_traffic_is_compared_with_and_without_learning(self):
        details = {"new": {"cycles_per_known_packet": 100, "learned_per_s": 990_000}, "known": {"cycles_per_known_packet": 95}, "macs_held": 5}
        figures, _ = self.play("learning", bulkheadd.Bulkhead(None), {"details": details})
        self.assertEqual(figures, {"kept": 0.95, "learned_per_s": 990_000, "cycles_per_known": 100, "macs_held": 5})

    def test_policy_is_compared_with_the_same_flows_without(self):
        floor, _ = self.play("policy-stateful-100000", mover.Mover(None, None), {"cycles_per_packet": 20})
        self.assertEqual(floor, {"cycles_per_packet": 20})
        figures, calls = self.play("policy-stateful-100000", bulkheadd.Bulkhead(None), {"cycles_per_packet": 70}, {"cycles_per_packet": 130})
        self.assertEqual(figures, {"cycles_per_packet": 130, "without_cycles": 70, "added": 60})
        self.assertEqual([call[2] for call in calls], ["flows-100000", "flows-100000-policy"])

    def test_new_connections_by_the_workers_second(self):
        figures, calls = self.play("policy-new-connections", bulkheadd.Bulkhead(None), {"cycles_per_packet": 50},
                                   {"cycles_per_packet": 250, "transmitted": 3_000_000, "core_s": 0.5})
        self.assertEqual((figures["opened_per_s"], figures["without_cycles"]), (6_000_000, 50))
        self.assertEqual([call[2] for call in calls], ["openings", "openings-policy"])


class Policy(unittest.TestCase):
    """What the two switches are told is the same, and is not about those who talk but for the last rules."""

    def play(self, program, *samples):
        self.started = []

        @contextlib.contextmanager
        def start(ports, layout, folder, **more):
            self.started.append(more)
            yield mock.Mock(judged=lambda: self.judged)
        with mock.patch.object(processes, "keep_off"), mock.patch.object(window, "measure", side_effect=samples), \
                tempfile.TemporaryDirectory() as folder:
            return CASES["policy-stateful-16"].play(mock.Mock(key=program, start=start), Plan(1, 1.0, Layout(), pathlib.Path("/build")),
                                                    pathlib.Path(folder), MOOD)

    judged = 1000
    plain, dear = window.Sample(1000, 1000, 1.0, 1.0), window.Sample(1000, 1000, 1.0, 3.0)

    def test_each_run_is_right_after_one_without(self):
        figures = self.play("bulkhead", self.plain, self.dear)
        self.assertEqual((figures["cycles_per_packet"], figures["without_cycles"], figures["added"]), (6e6, 2e6, 4e6))
        self.assertEqual([list(more) for more in self.started], [[], ["firewall"]])

    def test_the_floor_judges_nothing(self):
        self.assertNotIn("added", self.play("testpmd", self.plain))
        self.assertEqual(self.started, [{}])

    def test_frames_that_go_past_the_rules_or_are_lost_are_no_run(self):
        self.judged = 10
        with self.assertRaisesRegex(processes.MeasurementFailed, "decided about 10 frames"):
            self.play("bulkhead", self.plain, self.dear)
        with self.assertRaisesRegex(processes.MeasurementFailed, "50.0% of the frames were lost"):
            self.play("bulkhead", self.plain, window.Sample(1000, 500, 1.0, 3.0))

    def test_as_many_rules_as_are_said(self):
        for rules, count in ((firewall.stateless(), 100), (firewall.stateful(), 10)):
            policies = rules.policies("blue")
            self.assertEqual((len(policies), len({policy["name"] for policy in policies})), (count, count))
            self.assertEqual({policy.get("stateful", True) for policy in policies}, {rules.is_stateful})

    def test_networks_have_no_host_bits(self):
        for rule in (*firewall.stateless().rules, *firewall.stateful().rules):
            for network in filter(None, (rule.source, rule.destination)):
                ipaddress.ip_network(network)

    def test_only_the_last_rules_are_about_those_who_talk(self):
        there, here = ipaddress.ip_address("10.128.0.7"), ipaddress.ip_address("10.0.0.7")
        for rules, last in ((firewall.stateless().rules, 2), (firewall.stateful().rules, 1)):
            for rule in rules[:-last]:
                is_others = rule.protocol == "tcp" or any(
                    network and not any(one in ipaddress.ip_network(network) for one in (here, there)) for network in (rule.source, rule.destination))
                self.assertTrue(is_others or rule.ports and not set(rule.ports) & set(firewall.SERVICES), rule)

    def test_a_rule_in_both_languages(self):
        rule = firewall.Rule(True, firewall.CLIENTS, destination="10.128.0.0/9", protocol="udp", ports=(53, 123))
        self.assertEqual(firewall.Firewall((rule,), True).policies("blue"), [
            {"segment": "blue", "name": "r000", "order": 0, "action": "allow", "from": {"groups": ["clients"]}, "to": {"ips": ["10.128.0.0/9"]},
             "protocol": "udp", "dst_ports": ["53", "123"]}])
        self.assertEqual(firewall.Firewall((rule,), False).flows().splitlines(), [
            "table=0,priority=3000,arp,actions=NORMAL", "table=0,priority=0,actions=drop",
            "table=0,priority=1000,udp,in_port=p0,nw_dst=10.128.0.0/9,tp_dst=53,actions=NORMAL",
            "table=0,priority=1000,udp,in_port=p0,nw_dst=10.128.0.0/9,tp_dst=123,actions=NORMAL"])
        stateful = firewall.Firewall((rule,), True).flows()
        self.assertIn("table=0,priority=1,ip,actions=ct(zone=100,table=1)\n", stateful)
        self.assertIn("table=1,priority=1000,udp,ct_state=+trk+new,in_port=p0,nw_dst=10.128.0.0/9,tp_dst=53,actions=ct(commit,zone=100),NORMAL\n", stateful)

    def test_bulkhead_denies_by_default_and_knows_the_groups(self):
        said = bulkheadd._configuration([Ports.replay, Ports.replay], Layout(), firewall.stateful())
        self.assertEqual(said["segments"][0]["default_policy"], "deny")
        self.assertEqual([port["group"] for port in said["ports"]], ["clients", "servers"])
        self.assertEqual((len(said["groups"]), len(said["policies"])), (2, 10))
        self.assertNotIn("policies", bulkheadd._configuration([Ports.replay], Layout()))


class Check(unittest.TestCase):
    """A ratio to the floor may get worse by a tenth."""

    def check(self, now, before, case="l2-16"):
        """As the ratio goes from `before` to `now`."""
        rows = [summary.summarize([one("testpmd", 100, 1, case=case), one("bulkhead", 100 * ratio, 1, case=case)]) for ratio in (now, before)]
        return check.check([case], *rows)

    def test_nine_percent_worse_passes(self):
        lines, good = self.check(2.18, 2.0)
        self.assertTrue(good)
        self.assertEqual(lines, ["l2-16: good: 2.18 × floor, committed 2.00"])

    def test_eleven_percent_worse_fails(self):
        lines, good = self.check(2.22, 2.0)
        self.assertFalse(good)
        self.assertEqual(lines, ["l2-16: WORSE by 11.0%, more than 10%: 2.22 × floor, committed 2.00"])

    def test_better_passes(self):
        self.assertTrue(self.check(1.0, 2.0)[1])

    def test_times_are_not_compared(self):
        slow = [one("testpmd", 1000, 1), one("bulkhead", 2000, 1)]
        fast = [one("testpmd", 10, 1), one("bulkhead", 20, 1)]
        self.assertTrue(check.check(["l2-16"], summary.summarize(slow), summary.summarize(fast))[1])

    def test_the_median_counts(self):
        now = [one("testpmd", 100, 1) for _ in range(3)] + [one("bulkhead", cycles, 1) for cycles in (200, 230, 240)]
        before = [one("testpmd", 100, 1) for _ in range(3)] + [one("bulkhead", 200, 1) for _ in range(3)]
        self.assertFalse(check.check(["l2-16"], summary.summarize(now), summary.summarize(before))[1])

    def test_other_metrics_are_compared_too(self):
        for p99, good in ((13.0, True), (13.1, True), (13.4, False), (5.0, True)):
            rows = [summary.summarize([delay("testpmd", 10), delay("bulkhead", mine)]) for mine in (p99, 12.0)]
            self.assertEqual(check.check(["vhost-latency"], *rows)[1], good, p99)

    def test_where_more_is_better(self):
        figure = check.CASES["l2-16"].group.rival_figure  # Mpps
        case = mock.Mock(group=mock.Mock(floor="testpmd", metric=figure))
        for now, good in ((0.91, True), (0.89, False), (1.5, True)):
            rows = [[{"case": "x", "program": "bulkhead", "to_floor_median": ratio}] for ratio in (now, 1.0)]
            with mock.patch.dict(check.CASES, x=case):
                self.assertEqual(check.check(["x"], *rows)[1], good, now)

    def test_without_a_committed_figure(self):
        rows = summary.summarize(RUNS)
        self.assertEqual(check.check(["l2-16", "l2-1024"], rows, rows), (["l2-16: good: 2.40 × floor, committed 2.40", "no figure committed for l2-1024"], True))

    def test_without_a_floor(self):
        rows = summary.summarize(MIXED)
        self.assertEqual(check.check(["memory-64"], rows, rows), (["memory-64: has no floor to be compared with"], True))

    def test_what_could_not_be_measured_is_no_success(self):
        rows = summary.summarize(RUNS)
        for now in ([], summary.summarize([one("bulkhead", 1, 1)]), summary.summarize([one("testpmd", 1, 1)])):
            lines, good = check.check(["l2-16"], now, rows)
            self.assertFalse(good)
            self.assertIn("l2-16: WORSE: could not be measured", lines[0])

    def test_one_bad_case_fails_all(self):
        before = summary.summarize([*RUNS, one("testpmd", 100, 1, case="l2-1024"), one("bulkhead", 200, 1, case="l2-1024")])
        now = summary.summarize([*RUNS, one("testpmd", 100, 1, case="l2-1024"), one("bulkhead", 300, 1, case="l2-1024")])
        for order in (["l2-16", "l2-1024"], ["l2-1024", "l2-16"]):
            self.assertFalse(check.check(order, now, before)[1])


class Machine(unittest.TestCase):
    def test_what_a_small_machine_can_not_tell_is_unknown(self):
        for failure in (FileNotFoundError("git"), subprocess.TimeoutExpired("git", 10)):
            with mock.patch.object(subprocess, "run", side_effect=failure):
                self.assertEqual(machine.commit(ROOT), "unknown")
                self.assertEqual(machine.describe()["hypervisor"], "unknown")


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def bench(self, *arguments):
        """Exit code, standard output and error of the command line."""
        output, error = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", ["bench", *map(str, arguments)]), contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
            try:
                code = cli.main()
            except SystemExit as end:
                code = end.code
        return code, output.getvalue(), error.getvalue()

    def test_a_result_is_written_and_read_again(self):
        first, second = self.folder / "first.json", self.folder / "second.json"
        first.write_text(json.dumps(result(RUNS)))
        code, shown, error = self.bench("--from", first, "--json", second)
        self.assertEqual((code, error, json.loads(second.read_text())), (0, "", result(RUNS)))
        self.assertRegex(shown, r"l2-16 +Bulkhead +100\.0 / 120\.0 +60\.0 / 70\.0 +2\.50 / 2\.40 +20\.00 / 16\.00 +2\.00 / 1\.78 +10\.00% +50%")

    def test_the_page_is_made_of_the_result(self):
        with mock.patch.object(cli, "DOCS", self.folder), mock.patch.object(cli, "_draw", return_value=False):
            (self.folder / "r.json").write_text(json.dumps(result(RUNS)))
            self.assertEqual(self.bench("--from", self.folder / "r.json", "--update-docs")[0], 0)
        page = (self.folder / "performance.md").read_text()
        self.assertEqual(page, document.render([result(RUNS)], has_plot=False))
        self.assertEqual(book.committed(self.folder / "performance.json"), [result(RUNS)])
        for part in ("| l2-16 | Bulkhead | 100.0 / 120.0 | 60.0 / 70.0 |", "A CPU, 2 cores", "abc, 2030-01-02", "Bulkhead 0.1.0", "3 rounds"):
            self.assertIn(part, page)
        self.assertNotIn("performance.svg", page)
        self.assertIn("performance.svg", document.render([result(RUNS)], has_plot=True))

    def test_a_case_that_is_measured_again_leaves_the_others_as_they_are(self):
        old, new = result([*RUNS, *MIXED]), {**result(MIXED[:1]), "commit": "def"}
        again, = {run["case"] for run in new["runs"]}
        kept, newest = book.with_new([old], new)
        self.assertEqual(newest, new)
        self.assertEqual(kept["runs"], [run for run in old["runs"] if run["case"] != again])
        self.assertEqual(kept["summary"], summary.summarize(kept["runs"]))
        self.assertEqual(book.with_new([new], old), [old])
        self.assertEqual(list(dict.fromkeys(row["case"] for row in book.rows([newest, kept]))), ["l2-16", "vhost-latency", "memory-64"])
        page = document.render([kept, newest], has_plot=False)
        for part in ("abc, 2030-01-02", "def, 2030-01-02", "## Latency", "## Memory", "## Frames from memory"):
            self.assertEqual(page.count(part), 1, part)

    def test_rows_of_one_table_say_which_measurement_they_are_of(self):
        first, second = result([*RUNS, one("bulkhead", 1, 1, case="l2-1024")]), {**result([one("bulkhead", 1, 1, case="l2-1024")]), "commit": "def"}
        page = document.render(book.with_new([first], second), has_plot=False)
        self.assertIn("- *Frames from memory* (l2-1024): commit def", page)
        self.assertIn("- *Frames from memory* (l2-16): commit abc", page)

    def test_a_peer_that_is_missing_leaves_a_dash(self):
        (group, rows), = table.by_group(summary.summarize([one("bulkhead", 100, 20)]))
        self.assertIn("| – | – | 20.00 / 20.00 | – |", table.markdown(group, rows))

    def test_every_group_has_a_table_of_its_own(self):
        shown = table.text(summary.summarize([*RUNS, *MIXED])).split("\n\n")
        self.assertEqual([part.split("\n")[1].split()[0] for part in shown], ["l2-16", "vhost-latency", "memory-64"])
        self.assertEqual([("cycles/packet" in part, "p99 µs" in part, "RssAnon" in part) for part in shown],
                         [(True, False, False), (False, True, False), (False, False, True)])
        self.assertRegex(shown[1], r"vhost-latency +Bulkhead +3\.0 / 3\.8 +12\.0 / 15\.0 +1\.20 / 1\.25")
        self.assertRegex(shown[2], r"memory-64 +Bulkhead +400 / 400 +20\.5 / 20\.5 +1$")

    def test_the_page_of_mixed_cases(self):
        page = document.render([result([*RUNS, *MIXED])], has_plot=False)
        for part in ("## Frames from memory\n| case |", "## Latency\n| case |", "## Memory\n| case |", "- `l2-16`: ", "- `vhost-latency`: ", "- `memory-64`: "):
            self.assertEqual(page.count(part), 1, part)
        self.assertNotIn("## Guest to guest", page)

    def test_a_group_without_a_floor_is_not_drawn(self):
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.skipTest("no matplotlib")
        drawn = []
        with mock.patch.object(plot, "_draw", side_effect=lambda group, rows, axes: drawn.append(group.name)):
            self.assertTrue(plot.draw(summary.summarize([*RUNS, *MIXED]), self.folder / "x.svg"))
        self.assertEqual(drawn, ["l2", "latency"])
        self.assertTrue(plot.draw(summary.summarize([*RUNS, *MIXED]), self.folder / "y.svg"))
        self.assertGreater((self.folder / "y.svg").stat().st_size, 1000)

    def check(self, before, now):
        (self.folder / "now.json").write_text(json.dumps(result(now)))
        book.write([result(before)], self.folder / "performance.json")
        with mock.patch.object(cli, "DOCS", self.folder):
            return self.bench("--check", "--from", self.folder / "now.json")

    def test_check_compares_with_the_committed_figures(self):
        code, shown, error = self.check(RUNS, RUNS)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("l2-16: good: 2.40 × floor, committed 2.40", shown)
        worse = [{**run, "cycles_per_packet": run["cycles_per_packet"] * 1.2} if run["program"] == "bulkhead" else run for run in RUNS]
        code, shown, error = self.check(RUNS, worse)
        self.assertEqual((code, error), (1, ""))
        self.assertIn("l2-16: WORSE by 20.0%, more than 10%: 2.88 × floor, committed 2.40", shown)

    def test_check_measures_what_has_a_floor_and_nothing_else(self):
        def chosen(*arguments):
            with mock.patch.object(sys, "argv", ["bench", *arguments]):
                options = cli._arguments()
            return cli._cases(options), cli._peers(options, cli._cases(options))
        self.assertEqual(chosen(), (list(CASES), ["testpmd", "mover", "ovs", "bridge"]))
        self.assertEqual(chosen("--case", "l2-16", "--peer", "ovs"), (["l2-16"], ["ovs"]))
        names, peers = chosen("--check")
        self.assertEqual((names, set(peers)), ([name for name in CASES if name not in ("memory-64", "outage-handed-over", "outage-killed", "learning", "tunnels-64x16", "policy-new-connections")], {"testpmd", "mover", "bridge"}))
        self.assertEqual(chosen("--check", "--case", "tap-tcp"), (["tap-tcp"], ["bridge"]))

    def test_check_without_committed_figures_says_so_before_it_measures(self):
        with mock.patch.object(cli, "DOCS", self.folder), mock.patch.object(cli, "_measure", side_effect=AssertionError):
            code, _, error = self.bench("--check")
        self.assertEqual(code, 1)
        self.assertIn("performance.json", error)

    def test_cases_of_another_version_are_said(self):
        (self.folder / "r.json").write_text(json.dumps({**result(RUNS), "runs": [one("bulkhead", 1, 1, case="gone")]}))
        code, _, error = self.bench("--from", self.folder / "r.json")
        self.assertEqual(code, 1)
        self.assertIn("gone", error)

    def test_the_committed_page_is_that_of_the_committed_figures(self):
        docs = ROOT / "docs"
        measurements = book.committed(docs / "performance.json")
        self.assertEqual((docs / "performance.md").read_text(), document.render(measurements, (docs / "performance.svg").exists()))
        for one_hour in measurements:
            self.assertEqual(one_hour["summary"], summary.summarize(one_hour["runs"]))

    def test_what_can_not_be_read_is_said_in_a_line(self):
        (self.folder / "text").write_text("no")
        (self.folder / "other").write_text("{}")
        for name, reason in (("none", "No such file"), ("text", "no JSON"), ("other", "scripts/bench"), ("", "Is a directory")):
            with self.subTest(name=name):
                code, shown, error = self.bench("--from", self.folder / name)
                self.assertEqual((code, shown, len(error.splitlines())), (1, "", 1))
                self.assertIn(reason, error)

    def test_wrong_options(self):
        for arguments in (["--rounds", "0"], ["--json", self.folder / "none" / "x"], ["--case", "l3"], ["--check", "--update-docs"]):
            self.assertEqual(self.bench(*arguments)[0], 2)


if __name__ == "__main__":
    unittest.main()
