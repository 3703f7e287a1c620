# SPDX-License-Identifier: Apache-2.0
"""Pods: network namespaces with a TAP port of the switch inside."""
import contextlib
import ctypes
import itertools
import os
import socket
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)
ETH_P_ALL = 3
PACKET_OUTGOING = 4


def run(*command, check=True, timeout=30, **options):
    return subprocess.run(command, check=check, timeout=timeout, capture_output=True, text=True, **options)


class Namespace:
    def __init__(self, label="pod"):
        self.name = f"bh-{os.getpid()}-{label}-{next(_numbers)}"
        self.path = f"/run/netns/{self.name}"

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        run("ip", "netns", "del", self.name, check=False)

    def ip(self, *arguments, **options):
        return run("ip", "-n", self.name, *arguments, **options)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.name, *command, **options)

    def popen(self, *command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], **options)

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

    def wire(self, ifname="net1"):
        return Wire(self, ifname)

    def pings(self, address, count=3, deadline=5):
        """Whether every one of `count` pings is answered."""
        return self.run("ping", "-n", "-q", "-i", "0.05", "-c", str(count), "-w", str(deadline), address, check=False,
                        timeout=deadline + 10).returncode == 0


class Wire:
    """A raw socket on an interface: what a pod's own software could send and see."""

    def __init__(self, namespace, ifname):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind((ifname, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def receive(self, seconds, wanted=lambda frame: True, count=None):
        """Frames that came in within `seconds`, or until `count` wanted ones did."""
        frames = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and (count is None or len(frames) < count):
            self.socket.settimeout(left)
            try:
                frame, address = self.socket.recvfrom(70000)
            except TimeoutError:
                break
            if address[2] != PACKET_OUTGOING and wanted(frame):
                frames.append(frame)
        return frames


@contextlib.contextmanager
def pod(control, name, segment, address=None, ifname="net1", label=None, **port):
    """A namespace with a TAP port attached to `segment`; gone at the end, port first."""
    with Namespace(label or name) as namespace:
        control.call("port.add", name=name, type="tap", netns=namespace.path, ifname=ifname, segment=segment, **port)
        try:
            if address:
                namespace.ip("address", "add", address, "dev", ifname)
            yield namespace
        finally:
            with contextlib.suppress(Exception):
                control.call("port.remove", name=name)
