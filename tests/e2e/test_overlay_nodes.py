# SPDX-License-Identifier: Apache-2.0
"""Two switches and a cable: segments that span both nodes, with equal addresses in both segments."""
import contextlib

import pytest
from lib.frames import ethernet
from lib.nodes import two_nodes
from lib.overlay import everything
from lib.tcp import MIB, bad_checksums, iperf_bytes, transfer
from lib.wait import until

WEB, DB = "02:00:00:00:00:01", "02:00:00:00:00:02"


@pytest.fixture(params=["vxlan", "geneve"])
def nodes(request):
    with two_nodes(request.param) as nodes:
        yield nodes


@pytest.fixture
def pods(nodes):
    """web on the first node, db on the second, in blue and in red."""
    with contextlib.ExitStack() as stack:
        yield {f"{segment}-{role}": stack.enter_context(node.pod(f"{segment}-{role}", segment, address, mac=mac))
               for segment in ("blue", "red")
               for node, role, address, mac in ((nodes[0], "web", "10.1.0.1/24", WEB), (nodes[1], "db", "10.1.0.2/24", DB))}


def test_pods_reach_their_own_segment_on_the_other_node(nodes, pods):
    for segment in ("blue", "red"):
        assert pods[f"{segment}-web"].pings("10.1.0.2", deadline=10) and pods[f"{segment}-db"].pings("10.1.0.1")
    nodes[1].control.call("port.remove", name="blue-db")
    assert pods["blue-web"].echoes("10.1.0.2", deadline=1) == 0, "10.1.0.2 of the other segment answered"
    assert pods["red-web"].pings("10.1.0.2")


def test_tcp(nodes, pods):
    web, db = pods["blue-web"], pods["blue-db"]
    web.add_addresses("net1", "fd00::1/64")
    db.add_addresses("net1", "fd00::2/64")
    for address in ("10.1.0.2", "fd00::2"):
        transfer(web, db, address, 8 * MIB)
    transfer(db, web, "10.1.0.1", 8 * MIB)
    assert iperf_bytes(web, db, "10.1.0.2") > MIB
    assert bad_checksums(web) == bad_checksums(db) == {}


def test_broadcast_stays_in_its_segment(nodes, pods):
    with contextlib.ExitStack() as stack:
        wires = {name: stack.enter_context(pod.wire()) for name, pod in pods.items()}
        mine = lambda frame: b"blue only" in frame
        wires["blue-web"].send(ethernet(b"blue only", WEB))
        assert len(wires["blue-db"].receive(10, mine, count=1)) == 1
        wires["blue-db"].send(ethernet(b"the end", DB))  # behind it, had it come back
        assert not any(map(mine, wires["blue-web"].receive_before(b"the end")))
        for here, there in (("red-web", "red-db"), ("red-db", "red-web")):
            wires[here].send(ethernet(b"the end", "02:00:00:00:00:09"))
            assert not any(map(mine, wires[there].receive_before(b"the end"))), there


def test_a_pod_moves_to_the_other_node(nodes, pods):
    moving, web, db = "02:00:00:00:00:0a", pods["blue-web"], pods["blue-db"]
    with nodes[1].pod("there", "blue", None, silent=True) as there, there.wire() as before, web.wire() as asking, db.wire() as beside:
        before.send(ethernet(b"I am here", moving))
        until(lambda: where(nodes[0], moving) == "peer", what="learning behind the tunnel")
        asking.send(ethernet(b"first", WEB, moving))
        assert before.receive(5, lambda frame: b"first" in frame, count=1)
        with nodes[0].pod("here", "blue", None, silent=True) as here, here.wire() as after:
            after.send(ethernet(b"now I am here", moving))
            until(lambda: where(nodes[0], moving) == "here" and where(nodes[1], moving) == "peer", what="the move on both nodes")
            for number, sender in enumerate((asking, beside)):
                sender.send(ethernet(b"second", (WEB, DB)[number], moving))
            assert len(after.receive(5, lambda frame: b"second" in frame, count=2)) == 2
            beside.send(ethernet(b"the end", DB))
            assert not [frame for frame in before.receive_before(b"the end") if b"second" in frame]


def where(node, mac):
    """The port or the tunnel that a MAC of blue is behind."""
    entries = [entry for entry in everything(node.control, "fdb.list", segment="blue") if entry["mac"] == mac]
    return (entries[0]["port"] or entries[0]["tunnel"]) if entries else None
