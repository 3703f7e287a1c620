# SPDX-License-Identifier: Apache-2.0
"""TCP between namespaces, every byte of it compared; and iperf3 for guests to talk to."""
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import threading

from .wait import output_with

MIB = 1 << 20


def transfer(client, server, address, size=16 * MIB, timeout=15):
    """Sends `size` random bytes from client to server. Fails unless the same bytes arrive."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    data = os.urandom(min(size, 4 * MIB)) * max(1, size // (4 * MIB))
    got = hashlib.sha256()
    with server.entered():
        listener = socket.create_server((address, 0), family=family)
    with client.entered():
        sender = socket.socket(family, socket.SOCK_STREAM)
    with listener, sender:
        for end in (listener, sender):
            end.settimeout(timeout)

        def send():
            with contextlib.suppress(OSError):  # the receiver tells what is missing
                sender.connect((address, listener.getsockname()[1]))
                sender.sendall(data)
                sender.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(timeout)
                while part := connection.recv(MIB):
                    got.update(part)
        finally:
            thread.join()
    assert got.digest() == hashlib.sha256(data).digest(), "other bytes arrived than were sent"


@contextlib.contextmanager
def iperf_server(namespace):
    """Serves one client; listening when the context is entered."""
    server = namespace.popen("iperf3", "-s", "-1", "--forceflush", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output_with(server, "listening")
        yield server
    finally:
        server.kill()
        server.communicate()


def iperf_bytes(client, server, address, *options):
    """What arrives of one second of iperf3's TCP; with -R the server sends."""
    with iperf_server(server):
        report = client.run("iperf3", "-c", address, "-t", "1", "-J", *options, timeout=30)
    return json.loads(report.stdout)["end"]["sum_received"]["bytes"]


def bad_checksums(namespace):
    """How many TCP segments and IP packets this namespace's kernel refused for their checksum or header."""
    report = namespace.run("nstat", "-asz", "TcpInCsumErrors", "TcpInErrs", "IpInHdrErrors", "Ip6InHdrErrors").stdout
    counts = {line.split()[0]: int(line.split()[1]) for line in report.splitlines() if not line.startswith("#")}
    return {name: count for name, count in counts.items() if count}
