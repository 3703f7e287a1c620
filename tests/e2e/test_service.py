# SPDX-License-Identifier: Apache-2.0
"""What a service manager hears of the switch. That it is ready, every other test waits for."""
from lib.daemon import running

INTERVAL_US = 400_000


def test_it_says_when_it_ends():
    with running() as daemon:
        assert "STOPPING=1" not in daemon.notifications.everything()
        assert daemon.stop() == 0
        said = daemon.notifications.everything()
    assert said[0] == "READY=1" and said[-1] == "STOPPING=1"
    assert "WATCHDOG=1" not in said, "nobody asked for signs of life"


def test_it_gives_signs_of_life_to_a_watchdog():
    with running(environment={"WATCHDOG_USEC": str(INTERVAL_US)}) as daemon:
        daemon.hears("WATCHDOG=1", times=3)


def test_a_watchdog_of_another_process_is_not_ours():
    """sd_watchdog_enabled(3): the manager names the process that it wants signs of."""
    with running(environment={"WATCHDOG_USEC": str(INTERVAL_US // 10), "WATCHDOG_PID": "1"}) as daemon:
        with daemon.control() as control:
            control.call("segment.add", name="blue", vni=1)
        assert daemon.stop() == 0
        assert "WATCHDOG=1" not in daemon.notifications.everything()
