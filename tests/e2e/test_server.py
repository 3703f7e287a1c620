# SPDX-License-Identifier: Apache-2.0
"""Clients of the control socket that are large, many, slow or rude harm only themselves."""
import contextlib
import json
import random
import resource
import socket
import struct
import stat
import time

import pytest

from lib.control import Refused
from lib.daemon import running
from lib.wait import best_of_three

LIMIT = -32005
MOST_CONNECTIONS = 512


@pytest.fixture(scope="module")
def server():
    with running() as daemon:
        with daemon.control() as control:
            control.call("segment.add", name="blue", vni=100)
        yield daemon


@pytest.fixture
def other(server):
    """A well-behaved client, there before and after."""
    with server.control() as control:
        yield control
        assert control.call("segment.get", name="blue")["vni"] == 100
    assert server.alive(), server.tail()


def request(number, method="system.get", **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


def answers_quickly(control, times=20, limit_s=0.5):
    """Whether the slowest of some calls stays within the limit."""
    def slowest():
        took = []
        for _ in range(times):
            start = time.monotonic()
            control.call("system.get")
            took.append(time.monotonic() - start)
        return max(took)
    return best_of_three(slowest, limit_s) < limit_s


def test_only_owner_and_group_may_connect(server):
    mode = server.socket.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    assert stat.S_IMODE(server.state.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.state / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("ending", [b"", b"\n"], ids=["without an end", "with an end"])
def test_a_request_of_64_mib_is_too_large(server, other, ending):
    with server.control() as control:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            control.socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (64 << 20) + ending)
        error = control.line()["error"]
        assert error["code"] == LIMIT and "16777216" in error["data"]["allowed"], error
        with pytest.raises(ConnectionError):
            control.line()


def test_a_request_of_nearly_16_mib_is_served(server, other):
    with server.control() as control:
        text = request(1, "segment.get", name="n" * ((16 << 20) - 200))
        assert control.raw(text)["error"]["code"] == -32001
        assert len(json.dumps(control.raw(text))) < 4096, "the error echoes the request"
        assert control.call("system.get")


def test_a_client_that_never_reads_holds_up_nobody(server, other):
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with deaf:
        deaf.connect(str(server.socket))
        deaf.setblocking(False)
        sent, line = 0, request(1, "rpc.discover")
        with contextlib.suppress(BlockingIOError):
            while sent < 200_000:
                sent += deaf.send(line * 100) // len(line)
        assert sent < 200_000, "the switch reads requests whose replies nobody takes"
        assert answers_quickly(other)


def test_half_a_request_then_silence(server, other):
    with server.control() as slow:
        text = request(7, "segment.get", name="blue")
        slow.socket.sendall(text[:20])
        assert answers_quickly(other)
        assert slow.raw(text[20:])["result"]["vni"] == 100


def test_byte_by_byte(server, other):
    with server.control() as slow:
        text = request(7, "segment.get", name="blue")
        for at in range(len(text)):
            slow.socket.send(text[at:at + 1])
        assert slow.line()["id"] == 7


def test_hanging_up_in_the_middle(server, other):
    for part in (request(1)[:10], request(1), request(1) * 500):
        with server.control() as rude:
            rude.socket.sendall(part)
    assert answers_quickly(other)


def test_a_client_that_only_stops_sending_gets_its_answers(server, other):
    with server.control() as control:
        control.socket.sendall(request(1) * 100 + request(2).rstrip())
        control.socket.shutdown(socket.SHUT_WR)
        assert [control.line()["id"] for _ in range(101)] == [1] * 100 + [2]
        with pytest.raises(ConnectionError):
            control.line()


def test_a_thousand_pipelined_requests_are_answered_in_order(server, other):
    with server.control() as control:
        control.socket.sendall(b"".join(request(i, *(("segment.get",) if i % 3 else ()), **({"name": "blue"} if i % 3 else {}))
                                        for i in range(1000)))
        assert [control.line()["id"] for _ in range(1000)] == list(range(1000))


def test_pipelined_changes_take_effect_in_order(server, other):
    with server.control() as control:
        for i in range(100):
            control.send("segment.set" if i else "segment.add", {"name": "pipe", "vni": 9, "mtu": 1000 + i})
        replies = [control.line() for _ in range(100)]
        assert [reply["result"]["object"]["mtu"] for reply in replies] == list(range(1000, 1100))
        generations = [reply["result"]["generation"] for reply in replies]
        assert generations == list(range(generations[0], generations[0] + 100))
        control.call("segment.remove", name="pipe")


def test_batches(server, other):
    good = {"jsonrpc": "2.0", "id": 1, "method": "segment.get", "params": {"name": "blue"}}
    notification = {"jsonrpc": "2.0", "method": "segment.add", "params": {"name": "noted", "vni": 77}}
    bad = {"jsonrpc": "2.0", "id": 2, "method": "segment.get", "params": {"name": "nowhere"}}
    with server.control() as control:
        replies = control.raw(json.dumps([good, notification, bad, 5, good]) + "\n")
        assert [reply["id"] for reply in replies] == [1, 2, None, 1]
        assert [reply.get("error", {}).get("code") for reply in replies] == [None, -32001, -32600, None]
        assert control.call("segment.get", name="noted")["vni"] == 77, "a notification is carried out"
        control.socket.sendall((json.dumps([notification]) + "\n").encode())  # nothing comes back
        control.call("segment.remove", name="noted")
        assert control.raw(json.dumps([good] * 1001) + "\n")["error"]["code"] == LIMIT
        assert len(control.raw(json.dumps([good] * 1000) + "\n")) == 1000


def test_noise(server, other):
    """Lines of random bytes, and requests with random bytes changed, get an error or an answer, and nothing else."""
    noise = random.Random(11)
    with server.control() as control:
        for _ in range(300):
            if noise.random() < 0.5:
                line = noise.randbytes(noise.randrange(1, 200))
            else:
                damaged = bytearray(request(1, "segment.get", name="blue"))
                for _ in range(noise.randrange(1, 4)):
                    damaged[noise.randrange(len(damaged) - 1)] = noise.randrange(256)
                line = bytes(damaged)
            line = line.replace(b"\n", b" ").replace(b"[", b"(") + b"\n[]\n"
            control.socket.sendall(line)
            while True:  # to the reply of the empty batch, which follows even where the line was a notification
                answer = control.line()
                if answer.get("error", {}).get("message") == "an empty batch":
                    break


@contextlib.contextmanager
def descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def fate(connection):
    """'served', or the code of the refusal that came before the end."""
    connection.settimeout(20)
    try:
        connection.sendall(request(1))
    except (BrokenPipeError, ConnectionResetError):
        pass
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            return "cut off"
        received += part
    answer = json.loads(received)
    return "served" if "result" in answer else answer["error"]["code"]


def test_ten_thousand_connections(server, other):
    assert answers_quickly(other)  # and so has noticed who hung up before
    with descriptors(11_000), contextlib.ExitStack() as stack:
        connections = []
        for _ in range(10_000):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            # A connect that finds the queue full waits in the kernel; a Python timeout would make it fail at once.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 20, 0))
            connection.connect(str(server.socket))
            connection.settimeout(20)
            connections.append(connection)
        assert answers_quickly(other)
        fates = [fate(connection) for connection in connections]
    counts = {kind: fates.count(kind) for kind in set(fates)}
    print("10,000 connections:", counts)
    assert counts == {"served": MOST_CONNECTIONS - 1, LIMIT: 10_000 - MOST_CONNECTIONS + 1}
    # All have hung up: there is room again, as soon as the switch has noticed.
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(Refused, ConnectionError), server.control() as control:
            if control.call("system.get"):
                break
        assert time.monotonic() < deadline, "no room after all have gone"
