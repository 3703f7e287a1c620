# SPDX-License-Identifier: Apache-2.0
"""Callers who are not root. The kernel notes who a caller is when it connects, so only that is done by a process of the
user's; its connection then comes here."""
import socket
import subprocess

from .control import Control

_CONNECT = """
import socket, sys
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try:
    connection.connect(sys.argv[1])
except OSError as error:
    sys.exit(str(error))
socket.send_fds(socket.socket(fileno=0), [b"!"], [connection.fileno()])
"""


def control_as(daemon, uid, gid, groups=()):
    """A Control whose caller has these ids; PermissionError when the socket file keeps it out."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        supplementary = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
        done = subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(gid), *supplementary, "--inh-caps=-all",
                               "/usr/bin/python3", "-I", "-c", _CONNECT, str(daemon.socket)],
                              stdin=theirs, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip())
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    return Control(connected=socket.socket(fileno=descriptors[0]))
