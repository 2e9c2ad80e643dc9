"""What a folder's files call in packages is derived in the background, and kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from loopsafe.effects.derive import Derivation
from loopsafe.engine import Cancelled, Engine
from loopsafe.lsp import warming
from loopsafe.lsp.status import Status
from loopsafe.lsp.worker import Rank, Worker
from test_derived_store import Project

FUNCTIONS = 30


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path / "one", tmp_path / "cache")
    found.add_functions(FUNCTIONS)
    return found


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.start()
    return worker


async def _warm(project: Project, worker: Worker, engine: Engine) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    await warming.warm(worker, Status(said.append), engine, [str(project.root / "main.py")])
    await worker.run(lambda _: None, Rank.BACKGROUND)  # What it posted is done.
    return said


async def test_the_next_engine_derives_nothing(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _warm(project, worker, project.engine())

    def forbidden(*_: object) -> None:
        raise AssertionError("everything was derived before")

    monkeypatch.setattr(Derivation, "_search", forbidden)
    assert len(project.findings()) == FUNCTIONS + 2
    await _warm(project, worker, project.engine())


async def test_an_engine_that_has_grown_large_makes_room_for_another(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Engine] = []
    twin = Engine.twin

    def noted(engine: Engine) -> Engine:
        made.append(twin(engine))
        return made[-1]

    monkeypatch.setattr(Engine, "twin", noted)
    monkeypatch.setattr(warming, "_MOST_MODULES", 0)
    await _warm(project, worker, project.engine())
    assert len(made) == 2
    assert not made[-1].table.loaded()
    monkeypatch.setattr(Derivation, "_search", lambda *_: pytest.fail("it was not kept"))
    assert len(project.findings()) == FUNCTIONS + 2


async def test_what_was_through_is_not_looked_at_again(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _warm(project, worker, project.engine())
    monkeypatch.setattr("loopsafe.engine.library_edges", lambda *_: pytest.fail("looked at again"))
    await _warm(project, worker, project.engine())
    # A package came: it may be one that others look for.
    (project.site / "extra.py").write_text("")
    with pytest.raises(pytest.fail.Exception):
        project.engine().warm(str(project.root / "main.py"), lambda: None)


async def test_the_user_does_not_wait_for_it(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "_SLICE_SECONDS", 0.001)
    task = asyncio.ensure_future(_warm(project, worker, project.engine()))
    answers = 0
    while not task.done():
        await worker.run(lambda _: None, Rank.URGENT)
        answers += not task.done()
        await asyncio.sleep(0)
    await task
    assert answers > 2, "its slices let others go first"


async def test_cancelling_stops_it_and_it_goes_on_where_it_was(
    project: Project, worker: Worker
) -> None:
    path = str(project.root / "main.py")
    engine = project.engine()
    for rounds in range(1, 500):
        left = rounds

        def check_in() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cancelled

        try:
            engine.warm(path, check_in)
        except Cancelled:
            continue
        break
    assert 1 < rounds < 499
    engine.keep()
    assert engine.table.cache is not None
    engine.table.cache.close()
    assert project.findings() == project.findings(cached=False)


async def test_a_cancelled_task_leaves_the_thread_free(project: Project, worker: Worker) -> None:
    task = asyncio.ensure_future(_warm(project, worker, project.engine()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await worker.run(lambda _: 1, Rank.BACKGROUND) == 1


async def test_a_crash_is_one_line_in_the_log(
    project: Project,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crash(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(Engine, "warm", crash)
    await _warm(project, worker, project.engine())
    assert ["too deep" in r.message for r in caplog.records] == [True]
