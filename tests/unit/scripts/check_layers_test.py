#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants an include in an empty tree and looks whether scripts/check_layers finds it."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "check_layers"


def load():
    loader = importlib.machinery.SourceFileLoader("check_layers", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_layers", loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
LAYERS = load()


def plant(tree, files):
    (pathlib.Path(tree) / "vswitch").mkdir()
    for path, text in files.items():
        file = pathlib.Path(tree) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def violations(files):
    """Those in a tree with these files, {path: text}."""
    with tempfile.TemporaryDirectory() as tree:
        plant(tree, files)
        return list(LAYERS.violations(tree))


def run(root):
    return subprocess.run([SCRIPT, root], capture_output=True, text=True, check=False)


class CheckLayers(unittest.TestCase):
    def test_the_repository_itself(self):
        result = run(ROOT)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_a_planted_violation_is_named_with_file_and_line(self):
        with tempfile.TemporaryDirectory() as tree:
            plant(tree, {"vswitch/worker.cpp": '// SPDX\n#include <vector>\n  #  include "control/rpc/server.h"\n'})
            result = run(tree)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stdout.startswith("vswitch/worker.cpp:3: control/rpc/server.h: "), result.stdout)

    def test_arrows_that_run_back(self):
        for path, header in [
            ("vswitch/a.h", '"pmd/tap.h"'), ("vswitch/a.h", "<nlohmann/json.hpp>"), ("vswitch/a.h", "<rte_ethdev.h>"),
            ("vswitch/a.h", "<sys/socket.h>"), ("vswitch/a.h", "<spdlog/spdlog.h>"),
            ("pmd/a.cpp", '"vhost/port.h"'), ("pmd/a.cpp", '"control/state/store.h"'), ("vhost/a.cpp", '"pmd/tap.h"'),
            ("pmd/flow/a.cpp", "<nlohmann/json.hpp>"),
            ("control/rpc/a.cpp", '"control/state/store.h"'), ("control/rpc/a.cpp", '"vswitch/switch.h"'),
            ("control/api/a.cpp", '"control/rpc/server.h"'), ("control/cli/a.cpp", '"control/rpc/server.h"'),
            ("control/cli/a.cpp", "<rte_eal.h>"), ("control/daemon/a.cpp", '"tests/unit/support/x.h"'),
            ("control/daemon/a.cpp", "<gtest/gtest.h>"),
        ]:
            with self.subTest(path=path, header=header):
                self.assertEqual(len(violations({path: f"#include {header}\n"})), 1)

    def test_arrows_that_run_forward(self):
        for path, header in [
            ("vswitch/a.h", '"vswitch/base/ids.h"'), ("vswitch/a.h", "<rte_mbuf.h>"), ("vswitch/a.h", "<sys/epoll.h>"),
            ("pmd/a.cpp", '"vswitch/port_io.h"'), ("pmd/a.cpp", "<rte_ethdev.h>"), ("vhost/a.cpp", "<rte_vhost.h>"),
            ("control/rpc/a.cpp", '"control/api/methods.h"'), ("control/rpc/a.cpp", '"vswitch/base/result.h"'),
            ("control/daemon/a.cpp", '"pmd/eal.h"'), ("control/cli/a.cpp", "<nlohmann/json.hpp>"),
            ("tests/unit/a.cpp", '"tests/unit/support/x.h"'), ("perf/a.cpp", "<benchmark/benchmark.h>"),
        ]:
            with self.subTest(path=path, header=header):
                self.assertEqual(violations({path: f"#include {header}\n"}), [])

    def test_a_way_round_by_dots_is_seen(self):
        found = violations({"pmd/a.cpp": '#include "../vhost/port.h"\n', "vhost/port.h": "// x\n"})
        self.assertEqual(len(found), 1)

    def test_a_header_beside_the_file_is_its_own(self):
        self.assertEqual(violations({"pmd/simnic/a.c": '#include "rules.h"\n', "pmd/simnic/rules.h": "// x\n"}), [])

    def test_wrong_usage(self):
        self.assertEqual(run("/nonexistent").returncode, 2)


if __name__ == "__main__":
    unittest.main()
