# SPDX-License-Identifier: Apache-2.0
"""The configuration as a whole: the file, config.apply for one owner, and what start says when it can't be."""
import json
import pathlib
import subprocess

import pytest

from lib.control import Refused
from lib.daemon import BUILD, Daemon, running
from lib.netns import Namespace


@pytest.fixture(scope="module")
def daemon():
    with running(config={"segments": [{"name": "base", "vni": 1}]}) as daemon:
        yield daemon


@pytest.fixture
def control(daemon):
    with daemon.control() as control:
        yield control
        for owner in ("", "cni", "controller"):
            control.call("config.apply", owner=owner, config={"version": 1})


def config(*segments, ports=(), **more):
    return {"version": 1, "segments": [{"name": name, "vni": vni} for name, vni in segments], "ports": list(ports), **more}


def vhost(name, segment, **more):
    return {"name": name, "type": "vhost-user", "path": f"/run/bh-{name}.sock", "segment": segment, **more}


def changes(answer):
    return [(change["op"], change["kind"], change["name"]) for change in answer["changes"]]


def names(control, **filters):
    return [segment["name"] for segment in control.call("segment.list", **filters)["items"]]


# ---- config.apply ----

def test_apply_speaks_for_one_owner(control):
    control.call("config.apply", owner="controller", config=config(("blue", 100), ports=[vhost("b", "blue")]))
    control.call("config.apply", owner="cni", config=config(ports=[vhost("c", "blue")]))
    control.call("segment.add", name="red", vni=200)
    answer = control.call("config.apply", owner="controller", config=config(("blue", 100)))
    assert changes(answer) == [("remove", "port", "b")]
    assert [port["name"] for port in control.call("port.list")["items"]] == ["c"]
    assert names(control) == ["base", "blue", "red"]
    assert names(control, owner="controller") == ["blue"]
    assert control.call("segment.get", name="base")["owner"] == "file"


def test_what_the_file_owns_changes_in_the_file_alone(control):
    """A change at run time would be acknowledged and gone after the next restart."""
    for method, params in (("segment.set", {"mtu": 1400}), ("segment.set", {"owner": "me"}), ("segment.remove", {}),
                           ("segment.remove", {"force": True})):
        with pytest.raises(Refused) as refusal:
            control.call(method, name="base", **params)
        assert (refusal.value.code, refusal.value.field) == (-32006, "/name"), refusal.value
        assert "configuration file" in refusal.value.message
    control.call("port.add", **vhost("on-base", "base"))
    control.call("port.remove", name="on-base")


def test_an_owner_can_not_pull_the_ground_from_under_another(control):
    control.call("config.apply", owner="controller", config=config(("blue", 100)))
    control.call("config.apply", owner="cni", config=config(ports=[vhost("c", "blue")]))
    with pytest.raises(Refused) as refusal:
        control.call("config.apply", owner="controller", config=config())
    assert refusal.value.code == -32004 and '"c"' in refusal.value.message and "cni" in refusal.value.message


def test_apply_is_idempotent(control):
    wanted = config(("blue", 100), ("red", 200), ports=[vhost("a", "blue", macs=["02:00:00:00:00:0A"]), vhost("b", "red")],
                    fdb=[{"segment": "red", "mac": "02:00:00:00:00:0b", "port": "b"}])
    first = control.call("config.apply", config=wanted)
    assert changes(first) == [("add", "segment", "blue"), ("add", "segment", "red"), ("add", "port", "a"), ("add", "port", "b"),
                              ("add", "fdb", "red/02:00:00:00:00:0b")]
    second = control.call("config.apply", config=wanted, expect_generation=first["generation"])
    assert second == {"generation": first["generation"], "changes": [], "dry_run": False}


def test_dry_run_tells_and_changes_nothing(control):
    control.call("config.apply", config=config(("blue", 100), ("gone", 300)))
    before = control.call("config.get"), control.call("system.get")["generation"]
    wanted = {"version": 1, "segments": [{"name": "blue", "vni": 100, "mtu": 1400}, {"name": "new", "vni": 7}]}
    told = control.call("config.apply", config=wanted, dry_run=True)
    assert told["dry_run"] and told["generation"] == before[1]
    assert (control.call("config.get"), control.call("system.get")["generation"]) == before
    done = control.call("config.apply", config=wanted)
    assert changes(told) == changes(done) == [("set", "segment", "blue"), ("remove", "segment", "gone"), ("add", "segment", "new")]
    with pytest.raises(Refused):
        control.call("config.apply", config=config(("a", 5), ("b", 5)), dry_run=True)


def test_get_round_trips(control):
    with Namespace("trip") as namespace:
        control.call("config.apply", config=config(("blue", 100), ("red", 200), fdb=[{"segment": "red", "mac": "02:00:00:00:00:0b", "port": "b"}], ports=[
            vhost("a", "blue", macs=["02:00:00:00:00:0A"], isolated=True, queues=2, mtu=1400),
            {"name": "b", "type": "vhost-user", "path": "/run/bh-b.sock", "mode": "server", "socket_mode": "0660", "owner_uid": 5,
             "vlans": [{"vlan": 20, "segment": "red", "keep_tag": True}, {"vlan": 10, "segment": "blue"}]},
            {"name": "t", "type": "tap", "netns": namespace.path, "ifname": "net1", "mac": "02:00:00:00:00:01", "segment": "red", "tagged": "carry"}]))
        mine = control.call("config.get", owner="")
        assert control.call("config.apply", config=mine)["changes"] == []
        assert control.call("config.apply", config=json.loads(json.dumps(mine)), dry_run=True)["changes"] == []
        control.call("config.apply", config={"version": 1})
        assert len(control.call("config.apply", config=mine)["changes"]) == 6
        assert control.call("config.get", owner="") == mine
        control.call("config.apply", config={"version": 1})


def test_what_config_get_shows_is_a_file_that_starts_a_switch(tmp_path):
    with running() as first, first.control() as control:
        control.call("segment.add", name="blue", vni=100)
        control.call("port.add", **vhost("a", "blue"))
        shown = control.call("config.get")
    second = Daemon(tmp_path)
    second.config = json.loads(json.dumps(shown))
    code, said = said_by(second)
    assert code == 1 and "/segments/0/owner" in said and "leave owner out" in said, said
    for kind in ("segments", "ports"):
        for thing in shown[kind]:
            del thing["owner"]
    second.config = shown
    try:
        second.start()
        with second.control() as control:
            assert [p["owner"] for p in control.call("config.get")["ports"]] == ["file"]
    finally:
        second.stop()


def test_objects_may_change_places_in_one_apply(control):
    """VNIs, MACs and socket paths that two objects exchange are free at the same moment."""
    control.call("config.apply", config=config(("a", 10), ("b", 11), ports=[vhost("x", "a", macs=["02:00:00:00:00:01"]), vhost("y", "a", macs=["02:00:00:00:00:02"])]))
    swapped = config(("a", 10), ("b", 11), ports=[vhost("x", "a", macs=["02:00:00:00:00:02"]), vhost("y", "a", macs=["02:00:00:00:00:01"])])
    assert changes(control.call("config.apply", config=swapped)) == [("set", "port", "x"), ("set", "port", "y")]
    renamed = config(("c", 10), ("b", 11), ports=[vhost("z", "c") | {"path": "/run/bh-x.sock"}])
    control.call("config.apply", config=renamed)
    assert control.call("port.get", name="z")["path"] == "/run/bh-x.sock"


def test_a_refused_apply_does_nothing_of_it(control):
    before = control.call("config.get")
    with Namespace("half") as namespace:
        good = {"name": "t", "type": "tap", "netns": namespace.path, "ifname": "net1", "segment": "blue"}
        bad = {"name": "u", "type": "tap", "netns": namespace.path + "-not", "ifname": "net1", "segment": "blue"}
        with pytest.raises(Refused) as refusal:
            control.call("config.apply", config=config(("blue", 100), ports=[good, bad]))
        assert refusal.value.field == "/config/ports/1/netns"
        assert control.call("config.get") == before
        assert "net1" not in namespace.ip("link").stdout


# ---- single objects ----

def test_add_of_the_same_succeeds_and_changes_nothing(control):
    first = control.call("segment.add", name="blue", vni=100)
    again = control.call("segment.add", name="blue", vni=100, mtu=1500, flood="all")
    assert (first["changed"], again["changed"], again["generation"]) == (True, False, first["generation"])
    port = vhost("a", "blue", macs=["02:00:00:00:00:0a"])
    control.call("port.add", **port)
    assert not control.call("port.add", **{**port, "macs": ["02:00:00:00:00:0A"], "queues": 1})["changed"]
    entry = {"segment": "blue", "mac": "02:00:00:00:00:0c", "port": "a"}
    assert control.call("fdb.add", **entry)["changed"] and not control.call("fdb.add", **entry)["changed"]


def test_set_is_a_merge_patch(control):
    control.call("segment.add", name="blue", vni=100, mtu=1400, flood="known")
    control.call("port.add", **vhost("a", "blue", macs=["02:00:00:00:00:01", "02:00:00:00:00:02"], mtu=1300))
    assert control.call("segment.set", name="blue", mtu=None)["object"]["mtu"] == 1500
    assert control.call("segment.get", name="blue")["flood"] == "known"
    changed = control.call("port.set", name="a", macs=["02:00:00:00:00:03"], mtu=None)["object"]
    assert changed["macs"] == ["02:00:00:00:00:03"] and "mtu" not in changed
    assert not control.call("port.set", name="a")["changed"]
    detached = control.call("port.set", name="a", segment=None, macs=[])["object"]
    assert "segment" not in detached


def test_forced_removal_of_a_segment_leaves_its_ports(control):
    control.call("segment.add", name="blue", vni=100)
    control.call("segment.add", name="red", vni=200)
    control.call("port.add", **vhost("a", "blue", vlans=[{"vlan": 5, "segment": "red"}]))
    control.call("fdb.add", segment="blue", mac="02:00:00:00:00:0c", port="a")
    control.call("segment.remove", name="blue", force=True)
    port = control.call("port.get", name="a")
    assert "segment" not in port and [vlan["segment"] for vlan in port["vlans"]] == ["red"]
    assert control.call("config.get")["fdb"] == []


def test_lists_go_on_where_they_stopped(control):
    control.call("config.apply", config=config(*((f"s{i:03}", 100 + i) for i in range(250))))
    seen, cursor = [], {}
    while True:
        page = control.call("segment.list", limit=100, **cursor)
        seen += [segment["name"] for segment in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
        control.call("segment.add", name="a-new-one", vni=9)  # before the cursor: neither skips nor repeats another
    assert seen == ["base"] + [f"s{i:03}" for i in range(250)]
    assert [segment["name"] for segment in control.call("segment.list", limit=1)["items"]] == ["a-new-one"]


# ---- the file ----

def said_by(daemon):
    code, said = daemon.fails_to_start()
    assert len(said.splitlines()) == 1, f"one clear line, not:\n{said}"
    return code, said


def test_too_little_memory_says_how_much_is_missing(tmp_path):
    pages = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
    total = int((pages / "nr_hugepages").read_text())
    wanted = 2 * total + 4096
    code, said = said_by(Daemon(tmp_path, node={"memory_mib": wanted}))
    assert code == 1
    assert f"{wanted} MiB are wanted" in said and "MiB are missing" in said and "sysctl vm.nr_hugepages=" in said, said
    asked_for = int(said.split("sysctl vm.nr_hugepages=")[1].split("`")[0])
    missing = int(said.split(" MiB are missing")[0].split()[-1])
    assert asked_for == total + missing // 2, "the command would not help"


BROKEN_FILES = {
    "no JSON": ('{"version": 1,\n "segments": [}\n', ":2:15:", "syntax"),
    "unknown key": ('{"version": 1,\n "segmnets": []}\n', ":2:", "/segmnets"),
    "wrong type": ('{"version": 1,\n "segments": [\n  {"name": "a", "vni": "1"}]}\n', ":3:", "/segments/0/vni"),
    "two of one VNI": ('{"version": 1,\n "segments": [\n  {"name": "a", "vni": 1},\n  {"name": "b", "vni": 1}]}\n', ":4:", "/segments/1/vni"),
    "unknown segment": ('{"version": 1,\n "ports": [\n  {"name": "p", "type": "vhost-user", "path": "/x", "segment": "a"}]}\n', ":3:", "/ports/0/segment"),
    "one key twice": ('{"version": 1, "version": 1}\n', "", "twice"),
    "version 2": ('{"version": 2}\n', ":1:", "/version"),
    "bad cores": ('{"version": 1, "node": {"cores": "one"}}\n', ":1:", "/node/cores"),
    "nothing": ("", ":1:1:", "syntax"),
    "number too large": ('{"version": 1,\n "segments": [{"name": "a", "vni": 1e999}]}\n', ":2:36:", "1e999"),
    "nested too deep": ("[" * 100_000 + "]" * 100_000, "", "deeper"),
    "object of another owner": ('{"version": 1,\n "segments": [{"name": "a", "vni": 1, "owner": "cni"}]}\n', ":2:48:", "leave owner out"),
    "path written in another way": ('{"version": 1,\n "ports": [{"name": "p", "type": "vhost-user", "path": "/run/./x"}]}\n', ":2:", "/ports/0/path"),
    "what is not built in": ('{"version": 1, "segments": [{"name": "a", "vni": 1, "encryption": "required"}]}\n', ":1:", "not built in"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_check_says_where_the_file_is_wrong(tmp_path, name):
    text, place, what = BROKEN_FILES[name]
    file = tmp_path / "bulkhead.json"
    file.write_text(text)
    checked = subprocess.run([BUILD / "bulkheadd", "--check", "--config", file], capture_output=True, text=True, timeout=20)
    assert checked.returncode == 1 and checked.stdout == ""
    assert len(checked.stderr.splitlines()) == 1, checked.stderr
    assert f"{file}{place}" in checked.stderr and what in checked.stderr, checked.stderr


def test_check_of_a_good_file_and_of_the_samples(tmp_path):
    file = tmp_path / "bulkhead.json"
    file.write_text('{"version": 1, "segments": [{"name": "a", "vni": 1}]}')
    samples = sorted((pathlib.Path(__file__).parents[2] / "configs").glob("*.json"))
    assert samples
    for good in (file, *samples):
        checked = subprocess.run([BUILD / "bulkheadd", "--check", "--config", good], capture_output=True, text=True, timeout=20)
        assert checked.returncode == 0 and checked.stderr == "", (good, checked.stderr)


def test_a_file_that_is_no_json_does_not_start(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.config = {"version": 1, "node": {"memory_mib": 1}}
    code, said = said_by(daemon)
    assert code == 1 and "memory_mib" in said and f"{tmp_path}/bulkhead.json:1:" in said, said


def test_a_missing_file_does_not_start(tmp_path):
    named = subprocess.run([BUILD / "bulkheadd", "--config", tmp_path / "none.json", "--state-dir", tmp_path / "state",
                            "--socket", tmp_path / "sock"], capture_output=True, text=True, timeout=20)
    assert named.returncode == 1 and "none.json" in named.stderr and len(named.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--nosuch"], ["stray"], ["--log-level", "loud"], ["--config"], ["--log-format", "xml"]])
def test_wrong_usage_of_the_daemon(arguments):
    done = subprocess.run([BUILD / "bulkheadd", *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "--help" in done.stderr and done.stdout == ""


def test_help_and_version_of_the_daemon():
    for argument, word in (("--help", "--state-dir"), ("--version", "22.11")):
        done = subprocess.run([BUILD / "bulkheadd", argument], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and word in done.stdout and done.stderr == ""


def test_log_as_json():
    with running(arguments=["--log-format", "json", "--log-level", "debug"]) as daemon:
        with daemon.control() as control:
            control.call("segment.add", name="blue", vni=1)
        assert daemon.stop() == 0
        lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
        assert {"time", "level", "message"} <= set(lines[0])
        assert any("config.changed" in line["message"] for line in lines)


def test_shutdown_by_request():
    with running() as daemon:
        with daemon.control() as control:
            assert control.call("system.shutdown") == {}
        assert daemon.process.wait(20) == 0
