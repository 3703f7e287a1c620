# SPDX-License-Identifier: Apache-2.0
"""Random packets of two sides that talk: whole, with right lengths, checksums and sequence numbers, so that every firewall must
have the same opinion of them. Each bears a number in its IP header, by which it is known again on the far side."""
import ipaddress
import struct
from typing import NamedTuple

LEFT, RIGHT = "left", "right"
MACS = {LEFT: [f"02:00:00:00:01:{number:02x}" for number in range(1, 4)], RIGHT: [f"02:00:00:00:02:{number:02x}" for number in range(1, 4)]}
HOSTS = range(1, 5)
NETWORKS = {LEFT: {4: "10.1.1.0/24", 6: "fd01::/64"}, RIGHT: {4: "10.1.2.0/24", 6: "fd02::/64"}}
PORTS = [22, 53, 80, 123, 443, 1023, 1024, 5000, 8000, 8042, 8080, 65535]
ICMP, TCP, UDP, GRE, ESP, ICMPV6 = 1, 6, 17, 47, 50, 58
OTHERS = [GRE, ESP, 89, 253]
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
FAR = 1 << 30


class Sent(NamedTuple):
    side: str
    number: int
    frame: bytes
    note: str


def address(side, host, version):
    return str(ipaddress.ip_network(NETWORKS[side][version])[host])


def packed(text):
    return ipaddress.ip_address(text).packed


def other(side):
    return RIGHT if side == LEFT else LEFT


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, protocol, payload, number, sum_at=None):
    """`sum_at`: where in the payload its checksum is."""
    src, dst = packed(source), packed(destination)
    if sum_at is not None:
        pseudo = src + dst + struct.pack("!II", len(payload), protocol) if protocol != ICMP else b""
        payload = payload[:sum_at] + struct.pack("!H", checksum(pseudo + payload) or 0xFFFF) + payload[sum_at + 2:]
    if len(src) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, 0, 64, protocol, 0, src, dst)
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    return struct.pack("!IHBB16s16s", 6 << 28 | number, len(payload), protocol, 64, src, dst) + payload


def ethernet(side, inside, source=0, destination=0, ethertype=None):
    if ethertype is None:
        ethertype = 0x0800 if inside[0] >> 4 == 4 else 0x86DD
    return bytes.fromhex((MACS[other(side)][destination] + MACS[side][source]).replace(":", "")) + struct.pack("!H", ethertype) + inside


def number_of(frame):
    """What it bears, or None: a frame that is no packet of ours."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        return struct.unpack_from("!H", frame, 18)[0]
    if kind == b"\x86\xdd" and len(frame) >= 54:
        return struct.unpack_from("!I", frame, 14)[0] & 0xFFFFF
    if kind[0] == 0x88 and len(frame) >= 18:
        return struct.unpack_from("!I", frame, 14)[0]
    return None


class Talk:
    """Two hosts, one on each side; `side` begins."""

    def __init__(self, random, numbers, side, version, hosts):
        self.random, self.numbers, self.version, self.sent = random, numbers, version, []
        self.begins, self.answers = side, other(side)
        self.at = {side: address(side, hosts[0], version), other(side): address(other(side), hosts[1], version)}

    def send(self, side, protocol, payload, sum_at, note):
        number = next(self.numbers)
        inside = packet(self.at[side], self.at[other(side)], protocol, payload, number, sum_at)
        self.sent.append(Sent(side, number, ethernet(side, inside), note))
        return inside

    def udp(self, side, source, destination, note):
        data = b"datagram"
        return self.send(side, UDP, struct.pack("!HHHH", source, destination, 8 + len(data), 0) + data, 6, note)

    def tcp(self, side, ports, flags, sequence, acknowledged, note, data=b""):
        head = struct.pack("!HHIIBBHHH", *ports, sequence % (1 << 32), acknowledged % (1 << 32), 5 << 4, flags, 8192, 0, 0)
        return self.send(side, TCP, head + data, 16, note)

    def icmp(self, side, kind, code, rest, note):
        return self.send(side, ICMP if self.version == 4 else ICMPV6, struct.pack("!BBH", kind, code, 0) + rest, 2, note)

    def error(self, side, about, note):
        """Destination unreachable: port."""
        kind, code, keep = (3, 3, 28) if self.version == 4 else (1, 4, 48)
        return self.icmp(side, kind, code, bytes(4) + about[:keep], note)


def talk_udp(talk):
    source, destination = talk.random.randrange(1, 65536), talk.random.choice(PORTS)
    side, far = talk.begins, talk.answers
    if talk.random.random() < 0.3:
        talk.udp(far, destination, source, "an answer before its question")
        return  # to a firewall it was a question itself
    question = talk.udp(side, source, destination, "question")
    if talk.random.random() < 0.4:
        talk.error(far, question, "error about the question")
    answer = talk.udp(far, destination, source, "answer")
    talk.udp(side, source, destination, "question again")
    talk.udp(far, destination, source ^ 1, "answer to another port")
    if talk.random.random() < 0.4:
        talk.error(side, answer, "error about the answer")


def stray(talk, ports, back):
    side, far = talk.begins, talk.answers
    kind = talk.random.randrange(7)
    if kind == 0:
        talk.tcp(side, ports, ACK, 1, 1, "stray ACK")
    elif kind == 1:
        talk.tcp(side, ports, SYN | ACK, 1, 1, "stray SYN-ACK")
    elif kind == 2:
        talk.tcp(side, ports, FIN | ACK, 1, 1, "stray FIN")
    elif kind == 3:
        talk.tcp(side, ports, RST, 1, 0, "stray RST")
    elif kind == 4:
        talk.tcp(side, ports, PSH | ACK, 1, 1, "stray data", b"data")
    elif kind == 5:
        talk.tcp(side, ports, SYN | FIN, 1, 0, "SYN and FIN")
    else:
        talk.tcp(side, ports, SYN | RST, 1, 0, "SYN and RST")
    talk.tcp(far, back, SYN | ACK, 9, 2, "SYN-ACK to it")


def talk_tcp(talk):
    ports = (talk.random.randrange(1, 65536), talk.random.choice(PORTS))
    back, side, far = ports[::-1], talk.begins, talk.answers
    if talk.random.random() < 0.25:
        return stray(talk, ports, back)
    mine, theirs = talk.random.randrange(1 << 32), talk.random.randrange(1 << 32)
    syn = talk.tcp(side, ports, SYN, mine, 0, "SYN")
    if talk.random.random() < 0.2:
        talk.tcp(side, ports, SYN, mine, 0, "SYN again")
    if talk.random.random() < 0.15:
        talk.error(far, syn, "error about SYN")
    if talk.random.random() < 0.15:
        return talk.tcp(far, back, RST | ACK, 0, mine + 1, "refused")
    talk.tcp(far, (back[0], back[1] ^ 1), SYN | ACK, theirs, mine + 1, "SYN-ACK to another port")
    talk.tcp(far, back, SYN | ACK, theirs, mine + 1, "SYN-ACK")
    mine, theirs = mine + 1, theirs + 1
    talk.tcp(side, ports, ACK, mine, theirs, "ACK")
    talk.tcp(side, ports, PSH | ACK, mine, theirs, "data", b"question")
    mine += 8
    talk.tcp(far, back, PSH | ACK, theirs, mine, "data of the other", b"answer")
    theirs += 6
    talk.tcp(side, ports, ACK, mine, theirs, "ACK of it")
    if talk.random.random() < 0.4:
        talk.tcp(far, back, RST, theirs + FAR, 0, "RST outside the window")
        talk.tcp(far, back, SYN | FIN, theirs, mine, "SYN and FIN in a connection")
        talk.tcp(side, ports, PSH | ACK, mine, theirs, "data after them", b"still")
        mine += 5
        talk.tcp(far, back, ACK, theirs, mine, "ACK of them")
    if talk.random.random() < 0.3:
        return talk.tcp(side, ports, RST, mine, 0, "RST")
    talk.tcp(side, ports, FIN | ACK, mine, theirs, "FIN")
    talk.tcp(far, back, ACK, theirs, mine + 1, "ACK of FIN")
    talk.tcp(far, back, PSH | ACK, theirs, mine + 1, "data after FIN", b"rest")
    theirs += 4
    talk.tcp(side, ports, ACK, mine + 1, theirs, "ACK after FIN")
    talk.tcp(far, back, FIN | ACK, theirs, mine + 1, "FIN of the other")
    return talk.tcp(side, ports, ACK, mine + 1, theirs + 1, "last ACK")


def talk_icmp(talk):
    identity = talk.random.randrange(1, 65535)
    request, reply = talk.random.choice([(8, 0), (8, 0), (13, 14)]) if talk.version == 4 else (128, 129)
    side, far = talk.begins, talk.answers

    def echo(who, kind, number, note):
        return talk.icmp(who, kind, 0, struct.pack("!HH", number, 1) + bytes(12), note)

    kind = talk.random.randrange(4)
    if kind == 0:
        echo(side, reply, identity, "reply without request")
        return
    if kind == 1:
        echo(side, 17 if talk.version == 4 else 139, identity, "a type without state")
        return
    asked = echo(side, request, identity, "request")
    if talk.random.random() < 0.4:
        talk.error(far, asked, "error about the request")
    echo(far, reply, identity ^ 1, "reply with another id")
    echo(far, reply, identity, "reply")
    echo(side, request, identity, "request again")


def talk_other(talk, protocol):
    side, far = talk.begins, talk.answers
    data = bytes(24)
    talk.send(side, protocol, data, None, f"protocol {protocol}")
    talk.send(far, protocol, data, None, f"protocol {protocol}, back")
    talk.send(side, protocol, data, None, f"protocol {protocol} again")


def dialogues(random, numbers, count):
    """Lists of packets; no dialogue has to do with another."""
    ways = [(side, version, (mine, theirs), protocol) for side in (LEFT, RIGHT) for version in (4, 6) for mine in HOSTS for theirs in HOSTS
            for protocol in OTHERS if side == LEFT or (mine + theirs) % 2]
    # Of other protocols who talks to whom is the connection, whoever begins.
    ways = list({(version, frozenset(((side, hosts[0]), (other(side), hosts[1]))), protocol): (side, version, hosts, protocol)
                 for side, version, hosts, protocol in ways}.values())
    random.shuffle(ways)
    result = []
    for index in range(count):
        kind = (talk_tcp, talk_udp, talk_tcp, talk_icmp, talk_other)[index % 5]
        if kind is talk_other:
            side, version, hosts, protocol = ways.pop()
            talk = Talk(random, numbers, side, version, hosts)
            talk_other(talk, protocol)
        else:
            talk = Talk(random, numbers, random.choice((LEFT, RIGHT)), random.choice((4, 6)), (random.choice(HOSTS), random.choice(HOSTS)))
            kind(talk)
        result.append(talk.sent)
    return result


def rounds(talks):
    """The first packet of each, then the second of each, …: within a round the order is of no meaning."""
    return [[talk[turn] for talk in talks if turn < len(talk)] for turn in range(max(map(len, talks)))]
