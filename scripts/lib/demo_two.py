# SPDX-License-Identifier: Apache-2.0
"""Two nodes and a cable: segments that span both, with the same addresses in each, and who reaches whom."""
from demo_table import Table, iperf
from lib.nodes import two_nodes

WEB, DB, ONLY_RED = "10.1.0.1", "10.1.0.2", "10.1.0.9"
MACS = {"web": "02:00:00:00:00:01", "db": "02:00:00:00:00:02"}


def show_segments(table, pods):
    for segment in ("blue", "red"):
        web, database = pods[f"{segment}-web"], pods[f"{segment}-db"]
        table.reach(f"{segment}: ping {WEB} on edge-1 -> {DB} on edge-2", web.echoes(DB))
        table.reach(f"{segment}: ping {DB} on edge-2 -> {WEB} on edge-1", database.echoes(WEB))
        speed = iperf(database, web, DB)
        table.row(f"{segment}: iperf3 TCP edge-1 -> edge-2", "runs", f"{speed:,.0f} Mbit/s", speed > 0)


def show_isolation(table, pods):
    pods["red-db"].ip("address", "add", f"{ONLY_RED}/24", "dev", "net1")
    table.reach(f"red: {ONLY_RED} on edge-2, an address that only red has", pods["red-web"].echoes(ONLY_RED))
    table.reach(f"blue -> red: ping {ONLY_RED}", pods["blue-web"].echoes(ONLY_RED, deadline=1), expected=False)


def show_two_nodes(stack):
    """The switches, their pods and how many rows are wrong."""
    nodes = stack.enter_context(two_nodes(check_books=False))  # a row tells of them
    print("\ntwo switches, edge-1 and edge-2, each in a network namespace, and a veth cable between them; segments blue and red\n"
          "span both (VXLAN), with the same IP and MAC addresses in each")
    pods = {f"{segment}-{role}": stack.enter_context(node.pod(f"{segment}-{role}", segment, f"{address}/24", mac=MACS[role]))
            for segment in ("blue", "red") for node, role, address in zip(nodes, ("web", "db"), (WEB, DB))}
    table = Table()
    show_segments(table, pods)
    show_isolation(table, pods)
    table.books("books of both: every frame delivered, consumed or counted", [node.daemon for node in nodes])
    table.end()
    return [node.daemon for node in nodes], pods, table.failed
