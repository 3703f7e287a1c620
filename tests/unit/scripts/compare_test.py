#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench makes of its runs, with programs that measure nothing."""
import contextlib
import io
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

from compare import cli, document, machine, processes, rounds, summary, table, window  # noqa: E402
from compare.cases import Case  # noqa: E402
from compare.program import Layout, Running  # noqa: E402

MOOD = {"tsc_hz": 2e9, "memory_cycles": 40.0}


def one(program, cycles, mpps, case="l2-16", transmitted=900, core_s=1.5, canary=40.0):
    return {"case": case, "program": program, "round": 1, "received": 1000, "transmitted": transmitted, "wall_s": 3.0, "core_s": core_s,
            "cycles_per_packet": cycles, "mpps": mpps, "canary": {"tsc_hz": 2e9, "memory_cycles": canary}}


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

    def test_figures_of_a_sample(self):
        sample = window.Sample(received=4000, transmitted=2000, wall_s=2.0, core_s=1.0)
        self.assertEqual((sample.cycles_per_packet(2e9), sample.mpps), (1e6, 0.002))


class Fake:
    """Fails in the rounds that `failures` names, as it says there."""

    title = "a fake"

    def __init__(self, key, failures):
        self.key, self.failures, self.starts = key, failures, 0

    @contextlib.contextmanager
    def start(self, traffic, layout, folder):
        self.starts += 1
        if self.starts in self.failures:
            raise self.failures[self.starts]
        yield Running(0, lambda: (0, 0))


class Rounds(unittest.TestCase):
    def measure(self, *programs):
        plan = rounds.Plan(5, 1.0, Layout(), pathlib.Path("/no/canary"))
        with mock.patch.object(machine, "canary", return_value=MOOD), mock.patch.object(processes, "keep_off"), \
                mock.patch.object(window, "measure", return_value=window.Sample(10, 10, 1.0, 1.0)), contextlib.redirect_stderr(io.StringIO()) as said:
            runs = rounds.measure(Case("tiny", 1, 0.0), list(programs), plan, lambda run: None)
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
        self.assertEqual(page, document.render(result(RUNS), has_plot=False))
        self.assertEqual(json.loads((self.folder / "performance.json").read_text()), result(RUNS))
        for part in ("| l2-16 | Bulkhead | 100.0 / 120.0 | 60.0 / 70.0 |", "A CPU, 2 cores", "abc, 2030-01-02", "Bulkhead 0.1.0", "3 rounds"):
            self.assertIn(part, page)
        self.assertNotIn("performance.svg", page)
        self.assertIn("performance.svg", document.render(result(RUNS), has_plot=True))

    def test_a_peer_that_is_missing_leaves_a_dash(self):
        self.assertIn("| – | – | 20.00 / 20.00 | – |", table.markdown(summary.summarize([one("bulkhead", 100, 20)])))

    def test_the_committed_page_is_that_of_the_committed_figures(self):
        docs = ROOT / "docs"
        figures = json.loads((docs / "performance.json").read_text())
        self.assertEqual((docs / "performance.md").read_text(), document.render(figures, (docs / "performance.svg").exists()))
        self.assertEqual(figures["summary"], summary.summarize(figures["runs"]))

    def test_what_can_not_be_read_is_said_in_a_line(self):
        (self.folder / "text").write_text("no")
        (self.folder / "other").write_text("{}")
        for name, reason in (("none", "No such file"), ("text", "no JSON"), ("other", "scripts/bench --json"), ("", "Is a directory")):
            with self.subTest(name=name):
                code, shown, error = self.bench("--from", self.folder / name)
                self.assertEqual((code, shown, len(error.splitlines())), (1, "", 1))
                self.assertIn(reason, error)

    def test_wrong_options(self):
        for arguments in (["--rounds", "0"], ["--json", self.folder / "none" / "x"], ["--case", "l3"]):
            self.assertEqual(self.bench(*arguments)[0], 2)


if __name__ == "__main__":
    unittest.main()
