# SPDX-License-Identifier: Apache-2.0
"""Hostile frames, repeatable from a seed: what a guest could send to break out of its segment."""
import random
import struct

from .frames import BROADCAST, mac

TAGS = (0x8100, 0x8100, 0x8100, 0x8100, 0x88A8, 0x9100)
ETHERTYPES = (0x0800, 0x0806, 0x86DD, 0x88B5, 0x8809, 0x88CC, 0x8808, 0x0000, 0x05DC, 0xFFFF)
GROUPS = [mac(text) for text in (BROADCAST, "01:00:5e:00:00:01", "33:33:00:00:00:01", "01:80:c2:00:00:00", "01:80:c2:00:00:0e",
                                 "01:80:c2:00:00:10", "ff:ff:ff:ff:ff:fe")]


def mutants(count, known, vlans, seed=1):
    """`count` frames. `known`: addresses to aim at and to pretend to be; `vlans`: VLANs of the victims and of the sender."""
    dice = random.Random(seed)
    known = [mac(address) for address in known]

    def address(groups):
        throw = dice.random()
        if throw < 0.5:
            return dice.choice(known)
        return dice.choice(groups) if throw < 0.75 else dice.randbytes(6)

    def tag():
        vlan = dice.choice(vlans) if dice.random() < 0.8 else dice.choice((0, 1, 4095, dice.randrange(4096)))
        return struct.pack("!HH", dice.choice(TAGS), vlan | dice.randrange(16) << 12)

    for _ in range(count):
        frame = address(GROUPS) + address([bytes(6), *GROUPS[:2], *(dice.randbytes(6) for _ in range(3))])
        frame += b"".join(tag() for _ in range(dice.choice((0, 0, 0, 1, 1, 1, 1, 2, 3, 9))))
        frame += struct.pack("!H", dice.choice(ETHERTYPES) if dice.random() < 0.9 else dice.randrange(65536))
        size = dice.choice((0, 1, 46, 46, 64, 200)) if dice.random() < 0.98 else dice.choice((1500, 1501, 1600, 2200, 9000, 9300))
        frame += dice.randbytes(size)
        throw = dice.random()
        if throw < 0.1:
            frame = frame[:dice.randrange(min(24, len(frame)))]  # ends inside a header
        elif throw < 0.2:
            at = dice.randrange(len(frame))
            frame = frame[:at] + dice.randbytes(1) + frame[at + 1:]
        elif throw < 0.22:
            frame = dice.randbytes(len(frame))
        yield frame
