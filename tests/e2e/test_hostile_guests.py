# SPDX-License-Identifier: Apache-2.0
"""What guests may do to the running switch without harm to others. In between, control answers and the others' frames come.
(The ways to write a ring or a message badly: tests/unit/vhost.)"""
import contextlib
import socket
import struct
import threading
import time

import pytest
from lib.daemon import running
from lib.herd import Herd
from lib.wait import best_of_three, until

GUESTS = 8
ANSWER_S = 0.1
GET_FEATURES = struct.pack("<III", 1, 1, 0)


@pytest.fixture
def fabric():
    with running(node={"cores": "1"}) as switch, Herd(switch.folder / "vhost", GUESTS) as herd, switch.control() as control:
        control.call("config.apply", owner="test", config={"version": 1, **herd.config()})
        path = switch.folder / "vhost/hostile.sock"
        control.call("port.add", name="hostile", type="vhost-user", path=str(path), mode="server", segment="blue")
        herd.all_hear()
        yield switch, herd, control, path


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))  # without a time limit: with one it would not wait where many are before it
    client.settimeout(5)
    return client


def is_answered(path):
    with connected(path) as client, contextlib.suppress(ConnectionError):
        client.sendall(GET_FEATURES)
        return len(client.recv(20)) == 20


def seconds_of(call):
    start = time.monotonic()
    call()
    return time.monotonic() - start


def assert_nobody_is_held_up(fabric, seconds=1):
    """Neither control nor the other guests."""
    _, herd, control, _ = fabric

    def slowest():
        herd.ask("reset")
        end, slow = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            slow = max(slow, seconds_of(lambda: control.call("port.get", name="hostile")))
        return max(slow, herd.outage_ms() / 1000)
    assert best_of_three(slowest, ANSWER_S) <= ANSWER_S


@pytest.mark.parametrize("half", [b"", GET_FEATURES[:6], struct.pack("<III", 5, 1, 0x20), struct.pack("<III", 2, 1, 0x7fffffff)])
def test_half_a_message_and_then_silence(fabric, half):
    _, _, control, path = fabric
    with connected(path) as client:
        client.sendall(half)
        assert_nobody_is_held_up(fabric, 0.3)
        assert seconds_of(lambda: control.call("port.remove", name="hostile")) <= ANSWER_S
        assert client.recv(1) == b"", "hung up"


def test_a_guest_that_reads_no_answer(fabric):
    _, _, control, path = fabric
    with connected(path) as client:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            for _ in range(100_000):
                client.send(GET_FEATURES)
        assert_nobody_is_held_up(fabric, 0.3)
        assert seconds_of(lambda: control.call("port.remove", name="hostile")) <= ANSWER_S


def test_a_thousand_connections_a_second(fabric):
    """And no descriptor of theirs is left."""
    switch, _, _, path = fabric
    done, made = threading.Event(), [0]

    def flood():
        while not done.is_set():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.settimeout(0.05)
                client.connect(str(path))
                client.send(GET_FEATURES)
            made[0] += 1
            time.sleep(0.0005)  # a thousand a second or so

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert_nobody_is_held_up(fabric, 2)
    finally:
        done.set()
        thread.join()
    until(lambda: is_answered(path), 5, "an answer to one that behaves, and tries again as guests do")


def test_memory_that_is_taken_back_under_load(fabric):
    """The guest that does it is hung up on; its partner misses it, and nobody else anything."""
    _, herd, control, _ = fabric
    herd.ask("reset")
    herd.ask("shrink 0")
    until(lambda: "took back memory" in control.call("port.get", name="g0")["state"]["details"].get("last_closed", ""), what="its end")
    assert max(herd.ask("report")["longest_gap_ms"][2:]) < 1000 * ANSWER_S
    herd.all_hear()
    assert_nobody_is_held_up(fabric, 0.3)
