# SPDX-License-Identifier: Apache-2.0
"""README.md says what to type: here it is typed, line by line, as root in a fresh folder. /run and the state folder are
private to the test, so that a switch of the machine's own is not disturbed."""
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from lib.child import dies_with_us
from lib.daemon import BUILD
from lib.notify import Notifications
from lib.wait import output_with, until

ROOT = pathlib.Path(__file__).parents[2]
PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
STATE = pathlib.Path("/var/lib/bulkhead")
BY_OTHERS = ("sudo scripts/demo", "sudo scripts/test", "sudo scripts/bench", "sudo scripts/deps", "meson setup build ")
OWN_MOUNTS = f"mount -t tmpfs none /run && mount -t tmpfs none {STATE} && echo mounted && exec sleep infinity"


def commands():
    """The lines of all fenced blocks, without their comments."""
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]


class Reader:
    """Someone who types what he reads."""

    def __init__(self, folder, holder):
        self.folder, self.holder = folder, holder

    def command(self, line):
        # With the root, too, or nsenter would leave a chroot. Tests run as root, where sudo may not be installed.
        process = f"/proc/{self.holder.pid}"
        return ["nsenter", f"--mount={process}/ns/mnt", f"--root={process}/root", f"--wd={process}/root",
                "bash", "-c", f'sudo() {{ "$@"; }}\ncd {self.folder}\n{line}']

    def types(self, line):
        done = subprocess.run(self.command(line), capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stderr == "", (line, done)
        return done.stdout


@pytest.fixture
def reader(tmp_path):
    for name, target in (("build", BUILD), ("configs", ROOT / "configs"), ("scripts", ROOT / "scripts")):
        (tmp_path / name).symlink_to(target)
    pages, made = PAGES.read_text(), not STATE.exists()
    STATE.mkdir(exist_ok=True)
    holder = subprocess.Popen(dies_with_us(["unshare", "--mount", "sh", "-c", OWN_MOUNTS]), stdout=subprocess.PIPE)
    try:
        output_with(holder, "mounted")
        yield Reader(tmp_path, holder)
    finally:
        holder.kill()
        holder.communicate()
        PAGES.write_text(pages)
        if made:
            STATE.rmdir()


@pytest.fixture
def start(reader):
    """Starts a line that stays in the foreground, and waits until the switch is ready; Ctrl-C ends it."""
    notifications = Notifications(reader.folder / "notify.sock")
    running = []

    def start(line):
        environment = {**os.environ, "NOTIFY_SOCKET": str(notifications.path)}
        process = subprocess.Popen(dies_with_us(["env", "--default-signal=INT", *reader.command("exec " + line.removeprefix("sudo "))]),
                                   env=environment, start_new_session=True)
        running.append(process)
        pidfd = os.pidfd_open(process.pid)
        try:
            notifications.wait_for("READY=1", pidfd, 30)
        finally:
            os.close(pidfd)

    try:
        yield start
        for process in running:
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(20) == 0
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
        notifications.close()


def test_every_line_works(reader, start):
    said = {}
    for line in commands():
        if line.startswith(BY_OTHERS):
            continue
        if "build/bulkheadd " in line:
            start(line)
        else:
            said[line] = reader.types(line + " -n 1" if line.endswith(" top") else line)
    assert len(said) >= 8, "the blocks were not found"
    listed = next(text for line, text in said.items() if line.endswith("port list"))
    assert re.search(r"^shop-0 .* up ", listed, re.M) and re.search(r"^vm-0 ", listed, re.M), listed
    answer = json.loads(next(text for line, text in said.items() if "socat" in line))
    assert {entry["segment"] for entry in answer["result"]["items"]} <= {"green"}
    until(lambda: re.search(r"^web-0 .* up ", reader.types("build/bulkheadctl port list"), re.M), 20, "the pod of the configuration")


@pytest.mark.parametrize("script", ["demo", "test", "bench", "hugepages", "lint"])
def test_scripts_say_what_they_do_before_they_do_anything(script):
    for argument, code in (("--help", 0), ("--no-such-option", 2)):
        done = subprocess.run([ROOT / "scripts" / script, argument], capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": "/usr/bin:/bin"})
        assert done.returncode == code and script in (done.stdout if code == 0 else done.stderr), (script, argument, done)
