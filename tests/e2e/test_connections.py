# SPDX-License-Identifier: Apache-2.0
"""connection.list and connection.flush, with kernels at both ends."""
import contextlib
import json
import socket
import struct
import subprocess

import pytest
from lib.control import Refused
from lib.daemon import BUILD
from lib.frames import ethernet
from lib.netns import pod
from lib.wait import until

PARAMS, NOT_FOUND = -32602, -32001
MACS = {name: f"02:00:00:00:00:0{at}" for at, name in enumerate("abc", 1)}
ADDRESSES = {name: f"10.1.0.{at}" for at, name in enumerate("abc", 1)}


@pytest.fixture
def pods(control):
    """a, b and c in blue, which denies all but TCP to port 7000 and UDP to port 53, and what is opened so."""
    control.call("segment.set", name="blue", default_policy="deny")
    for name, protocol, port in (("talk", "tcp", "7000"), ("dns", "udp", "53")):
        control.call("policy.add", segment="blue", name=name, order=1, action="allow", protocol=protocol, dst_ports=[port])
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(pod(control, name, "blue", f"{ADDRESSES[name]}/24", mac=MACS[name], silent=True,
                                             macs=[MACS[name]])) for name in MACS}


class Connected:
    """A TCP connection, and whether words still get through it."""

    def __init__(self, stack, listener, client, address):
        with client.entered():
            self.near = stack.enter_context(socket.create_connection((address, 7000), timeout=5))
        self.far = stack.enter_context(listener.accept()[0])
        self.port = self.near.getsockname()[1]
        self.goes_on()

    def goes_on(self, seconds=5):
        for speaker, hearer in ((self.near, self.far), (self.far, self.near)):
            hearer.settimeout(seconds)
            speaker.sendall(b"word")
            assert hearer.recv(4) == b"word"


@pytest.fixture
def talks(pods):
    """Two connections from a to b, and one from c to b."""
    with contextlib.ExitStack() as stack:
        with pods["b"].entered():
            listener = stack.enter_context(socket.create_server((ADDRESSES["b"], 7000)))
        listener.settimeout(5)
        yield [Connected(stack, listener, pods[name], ADDRESSES["b"]) for name in "aac"]


def tcp(control, **filters):
    return {item["source_port"]: item for item in control.call("connection.list", protocol="tcp", **filters)["items"]}


def denied(control):
    return sum(row["packets"] for row in control.call("drop.list", segment="blue", reason="policy_default")["items"])


def test_the_list_is_what_the_kernels_have(control, talks):
    listed = tcp(control)
    assert set(listed) == {talk.port for talk in talks}
    for talk, name in zip(talks, "aac"):
        item = listed[talk.port]
        assert item.pop("idle_s") <= 3 and item.pop("expires_in_s") > 7400
        assert item == {"segment": "blue", "protocol": "tcp", "source": ADDRESSES[name], "destination": ADDRESSES["b"],
                        "source_port": talk.port, "destination_port": 7000, "icmp_id": None, "icmp_type": None, "state": "established",
                        "port": name, "tunnel": None, "rule": "talk"}
    assert set(tcp(control, port="c")) == {talks[2].port}
    assert set(tcp(control, address=ADDRESSES["a"])) == {talks[0].port, talks[1].port}
    assert len(tcp(control, address="10.1.0.0/24", segment="blue", state="established")) == 3
    assert not tcp(control, segment="red") and not tcp(control, state="syn_sent") and not tcp(control, address="10.9.0.0/16")
    answer = control.call("connection.list")
    assert answer["open"] == 3 and answer["capacity"] == 196_608
    talks[0].near.close()
    talks[0].far.close()
    until(lambda: tcp(control, state="time_wait"), what="the end of one")
    control.call("segment.set", name="blue", mtu=1400)
    assert tcp(control)[talks[1].port]["rule"] == "talk", "nothing about its rules has changed"


def test_a_flush_ends_just_what_it_means(control, talks, switch):
    assert control.call("connection.flush", address="10.9.0.1") == {"removed": 0}
    assert control.call("connection.flush", port="b") == {"removed": 0}, "b has opened none"
    for talk in talks:
        talk.goes_on()
    before = denied(control)
    assert control.call("connection.flush", port="c") == {"removed": 1}
    talks[2].near.sendall(b"lost")
    until(lambda: denied(control) > before, what="its next segment to be dropped")
    talks[2].far.settimeout(0)
    with pytest.raises(BlockingIOError):
        talks[2].far.recv(4)
    talks[2].far.sendall(b"lost")  # nor the other way
    until(lambda: control.call("drop.list", port="b", reason="policy_default")["items"], what="the answer to be dropped")
    for talk in talks[:2]:
        talk.goes_on()
    assert set(tcp(control)) == {talk.port for talk in talks[:2]}
    assert control.call("connection.flush") == {"removed": 2}
    assert tcp(control) == {} and control.call("connection.list")["open"] == 0
    assert [line["object"] for line in switch.audit() if line["method"] == "connection.flush"][-1] == "all connections"


def datagram(number):
    udp = struct.pack("!HHHH", 1024 + number, 53, 12, 0) + b"ask?"
    source, destination = (socket.inet_aton(ADDRESSES[name]) for name in "ab")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, destination)
    return ethernet(ip + udp, MACS["a"], MACS["b"], ethertype=0x0800)


def test_pages_list_each_once(control, pods):
    many = 2500
    with pods["a"].wire() as wire:
        for number in range(many):
            wire.send(datagram(number))
            if number % 100 == 99:
                until(lambda: control.call("connection.list", limit=1)["open"] > number, what="the switch to see them")
    for limit in (1000, 333):
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            answer = control.call("connection.list", protocol="udp", limit=limit, **({"cursor": cursor} if cursor else {}))
            assert len(answer["items"]) <= limit
            seen += [item["source_port"] for item in answer["items"]]
            cursor, pages = answer["cursor"], pages + 1
        assert sorted(seen) == list(range(1024, 1024 + many)) and pages == -(-many // limit)
    assert control.call("connection.flush", protocol="udp", address=ADDRESSES["b"], state="fresh") == {"removed": many}


def test_bad_filters_name_what_is_wrong(control, talks):
    for field, bad, code in (("segment", "none", NOT_FOUND), ("port", "none", NOT_FOUND), ("address", "10.1.0", PARAMS),
                             ("address", "10.1.0.1/33", PARAMS), ("protocol", "tpc", PARAMS), ("state", "open", PARAMS),
                             ("cursor", "x", PARAMS), ("segment", 1, PARAMS), ("stat", "open", PARAMS)):
        for method in ("connection.list", "connection.flush"):
            with pytest.raises(Refused) as refusal:
                control.call(method, **{field: bad})
            assert refusal.value.code == (PARAMS if (field, method) == ("cursor", "connection.flush") else code)
            assert refusal.value.field == f"/{field}" and refusal.value.message
    for talk in talks:
        talk.goes_on()


def test_the_command_line_shows_a_table(switch, talks):
    said = subprocess.run([BUILD / "bulkheadctl", "--socket", switch.socket, "connection", "list", "--port", "c"], capture_output=True,
                          text=True, timeout=20)
    assert said.returncode == 0, said.stderr
    title, line = said.stdout.splitlines()
    assert title.split() == "SEGMENT PROTOCOL SOURCE DESTINATION STATE IDLE S ENDS IN S PORT TUNNEL RULE".split()
    assert line.split()[:5] == ["blue", "tcp", f"{ADDRESSES['c']}:{talks[2].port}", f"{ADDRESSES['b']}:7000", "established"]
    done = subprocess.run([BUILD / "bulkheadctl", "--socket", switch.socket, "--json", "connection", "flush", "--port", "c"],
                          capture_output=True, text=True, timeout=20)
    assert json.loads(done.stdout) == {"removed": 1}
