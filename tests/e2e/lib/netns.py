# SPDX-License-Identifier: Apache-2.0
"""Pods: network namespaces with a TAP port of the switch inside."""
import contextlib
import ctypes
import itertools
import os
import re
import socket
import struct
import subprocess
import time

from .child import dies_with_us
from .leftovers import namespace_prefix

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_AUXDATA = 263, 8
AUXDATA = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata of linux/if_packet.h
TP_STATUS_VLAN_VALID = 1 << 4


def run(*command, check=True, timeout=30, **options):
    return subprocess.run(command, check=check, timeout=timeout, capture_output=True, text=True, **options)


class Namespace:
    def __init__(self, label="pod"):
        self.name = f"{namespace_prefix()}{label}-{next(_numbers)}"
        self.path = f"/run/netns/{self.name}"

    def __enter__(self):
        try:
            run("ip", "netns", "add", self.name)
            self.ip("link", "set", "lo", "up")
        except BaseException:  # Ctrl-C too: nobody else would take it away
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run("ip", "netns", "del", self.name, check=False)

    def ip(self, *arguments, **options):
        return run("ip", "-n", self.name, *arguments, **options)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.name, *command, **options)

    def popen(self, *command, **options):
        return subprocess.Popen(dies_with_us(["ip", "netns", "exec", self.name, *command]), **options)

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace; sockets opened meanwhile belong to it."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(self.path, os.O_RDONLY)
        try:
            if _libc.setns(other, 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            _libc.setns(own, 0)
            os.close(own)
            os.close(other)

    def add_addresses(self, ifname, addresses):
        """`addresses`: one, a list of them or None."""
        for each in [addresses] if isinstance(addresses, str) else addresses or []:
            self.ip("address", "add", each, "dev", ifname, *(["nodad"] if ":" in each else []))

    def silence(self):
        """No word of the kernel's own: interfaces made from now on have no IPv6, whose hosts announce themselves."""
        self.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")

    def counter(self, ifname, name):
        """A counter of an interface, as rx_packets."""
        return int(self.run("cat", f"/sys/class/net/{ifname}/statistics/{name}").stdout)

    def wire(self, ifname="net1"):
        return Wire(self, ifname)

    def echoes(self, address, *options, count=3, deadline=5):
        """How many pings are answered, until `count` are or `deadline` seconds are over. 0 says that none was: a ping that
        could not even be tried is an error."""
        done = self.run("ping", "-n", "-q", "-i", "0.05", "-c", str(count), "-w", str(deadline), *options, address, check=False,
                        timeout=deadline + 10)
        report = re.search(r"(\d+) received", done.stdout)
        if not report:
            raise RuntimeError(f"ping {address}: {done.stderr.strip() or done.stdout.strip()}")
        return int(report[1])

    def pings(self, address, *options, count=3, deadline=5):
        """Whether `count` pings are answered in time. Its opposite is echoes() == 0: one answer is one too many there."""
        return self.echoes(address, *options, count=count, deadline=deadline) >= count


class Wire:
    """A raw socket on an interface: what a pod's own software could send and see."""

    def __init__(self, namespace, ifname):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((ifname, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def receive(self, seconds, wanted=lambda frame: True, count=None):
        """Frames that are here or come in within `seconds`, or until `count` wanted ones did."""
        frames = []
        deadline = time.monotonic() + seconds
        while count is None or len(frames) < count:
            self.socket.settimeout(max(0, deadline - time.monotonic()))  # 0: what is queued, and no waiting
            try:
                frame = self.next()
            except (TimeoutError, BlockingIOError):
                break
            if frame is not None and wanted(frame):
                frames.append(frame)
        return frames

    def receive_before(self, end, seconds=5):
        """Frames that come in before the one with `end` in it. A pod's frames come in order, so what is not among them does
        not come any more: silence without a guess at how long to listen."""
        frames = []
        while not frames or end not in frames[-1]:
            more = self.receive(seconds, count=1)
            assert more, f"{end} does not come, only {frames}"
            frames += more
        return frames[:-1]

    def next(self):
        """The next frame as it was on the wire, or None for one that this side sent."""
        frame, notes, _, address = self.socket.recvmsg(70000, socket.CMSG_SPACE(AUXDATA.size))
        if address[2] == PACKET_OUTGOING:
            return None
        for level, kind, data in notes:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, *_, tci, ethertype = AUXDATA.unpack_from(data)
                if status & TP_STATUS_VLAN_VALID:  # the kernel took the tag out of the frame
                    return frame[:12] + struct.pack("!HH", ethertype, tci) + frame[12:]
        return frame


@contextlib.contextmanager
def pod(control, name, segment=None, address=None, ifname="net1", label=None, silent=False, **port):
    """A namespace with a TAP port attached to `segment`; gone at the end, port first. `address`: one or a list."""
    if segment:
        port["segment"] = segment
    with Namespace(label or name) as namespace:
        if silent:
            namespace.silence()
        control.call("port.add", name=name, type="tap", netns=namespace.path, ifname=ifname, **port)
        try:
            namespace.add_addresses(ifname, address)
            yield namespace
        finally:
            with contextlib.suppress(Exception):
                control.call("port.remove", name=name)
