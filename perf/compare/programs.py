# SPDX-License-Identifier: Apache-2.0
"""What can be measured, by key."""
import sys
from pathlib import Path

from .bridge import LinuxBridge
from .bulkheadd import Bulkhead
from .mover import Mover
from .openvswitch import OpenVswitch
from .program import Program
from .testpmd import Testpmd

SUBJECT = Bulkhead.key
TITLES = {program.key: program.title for program in (Testpmd, Mover, OpenVswitch, LinuxBridge, Bulkhead)}
PEERS = tuple(key for key in TITLES if key != SUBJECT)


def present(peers: list[str], build: Path) -> list[Program]:
    """This switch and those of its peers that are asked for, if they are here; what is skipped is said."""
    switch = build / "bulkheadd"
    possible: list[Program] = [Testpmd(), Mover(build / "perf" / "rig", switch), OpenVswitch(), LinuxBridge()]
    wanted = [*(program for program in possible if program.key in peers), Bulkhead(switch)]
    found = []
    for program in wanted:
        if why := program.missing():
            print(f"skipped: {program.title}: {why}", file=sys.stderr)
        else:
            found.append(program)
    return found
