# SPDX-License-Identifier: Apache-2.0
"""Waiting for what will come true, never for a time that should be long enough."""
import os
import select
import time


def until(condition, seconds=5, what="it", pause=0.01):
    """Returns the first true value of condition(), or fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(pause)


def best_of_three(measure, limit):
    """The least of up to three measurements, done as soon as one is within the limit: on a shared machine one that took too
    long may be a neighbour's fault, but three are ours."""
    least = measure()
    for _ in range(2):
        if least <= limit:
            break
        least = min(least, measure())
    return least


def output_with(process, text, seconds=10):
    """Reads what the process prints until `text` is in it."""
    deadline = time.monotonic() + seconds
    seen = b""
    while text.encode() not in seen:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        data = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not data:
            raise AssertionError(f"no {text!r} within {seconds} s, only {seen.decode(errors='replace')!r}")
        seen += data
    return seen.decode(errors="replace")
