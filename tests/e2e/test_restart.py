# SPDX-License-Identifier: Apache-2.0
"""What a switch was told outlives a restart, a kill at any moment, a reboot, and a damaged disk."""
import contextlib
import hashlib
import json
import re
import shutil
import threading

import pytest

from lib.control import Refused
from lib.daemon import Daemon, running
from lib.netns import Namespace, run
from lib.wait import until

NOT_FOUND, NOT_READY = -32001, -32007


def segments_of(daemon):
    with daemon.control() as control:
        return {segment["name"]: segment for segment in control.call("config.get")["segments"]}


def whole(daemon):
    with daemon.control() as control:
        return control.call("config.get")


# ---- killed amid changes ----

class Writer(threading.Thread):
    """Tells the switch, version by version, the whole state of one owner: version n has n segments and n ports, all of
    which say n. So a state on disk shows which version it is, and whether it is whole."""

    def __init__(self, daemon, owner, first_vni, versions, reached):
        super().__init__()
        self.daemon, self.owner, self.first_vni, self.versions, self.reached = daemon, owner, first_vni, versions, reached
        self.sent = self.acknowledged = 0

    def config(self, version):
        return {"version": 1,
                "segments": [{"name": f"{self.owner}-{i}", "vni": self.first_vni + i, "mtu": 1000 + version} for i in range(version)],
                "ports": [{"name": f"{self.owner}-{i}", "type": "vhost-user", "path": f"/run/bh-{self.owner}-{i}.sock",
                           "mtu": 1000 + version, "segment": f"{self.owner}-{i}"} for i in range(version)]}

    def run(self):
        with contextlib.suppress(OSError), self.daemon.control() as control:
            for version in range(1, self.versions + 1):
                self.sent = version
                control.call("config.apply", owner=self.owner, config=self.config(version))
                self.acknowledged = version
                self.reached()

    def version_in(self, config):
        """The version that is in force, which must be a whole one."""
        mine = [o for kind in ("segments", "ports") for o in config[kind] if o["owner"] == self.owner]
        version = len(mine) // 2
        assert len(mine) == 2 * version and {o["mtu"] for o in mine} <= {1000 + version}, "half a change"
        return version


@pytest.mark.parametrize("changes", [1, 33, 70])
def test_killed_amid_changes_of_two_clients(changes):
    with running() as daemon:
        enough = threading.Event()
        writers = []
        reached = lambda: sum(w.acknowledged for w in writers) >= changes and enough.set()
        writers += [Writer(daemon, "left", 1000, 50, reached), Writer(daemon, "right", 2000, 50, reached)]
        for writer in writers:
            writer.start()
        assert enough.wait(60)
        daemon.kill()
        for writer in writers:
            writer.join(20)
        daemon.start()
        config = whole(daemon)
        for writer in writers:
            assert writer.acknowledged <= writer.version_in(config) <= writer.sent
        with daemon.control() as control:
            generation = control.call("system.get")["generation"]
            assert generation == sum(writer.version_in(config) for writer in writers)
            assert control.call("segment.add", name="after", vni=1)["generation"] == generation + 1


def test_groups_and_rules_come_back(tmp_path):
    with running() as daemon:
        with daemon.control() as control:
            for name, vni in (("blue", 1), ("red", 2)):
                control.call("segment.add", name=name, vni=vni, default_policy="deny")
            control.call("group.add", segment="blue", name="web", id=10)
            control.call("port.add", name="web-0", type="vhost-user", path=str(tmp_path / "web.sock"), segment="blue", group="web")
            control.call("policy.add", segment="blue", name="out", order=7, action="redirect", to_port="web-0", protocol="tcp",
                         dst_ports=["443", "8000-8080"], **{"from": {"groups": ["web"], "ips": ["10.1.0.0/16", "2001:db8::/32"]}})
            control.call("policy.add", segment="red", name="ping", order=1, action="allow", protocol="icmpv6", icmp_types=[128], stateful=False)
        before = whole(daemon)
        assert (len(before["groups"]), len(before["policies"])) == (1, 2)
        daemon.kill()
        daemon.start()
        assert whole(daemon) == before
        with daemon.control() as control:
            assert [rule["state"]["status"] for rule in control.call("policy.list")["items"]] == ["active", "active"]
            assert control.call("group.get", segment="blue", name="web")["state"]["members"] == [{"port": "web-0", "vlan": None}]
            assert not control.call("config.apply", config=before)["changes"]


# ---- damaged state ----

@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A state folder as a kill leaves it: segments a, then a and b, then a, b and c were saved."""
    with running() as daemon:
        with daemon.control() as control:
            for vni, name in enumerate("abc", 1):
                control.call("segment.add", name=name, vni=vni)
        daemon.kill()
        folder = tmp_path_factory.mktemp("written")
        shutil.copytree(daemon.state, folder / "state")
    yield folder / "state"


@pytest.fixture
def stopped(written, tmp_path):
    """A daemon that has not been started yet, on a copy of that folder."""
    daemon = Daemon(tmp_path)
    shutil.copytree(written, daemon.state)
    yield daemon
    daemon.stop()


def with_header(content, **fields):
    header, body = content.split(b"\n", 1)
    return json.dumps({**json.loads(header), **fields}, separators=(",", ":")).encode() + b"\n" + body


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[:-20],
    "truncated in the header": lambda content: content[:10],
    "longer": lambda content: content + b" ",
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "wrong checksum": lambda content: with_header(content, crc32="00000000"),
    "other generation": lambda content: with_header(content, generation=2),
    "zeros": lambda content: bytes(len(content)),
    "no state": lambda content: b'{"segments": []}\n',
    "newer format": lambda content: with_header(content, format=2),
}


def fingerprint(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name.startswith("state")}


def assert_refuses_and_recovers(daemon):
    """Start says which file is bad and which is good and touches neither; recovery starts from the good one."""
    before = fingerprint(daemon.state)
    code, said = daemon.fails_to_start()
    assert code == 1
    assert len(said.splitlines()) == 1, said
    assert f"{daemon.state}/state.json " in said and f"{daemon.state}/state.previous.json" in said and "--recover" in said, said
    assert fingerprint(daemon.state) == before
    daemon.arguments = ["--recover"]
    daemon.start()
    assert set(segments_of(daemon)) == {"a", "b"}
    with daemon.control() as control:
        control.call("segment.add", name="d", vni=4)
    assert daemon.stop() == 0
    daemon.arguments = []
    daemon.start()
    assert set(segments_of(daemon)) == {"a", "b", "d"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_refused_and_recovered_from(stopped, damage):
    file = stopped.state / "state.json"
    bad = DAMAGES[damage](file.read_bytes())
    file.write_bytes(bad)
    assert_refuses_and_recovers(stopped)
    aside = list(stopped.state.glob("state.json.corrupt-*"))
    assert [file.read_bytes() for file in aside] == [bad], "the bad file is kept for whoever wants to look at it"


def test_a_missing_state_is_refused_and_recovered_from(stopped):
    (stopped.state / "state.json").unlink()
    assert_refuses_and_recovers(stopped)


def test_nothing_to_recover_from(stopped):
    for name in ("state.json", "state.previous.json"):
        (stopped.state / name).write_bytes(b"lost\n")
    before = fingerprint(stopped.state)
    for arguments in ([], ["--recover"]):
        stopped.arguments = arguments
        code, said = stopped.fails_to_start()
        assert code == 1 and "state.json" in said, said
        assert fingerprint(stopped.state) == before


def test_recovery_of_a_sound_state_changes_nothing(stopped):
    stopped.arguments = ["--recover"]
    stopped.start()
    assert set(segments_of(stopped)) == {"a", "b", "c"}
    assert not list(stopped.state.glob("*.corrupt-*"))


def test_leftovers_of_a_killed_save_do_not_matter(stopped):
    (stopped.state / "state.json.new").write_bytes(b'{"format":1,"gener')
    stopped.start()
    assert set(segments_of(stopped)) == {"a", "b", "c"}
    with stopped.control() as control:
        control.call("segment.remove", name="c")
    stopped.kill()
    stopped.start()
    assert set(segments_of(stopped)) == {"a", "b"}


def test_two_daemons_do_not_share_a_state_folder_or_a_socket(tmp_path):
    with running() as first:
        second = Daemon(tmp_path)
        second.state = first.state
        code, said = second.fails_to_start()
        assert code == 1 and "another bulkheadd" in said and str(first.process.pid) in said, said
        second.state, second.socket = tmp_path / "state", first.socket
        code, said = second.fails_to_start()
        assert code == 1 and "another bulkheadd" in said, said
        assert segments_of(first) == {}


def test_a_full_disk_refuses_the_change(tmp_path):
    """The folder is a file system with no room left: the change is refused, nothing is lost, and it works again later."""
    state = tmp_path / "state"
    state.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", str(state))
    daemon = Daemon(tmp_path)
    try:
        daemon.start()
        with daemon.control() as control:
            control.call("segment.add", name="a", vni=1)
            with open(state / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(512))
            with pytest.raises(Refused) as refusal:
                control.call("config.apply", owner="big", config={"version": 1, "segments": [
                    {"name": f"s{i}", "vni": 100 + i} for i in range(200)]})
            assert "state.json" in refusal.value.message, refusal.value
            assert set(segments_of(daemon)) == {"a"}
            (state / "filler").unlink()
            control.call("segment.add", name="b", vni=2)
        daemon.kill()
        daemon.start()
        assert set(segments_of(daemon)) == {"a", "b"}
    finally:
        daemon.stop()
        run("umount", "-l", str(state))


# ---- pods ----

def stop(daemon):
    assert daemon.stop() == 0


def kill(daemon):
    daemon.kill()


@contextlib.contextmanager
def two_pods(daemon):
    """Two pods of segment blue, whose ports are not removed at the end: the namespaces take them along."""
    with contextlib.ExitStack() as stack, daemon.control() as control:
        control.call("segment.add", name="blue", vni=100)
        pods = []
        for number in (1, 2):
            namespace = stack.enter_context(Namespace(f"p{number}"))
            control.call("port.add", name=f"p{number}", type="tap", netns=namespace.path, ifname="net1", segment="blue",
                         **({"mac": "02:00:00:00:00:01"} if number == 1 else {}))
            namespace.ip("address", "add", f"10.9.0.{number}/24", "dev", "net1")
            pods.append(namespace)
        yield pods


def interface(namespace):
    link, = json.loads(namespace.ip("-j", "address", "show", "dev", "net1").stdout)
    return link["address"], sorted(a["local"] for a in link["addr_info"]), link["ifindex"], link["mtu"]


@pytest.mark.parametrize("end", [stop, kill], ids=["planned", "killed"])
def test_pods_keep_their_interfaces_and_go_on(end):
    with running() as daemon, two_pods(daemon) as (one, two):
        assert one.pings("10.9.0.2")
        before = [interface(one), interface(two)]
        end(daemon)
        assert [interface(one), interface(two)] == before, "the interface goes with the switch"
        daemon.start()
        assert [interface(one), interface(two)] == before
        assert one.pings("10.9.0.2") and two.pings("10.9.0.1")


@pytest.mark.parametrize("end", [stop, kill], ids=["planned", "killed"])
def test_namespaces_that_are_gone_are_waited_for(end):
    """As after a reboot: /run is empty, pods come later and one by one."""
    with running() as daemon:
        with two_pods(daemon) as (one, two):
            end(daemon)
        daemon.start()
        with daemon.control() as control, contextlib.ExitStack() as stack:
            for port, namespace in (("p1", one), ("p2", two)):
                state = control.call("port.get", name=port)["state"]
                assert state["status"] == "waiting" and namespace.path in state["reason"], state
            control.call("events.subscribe", kinds=["port.opened"])
            for number, (port, namespace) in enumerate((("p1", one), ("p2", two)), 1):
                stack.enter_context(namespace)
                assert control.next_event("port.opened")["port"] == port
                namespace.ip("address", "add", f"10.9.0.{number}/24", "dev", "net1")
                until(lambda: control.call("port.get", name=port)["state"]["status"] == "up", 10, f"{port} is up")
            assert one.pings("10.9.0.2")
            assert interface(one)[0] == "02:00:00:00:00:01"


def test_a_waiting_port_can_be_removed_and_its_segment_too():
    with running() as daemon:
        with two_pods(daemon):
            daemon.kill()
        daemon.start()
        with daemon.control() as control:
            control.call("port.remove", name="p1")
            control.call("port.remove", name="p2")
            control.call("segment.remove", name="blue")
        assert whole(daemon)["ports"] == []


def test_sigterm_amid_requests_ends_cleanly():
    with running() as daemon:
        writer = Writer(daemon, "busy", 1000, 1000, lambda: None)
        started = threading.Event()
        writer.reached = started.set
        writer.start()
        assert started.wait(20)
        assert daemon.stop() == 0
        writer.join(20)
        assert not daemon.socket.exists()
        daemon.start()
        assert writer.acknowledged <= writer.version_in(whole(daemon)) <= writer.sent


# ---- the file ----

def test_objects_of_the_file_win():
    with running() as daemon:
        with daemon.control() as control:
            control.call("segment.add", name="blue", vni=500)
            control.call("segment.add", name="green", vni=7)
            control.call("segment.add", name="mine", vni=8)
            control.call("port.add", name="p", type="vhost-user", path="/run/bh-p.sock", segment="green")
        assert daemon.stop() == 0
        daemon.config["segments"] = [{"name": "blue", "vni": 100}, {"name": "other", "vni": 7}]
        daemon.start()
        segments = segments_of(daemon)
        assert (segments["blue"]["vni"], segments["blue"]["owner"]) == (100, "file"), "one name: that of the file"
        with daemon.control() as control:
            assert control.call("segment.get", name="other")["state"]["status"] == "active"
            assert control.call("segment.get", name="mine")["state"]["status"] == "active"
            green = control.call("segment.get", name="green")["state"]
            assert green["status"] == "waiting" and "other" in green["reason"], "one VNI: that of the file"
            assert control.call("port.get", name="p")["state"]["status"] == "waiting"
            with pytest.raises(Refused):
                control.call("config.apply", owner="file", config={"version": 1})
            control.call("config.apply", owner="me", config={"version": 1})
        assert "gives way" in daemon.tail() and '"blue"' in daemon.tail()
        # The file lets go of the VNI: what waited comes into force.
        assert daemon.stop() == 0
        daemon.config["segments"] = []
        daemon.start()
        with daemon.control() as control:
            assert control.call("segment.get", name="green")["state"]["status"] == "active"
            with pytest.raises(Refused):
                control.call("segment.get", name="other")


# ---- changes that must be confirmed ----

@pytest.fixture
def trial():
    """A switch with segment old, on trial without it and with segment new instead."""
    with running() as daemon, daemon.control() as control:
        control.call("config.apply", owner="me", config={"version": 1, "segments": [{"name": "old", "vni": 1}]})
        yield daemon, control


NEW = {"version": 1, "segments": [{"name": "new", "vni": 1}]}


def test_not_confirmed_is_rolled_back(trial):
    daemon, control = trial
    control.call("events.subscribe", kinds=["config.rolled_back"])
    tried = control.call("config.apply", owner="me", config=NEW, confirm_within_s=1)
    assert set(segments_of(daemon)) == {"new"}
    with pytest.raises(Refused) as refusal:
        control.call("segment.add", name="later", vni=2)
    assert refusal.value.code == NOT_READY and refusal.value.data["retryable"]
    event = control.next_event("config.rolled_back")
    assert event["generation"] == tried["generation"] + 1
    assert set(segments_of(daemon)) == {"old"}
    control.call("segment.add", name="later", vni=2)
    daemon.kill()
    daemon.start()
    assert set(segments_of(daemon)) == {"old", "later"}


def test_confirmed_stays(trial):
    daemon, control = trial
    tried = control.call("config.apply", owner="me", config=NEW, confirm_within_s=60)
    assert control.call("config.confirm")["generation"] == tried["generation"]
    with pytest.raises(Refused) as refusal:
        control.call("config.confirm")
    assert refusal.value.code == NOT_FOUND
    daemon.kill()
    daemon.start()
    assert set(segments_of(daemon)) == {"new"}


@pytest.mark.parametrize("end", [stop, kill], ids=["planned", "killed"])
def test_ended_before_it_is_confirmed(trial, end):
    daemon, control = trial
    tried = control.call("config.apply", owner="me", config=NEW, confirm_within_s=60)
    end(daemon)
    daemon.start()
    assert set(segments_of(daemon)) == {"old"}
    with daemon.control() as again:
        assert again.call("system.get")["generation"] > tried["generation"], "one number must not mean two things"


def test_rolled_back_pods_keep_their_addresses():
    with running() as daemon, two_pods(daemon) as (one, two), daemon.control() as control:
        before = interface(one)
        control.call("events.subscribe", kinds=["config.rolled_back"])
        control.call("config.apply", config={"version": 1}, confirm_within_s=1)
        assert control.call("port.list")["items"] == []
        control.next_event("config.rolled_back")
        assert interface(one) == before
        assert one.pings("10.9.0.2")


def test_log_names_what_waits():
    with running() as daemon:
        with two_pods(daemon):
            daemon.kill()
        daemon.start()
        assert re.search(r'port "p1" waits: .*namespace', daemon.tail())
