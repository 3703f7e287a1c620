# SPDX-License-Identifier: Apache-2.0
"""A VLAN device for kernels that have none: a TAP whose frames get their tag from us on their way through another device."""
import contextlib
import fcntl
import os
import select
import struct
import threading

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


@contextlib.contextmanager
def tagged_device(namespace, vlan, addresses, mtu, beneath="net1"):
    """Device vlanN of the namespace, whose kernel speaks by it as it does by any other."""
    name, tag = f"vlan{vlan}", struct.pack("!HH", 0x8100, vlan)
    with namespace.entered():
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    namespace.ip("link", "set", name, "mtu", str(mtu), "up")
    namespace.add_addresses(name, addresses)
    stopped, stop = os.pipe()

    def carry(wire):
        while True:
            ready = select.select([stopped, tap, wire.socket], [], [])[0]
            if stopped in ready:
                return
            if tap in ready:
                frame = os.read(tap, 65536)
                wire.send(frame[:12] + tag + frame[12:])
            if wire.socket in ready:
                frame = wire.next()
                if frame and frame[12:16] == tag:
                    os.write(tap, frame[:12] + frame[16:])

    with namespace.wire(beneath) as wire:
        thread = threading.Thread(target=carry, args=(wire,))
        thread.start()
        try:
            yield name
        finally:
            os.write(stop, b"x")
            thread.join()
            for descriptor in (tap, stopped, stop):
                os.close(descriptor)
