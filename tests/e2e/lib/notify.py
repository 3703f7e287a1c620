# SPDX-License-Identifier: Apache-2.0
"""systemd's end of sd_notify(3), with a test in the place of systemd."""
import select
import socket
import time


class Ended(Exception):
    """The service is gone, and had not said what it was waited for."""


class Notifications:
    """What one process of a service says, on a socket at `path`."""

    def __init__(self, path):
        path.unlink(missing_ok=True)
        self.path = path
        self.said = []  # every line so far
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()
        self.path.unlink(missing_ok=True)

    def everything(self):
        """All lines up to now."""
        while True:
            try:
                self.said += self.socket.recv(65536).decode().splitlines()
            except BlockingIOError:
                return self.said

    def wait_for(self, line, pidfd, seconds, times=1):
        """Until `line` was said so often. Ended when the process has ended without, TimeoutError when it takes longer."""
        deadline = time.monotonic() + seconds
        while self.everything().count(line) < times:
            ready, _, _ = select.select([self.socket, pidfd], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no {line} within {seconds} s, only {self.said}")
            if pidfd in ready and self.everything().count(line) < times:
                raise Ended(f"ended before {line}, after {self.said}")
