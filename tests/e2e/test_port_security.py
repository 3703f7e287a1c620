# SPDX-License-Identifier: Apache-2.0
"""Port security with real frames: the table of lib/stations.py from pods, and what an attacker in a pod would do."""
import collections
import contextlib

import pytest
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import pod
from lib.stations import ATTACHMENTS, PASS, PEER, PORT_SECURITY, TRUNK, VLAN, mac_of
from lib.wait import until
from scapy.all import ARP, IP, UDP, Ether, Raw

VICTIM, GATEWAY, THIEF = "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:01:03"


@pytest.fixture(scope="module")
def control():
    with running() as switch, switch.control() as control:
        control.call("segment.add", name="blue", vni=100)
        yield control


def drops(control, port):
    return collections.Counter({row["reason"]: row["packets"] for row in control.call("drop.list", port=port, limit=1000)["items"]})


def received(control, port):
    return control.call("stats.get", port=port)["ports"][0]["rx_packets"]


def test_every_case_ends_as_the_table_says(control):
    with contextlib.ExitStack() as stack:
        wires = {}
        for number, fields in ATTACHMENTS.items():
            fields = dict(fields)
            where = {"vlans": [{"segment": "blue", **fields}]} if "vlan" in fields else {"segment": "blue", **fields}
            space = stack.enter_context(pod(control, f"p{number}", label=f"p{number}", silent=True, **where))
            wires[number] = stack.enter_context(space.wire())
        for case in PORT_SECURITY:
            before, count = drops(control, f"p{case.sender}"), received(control, f"p{case.sender}")
            wires[case.sender].send(case.frame)
            until(lambda: received(control, f"p{case.sender}") > count, 5, f"{case.name}: the switch to see it")
            tags = {"vlan": VLAN} if case.sender == TRUNK else {}
            # What comes after it tells that it does not come any more.
            end = f"after {case.name}".encode()
            sender = mac_of(case.sender)
            wires[case.sender].send(ethernet(end, sender, mac_of(PEER), **tags))
            came = wires[PEER].receive_before(end)
            dropped = drops(control, f"p{case.sender}") - before
            if case.verdict == PASS:
                assert came == [bytes(case.arrives or case.frame)], case.name
                assert not dropped, case.name
            else:
                assert came == [], case.name
                assert dropped == {case.verdict: 1}, case.name


@contextlib.contextmanager
def street(control, **thief):
    """A victim, its gateway, and somebody between them, each secured as told."""
    with contextlib.ExitStack() as stack:
        spaces = {}
        for number, (name, mac, fields) in enumerate((("victim", VICTIM, {"security": "strict"}), ("gateway", GATEWAY, {"security": "strict"}),
                                                      ("thief", THIEF, thief)), 1):
            own = {"macs": [mac], "ips": [f"10.2.0.{number}/24"], **fields} if fields else {}
            spaces[name] = stack.enter_context(pod(control, name, "blue", f"10.2.0.{number}/24", mac=mac, **own))
        yield spaces


def arp_lie(spaces):
    """The thief says that the gateway's address is its own, to everybody and for long."""
    lie = Ether(src=THIEF, dst="ff:ff:ff:ff:ff:ff") / ARP(op=2, hwsrc=THIEF, psrc="10.2.0.2", hwdst=VICTIM, pdst="10.2.0.1")
    with spaces["thief"].wire() as wire:
        for _ in range(20):
            wire.send(lie)
        wire.send(Ether(src=THIEF, dst=VICTIM) / IP(src="10.2.0.3", dst="10.2.0.1") / UDP(dport=9) / Raw(b"that was all"))


def neighbour_of_victim(spaces):
    return spaces["victim"].ip("neigh", "show", "10.2.0.2").stdout


def test_arp_spoofing_gets_nowhere(control):
    """Without port security the same lie is believed: the test can fail."""
    for thief, believed in (({}, True), ({"security": "mac"}, True), ({"security": "strict"}, False)):
        with street(control, **thief) as spaces:
            spaces["victim"].run("sysctl", "-q", "-w", "net.ipv4.neigh.net1.locktime=0")  # else it believes nobody for a second
            assert spaces["victim"].pings("10.2.0.2")
            assert GATEWAY in neighbour_of_victim(spaces)
            with spaces["victim"].wire() as heard:
                arp_lie(spaces)
                heard.receive_before(b"that was all")
            assert (THIEF in neighbour_of_victim(spaces)) == believed, thief
            assert drops(control, "thief")["spoofed_arp"] == (0 if believed else 20)
            assert believed or spaces["victim"].pings("10.2.0.2")


def test_a_secured_station_is_not_disturbed(control):
    """Real kernels with strict ports: DAD, ARP, ND, IPv4, IPv6 and router solicitations work as if nothing were checked."""
    with contextlib.ExitStack() as stack:
        spaces = []
        for number, mac in ((1, VICTIM), (2, GATEWAY)):
            own = {"macs": [mac], "ips": [f"10.2.0.{number}/24", f"fd00::{number}/64"], "security": "strict", "guards": ["ra", "dhcp"]}
            spaces.append(stack.enter_context(pod(control, f"s{number}", "blue", mac=mac, **own)))
            spaces[-1].run("sysctl", "-q", "-w", "net.ipv6.conf.net1.addr_gen_mode=0")
            for address in (f"10.2.0.{number}/24", f"fd00::{number}/64"):  # IPv6 with DAD
                spaces[-1].ip("address", "add", address, "dev", "net1")
        until(lambda: "tentative" not in spaces[0].ip("address").stdout + spaces[1].ip("address").stdout, 10, "DAD")
        assert "dadfailed" not in spaces[0].ip("address").stdout
        for address in ("10.2.0.2", "fd00::2", "fe80::ff:fe00:102%net1"):
            assert spaces[0].pings(address), address
        reasons = {*drops(control, "s1"), *drops(control, "s2")}
        assert reasons <= {"no_destination"}, "that is what came before the other was there"


def test_security_is_turned_on_while_a_stolen_address_is_in_use(control):
    """What was learned before is forgotten with it."""
    with street(control) as spaces, spaces["thief"].wire() as thief, spaces["victim"].wire() as victim:
        thief.send(ethernet(b"stolen", "02:00:00:00:01:77"))
        victim.receive(5, lambda frame: b"stolen" in frame, count=1)

        def places():
            return {entry["mac"]: entry["port"] for entry in control.call("fdb.list", segment="blue")["items"]}

        until(lambda: places().get("02:00:00:00:01:77") == "thief", 5, "the stolen address to be learned")
        control.call("port.set", name="thief", macs=[THIEF], ips=["10.2.0.3/24"], security="strict")
        assert "02:00:00:00:01:77" not in places()
        thief.send(ethernet(b"stolen again", "02:00:00:00:01:77"))
        until(lambda: drops(control, "thief")["spoofed_mac"] == 1, 5, "the drop")
        assert "02:00:00:00:01:77" not in places()
        assert spaces["thief"].pings("10.2.0.1")
