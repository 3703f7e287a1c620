# SPDX-License-Identifier: Apache-2.0
"""iperf3 between two namespaces: one run of TCP, and what it and the switch took of the cores meanwhile."""
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import processes, window
from .namespace import Namespace
from .processes import MeasurementFailed
from .program import Running

WARM_UP_S = 1  # not counted: TCP finds its window
_FLOWING_BYTES = 1 << 20
# The two clocks are not one: the account of the cores begins after iperf3's and ends before it.
_MARGIN_S = 0.2


@dataclass(frozen=True)
class Transfer:
    """What the client is told; both ways: as many streams back."""

    streams: int
    both_ways: bool

    def options(self, seconds: float) -> list[str]:
        """iperf3 knows whole seconds only. No intervals: the report is of the whole."""
        return ["--omit", str(WARM_UP_S), "--time", str(math.ceil(seconds)), "--parallel", str(self.streams),
                *(["--bidir"] if self.both_ways else []), "--json", "--interval", "0", "--connect-timeout", "10000"]


@contextmanager
def server(where: Namespace, folder: Path) -> Iterator[int]:
    """Serves one client; yields its process id."""
    log = folder / "server.log"
    with processes.child(where.inside(["iperf3", "--server", "--one-off", "--forceflush"]), log) as process:
        processes.wait_for("word that it listens", lambda: "listening" in log.read_text(), process, log)
        yield process.pid


def measure(transfer: Transfer, seconds: float, ends: tuple[Namespace, Namespace], address: str, interface: str,
            running: Running, folder: Path) -> dict:
    """From the first of `ends` to the second, which has `address` on `interface`."""
    log, length = folder / "client.json", math.ceil(seconds)
    command = ends[0].inside(["iperf3", "--client", address, *transfer.options(seconds)])
    with server(ends[1], folder) as server_pid, processes.child(command, log) as client:
        processes.wait_for("bytes", lambda: ends[1].received_bytes()[interface] > _FLOWING_BYTES, client, log)
        who = {"client": [client.pid], "server": [server_pid], "switch": [running.pid], "ksoftirqd": _ksoftirqd()}
        time.sleep(WARM_UP_S + _MARGIN_S)
        before, began = _seconds(who), time.monotonic()
        time.sleep(length - 2 * _MARGIN_S)
        after, ended = _seconds(who), time.monotonic()
        client.wait(timeout=length + 30)
    cores = {name: (after[name] - before[name]) / (ended - began) for name in who}
    return {**figures(log.read_text(), sum(cores.values())), "cores_of": cores}


def figures(report: str, cores: float) -> dict:
    """Of iperf3's JSON, and the cores that were busy."""
    try:
        told = json.loads(report)
    except ValueError:
        raise MeasurementFailed(f"iperf3 gave no report: {report.strip()[-200:]}") from None
    if "error" in told:
        raise MeasurementFailed(f"iperf3: {told['error']}")
    received, sent = ([told["end"][f"sum_{what}{way}"] for way in ("", "_bidir_reverse")
                       if f"sum_{what}{way}" in told["end"]] for what in ("received", "sent"))
    gbps = sum(way["bits_per_second"] for way in received) / 1e9
    if gbps == 0:
        raise MeasurementFailed("iperf3: no byte came within the window")
    return {"gbps": gbps, "cores": cores, "gbit_per_core_s": gbps / cores,
            "retransmits": sum(way.get("retransmits", 0) for way in sent)}


def _seconds(who: dict[str, list[int]]) -> dict[str, float]:
    return {name: sum(sum(window.thread_seconds(pid).values()) for pid in pids) for name, pids in who.items()}


def _ksoftirqd() -> list[int]:
    """The kernel's threads for what softirqs could not finish in the time of whoever caused them."""
    return [int(comm.parent.name) for comm in Path("/proc").glob("[0-9]*/comm") if _is_ksoftirqd(comm)]


def _is_ksoftirqd(comm: Path) -> bool:
    try:
        return comm.read_text().startswith("ksoftirqd/")
    except OSError:
        return False  # it ended meanwhile
