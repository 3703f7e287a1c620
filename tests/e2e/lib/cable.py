# SPDX-License-Identifier: Apache-2.0
"""Cables between a NIC port of the switch and a namespace: a NIC without the hardware."""
import contextlib
import itertools
import json
import os

from .netns import Namespace, run

FAR = "far"  # the peer's end, in its namespace
_numbers = itertools.count(1)


NIC_OF_ALL = os.environ.get("BULKHEAD_TEST_NIC", "")  # like profile=mlx5


def simulated(wire, name, arguments):
    """A device behind a simulated SmartNIC, if there are arguments for one."""
    return f"net_simnic_{name},wire=({wire}),{arguments}" if arguments else wire


class Cable:
    """A veth pair. The near end, in `near_space` or the daemon's own namespace, is driven by net_af_packet: no offload, no
    descriptor to wait on. That and net_tap of DPDK 22.11 take no frame beyond 1,518 bytes. Larger ones go by net_pcap, up
    to 9,000 bytes."""

    def __init__(self, far_space, near_space=None, mac=None, mtu=1500, nic=None):
        """`nic`: what stands before the near end, as arguments of net_simnic; else what the whole run has before all."""
        self.far_space, self.near_space, self.mac, self.mtu = far_space, near_space, mac, mtu
        self.near = f"bhv{os.getpid() % 100000}-{next(_numbers)}"
        device = "net_af_packet_{0},iface={0}" if mtu <= 1500 else "net_pcap_{0},rx_iface_in={0},tx_iface={0}"
        self.devargs = simulated(device.format(self.near), self.near, nic if nic is not None else NIC_OF_ALL)

    def __enter__(self):
        try:
            self._at_near("ip", "link", "add", self.near, "mtu", str(self.mtu), "type", "veth",
                          "peer", "name", FAR, "mtu", str(self.mtu), "netns", self.far_space.name)
            # This end is the switch's: no kernel has a say there.
            self._at_near("sysctl", "-q", "-w", f"net.ipv6.conf.{self.near}.disable_ipv6=1", f"net.ipv4.conf.{self.near}.forwarding=0")
            self._at_near("ip", "link", "set", self.near, "up", "arp", "off")
            self.far_space.ip("link", "set", FAR, "up", *(["address", self.mac] if self.mac else []))
            # A veth would hand on checksums undone and segments uncut, as no cable does, and net_af_packet does not say which.
            self.far_space.run("ethtool", "-K", FAR, "tx", "off")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._at_near("ip", "link", "del", self.near, check=False)

    def _at_near(self, *command, **options):
        return self.near_space.run(*command, **options) if self.near_space else run(*command, **options)


def mac_of(space, ifname=FAR):
    return json.loads(space.ip("-j", "link", "show", ifname).stdout)[0]["address"]


@contextlib.contextmanager
def nic(control, name, cable, **port):
    """The switch's end of a cable as a port."""
    control.call("port.add", name=name, type="ethdev", devargs=cable.devargs, **port)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            control.call("port.remove", name=name)


@contextlib.contextmanager
def veth_port(control, name, segment=None, address=None, mac=None, silent=False, **port):
    """A namespace behind a cable on a NIC port of `segment`."""
    if segment:
        port["segment"] = segment
    with Namespace(name) as namespace:
        if silent:
            namespace.silence()
        with Cable(namespace, mac=mac) as cable:
            namespace.add_addresses(FAR, address)
            with nic(control, name, cable, **port):
                yield namespace
