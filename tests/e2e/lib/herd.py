# SPDX-License-Identifier: Apache-2.0
"""Many vhost-user guests that send to each other without a pause: how long was the switch away? (tests/guest/herd.cpp)"""
import contextlib
import json
import subprocess

from .child import dies_with_us
from .daemon import BUILD
from .wait import until


class Herd:
    def __init__(self, folder, count):
        self.folder, self.count = folder, count

    def __enter__(self):
        self.process = subprocess.Popen(dies_with_us([str(BUILD / "tests/guest/herd"), str(self.folder), str(self.count)]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        until(lambda: len(list(self.folder.glob("*.sock"))) == self.count, 10, "the guests' sockets")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(10)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def config(self):
        """A segment with all of them."""
        return {"segments": [{"name": "blue", "vni": 100}],
                "ports": [{"name": f"g{i}", "type": "vhost-user", "path": str(self.folder / f"{i}.sock"), "segment": "blue"}
                          for i in range(self.count)]}

    def all_hear(self, seconds=20):
        until(lambda: self.ask("report")["hearing"] == self.count, seconds, "every guest to hear of its partner")

    def outage_ms(self):
        """Of the guest that heard nothing for longest since `reset`."""
        return max(self.ask("report")["longest_gap_ms"])
