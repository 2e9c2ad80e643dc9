"""SQLite: a writer waits for another writer of the same file."""

import sqlite3
import tempfile
import threading
from pathlib import Path


class Busy:
    """A file of SQLite that another connection writes to from `hold` to `release`."""

    def __init__(self):
        self.heard = threading.Event()
        self.folder = Path(tempfile.mkdtemp())
        self.file = self.folder / "a.db"
        self._other = sqlite3.connect(self.file, check_same_thread=False, isolation_level=None)
        self._other.execute("create table if not exists a (b)")

    def hold(self):
        self._other.execute("begin exclusive")
        self.heard.set()

    def release(self):
        if self._other.in_transaction:
            self._other.execute("rollback")
        self._other.close()


service = Busy


def connection(at):
    return sqlite3.connect(at.file)


CALLS = {
    "sqlite3.Connection.execute": lambda at: connection(at).execute("insert into a values (1)"),
    "sqlite3.Connection.executemany": lambda at: connection(at).executemany(
        "insert into a values (?)", [(1,)]
    ),
    "sqlite3.Connection.executescript": lambda at: connection(at).executescript(
        "insert into a values (1)"
    ),
    "sqlite3.Cursor.execute": lambda at: connection(at).cursor().execute("select * from a"),
}
