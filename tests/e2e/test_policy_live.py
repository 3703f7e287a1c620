# SPDX-License-Identifier: Apache-2.0
"""A thousand rules change while frames pass: each frame is judged by the old ones or by the new ones, never by some of both.

There are flows of four kinds. What becomes of those of the first two does not depend on which set is in force, but each set says it
at another place, and the opposite behind it: with some rules of the one set and some of the other, the opposite would come first.
"""
import contextlib
import struct

from lib.daemon import running
from lib.frames import ethernet, write_pcap
from lib.netns import pod
from lib.stream import Stream
from lib.wait import until

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
FLOWS = 498
KINDS = NEVER, ALWAYS, IN_FIRST, IN_SECOND = range(4)
FIRST_PORT = 10_000
CHANGES = 20


def kind_of(flow):
    """Of two neighbours one passes. The last two flows are those of which one passes by one set, and the other by the other."""
    return flow % 2 if flow < FLOWS else flow % 2 + 2


def passes(kind, is_second):
    return kind in (ALWAYS, IN_SECOND if is_second else IN_FIRST)


def rule_set(is_second):
    """A thousand rules, two for each flow: what decides, and its opposite further behind."""
    rules = []
    for flow in range(FLOWS + 2):
        decides = passes(kind_of(flow), is_second)
        for behind in (False, True):
            rules.append({"segment": "blue", "name": f"flow{flow}-{int(behind)}", "order": 1000 * (2 * is_second + behind) + flow,
                          "action": "allow" if decides != behind else "deny", "protocol": "udp", "stateful": flow % 4 < 2,
                          "dst_ports": [str(FIRST_PORT + flow)]})
    return rules


def put_in_force(control, is_second):
    return control.call("config.apply", owner="firewall", config={"version": 1, "policies": rule_set(is_second)})


def datagram(flow, payload=b""):
    udp = struct.pack("!HHHH", 4000, FIRST_PORT + flow, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    return ethernet(ip + udp, A, B, ethertype=0x0800)


class Datagrams(Stream):
    """Numbered ones, of one kind after the other."""

    def frame_of(self, number):
        kind = number % len(KINDS)
        flow = FLOWS + kind - 2 if kind > 1 else number // len(KINDS) * 2 % FLOWS + kind
        return datagram(flow, b"numbered" + struct.pack("!Q", number))

    def number_of(self, frame):
        return struct.unpack_from("!Q", frame, 50)[0] if frame[42:50] == b"numbered" else None


def drops_of(control, port):
    return {row["reason"]: row["packets"] for row in control.call("drop.list", port=port)["items"]}


def test_a_numbered_stream_meets_the_old_rules_or_the_new(control):
    control.call("segment.set", name="blue", default_policy="deny")
    put_in_force(control, is_second=False)
    with contextlib.ExitStack() as stack:
        a, b = (stack.enter_context(pod(control, name, "blue", mac=mac, silent=True, macs=[mac])) for name, mac in (("a", A), ("b", B)))
        stream = stack.enter_context(Datagrams(a, b, A, B, rate=4000))
        for change in range(CHANGES):
            heard = len(stream.received)
            until(lambda: len(stream.received) > heard + 100, what="frames by the set in force")
            put_in_force(control, is_second=change % 2 == 0)
        stream.finish()
        by_kind = {kind: [number for number in stream.received if number % 4 == kind] for kind in KINDS}
        assert stream.received == sorted(set(stream.received)), "a frame came twice or out of order"
        assert by_kind[NEVER] == []
        assert by_kind[ALWAYS] == list(range(ALWAYS, stream.sent, 4)), "frames that both sets let pass are missing"
        # Of two neighbours one passes; only where the one was judged by the old and the other by the new set, both or none.
        neighbours = [(number in by_kind[IN_FIRST]) + (number + 1 in by_kind[IN_SECOND])
                      for number in range(IN_FIRST, stream.sent - 1, 4)]
        assert sum(count != 1 for count in neighbours) <= CHANGES
        assert len(by_kind[IN_FIRST]) > CHANGES and len(by_kind[IN_SECOND]) > CHANGES, "one of the sets was never in force"
        assert set(drops_of(control, "a")) == {"policy_denied"}, "the default decided: there was a moment without a rule"


def test_a_busy_worker_judges_no_frame_by_a_mixture():
    """As fast as the switch goes: a file replayed from memory, of which two frames of three pass, whichever set is in force."""
    with running() as switch, switch.control() as control:
        for name, vni in (("blue", 100), ("red", 200)):
            control.call("segment.add", name=name, vni=vni)
        control.call("segment.set", name="blue", default_policy="deny")
        put_in_force(control, is_second=False)
        frames = switch.folder / "frames.pcap"
        write_pcap(frames, [datagram(flow + kind) for flow in range(0, FLOWS, 2) for kind in (NEVER, ALWAYS, ALWAYS)])
        control.call("port.add", name="sink", type="ethdev", devargs="net_null0,no-rx=1", segment="blue", macs=[B])
        control.call("port.add", name="source", type="ethdev", devargs=f"net_pcap0,rx_pcap={frames},infinite_rx=1", segment="blue", macs=[A])
        for change in range(CHANGES):
            put_in_force(control, is_second=change % 2 == 0)
        control.call("port.set", name="source", segment="red")
        stats = {segment["name"]: segment for segment in control.call("stats.get")["segments"]}["blue"]
        passed, denied = stats["tx_packets"], stats["drops"]["policy_denied"]
        print(f"{passed} frames passed, {denied} were denied")
        assert passed > 100_000
        assert 2 * denied - 2 <= passed <= 2 * denied, "frames ended otherwise than by either set"
        assert {reason for reason, count in stats["drops"].items() if count} == {"policy_denied"}
        control.call("port.remove", name="source")
