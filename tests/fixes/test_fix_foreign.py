"""A client of the standard library becomes one of an async library, with all its uses."""

from __future__ import annotations

import socketserver
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stall import served
from support import Case, case, everything
from test_fix_rows_proof import main, prove

SQLITE = "import sqlite3\nimport aiosqlite\nfrom contextlib import closing"
MAIL = "import smtplib\nimport aiosmtplib\n"


def database(body: str) -> Case:
    return case(main(body, SQLITE), "sqlite3.connect", installed=everything)


def mail(body: str, maker: str = "SMTP", imports: str = MAIL) -> Case:
    return case(main(body, imports), f"smtplib.{maker}", installed=everything)


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (
            "db = sqlite3.connect(p, timeout=3)\ndb.row_factory = sqlite3.Row\n"
            "c = db.cursor()\nc.execute(q)\nx = c.execute(q).fetchall()\n"
            "y = db.execute(q).fetchone()[0]\nfor row in c:\n    pass\ndb.close()\n"
            "return x, y, c.lastrowid",
            "db = await aiosqlite.connect(p, timeout=3)\ndb.row_factory = sqlite3.Row\n"
            "c = await db.cursor()\nawait c.execute(q)\n"
            "x = await (await c.execute(q)).fetchall()\n"
            "y = (await (await db.execute(q)).fetchone())[0]\nasync for row in c:\n    pass\n"
            "await db.close()\nreturn x, y, c.lastrowid",
        ),
        (
            "with sqlite3.connect(p) as db:\n    return db.execute('SELECT 1').fetchall()",
            "async with aiosqlite.connect(p) as db:\n"
            "    return await (await db.execute('SELECT 1')).fetchall()",
        ),
        (
            "with sqlite3.connect(p) as db:\n    db.execute(q)  # so",
            "async with aiosqlite.connect(p) as db:\n    await db.execute(q)  # so\n"
            "    await db.commit()",
        ),
        (
            "db = sqlite3.connect(p)\nx = [row[0] for row in db.execute(q)]\ndb.close()",
            "db = await aiosqlite.connect(p)\nx = [row[0] async for row in await db.execute(q)]\n"
            "await db.close()",
        ),
        (
            "with sqlite3.connect(p) as db:\n    db.execute(q)\n    db.commit()",
            "async with aiosqlite.connect(p) as db:\n    await db.execute(q)\n"
            "    await db.commit()",
        ),
        (
            "with closing(sqlite3.connect(p)) as db:\n    return db.execute(q).fetchall()",
            "async with aiosqlite.connect(p) as db:\n"
            "    return await (await db.execute(q)).fetchall()",
        ),
    ],
)
def test_a_database_in_a_file(body: str, after: str) -> None:
    lines = "\n".join(f"    {line}" for line in after.split("\n"))
    assert database(body).after("aiosqlite").endswith(f"async def main():\n{lines}\n")


@pytest.mark.parametrize(
    "body",
    [
        "with sqlite3.connect(p) as db:\n    return db.execute(q).fetchall()",
        "with sqlite3.connect(p) as db:\n    db.execute(q)\ndb.close()",
        "db = sqlite3.connect(p)\nwith db:\n    db.execute(q)",
        "db = sqlite3.connect(p, 3)\ndb.execute(q)",
        "db = sqlite3.connect(p)\ndb.create_function('f', 1, abs)\ndb.execute(q)",
        "db = sqlite3.connect(p)\nkeep(db)\ndb.execute(q)",
        "db = sqlite3.connect(p)\nx = sum(row for row in db.execute(q))",
    ],
)
def test_a_database_that_stays(body: str) -> None:
    assert not any(title.startswith("Use ") for title in database(body).titles)


@pytest.mark.parametrize(
    ("body", "maker", "after"),
    [
        (
            "with smtplib.SMTP(h, 25) as s:\n    s.starttls(context=c)\n    s.login(u, w)\n"
            "    s.send_message(m, to_addrs=t)",
            "SMTP",
            "async with aiosmtplib.SMTP(hostname=h, port=25, start_tls=False) as s:\n"
            "    await s.starttls(tls_context=c)\n    await s.login(u, w)\n"
            "    await s.send_message(m, recipients=t)",
        ),
        (
            "s = smtplib.SMTP_SSL(h, context=c, port=(465))\ns.sendmail(u, t, m)\ns.quit()",
            "SMTP_SSL",
            None,
        ),
        (
            "s = smtplib.SMTP_SSL(h, port=465)\ns.sendmail(u, t, m)\ns.quit()\ns.close()",
            "SMTP_SSL",
            "s = aiosmtplib.SMTP(hostname=h, port=465, use_tls=True)\nawait s.connect()\n"
            "await s.sendmail(u, t, m)\nawait s.quit()\ns.close()",
        ),
        ("x = smtplib.SMTP(h)\nreturn x.sendmail(u, t, m)", "SMTP", None),
        ("x = smtplib.SMTP()\nx.connect(h)", "SMTP", None),
        ("x = smtplib.SMTP(h)\nx.set_debuglevel(1)\nx.quit()", "SMTP", None),
        (
            "try:\n    with smtplib.SMTP(h) as s:\n        s.send_message(m)\n"
            "except smtplib.SMTPException:\n    pass",
            "SMTP",
            None,
        ),
        ("smtplib.SMTP(h).send_message(m)", "SMTP", None),
    ],
)
def test_mail(body: str, maker: str, after: str | None) -> None:
    found = mail(body, maker)
    if after is None:
        assert not any(title.startswith("Use ") for title in found.titles)
        return
    lines = "\n".join(f"    {line}" for line in after.split("\n"))
    assert found.after("aiosmtplib").endswith(f"async def main():\n{lines}\n")


def test_the_async_library_must_be_there() -> None:
    for text, maker in (
        ("sqlite3.connect(p)", "sqlite3.connect"),
        ("smtplib.SMTP(h)", "smtplib.SMTP"),
    ):
        found = case(
            main(f"with {text} as x:\n    x.execute(q)\n    x.quit()", f"import {text[:7]}"), maker
        )
        assert not any(title.startswith("Use ") for title in found.titles)


@pytest.mark.parametrize(
    "body",
    [
        "db = sqlite3.connect(path)\nc = db.cursor()\nc.execute('insert into t values (3)')\n"
        "db.commit()\nx = [tuple(r) for r in c.execute('select * from t').fetchall()]\n"
        "db.close()\nreturn x, c.rowcount",
        "db = sqlite3.connect(path)\ndb.execute('insert into t values (3)')\n"
        "x = [r[0] for r in db.execute('select * from t')]\ndb.close()\nreturn x",
        "with sqlite3.connect(path) as db:\n    db.execute('insert into t values (4)')\n"
        "x = sqlite3.connect(path).execute('select * from t').fetchall()\nreturn x",
        "with sqlite3.connect(path) as db:\n    db.execute('insert into t values (5)')\n"
        "    db.execute('insert into none values (5)')",
    ],
)
def test_a_database_that_is_locked(body: str, tmp_path: Path) -> None:
    pytest.importorskip("aiosqlite")

    @contextmanager
    def locked(delay: float) -> Iterator[dict[str, Any]]:
        path = tmp_path / f"{time.monotonic_ns()}.db"
        other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        other.execute("create table t (x)")
        other.execute("begin exclusive")
        timer = threading.Timer(delay, lambda: other.execute("rollback"))
        timer.start()
        yield {"path": path}
        timer.join()
        other.close()

    prove(database(body), "aiosqlite", locked)


class _Mail(socketserver.StreamRequestHandler):
    delay = 0.1

    def handle(self) -> None:
        self._say("220 here")
        in_data = False
        for raw in self.rfile:
            line = raw.strip().upper()
            if in_data:
                in_data = line != b"."
                if not in_data:
                    time.sleep(self.delay)
                    self._say("250 taken")
            elif line == b"DATA":
                in_data = True
                self._say("354 go on")
            elif line.startswith(b"RCPT TO:<NOBODY"):
                self._say("550 nobody")
            else:
                self._say("221 bye" if line == b"QUIT" else "250 ok")
                if line == b"QUIT":
                    return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.mark.parametrize(
    "body",
    [
        "with smtplib.SMTP('127.0.0.1', port) as s:\n    s.sendmail('a@b', ['c@d'], 'Hello')\n"
        "return 1",
        "s = smtplib.SMTP('127.0.0.1', port, timeout=20)\ns.ehlo()\n"
        "s.sendmail('a@b', 'c@d', 'Hello')\ns.quit()\nreturn 1",
    ],
)
def test_a_slow_mail_server(body: str) -> None:
    pytest.importorskip("aiosmtplib")
    prove(mail(body), "aiosmtplib", served(_Mail))
