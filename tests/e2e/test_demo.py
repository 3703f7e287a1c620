# SPDX-License-Identifier: Apache-2.0
"""What a newcomer sees first: scripts/demo, from where everything is built. Its guest has tests of its own."""
import os
import pathlib
import signal
import subprocess

import pytest
from lib.wait import output_with

DEMO = pathlib.Path(__file__).parents[2] / "scripts/lib/demo.py"
LAST_ROWS = ["books: every frame delivered, consumed or counted as dropped", "books of both: every frame delivered, consumed or counted"]
POLICY_ROWS = [  # what stands in a row of the part about policy, and what it ends with
    ("TCP 5432 to the database, through the door", "connects"), ("TCP 5433 to the database", "no answer"), ("ping the database", "no answer"),
    ("from its own web pod", "no answer"), ("forwards nothing", "no answer"), ("mallory pings the door as itself", "reached"),
    ("mallory pings the door as the clerk", "no answer"), ("said as the clerk was counted", "spoofed"),
    ("the clerk, moved there live", "no answer"), ("the clerk, moved back", "reached")]


@pytest.fixture
def demo():
    """A demo that is about to begin; at the end nothing of it is left."""
    process = subprocess.Popen(["env", "--default-signal=INT", "/usr/bin/python3", "-B", DEMO, "--no-guest", "--keep"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    yield process
    process.terminate()  # where the test has failed: the demo takes its things away on SIGTERM too
    process.communicate(timeout=20)
    left = [*pathlib.Path("/run").glob(f"bulkhead-test-{process.pid}-*"), *pathlib.Path("/run/netns").glob(f"bh-{process.pid}-*")]
    assert left == []


def test_the_demo_shows_what_it_promises(demo):
    text = output_with(demo, "Enter ends it.", 60)
    assert "WRONG" not in text and text.count("all as expected") == 3, text
    rows = [line for line in text.splitlines() if line.startswith(("blue", "red", "books:", "books of"))]
    one, two = rows[:9], rows[9:]  # one switch, then two
    assert len(two) == 9, text
    for part, last in zip((one, two), LAST_ROWS):
        assert [row for row in part if "no answer" in row and "blue -> red" in row] and part[-1].startswith(last)
    rows = [line for line in text.splitlines() if line.startswith(("office", "vault", "quarantine", "books again"))]
    assert len(rows) == len(POLICY_ROWS) + 1, text
    for row, (what, seen) in zip(rows, POLICY_ROWS):
        assert what in row and row.split("  ")[-1].strip().endswith(seen), row
    assert rows[-1].startswith("books again") and rows[-1].endswith("balance")
    rest, _ = demo.communicate(b"\n", timeout=20)
    assert demo.returncode == 0 and b"Traceback" not in rest, rest


def test_ctrl_c_in_the_middle_takes_everything_away(demo):
    output_with(demo, "red: ping", 60)
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to all of them
    rest, _ = demo.communicate(timeout=20)
    assert demo.returncode == 130 and b"Traceback" not in rest and b"interrupted" in rest, rest.decode()
