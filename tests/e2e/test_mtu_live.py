# SPDX-License-Identifier: Apache-2.0
"""The MTU of a segment changes under traffic: no port is opened anew, and one that can't be costs nobody a frame."""
import contextlib
import json

import pytest
from lib.cable import veth_port
from lib.control import Refused
from lib.netns import pod
from lib.stream import Stream
from lib.wait import until

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
PORT_EVENTS = ["port.up", "port.down", "port.opened", "port.waiting", "port.closed", "guest.connected", "guest.disconnected"]


@contextlib.contextmanager
def stream_beside_a_nic(control):
    with contextlib.ExitStack() as stack:
        a, b = [stack.enter_context(pod(control, name, "blue", mac=mac, macs=[mac], silent=True)) for name, mac in (("a", A), ("b", B))]
        stack.enter_context(veth_port(control, "nic", "blue", silent=True))
        control.call("events.subscribe")
        stream = stack.enter_context(Stream(a, b, A, B))
        until(lambda: len(stream.received) > 100, what="the stream")
        yield a, stream


def expect_no_harm(control, stream):
    more = len(stream.received) + 200
    until(lambda: len(stream.received) > more, what="the stream after the change")
    stream.finish()
    assert stream.missing == []
    assert [row for port in ("a", "b") for row in control.call("drop.list", port=port)["items"]] == []
    assert [event for event in control.events if event["kind"] in PORT_EVENTS] == []


def test_a_smaller_mtu_reopens_no_port(control):
    with stream_beside_a_nic(control) as (a, stream):
        for mtu in (1400, 1500, 1400):
            control.call("segment.set", name="blue", mtu=mtu)
        assert json.loads(a.ip("-j", "link", "show", "net1").stdout)[0]["mtu"] == 1400
        assert control.call("port.get", name="nic")["state"]["details"]["mtu"] == "1400"
        expect_no_harm(control, stream)


def test_an_mtu_that_one_port_does_not_take_touches_none(control):
    with stream_beside_a_nic(control) as (a, stream):
        with pytest.raises(Refused) as refused:
            control.call("segment.set", name="blue", mtu=9000)
        assert refused.value.field == "/mtu" and 'port "nic"' in refused.value.message
        assert refused.value.data["got"] == "9000" and refused.value.data["allowed"] == "46 to 1500"
        assert json.loads(a.ip("-j", "link", "show", "net1").stdout)[0]["mtu"] == 1500
        expect_no_harm(control, stream)
