# SPDX-License-Identifier: Apache-2.0
"""Guests that are DPDK programs: they poll, connect in either direction, and come back in any order."""
import contextlib
import signal
import statistics

import pytest
from lib.daemon import running
from lib.dpdk_guest import Sender, forwarder
from lib.netns import pod
from lib.wait import best_of_three, until


def connected(control, *ports):
    return all(control.call("port.get", name=port)["state"]["guest_connected"] for port in ports)


class Line:
    """Two pods in two segments, and a forwarder between these: one pod reaches the other if it forwards."""

    def __init__(self, switch, mode, stack):
        self.switch, self.mode, self.stack = switch, mode, stack
        self.sockets = [switch.folder / f"vhost/f{number}.sock" for number in (0, 1)]
        self.control = switch.control()
        for number, segment in enumerate(("left", "right")):
            self.control.call("segment.add", name=segment, vni=100 + number)
            self.control.call("port.add", name=f"f{number}", type="vhost-user", path=str(self.sockets[number]), mode=mode, segment=segment)
        self.left = stack.enter_context(pod(self.control, "left", "left", ["10.1.0.1/24"]))
        self.right = stack.enter_context(pod(self.control, "right", "right", ["10.1.0.2/24"]))

    def forwarder(self):
        return forwarder(self.sockets, self.switch.folder, server=self.mode == "client")

    def assert_forwards(self):
        until(lambda: connected(self.control, "f0", "f1"), 15, "the forwarder's connection")
        until(lambda: self.left.echoes("10.1.0.2", deadline=2) > 0, 15, "an echo through the forwarder")

    def restart_switch(self):
        self.control.close()
        self.switch.kill()
        self.switch.start()
        self.control = self.switch.control()


@pytest.fixture(params=["client", "server"])
def line(request):
    with running() as switch, contextlib.ExitStack() as stack:
        line = Line(switch, request.param, stack)
        yield line
        line.control.close()


def test_virtio_user_comes_and_goes_in_any_order(line):
    """Each side first, each side again, and both."""
    with line.forwarder():
        line.assert_forwards()
    until(lambda: not connected(line.control, "f0"), 10, "the end of the forwarder")
    assert line.left.echoes("10.1.0.2", deadline=1) == 0
    with line.forwarder():
        line.assert_forwards()  # the guest again
        line.restart_switch()
        if line.mode == "client":
            line.assert_forwards()  # the switch again; a virtio-user client looks for nobody a second time
    line.switch.kill()
    with line.forwarder() if line.mode == "client" else contextlib.nullcontext():
        line.restart_switch()  # the guest first, both again
        with contextlib.nullcontext() if line.mode == "client" else line.forwarder():
            line.assert_forwards()


def test_a_guest_that_stops_reading_slows_nobody_else():
    """A pair of guests at the rate of their rings, another one beside it on the same worker: while that one's receiver is
    stopped, its frames still come as fast, and go nowhere."""
    with running(node={"cores": "1", "idle": {"mode": "busy"}}) as switch, switch.control() as control, contextlib.ExitStack() as stack:
        control.call("segment.add", name="blue", vni=100)
        sockets = {name: switch.folder / f"vhost/{name}.sock" for name in "abcdef"}
        for name, path in sockets.items():
            control.call("port.add", name=name, type="vhost-user", path=str(path), segment="blue")
        pair, other, stopped = (stack.enter_context(Sender([sockets[name] for name in names], first, switch.folder))
                                for names, first in (("ab", 0), ("cd", 16), ("ef", 32)))
        until(lambda: connected(control, *sockets), 15, "all guests")
        until(lambda: min(guest.ask()["received"][1] for guest in (pair, other, stopped)) > 0, 15, "frames")
        stopped.process.send_signal(signal.SIGSTOP)

        def dropped():
            return sum(row["packets"] for row in control.call("drop.list", port="f", reason="guest_queue_full")["items"])

        def rate_with_other_at(port):
            control.call("fdb.add", segment="blue", mac=other.mac(1), port=port)
            rate = pair.received_per_core_second(0.15)
            control.call("fdb.remove", segment="blue", mac=other.mac(1))
            return rate

        def slowdown():
            """Each way ten times, in turns: the guests share a core with others, and its caches."""
            reading, full = [], []
            for _ in range(10):
                reading.append(rate_with_other_at("d"))
                before = dropped()
                full.append(rate_with_other_at("f"))
                assert dropped() > before + 10000
            ratio = statistics.median(full) / statistics.median(reading)
            print(f"beside a stopped guest: {ratio:.2f} of the rate; million a second:", [f"{rate / 1e6:.1f}" for rate in reading + full])
            return 1 - ratio
        assert best_of_three(slowdown, 0.05) <= 0.05
