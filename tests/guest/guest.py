#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Linux guest behind a vhost-user socket: QEMU without KVM, a Debian kernel, busybox.

In a test:
    with Guest(socket="/run/bulkhead/vhost/a.sock", images=folder, ip=["10.1.0.20/24"]) as guest:
        guest.run("ping -c 3 10.1.0.1")         # raises GuestError unless it exits with 0
In a shell:
    guest.py --images FOLDER --socket PATH --ip 10.1.0.20/24 --exec 'ping -c 3 10.1.0.1'

Needs qemu-system-x86 and an images folder made by build_initramfs (made on first use). Standard library only.
"""

import argparse
import base64
import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(__file__).with_name("build_initramfs")
BOOT_TIMEOUT_S = 60.0
_OFFLOADS = ("csum", "gso", "host_tso4", "host_tso6", "guest_csum", "guest_tso4", "guest_tso6")


class GuestError(Exception):
    pass


@dataclass
class Output:
    code: int
    text: str


def build(images: Path) -> Path:
    """Makes kernel and initramfs in `images` unless they are there and fresh."""
    subprocess.run([BUILD, images], check=True)
    return images


class Guest:
    """One running guest. `server`: this side makes the vhost-user socket (the switch's mode is "client") and waits for
    nobody; otherwise it connects to the switch's. `ip`: addresses with prefix length. `queues`: pairs, one CPU each.
    `host_mtu`: the device tells it to the guest, and QEMU to the switch. `packed`, `mergeable`: what the device offers of rings and receive buffers.
    `exec`: a shell command to run before the guest is ready, its output in the console log."""

    def __init__(self, socket, images, ip=(), mac="52:54:00:00:00:01", mtu=None, host_mtu=None, gateway=None, queues=1, server=True,
                 offloads=True, packed=False, mergeable=True, memory_mib=256, exec=None):  # noqa: A002 - the names of the command line
        self.mac = mac
        self.boot_seconds = None
        self._folder = Path(tempfile.mkdtemp(prefix="guest-"))
        self._console = self._folder / "console.log"
        self._process = None
        self._channel = None
        self._pending = b""
        self._socket = Path(socket)
        self._server = server
        # An emulated "rep movs" copies step by step what a real processor copies by cache lines; so the kernel is not to use it.
        # Nor is it to clear the pages that it then copies into (Debian's does), which costs as much as the copy.
        parameters = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", "tsc=reliable", "no_timer_check", "clearcpuid=rep_good",
                      "init_on_alloc=0"]
        parameters += [f"bh.ip={address}" for address in ip]
        parameters += [f"bh.mtu={mtu}"] if mtu else []
        parameters += [f"bh.gateway={gateway}"] if gateway else []
        parameters += [f"bh.exec={base64.b64encode(exec.encode()).decode()}"] if exec else []
        device = f"virtio-net-pci,netdev=n0,mac={mac},vectors=0,romfile="  # vectors=0: QEMU 7.2 under TCG crashes on MSI-X
        device += ",mq=on" if queues > 1 else ""
        device += f",host_mtu={host_mtu}" if host_mtu else ""
        device += ",packed=on" if packed else ""
        device += "" if mergeable else ",mrg_rxbuf=off"
        device += "" if offloads else "".join(f",{name}=off" for name in _OFFLOADS)
        self._command = [
            "setpriv", "--pdeathsig", "KILL",  # whoever kills us leaves no guest behind
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-machine", "q35,memory-backend=m0", "-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm", "-smp", str(queues),
            "-m", str(memory_mib), "-object", f"memory-backend-memfd,id=m0,share=on,size={memory_mib}M",
            "-kernel", str(Path(images) / "vmlinuz"), "-initrd", str(Path(images) / "initramfs"),
            "-append", " ".join(parameters),
            "-chardev", f"file,id=console,path={self._console}", "-serial", "chardev:console",
            "-chardev", f"socket,id=commands,path={self._folder}/commands", "-serial", "chardev:commands",
            "-chardev", f"socket,id=switch,path={socket}" + (",server=on,wait=off" if server else ",reconnect=1"),
            "-netdev", f"vhost-user,id=n0,chardev=switch,queues={queues}", "-device", device,
        ]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def start(self):
        """Boots; returns when the guest has its addresses and takes commands. QEMU itself waits for the switch to connect."""
        started = time.monotonic()
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(f"{self._folder}/commands")
                listener.listen(1)
                listener.settimeout(BOOT_TIMEOUT_S)
                with open(self._folder / "qemu.log", "wb") as log:
                    self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                self._channel = self._accept(listener)
            ready = self._read_line(re.compile(rb"GUEST-READY (\S+)"), started + BOOT_TIMEOUT_S)
            if ready.group(1).decode() != self.mac:
                raise GuestError(f"the guest has MAC {ready.group(1).decode()}, not {self.mac}")
        except BaseException:
            self.close()
            raise
        self.boot_seconds = time.monotonic() - started
        return self

    def run(self, command, timeout=30.0, check=True):
        """Runs a line of shell in the guest. Raises GuestError when it takes longer, or (check) exits with other than 0."""
        if "\n" in command:
            raise ValueError("one line at a time")
        # The guest's own timeout comes first, so that a command that hangs leaves a guest that still answers.
        bounded = f"timeout -k 1 {max(1, int(timeout))} sh -c {shlex.quote(command)}"
        code = base64.b64encode(bounded.encode())
        line = hashlib.md5(code).hexdigest().encode() + b" " + code + b"\n"
        deadline = time.monotonic() + timeout + 10
        while True:
            self._channel.sendall(line)
            before, end = self._read_until(re.compile(rb"\n?RC=(\d+) END\n|\nRESEND\n"), deadline)
            if end.group(1):
                break
        result = Output(int(end.group(1)), before.decode(errors="replace"))
        if result.code in (124, 143) and check:
            raise GuestError(f"{command!r} took longer than {timeout} s:\n{result.text}")
        if check and result.code != 0:
            raise GuestError(f"{command!r} exited with {result.code}:\n{result.text}")
        return result

    def kill(self):
        """As if the power went: no goodbye on the vhost-user socket."""
        if self._process and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self):
        self.kill()
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._server:
            self._socket.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def logs(self):
        """What QEMU and the guest's kernel said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))

    def _accept(self, listener):
        while True:
            listener.settimeout(0.2)
            try:
                channel, _ = listener.accept()
                return channel
            except TimeoutError:
                if self._process.poll() is not None:
                    raise GuestError(f"QEMU exited with {self._process.returncode}:\n{self.logs()}") from None

    def _read_until(self, pattern, deadline):
        while not (match := pattern.search(self._pending)):
            self._channel.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                raise GuestError(f"no {pattern.pattern!r} in time; got {self._pending!r}\n{self.logs()}") from None
            if not data:
                raise GuestError(f"the guest is gone; it last said {self._pending!r}\n{self.logs()}")
            self._pending += data
        before, self._pending = self._pending[:match.start()], self._pending[match.end():]
        return before, match

    def _read_line(self, pattern, deadline):
        return self._read_until(re.compile(pattern.pattern + rb"\r?\n"), deadline)[1]


def main():
    parser = argparse.ArgumentParser(description="Run a Linux guest behind a vhost-user socket.")
    parser.add_argument("--images", required=True, type=Path, help="folder of kernel and initramfs; filled on first use")
    parser.add_argument("--socket", required=True, help="path of the vhost-user socket")
    parser.add_argument("--connect", action="store_true", help='connect to the socket (the switch\'s mode is "server")')
    parser.add_argument("--ip", action="append", default=[], help="address/length of eth0; may be given again")
    parser.add_argument("--mac", default="52:54:00:00:00:01")
    parser.add_argument("--mtu", type=int)
    parser.add_argument("--gateway")
    parser.add_argument("--queues", type=int, default=1)
    parser.add_argument("--no-offloads", action="store_true", help="no checksum and segmentation offload")
    parser.add_argument("--exec", action="append", default=[], help="run in the guest, print its output; may be given again")
    parser.add_argument("--timeout", type=float, default=60, help="seconds each --exec may take")
    parser.add_argument("--stay", action="store_true", help="keep the guest until SIGTERM, SIGINT or end of input")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Guest(socket=options.socket, images=build(options.images), ip=options.ip, mac=options.mac, mtu=options.mtu,
               gateway=options.gateway, queues=options.queues, server=not options.connect,
               offloads=not options.no_offloads) as guest:
        print(f"guest {guest.mac} ready after {guest.boot_seconds:.1f} s", flush=True)
        for command in options.exec:
            result = guest.run(command, options.timeout, check=False)
            print(result.text, flush=True)
            if result.code != 0:
                return result.code
        if options.stay:
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (GuestError, KeyboardInterrupt) as error:
        sys.exit(f"guest.py: {error}")
