# SPDX-License-Identifier: Apache-2.0
"""Policy on one node: a firewall pod is the only door between two segments, one of them closed by default; a pod that lies about
its address, and one that is put into quarantine."""
import contextlib
import socket

from demo_table import Table
from lib.netns import Namespace, pod

PORT, OTHER_PORT = 5432, 5433
CLERK, MALLORY, DATABASE, WEB = "10.3.0.10", "10.3.0.66", "10.4.0.10", "10.4.0.11"
DOOR = {"office": "10.3.0.1", "vault": "10.4.0.1"}  # the firewall pod's address in each segment
PODS = (("clerk", "office", CLERK), ("mallory", "office", MALLORY), ("db", "vault", DATABASE), ("web", "vault", WEB))
MACS = {name: f"02:00:00:00:03:{number:02x}" for number, (name, _, _) in enumerate(PODS, 1)}


def connects(client, server, address, port):
    """Whether a TCP connection is there within half a second."""
    with server.entered():
        listener = socket.create_server(("", port))
    with listener, client.entered(), contextlib.suppress(OSError):
        socket.create_connection((address, port), timeout=0.5).close()
        return True
    return False


@contextlib.contextmanager
def firewall_pod(control):
    """Routes between its two legs, and does nothing else: what may pass is the switch's to say."""
    with Namespace("firewall") as namespace:
        for number, (segment, address) in enumerate(DOOR.items(), 1):
            group = {"group": "door"} if segment == "vault" else {}
            control.call("port.add", name=f"door-{segment}", type="tap", netns=namespace.path, ifname=f"net{number}", segment=segment, **group)
            namespace.add_addresses(f"net{number}", f"{address}/24")
        open_door(namespace, True)
        try:
            yield namespace
        finally:
            for segment in DOOR:
                with contextlib.suppress(Exception):
                    control.call("port.remove", name=f"door-{segment}")


def open_door(firewall, is_open):
    firewall.run("sysctl", "-q", "-w", f"net.ipv4.ip_forward={int(is_open)}")


@contextlib.contextmanager
def lodger(control, name, segment, address):
    """A pod whose way to other segments is the door, and that is believed nothing but its own addresses."""
    group = {"group": name} if segment == "vault" else {}
    with pod(control, name, segment, f"{address}/24", mac=MACS[name], macs=[MACS[name]], ips=[address + "/32"], security="strict",
             **group) as namespace:
        namespace.ip("route", "add", "default", "via", DOOR[segment])
        yield namespace


def configure(control):
    for vni, (name, fields) in enumerate({"office": {}, "vault": {"default_policy": "deny"}, "quarantine": {}}.items(), 301):
        control.call("segment.add", name=name, vni=vni, **fields)
    for number, group in enumerate(("door", "db", "web"), 1):
        control.call("group.add", segment="vault", name=group, id=number)
    control.call("policy.add", segment="vault", name="door-to-db", order=100, action="allow", protocol="tcp", dst_ports=[str(PORT)],
                 **{"from": {"groups": ["door"]}, "to": {"groups": ["db"]}})


def show_door(table, pods, firewall):
    def tcp(what, client, port, expected):
        seen = connects(pods[client], pods["db"], DATABASE, port)
        table.row(what, "connects" if expected else "no answer", "connects" if seen else "no answer", seen == expected)

    tcp(f"office -> vault: TCP {PORT} to the database, through the door", "clerk", PORT, True)
    tcp(f"office -> vault: TCP {OTHER_PORT} to the database", "clerk", OTHER_PORT, False)
    table.reach("office -> vault: ping the database", pods["clerk"].echoes(DATABASE, deadline=1), expected=False)
    tcp(f"vault: TCP {PORT} from its own web pod, which no rule names", "web", PORT, False)
    open_door(firewall, False)
    tcp(f"office -> vault: TCP {PORT} while the door forwards nothing", "clerk", PORT, False)
    open_door(firewall, True)


def show_spoofing(table, control, pods):
    mallory = pods["mallory"]
    table.reach("office: mallory pings the door as itself", mallory.echoes(DOOR["office"]))
    mallory.ip("address", "add", f"{CLERK}/32", "dev", "net1")
    table.reach("office: mallory pings the door as the clerk", mallory.echoes(DOOR["office"], "-I", CLERK, deadline=1), expected=False)
    spoofed = sum(row["packets"] for row in control.call("drop.list", port="mallory")["items"] if row["reason"].startswith("spoofed_"))
    table.row("office: what mallory said as the clerk was counted", "spoofed", "spoofed" if spoofed else "not counted", spoofed > 0)


def show_quarantine(table, control, pods):
    control.call("port.move", name="clerk", segment="quarantine")
    table.reach("quarantine: the clerk, moved there live, pings the door", pods["clerk"].echoes(DOOR["office"], deadline=1), expected=False)
    control.call("port.move", name="clerk", segment="office")
    table.reach("office: the clerk, moved back, pings the door", pods["clerk"].echoes(DOOR["office"]))


def show_verification(table, control):
    """What the switch itself says of the vault, where it can say it."""
    methods = {method["name"]: method for method in control.call("rpc.discover")["methods"]}
    if not methods.get("segment.verify", {}).get("x-built-in", False):
        return
    pairs = control.call("segment.verify", name="vault")["pairs"]
    for pair in pairs:
        seen = "can reach" if pair["reachable"] else "can't reach"
        table.row(f"segment verify vault: {pair['from']} -> {pair['to']}", "can reach" if pair["intended"] else "can't reach", seen,
                  pair["reachable"] == pair["intended"])


def show_policy(stack, daemon):
    """With the switch of the part before. No switch and no pods to look around in, and how many rows are wrong."""
    control = stack.enter_context(daemon.control())
    configure(control)
    print("\npolicy on that switch: segment vault denies by default, and a firewall pod with a leg in office and in vault is the only\n"
          f"door; one rule lets it reach the database by TCP {PORT}")
    firewall = stack.enter_context(firewall_pod(control))
    pods = {name: stack.enter_context(lodger(control, name, segment, address)) for name, segment, address in PODS}
    table = Table()
    show_door(table, pods, firewall)
    show_spoofing(table, control, pods)
    show_quarantine(table, control, pods)
    show_verification(table, control)
    table.books("books again, with what policy dropped", [daemon])
    table.end()
    return [], {}, table.failed
