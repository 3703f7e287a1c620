# SPDX-License-Identifier: Apache-2.0
"""port.move: the quarantine of a pod that talks without pause. Each frame is in one segment alone."""
import contextlib
import struct
import threading

import pytest
from lib.control import Refused
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import pod
from lib.wait import until

MOVED, BLUE, RED = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
MOVES = 20


class Talker:
    """Broadcasts numbers, one after the other, until it is told to stop."""

    def __init__(self, wire, mac):
        self.sent = 0
        self._wire, self._mac = wire, mac
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(0.0005):
            self._wire.send(ethernet(b"n" + struct.pack("!I", self.sent), self._mac))
            self.sent += 1


def numbers(wire, mac):
    """Those that have come from a talker."""
    source = bytes.fromhex(mac.replace(":", ""))
    return [struct.unpack_from("!I", frame, 15)[0] for frame in wire.receive(0) if frame[6:12] == source and frame[14:15] == b"n"]


@pytest.fixture
def switch():
    with running(node={"cores": "0,1"}) as switch:
        yield switch


def test_every_frame_is_in_one_segment_alone(switch):
    with switch.control() as control, contextlib.ExitStack() as stack:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        wires = {}
        for name, mac, segment in (("moved", MOVED, "blue"), ("blue", BLUE, "blue"), ("red", RED, "red")):
            space = stack.enter_context(pod(control, name, segment, mac=mac, silent=True))
            wires[name] = stack.enter_context(space.wire())
            wires[name + "-talk"] = stack.enter_context(space.wire())
        heard = {"blue": [], "red": []}
        here, there = "blue", "red"
        with Talker(wires["moved-talk"], MOVED) as moved, Talker(wires["blue-talk"], BLUE) as blue, Talker(wires["red-talk"], RED) as red:
            talkers = {"blue": (blue, BLUE), "red": (red, RED)}
            for _ in range(MOVES):
                count = moved.sent
                until(lambda: moved.sent > count + 20, 10, "the talkers to go on")
                before = moved.sent
                control.call("port.move", name="moved", segment=there)
                after, last_of_former = moved.sent, talkers[here][0].sent
                entries = {entry["mac"] for entry in control.call("fdb.list", segment=here)["items"]}
                assert MOVED not in entries
                until(lambda: moved.sent > after + 20, 10, "the talkers to go on")
                for segment in heard:
                    heard[segment] = numbers(wires[segment], MOVED)
                # In order, none twice, none in both, and where the one ends the other begins.
                old, new = heard[here], heard[there]
                assert old and new, "somebody heard nothing at all"
                assert old == sorted(set(old)) and new == sorted(set(new))
                assert old[-1] < new[0] and before - 2 <= new[0] and old[-1] <= after
                to_moved = wires["moved"].receive(0)
                source = bytes.fromhex(talkers[here][1].replace(":", ""))
                late = [struct.unpack_from("!I", frame, 15)[0] for frame in to_moved if frame[6:12] == source and frame[14:15] == b"n"]
                assert all(number <= last_of_former for number in late), "a frame of the former segment came after the reply"
                here, there = there, here


def test_what_is_known_of_it_stays_behind(switch):
    with switch.control() as control, contextlib.ExitStack() as stack:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        stack.enter_context(pod(control, "moved", "blue", mac=MOVED, silent=True, macs=[MOVED], security="mac"))
        stack.enter_context(pod(control, "other", "red", mac=RED, silent=True))
        control.call("fdb.add", segment="blue", mac="02:00:00:00:00:77", port="moved")
        before = control.call("system.get")["generation"]
        assert control.call("port.move", name="moved", segment="red")["generation"] == before + 1
        assert control.call("fdb.list", segment="blue")["items"] == []
        places = {entry["mac"]: entry["port"] for entry in control.call("fdb.list", segment="red")["items"]}
        assert places.get(MOVED) == "moved" and "02:00:00:00:00:77" not in places
        port = control.call("port.get", name="moved")
        assert (port["segment"], port["security"]) == ("red", "mac")
        # Again is no change.
        assert control.call("port.move", name="moved", segment="red")["generation"] == before + 1


def test_a_move_that_can_not_be_changes_nothing(switch):
    with switch.control() as control, contextlib.ExitStack() as stack:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        stack.enter_context(pod(control, "moved", "blue", mac=MOVED, silent=True, macs=[MOVED]))
        stack.enter_context(pod(control, "twin", "red", mac=RED, silent=True, macs=[MOVED]))
        control.call("fdb.add", segment="blue", mac="02:00:00:00:00:77", port="moved")
        control.call("port.add", name="trunk", type="vhost-user", path=str(switch.folder / "vhost/t.sock"), vlans=[{"vlan": 5, "segment": "red"}])
        before = control.call("config.get"), control.call("system.get")["generation"]
        for name, segment, field, word in (("moved", "red", "/segment", MOVED), ("moved", "green", "/segment", "green"),
                                           ("nobody", "red", "/name", "nobody"), ("trunk", "blue", "/name", "vlans")):
            with pytest.raises(Refused) as refused:
                control.call("port.move", name=name, segment=segment)
            assert refused.value.data["field"] == field
            assert word in str(refused.value) + str(refused.value.data)
        assert (control.call("config.get"), control.call("system.get")["generation"]) == before
        assert "02:00:00:00:00:77" in {entry["mac"] for entry in control.call("fdb.list", segment="blue")["items"]}
