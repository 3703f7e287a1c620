# SPDX-License-Identifier: Apache-2.0
"""A client of the control socket, as plain as a script of a user's would be."""
import itertools
import json
import socket


class Refused(Exception):
    """The switch said no."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data", {})

    @property
    def field(self):
        return self.data.get("field")


class Control:
    def __init__(self, path=None, timeout=20, connected=None):
        self.socket = connected or socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if not connected:
            self.socket.connect(str(path))
        self.reader = self.socket.makefile("rb")
        self.ids = itertools.count(1)
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, method, params):
        number = next(self.ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return number

    def line(self):
        text = self.reader.readline()
        if not text:
            raise ConnectionError("the switch closed the connection")
        return json.loads(text)

    def reply(self, number):
        while True:
            answer = self.line()
            if answer.get("method") == "event":
                self.events.append(answer["params"])
            elif answer.get("id") == number:
                if "error" in answer:
                    raise Refused(answer["error"])
                return answer["result"]

    def call(self, method, **params):
        return self.reply(self.send(method, params))

    def raw(self, text):
        """Sends a line as it is and returns the reply as it came."""
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())
        return self.line()

    def next_event(self, *kinds):
        """Waits for an event of one of `kinds` (any, if none is named)."""
        while True:
            for at, event in enumerate(self.events):
                if not kinds or event["kind"] in kinds:
                    return self.events.pop(at)
            answer = self.line()
            if answer.get("method") == "event":
                self.events.append(answer["params"])
