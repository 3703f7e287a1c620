# SPDX-License-Identifier: Apache-2.0
"""Network namespaces without a name: a child process has each, and it is gone with that, however the measurement ends.

So are its interfaces, persistent TAPs too.
"""
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import processes


@dataclass(frozen=True)
class Namespace:
    holder: subprocess.Popen
    log: Path

    @property
    def path(self) -> Path:
        return Path(f"/proc/{self.holder.pid}/ns/net")

    def inside(self, command: list[str]) -> list[str]:
        """The command that runs `command` there, as the same process."""
        return ["nsenter", f"--net={self.path}", *command]

    def ip(self, *arguments: str) -> str:
        return processes.run(self.inside(["ip", *arguments]))

    def received_bytes(self) -> dict[str, int]:
        """By interface, all that there are."""
        links = json.loads(self.ip("-json", "-statistics", "link", "show"))
        return {link["ifname"]: link["stats64"]["rx"]["bytes"] for link in links}


@contextmanager
def namespace(name: str, folder: Path) -> Iterator[Namespace]:
    """An empty one until the context ends; `name` is its log's alone."""
    log = folder / f"{name}.log"
    with processes.child(["unshare", "--net", "sh", "-c", "echo made; exec cat"], log, answers=True) as holder:
        if not holder.stdout.readline():
            raise processes.MeasurementFailed(f"no network namespace can be made:\n{processes.tail(log)}")
        yield Namespace(holder, log)
