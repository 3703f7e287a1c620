# SPDX-License-Identifier: Apache-2.0
"""Copies for observers: exactly those that a mirror is about, to nobody else, and never at the expense of what is copied."""
import contextlib
import struct

import pytest
from lib.cable import Cable
from lib.control import Refused
from lib.daemon import running
from lib.frames import BROADCAST, ethernet
from lib.netns import Namespace, pod
from lib.overlay import FAMILIES, plugged_into, tunnel
from lib.peers.kernel import KernelPeer
from lib.stream import Stream
from lib.tcp import MIB, transfer
from lib.user import control_as
from lib.wait import until

A, B, C, D = (f"02:00:00:00:00:0{digit}" for digit in "abcd")
NOT_FOUND, DENIED, IN_USE = -32001, -32006, -32004
END = b"this is the end"


@contextlib.contextmanager
def scene(control, observer="ids", segment=None):
    """Silent pods a, b and c in blue, an observer, and a wire to each."""
    with contextlib.ExitStack() as stack:
        pods = {name: stack.enter_context(pod(control, name, "blue", mac=mac, silent=True, macs=[mac])) for name, mac in (("a", A), ("b", B), ("c", C))}
        pods[observer] = stack.enter_context(pod(control, observer, segment, mac=D, silent=True))
        # Mirrors go before their ports.
        stack.callback(lambda: [control.call("mirror.remove", name=mirror["name"]) for mirror in control.call("mirror.list")["items"]])
        yield pods, {name: stack.enter_context(space.wire()) for name, space in pods.items()}


def numbered(number, source, destination):
    return ethernet(b"frame %d" % number, source, destination)


def end(source, destination):
    return ethernet(END, source, destination)


def state(control, name="m"):
    return control.call("mirror.get", name=name)["state"]


def copied(control, count, name="m"):
    until(lambda: state(control, name)["packets"] >= count, what=f"{count} copies")
    assert state(control, name)["packets"] == count and not any(state(control, name)["drops"].values())


@pytest.mark.parametrize("direction", ["in", "out", "both"])
def test_a_port_is_mirrored_in_the_direction_that_is_asked_for(control, direction):
    with scene(control) as (_, wires):
        control.call("mirror.add", name="m", port="a", to="ids", direction=direction)
        sent = [numbered(1, A, B), numbered(2, A, BROADCAST)]
        got = [numbered(3, B, A), numbered(4, B, BROADCAST)]
        for frame in sent:
            wires["a"].send(frame)
        for frame in [*got, numbered(5, B, C)]:
            wires["b"].send(frame)
        for wire, source, destination in (("a", A, B), ("b", B, A), ("b", B, C)):
            wires[wire].send(end(source, destination))
        assert wires["a"].receive_before(END) == got
        assert wires["b"].receive_before(END) == sent
        # Third parties hear what is theirs, and no copy.
        assert wires["c"].receive_before(END) == [numbered(2, A, BROADCAST), numbered(4, B, BROADCAST), numbered(5, B, C)]
        expected = (sent + [end(A, B)] if direction != "out" else []) + (got + [end(B, A)] if direction != "in" else [])
        copied(control, len(expected))
        assert sorted(wires["ids"].receive(0)) == sorted(expected)


def test_a_segment_is_mirrored_frame_by_frame(control):
    with scene(control) as (_, wires), pod(control, "d", "red", mac=D, silent=True) as other, other.wire() as stranger:
        control.call("mirror.add", name="m", segment="blue", to="ids")
        frames = [numbered(1, A, B), numbered(2, A, BROADCAST), end(A, B)]
        stranger.send(numbered(3, D, BROADCAST))
        for frame in frames:
            wires["a"].send(frame)
        assert wires["b"].receive_before(END) == frames[:-1]
        copied(control, 3)
        assert wires["ids"].receive(0) == frames


def test_a_copy_is_cut_off_and_the_frame_is_not(control):
    with scene(control) as (_, wires):
        control.call("mirror.add", name="m", port="a", to="ids", snaplen=64)
        long = ethernet(bytes(range(256)) * 4, A, B)
        for frame in (long, end(A, B)):
            wires["a"].send(frame)
        assert wires["b"].receive_before(END) == [long]
        copied(control, 2)
        assert wires["ids"].receive(0) == [long[:64], end(A, B)]
        assert state(control)["bytes"] == 64 + 60


def stream_of(frames, source, destination):
    """The bytes that TCP segments from one MAC to another carry, put together by their sequence numbers."""
    parts, first = {}, None
    for frame in frames:
        if frame[:12] != bytes.fromhex((destination + source).replace(":", "")) or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        total, = struct.unpack_from("!H", frame, 16)
        sequence, = struct.unpack_from("!I", frame, 38)
        header = 34 + (frame[46] >> 4) * 4
        if frame[47] & 2:
            first = sequence + 1
        elif total + 14 > header:
            parts[sequence] = frame[header:14 + total]
    data = b""
    for sequence, part in sorted(parts.items(), key=lambda item: (item[0] - first) % (1 << 32)):
        at = (sequence - first) % (1 << 32)
        assert at <= len(data), f"a segment at {len(data)} was not copied"
        data = data[:at] + part
    return data


def test_a_rule_that_mirrors_copies_every_segment_of_an_open_connection(control):
    control.call("segment.set", name="blue", default_policy="deny")
    with contextlib.ExitStack() as stack:
        a, b = (stack.enter_context(pod(control, name, "blue", address, mac=mac)) for name, mac, address in
                (("a", A, "10.1.0.1/24"), ("b", B, "10.1.0.2/24")))
        ids = stack.enter_context(pod(control, "ids", "blue", mac=D, silent=True))
        stack.callback(lambda: [control.call("policy.remove", segment="blue", name=name) for name in ("allow", "copy")])
        control.call("policy.add", segment="blue", name="allow", order=1, action="allow", protocol="tcp")
        # In the segment itself, and behind the rule that decides: still it sees both directions of what is open.
        control.call("policy.add", segment="blue", name="copy", order=2, action="mirror", to_port="ids", protocol="tcp")
        with ids.wire() as wire:
            transfer(a, b, "10.1.0.2", MIB)
            # The observer is in the segment, and hears what is for everybody, too.
            seen = wire.receive(0, wanted=lambda frame: frame[12:14] == b"\x08\x00")
        there, back = stream_of(seen, A, B), stream_of(seen, B, A)
        assert (len(there), len(back)) == (MIB, 0)
        assert any(frame[6:12] == bytes.fromhex(B.replace(":", "")) for frame in seen), "no acknowledgment"
        rule = control.call("policy.get", segment="blue", name="copy")["state"]
        assert rule["packets"] >= len(seen) > 0 and not any(rule["drops"].values())


def test_what_a_rule_decides_is_mirrored_denied_frames_too(control):
    with scene(control) as (_, wires):
        control.call("policy.add", segment="blue", name="no", order=1, action="deny", ethertype="0x1234")
        control.call("mirror.add", name="m", segment="blue", policy="no", to="ids")
        denied = ethernet(b"denied", A, B, ethertype=0x1234)
        for frame in (denied, numbered(1, A, B), end(A, B)):
            wires["a"].send(frame)
        assert wires["b"].receive_before(END) == [numbered(1, A, B)]
        copied(control, 1)
        assert wires["ids"].receive(0) == [denied]
        with pytest.raises(Refused) as refusal:
            control.call("policy.remove", segment="blue", name="no")
        assert refusal.value.code == IN_USE and '"m"' in refusal.value.message


def test_copies_go_through_a_tunnel_under_a_vni_of_their_own(control):
    family = FAMILIES["ipv4"]
    with KernelPeer() as kernel, Cable(kernel) as cable, plugged_into(control, cable, kernel, family), \
            tunnel(control, "kernel", "vxlan", family.peer, ["blue"]), \
            kernel.station(9001, family.peer, family.switch, silent=True) as observer, \
            kernel.station(100, family.peer, family.switch, silent=True) as member, \
            scene(control) as (_, wires), observer.wire() as copies, member.wire() as behind:
        for vni, word in ((None, "missing"), (100, "blue")):
            with pytest.raises(Refused) as refusal:
                control.call("mirror.add", name="m", segment="blue", to="kernel", **({"vni": vni} if vni else {}))
            assert refusal.value.data["field"] == "/vni" and word in refusal.value.message
        control.call("mirror.add", name="m", port="a", to="kernel", vni=9001)
        wires["a"].send(numbered(0, A, BROADCAST))  # until the next hop is known copies are lost
        until(lambda: control.call("tunnel.get", name="kernel")["state"]["resolved"], what="the next hop")
        before = state(control)["packets"]
        copies.receive(0.1, count=before)
        large = ethernet(bytes(1400), A, B)
        frames = [numbered(1, A, B), large, end(A, B)]
        for frame in frames:
            wires["a"].send(frame)
        assert wires["b"].receive_before(END)[-2:] == frames[:-1]
        until(lambda: state(control)["packets"] == before + 3, what="three copies")
        assert copies.receive(5, wanted=lambda frame: b"frame 0" not in frame, count=3) == frames
        # The segment's own traffic in the same tunnel has no copy in it.
        assert all(b"frame 0" in frame for frame in behind.receive(0))
        with pytest.raises(Refused) as refusal:
            control.call("tunnel.remove", name="kernel")
        assert refusal.value.code == IN_USE


def test_what_a_mirror_names_stays(control):
    with scene(control):
        control.call("mirror.add", name="m", port="a", to="ids")
        for method, name in (("port.remove", "a"), ("port.remove", "ids")):
            with pytest.raises(Refused) as refusal:
                control.call(method, name=name)
            assert refusal.value.code == IN_USE and 'mirror "m"' in refusal.value.message
        assert control.call("mirror.add", name="m", port="a", to="ids")["changed"] is False
        control.call("mirror.set", name="m", port=None, segment="red")
        control.call("port.set", name="a", group="")
        with pytest.raises(Refused) as refusal:
            control.call("segment.remove", name="red")
        assert refusal.value.code == IN_USE
        control.call("segment.remove", name="red", force=True)
        assert control.call("mirror.list")["items"] == []


def test_mirrors_change_while_frames_pass(control):
    with scene(control) as (pods, _):
        with Stream(pods["a"], pods["b"], A, B) as stream:
            for change in range(20):
                heard = len(stream.received)
                until(lambda: len(stream.received) > heard + 20, what="frames")
                if change % 2 == 0:
                    control.call("mirror.add", name="m", segment="blue", to="ids", **({"snaplen": 32} if change % 4 else {}))
                else:
                    assert state(control)["packets"] > 0
                    control.call("mirror.remove", name="m")
            stream.finish()
            assert stream.missing == [] and len(stream.received) == stream.sent


def test_an_observer_who_takes_nothing_costs_nobody_a_frame(control, switch):
    with scene(control) as (pods, _):
        control.call("port.add", name="gone", type="vhost-user", path=str(switch.folder / "vhost" / "gone"))
        control.call("mirror.add", name="m", segment="blue", to="gone")
        with Stream(pods["a"], pods["b"], A, B, rate=5000) as stream:
            until(lambda: len(stream.received) > 5000, seconds=20, what="frames")
            stream.finish()
            assert stream.missing == []
        counted = state(control)
        assert counted["packets"] == 0 and counted["drops"]["mirror_full"] >= stream.sent
        assert {row["port"] for row in control.call("drop.list")["items"]} & {"gone"} == set(), "copies are in no one's drops"
        control.call("mirror.remove", name="m")
        control.call("port.remove", name="gone")


def test_mirrors_outlive_a_restart_and_wait_for_their_ports():
    with running() as switch, contextlib.ExitStack() as stack:
        with switch.control() as control:
            control.call("segment.add", name="blue", vni=100)
            spaces = {name: stack.enter_context(Namespace(name)) for name in ("a", "b", "ids")}
            for name, mac in (("a", A), ("b", B), ("ids", D)):
                spaces[name].silence()
                control.call("port.add", name=name, type="tap", netns=spaces[name].path, ifname="net1", mac=mac,
                             **({} if name == "ids" else {"segment": "blue", "macs": [mac]}))
            control.call("mirror.add", name="m", port="a", to="ids", owner="watch", direction="in")
            before = control.call("config.get")
            applied = control.call("config.apply", owner="watch", config=control.call("config.get", owner="watch"))
            assert applied["changes"] == []
        assert switch.stop() == 0
        spaces["ids"].__exit__()
        switch.start()
        with switch.control() as control:
            assert control.call("config.get") == before
            waiting = state(control)
            assert waiting["status"] == "waiting" and "ids" in waiting["reason"]
            with spaces["a"].wire() as a, spaces["b"].wire() as b:
                a.send(end(A, B))
                assert b.receive_before(END) == []
            with spaces["ids"]:
                spaces["ids"].silence()
                until(lambda: state(control)["status"] == "active", seconds=15, what="the observer's port")
                with spaces["a"].wire() as a, spaces["ids"].wire() as ids:
                    a.send(end(A, B))
                    assert ids.receive(5, count=1) == [end(A, B)]
            assert control.call("config.apply", owner="watch", config={"version": 1})["changes"] == [
                {"op": "remove", "kind": "mirror", "name": "m"}]


ACME = 64001
ROLES = [{"uid": ACME, "role": "tenant", "tenant": "acme"}]


def test_a_tenant_mirrors_its_own_to_its_own():
    with running(node={"roles": ROLES}) as switch, switch.control() as root:
        switch.folder.chmod(0o711)
        switch.socket.chmod(0o666)
        for name, vni, tenant in (("acme", 100, "acme"), ("zeta", 200, "zeta")):
            root.call("segment.add", name=name, vni=vni, tenant=tenant)
            for number in (1, 2):
                root.call("port.add", name=f"{name}-{number}", type="vhost-user", path=str(switch.folder / "vhost" / f"{name}-{number}"),
                          segment=name)
        root.call("port.add", name="free", type="vhost-user", path=str(switch.folder / "vhost" / "free"))
        root.call("mirror.add", name="root", port="acme-1", to="zeta-1")
        with control_as(switch, ACME, ACME) as acme:
            acme.call("mirror.add", name="mine", port="acme-1", to="acme-2")
            for fields, code, field in (({"port": "zeta-1", "to": "acme-2"}, NOT_FOUND, "/port"),
                                        ({"segment": "zeta", "to": "acme-2"}, NOT_FOUND, "/segment"),
                                        ({"port": "acme-1", "to": "zeta-2"}, NOT_FOUND, "/to"),
                                        ({"port": "acme-1", "to": "free"}, NOT_FOUND, "/to")):
                with pytest.raises(Refused) as refusal:
                    acme.call("mirror.add", name="new", **fields)
                assert (refusal.value.code, refusal.value.data["field"]) == (code, field), fields
            assert [mirror["name"] for mirror in acme.call("mirror.list")["items"]] == ["mine"]
            for method in ("mirror.get", "mirror.remove"):
                with pytest.raises(Refused) as refusal:
                    acme.call(method, name="root")
                assert refusal.value.code == NOT_FOUND
            assert acme.call("mirror.get", name="mine")["owner"] == "acme"
        # Nobody's traffic comes to another tenant behind a mirror's back.
        root.call("mirror.remove", name="root")
        for method, fields in (("port.move", {"name": "acme-2", "segment": "zeta"}), ("segment.set", {"name": "acme", "tenant": "zeta"})):
            with pytest.raises(Refused) as refusal:
                root.call(method, **fields)
            assert refusal.value.code == IN_USE and '"mine"' in refusal.value.message
