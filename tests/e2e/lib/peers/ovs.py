# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's userspace datapath: a private database and switch in a folder and a network namespace of their own."""
import contextlib
import os
import shutil
import subprocess
import tempfile

from ..cable import FAR
from ..child import dies_with_us
from ..leftovers import FOLDERS, folder_prefix
from ..netns import Namespace, run
from ..wait import until

SWITCH = "/usr/lib/openvswitch-switch/ovs-vswitchd"  # without DPDK: it needs no hugepages
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class OvsPeer(Namespace):
    """A node whose switch, the process `switch`, is Open vSwitch. As its guide to userspace tunnelling asks, the underlay address is on the internal
    port of the bridge that the cable is plugged into."""

    def __init__(self, label="ovs"):
        super().__init__(label)
        self.folder, self.stack = None, contextlib.ExitStack()

    def __enter__(self):
        super().__enter__()
        try:
            self.folder = tempfile.mkdtemp(prefix=folder_prefix(), dir=FOLDERS)
            self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.remote = f"unix:{self.folder}/db.sock"
            self.environment = {**os.environ, **{f"OVS_{name}DIR": self.folder for name in ("RUN", "DB", "LOG", "SYSCONF")}}
            run("ovsdb-tool", "create", f"{self.folder}/conf.db", SCHEMA)
            self._daemon("ovsdb-server", f"{self.folder}/conf.db", f"--remote=p{self.remote}", f"--unixctl={self.folder}/ovsdb.ctl")
            until(lambda: os.path.exists(f"{self.folder}/db.sock"), 10, "the database's socket")
            self.vsctl("--no-wait", "init")
            self.switch = self._daemon(SWITCH, self.remote, f"--unixctl={self.folder}/vswitchd.ctl")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()
        super().__exit__()

    def _daemon(self, *command):
        """A daemon of Open vSwitch's in the foreground, in this namespace, until the context ends."""
        with open(f"{self.folder}/log", "ab") as log:
            process = subprocess.Popen(dies_with_us(["nsenter", f"--net={self.path}", *command, "--no-chdir", "--verbose=console:warn"]),
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment, start_new_session=True)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def vsctl(self, *arguments):
        """Returns when the switch has done it."""
        return run("ovs-vsctl", "--retry", f"--db={self.remote}", "--timeout=20", *arguments, env=self.environment).stdout

    def appctl(self, *arguments):
        return run("ovs-appctl", f"--target={self.folder}/vswitchd.ctl", *arguments, env=self.environment).stdout

    def _add_bridge(self, name, *more):
        self.vsctl("add-br", name, "--", "set", "Bridge", name, "datapath_type=netdev", "fail_mode=standalone", *more)
        self.ip("link", "set", name, "up")

    def connect(self, addresses, end=FAR, vlan=None):
        """Plugs an end of a cable into a bridge with these underlay addresses, tagged on the cable if `vlan` says so."""
        tag = ("--", "set", "Port", "underlay", f"tag={vlan}") if vlan else ()
        self._add_bridge("underlay", "--", "add-port", "underlay", end, *tag)
        self.add_addresses("underlay", addresses)

    @contextlib.contextmanager
    def station(self, kind, vni, local, remote, address=None, mtu=1430, options=()):
        """A bridge with a tunnel port; the bridge's own interface is the station. `kind`: vxlan or geneve; `options`: more of
        the tunnel port's, as csum=true."""
        self._add_bridge("net1", "--", "add-port", "net1", "tunnel", "--", "set", "Interface", "tunnel", f"type={kind}",
                         f'options:local_ip="{local}"', f'options:remote_ip="{remote}"', f"options:key={vni}",
                         *(f"options:{option}" for option in options), "--", "set", "Interface", "net1", f"mtu_request={mtu}")
        try:
            self.add_addresses("net1", address)
            yield self
        finally:
            self.vsctl("del-br", "net1")
