# SPDX-License-Identifier: Apache-2.0
"""bulkheadd in a folder of its own."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .child import dies_with_us
from .control import Control
from .leftovers import FOLDERS, folder_prefix
from .notify import Ended, Notifications

BUILD = pathlib.Path(os.environ.get("BULKHEAD_BUILD", pathlib.Path(__file__).parents[3] / "build"))
DRIVER = BUILD / "pmd/simnic/librte_net_simnic.so"
MEMORY_MIB = 256


def books(stats):
    """Per worker, what the books of the architecture don't account for: 0 when they balance."""
    return [w["received"] + w["originated"] + w["copies"] - w["transmitted"] - w["consumed"] - w["dropped"] - w["held"]
            for w in stats["workers"]]


class Daemon:
    def __init__(self, folder, node=None, config=None, arguments=(), environment=None, wrapper=()):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.socket = self.folder / "control.sock"
        self.log = self.folder / "bulkheadd.log"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.wrapper = list(wrapper)  # a command that becomes the one behind it
        self.process = None
        self.notifications = None
        self.config = {"version": 1, "node": {"name": "test", "cores": "1", "memory_mib": MEMORY_MIB,
                                              "netns_roots": ["/run/netns"], "vhost_roots": [str(self.folder / "vhost")]}}
        self.config["node"].update(node or {})
        if os.environ.get("BULKHEAD_TEST_NIC"):
            self.config["node"].setdefault("eal_args", ["-d", str(DRIVER)])
        self.config.update(config or {})
        (self.folder / "vhost").mkdir(exist_ok=True)

    @property
    def command(self):
        return [*self.wrapper, str(BUILD / "bulkheadd"), "--config", str(self.folder / "bulkhead.json"), "--state-dir", str(self.state),
                "--socket", str(self.socket), *self.arguments]

    def spawn(self):
        (self.folder / "bulkhead.json").write_text(json.dumps(self.config))
        self.close()
        self.notifications = Notifications(self.folder / "notify.sock")
        environment = {**os.environ, "NOTIFY_SOCKET": str(self.notifications.path), **self.environment}
        with open(self.log, "ab") as log:
            # In a session of its own: Ctrl-C is for the run, which then ends the switch in its turn.
            self.process = subprocess.Popen(dies_with_us(self.command), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment, start_new_session=True)
        return self

    def start(self, timeout=30):
        """Until the switch says that it is ready, as it would to systemd; then it answers at once."""
        self.spawn()
        try:
            self.hears("READY=1", timeout)
        except Ended:
            raise RuntimeError(f"bulkheadd ended with {self.process.wait()}:\n{self.tail()}") from None
        except TimeoutError:
            raise TimeoutError(f"bulkheadd is not ready:\n{self.tail()}") from None
        with self.control() as control:
            control.call("system.get")
        return self

    def replace(self, timeout=30):
        """A second one takes the place of the first, as `bulkheadd --replace` by hand. Returns the first one's exit code."""
        first, ready = self.process, self.notifications.everything().count("READY=1")
        with open(self.log, "ab") as log:
            environment = {**os.environ, "NOTIFY_SOCKET": str(self.notifications.path), **self.environment}
            self.process = subprocess.Popen(dies_with_us([*self.command, "--replace"]), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment, start_new_session=True)
        self.hears("READY=1", timeout, ready + 1)
        return first.wait(timeout)

    def hears(self, line, seconds=10, times=1):
        """Waits until the switch has told its service manager `line` so often."""
        pidfd = os.pidfd_open(self.process.pid)
        try:
            self.notifications.wait_for(line, pidfd, seconds, times)
        finally:
            os.close(pidfd)

    def close(self):
        """Listens to it no more."""
        if self.notifications:
            self.notifications.close()
            self.notifications = None

    def fails_to_start(self, timeout=30):
        """The exit code and what was said on the way out, of a start that must not succeed."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.spawn()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"bulkheadd started, or hangs:\n{self.tail()}") from None
        return code, self.log.read_bytes()[before:].decode()

    def audit(self):
        """The audit log, line by line."""
        return [json.loads(line) for line in (self.state / "audit.log").read_text().splitlines()]

    def control(self, timeout=20):
        return Control(self.socket, timeout)

    def tail(self, size=4000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout=20):
        """Ends it as systemd would; returns the exit code."""
        if self.process is None or self.process.poll() is not None:
            return None if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"bulkheadd does not end on SIGTERM:\n{self.tail()}") from None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def books_off(self, timeout=2):
        """Per worker, by how much its books are off. At rest they balance; a frame may be under way when we look, so look
        again for a while."""
        deadline = time.monotonic() + timeout
        with self.control() as control:
            while True:
                missing = books(control.call("stats.get"))
                if not any(missing) or time.monotonic() > deadline:
                    return missing

    def assert_books_balance(self, timeout=2):
        missing = self.books_off(timeout)
        assert not any(missing), f"books of the workers are off by {missing}"

    def thread_cpu_seconds(self, thread_pattern):
        """User and system time of each thread whose name matches, by name and thread id."""
        spent = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            name = (task / "comm").read_text().strip()
            if re.search(thread_pattern, name):
                # To the nanosecond; the ticks of `stat` are too coarse for a thread that runs for microseconds.
                spent[f"{name}/{task.name}"] = int((task / "schedstat").read_text().split()[0]) / 1e9
        return spent

    def cpu_seconds(self, thread_pattern):
        """User and system time of the threads whose name matches."""
        return sum(self.thread_cpu_seconds(thread_pattern).values())


@contextlib.contextmanager
def running(node=None, config=None, arguments=(), environment=None, wrapper=(), check_books=True):
    folder = tempfile.mkdtemp(prefix=folder_prefix(), dir=FOLDERS)
    daemon = Daemon(folder, node, config, arguments, environment, wrapper)
    try:
        yield daemon.start()
        if check_books and daemon.alive():
            daemon.assert_books_balance()
    finally:
        try:
            daemon.stop()
        finally:
            daemon.close()
            shutil.rmtree(folder, ignore_errors=True)
