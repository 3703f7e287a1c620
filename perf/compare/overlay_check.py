# SPDX-License-Identifier: Apache-2.0
"""Were the frames of an overlay case really encapsulated and decapsulated, and by known MACs? The counters tell.

A frame that left the NIC longer by the outer header than it came from the pod can't have gone another way, and one that
was not flooded has its station in the MAC table.
"""
import time

from . import traffic, tunnelled
from .processes import MeasurementFailed
from .program import Counts, Running

_SECONDS = 0.5
_SLACK = 0.05  # the ports' counters are read one after the other
_STRAYS = 50  # a node has some to say by itself: it announces its address


def check(running: Running, encapsulates: bool, decapsulates: bool, flows: int) -> None:
    """Port 0 is the pod's and 1 the NIC; MeasurementFailed says what is wrong."""
    before = running.counts()
    time.sleep(_SECONDS)
    pod, nic = (_grown(*both) for both in zip(before, running.counts()))
    is_switch = running.stations is not None
    inner, outer = traffic.FRAME_BYTES, tunnelled.FRAME_BYTES
    _check_way("from pod to NIC", encapsulates, pod, nic, inner, outer if is_switch else inner)
    _check_way("from NIC to pod", decapsulates, nic, pod, outer, inner if is_switch else outer)
    if is_switch:
        _check_stations(running, flows)


def _grown(before: Counts, after: Counts) -> Counts:
    return Counts(*(now - then for now, then in zip(vars(after).values(), vars(before).values())))


def _check_way(way: str, is_used: bool, origin: Counts, target: Counts, bytes_in: int, bytes_out: int) -> None:
    if not is_used:
        if target.transmitted > _STRAYS:
            raise MeasurementFailed(f"{way}: {target.transmitted} frames went where none should")
        return
    if not origin.received or abs(target.transmitted / origin.received - 1) > _SLACK:
        raise MeasurementFailed(f"{way}: {target.transmitted} frames went of {origin.received} that came")
    for side, size, wanted in (("came", origin.received_bytes / origin.received, bytes_in),
                               ("went", target.transmitted_bytes / target.transmitted, bytes_out)):
        if abs(size - wanted) > 0.5:
            raise MeasurementFailed(f"{way}: frames of {size:.1f} bytes {side} instead of {wanted}")


def _check_stations(running: Running, flows: int) -> None:
    for where, known in zip(("the pod's port", "the tunnel"), running.stations()):
        if known != flows:
            raise MeasurementFailed(f"{known} MACs are known behind {where} instead of {flows}")
