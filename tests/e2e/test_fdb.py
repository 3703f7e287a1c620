# SPDX-License-Identifier: Apache-2.0
"""What the switch learns, forgets and is told about who is where."""
import contextlib

import pytest
from lib.frames import ethernet
from lib.netns import pod
from lib.wait import until

M1, M2, M3 = "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:01:03"


def table(control, segment="blue"):
    return {entry["mac"]: entry for entry in control.call("fdb.list", segment=segment)["items"]}


def where(control, mac, segment="blue"):
    entry = table(control, segment).get(mac)
    return entry and entry["port"]


@pytest.fixture
def wires(control):
    """Three silent pods of blue; the switch has heard nothing yet."""
    with contextlib.ExitStack() as stack:
        namespaces = {name: stack.enter_context(pod(control, name, "blue", silent=True)) for name in ("a", "b", "c")}
        yield {name: stack.enter_context(namespace.wire()) for name, namespace in namespaces.items()}


def carrying(payload):
    return lambda frame: payload in frame


def arrives(wires, sender, frame, *receivers):
    """Asserts that the frame reaches these and no others. Frames to one pod stay in order, so a broadcast behind it tells
    when there is nothing left to wait for."""
    wires[sender].send(frame)
    wires[sender].send(ethernet(b"the end", frame_source(frame)))
    for name, wire in wires.items():
        if name == sender:
            continue
        seen = wire.receive_before(b"the end")
        assert (frame in seen) == (name in receivers), f"{name}: {seen}"


def frame_source(frame):
    return frame[6:12].hex(":")


def test_unknown_unicast_floods_and_known_does_not(wires, control):
    arrives(wires, "a", ethernet(b"who?", M1, M2), "b", "c")
    arrives(wires, "b", ethernet(b"I", M2, M1), "a")
    arrives(wires, "a", ethernet(b"you", M1, M2), "b")
    assert (where(control, M1), where(control, M2)) == ("a", "b")


def test_a_mac_moves_with_its_station(wires, control, switch):
    with switch.control() as events:
        events.call("events.subscribe", kinds=["mac.moved"])
        wires["a"].send(ethernet(b"here", M1))
        until(lambda: where(control, M1) == "a", what="learning")
        wires["b"].send(ethernet(b"now here", M1))
        until(lambda: where(control, M1) == "b", what="the move")
        moved = events.next_event("mac.moved")
        assert (moved["mac"], moved["port"], moved["from_port"]) == (M1, "b", "a")
    arrives(wires, "c", ethernet(b"to you", M2, M1), "b")


def test_silent_stations_are_forgotten(wires, control):
    control.call("segment.set", name="blue", mac_age_s=1)
    control.call("fdb.add", segment="blue", mac=M2, port="b")
    wires["a"].send(ethernet(b"here", M1))
    until(lambda: where(control, M1) == "a", what="learning")
    until(lambda: where(control, M1) is None, 8, "aging", pause=0.1)
    assert table(control)[M2]["static"]
    arrives(wires, "c", ethernet(b"anybody?", M2[:-1] + "9", M1), "a", "b")


def test_a_static_entry_is_nobodys_to_take(wires, control):
    control.call("fdb.add", segment="blue", mac=M1, port="a")
    arrives(wires, "b", ethernet(b"to a", M2, M1), "a")
    wires["c"].send(ethernet(b"I am M1", M1))
    until(lambda: [row for row in control.call("drop.list", port="c")["items"] if row["reason"] == "source_mac_owned"],
          what="the drop")
    assert where(control, M1) == "a"
    wires["b"].send(ethernet(b"the end", M2, M1))  # after the drop was counted, so behind it
    assert [frame for frame in wires["a"].receive_before(b"the end") if b"I am M1" in frame] == []


def test_a_segment_learns_no_more_than_its_limit(wires, control, switch):
    control.call("segment.set", name="blue", mac_limit=3)
    with switch.control() as events:
        events.call("events.subscribe", kinds=["mac.limit"])
        for number in range(10):
            wires["a"].send(ethernet(b"hello", f"02:00:00:00:02:{number:02x}"))
        assert events.next_event("mac.limit")["segment"] == "blue"
    assert len(wires["b"].receive(5, carrying(b"hello"), count=10)) == 10, "beyond the limit frames still pass"
    assert len(table(control)) == 3
    control.call("fdb.flush", segment="blue")
    control.call("segment.set", name="blue", mac_limit=4096)
    wires["a"].send(ethernet(b"hello", M1))
    until(lambda: where(control, M1) == "a", what="learning again")


def test_flush_forgets_what_matches(wires, control):
    wires["a"].send(ethernet(b"a", M1))
    wires["b"].send(ethernet(b"b", M2))
    control.call("fdb.add", segment="blue", mac=M3, port="c")
    until(lambda: len(table(control)) == 3, what="learning")
    assert control.call("fdb.flush", port="a") == {"removed": 1}
    assert set(table(control)) == {M2, M3}
    assert control.call("fdb.flush") == {"removed": 1}
    assert set(table(control)) == {M3}


def test_a_removed_port_takes_its_addresses_along(wires, control):
    wires["a"].send(ethernet(b"a", M1))
    until(lambda: where(control, M1) == "a", what="learning")
    control.call("fdb.add", segment="blue", mac=M2, port="a")
    control.call("port.remove", name="a")
    assert table(control) == {}


@pytest.mark.parametrize("mode, group, unknown, known", [("all", True, True, True), ("known", True, False, True), ("none", False, False, True)])
def test_flood_modes(control, wires, mode, group, unknown, known):
    control.call("segment.set", name="blue", flood=mode)
    control.call("fdb.add", segment="blue", mac=M2, port="b")
    control.call("fdb.add", segment="blue", mac=M3, port="c")
    cases = (("ff:ff:ff:ff:ff:ff", group, "flood_disabled"), ("33:33:00:00:00:01", group, "flood_disabled"),
             ("02:00:00:00:09:09", unknown, "unknown_unicast"), (M2, known, None))
    frames = {destination: ethernet(destination.encode(), M1, destination) for destination, *_ in cases}
    for destination, passes, reason in cases:
        wires["a"].send(frames[destination])
        wires["a"].send(ethernet(b"the end", M1, M2))  # known, so it passes in every mode
        assert (frames[destination] in wires["b"].receive_before(b"the end")) == passes, destination
        if not passes:
            assert [row for row in control.call("drop.list", port="a", reason=reason)["items"] if row["packets"]]
    wires["a"].send(ethernet(b"the end", M1, M3))
    for_all = [frames[destination] for destination, passes, _ in cases if passes and destination != M2]
    assert wires["c"].receive_before(b"the end") == for_all, "c hears what is flooded, and only that"
