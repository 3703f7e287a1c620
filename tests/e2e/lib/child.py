# SPDX-License-Identifier: Apache-2.0


def dies_with_us(command):
    """The command, killed when its parent ends: who kills the test run leaves no program of it behind. By setpriv rather
    than Popen's preexec_fn, which would run Python between fork and exec, where Ctrl-C finds it too."""
    return ["setpriv", "--pdeathsig", "KILL", *command]
