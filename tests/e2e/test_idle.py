# SPDX-License-Identifier: Apache-2.0
"""A switch with nothing to do leaves the cores to others, and wakes at once."""
import contextlib
import statistics
import time

import pytest
from lib.cable import veth_port
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import pod
from lib.wait import best_of_three

A, B, NIC = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
WORKERS = "^(rte|lcore)-worker-"  # as DPDK names them
WATCH_S = 3


@contextlib.contextmanager
def idle_switch(cores="0,1", mode="adaptive", polled=False):
    """Two TAP pods, a vhost-user port that waits for its guest, and with `polled` a NIC that can wake nobody."""
    with running(node={"cores": cores, "idle": {"mode": mode}}) as switch, contextlib.ExitStack() as stack:
        control = stack.enter_context(switch.control())
        control.call("segment.add", name="blue", vni=100)
        pods = [stack.enter_context(pod(control, name, "blue", mac=mac, macs=[mac], silent=True, queues=2))
                for name, mac in (("a", A), ("b", B))]
        control.call("port.add", name="absent", type="vhost-user", path=str(switch.folder / "vhost/absent.sock"), segment="blue")
        control.call("port.add", name="server", type="vhost-user", path=str(switch.folder / "vhost/server.sock"), mode="server",
                     segment="blue")
        if polled:
            pods.append(stack.enter_context(veth_port(control, "nic", "blue", silent=True, macs=[NIC])))
        yield switch, control, pods


def load_of_workers(switch, seconds=WATCH_S):
    """Part of a core that each worker thread takes, by its name."""
    before, start = switch.thread_cpu_seconds(WORKERS), time.monotonic()
    time.sleep(seconds)  # the time is what is measured
    after, spent = switch.thread_cpu_seconds(WORKERS), time.monotonic() - start
    return {name: (after[name] - before[name]) / spent for name in before}


@pytest.mark.parametrize("polled", [False, True], ids=["all ports wake", "a polled port"])
def test_an_idle_worker_takes_at_most_a_twentieth_of_a_core(polled):
    with idle_switch(polled=polled) as (switch, control, _):
        def busiest():
            loads = load_of_workers(switch)
            print(loads)
            assert len(loads) == 2
            return max(loads.values())
        assert best_of_three(busiest, 0.05) <= 0.05
        assert all(worker["sleeps"] > 0 for worker in control.call("stats.get")["workers"])


def test_a_busy_worker_does_not_sleep():
    with idle_switch(cores="1", mode="busy") as (switch, control, pods):
        idle = best_of_three(lambda: 1 - max(load_of_workers(switch, 1).values()), 0.8)
        assert idle < 0.8  # others may want the core too
        assert [worker["sleeps"] for worker in control.call("stats.get")["workers"]] == [0]


@pytest.mark.parametrize("polled", [False, True], ids=["from a pod", "from a port that wakes nobody"])
def test_the_first_frame_after_idling_is_forwarded_within_a_millisecond(polled):
    with idle_switch(cores="1", polled=polled) as (_, control, pods), contextlib.ExitStack() as stack:
        sender = stack.enter_context(pods[2].wire("far") if polled else pods[0].wire())
        receiver = stack.enter_context(pods[1].wire())
        frame = ethernet(b"wake up", NIC if polled else A, B)
        receiver.socket.settimeout(5)

        def median_us():
            taken = []
            for number in range(100):
                time.sleep(0.005 + number * 1e-5)  # silence, longer than a worker spins, and out of step with its sleeps
                start = time.monotonic_ns()
                sender.send(frame)
                assert receiver.next() == frame
                taken.append((time.monotonic_ns() - start) / 1000)
            print(f"median {statistics.median(taken):.0f} µs, longest {max(taken):.0f} µs")
            return statistics.median(taken)

        assert best_of_three(median_us, 999) < 1000
        assert control.call("stats.get")["workers"][0]["sleeps"] >= 100
