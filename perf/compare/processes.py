# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive the measurement, however it ends."""
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class MeasurementFailed(Exception):
    """One run can't be had; the message is for people."""


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def child(command: list[str], log: Path, env: dict[str, str] | None = None,
          answers: bool = False) -> Iterator[subprocess.Popen]:
    """Starts `command` and ends it on the way out. `answers`: its standard output is for us, not for the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE if answers else output,
                                   stderr=output,
                                   env={**os.environ, **(env or {})}, start_new_session=True,
                                   preexec_fn=_die_with_parent)
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def keep_off(pid: int, worker_core: int, core: int) -> None:
    """Moves every thread to `core` but those that pinned themselves to `worker_core`."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            if os.sched_getaffinity(int(thread.name)) != {worker_core}:
                os.sched_setaffinity(int(thread.name), {core})
        except ProcessLookupError:
            continue


def wait_for(what: str, ready: Callable[[], bool], process: subprocess.Popen, log: Path, timeout_s: float = 30) -> None:
    """Polls until `ready`; gives up when the process ends or the time is over, with the end of its log."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if ready():
                return
        except OSError:
            pass  # the socket is not there yet
        if process.poll() is not None:
            raise MeasurementFailed(f"{process.args[0]} ended with {process.returncode} before {what}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"{process.args[0]}: no {what} within {timeout_s:.0f} s:\n{tail(log)}")
        time.sleep(0.05)


def tail(log: Path, lines: int = 12) -> str:
    return "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-lines:])


def run(command: list[str], env: dict[str, str] | None = None, timeout_s: float = 60) -> str:
    """Runs a short command and returns its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise MeasurementFailed(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout
