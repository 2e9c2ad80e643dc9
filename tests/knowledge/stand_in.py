"""A server on this machine that takes every connection and, once told to, answers nobody."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable

Answer = Callable[[bytes], bytes]


class StandIn:
    """Stands in for any network service: a client that waits for an answer waits on `port`.

    Until `hold` it greets with `greeting` and replies to each piece of data with what `answer`
    makes of it, which is enough of a protocol for a client to log in. After `hold` it only reads,
    and `heard` says that somebody waits. `release` hangs up on all and takes nobody any more.
    """

    host = "127.0.0.1"

    def __init__(self, answer: Answer | None = None, greeting: bytes = b"") -> None:
        self.heard = threading.Event()
        self._answer = answer
        self._greeting = greeting
        self._holding = False
        self._connections: list[socket.socket] = []
        self._server = socket.create_server((self.host, 0), backlog=64)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The address for clients of HTTP."""
        return f"http://{self.host}:{self.port}"

    def hold(self) -> None:
        """From now on nobody gets an answer."""
        self._holding = True

    def release(self) -> None:
        """Hangs up."""
        for one in (self._server, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._holding:
                self.heard.set()
            elif self._greeting:
                connection.sendall(self._greeting)
            while data := connection.recv(65536):
                if self._holding:
                    self.heard.set()
                elif self._answer is not None:
                    connection.sendall(self._answer(data))


def http(body: object) -> Answer:
    """Replies to every request with a body of JSON."""
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    return lambda _: head.encode() + b"\r\n" + text
