# SPDX-License-Identifier: Apache-2.0
"""Work that senders leave for a device passes through to those who take it, and is done where nobody does."""
import contextlib
import os
import socket

import pytest
from lib.cable import veth_port
from lib.netns import pod, run
from lib.tcp import MIB, bad_checksums, transfer

ADDRESSES = {"a": ["10.1.0.1/24", "fd00::1/64"], "b": ["10.1.0.2/24", "fd00::2/64"]}
OF_B = ["10.1.0.2", "fd00::2"]
OF_A = ["10.1.0.1", "fd00::1"]


def mean_sizes(control, port, before=None):
    """Bytes a frame, received from the port and sent to it since `before`, which are the counters of then."""
    now = control.call("stats.get", port=port)["ports"][0]
    return [(now[f"{way}_bytes"] - before[f"{way}_bytes"]) / max(1, now[f"{way}_packets"] - before[f"{way}_packets"])
            for way in ("rx", "tx")] if before else now


def assert_nothing_was_dropped(control, *ports):
    for port in ports:
        assert [row for row in control.call("drop.list", port=port)["items"] if row["reason"] != "no_destination"] == []


@pytest.fixture
def pods(control):
    with pod(control, "a", "blue", ADDRESSES["a"]) as a, pod(control, "b", "blue", ADDRESSES["b"]) as b:
        yield a, b


@pytest.mark.parametrize("address", OF_B)
def test_super_segments_pass_between_pods(control, pods, address):
    a, b = pods
    before = {name: mean_sizes(control, name) for name in ("a", "b")}
    transfer(a, b, address, 32 * MIB)
    from_a, _ = mean_sizes(control, "a", before["a"])
    _, to_b = mean_sizes(control, "b", before["b"])
    print(f"{from_a:.0f} and {to_b:.0f} bytes a frame")
    assert from_a > 3000 and to_b > 3000, "frames are no longer than the MTU: nothing was offloaded"
    assert bad_checksums(b) == {}
    assert_nothing_was_dropped(control, "a", "b")


@pytest.mark.parametrize("address", OF_B)
def test_software_finishes_for_a_pod_without_offloads(control, pods, address):
    """What the sender's kernel would leave to the device is off: every frame is whole as it comes."""
    a, b = pods
    a.run("ethtool", "-K", "net1", "tx", "off", "tso", "off")
    before = mean_sizes(control, "a")
    transfer(a, b, address, 8 * MIB)
    assert mean_sizes(control, "a", before)[0] < 1515
    assert bad_checksums(b) == {}


@pytest.mark.parametrize("address", OF_B)
def test_software_segments_for_a_nic_without_offloads(control, address):
    """The far kernel verifies what it gets: a checksum that is not finished, or a frame beyond its MTU, would be lost."""
    with pod(control, "a", "blue", ADDRESSES["a"]) as a, veth_port(control, "nic", "blue", ADDRESSES["b"]) as nic:
        before = {name: mean_sizes(control, name) for name in ("a", "nic")}
        transfer(a, nic, address, 8 * MIB)
        from_a, _ = mean_sizes(control, "a", before["a"])
        _, to_nic = mean_sizes(control, "nic", before["nic"])
        print(f"{from_a:.0f} bytes a frame from the pod, {to_nic:.0f} to the NIC")
        assert from_a > 3000 and to_nic < 1515
        assert bad_checksums(nic) == {}
        transfer(nic, a, OF_A[OF_B.index(address)], 2 * MIB)
        assert bad_checksums(a) == {}


@pytest.mark.parametrize("address", OF_B)
def test_software_segments_behind_a_tag(control, address):
    """Two segments joined by a cable whose frames carry a tag, another at each end: segments are cut behind a pushed tag,
    and what comes in with one goes on without."""
    with contextlib.ExitStack() as stack:
        a = stack.enter_context(pod(control, "a", "blue", ADDRESSES["a"]))
        b = stack.enter_context(pod(control, "b", "red", ADDRESSES["b"]))
        ends = [f"bhx{os.getpid()}-{number}" for number in (0, 1)]
        run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        stack.callback(run, "ip", "link", "del", ends[0], check=False)
        for end, segment in zip(ends, ("blue", "red")):
            run("sysctl", "-q", "-w", f"net.ipv6.conf.{end}.disable_ipv6=1")
            run("ip", "link", "set", end, "up")
            control.call("port.add", name=end, type="ethdev", devargs=f"net_af_packet_{end},iface={end}",
                         vlans=[{"vlan": 30, "segment": segment}])
            stack.callback(control.call, "port.remove", name=end)
        before = mean_sizes(control, ends[0])
        transfer(a, b, address, 4 * MIB)
        transfer(b, a, OF_A[OF_B.index(address)], 4 * MIB)
        assert max(mean_sizes(control, ends[0], before)) < 1519
        assert bad_checksums(a) == bad_checksums(b) == {}


def test_udp_checksums_are_finished(control):
    """A datagram whose checksum its kernel left undone, to a NIC that can't do it."""
    with pod(control, "a", "blue", ADDRESSES["a"]) as a, veth_port(control, "nic", "blue", ADDRESSES["b"]) as nic:
        with nic.wire("far") as wire:
            with a.entered():
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with sender:
                sender.sendto(b"hello, with an odd size", ("10.1.0.2", 9))
            frames = wire.receive(5, lambda frame: frame[12:14] == b"\x08\x00" and frame[23] == 17, count=1)
        assert len(frames) == 1
        assert ones_complement(frames[0]) == 0xFFFF


def ones_complement(frame):
    """RFC 768 and 1071: pseudo-header and datagram add up to all ones."""
    length = int.from_bytes(frame[38:40], "big")
    data = frame[26:34] + bytes([0, 17]) + frame[38:40] + frame[34:34 + length] + b"\0" * (length % 2)
    total = sum(int.from_bytes(data[at:at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
