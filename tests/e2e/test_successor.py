# SPDX-License-Identifier: Apache-2.0
"""A switch that takes the place of the one that runs, and what it learned outlives a planned end."""
import contextlib
import os
import signal

import pytest
from lib.daemon import running
from lib.frames import ethernet
from lib.netns import pod, run
from lib.wait import until


def pid_of(switch):
    with switch.control() as control:
        return control.call("system.get")["pid"]


def learned(switch):
    with switch.control() as control:
        return {entry["mac"]: entry for entry in control.call("fdb.list")["items"] if not entry["static"]}


def test_sighup_starts_a_successor():
    with running() as switch:
        with switch.control() as control:
            control.call("segment.add", name="blue", vni=100)
        first = switch.process
        first.send_signal(signal.SIGHUP)
        assert first.wait(30) == 0
        successor = int(next(line for line in switch.notifications.everything() if line.startswith("MAINPID=")).removeprefix("MAINPID="))
        try:
            pidfd = os.pidfd_open(successor)
            with contextlib.closing(os.fdopen(pidfd)):
                switch.notifications.wait_for("READY=1", pidfd, 30, times=2)
            assert pid_of(switch) == successor != first.pid
            assert "STOPPING=1" not in switch.notifications.everything(), "the service goes on"
            with switch.control() as control:
                assert [segment["name"] for segment in control.call("config.get")["segments"]] == ["blue"]
                control.call("system.shutdown")
        finally:
            until(lambda: not os.path.exists(f"/proc/{successor}"), 20, "the end of the successor")


@pytest.mark.parametrize("what", ["configuration", "memory", "state"])
def test_one_that_can_not_come_up_leaves_the_other_alone(what):
    with running() as switch:
        with switch.control() as control:
            control.call("segment.add", name="blue", vni=100)
        pid, config = pid_of(switch), switch.folder / "bulkhead.json"
        if what == "configuration":
            config.write_text('{"version": 1, "segments": [{"name": "blue"}]}')
        elif what == "memory":
            config.write_text('{"version": 1, "node": {"cores": "1", "memory_mib": 65536}}')
        else:
            state = switch.state / "state.json"
            state.write_text(state.read_text().replace("blue", "bloe"))
        done = run(*switch.command, "--replace", check=False)
        assert done.returncode == 1
        assert {"configuration": "vni", "memory": "hugepages", "state": "damaged"}[what] in done.stdout + done.stderr
        assert pid_of(switch) == pid
        with switch.control() as control:
            assert [segment["name"] for segment in control.call("config.get")["segments"]] == ["blue"]


def test_with_nobody_to_replace_it_just_starts():
    with running(arguments=["--replace"]) as switch:
        assert pid_of(switch) == switch.process.pid
        assert "nobody serves" in switch.log.read_text()


@pytest.mark.parametrize("ending", ["stopped", "replaced", "killed"])
def test_what_was_learned_outlives_a_planned_end(ending):
    with running() as switch, contextlib.ExitStack() as stack, switch.control() as control:
        control.call("segment.add", name="blue", vni=100)
        for number, name in enumerate(("one", "two"), 1):
            namespace = stack.enter_context(pod(control, name, "blue", silent=True))
            stack.enter_context(namespace.wire()).send(ethernet(b"hello", f"02:00:00:00:00:0{number}"))
        until(lambda: len(learned(switch)) == 2, what="both to be known")
        before = {mac: entry["port"] for mac, entry in learned(switch).items()}
        assert before == {"02:00:00:00:00:01": "one", "02:00:00:00:00:02": "two"}
        if ending == "replaced":
            assert switch.replace() == 0
        else:
            switch.kill() if ending == "killed" else switch.stop()
            switch.start()
        after = {mac: entry["port"] for mac, entry in learned(switch).items()}
        assert after == ({} if ending == "killed" else before)
        assert not (switch.state / "learned-macs.json").exists(), "used once"
        control.close()
