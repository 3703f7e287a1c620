# SPDX-License-Identifier: Apache-2.0
"""Changes while frames pass: ports come and go, and not one frame of the others is lost."""
import contextlib

import pytest
from lib.daemon import running
from lib.frames import ethernet, write_pcap
from lib.netns import Namespace, pod
from lib.stream import Stream
from lib.wait import until

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
CHANGES = 200


def churn(switch, control, namespace, changes=CHANGES):
    """That many additions and as many removals, of TAPs in one namespace and of vhost-user clients whose guest is absent,
    in the segment of the traffic and in another. Several live at a time, so that queue plans and tables move."""
    alive = []
    for number in range(changes):
        name, segment = f"churn{number}", ("blue", "red")[number // 2 % 2]
        if number % 2:
            control.call("port.add", name=name, type="vhost-user", path=str(switch.folder / f"vhost/{name}.sock"), segment=segment)
        else:
            control.call("port.add", name=name, type="tap", netns=namespace.path, ifname=f"t{number}", segment=segment, queues=2)
        alive.append(name)
        if len(alive) > 6:
            control.call("port.remove", name=alive.pop(0))
    for name in alive:
        control.call("port.remove", name=name)


def dropped(control, *ports):
    return [row for port in ports for row in control.call("drop.list", port=port)["items"]]


@pytest.fixture
def churning():
    with Namespace("churn") as namespace:
        namespace.silence()
        yield namespace


def test_pods_lose_no_frame_while_200_ports_come_and_go(switch, control, churning):
    with pod(control, "a", "blue", mac=A, silent=True, macs=[A]) as a, pod(control, "b", "blue", mac=B, silent=True, macs=[B]) as b:
        before = control.call("system.get")["generation"]
        with Stream(a, b, A, B) as stream:
            until(lambda: len(stream.received) > 100, what="the stream")
            churn(switch, control, churning)
            stream.finish()
        print(f"{stream.sent} frames during {control.call('system.get')['generation'] - before} changes")
        assert stream.missing == []
        assert stream.received == sorted(set(stream.received)), "a frame came twice or out of order"
        assert dropped(control, "a", "b") == []
        assert control.call("system.get")["generation"] - before == 2 * CHANGES
        assert [port["name"] for port in control.call("port.list")["items"]] == ["a", "b"]


@pytest.mark.parametrize("cores", ["1", "0,1"])
def test_a_busy_worker_loses_no_frame_while_ports_come_and_go(cores, churning):
    """As fast as the switch goes: a file replayed from memory into a port that counts and forgets."""
    with running(node={"cores": cores}) as switch, switch.control() as control:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        frames = switch.folder / "frames.pcap"
        write_pcap(frames, [ethernet(b"x" * size, A, B) for size in range(46, 110)])
        control.call("port.add", name="sink", type="ethdev", devargs="net_null0,no-rx=1", segment="blue", macs=[B])
        control.call("port.add", name="source", type="ethdev", devargs=f"net_pcap0,rx_pcap={frames},infinite_rx=1",
                     segment="blue", macs=[A])
        churn(switch, control, churning, CHANGES // 4)
        control.call("port.set", name="source", segment="red")
        stats = {segment["name"]: segment for segment in control.call("stats.get")["segments"]}["blue"]
        print(f"{stats['rx_packets']} frames")
        assert stats["rx_packets"] == stats["tx_packets"] > 100_000
        assert stats["rx_bytes"] == stats["tx_bytes"]
        assert not any(stats["drops"].values()), stats["drops"]
        assert dropped(control, "sink") == []
        control.call("port.remove", name="source")


def test_changing_a_port_leaves_the_others_alone(switch, control):
    """Trunk VLANs, MTUs of another segment, isolation of a neighbour, static addresses: all while frames pass."""
    with contextlib.ExitStack() as stack:
        a, b, _ = [stack.enter_context(pod(control, name, "blue", mac=mac, macs=[mac], silent=True))
                   for name, mac in (("a", A), ("b", B), ("c", "02:00:00:00:00:0c"))]
        stream = stack.enter_context(Stream(a, b, A, B))
        until(lambda: len(stream.received) > 100, what="the stream")
        for number in range(20):
            control.call("port.set", name="c", isolated=number % 2 == 0, vlans=[{"vlan": 100 + number, "segment": "red"}])
            control.call("segment.set", name="red", mtu=1400 + number)
            control.call("fdb.add", segment="blue", mac=f"02:00:00:00:01:{number:02x}", port="c")
            control.call("fdb.flush")
        stream.finish()
        assert stream.missing == []
        assert dropped(control, "a", "b") == []
