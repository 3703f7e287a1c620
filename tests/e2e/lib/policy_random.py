# SPDX-License-Identifier: Apache-2.0
"""Random sets of rules, of those that nftables can have too: no ARP and no Neighbor Discovery is named."""
from .dialogues import GRE, HOSTS, LEFT, MACS, NETWORKS, OTHERS, PORTS, RIGHT, Sent, address, ethernet, other, packet

EXPERIMENTS = [0x88B5, 0x88B6, 0x8808]
OF_ECHO = {"icmp": [8, 0, 13, 14, 3, 17], "icmpv6": [128, 129, 1, 139]}


def some(random, items, most=3):
    items = list(items)
    return random.sample(items, random.randint(1, min(most, len(items))))


def networks(random, side):
    """Hosts and parts of a side's network, of one or both IP versions."""
    choices = []
    for version in random.choice(((4,), (6,), (4, 6))):
        hosts = [f"{address(side, host, version)}/{32 if version == 4 else 128}" for host in HOSTS]
        parts = [f"{address(side, 0, version)}/{30 if version == 4 else 126}", NETWORKS[side][version]]
        choices += some(random, hosts, 2) if random.random() < 0.7 else [random.choice(parts)]
    return sorted(set(choices))


def end(random, side, macs):
    fields = {}
    if random.random() < 0.3:
        fields["groups"] = [side] if random.random() < 0.8 else [LEFT, RIGHT]
    if random.random() < 0.6:
        fields["ips"] = networks(random, side)
    if macs and random.random() < 0.4:
        fields["macs"] = some(random, MACS[side], 2)
    return fields


def port_ranges(random):
    ranges = {str(port) for port in some(random, PORTS)}
    if random.random() < 0.3:
        ranges = {random.choice(["0-1023", "8000-8080", "1024-65535", "53-443"])}
    return sorted(ranges)


def upper(random, fields):
    kind = random.choice(["tcp", "tcp", "udp", "udp", "icmp", "icmpv6", "other", None])
    if kind is None:
        return
    fields["protocol"] = random.choice(OTHERS) if kind == "other" else kind
    if kind in ("tcp", "udp"):
        if random.random() < 0.7:
            fields["dst_ports"] = port_ranges(random)
        if random.random() < 0.2:
            fields["src_ports"] = port_ranges(random)
    elif kind in OF_ECHO and random.random() < 0.5:
        fields["icmp_types"] = sorted(some(random, OF_ECHO[kind]))


def rule(random, name, stateful):
    """`stateful`: whether such rules may be; without them MACs and EtherTypes are what differs."""
    side = random.choice((LEFT, RIGHT))
    fields = {"order": random.randrange(40), "name": name, "action": random.choice(("allow", "allow", "deny"))}
    for key, of in (("from", side), ("to", other(side))):
        ends = end(random, of, not stateful)
        if ends:
            fields[key] = ends
    if not stateful and random.random() < 0.15:
        fields["ethertype"] = random.choice(EXPERIMENTS)
        for key in ("from", "to"):
            fields.get(key, {}).pop("ips", None)
        return fields
    if random.random() < 0.15:
        fields["ethertype"] = random.choice(("ipv4", "ipv6"))
    upper(random, fields)
    if not stateful or random.random() < 0.3:
        fields["stateful"] = False
    return fields


def matches_all(fields):
    return not {"from", "to", "protocol", "ethertype"} & set(fields)


def rule_set(random, count, stateful):
    """The default and the rules. None of them matches everything: what is behind it would be left out."""
    rules = []
    while len(rules) < count:
        fields = rule(random, f"r{random.randrange(1000)}-{len(rules)}", stateful)
        if not matches_all(fields):
            rules.append(fields)
    return random.choice(("allow", "deny")), rules


def frames_of_layer_2(random, numbers, count):
    """Single frames from and to random MACs, of IP and of anything else."""
    sent = []
    for number in (next(numbers) for _ in range(count)):
        side = random.choice((LEFT, RIGHT))
        if random.random() < 0.3:
            inside, kind = number.to_bytes(4, "big") + bytes(42), random.choice(EXPERIMENTS)
        else:
            version, protocol = random.choice((4, 6)), random.choice((6, 17, 17, 1, 58, 89, GRE))
            protocol = {1: 58, 58: 58}.get(protocol, protocol) if version == 6 else {58: 1}.get(protocol, protocol)
            source, destination = address(side, random.choice(HOSTS), version), address(other(side), random.choice(HOSTS), version)
            inside, kind = packet(source, destination, protocol, upper_of(random, protocol), number), None
        frame = ethernet(side, inside, random.randrange(3), random.randrange(3), kind)
        sent.append(Sent(side, number, frame, "single"))
    return sent


def upper_of(random, protocol):
    if protocol in (6, 17):
        ports = random.choice(PORTS), random.choice(PORTS)
        return b"".join(port.to_bytes(2, "big") for port in ports) + (b"\0" * 8 + b"\x50\x02" + b"\0" * 6 if protocol == 6 else b"\0\x10" + b"\0" * 10)
    if protocol in (1, 58):
        return bytes([random.choice(OF_ECHO["icmp" if protocol == 1 else "icmpv6"])]) + bytes(15)
    return bytes(24)
