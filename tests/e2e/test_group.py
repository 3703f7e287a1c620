# SPDX-License-Identifier: Apache-2.0
"""Callers who are not root, as docs/operations.md has it: the group `bulkhead`, and who is in it. The group file is the
switch's alone, so that none of the machine's is touched."""
import pathlib

import pytest
from lib.control import Refused
from lib.daemon import running
from lib.user import control_as

BULKHEAD, USER = 64300, 64301
ROLES = [{"group": "bulkhead", "role": "operator"}]  # as in configs/pods.json


def sees_groups(folder, *lines):
    """A wrapper that shows a program these groups beside the machine's own."""
    others = [line for line in pathlib.Path("/etc/group").read_text().splitlines() if not line.startswith("bulkhead:")]
    file = folder / "group"
    file.write_text("\n".join([*others, *lines, ""]))
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {file} /etc/group && exec "$@"', "sh"]


def test_members_of_the_group_come_in_and_have_its_role(tmp_path):
    with running(node={"roles": ROLES}, wrapper=sees_groups(tmp_path, f"bulkhead:x:{BULKHEAD}:")) as daemon:
        daemon.folder.chmod(0o711)
        assert (daemon.socket.stat().st_gid, daemon.socket.stat().st_mode & 0o777) == (BULKHEAD, 0o660)
        with control_as(daemon, USER, USER, [BULKHEAD]) as control:
            control.call("segment.add", name="blue", vni=100)
            with pytest.raises(Refused):
                control.call("system.shutdown")
        with pytest.raises(PermissionError):
            control_as(daemon, USER, USER)


def test_without_the_group_only_root_comes_in(tmp_path):
    with running(node={"roles": ROLES}, wrapper=sees_groups(tmp_path)) as daemon:
        daemon.folder.chmod(0o711)
        assert daemon.socket.stat().st_gid == 0
        assert 'there is no group "bulkhead"' in daemon.tail()
        with pytest.raises(PermissionError):
            control_as(daemon, USER, USER, [BULKHEAD])
