# SPDX-License-Identifier: Apache-2.0
"""A thousand segments and a thousand vhost-user ports whose guests are not there yet, in one transaction."""
import itertools
import time

from lib.daemon import running
from lib.wait import best_of_three

COUNT = 1000
APPLY_S, SAME_S = 2.0, 0.5


def config(folder):
    return {"version": 1,
            "segments": [{"name": f"s{i:04}", "vni": 1000 + i} for i in range(COUNT)],
            "ports": [{"name": f"p{i:04}", "type": "vhost-user", "path": str(folder / "vhost" / f"{i}.sock"),
                       "segment": f"s{i:04}", "macs": [f"02:00:00:00:{i >> 8:02x}:{i & 255:02x}"]} for i in range(COUNT)]}


def timed(control, **params):
    start = time.monotonic()
    answer = control.call("config.apply", **params)
    return time.monotonic() - start, answer


def all_items(control, method):
    items, cursor = [], {}
    while True:
        page = control.call(method, limit=1000, **cursor)
        items += page["items"]
        if page["cursor"] is None:
            return items
        cursor = {"cursor": page["cursor"]}


def test_a_thousand_ports_and_segments():
    seconds = {"first": [], "same": [], "remove": []}
    for attempt in range(3):  # the best of three: a neighbour on the machine is not the switch's fault
        with running() as daemon, daemon.control(timeout=60) as control:
            wanted = config(daemon.folder)
            took, answer = timed(control, config=wanted)
            seconds["first"].append(took)
            assert len(answer["changes"]) == 2 * COUNT
            took, answer = timed(control, config=wanted)
            seconds["same"].append(took)
            assert answer["changes"] == []
            assert len(all_items(control, "port.list")) == len(all_items(control, "segment.list")) == COUNT
            took, answer = timed(control, config={"version": 1})
            seconds["remove"].append(took)
            assert len(answer["changes"]) == 2 * COUNT
            assert all_items(control, "port.list") == all_items(control, "segment.list") == []
        if min(seconds["first"]) <= APPLY_S and min(seconds["same"]) <= SAME_S:
            break
    print(seconds)
    assert min(seconds["first"]) <= APPLY_S, seconds
    assert min(seconds["same"]) <= SAME_S, seconds
    assert min(seconds["remove"]) <= 2 * APPLY_S, seconds


def test_a_thousand_ports_come_back_after_a_kill():
    with running() as daemon:
        with daemon.control(timeout=60) as control:
            control.call("config.apply", config=config(daemon.folder))
        daemon.kill()
        start = time.monotonic()
        daemon.start()
        print("start with all:", time.monotonic() - start)
        with daemon.control() as control:
            ports = all_items(control, "port.list")
            assert len(ports) == COUNT and {port["state"]["status"] for port in ports} == {"down"}
            # While the switch looks for a thousand guests it answers as ever, and one change does not cost a thousand.
            numbers = itertools.count(1)

            def one_more():
                number = next(numbers)
                start = time.monotonic()
                control.call("segment.add", name=f"more-{number}", vni=number)
                control.call("port.add", name=f"more-{number}", type="vhost-user", path=str(daemon.folder / f"vhost/more-{number}.sock"),
                             segment=f"more-{number}")
                return time.monotonic() - start
            assert best_of_three(one_more, 1) <= 1
        stopping = time.monotonic()
        assert daemon.stop() == 0
        print("stop with all:", time.monotonic() - stopping)
