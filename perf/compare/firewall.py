# SPDX-License-Identifier: Apache-2.0
"""Rules as a firewall has them, and how the measured switches are told. Most are about others than those who talk in the
cases: only the last ones let these through, and who is in no rule is not.
"""
from collections.abc import Iterator
from dataclasses import dataclass

CLIENTS, SERVERS = "clients", "servers"  # groups: the first port's stations and the second's
SERVICES = (53, 123, 443, 514, 1812, 3478, 4500, 5060)  # of UDP
_SERVERS_NETWORK = "10.128.0.0/9"  # as in traffic.py
_ZONE = 100  # of Open vSwitch's connections


@dataclass(frozen=True)
class Rule:
    """What is None matches everything. Rules are asked in their order; the first that matches decides."""

    allows: bool
    group: str | None = None  # the sender's
    source: str | None = None  # a network
    destination: str | None = None
    protocol: str | None = None  # tcp, udp, icmp
    source_ports: tuple[int, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Firewall:
    rules: tuple[Rule, ...]
    is_stateful: bool

    def policies(self, segment: str) -> list[dict]:
        """As bulkheadd's configuration has them."""
        return [_policy(segment, number, rule, self.is_stateful) for number, rule in enumerate(self.rules)]

    def flows(self) -> str:
        """For `ovs-ofctl replace-flows`. A group is the port that its members are behind. Stateful, every packet is
        looked up among the connections and then comes back (recirculation): as ovs-fields(7), CONNECTION TRACKING, has it.
        """
        table, lines = (1, [f"table=0,priority=1,ip,actions=ct(zone={_ZONE},table=1)",
                            "table=1,priority=2000,ip,ct_state=+trk+est,actions=NORMAL"]) if self.is_stateful else (0, [])
        passes = f"ct(commit,zone={_ZONE}),NORMAL" if self.is_stateful else "NORMAL"
        lines += ["table=0,priority=3000,arp,actions=NORMAL", f"table={table},priority=0,actions=drop"]
        for number, rule in enumerate(self.rules):
            actions = passes if rule.allows else "drop"
            lines += [f"table={table},priority={1000 - number},{match},actions={actions}"
                      for match in _matches(rule, self.is_stateful)]
        return "\n".join(lines) + "\n"


def stateless() -> Firewall:
    """A hundred rules. The last two let the services' datagrams through, one direction each."""
    last = (Rule(True, CLIENTS, destination=_SERVERS_NETWORK, protocol="udp", ports=SERVICES),
            Rule(True, SERVERS, source=_SERVERS_NETWORK, protocol="udp", source_ports=SERVICES))
    return Firewall((*_bad_networks(40), *_bad_services(8), *_web_servers(50), *last), is_stateful=False)


def stateful() -> Firewall:
    """Ten rules. The last one lets the services be asked; what they answer is of a connection."""
    last = Rule(True, CLIENTS, destination=_SERVERS_NETWORK, protocol="udp", ports=SERVICES)
    return Firewall((*_bad_networks(3), *_bad_services(2), *_web_servers(4), last), is_stateful=True)


def _bad_networks(count: int) -> Iterator[Rule]:
    """Whole networks that nobody wants to hear from, of many sizes."""
    yield from (Rule(False, source=f"{172 + 8 * (number % 4)}.{16 + number}.{64 * (number % 4)}.0/{18 + number % 7}")
                for number in range(count))


def _bad_services(count: int) -> Iterator[Rule]:
    ports = (135, 137, 161, 389, 1900, 5353, 11211, 27015)
    yield from (Rule(False, protocol="udp", ports=(port,)) for port in ports[:count])


def _web_servers(count: int) -> Iterator[Rule]:
    """Of the servers' network, each a subnet with its port."""
    yield from (Rule(True, CLIENTS, destination=f"10.{128 + number}.0.0/{16 + number % 9}", protocol="tcp",
                     ports=(8000 + number,)) for number in range(count))


def _policy(segment: str, number: int, rule: Rule, is_stateful: bool) -> dict:
    policy = {"segment": segment, "name": f"r{number:03}", "order": number, "action": "allow" if rule.allows else "deny"}
    ends = {"from": {"groups": [rule.group] if rule.group else [], "ips": [rule.source] if rule.source else []},
            "to": {"ips": [rule.destination] if rule.destination else []}}
    policy |= {end: filled for end, lists in ends.items() if (filled := {key: one for key, one in lists.items() if one})}
    if rule.protocol:
        policy["protocol"] = rule.protocol
    policy |= {field: [str(port) for port in ports]
               for field, ports in (("src_ports", rule.source_ports), ("dst_ports", rule.ports)) if ports}
    return policy if is_stateful else {**policy, "stateful": False}


def _matches(rule: Rule, is_stateful: bool) -> Iterator[str]:
    """OpenFlow has no lists: one for each pair of ports."""
    parts = [rule.protocol or "ip", *(["ct_state=+trk+new"] if is_stateful else [])]
    if rule.group:
        parts.append(f"in_port=p{(CLIENTS, SERVERS).index(rule.group)}")
    parts += [f"{field}={network}" for field, network in (("nw_src", rule.source), ("nw_dst", rule.destination)) if network]
    for source in rule.source_ports or (None,):
        for port in rule.ports or (None,):
            numbers = [f"{field}={number}" for field, number in (("tp_src", source), ("tp_dst", port)) if number is not None]
            yield ",".join([*parts, *numbers])
