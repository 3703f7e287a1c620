# SPDX-License-Identifier: Apache-2.0
"""A second opinion on frames: Wireshark's dissectors."""
import json
import subprocess
import tempfile

from .frames import write_pcap

WARNING = 0x600000  # PI_WARN of epan/proto.h; notes and chat are below
BAD_CHECKSUMS = {"0", "4"}  # bad and illegal, of proto_checksum_vals
# Off by default, since cards often fill checksums in behind the capture; here none do.
PREFERENCES = ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE")


def dissect(frames, *preferences):
    """The layers of every frame; what occurs more than once, as the inner and the outer IP header do, is a list.
    `preferences`: more of Wireshark's, as udp.ignore_ipv6_zero_checksum:TRUE."""
    with tempfile.NamedTemporaryFile(prefix="bulkhead-", suffix=".pcap") as file:
        write_pcap(file.name, frames)
        options = [word for preference in (*PREFERENCES, *preferences) for word in ("-o", preference)]
        done = subprocess.run(["tshark", "-n", "-r", file.name, "-T", "json", "--no-duplicate-keys", *options], check=True,
                              capture_output=True, text=True, timeout=60)
    packets = [packet["_source"]["layers"] for packet in json.loads(done.stdout)]
    assert len(packets) == len(frames)
    return packets


def fields(node, name):
    """All values of a field, from outside to inside."""
    if isinstance(node, list):
        return [value for each in node for value in fields(each, name)]
    if not isinstance(node, dict):
        return []
    found = []
    for key, value in node.items():
        if key == name:
            found += value if isinstance(value, list) else [value]
        found += fields(value, name)
    return found


def complaints(packet):
    """What is wrong with a dissected packet: malformed layers, bad checksums, warnings and errors of the dissectors."""
    wrong = ["malformed"] * len(fields(packet, "_ws.malformed"))
    for layer in ("ip", "udp", "tcp", "icmp", "icmpv6"):
        wrong += [f"{layer} checksum" for status in fields(packet, f"{layer}.checksum.status") if status in BAD_CHECKSUMS]
    for expert in fields(packet, "_ws.expert"):
        if int(expert["_ws.expert.severity"]) >= WARNING:
            wrong.append(expert["_ws.expert.message"])
    return wrong
