# SPDX-License-Identifier: Apache-2.0
"""What the demonstrations are told in: rows of what was tried, and how it is tried."""
import contextlib
import json

PINGS = 3
WIDTH = 88


class Table:
    """Rows of what was tried, what had to come out, and what did."""

    def __init__(self):
        self.failed = 0
        print(f"\n{'what':<62}{'expected':<14}result", flush=True)
        print("-" * WIDTH)

    def row(self, what, expected, seen, good):
        self.failed += not good
        print(f"{what:<62}{expected:<14}{seen}{'' if good else '   <-- WRONG'}", flush=True)

    def reach(self, what, answers, expected=True):
        """`answers`: how many of PINGS were answered. A single one across segments is one too many."""
        seen = {PINGS: "reached", 0: "no answer"}.get(answers, f"{answers} answers")
        self.row(what, "reached" if expected else "no answer", seen, answers == (PINGS if expected else 0))

    def books(self, what, daemons):
        """`what` balances; `daemons`: those whose books it is about."""
        off = [count for daemon in daemons for count in daemon.books_off()]
        self.row(what, "balance", f"off by {off}" if any(off) else "balance", not any(off))

    def end(self):
        print("-" * WIDTH)
        print("all as expected" if self.failed == 0 else f"{self.failed} of the rows above are wrong", flush=True)


def iperf(server, client, address):
    """Mbit/s of one second of TCP between two pods."""
    with contextlib.ExitStack() as stack:
        process = server.popen("iperf3", "-s", "-1", "--forceflush", stdout=-1)
        stack.callback(process.wait)
        stack.callback(process.kill)
        stack.callback(process.stdout.close)
        for line in process.stdout:
            if b"listening" in line:
                break
        result = json.loads(client.run("iperf3", "-c", address, "-t", "1", "-J", check=False).stdout or "{}")
    return result.get("end", {}).get("sum_received", {}).get("bits_per_second", 0) / 1e6
