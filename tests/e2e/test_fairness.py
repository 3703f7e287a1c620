# SPDX-License-Identifier: Apache-2.0
"""A worker that can't keep up: who sends more than its share takes nothing from the others. Ports that never run dry share a
worker's time, each as much of it, however many queues it fills (max-min fairness). What is said of one window only, since the
machine may be busy with more. Of frames that cost more than others', see port_turns_test.cpp, with a clock of its own."""
import statistics
import time

from scapy.all import IP, UDP, Ether, Raw, wrpcap

from lib.daemon import running

SINK = "02:00:00:00:00:99"
GREEDY, PORTS = "greedy", ("m0", "m1", "m2", "greedy")
QUEUES = 8  # of the greedy one, each with a full burst at every look
WINDOW_S, WINDOWS = 0.2, 15


def replayed(folder, name, number):
    file = folder / f"{name}.pcap"
    frame = Ether(src=f"02:00:00:00:00:{number:02x}", dst=SINK) / IP(src=f"10.1.0.{number}", dst="10.1.0.99") / UDP(sport=1, dport=2)
    wrpcap(str(file), [frame / Raw(bytes(60 - len(frame)))] * 64)
    return file


def device(name, file, queues=1):
    return {"name": name, "type": "ethdev", "segment": "blue", "queues": queues,
            "devargs": f"net_pcap_{name}," + "".join(f"rx_pcap={file}," for _ in range(queues)) + "infinite_rx=1"}


def received(control):
    return {port: control.call("stats.get", port=port)["ports"][0]["rx_packets"] for port in PORTS}


def test_a_port_with_eight_full_queues_takes_no_ones_share(tmp_path):
    with running(node={"cores": "1", "memory_mib": 512}) as switch, switch.control() as control:
        control.call("segment.add", name="blue", vni=1, mtu=1500)
        control.call("port.add", name="sink", type="ethdev", devargs="net_null0,no-rx=1", segment="blue", macs=[SINK])
        for number, name in enumerate(PORTS, 1):
            control.call("port.add", **device(name, replayed(tmp_path, name, number), QUEUES if name == GREEDY else 1))
        shares = []
        for _ in range(WINDOWS):
            before = received(control)
            time.sleep(WINDOW_S)  # this is a measurement
            after = received(control)
            gained = {port: after[port] - before[port] for port in PORTS}
            fair = sum(gained.values()) / len(PORTS)
            shares.append({port: gained[port] / fair for port in PORTS})
        medians = {port: statistics.median(share[port] for share in shares) for port in PORTS}
        print({port: round(median, 3) for port, median in medians.items()})
        assert all(medians[port] >= 0.9 for port in PORTS), (medians, shares)
        assert not any(row["packets"] for row in control.call("drop.list", segment="blue")["items"])
