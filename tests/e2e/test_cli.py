# SPDX-License-Identifier: Apache-2.0
"""bulkheadctl as people and scripts use it: exit codes, messages, tables, JSON, completion."""
import json
import os
import re
import select
import signal
import subprocess

import pytest

from lib.daemon import BUILD, running
from lib.netns import pod
from lib.wait import until

CTL = BUILD / "bulkheadctl"
DONE, REFUSED, USAGE, NO_CONNECTION = 0, 1, 2, 3


class Ctl:
    def __init__(self, socket):
        self.environment = {**os.environ, "BULKHEAD_SOCKET": str(socket)}

    def __call__(self, *words, code=DONE, text=None):
        done = subprocess.run([CTL, *words], capture_output=True, text=True, timeout=30, input=text, env=self.environment)
        assert done.returncode == code, (words, done)
        assert (done.stderr == "") == (code == DONE), (words, done)
        return done.stdout if code == DONE else done.stderr

    def json(self, *words):
        return json.loads(self("--json", *words))

    def popen(self, *words):
        return subprocess.Popen([CTL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)


@pytest.fixture(scope="module")
def daemon():
    with running() as daemon:
        yield daemon


@pytest.fixture
def ctl(daemon):
    ctl = Ctl(daemon.socket)
    ctl("segment", "add", "blue", "100")
    yield ctl
    for owner in ("", "script"):
        ctl("config", "apply", '{"version": 1}', "--owner", owner)


def rows(table):
    """A table as a list of dicts: cells stand two spaces apart, and none is empty."""
    head, *lines = [re.split(" {2,}", line.strip()) for line in table.splitlines()]
    assert all(len(line) == len(head) for line in lines), table
    return [dict(zip(head, line)) for line in lines]


def test_add_list_get_set_remove(ctl):
    assert "added" in ctl("segment", "add", "red", "200", "--mtu", "1400")
    assert "already" in ctl("segment", "add", "red", "200", "--mtu=1400")
    listed = {row["NAME"]: row for row in rows(ctl("segment", "list"))}
    assert set(listed) == {"blue", "red"} and (listed["red"]["VNI"], listed["red"]["MTU"]) == ("200", "1400")
    ctl("segment", "set", "red", "--flood", "known", "--mtu", "null")
    got = ctl("segment", "get", "red")
    assert "flood: known" in got and "mtu: 1500" in got and "status: active" in got
    ctl("segment", "remove", "red")
    assert {row["NAME"] for row in rows(ctl("segment", "list"))} == {"blue"}


def test_groups_and_rules_as_the_manual_writes_them(ctl):
    ctl("segment", "set", "blue", "--default-policy", "deny")
    ctl("group", "add", "blue", "web", "10")
    ctl("group", "add", "blue", "db", "11")
    ctl("port", "add", "web-0", "vhost-user", "--path", "/run/bh-cli-web.sock", "--segment", "blue")
    ctl("port", "set", "web-0", "--group", "web")
    ctl("policy", "add", "blue", "web-to-db", "100", "allow", "--from", '{"groups":["web"]}', "--to", '{"groups":["db"]}', "--protocol", "tcp",
        "--dst-ports", "5432")
    ctl("policy", "add", "blue", "ping", "90", "allow", "--protocol", "1", "--icmp-types", "8,0", "--stateful", "false")
    ctl("policy", "set", "blue", "web-to-db", "--dst-ports", "5432,6000-6010", "--ethertype", "0x86dd")
    rule = ctl.json("policy", "get", "blue", "web-to-db")
    assert (rule["from"]["groups"], rule["to"]["groups"], rule["dst_ports"]) == (["web"], ["db"], ["5432", "6000-6010"])
    assert (rule["protocol"], rule["ethertype"], rule["state"]["packets"]) == ("tcp", "ipv6", 0)
    ping, to_db = rows(ctl("policy", "list", "--segment", "blue"))
    assert (ping["NAME"], ping["ORDER"], ping["FROM"], ping["WHAT"]) == ("ping", "90", "-", "icmp type 8, 0")
    assert (to_db["NAME"], to_db["FROM"], to_db["TO"], to_db["WHAT"]) == ("web-to-db", "web", "db", "ipv6 tcp 5432, 6000-6010")
    assert {row["NAME"]: row["MEMBERS"] for row in rows(ctl("group", "list"))} == {"db": "-", "web": "web-0"}
    assert "policy \"blue/web-to-db\"" in ctl("group", "remove", "blue", "db", code=REFUSED)
    ctl("policy", "remove", "blue", "web-to-db")
    ctl("group", "remove", "blue", "db")


def test_json_is_the_result_as_it_came(ctl, daemon):
    with daemon.control() as control:
        assert ctl.json("segment", "get", "blue") == control.call("segment.get", name="blue")
        assert ctl.json("segment", "list") == control.call("segment.list")
        assert ctl.json("call", "segment.get", '{"name": "blue"}') == control.call("segment.get", name="blue")
        assert ctl.json("rpc", "discover") == control.call("rpc.discover")


def test_refusals_say_what_was_wrong(ctl):
    for words, parts in {
        ("segment", "get", "nowhere"): ("nowhere", "no segment"),
        ("segment", "add", "blue", "101"): ("exists", "vni"),
        ("segment", "add", "red", "100"): ("/vni", "blue"),
        ("segment", "add", "red", "0"): ("/vni", "1-16777215"),
        ("port", "add", "p", "tap", "--ifname", "x", "--netns", "/run/netns/bh-none"): ("/netns", "bh-none"),
        ("capture", "list"): ("not built in",),
        ("call", "no.such"): ("no such method",),
        ("config", "apply", '{"version": 2}'): ("/config/version", "2"),
    }.items():
        said = ctl(*words, code=REFUSED)
        assert said.startswith("bulkheadctl: ") and len(said.splitlines()) == 1 and all(part in said for part in parts), said


@pytest.mark.parametrize("words", [
    (), ("nonsense",), ("segment",), ("segment", "fly"), ("segment", "add"), ("segment", "add", "red"), ("segment", "add", "red", "many"),
    ("segment", "add", "red", "200", "stray"), ("segment", "add", "red", "200", "--colour", "x"), ("--nosuch",), ("--socket",),
    ("--timeout", "soon", "segment", "list"), ("call",), ("call", "segment.get", "{"), ("call", "segment.get", "5"),
    ("config", "apply", "@/nonexistent"), ("completion", "fish"), ("top", "-n", "x"), ("segment", "add", "red", "200", "--mtu", "1", "--mtu", "2"),
], ids=" ".join)
def test_wrong_usage(ctl, words):
    said = ctl(*words, code=USAGE)
    assert said.strip() and "terminate" not in said


def test_no_connection(tmp_path):
    ctl = Ctl(tmp_path / "none.sock")
    for words in (("segment", "list"), ("call", "system.get"), ("top", "-n", "1"), ("watch",)):
        said = ctl(*words, code=NO_CONNECTION)
        assert "none.sock" in said and len(said.splitlines()) == 1, said


def test_the_option_wins_over_the_environment(daemon, tmp_path):
    ctl = Ctl(tmp_path / "none.sock")
    assert "version:" in ctl("--socket", str(daemon.socket), "system", "get")
    assert "version:" in ctl("system", "get", "--socket", str(daemon.socket))


def test_a_switch_that_does_not_answer(daemon):
    """Stopped, not ended: the command gives up by itself."""
    ctl = Ctl(daemon.socket)
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        said = ctl("--timeout", "0.2", "system", "get", code=NO_CONNECTION)
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    assert "0.2" in said or "answer" in said, said


def test_help_of_everything(ctl):
    everything = ctl("--help")
    for noun in ("segment", "port", "config", "policy"):
        assert noun in everything and "Verbs:" in ctl(noun, "--help")
    for verb in ("add", "set", "remove", "get", "list"):
        assert f"Usage: bulkheadctl port {verb}" in ctl("port", verb, "--help")
    assert ctl("--version").startswith("bulkheadctl ")


def test_configuration_from_file_and_from_standard_input(ctl, tmp_path):
    wanted = {"version": 1, "segments": [{"name": "s1", "vni": 11}, {"name": "s2", "vni": 12}]}
    file = tmp_path / "wanted.json"
    file.write_text(json.dumps(wanted))
    dry = ctl("config", "apply", f"@{file}", "--owner", "script", "--dry-run")
    assert "s1" in dry and "s2" in dry
    assert {row["NAME"] for row in rows(ctl("segment", "list"))} == {"blue"}
    assert len(ctl.json("config", "apply", f"@{file}", "--owner", "script")["changes"]) == 2
    parameters = json.dumps({"owner": "script", "config": wanted})
    assert json.loads(ctl("call", "config.apply", "-", text=parameters))["changes"] == []
    assert [s["name"] for s in ctl.json("config", "get", "--owner", "script")["segments"]] == ["s1", "s2"]


def test_lists_are_whole_however_long(ctl):
    many = {"version": 1, "segments": [{"name": f"s{i}", "vni": 1000 + i} for i in range(250)]}
    ctl("config", "apply", json.dumps(many), "--owner", "script")
    assert len(rows(ctl("segment", "list"))) == 251
    assert len(ctl.json("segment", "list", "--limit", "7")["items"]) == 7


def test_tables_of_what_runs(ctl, daemon):
    with daemon.control() as control, pod(control, "p1", "blue", "10.3.0.1/24") as one, pod(control, "p2", "blue", "10.3.0.2/24"):
        assert one.pings("10.3.0.2")
        ports = {row["NAME"]: row for row in rows(ctl("port", "list"))}
        assert ports["p1"]["SEGMENT"] == "blue" and ports["p1"]["LINK"] == "up" and int(ports["p2"]["RX PACKETS"]) > 0
        entries = {row["PORT"]: row for row in rows(ctl("fdb", "list", "--segment", "blue"))}
        assert set(entries) == {"p1", "p2"} and entries["p1"]["KIND"] == "learned"
        stats = ctl("stats", "get")
        assert "WORKER" in stats and "p1" in stats and "blue" in stats
        top = ctl("top", "-n", "1", "--interval", "0.2")
        assert re.search(r"^p1 ", top, re.M) and "WORKER" in top and "\x1b" not in top
        assert "core: 1" in ctl("system", "get")


def test_watch_shows_what_happens(ctl, daemon):
    watching = ctl.popen("--json", "watch")
    try:
        with daemon.control() as control:
            number = iter(range(1000, 2000))
            # Whoever watches is not heard of: changes are made until the first is seen.
            def change():
                control.call("segment.set", name="blue", mtu=next(number))
                return select.select([watching.stdout], [], [], 0.1)[0]
            until(change, 10, "an event")
        event = json.loads(watching.stdout.readline())
        assert event["kind"] == "config.changed" and event["changes"][0]["name"] == "blue"
    finally:
        # Not SIGINT: what a shell runs in the background ignores it, and so would our child.
        watching.terminate()
        watching.communicate(timeout=10)


def completions(ctl, line):
    """What bash would offer at the end of `line`."""
    script = f"""
        PATH={BUILD}:$PATH
        source <(bulkheadctl completion bash) || exit 9
        COMP_LINE={json.dumps(line)}
        read -ra COMP_WORDS <<< "$COMP_LINE"
        [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_POINT=${{#COMP_LINE}}
        "$(complete -p bulkheadctl | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=30, env=ctl.environment)
    assert done.returncode == 0 and done.stderr == "", done
    return {word.strip() for word in done.stdout.splitlines()}


def test_completion_in_bash(ctl):
    assert {"segment", "port", "top", "watch"} <= completions(ctl, "bulkheadctl ")
    assert completions(ctl, "bulkheadctl seg") == {"segment"}
    assert {"add", "set", "remove", "get", "list"} <= completions(ctl, "bulkheadctl segment ")
    assert completions(ctl, "bulkheadctl segment get ") == {"blue"}, "names come from the switch"
    assert "--mtu" in completions(ctl, "bulkheadctl segment add red 200 --m")
    assert completions(ctl, "bulkheadctl nonsense ") <= {""}
