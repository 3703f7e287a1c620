# SPDX-License-Identifier: Apache-2.0
"""Guests on two nodes, with a tunnel between: what they leave unfinished is finished before it is on the wire."""
import contextlib
import os
import pathlib
import re
import sys

import pytest
from lib.cable import FAR
from lib.daemon import BUILD
from lib.nodes import MTU, two_nodes
from lib.tshark import complaints, dissect, fields
from lib.wait import until

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "guest"))
from guest import Guest, build  # noqa: E402


@pytest.fixture(scope="module")
def guests():
    images = build(pathlib.Path(os.environ.get("GUEST_IMAGES", BUILD / "guest-images")))
    with two_nodes() as nodes, contextlib.ExitStack() as stack:
        guests = []
        for number, node in enumerate(nodes, 1):
            path = node.daemon.folder / "vhost/g.sock"
            node.control.call("port.add", name="g", type="vhost-user", path=str(path), segment="blue")
            guests.append(stack.enter_context(Guest(path, images, mac=f"52:54:00:00:00:0{number}", mtu=MTU,
                                                    ip=[f"10.1.0.{number}/24", f"fd00::{number}/64"])))
        yield nodes, guests


@pytest.mark.parametrize("address", ["10.1.0.2", "fd00::2"])
def test_tcp_between_guests_of_two_nodes(guests, address):
    """Super-segments leave the guest, and segments with whole checksums, inside and outside, the node."""
    nodes, (client, server) = guests
    before = nodes[0].control.call("stats.get", port="g")["ports"][0]
    until(lambda: client.run(f"ping -c 1 -W 1 {address}", check=False).code == 0, 10, "an answer")
    with nodes[1].space.wire(FAR) as wire:
        server.run("iperf3 -s -1 -D >/dev/null 2>&1")
        report = client.run(f"iperf3 -c {address} -n 8M --connect-timeout 5000 -f m", timeout=60).text
        frames = wire.receive(5, lambda frame: len(frame) > 1000, count=500)
    assert float(re.search(r"([\d.]+) MBytes .* receiver", report)[1]) > 1
    after = nodes[0].control.call("stats.get", port="g")["ports"][0]
    mean = (after["rx_bytes"] - before["rx_bytes"]) / (after["rx_packets"] - before["rx_packets"])
    assert mean > 1600, "no super-segments of the guest's"
    assert len(frames) > 100 and max(map(len, frames)) <= 1514
    packets = dissect(frames)
    assert all(fields(packet, "tcp.checksum.status") for packet in packets)
    assert [complaint for packet in packets for complaint in complaints(packet) if "checksum" in complaint or "alformed" in complaint] == []
    for guest in (client, server):
        names, values = [line.split() for line in guest.run("grep ^Tcp: /proc/net/snmp").text.strip().splitlines()]
        assert values[names.index("InCsumErrors")] == "0"
