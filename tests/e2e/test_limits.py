# SPDX-License-Identifier: Apache-2.0
"""What a port may do at most, with real kernels behind the ports. Rates are those of the switch's own counters."""
import contextlib
import time

import pytest
from scapy.all import Ether, Raw

from lib.netns import pod
from lib.tcp import iperf_server

MEGABIT, KIB = 125_000, 1024
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def pods(control):
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(pod(control, name, "blue", f"10.1.0.{at}/24", mac=f"02:00:00:00:00:0{at}", silent=True))
               for at, name in ((1, "b1"), (2, "b2"), (3, "b3"))}


def stats(control, port):
    return control.call("stats.get", port=port)["ports"][0]


def dropped(control, port, reason):
    return stats(control, port)["drops"].get(reason, 0)


def flood_of_datagrams(control, client, server, address):
    """What b2 gets of ten times the rate: bytes, and the seconds it took."""
    with iperf_server(server):
        before, began = stats(control, "b2")["tx_bytes"], time.monotonic()
        client.run("iperf3", "-c", address, "-u", "-b", "200M", "-l", "1400", "-t", "1", timeout=30)
        return stats(control, "b2")["tx_bytes"] - before, time.monotonic() - began


@pytest.mark.parametrize("port, limit, reason", (("b1", "rx_mbps", "rx_rate"), ("b2", "tx_mbps", "tx_rate")))
def test_a_rate_is_kept_both_ways(pods, control, port, limit, reason):
    control.call("port.set", name=port, limits={limit: 20, "burst_kib": 100})
    got, seconds = flood_of_datagrams(control, pods["b1"], pods["b2"], "10.1.0.2")
    assert got <= 20 * MEGABIT * seconds + 100 * KIB + 64 * KIB
    assert got >= 0.8 * 20 * MEGABIT, "one second of the rate"
    lost = dropped(control, port, reason)
    assert lost > 1000

    control.call("port.set", name=port, limits={limit: None, "burst_kib": None})
    assert control.call("port.get", name=port)["limits"] == {}
    got, seconds = flood_of_datagrams(control, pods["b1"], pods["b2"], "10.1.0.2")
    assert got > 2 * 20 * MEGABIT * seconds
    assert dropped(control, port, reason) == lost


def test_a_storm_passes_by_its_rate_alone(pods, control):
    control.call("port.set", name="b1", limits={"storm_pps": 20})
    with pods["b1"].wire() as sender, pods["b2"].wire() as receiver:
        began = time.monotonic()
        for number in range(400):
            sender.send(Ether(src="02:00:00:00:00:01", dst=BROADCAST, type=0x88b5) / Raw(b"storm %d" % number))
        control.call("port.set", name="b1", limits={"storm_pps": None})
        sender.send(Ether(src="02:00:00:00:00:01", dst=BROADCAST, type=0x88b5) / Raw(b"the end"))
        passed = sum(b"storm" in frame for frame in receiver.receive_before(b"the end"))
        assert passed >= 20
        assert dropped(control, "b1", "storm") > 0
        assert passed <= 20 + 20 * (time.monotonic() - began) + 1 + 64, "with the burst that the new limits found waiting"


def test_moves_beyond_the_limit_are_told_and_drop(pods, control, switch):
    control.call("port.set", name="b1", limits={"mac_moves_per_s": 1})
    with switch.control() as events, pods["b1"].wire() as thief, pods["b3"].wire() as owner, pods["b2"].wire() as receiver:
        events.call("events.subscribe", kinds=["mac.move_limit"])
        stations = [f"02:00:00:00:01:{number:02x}" for number in range(20)]
        for wire in (owner, thief):
            for station in stations:
                wire.send(Ether(src=station, dst="02:00:00:00:00:02", type=0x88b5) / Raw(b"mine"))
            own = "02:00:00:00:00:03" if wire is owner else "02:00:00:00:00:01"
            wire.send(Ether(src=own, dst=BROADCAST, type=0x88b5) / Raw(b"the end"))
            arrived = sum(b"mine" in frame for frame in receiver.receive_before(b"the end"))
            if wire is owner:
                assert arrived == 20
        event = events.next_event("mac.move_limit")
        assert (event["port"], event["from_port"], event["segment"]) == ("b1", "b3", "blue")
        assert dropped(control, "b1", "mac_move_limit") > 0
        kept = [entry for entry in control.call("fdb.list", segment="blue")["items"]
                if entry["mac"] in stations and entry["port"] == "b3"]
        assert kept, "not all of them moved"
        assert arrived < 20
