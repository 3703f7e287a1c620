# SPDX-License-Identifier: Apache-2.0
"""What runs that were killed left behind: it bears the id of a process that is no more."""
import os
import pathlib
import re
import shutil
import subprocess

FOLDERS = pathlib.Path("/run")
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
