# SPDX-License-Identifier: Apache-2.0
"""Guests, ports and the switch itself come and go at random (scripts/test --soak). What a life of the switch began with, it
has at its end: descriptors, memory, buffers; its books balance; and every guest that is there hears of its partner."""
import os
import pathlib
import random
import re
import time

import pytest
from lib.daemon import running
from lib.herd import Herd

GUESTS = 32
SECONDS = float(os.environ.get("BULKHEAD_SOAK_SECONDS", "0"))


class Life:
    """What a process holds, at its start and later."""

    def __init__(self, switch):
        self.switch, self.pid = switch, switch.process.pid
        self.first = self.now()

    def now(self):
        proc = pathlib.Path(f"/proc/{self.pid}")
        anonymous = int(re.search(r"RssAnon:\s+(\d+)", (proc / "status").read_text())[1])
        with self.switch.control() as control:
            memory = control.call("system.get")["memory"]
        # The least of some looks: a connection that is just being closed is nobody's leak.
        return {"descriptors": min(self.descriptors() for _ in range(5)), "anonymous_kib": anonymous, "heap": memory["heap_used_bytes"],
                "buffers_in_use": memory["buffers_total"] - memory["buffers_free"]}

    def descriptors(self):
        time.sleep(0.02)
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def assert_nothing_leaked(self):
        last = self.now()
        assert last["descriptors"] <= self.first["descriptors"], (self.first, last)
        assert last["anonymous_kib"] <= self.first["anonymous_kib"] + 8192, (self.first, last)
        assert last["heap"] <= self.first["heap"] * 1.02, (self.first, last)
        assert last["buffers_in_use"] <= self.first["buffers_in_use"] + 1024, (self.first, last)  # what workers' caches hold


@pytest.mark.skipif(SECONDS == 0, reason="takes minutes: scripts/test --soak")
def test_random_coming_and_going():
    seed = int(os.environ.get("BULKHEAD_SOAK_SEED", time.time()))
    print(f"BULKHEAD_SOAK_SEED={seed}")
    chance, counts = random.Random(seed), {}
    with running(node={"cores": "1"}) as switch, Herd(switch.folder / "vhost", GUESTS) as herd:
        config = {"version": 1, **herd.config()}

        def put_back():
            with switch.control() as control:
                control.call("config.apply", owner="soak", config=config)
            herd.all_hear()

        def guest_restarts(control):
            herd.ask(f"restart {chance.randrange(GUESTS)}")

        def port_goes(control):
            name = f"g{chance.randrange(GUESTS)}"
            if any(port["name"] == name for port in control.call("port.list", limit=100)["items"]):
                control.call("port.remove", name=name)
                if chance.random() < 0.7:
                    control.call("port.add", **next(port for port in config["ports"] if port["name"] == name), owner="soak")

        def port_changes(control):
            for port in control.call("port.list", limit=100)["items"][:chance.randrange(1, 4)]:
                control.call("port.set", name=port["name"], offloads=chance.choice([[], ["csum"], ["csum", "tso4", "tso6"]]),
                             mtu=chance.choice([1400, 1500]))

        def segment_goes(control):
            control.call("config.apply", owner="soak", config={"version": 1})

        actions = [guest_restarts] * 20 + [port_goes] * 12 + [port_changes] * 6 + [segment_goes]
        endings = {"replaced": switch.replace, "killed": switch.kill, "stopped": switch.stop}
        put_back()
        life, deadline = Life(switch), time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for _ in range(chance.randrange(20, 60)):
                with switch.control() as control:
                    action = chance.choice(actions)
                    action(control)
                    counts[action.__name__] = counts.get(action.__name__, 0) + 1
            put_back()
            life.assert_nothing_leaked()
            herd.ask("pause")
            switch.assert_books_balance()
            herd.ask("resume")
            if chance.random() < 0.3:
                ending = chance.choice(list(endings))
                endings[ending]()
                if ending != "replaced":
                    switch.start()
                counts[ending] = counts.get(ending, 0) + 1
                put_back()
                life = Life(switch)
        print(counts)
