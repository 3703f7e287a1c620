# SPDX-License-Identifier: Apache-2.0
"""Two pods that mind their own business: one TCP connection on which every word is answered, and a ping beside it."""
import contextlib
import re
import signal
import socket
import subprocess
import threading

from .wait import output_with, until

WORD = 64


class Talk:
    """Goes on while the context lasts. Its end fails if a word or a ping was lost, or the connection was not the same all along."""

    def __init__(self, client, server, address, port=7000):
        self.client, self.server, self.address, self.port = client, server, address, port
        self.answered, self.broken, self.ending = 0, None, threading.Event()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            with self.server.entered():
                listener = stack.enter_context(socket.create_server((self.address, self.port)))
            with self.client.entered():
                self.socket = stack.enter_context(socket.create_connection((self.address, self.port), timeout=5))
            listener.settimeout(5)
            self.accepted = stack.enter_context(listener.accept()[0])
            for end in (self.socket, self.accepted):
                end.settimeout(5)
            self.ping = self.client.popen("ping", "-n", "-i", "0.02", self.address, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            stack.callback(self._end_ping)
            output_with(self.ping, "bytes from")
            self.threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._ask, self._answer)]
            stack.callback(self._finish)
            for thread in self.threads:
                thread.start()
            self.hears_more()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.hears_more()
                self.end_well()
        finally:
            self.stack.close()

    def hears_more(self, words=5):
        """The conversation goes on, right now."""
        goal = self.answered + words
        until(lambda: self.broken or self.answered >= goal, 5, "an answer")
        assert not self.broken, f"the connection broke after {self.answered} words: {self.broken}"

    def end_well(self):
        self._finish()
        assert not self.broken, f"the connection broke after {self.answered} words: {self.broken}"
        self.ping.send_signal(signal.SIGINT)
        said, _ = self.ping.communicate(timeout=10)
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", said.decode()).groups())
        # The last one may still be under way.
        assert received >= sent - 1 and b"DUP" not in said, said.decode()[-300:]

    def _guarded(self, work):
        try:
            work()
        except OSError as error:
            self.broken = self.broken or error

    def _ask(self):
        while not self.ending.is_set():
            word = self.answered.to_bytes(WORD, "big")
            self.socket.sendall(word)
            if self._read(self.socket) != word:
                raise OSError("another answer")
            self.answered += 1
            self.ending.wait(0.002)
        self.socket.shutdown(socket.SHUT_WR)

    def _answer(self):
        while word := self._read(self.accepted):
            self.accepted.sendall(word)

    @staticmethod
    def _read(end):
        data = b""
        while len(data) < WORD:
            part = end.recv(WORD - len(data))
            if not part:
                return data
            data += part
        return data

    def _finish(self):
        self.ending.set()
        for thread in self.threads:
            if thread.ident:
                thread.join()

    def _end_ping(self):
        if self.ping.poll() is None:
            self.ping.kill()
        self.ping.communicate()
