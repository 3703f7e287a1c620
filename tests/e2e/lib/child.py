# SPDX-License-Identifier: Apache-2.0
import ctypes
import signal

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For Popen's preexec_fn: who kills the test run leaves no program of it behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
