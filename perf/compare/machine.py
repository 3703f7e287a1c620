# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on: the machine, the commit, and its mood at the moment (the canary)."""
import json
import os
import platform
import re
import subprocess
from pathlib import Path

from .processes import MeasurementFailed, run


def canary(program: Path, core: int) -> dict:
    """`tsc_hz`, and TSC cycles per dependent memory access and per multiplication, on `core` just now."""
    if not program.exists():
        raise MeasurementFailed(f"{program} is not built (ninja -C build perf/canary)")
    return json.loads(run(["taskset", "--cpu-list", str(core), str(program)]))


def describe() -> dict:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    os_release = platform.freedesktop_os_release()
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": os_release.get("PRETTY_NAME", "unknown"),
        "hypervisor": _hypervisor(),
        "hugepages": _meminfo("HugePages_Total"),
        "memory_mib": _meminfo("MemTotal") // 1024,
    }


def commit(repository: Path) -> str:
    """The commit's short name, `-dirty` with changes on top."""
    return _said(["git", "-c", f"safe.directory={repository}", "-C", str(repository), "describe", "--always", "--dirty",
                  "--abbrev=12"])


def _meminfo(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found.group(1)) if found else 0


def _hypervisor() -> str:
    return _said(["systemd-detect-virt"])


def _said(command: list[str]) -> str:
    """What a program says that a small machine may not have: no measurement fails for it."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip() or "unknown"
