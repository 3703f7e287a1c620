# SPDX-License-Identifier: Apache-2.0
"""Real Linux guests behind vhost-user ports of the running switch."""
import contextlib
import hashlib
import os
import pathlib
import re
import socket
import statistics
import sys
import time

import pytest
from lib.daemon import BUILD, running
from lib.netns import pod
from lib.tcp import MIB, bad_checksums, iperf_server
from lib.wait import best_of_three, until

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "guest"))
from guest import Guest, GuestError, build  # noqa: E402

GUESTS = {
    "g1": dict(mac="52:54:00:00:00:01", ip=["10.1.0.21/24", "fd00::21/64"], queues=2),
    "g2": dict(mac="52:54:00:00:00:02", ip=["10.1.0.22/24", "fd00::22/64"]),
    # The switch makes the socket, and the guest's driver leaves no work to others and takes none.
    "g3": dict(mac="52:54:00:00:00:03", ip=["10.1.0.23/24", "fd00::23/64"], server=False, offloads=False, mtu=1400, exec="touch /tmp/made"),
}
WORKERS = "^(rte|lcore)-worker-"  # as DPDK names them


class Fabric:
    """The switch, its guests, a pod in their segment, and one with the same address in another."""

    def __init__(self, switch, control, images, guests, pod, stranger):
        self.switch, self.control, self.images = switch, control, images
        self.guests, self.pod, self.stranger = guests, pod, stranger

    def boot(self, name):
        self.guests[name] = Guest(self.switch.folder / f"vhost/{name}.sock", self.images, **GUESTS[name]).start()

    def restart(self, ending):
        """The switch ends, is started again, and has its guests back."""
        if ending == "stopped":
            assert self.switch.stop() == 0
        else:
            self.switch.kill()
        self.switch.start()
        self.control.close()
        self.control = self.switch.control()
        for name in GUESTS:
            until(lambda: self.state(name)["guest_connected"], 10, f"{name} again")

    def traffic(self, port):
        return self.control.call("stats.get", port=port)["ports"][0]

    def state(self, port):
        return self.control.call("port.get", name=port)["state"]


@pytest.fixture(scope="module")
def fabric():
    images = build(pathlib.Path(os.environ.get("GUEST_IMAGES", BUILD / "guest-images")))
    with running(node={"cores": "0,1"}) as switch, switch.control() as control, contextlib.ExitStack() as stack:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        pod_of_guests = stack.enter_context(pod(control, "pod", "blue", ["10.1.0.1/24", "fd00::1/64"], mac="02:00:00:00:00:01"))
        stranger = stack.enter_context(pod(control, "stranger", "red", ["10.1.0.2/24", "fd00::2/64"], mac="02:00:00:00:00:01"))
        for name, guest in GUESTS.items():
            control.call("port.add", name=name, type="vhost-user", path=str(switch.folder / f"vhost/{name}.sock"), segment="blue",
                         queues=guest.get("queues", 1), mode="client" if guest.get("server", True) else "server")
        guests = {}
        fabric = Fabric(switch, control, images, guests, pod_of_guests, stranger)
        try:
            for name in GUESTS:
                fabric.boot(name)
            yield fabric
        finally:
            for guest in guests.values():
                guest.close()


def echoes(guest, address, deadline=5):
    """busybox's ping: how many of three are answered before `deadline` seconds are over."""
    text = guest.run(f"ping -c 3 -A -w {deadline} {address}", check=False, timeout=deadline + 10).text
    return int(re.search(r"(\d+) packets received", text)[1])


def answered(guest, address):
    return echoes(guest, address) == 3


def test_a_guest_is_shown_as_connected(fabric):
    state = fabric.state("g1")
    assert state["guest_connected"] and state["link"] and state["queues_enabled"] == 2
    assert fabric.state("g2")["queues_enabled"] == 1
    assert state["features"] & 1, "VIRTIO_NET_F_CSUM"


def test_guests_and_a_pod_reach_each_other(fabric):
    g1, g2 = fabric.guests["g1"], fabric.guests["g2"]
    assert answered(g1, "10.1.0.1") and answered(g1, "fd00::1")
    assert answered(g1, "10.1.0.22") and answered(g2, "fd00::21")
    assert answered(g1, "10.1.0.23") and answered(fabric.guests["g3"], "fd00::1")
    assert fabric.pod.pings("10.1.0.21") and fabric.pod.pings("fd00::22") and fabric.pod.pings("10.1.0.23")


def test_a_guest_reaches_nobody_of_another_segment(fabric):
    before = fabric.control.call("stats.get", segment="red")["segments"][0]["tx_packets"]
    assert echoes(fabric.guests["g1"], "10.1.0.2", deadline=1) == echoes(fabric.guests["g1"], "fd00::2", deadline=1) == 0
    assert fabric.stranger.echoes("10.1.0.21", deadline=1) == 0
    assert fabric.stranger.counter("net1", "rx_packets") == 0
    assert fabric.control.call("stats.get", segment="red")["segments"][0]["tx_packets"] == before


def test_silent_guests_leave_the_workers_asleep(fabric):
    def load():
        before, start = fabric.switch.cpu_seconds(WORKERS), time.monotonic()
        time.sleep(1)  # the time is what is measured
        return (fabric.switch.cpu_seconds(WORKERS) - before) / (time.monotonic() - start)
    assert best_of_three(load, 0.1) <= 0.1  # of two workers


def test_commands_in_a_guest_report_their_exit_and_their_time(fabric):
    """What the tests here stand on."""
    guest = fabric.guests["g3"]
    assert guest.run("echo one; echo 'two  three'").text == "one\ntwo  three\n"
    assert guest.run("exit 7", check=False).code == 7
    assert guest.run("cat /sys/class/net/eth0/mtu; ls /tmp").text == "1400\nmade\n"
    with pytest.raises(GuestError, match="exited with 1"):
        guest.run("false")
    with pytest.raises(GuestError, match="longer"):
        guest.run("sleep 30", timeout=1)
    assert guest.run("echo still here").text == "still here\n"


def mean_size(after, before, way):
    """Bytes a frame."""
    return (after[f"{way}_bytes"] - before[f"{way}_bytes"]) / (after[f"{way}_packets"] - before[f"{way}_packets"])


def bad_checksums_of_guest(guest):
    names, values = [line.split() for line in guest.run("grep ^Tcp: /proc/net/snmp").text.strip().splitlines()]
    return int(values[names.index("InCsumErrors")])


def listening(namespace, address):
    with namespace.entered():
        listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.settimeout(20)
    return listener


def send_to_pod(guest, namespace, address, size=8 * MIB):
    """A file goes from the guest to the pod; its digest tells whether it is the same."""
    with listening(namespace, address) as listener:
        guest.run(f"head -c {size} /dev/urandom >/tmp/file; sha256sum </tmp/file >/tmp/digest")
        guest.run(f"nc {address} {listener.getsockname()[1]} </tmp/file >/dev/null 2>&1 &")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(20)
            got = connection.makefile("rb").read(size)
    assert hashlib.sha256(got).hexdigest() == guest.run("cat /tmp/digest").text.split()[0]


def send_to_guest(guest, namespace, address, size=8 * MIB):
    data = os.urandom(size)
    with listening(namespace, address) as listener:
        guest.run(f"nc {address} {listener.getsockname()[1]} </dev/null >/tmp/file 2>&1 &")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(20)
            connection.sendall(data)
    arrival = f"while [ $(stat -c %s /tmp/file) -lt {size} ]; do sleep 0.1; done; sha256sum </tmp/file"
    assert guest.run(arrival).text.split()[0] == hashlib.sha256(data).hexdigest()


def assert_checksums_are_good(guest, namespace):
    assert bad_checksums(namespace) == {} and bad_checksums_of_guest(guest) == 0


@pytest.mark.parametrize("address", ["10.1.0.1", "fd00::1"])
def test_tcp_super_segments_pass_between_guest_and_pod(fabric, address):
    guest = fabric.guests["g1"]
    send_to_pod(guest, fabric.pod, address)
    send_to_guest(guest, fabric.pod, address)
    # Each way for itself, since the acknowledgements of the other are short, and by iperf3, which writes 128 KiB at a
    # time: of nc's small writes TCP makes small segments when the receiver is quick.
    for option, way in (("", "rx"), ("-R", "tx")):
        before = fabric.traffic("g1")
        with iperf_server(fabric.pod):
            guest.run(f"iperf3 -c {address} -n 8M {option} --connect-timeout 5000", timeout=40)
        assert mean_size(fabric.traffic("g1"), before, way) > 1600, f"{way}: super-segments did not pass through"
    assert_checksums_are_good(guest, fabric.pod)


def test_iperf3_from_guest_to_pod(fabric):
    with iperf_server(fabric.pod):
        report = fabric.guests["g1"].run("iperf3 -c 10.1.0.1 -t 1 -f m --connect-timeout 5000", timeout=40).text
    assert "receiver" in report
    print(report.splitlines()[-3])
    assert_checksums_are_good(fabric.guests["g1"], fabric.pod)


def test_tcp_to_a_pod_without_offloads(fabric):
    """The pod's kernel computes every checksum that it sends, verifies all, and sends no super-segment."""
    guest = fabric.guests["g2"]
    fabric.pod.run("ethtool", "-K", "net1", "tx", "off", "tso", "off", "gro", "off")
    try:
        send_to_pod(guest, fabric.pod, "10.1.0.1", 4 * MIB)
        send_to_guest(guest, fabric.pod, "10.1.0.1", 4 * MIB)
        assert_checksums_are_good(guest, fabric.pod)
    finally:
        fabric.pod.run("ethtool", "-K", "net1", "tx", "on", "tso", "on", "gro", "on", check=False)


@pytest.mark.parametrize("address", ["10.1.0.1", "fd00::1"])
def test_tcp_between_a_pod_and_a_guest_without_offloads(fabric, address):
    """Super-segments of the pod are cut for the guest, and their checksums finished; its own frames are whole as they come."""
    guest, before, before_pod = fabric.guests["g3"], fabric.traffic("g3"), fabric.traffic("pod")
    assert fabric.state("g3")["features"] & 0b11 == 0, "VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM"
    send_to_guest(guest, fabric.pod, address, 4 * MIB)
    assert mean_size(fabric.traffic("g3"), before, "tx") < 1515 < mean_size(fabric.traffic("pod"), before_pod, "rx")
    send_to_pod(guest, fabric.pod, address, 4 * MIB)
    assert mean_size(fabric.traffic("g3"), before, "rx") < 1515
    assert_checksums_are_good(guest, fabric.pod)


@pytest.mark.parametrize("server, client, address", [("g2", "g1", "10.1.0.22"), ("g2", "g1", "fd00::22"), ("g1", "g3", "10.1.0.21")])
def test_tcp_between_guests(fabric, server, client, address):
    before = fabric.traffic(server)
    fabric.guests[server].run("iperf3 -s -1 -D >/dev/null 2>&1")
    report = fabric.guests[client].run(f"iperf3 -c {address} -n 16M --connect-timeout 5000 -f m", timeout=60).text
    # iperf3 ends when the client has handed over its last byte; what both ends' socket buffers then hold (tcp_wmem and
    # tcp_rmem: 4 and 6 MiB) it does not count.
    assert float(re.search(r"([\d.]+) MBytes .* receiver", report)[1]) >= 16 - 4 - 6
    assert (mean_size(fabric.traffic(server), before, "tx") > 1600) == (client != "g3"), "super-segments"
    assert bad_checksums_of_guest(fabric.guests[server]) == bad_checksums_of_guest(fabric.guests[client]) == 0


def test_tcp_between_guests_is_three_times_as_fast_with_offloads(fabric):
    """Beside each other two pairs of guests that differ in one thing: what their ports offer."""
    pairs = {"with": (["csum", "tso4", "tso6"], "10.1.0.31", "10.1.0.32"), "without": ([], "10.1.0.33", "10.1.0.34")}
    with contextlib.ExitStack() as stack:
        guests = {}
        for label, (offloads, *addresses) in pairs.items():
            for address in addresses:
                name = f"h{address[-2:]}"
                path = fabric.switch.folder / f"vhost/{name}.sock"
                fabric.control.call("port.add", name=name, type="vhost-user", path=str(path), segment="blue", offloads=offloads)
                stack.callback(fabric.control.call, "port.remove", name=name)
                guests[address] = stack.enter_context(
                    Guest(path, fabric.images, mac=f"52:54:00:00:01:{address[-2:]}", ip=[f"{address}/24"]))

        def rate(label):
            _, client, server = pairs[label]
            guests[server].run("iperf3 -s -1 -D >/dev/null 2>&1")
            # Long writes: under emulation a system call costs as much as to copy kilobytes.
            report = guests[client].run(f"iperf3 -c {server} -t 1 -l 1M -f m --connect-timeout 5000", timeout=60).text
            return float(re.search(r"([\d.]+) Mbits/sec .*receiver", report)[1])

        def cost_of_none():
            """Of the rate without offloads to that with; the two of a pair run one after the other, and meet the same machine."""
            rates = [(rate("with"), rate("without")) for _ in range(5)]
            print("Mbit/s with and without:", rates)
            return statistics.median(have_not / have for have, have_not in rates)

        assert best_of_three(cost_of_none, 1 / 3) <= 1 / 3


def test_a_guest_tags_its_super_segments(fabric):
    """A trunk into the guest, whose own kernel makes the VLAN's interface."""
    guest = fabric.guests["g1"]
    fabric.control.call("port.set", name="g1", vlans=[{"vlan": 10, "segment": "red"}])
    guest.run("ip link add link eth0 name eth0.10 type vlan id 10; ip address add 10.2.0.21/24 dev eth0.10; ip link set eth0.10 up")
    fabric.stranger.ip("address", "add", "10.2.0.2/24", "dev", "net1")
    try:
        assert answered(guest, "10.2.0.2")
        send_to_pod(guest, fabric.stranger, "10.2.0.2")
        send_to_guest(guest, fabric.stranger, "10.2.0.2")
        assert_checksums_are_good(guest, fabric.stranger)
    finally:
        fabric.control.call("port.set", name="g1", vlans=[])
        fabric.stranger.ip("address", "del", "10.2.0.2/24", "dev", "net1")
        guest.run("ip link del eth0.10")


@pytest.mark.parametrize("packed, mergeable", [(True, True), (True, False), (False, False)])
def test_a_guest_with_other_rings(fabric, packed, mergeable):
    """Four queue pairs, of packed or split rings, whose buffers hold a frame each or are joined."""
    path = fabric.switch.folder / "vhost/g4.sock"
    fabric.control.call("port.add", name="g4", type="vhost-user", path=str(path), segment="blue", queues=4, packed=packed)
    try:
        with Guest(path, fabric.images, mac="52:54:00:00:00:04", ip=["10.1.0.24/24", "fd00::24/64"], queues=4, packed=packed,
                   mergeable=mergeable) as guest:
            state = fabric.state("g4")
            assert state["queues_enabled"] == 4
            assert (state["features"] >> 34 & 1, state["features"] >> 15 & 1) == (packed, mergeable)
            assert answered(guest, "10.1.0.1") and answered(guest, "fd00::21")
            send_to_pod(guest, fabric.pod, "10.1.0.1")
            send_to_guest(guest, fabric.pod, "fd00::1")
            assert_checksums_are_good(guest, fabric.pod)
    finally:
        fabric.control.call("port.remove", name="g4")


def test_packed_rings_are_offered_on_request_only_and_the_mtu_is_told(fabric):
    path = fabric.switch.folder / "vhost/g5.sock"
    fabric.control.call("port.add", name="g5", type="vhost-user", path=str(path), segment="blue")
    try:
        with Guest(path, fabric.images, mac="52:54:00:00:00:05", ip=["10.1.0.25/24"], packed=True, host_mtu=1400) as guest:
            assert answered(guest, "10.1.0.1")
            assert fabric.state("g5")["details"]["guest_mtu"] == guest.run("cat /sys/class/net/eth0/mtu").text.strip() == "1400"
            assert fabric.state("g5")["features"] >> 34 & 1 == 0
    finally:
        fabric.control.call("port.remove", name="g5")


def test_offloads_are_taken_from_a_running_guest(fabric):
    """From then on software finishes for it. It goes by what it was offered, and QEMU by what its guest goes by: it hangs up
    on a switch that has started again and offers less, until that offers all of it."""
    guest = fabric.guests["g2"]
    fabric.control.call("port.set", name="g2", offloads=[])
    before = fabric.traffic("g2")
    send_to_guest(guest, fabric.pod, "10.1.0.1", 4 * MIB)
    assert mean_size(fabric.traffic("g2"), before, "tx") < 1515
    send_to_pod(guest, fabric.pod, "10.1.0.1", 4 * MIB)
    fabric.restart("killed")
    assert fabric.state("g2")["features"] >> 11 & 1, "VIRTIO_NET_F_HOST_TSO4"
    send_to_pod(guest, fabric.pod, "10.1.0.1", 4 * MIB)
    assert_checksums_are_good(guest, fabric.pod)
    guest.close()
    fabric.boot("g2")
    assert fabric.state("g2")["features"] & 0b11 == 0, "a new one"
    fabric.control.call("port.set", name="g2", offloads=None)
    fabric.guests["g2"].close()
    fabric.boot("g2")
    assert fabric.state("g2")["features"] & 0b11 == 0b11


def test_each_virtqueue_has_its_counts(fabric):
    rings = fabric.state("g1")["virtqueues"]
    assert [(ring["index"], ring["direction"], ring["enabled"], ring["size"]) for ring in rings] == [
        (0, "to_guest", True, 256), (1, "from_guest", True, 256), (2, "to_guest", True, 256), (3, "from_guest", True, 256)]
    fabric.guests["g1"].run("ping -c 3 -A -w 5 10.1.0.1")
    moved = [after["packets"] - ring["packets"] for after, ring in zip(fabric.state("g1")["virtqueues"], rings)]
    assert moved[0] + moved[2] >= 3 and moved[1] + moved[3] >= 3


def test_a_guest_that_dies_reconnects_when_it_is_back(fabric):
    with fabric.switch.control() as events:
        events.call("events.subscribe", kinds=["guest.connected", "guest.disconnected"])
        fabric.guests["g2"].kill()
        assert events.next_event()["port"] == "g2"
        until(lambda: not fabric.state("g2")["guest_connected"], what="the end of g2")
        assert answered(fabric.guests["g1"], "10.1.0.1"), "one guest's death disturbed another"
        fabric.guests["g2"].close()
        fabric.boot("g2")
        until(lambda: fabric.state("g2")["guest_connected"], what="g2 again")
        assert answered(fabric.guests["g2"], "10.1.0.1") and answered(fabric.guests["g2"], "10.1.0.21")


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_guests_survive_the_switch(fabric, ending):
    """Whichever side makes the socket: QEMU and the switch both look for each other again."""
    fabric.switch.assert_books_balance()
    fabric.restart(ending)
    for guest in fabric.guests.values():
        assert answered(guest, "10.1.0.1") and answered(guest, "fd00::1")
    assert answered(fabric.guests["g1"], "10.1.0.23")
