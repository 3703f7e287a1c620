# SPDX-License-Identifier: Apache-2.0
"""What runs that were killed left behind: it bears the id of a process that is no more."""
import os
import pathlib
import re
import shutil
import subprocess


def _in_memory(folder):
    """Whether a file system is one of memory. As on every installed system /run is; in a container it may be on a disk,
    where closing a socket that was removed can wait for seconds until its blocks are given back."""
    return subprocess.run(["stat", "-f", "-c", "%T", folder], check=True, capture_output=True, text=True).stdout.strip() == "tmpfs"


FOLDERS = pathlib.Path(next((folder for folder in ("/run", "/dev/shm") if _in_memory(folder)), "/run"))
NAMESPACES = pathlib.Path("/run/netns")


def folder_prefix():
    return f"bulkhead-test-{os.getpid()}-"


def namespace_prefix():
    return f"bh-{os.getpid()}-"


def orphans(where, pattern):
    """Entries of a folder whose name tells of a process that has ended."""
    named = [(path, re.fullmatch(pattern, path.name)) for path in (where.iterdir() if where.is_dir() else ())]
    return [path for path, match in named if match and not pathlib.Path(f"/proc/{match[1]}").exists()]


def sweep():
    for path in orphans(FOLDERS, r"bulkhead-test-(\d+)-.*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in orphans(NAMESPACES, r"bh-(\d+)-.*"):
        if path.is_symlink():  # of a test's own; `ip` would take what it points to for the namespace
            path.unlink()
        else:
            subprocess.run(["ip", "netns", "del", path.name], check=False, capture_output=True)
