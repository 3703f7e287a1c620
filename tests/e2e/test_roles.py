# SPDX-License-Identifier: Apache-2.0
"""Who may do what: callers are known by their credentials on the socket, supplementary groups included."""
import contextlib
import os

import pytest

from lib.control import Refused
from lib.daemon import running
from lib.leftovers import namespace_prefix
from lib.netns import Namespace
from lib.user import control_as

NOT_FOUND, DENIED, PARAMS, IN_USE = -32001, -32006, -32602, -32004
ENTRY = 64000  # the group of the socket file: it lets in, and gives no role
OPERATORS, ACME_GROUP = 64100, 64200
ADMIN, OPERATOR, VIEWER, ACME, ZETA, NOBODY = range(64001, 64007)
ROLES = [{"uid": ADMIN, "role": "admin"}, {"uid": OPERATOR, "role": "operator"}, {"uid": VIEWER, "role": "viewer"},
         {"uid": ACME, "role": "tenant", "tenant": "acme"}, {"uid": ZETA, "role": "tenant", "tenant": "zeta"},
         {"group": OPERATORS, "role": "operator"}, {"group": ACME_GROUP, "role": "tenant", "tenant": "acme"}]


@pytest.fixture(scope="module")
def office():
    """A switch with a segment of each tenant and a common one. Its folder is open; the socket is for group ENTRY."""
    with running(node={"roles": ROLES}) as daemon, Namespace("office") as namespace:
        daemon.folder.chmod(0o711)
        os.chown(daemon.socket, -1, ENTRY)
        daemon.pod = namespace.path
        with daemon.control() as root:
            for name, vni, tenant in (("acme-1", 100, "acme"), ("zeta-1", 200, "zeta"), ("common", 300, "")):
                root.call("segment.add", name=name, vni=vni, tenant=tenant)
            for name, segment in (("a", "acme-1"), ("z", "zeta-1"), ("c", "common")):
                root.call("port.add", name=name, type="vhost-user", path=vhost_path(daemon, name), segment=segment)
            root.call("port.add", name="both", type="vhost-user", path=vhost_path(daemon, "both"), segment="acme-1",
                      vlans=[{"vlan": 5, "segment": "zeta-1"}])
        yield daemon


def vhost_path(daemon, name):
    return str(daemon.folder / "vhost" / name)


@pytest.fixture
def by(office):
    """by(uid, *groups): a connection of that user."""
    with contextlib.ExitStack() as stack:
        yield lambda uid, *groups: stack.enter_context(control_as(office, uid, uid, (ENTRY, *groups)))


@pytest.fixture
def unchanged(office):
    with office.control() as root:
        before = root.call("config.get")
        yield
        assert root.call("config.get") == before


def refused(control, method, **params):
    with pytest.raises(Refused) as refusal:
        control.call(method, **params)
    return refusal.value


def test_the_socket_file_keeps_strangers_out(office):
    with pytest.raises(PermissionError):
        control_as(office, VIEWER, VIEWER)
    with control_as(office, VIEWER, ENTRY) as control:
        assert control.call("system.get")


SEGMENT = {"name": "trial", "vni": 900}
MAY = {
    # method: (parameters, who may)
    "rpc.discover": ({}, {ADMIN, OPERATOR, VIEWER, ACME, NOBODY}),
    "system.get": ({}, {ADMIN, OPERATOR, VIEWER}),
    "config.get": ({}, {ADMIN, OPERATOR, VIEWER}),
    "segment.list": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "segment.get": ({"name": "acme-1"}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "port.list": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "fdb.list": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "stats.get": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "drop.list": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "events.subscribe": ({}, {ADMIN, OPERATOR, VIEWER, ACME}),
    "connection.list": ({}, {ADMIN, OPERATOR}),
    "connection.flush": ({}, {ADMIN, OPERATOR}),
    "config.apply": ({"owner": "me", "config": {"version": 1}}, {ADMIN, OPERATOR}),
    "segment.set": ({"name": "acme-1"}, {ADMIN, OPERATOR, ACME}),
    "port.set": ({"name": "a"}, {ADMIN, OPERATOR, ACME}),
    "fdb.flush": ({"segment": "acme-1"}, {ADMIN, OPERATOR, ACME}),
}


@pytest.mark.parametrize("uid", [ADMIN, OPERATOR, VIEWER, ACME, NOBODY], ids=["admin", "operator", "viewer", "tenant", "nobody"])
def test_what_each_role_may_call(by, unchanged, uid):
    control = by(uid)
    for method, (params, who) in MAY.items():
        if uid in who:
            control.call(method, **params)
        else:
            error = refused(control, method, **params)
            assert error.code == DENIED and str(uid) in error.message and method in error.message, error


def test_only_admin_shuts_down(by, office):
    for uid in (OPERATOR, VIEWER, ACME, NOBODY):
        assert refused(by(uid), "system.shutdown").code == DENIED
    assert office.alive()


def test_nobody_learns_nothing(by, unchanged):
    control = by(NOBODY)
    assert refused(control, "segment.get", name="acme-1").code == refused(control, "segment.get", name="absent").code == DENIED
    assert refused(control, "segment.add", **SEGMENT).code == DENIED


def test_supplementary_groups_count(by):
    assert refused(by(NOBODY), "segment.add", **SEGMENT).code == DENIED
    control = by(NOBODY, *range(65000, 65060), OPERATORS)  # among many
    control.call("segment.add", **SEGMENT)
    control.call("segment.remove", name="trial")
    assert [s["name"] for s in by(NOBODY, ACME_GROUP).call("segment.list")["items"]] == ["acme-1"]


def test_the_mightiest_of_several_roles_counts(by):
    assert by(VIEWER, OPERATORS).call("segment.add", **SEGMENT)
    assert by(ACME, OPERATORS).call("segment.remove", name="trial")


# ---- tenants ----

def test_a_tenant_sees_only_its_own(by):
    acme = by(ACME)
    assert [s["name"] for s in acme.call("segment.list")["items"]] == ["acme-1"]
    assert [p["name"] for p in acme.call("port.list")["items"]] == ["a"]
    stats = acme.call("stats.get")
    assert [s["name"] for s in stats["segments"]] == ["acme-1"] and [p["name"] for p in stats["ports"]] == ["a"]
    assert "workers" not in stats


@pytest.mark.parametrize("method,params", [
    ("segment.get", {"name": "NAME"}), ("segment.set", {"name": "NAME", "mtu": 1400}), ("segment.remove", {"name": "NAME"}),
    ("segment.remove", {"name": "NAME", "force": True}), ("fdb.list", {"segment": "NAME"}), ("fdb.flush", {"segment": "NAME"}),
    ("fdb.add", {"segment": "NAME", "mac": "02:00:00:00:00:01", "port": "a"}), ("stats.get", {"segment": "NAME"}),
    ("drop.list", {"segment": "NAME"}), ("port.list", {"segment": "NAME"}),
    ("fdb.remove", {"segment": "NAME", "mac": "02:00:00:00:00:01"}),
    ("port.add", {"name": "new", "type": "vhost-user", "path": "PATH", "segment": "NAME"}),
    ("port.set", {"name": "a", "segment": "NAME"}), ("port.set", {"name": "a", "vlans": [{"vlan": 3, "segment": "NAME"}]}),
])
def test_what_is_not_the_tenants_reads_as_absent(by, office, unchanged, method, params):
    """Word for word, so that nobody can find out what others have."""
    acme = by(ACME)
    answers = []
    for name in ("zeta-1", "common", "absent"):
        special = {"NAME": name, "PATH": vhost_path(office, "new")}
        filled = {key: [{**item, "segment": name} for item in value] if key == "vlans" else
                  special.get(value, value) if isinstance(value, str) else value for key, value in params.items()}
        error = refused(acme, method, **filled)
        assert error.code == NOT_FOUND, error
        answers.append(str(error).replace(name, "NAME"))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("port", ["z", "c", "both", "absent"])
def test_ports_that_are_not_the_tenants_read_as_absent(by, unchanged, port):
    acme = by(ACME)
    for method, params in (("port.get", {}), ("port.set", {"mtu": 1400}), ("port.remove", {})):
        error = refused(acme, method, name=port, **params)
        assert error.code == NOT_FOUND and error.message == f'no port "{port}"', error
    assert refused(acme, "stats.get", port=port).code == NOT_FOUND
    assert refused(acme, "drop.list", port=port).code == NOT_FOUND
    assert refused(acme, "fdb.add", segment="acme-1", mac="02:00:00:00:00:01", port=port).code == NOT_FOUND


def test_a_tenant_works_in_its_own(by, office):
    acme = by(ACME)
    made = acme.call("segment.add", name="acme-2", vni=101)["object"]
    assert made["tenant"] == made["owner"] == "acme"
    acme.call("port.add", name="n", type="vhost-user", path=vhost_path(office, "n"), segment="acme-2")
    acme.call("port.add", name="t", type="tap", netns=office.pod, ifname="t", segment="acme-2")
    acme.call("fdb.add", segment="acme-2", mac="02:00:00:00:00:01", port="n")
    removed = by(OPERATOR).call("config.apply", config={"version": 1}, dry_run=True)["changes"]
    assert {change["name"] for change in removed} == {"acme-1", "zeta-1", "common", "a", "z", "c", "both"}, "nobody's alone"
    assert refused(acme, "segment.remove", name="acme-2").code == IN_USE
    for port in ("n", "t"):
        acme.call("port.remove", name=port)
    acme.call("segment.remove", name="acme-2")


def test_a_tenant_can_not_reach_beyond_its_own(by, office, unchanged):
    acme = by(ACME)
    assert refused(acme, "segment.add", name="x", vni=950, tenant="zeta").code == DENIED
    assert refused(acme, "segment.add", name="x", vni=950, tenant="").code == DENIED
    assert refused(acme, "segment.set", name="acme-1", tenant="zeta").code == DENIED
    assert refused(acme, "port.set", name="a", segment=None).code == DENIED
    assert refused(acme, "port.add", name="x", type="vhost-user", path=vhost_path(office, "x")).code == DENIED
    for taken in ({"name": "zeta-1", "vni": 950}, {"name": "x", "vni": 200}):
        error = refused(acme, "segment.add", **taken)
        assert "zeta" not in str(error).replace(taken["name"], ""), "the error names what is hidden"
    known = {"name": "zeta-1", "vni": 200, "tenant": "zeta"}
    answers = {str(refused(acme, "segment.add", **content)) for content in (known, {**known, "mtu": 1400}, {"name": "zeta-1", "vni": 9})}
    assert len(answers) == 1, "who guesses what is hidden must not learn that it is right"


def test_tenants_hear_only_of_their_own(by, office):
    acme, zeta = by(ACME), by(ZETA)
    for control in (acme, zeta):
        control.call("events.subscribe")
    with office.control() as root:
        root.call("port.add", name="ping-z", type="tap", netns=office.pod, ifname="pz", segment="zeta-1")
        root.call("port.add", name="ping-a", type="tap", netns=office.pod, ifname="pa", segment="acme-1")
        with Namespace("flap") as namespace:
            root.call("port.add", name="far-z", type="tap", netns=namespace.path, ifname="f", segment="zeta-1")
            root.call("port.add", name="far-a", type="tap", netns=namespace.path, ifname="f2", segment="acme-1")
        seen_by = {"acme": acme.next_event("port.waiting")["port"], "zeta": zeta.next_event("port.waiting")["port"]}
        assert seen_by == {"acme": "far-a", "zeta": "far-z"}
        for control, own in ((acme, "-a"), (zeta, "-z")):
            assert all(event["port"].endswith(own) for event in control.events if "port" in event), control.events
        for port in ("ping-z", "ping-a", "far-z", "far-a"):
            root.call("port.remove", name=port)


# ---- what is the admin's alone ----

@pytest.mark.parametrize("uid,groups", [(OPERATOR, ()), (ACME, ())], ids=["operator", "tenant"])
@pytest.mark.parametrize("fields,field", [
    ({"type": "ethdev", "devargs": "net_null0"}, "/type"),
    ({"type": "tap", "netns": "/proc/1/ns/net", "ifname": "x"}, "/netns"),
    ({"type": "tap", "netns": "NETNS_LINK", "ifname": "x"}, "/netns"),
    ({"type": "tap", "ifname": "x"}, "/netns"),
    ({"type": "vhost-user", "path": "/run/bh-outside.sock"}, "/path"),
    ({"type": "vhost-user", "mode": "server", "path": "/run/netns/outside.sock"}, "/path"),
    ({"type": "vhost-user", "path": "LINK/a"}, "/path"),
])
def test_devices_that_are_the_admins_alone(by, office, unchanged, uid, groups, fields, field):
    link, alias = f"/run/netns/{namespace_prefix()}link", office.folder / "alias"  # the latter would be a second name for tenants' sockets
    os.symlink("/proc/1/ns/net", link)
    os.symlink(office.folder / "vhost", alias)
    try:
        filled = {key: str(value).replace("NETNS_LINK", link).replace("LINK", str(alias)) for key, value in fields.items()}
        error = refused(by(uid, *groups), "port.add", name="new", segment="acme-1", **filled)
        assert (error.code, error.field) == (DENIED, field), error
        if uid == OPERATOR:  # nor by way of the whole configuration
            error = refused(by(uid), "config.apply", owner="me", config={"version": 1, "ports": [{"name": "new", "segment": "acme-1", **filled}]})
            assert (error.code, error.field) == (DENIED, "/config/ports/0" + field), error
    finally:
        os.unlink(link)
        os.unlink(alias)


def test_the_admin_may_use_ethdevs(by):
    admin = by(ADMIN)
    admin.call("port.add", name="nic", type="ethdev", devargs="net_null_roles", segment="acme-1")
    try:
        for uid in (OPERATOR, ACME):
            control = by(uid)
            assert refused(control, "port.remove", name="nic").code == DENIED
            assert refused(control, "port.set", name="nic", segment=None).code == DENIED
    finally:
        admin.call("port.remove", name="nic")


# ---- audit ----

def test_every_change_is_audited(by, office):
    start = len(office.audit())
    operator, acme = by(OPERATOR), by(ACME)
    operator.call("segment.add", name="logged", vni=901)
    generation = operator.call("segment.set", name="logged", mtu=1400)["generation"]
    refused(operator, "segment.add", name="x", vni=901)
    refused(acme, "segment.remove", name="zeta-1")
    operator.call("config.apply", owner="me", config={"version": 1}, dry_run=True)  # no change
    operator.call("config.get")  # no change
    operator.call("segment.remove", name="logged")
    operator.call("fdb.flush", segment="common")
    lines = office.audit()[start:]
    assert [(line["uid"], line["role"], line["method"], line["object"], line["result"] == "ok") for line in lines] == [
        (OPERATOR, "operator", "segment.add", "segment logged", True),
        (OPERATOR, "operator", "segment.set", "segment logged", True),
        (OPERATOR, "operator", "segment.add", "segment x", False),
        (ACME, "tenant", "segment.remove", "segment zeta-1", False),
        (OPERATOR, "operator", "segment.remove", "segment logged", True),
        (OPERATOR, "operator", "fdb.flush", "fdb common/", True)]
    assert lines[1]["generation"] == generation
    assert all(line["pid"] > 0 and line["time"].endswith("Z") for line in lines)
    assert (office.state / "audit.log").stat().st_mode & 0o777 == 0o600


def test_nobody_pushes_others_out_of_the_audit_log(by, office):
    start = len(office.audit())
    error = refused(by(ACME), "port.add", name="\u00e4" * 2_500_000, type="vhost-user", path=vhost_path(office, "x"), segment="acme-1")
    assert (error.code, error.field) == (PARAMS, "/name") and len(error.message) < 4096 and len(error.data["got"]) < 512
    assert [line["method"] for line in office.audit()[start:]] == ["port.add"]
    assert len((office.state / "audit.log").read_bytes().splitlines()[-1]) < 1024
