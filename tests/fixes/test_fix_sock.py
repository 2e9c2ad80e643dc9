"""The loop waits for sockets that a function has for itself, executed before and after."""

from __future__ import annotations

import socketserver
import time

import pytest
from stall import served
from support import Case, case
from test_fix_rows_proof import main, prove


class _Line(socketserver.StreamRequestHandler):
    """Answers a line with the same, after a while."""

    delay = 0.1

    def handle(self) -> None:
        line = self.rfile.readline()
        time.sleep(self.delay)
        self.wfile.write(b"I said " + line)


lines = served(_Line)
TALK = (
    "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
    "s.connect(('127.0.0.1', port))\n"
    "s.sendall(b'so\\n')\n"
    "answer = b''\n"
    "while part := s.recv(3):\n    answer += part\n"
    "s.close()\n"
    "return answer"
)


def found(body: str, callee: str = "s.recv", imports: str = "import socket") -> Case:
    return case(main(body, imports), callee, f"socket.socket.{callee[2:]}", code="blocking-network")


def test_a_socket() -> None:
    talk = found(TALK)
    assert talk.titles[0] == "Wait for s on the loop"
    prove(talk, "on the loop", lines)
    assert talk.after("on the loop").endswith(
        "    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
        "    s.setblocking(False)\n"
        "    loop = asyncio.get_running_loop()\n"
        "    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
        "    await loop.sock_connect(s, ('127.0.0.1', port))\n"
        "    await loop.sock_sendall(s, b'so\\n')\n"
        "    answer = b''\n"
        "    while part := await loop.sock_recv(s, 3):\n        answer += part\n"
        "    s.close()\n"
        "    return answer\n"
    )


@pytest.mark.parametrize(
    "made",
    ["socket.create_connection(('127.0.0.1', port))", "socket.socket()"],
)
def test_a_socket_of_a_block(made: str) -> None:
    connect = "" if "create" in made else "    s.connect(('127.0.0.1', port))\n"
    body = f"with {made} as s:\n{connect}    s.sendall(b'so\\n')\n    return s.recv(100)"
    prove(found(body), "on the loop", lines)


def test_who_connects_is_waited_for() -> None:
    body = (
        "import threading\n"
        "at = socket.socket()\nat.bind(('127.0.0.1', 0))\nat.listen()\n"
        "threading.Timer(delay, visit, at.getsockname()).start()\n"
        "conn, address = at.accept()  # somebody\n"
        "x = conn.recv(9)\nconn.sendall(x)\nconn.close()\nat.close()\n"
        "return x, address[0]"
    )
    imports = (
        "import socket\n\ndef visit(*at):\n    with socket.create_connection(at) as s:\n"
        "        s.sendall(b'hello')\n        s.recv(9)\n"
    )

    from contextlib import contextmanager

    @contextmanager
    def waiting(delay: float):  # type: ignore[no-untyped-def]
        yield {"delay": delay}

    accept = case(main(body, imports), "at.accept", "socket.socket.accept")
    prove(accept, "on the loop", waiting)


def test_an_address_where_nobody_listens() -> None:
    body = "s = socket.socket()\ns.connect(('127.0.0.1', 1))\nreturn s.recv(1)"
    from stall import module, run

    before = found(body)
    outcomes = [
        run(module(text).main, repr).outcome for text in (before.text, before.after("on the loop"))
    ]
    assert outcomes[0][0] == outcomes[1][0] == "error"
    assert outcomes[0][1][0] is outcomes[1][1][0] is ConnectionRefusedError


@pytest.mark.parametrize(
    "body",
    [
        "s = socket.socket()\ns.settimeout(3)\ns.recv(3)",
        "s = socket.socket()\nkeep(s)\ns.recv(3)",
        "s = socket.socket()\ns.recv(3, socket.MSG_PEEK)",
        "s = socket.socket()\nf = s.makefile()\ns.recv(3)",
        "s = socket.socket(fileno=3)\ns.recv(3)",
        "s = socket.create_connection(a, 3)\ns.recv(3)",
        "s = socket.socket(); s.recv(3)",
        "s = socket.socket()\nx = lambda: s.recv(3)\ns.recv(4)",
        "s = self.s = socket.socket()\ns.recv(3)",
        "s.recv(3)",
    ],
)
def test_a_socket_that_stays(body: str) -> None:
    assert not any("on the loop" in title for title in found(body).titles)


def test_another_loop() -> None:
    assert "on the loop" not in str(found(TALK, imports="import socket\nimport trio").titles)
