# SPDX-License-Identifier: Apache-2.0
import time


def until(condition, what, seconds=10):
    """Waits for what no event tells of; returns what `condition` answered at last."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return answer
