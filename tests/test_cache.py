"""The cache on disk: it keeps what it is given, in bounds, and no trouble with it is an error."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopsafe.engine import Cancelled
from loopsafe.facts.extract import extract
from loopsafe.modules import cache as cache_module
from loopsafe.modules.cache import Cache, default_folder

FACTS = extract("import time\nasync def f():\n    time.sleep(1)\n")


def _file(folder: Path) -> Path:
    return folder / "cache.sqlite3"


def test_what_is_kept_is_there_for_the_next_run(tmp_path: Path) -> None:
    first = Cache(tmp_path / "deep" / "cache")
    first.keep_facts(b"text", FACTS)
    assert first.facts(b"text") == FACTS, "before it is written, too"
    first.close()
    second = Cache(tmp_path / "deep" / "cache")
    assert second.facts(b"text") == FACTS
    assert second.facts(b"other") is None


def test_facts_of_another_version_are_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Cache(tmp_path)
    first.keep_facts(b"text", FACTS)
    first.close()
    monkeypatch.setattr(cache_module, "facts_version", lambda: b"newer")
    assert Cache(tmp_path).facts(b"text") is None


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A few files in the place of Loopsafe's own."""
    folder = tmp_path / "loopsafe"
    (folder / "facts").mkdir(parents=True)
    (folder / "knowledge").mkdir()
    for name in ("facts/a.py", "text.py", "model.py", "engine.py", "knowledge/x.toml"):
        (folder / name).write_text("1")
    monkeypatch.setattr(cache_module, "_PACKAGE", folder)
    monkeypatch.setattr(cache_module, "_BELOW_FACTS", (folder / "text.py", folder / "model.py"))
    yield folder
    monkeypatch.undo()
    versions()


def versions() -> tuple[bytes, bytes]:
    """That of facts and that of all findings, as they are now."""
    for known in (cache_module._sealed, cache_module.facts_version, cache_module.engine_version):
        known.cache_clear()
    return cache_module.facts_version(), cache_module.engine_version()


def test_the_version_is_that_of_every_source_the_answer_comes_from(package: Path) -> None:
    before = versions()
    assert versions() == before
    (package / "engine.py").write_text("2")
    after = versions()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    for name in ("facts/a.py", "text.py", "facts/new.py"):
        (package / name).write_text("3")
        assert versions()[0] != after[0]
        after = versions()
    (package / "knowledge" / "x.toml").write_text("4")
    assert versions()[1] != after[1]


def test_a_sealed_package_has_the_version_that_its_files_had(package: Path) -> None:
    before = versions()
    cache_module.seal()
    assert versions() == before
    for path in package.rglob("*.py"):
        path.unlink()
    assert versions() == before  # No file is read.


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, None])
def test_a_broken_file_is_replaced(tmp_path: Path, damage: bytes | None) -> None:
    first = Cache(tmp_path)
    first.keep_facts(b"text", FACTS)
    first.close()
    whole = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    for _ in range(3):
        cache = Cache(tmp_path)
        cache.facts(b"text")
        cache.keep_facts(b"text", FACTS)
        cache.close()
    assert Cache(tmp_path).facts(b"text") == FACTS


def test_a_changed_row_is_not_believed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(b"right", b"name")
    cache.close()
    base = sqlite3.connect(_file(tmp_path))
    base.execute("UPDATE rows SET data = substr(data, 1, 16) || 'wrong'")
    base.commit()
    assert Cache(tmp_path).get(b"name") is None
    base.execute("UPDATE rows SET data = 5")
    base.commit()
    base.close()
    assert Cache(tmp_path).get(b"name") is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    cache.keep_facts(b"text", FACTS)
    cache.flush()
    assert cache.facts(b"text") is None
    cache.close()


@pytest.mark.skipif(
    sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="the folder cannot be made read-only here",
)
def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    cache = Cache(tmp_path)
    cache.keep_facts(b"text", FACTS)
    cache.close()
    tmp_path.chmod(0o700)
    assert not list(tmp_path.iterdir())


def test_a_file_that_another_holds_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cache(tmp_path).close()
    cache = Cache(tmp_path)
    cache.put(b"1", b"a")
    cache.flush()
    holder = sqlite3.connect(_file(tmp_path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(cache_module, "_PATIENCE_SECONDS", 0.05)
    other = Cache(tmp_path)
    other.put(b"2", b"b")
    other.close()
    holder.execute("ROLLBACK")
    holder.close()
    assert Cache(tmp_path).get(b"a") == b"1"


def test_it_stays_within_its_size_and_drops_the_oldest(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=1_000_000)
    for number in range(40):
        cache._today = 1000 + number
        cache.put(os.urandom(50_000), b"%d" % number)
        cache.flush()
    assert cache.get(b"0") is None
    assert cache.get(b"39") is not None
    cache.close()
    assert _file(tmp_path).stat().st_size < 2_000_000


def test_what_is_used_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=1_000_000)
    for number in range(40):
        cache._today = 1000 + number
        cache.put(os.urandom(50_000), b"%d" % number)
        assert cache.get(b"0") is not None
        cache.flush()
    assert cache.get(b"0") is not None


def _keep(folder: str, start: int) -> None:
    cache = Cache(Path(folder))
    for number in range(start, start + 30):
        cache.put(b"%d" % number, b"%d" % number)
        cache.flush()
    cache.close()


def test_several_processes_may_use_it_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_keep, args=(str(tmp_path), 100 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cache = Cache(tmp_path)
    for start in (0, 100, 200):
        for number in range(start, start + 30):
            assert cache.get(b"%d" % number) == b"%d" % number


def test_the_user_may_say_where_it_is(tmp_path: Path) -> None:
    assert default_folder({"LOOPSAFE_CACHE_DIR": str(tmp_path)}) == tmp_path
    assert default_folder({"LOOPSAFE_CACHE_DIR": "here"}) == Path.cwd() / "here"
    assert default_folder({"LOOPSAFE_CACHE_DIR": ""}).name in ("loopsafe", "Cache")


def test_a_patient_cache_makes_bytes_of_facts_when_it_is_told_to(tmp_path: Path) -> None:
    first = Cache(tmp_path, is_patient=True)
    for name in (b"one", b"two"):
        first.keep_facts(name, FACTS)
    assert first.facts(b"one") is FACTS
    first.flush()
    assert Cache(tmp_path).facts(b"one") is None

    moments = iter([None])

    def check_in() -> None:
        if next(moments, True):
            raise Cancelled

    with pytest.raises(Cancelled):
        first.settle(check_in)
    first.settle()
    first.flush()
    second = Cache(tmp_path)
    assert second.facts(b"one") == second.facts(b"two") == FACTS
