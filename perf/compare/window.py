# SPDX-License-Identifier: Apache-2.0
"""One measurement: counters at the beginning and at the end of a window, and the time the worker had its core.

That time, not the clock on the wall, is what the frames cost: whoever else runs on the machine takes the core away now
and then, and a worker that polls uses all it is given. The kernel accounts it per thread to within a tick (4 ms).
"""
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .processes import MeasurementFailed
from .program import Frames, Running

# A run that had less of its core than this says more about the neighbours than about the program.
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Sample:
    received: int
    transmitted: int
    wall_s: float
    core_s: float

    def cycles_per_packet(self, tsc_hz: float) -> float:
        return tsc_hz * self.core_s / self.transmitted

    @property
    def mpps(self) -> float:
        """A second of the worker's core."""
        return self.transmitted / self.core_s / 1e6

    def as_dict(self, tsc_hz: float) -> dict:
        return {**asdict(self), "cycles_per_packet": self.cycles_per_packet(tsc_hz), "mpps": self.mpps}


def measure(running: Running, frames: Frames, warm_up_s: float, seconds: float) -> Sample:
    """`frames`: what the program's ports received and transmitted, whoever counts it."""
    running.wait_for("frames moved", lambda: frames()[1] > 0)
    time.sleep(warm_up_s)
    threads, wall = thread_seconds(running.pid), time.monotonic()
    received, transmitted = frames()
    time.sleep(seconds)
    received_after, transmitted_after = frames()
    threads_after, wall_after = thread_seconds(running.pid), time.monotonic()
    # The one worker is the thread that worked most.
    core_s = max(after - threads.get(thread, 0.0) for thread, after in threads_after.items())
    sample = Sample(received_after - received, transmitted_after - transmitted, wall_after - wall, core_s)
    if sample.transmitted == 0:
        raise MeasurementFailed("no frame was moved within the window")
    if core_s < LEAST_SHARE * sample.wall_s:
        raise MeasurementFailed(f"the worker had its core for only {core_s:.2f} of {sample.wall_s:.2f} s")
    return sample


def thread_seconds(pid: int) -> dict[str, float]:
    """Time on a core by thread: the first number of schedstat (Documentation/scheduler/sched-stats.rst)."""
    seconds = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            seconds[thread.name] = int((thread / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue  # it ended meanwhile
    return seconds
