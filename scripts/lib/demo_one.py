# SPDX-License-Identifier: Apache-2.0
"""One node: pods and a guest of two segments with the same addresses, and who reaches whom."""
import re
import time

from demo_table import PINGS, Table, iperf
from guest import Guest, build
from lib.daemon import BUILD, running
from lib.netns import pod

PODS = (  # name, segment, address, MAC: both segments use the same ones
    ("blue-web", "blue", "10.1.0.1", "02:00:00:00:00:01"),
    ("blue-db", "blue", "10.1.0.2", "02:00:00:00:00:02"),
    ("red-web", "red", "10.1.0.1", "02:00:00:00:00:01"),
    ("red-db", "red", "10.1.0.2", "02:00:00:00:00:02"),
)
ONLY_RED, GUEST, LATE = "10.1.0.9", "10.1.0.20", "10.1.0.3"


def show_pods(table, pods):
    for segment in ("blue", "red"):
        web, database = pods[f"{segment}-web"], pods[f"{segment}-db"]
        table.reach(f"{segment}: ping 10.1.0.1 -> 10.1.0.2", web.echoes("10.1.0.2"))
        speed = iperf(database, web, "10.1.0.2")
        table.row(f"{segment}: iperf3 TCP 10.1.0.1 -> 10.1.0.2", "runs", f"{speed:,.0f} Mbit/s", speed > 0)


def show_isolation(table, pods):
    pods["red-db"].ip("address", "add", f"{ONLY_RED}/24", "dev", "net1")
    table.reach(f"red: {ONLY_RED}, an address that only red has", pods["red-web"].echoes(ONLY_RED))
    table.reach(f"blue -> red: ping {ONLY_RED}", pods["blue-web"].echoes(ONLY_RED, deadline=1), expected=False)


def show_live_port(table, control, pods):
    started = time.monotonic()
    with pod(control, "blue-late", "blue", f"{LATE}/24") as late:
        took = (time.monotonic() - started) * 1000
        table.reach(f"blue: a port added live ({took:.0f} ms) pings 10.1.0.1", late.echoes("10.1.0.1"))
        table.reach("blue: the new port pings an address of red", late.echoes(ONLY_RED, deadline=1), expected=False)


def show_guest(table, guest, pods):
    def guest_reaches(address):
        text = guest.run(f"ping -c {PINGS} -A -w 3 {address}", check=False).text
        return int(re.search(r"(\d+) packets received", text)[1])

    table.reach(f"blue: pod pings the Linux guest {GUEST}", pods["blue-web"].echoes(GUEST, deadline=10))
    table.reach("blue: the guest pings pod 10.1.0.2", guest_reaches("10.1.0.2"))
    table.reach(f"blue -> red: the guest pings {ONLY_RED}", guest_reaches(ONLY_RED), expected=False)
    table.reach(f"red -> blue: pod pings the guest {GUEST}", pods["red-web"].echoes(GUEST, deadline=1), expected=False)
    process = pods["blue-db"].popen("iperf3", "-s", "-1", "--forceflush", stdout=-1)
    try:
        next(line for line in process.stdout if b"listening" in line)
        text = guest.run("iperf3 -c 10.1.0.2 -t 2", check=False, timeout=30).text
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    speed = re.search(r"([\d.]+ \wbits/sec).*receiver", text)
    table.row("blue: iperf3 TCP guest -> pod (software emulation)", "runs", speed[1] if speed else "failed", bool(speed))


def show_one_node(stack, with_guest):
    """The switch, its pods and how many rows are wrong."""
    images = build(BUILD / "guest-images") if with_guest else None
    daemon = stack.enter_context(running(check_books=False))  # a row tells of them
    control = stack.enter_context(daemon.control())
    control.call("segment.add", name="blue", vni=100)
    control.call("segment.add", name="red", vni=200)
    print("one switch, one worker; segments blue (VNI 100) and red (VNI 200) with the same IP and MAC addresses in both")
    pods = {name: stack.enter_context(pod(control, name, segment, f"{address}/24", mac=mac))
            for name, segment, address, mac in PODS}
    guest = None
    if images:
        path = f"{daemon.folder}/vhost/guest.sock"
        control.call("port.add", name="blue-vm", type="vhost-user", path=path, segment="blue")
        print("booting a Linux guest (QEMU, Debian kernel, its own virtio-net driver)", flush=True)
        guest = stack.enter_context(Guest(socket=path, images=images, ip=[f"{GUEST}/24"]))
    table = Table()
    show_pods(table, pods)
    show_isolation(table, pods)
    show_live_port(table, control, pods)
    if guest:
        show_guest(table, guest, pods)
    table.books("books: every frame delivered, consumed or counted as dropped", [daemon])
    table.end()
    return [daemon], pods, table.failed
