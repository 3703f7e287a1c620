# SPDX-License-Identifier: Apache-2.0
"""The Linux kernel's VXLAN."""
import contextlib
import itertools

from ..cable import FAR
from ..netns import Namespace

_numbers = itertools.count(1)


class KernelPeer(Namespace):
    """A node behind a cable, whose end has the underlay addresses. Without a VLAN: not every host's kernel has them."""

    def connect(self, addresses):
        self.add_addresses(FAR, addresses)

    @contextlib.contextmanager
    def station(self, vni, local, remote, address=None, mac=None, mtu=1430, dst_port=4789, options=(), silent=False):
        """A namespace behind a VXLAN device of this node. The device is made here and moved there: its outer packets go on
        through this node, so several stations of one node may have equal addresses. `options`: more of `ip link`'s, as
        udpcsum."""
        with Namespace(f"vni{vni}") as namespace:
            if silent:
                namespace.silence()
            device = f"vx{next(_numbers)}"
            self.ip("link", "add", device, *(["address", mac] if mac else []), "mtu", str(mtu), "type", "vxlan", "id", str(vni),
                    "local", local, "remote", remote, "dev", FAR, "dstport", str(dst_port), *options)
            self.ip("link", "set", device, "netns", namespace.name)
            namespace.ip("link", "set", device, "name", "net1")
            namespace.ip("link", "set", "net1", "up")
            namespace.add_addresses("net1", address)
            yield namespace
