# SPDX-License-Identifier: Apache-2.0
"""A steady stream of numbered frames from one pod to another: what is missing at the end was lost on the way."""
import struct
import threading
import time

from .frames import TEST_TYPE, ethernet

NUMBER = struct.Struct("!8sQ")
MARK = b"numbered"
KIND = struct.pack("!H", TEST_TYPE)


class Stream:
    """Sends `rate` frames a second while the context lasts. Both queues in the kernel are made long enough for a switch
    that the machine does not run for seconds: only what the switch itself loses can be missing."""

    def __init__(self, sender, receiver, source, destination, rate=1000, ifname="net1"):
        sender.ip("link", "set", ifname, "txqueuelen", "20000")
        self.wires = sender.wire(ifname), receiver.wire(ifname)
        self.source, self.destination, self.rate = source, destination, rate
        self.sent, self.received = 0, []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.finish()
        for wire in self.wires:
            wire.socket.close()

    def finish(self):
        """Stops sending, waits for what is under way."""
        self.ending.set()
        for thread in self.threads:
            thread.join()

    @property
    def missing(self):
        return sorted(set(range(self.sent)) - set(self.received))

    def frame_of(self, number):
        return ethernet(NUMBER.pack(MARK, number), self.source, self.destination)

    def number_of(self, frame):
        """None: it is none of the stream's."""
        return NUMBER.unpack_from(frame, 14)[1] if frame[12:14] == KIND and frame[14:22] == MARK else None

    def _send(self):
        start = time.monotonic()
        while not self.ending.is_set():
            while self.sent < (time.monotonic() - start) * self.rate and not self.ending.is_set():
                self.wires[0].send(self.frame_of(self.sent))
                self.sent += 1
            self.ending.wait(0.002)

    def _receive(self):
        """Until every frame is here, or none has come for a second after the last was sent."""
        wire = self.wires[1]
        wire.socket.settimeout(1)
        while not (self.ending.is_set() and not self.threads[0].is_alive() and len(self.received) >= self.sent):
            try:
                frame = wire.next()
            except TimeoutError:
                if self.ending.is_set() and not self.threads[0].is_alive():
                    return
                continue
            number = self.number_of(frame) if frame else None
            if number is not None:
                self.received.append(number)
