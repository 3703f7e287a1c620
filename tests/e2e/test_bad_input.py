# SPDX-License-Identifier: Apache-2.0
"""Bad input gets an error that names the field, what was got and what is allowed; and changes nothing."""
import contextlib
import os
from typing import NamedTuple

import pytest

from lib.control import Refused
from lib.daemon import running
from lib.netns import Namespace

PARSE, REQUEST, METHOD, PARAMS = -32700, -32600, -32601, -32602
NOT_FOUND, EXISTS, CONFLICT, IN_USE, DENIED, NOT_READY, NOT_BUILT_IN, DEVICE_FAILED = (
    -32001, -32002, -32003, -32004, -32006, -32007, -32008, -32009)

NAME_63, NAME_64 = "n" * 63, "n" * 64
MAC = "02:00:00:00:00:0a"


class Bad(NamedTuple):
    method: str
    params: dict
    code: int = PARAMS
    field: str | None = None
    got: str | None = None  # part of data.got
    allowed: str | None = None  # part of data.allowed


def segment(**fields):
    return {"name": "new", "vni": 7, **fields}


def vhost(**fields):
    return {"name": "new", "type": "vhost-user", "path": "/run/bh-new.sock", "segment": "blue", **fields}


def tap(**fields):
    return {"name": "new", "type": "tap", "netns": "NETNS", "ifname": "new0", "segment": "blue", **fields}


def ethdev(devargs):
    return {"name": "new", "type": "ethdev", "devargs": devargs}


def entry(**fields):
    return {"segment": "blue", "mac": "02:00:00:00:00:99", "port": "v1", **fields}


def group(**fields):
    return {"segment": "blue", "name": "new", "id": 99, **fields}


def rule(**fields):
    return {"segment": "blue", "name": "new", "order": 100, "action": "allow", **fields}


def mirror(**fields):
    return {"name": "new", "to": "m1", **fields}


def config(**fields):
    return {"config": {"version": 1, **fields}}


def ports(count, **last):
    """A whole configuration of `count` ports, the last of which is wrong."""
    good = [vhost(name=f"p{i}", path=f"/run/bh-{i}.sock", segment="s") for i in range(count - 1)]
    return config(segments=[segment(name="s")], ports=[*good, vhost(name="last", **{"segment": "s", **last})])


CASES = {
    # methods and the shape of parameters
    "unknown method": Bad("segment.ad", {}, METHOD, None, "segment.ad", "segment.add"),
    "no parameters where some are required": Bad("segment.add", {}, PARAMS, "/name", "nothing", "a string"),
    "unknown parameter": Bad("segment.get", {"name": "blue", "colour": 1}, PARAMS, "/colour", "1", "name"),
    "unknown key in a port": Bad("port.add", vhost(segmnet="blue"), PARAMS, "/segmnet", "blue", "segment"),
    "key that needs escaping": Bad("segment.get", {"name": "blue", "a/b~c": 1}, PARAMS, "/a~1b~0c"),
    "string for a number": Bad("segment.add", segment(vni="100"), PARAMS, "/vni", '"100"', "an integer"),
    "fraction for a number": Bad("segment.add", segment(vni=100.5), PARAMS, "/vni", "100.5", "an integer"),
    "number for a string": Bad("segment.add", segment(name=5), PARAMS, "/name", "5", "a string"),
    "null for a string": Bad("segment.add", segment(name=None), PARAMS, "/name", "null", "a string"),
    "object for an array": Bad("port.add", vhost(macs={}), PARAMS, "/macs", "{}", "an array"),
    "number in an array of strings": Bad("port.add", vhost(macs=[5]), PARAMS, "/macs/0", "5", "02:00"),
    "string for a truth value": Bad("port.add", vhost(isolated="yes"), PARAMS, "/isolated", "yes", "true or false"),
    # ranges
    "vni 0": Bad("segment.add", segment(vni=0), PARAMS, "/vni", "0", "1-16777215"),
    "vni of 25 bits": Bad("segment.add", segment(vni=1 << 24), PARAMS, "/vni", "16777216", "1-16777215"),
    "vni below zero": Bad("segment.add", segment(vni=-1), PARAMS, "/vni", "-1", "1-16777215"),
    "vni of 64 bits": Bad("segment.add", segment(vni=(1 << 64) - 1), PARAMS, "/vni", "18446744073709551615"),
    "vni beyond 64 bits": Bad("segment.add", segment(vni=1 << 70), PARAMS, "/vni", None, "an integer"),
    "mtu 67": Bad("segment.add", segment(mtu=67), PARAMS, "/mtu", "67", "68-9216"),
    "mtu 9217": Bad("segment.add", segment(mtu=9217), PARAMS, "/mtu", "9217", "68-9216"),
    "port mtu 65536": Bad("port.add", vhost(mtu=65536), PARAMS, "/mtu", "65536", "68-9216"),
    "mac_age_s 0": Bad("segment.add", segment(mac_age_s=0), PARAMS, "/mac_age_s", "0", "1-1000000"),
    "queues 0": Bad("port.add", vhost(queues=0), PARAMS, "/queues", "0", "1-16"),
    "queues 17": Bad("port.add", vhost(queues=17), PARAMS, "/queues", "17", "1-16"),
    "worker that is not there": Bad("port.add", vhost(workers=[1]), PARAMS, "/workers/0", "1", "0"),
    "vlan 0": Bad("port.add", vhost(vlans=[{"vlan": 0, "segment": "red"}]), PARAMS, "/vlans/0/vlan", "0", "1-4094"),
    "vlan 4095": Bad("port.add", vhost(vlans=[{"vlan": 9, "segment": "red"}, {"vlan": 4095, "segment": "blue"}]), PARAMS,
                     "/vlans/1/vlan", "4095", "1-4094"),
    "limit 0": Bad("port.list", {"limit": 0}, PARAMS, "/limit", "0", "1-1000"),
    "confirm_within_s 0": Bad("config.apply", {**config(), "confirm_within_s": 0}, PARAMS, "/confirm_within_s", "0", "1-"),
    # words
    "flood mode": Bad("segment.add", segment(flood="maybe"), PARAMS, "/flood", "maybe", "known"),
    "port type": Bad("port.add", {"name": "new", "type": "veth"}, PARAMS, "/type", "veth", "vhost-user"),
    "vhost mode": Bad("port.add", vhost(mode="peer"), PARAMS, "/mode", "peer", "client"),
    "kind of event": Bad("events.subscribe", {"kinds": ["mac.moved", "mac.eaten"]}, PARAMS, "/kinds/1", "mac.eaten", "mac.moved"),
    "drop reason": Bad("drop.list", {"reason": "bored"}, PARAMS, "/reason", "bored"),
    "state of ports": Bad("port.list", {"state": "bogus"}, PARAMS, "/state", "bogus", "waiting"),
    "type of ports": Bad("port.list", {"type": "bogus"}, PARAMS, "/type", "bogus", "vhost-user"),
    # names and addresses
    "name of 64 characters": Bad("segment.add", segment(name=NAME_64), PARAMS, "/name", NAME_64, "{0,62}"),
    "empty name": Bad("segment.add", segment(name=""), PARAMS, "/name", None, "{0,62}"),
    "name with a slash": Bad("port.add", vhost(name="a/b"), PARAMS, "/name", "a/b", "[A-Za-z0-9]"),
    "name that begins with a dot": Bad("segment.add", segment(name=".x"), PARAMS, "/name", ".x"),
    "name with a letter beyond ASCII": Bad("segment.add", segment(name="bl\u00fce"), PARAMS, "/name"),
    "owner with a space": Bad("segment.add", segment(owner="a b"), PARAMS, "/owner", "a b"),
    "owner file": Bad("segment.add", segment(owner="file"), DENIED, "/owner", "file", "any other"),
    "mac of five groups": Bad("port.add", vhost(macs=["02:00:00:00:00"]), PARAMS, "/macs/0", "02:00:00:00:00", "02:00:00:00:00:0a"),
    "mac with dashes": Bad("port.add", tap(mac="02-00-00-00-00-01"), PARAMS, "/mac", "02-00", "02:00:00:00:00:0a"),
    "mac with a letter too far": Bad("fdb.add", entry(mac="02:00:00:00:00:0g"), PARAMS, "/mac", "0g"),
    "multicast mac": Bad("port.add", tap(mac="01:00:00:00:00:01"), PARAMS, "/mac", "01:00", "unicast"),
    "zero mac": Bad("port.add", vhost(macs=["00:00:00:00:00:00"]), PARAMS, "/macs/0", "00:00", "unicast"),
    "same mac twice in a port": Bad("port.add", vhost(macs=["02:00:00:00:00:AB", "02:00:00:00:00:ab"]), PARAMS, "/macs/1", "02:00:00:00:00:ab"),
    "interface name of 16 bytes": Bad("port.add", tap(ifname="i" * 16), PARAMS, "/ifname", "i" * 16, "15 bytes"),
    "interface name with a slash": Bad("port.add", tap(ifname="../x"), PARAMS, "/ifname", "../x", "'/'"),
    "interface name that is a template": Bad("port.add", tap(ifname="tap%d"), PARAMS, "/ifname", "%d", "%"),
    "no interface name": Bad("port.add", {"name": "new", "type": "tap", "netns": "NETNS"}, PARAMS, "/ifname", None, "1-15"),
    "path of 108 bytes": Bad("port.add", vhost(path="/" + "p" * 107), PARAMS, "/path", "108 bytes", "107 bytes"),
    "path that is not absolute": Bad("port.add", vhost(path="run/x.sock"), PARAMS, "/path", "run/x.sock", "absolute"),
    "path that is a folder": Bad("port.add", vhost(path="/run/"), PARAMS, "/path", "/run/", "socket"),
    "path with a dot": Bad("port.add", vhost(path="/run/./bh-v1.sock"), PARAMS, "/path", "/run/./bh-v1.sock", '"/run/bh-v1.sock"'),
    "path with two slashes": Bad("port.add", vhost(path="/run//bh-v1.sock"), PARAMS, "/path", "//bh-v1.sock", '"/run/bh-v1.sock"'),
    "path that goes up": Bad("port.add", vhost(path="/run/x/../bh-v1.sock"), PARAMS, "/path", "..", '"/run/bh-v1.sock"'),
    "namespace path that goes up": Bad("port.add", tap(netns="/run/netns/../../proc/1/ns/net"), PARAMS, "/netns", "..", '"/proc/1/ns/net"'),
    "no path": Bad("port.add", {"name": "new", "type": "vhost-user"}, PARAMS, "/path", None, "absolute"),
    "field of another type of port": Bad("port.add", vhost(ifname="x"), PARAMS, "/ifname", "x", "path"),
    "socket mode for a client": Bad("port.add", vhost(socket_mode="0660"), PARAMS, "/socket_mode"),
    "socket mode that is decimal": Bad("port.add", vhost(mode="server", socket_mode="0999"), PARAMS, "/socket_mode", "0999", "0660"),
    # what is taken
    "name that exists": Bad("segment.add", {"name": "blue", "vni": 7}, EXISTS, "/name", "blue"),
    "port that exists": Bad("port.add", vhost(name="v1"), EXISTS, "/name", "v1"),
    "vni that is taken": Bad("segment.add", segment(vni=100), PARAMS, "/vni", "100"),
    "mac that is bound": Bad("port.add", vhost(macs=[MAC]), PARAMS, "/macs/0", MAC),
    "path that is taken": Bad("port.add", vhost(path="/run/bh-v1.sock"), PARAMS, "/path"),
    "interface that is taken": Bad("port.add", tap(ifname="t1"), PARAMS, "/ifname"),
    "one vlan twice": Bad("port.add", vhost(segment="blue", vlans=[{"vlan": 5, "segment": "red"}, {"vlan": 5, "segment": "green"}]),
                          PARAMS, "/vlans/1/vlan", "5"),
    "one segment twice": Bad("port.add", vhost(vlans=[{"vlan": 5, "segment": "blue"}]), PARAMS, "/vlans/0/segment", "blue"),
    "carried tags beside vlans": Bad("port.add", vhost(tagged="carry", vlans=[{"vlan": 5, "segment": "red"}]), PARAMS, "/tagged"),
    # devices
    "namespace that is missing": Bad("port.add", tap(netns="/run/netns/bh-nowhere"), NOT_FOUND, "/netns", "bh-nowhere", "namespace"),
    "namespace that is a file": Bad("port.add", tap(netns="/etc/passwd"), PARAMS, "/netns", "/etc/passwd", "namespace"),
    "namespace that is a folder": Bad("port.add", tap(netns="/etc"), PARAMS, "/netns", "/etc", "namespace"),
    "namespace of another kind": Bad("port.add", tap(netns=f"/proc/{os.getpid()}/ns/mnt"), PARAMS, "/netns", "/ns/mnt"),
    "namespace path that is not absolute": Bad("port.add", tap(netns="netns/a"), PARAMS, "/netns", "netns/a", "absolute"),
    "the daemon's own namespace": Bad("port.add", tap(netns=f"/proc/{os.getpid()}/ns/net"), DENIED, "/netns", "/ns/net", "pod"),
    "driver that does not exist": Bad("port.add", ethdev("net_nosuch0"), DEVICE_FAILED, "/devargs", "net_nosuch0"),
    "missing PCI device": Bad("port.add", ethdev("0000:7f:1f.7"), DEVICE_FAILED, "/devargs", "0000:7f:1f.7"),
    "missing interface": Bad("port.add", ethdev("net_af_packet0,iface=bh-nosuch"), DEVICE_FAILED, "/devargs", "bh-nosuch"),
    "flow_offload": Bad("port.add", {**ethdev("net_null0"), "flow_offload": "all"}, PARAMS, "/flow_offload", "all", "partial"),
    "flow_offload of a guest": Bad("port.add", vhost(flow_offload="off"), PARAMS, "/flow_offload", "off", "offloads"),
    "offload of nobody": Bad("offload.get", {"port": "nobody"}, NOT_FOUND, "/port", "nobody"),
    "offload of a guest, probed": Bad("offload.probe", {"port": "v1"}, NOT_READY, "/port", "v1", "ethdev"),
    "devargs that are an option": Bad("port.add", ethdev("--vdev=net_null0"), PARAMS, "/devargs", "--vdev"),
    "no devargs": Bad("port.add", {"name": "new", "type": "ethdev"}, PARAMS, "/devargs"),
    # references
    "segment that is not there": Bad("port.add", vhost(segment="nowhere"), NOT_FOUND, "/segment", "nowhere"),
    "segment of a vlan that is not there": Bad("port.add", vhost(vlans=[{"vlan": 2, "segment": "nowhere"}]), NOT_FOUND,
                                               "/vlans/0/segment", "nowhere"),
    "get of the absent": Bad("segment.get", {"name": "nowhere"}, NOT_FOUND, "/name", "nowhere"),
    "set of the absent": Bad("port.set", {"name": "nowhere", "mtu": 1400}, NOT_FOUND, "/name", "nowhere"),
    "remove of an absent port": Bad("port.remove", {"name": "nowhere"}, NOT_FOUND, "/name", "nowhere"),
    "remove of an absent segment": Bad("segment.remove", {"name": "nowhere"}, NOT_FOUND, "/name", "nowhere"),
    "remove of an absent fdb entry": Bad("fdb.remove", {"segment": "blue", "mac": "02:00:00:00:00:98"}, NOT_FOUND, "/mac"),
    "stats of an absent port": Bad("stats.get", {"port": "nowhere"}, NOT_FOUND, "/port", "nowhere"),
    "stats of an absent worker": Bad("stats.get", {"worker": 9}, NOT_FOUND, "/worker", "9"),
    "drops of an absent port": Bad("drop.list", {"port": "nowhere"}, NOT_FOUND, "/port", "nowhere"),
    "drops of an absent segment": Bad("drop.list", {"segment": "nowhere"}, NOT_FOUND, "/segment", "nowhere"),
    "ports of an absent segment": Bad("port.list", {"segment": "nowhere"}, NOT_FOUND, "/segment", "nowhere"),
    "confirm of nothing": Bad("config.confirm", {}, NOT_FOUND),
    "segment in use": Bad("segment.remove", {"name": "blue"}, IN_USE, "/name", "port"),
    # changes
    "vni is immutable": Bad("segment.set", {"name": "blue", "vni": 101}, PARAMS, "/vni", "101", "100"),
    "type is immutable": Bad("port.set", {"name": "v1", "type": "tap"}, PARAMS, "/type"),
    "path is immutable": Bad("port.set", {"name": "v1", "path": "/run/bh-other.sock"}, PARAMS, "/path", "bh-other", "bh-v1"),
    "netns is immutable": Bad("port.set", {"name": "t1", "netns": "/run/netns/other"}, PARAMS, "/netns", "other"),
    "required taken away": Bad("segment.set", {"name": "blue", "vni": None}, PARAMS, "/vni"),
    "set to a bad value": Bad("segment.set", {"name": "blue", "mtu": 10}, PARAMS, "/mtu", "10", "68-9216"),
    "set of a vlan that is no number": Bad("port.set", {"name": "v1", "vlans": [{"vlan": "10", "segment": "red"}, {"vlan": 20, "segment": "green"}]},
                                           PARAMS, "/vlans/0/vlan", '"10"', "an integer"),
    "set of vlans with an unknown key": Bad("port.set", {"name": "v1", "vlans": [{"vlan": 20, "segment": "red"}, {"vlan": 10, "segment": "green", "bogus": 1}]},
                                            PARAMS, "/vlans/1/bogus", "bogus"),
    # fdb
    "fdb: port of another segment": Bad("fdb.add", entry(port="r1"), PARAMS, "/port", "r1", "port of the segment"),
    "fdb: no such port": Bad("fdb.add", entry(port="nowhere"), NOT_FOUND, "/port", "nowhere"),
    "fdb: no such segment": Bad("fdb.add", entry(segment="nowhere"), NOT_FOUND, "/segment", "nowhere"),
    "fdb: owner file": Bad("fdb.add", entry(owner="file"), DENIED, "/owner", "file", "any other"),
    "fdb: multicast": Bad("fdb.add", entry(mac="33:33:00:00:00:01"), PARAMS, "/mac", "33:33", "unicast"),
    "fdb: bound elsewhere": Bad("fdb.add", entry(mac="02:00:00:00:00:1b", port="v1"), PARAMS, "/mac", "02:00:00:00:00:1b"),
    # the whole configuration
    "version 2": Bad("config.apply", {"config": {"version": 2}}, PARAMS, "/config/version", "2", "1"),
    "no version": Bad("config.apply", {"config": {}}, PARAMS, "/config/version"),
    "configuration that is a list": Bad("config.apply", {"config": []}, PARAMS, "/config", "[]", "an object"),
    "unknown key at the top": Bad("config.apply", config(segment=[]), PARAMS, "/config/segment", "segment", "segments"),
    "node that differs": Bad("config.apply", config(node={"cores": "0"}), PARAMS, "/config/node/cores", '"0"', "config.get"),
    "node with an unknown key": Bad("config.apply", config(node={"coers": "1"}), PARAMS, "/config/node/coers", None, "cores"),
    "unknown key deep inside": Bad("config.apply", config(segments=[segment(), segment(name="b", vnii=8)]), PARAMS,
                                   "/config/segments/1/vnii", "vnii", "vni"),
    "unknown segment deep inside": Bad("config.apply", ports(4, segment="nowhere"), NOT_FOUND, "/config/ports/3/segment", "nowhere"),
    "bad MAC deep inside": Bad("config.apply", ports(3, macs=[MAC, "x"]), PARAMS, "/config/ports/2/macs/1", "x", "02:00"),
    "device that fails deep inside": Bad("config.apply", ports(3, type="tap", path=None), PARAMS, "/config/ports/2/path", "null"),
    "namespace missing deep inside": Bad("config.apply", config(ports=[{"name": "x", "type": "tap", "netns": "/run/netns/bh-no", "ifname": "a"}]),
                                         NOT_FOUND, "/config/ports/0/netns", "bh-no"),
    "one name twice": Bad("config.apply", config(segments=[segment(), segment(vni=8)]), PARAMS, "/config/segments/1/name", "new", "once"),
    "one vni twice": Bad("config.apply", config(segments=[segment(), segment(name="other")]), PARAMS, "/config/segments/1/vni", "7"),
    "vni of another owner": Bad("config.apply", {**config(segments=[segment(vni=100)]), "owner": "me"}, PARAMS, "/config/segments/0/vni", "100"),
    "object of another owner": Bad("config.apply", {**config(segments=[segment(name="blue", vni=100)]), "owner": "me"}, EXISTS,
                                   "/config/segments/0/name", "blue"),
    "object that names another owner": Bad("config.apply", {**config(segments=[segment(owner="you")]), "owner": "me"}, PARAMS,
                                           "/config/segments/0/owner", "you", "me"),
    "apply for the file": Bad("config.apply", {**config(), "owner": "file"}, DENIED, "/owner", "file"),
    "another generation": Bad("config.apply", {**config(), "expect_generation": 12345}, CONFLICT, "/expect_generation", "12345"),
    # between nodes
    "underlay without its port": Bad("underlay.add", {"name": "u", "port": "nowhere", "addresses": ["192.0.2.1/24"]}, NOT_FOUND, "/port",
                                     "nowhere", "ethdev"),
    "underlay on a guest's port": Bad("underlay.add", {"name": "u", "port": "v1", "addresses": ["192.0.2.1/24"]}, PARAMS, "/port", "v1", "ethdev"),
    "underlay without an address": Bad("underlay.add", {"name": "u", "port": "v1", "addresses": []}, PARAMS, "/addresses", None, "192.0.2.1/24"),
    "underlay address without its length": Bad("underlay.add", {"name": "u", "port": "v1", "addresses": ["192.0.2.1"]}, PARAMS,
                                               "/addresses/0", "192.0.2.1", "/24"),
    "host_tap": Bad("underlay.add", {"name": "u", "port": "v1", "addresses": ["192.0.2.1/24"], "host_tap": "a/b"}, PARAMS, "/host_tap", "a/b"),
    "tunnel without its underlay": Bad("tunnel.add", {"name": "t", "type": "vxlan", "underlay": "u", "remote": "192.0.2.2"}, NOT_FOUND,
                                       "/underlay", "u", "underlay"),
    "tunnel of no type": Bad("config.apply", config(tunnels=[{"name": "t", "type": "gre", "underlay": "u", "remote": "192.0.2.2"}]), PARAMS,
                             "/config/tunnels/0/type", "gre", "geneve"),
    "trust_groups": Bad("tunnel.add", {"name": "t", "type": "vxlan", "underlay": "u", "remote": "192.0.2.2", "trust_groups": 1}, PARAMS,
                        "/trust_groups", "1", "true or false"),
    "keepalive": Bad("tunnel.add", {"name": "t", "type": "vxlan", "underlay": "u", "remote": "192.0.2.2", "keepalive_ms": 49}, PARAMS,
                     "/keepalive_ms", "49", "50-60000"),
    "offload": Bad("port.add", vhost(offloads=["csum", "ufo"]), PARAMS, "/offloads/1", "ufo", "tso4"),
    "segmentation without checksums": Bad("port.add", vhost(offloads=["tso4"]), PARAMS, "/offloads", "tso4", "csum"),
    "no such security": Bad("port.add", vhost(security="loose"), PARAMS, "/security", "loose", "strict"),
    "security without MACs": Bad("port.add", vhost(security="strict"), PARAMS, "/security", "strict", "off"),
    "security without MACs in a vlan": Bad("port.add", vhost(vlans=[{"vlan": 2, "segment": "red", "security": "mac"}]), PARAMS,
                                           "/vlans/0/security", "mac", "off"),
    "own address of a group": Bad("port.add", vhost(ips=["224.0.0.1/24"]), PARAMS, "/ips/0", "224.0.0.1/24", "unicast"),
    "own address of loopback": Bad("port.add", vhost(ips=["127.0.0.0/8"]), PARAMS, "/ips/0", "127.0.0.0/8", "unicast"),
    "own address twice": Bad("port.add", vhost(ips=["10.1.0.1/24", "10.1.0.1/24"]), PARAMS, "/ips/1", "10.1.0.1/24", "once"),
    "65 own addresses": Bad("port.add", vhost(ips=[f"10.1.0.{n}/24" for n in range(1, 66)]), PARAMS, "/ips", "65", "64"),
    "no such guard": Bad("port.add", vhost(guards=["nd"]), PARAMS, "/guards/0", "nd", "dhcp"),
    # groups and policy
    "group without its segment": Bad("group.add", group(segment="nowhere"), NOT_FOUND, "/segment", "nowhere", "segment"),
    "group id 0": Bad("group.add", group(id=0), PARAMS, "/id", "0", "1-65535"),
    "group id 65536": Bad("group.add", group(id=65536), PARAMS, "/id", "65536", "1-65535"),
    "group id that is taken": Bad("group.add", group(id=10), PARAMS, "/id", "10", "no other group"),
    "group name with a slash": Bad("group.add", group(name="a/b"), PARAMS, "/name", "a/b", "[A-Za-z0-9]"),
    "group with other content": Bad("group.add", group(name="web"), EXISTS, "/name", "web", "same content"),
    "group that an attachment is of": Bad("group.remove", {"segment": "blue", "name": "web"}, IN_USE, "/name", "g1"),
    "group that a rule names": Bad("group.remove", {"segment": "blue", "name": "db"}, IN_USE, "/name", "blue/web-to-db"),
    "group that is not there": Bad("group.get", {"segment": "red", "name": "web"}, NOT_FOUND, "/name", "web"),
    "attachment of no group": Bad("port.add", vhost(group="none"), NOT_FOUND, "/group", "none", "segment \"blue\""),
    "attachment of another segment's group": Bad("port.add", vhost(segment="red", group="web"), NOT_FOUND, "/group", "web", "segment \"red\""),
    "vlan of another segment's group": Bad("port.add", vhost(vlans=[{"vlan": 9, "segment": "red", "group": "web"}]), NOT_FOUND,
                                           "/vlans/0/group", "web", "segment \"red\""),
    "group without a segment": Bad("port.add", {"name": "new", "type": "vhost-user", "path": "/run/bh-new.sock", "group": "web"}, PARAMS,
                                   "/group", "web", "segment"),
    "default policy": Bad("segment.add", segment(default_policy="drop"), PARAMS, "/default_policy", "drop", "deny"),
    "rule without its segment": Bad("policy.add", rule(segment="nowhere"), NOT_FOUND, "/segment", "nowhere", "segment"),
    "rule name": Bad("policy.add", rule(name="a b"), PARAMS, "/name", "a b", "[A-Za-z0-9]"),
    "rule with other content": Bad("policy.add", rule(name="web-to-db"), EXISTS, "/name", "web-to-db", "same content"),
    "rule that is not there": Bad("policy.remove", {"segment": "blue", "name": "none"}, NOT_FOUND, "/name", "none"),
    "rules of a segment that is not there": Bad("policy.list", {"segment": "nowhere"}, NOT_FOUND, "/segment", "nowhere"),
    "order below zero": Bad("policy.add", rule(order=-1), PARAMS, "/order", "-1", "0-1000000"),
    "order beyond a million": Bad("policy.add", rule(order=1000001), PARAMS, "/order", "1000001", "0-1000000"),
    "action": Bad("policy.add", rule(action="drop"), PARAMS, "/action", "drop", "deny"),
    "senders that are no object": Bad("policy.add", rule(**{"from": ["web"]}), PARAMS, "/from", "web", "an object"),
    "unknown key of senders": Bad("policy.add", rule(**{"from": {"group": ["web"]}}), PARAMS, "/from/group", "group", "groups"),
    "senders of no group": Bad("policy.add", rule(**{"from": {"groups": ["web", "none"]}}), NOT_FOUND, "/from/groups/1", "none", "blue"),
    "receivers of another segment's group": Bad("policy.add", rule(segment="red", to={"groups": ["web"]}), NOT_FOUND, "/to/groups/0", "web", "red"),
    "one group twice": Bad("policy.add", rule(to={"groups": ["web", "web"]}), PARAMS, "/to/groups/1", "web", "once"),
    "one network twice": Bad("policy.add", rule(to={"ips": ["10.1.0.1/24", "10.1.0.2/24"]}), PARAMS, "/to/ips/1", "10.1.0.2/24", "once"),
    "network without its length": Bad("policy.add", rule(to={"ips": ["10.1.0.1"]}), PARAMS, "/to/ips/0", "10.1.0.1", "/24"),
    "mac of a rule": Bad("policy.add", rule(**{"from": {"macs": ["02"]}}), PARAMS, "/from/macs/0", "02", "02:00:00:00:00:0a"),
    "1025 macs": Bad("policy.add", rule(**{"from": {"macs": [f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(1025)]}}), PARAMS,
                     "/from/macs", "1025", "1024"),
    "ethertype that is a length": Bad("policy.add", rule(ethertype="0x05ff"), PARAMS, "/ethertype", "0x05ff", "1536"),
    "ethertype of no name": Bad("policy.add", rule(ethertype="ipx"), PARAMS, "/ethertype", "ipx", "arp"),
    "protocol of ARP": Bad("policy.add", rule(ethertype="arp", protocol="tcp"), PARAMS, "/ethertype", "arp", "ipv4"),
    "addresses of LLDP": Bad("policy.add", rule(ethertype="0x88cc", to={"ips": ["10.0.0.0/8"]}), PARAMS, "/ethertype", "0x88cc", "ipv6"),
    "protocol of no name": Bad("policy.add", rule(protocol="carp"), PARAMS, "/protocol", "carp", "sctp"),
    "protocol 256": Bad("policy.add", rule(protocol=256), PARAMS, "/protocol", "256", "0-255"),
    "ports without a protocol": Bad("policy.add", rule(dst_ports=["80"]), PARAMS, "/dst_ports", "no protocol", "tcp"),
    "ports of GRE": Bad("policy.add", rule(protocol="gre", src_ports=["80"]), PARAMS, "/src_ports", "47", "sctp"),
    "port 65536": Bad("policy.add", rule(protocol="tcp", dst_ports=["80", "65536"]), PARAMS, "/dst_ports/1", "65536", "8000-8080"),
    "port by name": Bad("policy.add", rule(protocol="tcp", dst_ports=["http"]), PARAMS, "/dst_ports/0", "http", "443"),
    "ports that run back": Bad("policy.add", rule(protocol="tcp", dst_ports=["90-80"]), PARAMS, "/dst_ports/0", "90-80", "lower"),
    "one port twice": Bad("policy.add", rule(protocol="udp", src_ports=["53", 53]), PARAMS, "/src_ports/1", "53", "once"),
    "icmp type of TCP": Bad("policy.add", rule(protocol="tcp", icmp_types=[8]), PARAMS, "/icmp_types", "6", "icmpv6"),
    "icmp type 256": Bad("policy.add", rule(protocol="icmp", icmp_types=[256]), PARAMS, "/icmp_types/0", "256", "0-255"),
    "icmp type twice": Bad("policy.add", rule(protocol="icmp", icmp_types=[8, 0, 8]), PARAMS, "/icmp_types/2", "8", "once"),
    "redirect to nowhere": Bad("policy.add", rule(action="redirect"), PARAMS, "/to_port", "nothing", "redirect"),
    "deny to a port": Bad("policy.add", rule(action="deny", to_port="v1"), PARAMS, "/to_port", "v1", "deny"),
    "redirect to no port": Bad("policy.add", rule(action="redirect", to_port="none"), NOT_FOUND, "/to_port", "none", "port"),
    "redirect out of the segment": Bad("policy.add", rule(action="redirect", to_port="r1"), PARAMS, "/to_port", "r1", "port of the segment"),
    "order that is taken away": Bad("policy.set", {"segment": "blue", "name": "web-to-db", "order": None}, PARAMS, "/order", "nothing", "0-1000000"),
    "port that a rule leads to": Bad("port.remove", {"name": "m1"}, IN_USE, "/name", "blue/watched"),
    "move of a port that a rule leads to": Bad("port.move", {"name": "m1", "segment": "green"}, IN_USE, "/segment", "blue/watched"),
    "segment with groups": Bad("segment.remove", {"name": "gray"}, IN_USE, "/name", "gray/alone"),
    "rule deep inside": Bad("config.apply", config(segments=[segment()], policies=[rule(segment="new"), rule(segment="new", name="x", protocol=-1)]),
                            PARAMS, "/config/policies/1/protocol", "-1", "0-255"),
    "one rule twice": Bad("config.apply", config(segments=[segment()], policies=[rule(segment="new"), rule(segment="new", order=1)]), PARAMS,
                          "/config/policies/1/name", "new", "once"),
    "group of another owner": Bad("config.apply", {**config(groups=[group(name="web", id=10)]), "owner": "me"}, EXISTS, "/config/groups/0/name",
                                  "blue/web"),
    # limits
    "rate of 0": Bad("port.add", vhost(limits={"rx_mbps": 0}), PARAMS, "/limits/rx_mbps", "0", "1-1000000"),
    "rate too high": Bad("port.add", vhost(limits={"tx_mbps": 1000001}), PARAMS, "/limits/tx_mbps", "1000001", "1-1000000"),
    "rate in words": Bad("port.add", vhost(limits={"rx_mbps": "1G"}), PARAMS, "/limits/rx_mbps", "1G"),
    "burst of no rate": Bad("port.add", vhost(limits={"burst_kib": 64}), PARAMS, "/limits/burst_kib", "64", "rx_mbps"),
    "negative storm": Bad("port.add", vhost(limits={"storm_pps": -1}), PARAMS, "/limits/storm_pps", "-1"),
    "limit misspelt": Bad("port.add", vhost(limits={"storm_bps": 1}), PARAMS, "/limits/storm_bps", "storm_bps", "storm_pps"),
    "limits as a number": Bad("port.add", vhost(limits=10), PARAMS, "/limits", "10", "object"),
    # mirrors
    "mirror of nothing": Bad("mirror.add", mirror(), PARAMS, "/port", "nothing", "segment"),
    "mirror of a port and a segment": Bad("mirror.add", mirror(port="v1", segment="blue"), PARAMS, "/segment", "blue", "one of"),
    "mirror of a port and a rule": Bad("mirror.add", mirror(port="v1", policy="watched"), PARAMS, "/policy", "watched", "one of"),
    "mirror of a rule of no segment": Bad("mirror.add", mirror(policy="watched"), PARAMS, "/segment", "nothing", "watched"),
    "mirror of no port that is there": Bad("mirror.add", mirror(port="nowhere"), NOT_FOUND, "/port", "nowhere"),
    "mirror of no segment that is there": Bad("mirror.add", mirror(segment="nowhere"), NOT_FOUND, "/segment", "nowhere"),
    "mirror of no rule that is there": Bad("mirror.add", mirror(segment="blue", policy="nowhere"), NOT_FOUND, "/policy", "nowhere", "blue"),
    "mirror of a rule in one direction": Bad("mirror.add", mirror(segment="blue", policy="watched", direction="in"), PARAMS, "/direction",
                                             "in", "both"),
    "mirror to nowhere": Bad("mirror.add", mirror(to="nowhere", segment="blue"), NOT_FOUND, "/to", "nowhere"),
    "mirror to itself": Bad("mirror.add", mirror(to="v1", port="v1"), PARAMS, "/to", "v1", "another"),
    "mirror into a tunnel that is not there": Bad("mirror.add", mirror(to="v1", segment="blue", vni=9), NOT_FOUND, "/to", "v1", "tunnel"),
    "mirror with vni 0": Bad("mirror.add", mirror(segment="blue", vni=0), PARAMS, "/vni", "0", "1-16777215"),
    "snaplen without a header": Bad("mirror.add", mirror(segment="blue", snaplen=13), PARAMS, "/snaplen", "13", "14-65535"),
    "direction of a mirror": Bad("mirror.add", mirror(segment="blue", direction="up"), PARAMS, "/direction", "up", "both"),
    "rule that mirrors to nowhere": Bad("policy.add", rule(action="mirror"), PARAMS, "/to_port", "nothing", "mirror"),
    "mirror twice": Bad("config.apply", config(mirrors=[mirror(port="v1"), mirror(port="m1")]), PARAMS, "/config/mirrors/1/name", "new", "once"),
    # what is not built in
    "encryption required": Bad("segment.add", segment(encryption="required"), NOT_BUILT_IN, "/encryption", "required", "none"),
    "encryption required deep inside": Bad("config.apply", config(segments=[segment(encryption="required")]), NOT_BUILT_IN,
                                           "/config/segments/0/encryption", "required", "none"),
    "capture.add": Bad("capture.add", {}, NOT_BUILT_IN),
}

LINES = {
    "no JSON at all": (b"hello\n", PARSE),
    "half an object": (b'{"jsonrpc":"2.0",\n', PARSE),
    "two objects in a line": (b'{"jsonrpc":"2.0","id":1,"method":"system.get"} {}\n', PARSE),
    "empty line": (b"\n", PARSE),
    "NUL": (b"\x00\n", PARSE),
    "invalid UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}\n', PARSE),
    "one key twice": (b'{"jsonrpc":"2.0","id":1,"method":"segment.remove","params":{"name":"blue","name":"red","force":true}}\n', PARSE),
    "nested too deep": (b"[" * 100000 + b"\n", PARSE),
    "a number": (b"5\n", REQUEST),
    "an empty batch": (b"[]\n", REQUEST),
    "no version": (b'{"id":1,"method":"system.get"}\n', REQUEST),
    "version 1.0": (b'{"jsonrpc":"1.0","id":1,"method":"system.get"}\n', REQUEST),
    "no method": (b'{"jsonrpc":"2.0","id":1}\n', REQUEST),
    "method that is a number": (b'{"jsonrpc":"2.0","id":1,"method":1}\n', REQUEST),
    "params that are a string": (b'{"jsonrpc":"2.0","id":1,"method":"system.get","params":"x"}\n', REQUEST),
    "id that is an object": (b'{"jsonrpc":"2.0","id":{},"method":"system.get"}\n', REQUEST),
    "params by position": (b'{"jsonrpc":"2.0","id":1,"method":"segment.get","params":["blue"]}\n', PARAMS),
}


@pytest.fixture(scope="module")
def target():
    """One switch for all cases, with something in it to collide with."""
    with running() as daemon, daemon.control() as control, Namespace("bad") as namespace, contextlib.ExitStack() as stack:
        daemon.netns = namespace.path
        for name, vni in (("blue", 100), ("red", 200), ("green", 300), ("gray", 400)):
            control.call("segment.add", name=name, vni=vni)
        for of_segment, name, number in (("blue", "web", 10), ("blue", "db", 11), ("gray", "alone", 1)):
            control.call("group.add", segment=of_segment, name=name, id=number)
        control.call("port.add", name="g1", type="vhost-user", path="/run/bh-g1.sock", segment="blue", group="web")
        control.call("port.add", name="m1", type="vhost-user", path="/run/bh-m1.sock", segment="blue")
        control.call("policy.add", **rule(name="web-to-db", to={"groups": ["db"]}))
        control.call("policy.add", **rule(name="watched", action="redirect", to_port="m1"))
        control.call("port.add", name="v1", type="vhost-user", path="/run/bh-v1.sock", segment="blue", macs=[MAC])
        control.call("port.add", name="r1", type="vhost-user", path="/run/bh-r1.sock", segment="red")
        control.call("port.add", name="t1", type="tap", netns=namespace.path, ifname="t1", segment="blue",
                     macs=["02:00:00:00:00:1b"])
        stack.callback(lambda: control.call("port.remove", name="t1"))
        yield daemon


def whole_state(control):
    return control.call("config.get"), control.call("system.get")["generation"]


@contextlib.contextmanager
def nothing_changes(daemon):
    with daemon.control() as control:
        before = whole_state(control)
        yield control
    assert daemon.alive(), daemon.tail()
    with daemon.control() as after:
        assert whole_state(after) == before


@pytest.mark.parametrize("name", CASES)
def test_refused(target, name):
    bad = CASES[name]
    params = {key: target.netns if value == "NETNS" else value for key, value in bad.params.items()}
    with nothing_changes(target) as control:
        with pytest.raises(Refused) as refusal:
            control.call(bad.method, **params)
        error = refusal.value
        assert (error.code, error.field) == (bad.code, bad.field), error
        assert bad.got is None or bad.got in error.data["got"], error
        assert bad.allowed is None or bad.allowed in error.data["allowed"], error
        assert error.message and "exception" not in error.message
        if bad.code == PARAMS:
            assert all(error.data.get(key) for key in ("field", "got", "allowed")), error


@pytest.mark.parametrize("name", LINES)
def test_line_refused(target, name):
    line, code = LINES[name]
    with nothing_changes(target) as control:
        answer = control.raw(line)
        assert answer["error"]["code"] == code, answer
        assert answer["jsonrpc"] == "2.0"
        assert control.call("system.get"), "the connection goes on after a bad line"


@pytest.mark.parametrize("name", ["n", NAME_63, "A.b_c-9"])
def test_names_at_the_edge_are_taken(target, name):
    with target.control() as control:
        control.call("segment.add", name=name, vni=4711)
        assert control.call("segment.get", name=name)["vni"] == 4711
        control.call("segment.remove", name=name)


def test_values_at_the_edges_are_taken(target):
    with target.control() as control:
        control.call("segment.add", name="edge", vni=(1 << 24) - 1, mtu=68)
        control.call("segment.set", name="edge", mtu=9216)
        path = "/run/" + "p" * 102
        control.call("port.add", name="edge", type="vhost-user", path=path, queues=16,
                     vlans=[{"vlan": 1, "segment": "edge"}, {"vlan": 4094, "segment": "blue"}])
        assert len(control.call("port.get", name="edge")["path"]) == 107
        control.call("port.remove", name="edge")
        control.call("segment.remove", name="edge")


def test_a_refused_port_leaves_no_interface(target):
    with target.control() as control, Namespace("refused") as namespace:
        with pytest.raises(Refused):
            control.call("port.add", name="new", type="tap", netns=namespace.path, ifname="bad0", segment="nowhere")
        with pytest.raises(Refused):  # the second port fails after the first has been opened
            control.call("config.apply", owner="me", config={"version": 1, "ports": [
                {"name": "a", "type": "tap", "netns": namespace.path, "ifname": "good0"},
                {"name": "b", "type": "tap", "netns": "/run/netns/bh-nowhere", "ifname": "good0"}]})
        assert "good0" not in namespace.ip("link").stdout
        assert "bad0" not in namespace.ip("link").stdout
