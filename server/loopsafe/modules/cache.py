"""The cache on disk: rows of bytes by key, in the user's cache folder, shared by all projects.

Whatever goes wrong with it, a full disk, a broken file, another process that holds it, costs time
and nothing else: everything in it can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import platformdirs

from loopsafe.facts import store
from loopsafe.facts.ir import ModuleFacts

VARIABLE = "LOOPSAFE_CACHE_DIR"
_FILE = "cache.sqlite3"
_PATIENCE_SECONDS = 2.0
_MOST_BYTES = 512 * 1024 * 1024
_PENDING_BYTES = 4 * 1024 * 1024
_DAY = 86_400
_PACKAGE = Path(__file__).parents[1]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS uses (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
"""
_SELECT = "SELECT day, data FROM rows JOIN uses USING (key) WHERE key = ?"
_log = logging.getLogger(__name__)


def default_folder(environment: Mapping[str, str]) -> Path:
    """Where the cache lives: what the user says, or the system's place for such files."""
    given = environment.get(VARIABLE)
    if given:
        return Path(os.path.abspath(given))
    return platformdirs.user_cache_path("loopsafe", appauthor=False)


@cache
def facts_version() -> bytes:
    """Differs whenever the same text may give other facts."""
    return _digest((store.SHAPE.encode(), _version("facts", _facts_files)))


@cache
def engine_version() -> bytes:
    """Differs whenever the same files may give other findings."""
    return _version("engine", _engine_files)


def seal() -> None:
    """Writes what this package's files come to beside them, which saves reading all at each start:
    for one that is made once and never changed."""
    found = {"facts": _digest_of(_facts_files()), "engine": _digest_of(_engine_files())}
    text = json.dumps({name: digest.hex() for name, digest in found.items()})
    (_PACKAGE / _SEAL).write_text(text, "utf-8")


_SEAL = "sealed.json"
_BELOW_FACTS = (_PACKAGE / "text.py", _PACKAGE / "model.py")


def _facts_files() -> list[Path]:
    read = sorted(p for p in (_PACKAGE / "facts").iterdir() if p.suffix == ".py")
    return [*read, *_BELOW_FACTS]


def _engine_files() -> list[Path]:
    kept = (".py", ".toml", ".md")
    return sorted(p for p in _PACKAGE.rglob("*") if p.suffix in kept)


def _version(name: str, files: Callable[[], list[Path]]) -> bytes:
    """What some files of this package come to under this Python."""
    python = f"{sys.implementation.name} {sys.version_info}".encode()
    return _digest((python, _sealed().get(name) or _digest_of(files())))


@cache
def _sealed() -> Mapping[str, bytes]:
    """What was written when the package was sealed; nothing where it was not."""
    try:
        found = json.loads((_PACKAGE / _SEAL).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return {name: bytes.fromhex(digest) for name, digest in found.items()}


def _digest_of(files: Iterable[Path]) -> bytes:
    return _digest(
        _digest((p.relative_to(_PACKAGE).as_posix().encode(), p.read_bytes())) for p in files
    )


def _digest(parts: Iterable[bytes]) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()


class Cache:
    """Rows of bytes by key. New ones are written together, at `flush` or when they are many."""

    def __init__(
        self, folder: Path, most_bytes: int = _MOST_BYTES, is_patient: bool = False
    ) -> None:
        """A patient one turns facts into bytes when `settle` is called, not while somebody waits
        for what is found with them."""
        self.folder = folder
        self._most_bytes = most_bytes
        self._is_patient = is_patient
        self._waiting: dict[bytes, ModuleFacts] = {}
        """Facts that are no bytes yet, by the digests of their texts."""
        self._base: sqlite3.Connection | None = None
        self._is_usable = True
        self._pending: dict[bytes, bytes] = {}
        self._pending_bytes = 0
        self._used: set[bytes] = set()
        """Rows that were read and whose day of last use is an earlier one."""
        self._today = int(time.time()) // _DAY

    def facts(self, digest: bytes) -> ModuleFacts | None:
        """The facts of a text, if they are known."""
        waiting = self._waiting.get(digest)
        if waiting is not None:
            return waiting
        data = self.get(b"facts", digest, facts_version())
        if data is None:
            return None
        try:
            return store.load(data)
        except store.Unreadable as error:
            _log.info("The cache holds damaged facts: %s", error)
            return None

    def keep_facts(self, digest: bytes, facts: ModuleFacts) -> None:
        """Remembers the facts of a text."""
        if self._is_patient and self._is_usable:
            self._waiting[digest] = facts
        elif self._is_usable:
            self._put_facts(digest, facts)

    def settle(self, check_in: Callable[[], None] = lambda: None) -> None:
        """Makes bytes of the facts that wait for it. `check_in` is called before each and may
        raise, which leaves the others for the next time."""
        while self._waiting:
            check_in()
            self._put_facts(*self._waiting.popitem())

    def _put_facts(self, digest: bytes, facts: ModuleFacts) -> None:
        with contextlib.suppress(store.Unreadable):
            self.put(store.dump(facts), b"facts", digest, facts_version())

    def get(self, *key: bytes) -> bytes | None:
        """The bytes that were put under a key, if they are still there and whole."""
        name = _digest(key)
        if name in self._pending:
            return self._pending[name]
        base = self._open()
        if base is None:
            return None
        try:
            row = base.execute(_SELECT, (name,)).fetchone()
        except sqlite3.Error as error:
            self._fail(error)
            return None
        if row is None or type(row[1]) is not bytes:
            return None
        if row[0] != self._today:
            self._used.add(name)
        check, data = row[1][:16], row[1][16:]
        return data if check == _digest((name, data)) else None

    def put(self, data: bytes, *key: bytes) -> None:
        """Remembers bytes under a key."""
        if not self._is_usable:
            return
        self._pending[_digest(key)] = data
        self._pending_bytes += len(data)
        if self._pending_bytes > _PENDING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes what is new."""
        base = self._open() if self._pending or self._used else None
        if base is None:
            self._pending.clear()
            return
        try:
            with _transaction(base):
                base.executemany(
                    "INSERT OR REPLACE INTO rows VALUES (?, ?)",
                    [(k, _digest((k, d)) + d) for k, d in self._pending.items()],
                )
                base.executemany(
                    "INSERT OR REPLACE INTO uses VALUES (?, ?)",
                    [(key, self._today) for key in self._used.union(self._pending)],
                )
            self._shrink(base)
        except sqlite3.Error as error:
            self._fail(error)
        self._pending.clear()
        self._used.clear()
        self._pending_bytes = 0

    def close(self) -> None:
        """Writes what is new and lets go of the file. It opens again when asked."""
        self.flush()
        if self._base is not None:
            with contextlib.suppress(sqlite3.Error):
                self._base.close()
            self._base = None

    def _open(self) -> sqlite3.Connection | None:
        if self._base is not None or not self._is_usable:
            return self._base
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(
                self.folder / _FILE,
                timeout=_PATIENCE_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.execute("PRAGMA trusted_schema = OFF")
            self._base.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            self._fail(error)
        return self._base

    def _fail(self, error: Exception) -> None:
        """Goes on without; a broken file is removed, so that the next run has a new one."""
        _log.info("The cache in %s cannot be used: %s", self.folder, error)
        is_broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )
        if self._base is not None:
            with contextlib.suppress(sqlite3.Error):
                self._base.close()
        self._base = None
        self._is_usable = False
        if is_broken:
            for end in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    (self.folder / f"{_FILE}{end}").unlink()

    def _shrink(self, base: sqlite3.Connection) -> None:
        """Drops what was not used for longest, where the file has grown too large."""
        size, pages, free = (
            base.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_size", "page_count", "freelist_count")
        )
        excess = (pages - free) * size - self._most_bytes
        if excess <= 0:
            return
        excess += self._most_bytes // 4
        gone: list[tuple[bytes]] = []
        for key, length in base.execute(
            "SELECT key, length(data) FROM rows JOIN uses USING (key) ORDER BY day"
        ):
            if excess <= 0:
                break
            gone.append((key,))
            excess -= length
        with _transaction(base):
            base.executemany("DELETE FROM rows WHERE key = ?", gone)
            base.executemany("DELETE FROM uses WHERE key = ?", gone)


@contextlib.contextmanager
def _transaction(base: sqlite3.Connection) -> Iterator[None]:
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")
