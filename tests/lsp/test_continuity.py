"""What the session before told is looked at behind everything else, and what is found is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
from lsp_editor import PATIENCE

from loopsafe.engine import Engine
from loopsafe.lsp import continuity
from loopsafe.lsp.continuity import Continuity
from loopsafe.lsp.worker import Worker
from test_earlier import CALLER, Project


class Bench:
    """What is asked to keep."""

    def __init__(self) -> None:
        self.asked: list[Collection[Engine]] = []
        self.is_settled = False

    def settle(self, check_in: Callable[[], None]) -> None:
        check_in()
        self.is_settled = True

    def keep(self, engines: Collection[Engine]) -> None:
        assert self.is_settled
        self.asked.append(engines)


class Life:
    """A session's continuity, with what it says and does."""

    def __init__(self) -> None:
        self.worker = Worker()
        self.worker.start()
        self.bench = Bench()
        self.news = 0
        self.continuity = Continuity(self.worker, self.bench, self._say)  # type: ignore[arg-type]

    def _say(self) -> None:
        self.news += 1

    async def quiet(self, engine: Engine, path: str) -> None:
        """Until a file is confirmed, and what is known is kept."""
        async with asyncio.timeout(PATIENCE):
            while not (engine.is_confirmed(path) and self.bench.asked):
                await asyncio.sleep(0.01)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(continuity, "_QUIET_SECONDS", 0.02)
    monkeypatch.setattr(continuity, "_SLICE_SECONDS", 0.0005)
    found = Project(tmp_path)
    found.kept()
    return found


async def test_a_file_is_confirmed_and_kept(project: Project) -> None:
    engine, _ = project.session()
    life, path = Life(), str(project.app)
    engine.report(path)
    life.continuity.asked(engine, path, engine.is_confirmed(path))
    life.continuity.read(engine)
    await life.quiet(engine, path)
    assert not life.news
    assert engine in life.bench.asked[-1]


async def test_what_is_found_to_be_different_is_told(project: Project) -> None:
    engine, _ = project.session()
    life, path = Life(), str(project.app)
    engine.remind([replace(engine.report(path), findings=())])
    life.continuity.asked(engine, path, engine.is_confirmed(path))
    await life.quiet(engine, path)
    assert life.news == 1
    assert engine.report(path).findings


async def test_an_edit_in_between_ends_it(project: Project) -> None:
    engine, _ = project.session()
    life, path = Life(), str(project.app)
    engine.report(path)
    life.continuity.asked(engine, path, engine.is_confirmed(path))
    engine.open_text(path, CALLER.replace("work()", "pass"))
    await life.quiet(engine, path)
    assert not engine.report(path).findings
