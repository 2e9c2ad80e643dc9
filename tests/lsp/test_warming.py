"""What a folder's files call in packages is derived in the background, and kept."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loopsafe import isolated
from loopsafe.config import Settings
from loopsafe.effects.derive import Derivation
from loopsafe.engine import Cancelled, Engine, warmer
from loopsafe.lsp import indexing, warming
from loopsafe.lsp.status import Status
from loopsafe.lsp.worker import Rank, Worker
from test_derived_store import Project

FUNCTIONS = 30
SETTINGS = """\
[tool.loopsafe]
select = ["blocking-http"]
python = ".venv"
source-roots = ["src"]
not-blocking = ["shop.cache.*"]
offload-functions = ["shop.tools.in_thread"]
callback-functions = ["shop.events.subscribe"]
per-file-ignores = { "tools/" = ["blocking-file"] }

[tool.loopsafe.blocking]
"shop.billing.charge" = "await charge_later()"

[tool.loopsafe.severity]
blocking-lock = "error"
"""


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


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Those that were started."""
    found: list[subprocess.Popen[bytes]] = []
    start = isolated.start

    def noted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        found.append(start(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(isolated, "start", noted)
    return found


def _order(project: Project) -> warmer.Order:
    files = (str(project.root / "main.py"),)
    return warmer.Order(project.root, project.root, Settings(), project.environment, files)


async def _warm(project: Project, worker: Worker) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    files = [str(project.root / "main.py")]
    await warming.warm(worker, Status(said.append), project.engine(), files)
    return said


async def test_the_next_engine_derives_nothing(project: Project, worker: Worker) -> None:
    await _warm(project, worker)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Derivation, "_search", lambda *_: pytest.fail("it was not kept"))
        assert len(project.findings()) == FUNCTIONS + 2


async def test_what_was_through_is_not_looked_at_again(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(project.root / "main.py")
    assert not project.engine().is_warm(path)
    await _warm(project, worker)
    assert project.engine().is_warm(path)
    monkeypatch.setattr(isolated, "start", lambda *_, **__: pytest.fail("looked at again"))
    await _warm(project, worker)
    # A package came: it may be one that others look for.
    (project.site / "extra.py").write_text("")
    assert not project.engine().is_warm(path)


def test_an_engine_that_has_grown_large_makes_room_for_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Engine] = []

    def noted(*arguments: Any) -> Engine:
        made.append(Engine(*arguments))
        return made[-1]

    monkeypatch.setattr(warmer, "Engine", noted)
    monkeypatch.setattr(warmer, "_MOST_MODULES", 0)
    through: list[int] = []
    warmer.warm(_order(project), project.cache, through.append)
    assert through == [1]
    assert len(made) == 2
    assert not made[-1].table.loaded()
    monkeypatch.setattr(Derivation, "_search", lambda *_: pytest.fail("it was not kept"))
    assert len(project.findings()) == FUNCTIONS + 2


async def test_it_says_how_far_it_is(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loopsafe.lsp.status._MOMENT_SECONDS", 0.0)
    said = await _warm(project, worker)
    assert "Reading the packages in use: 1 of 1 files" in [each["message"] for each in said]


async def test_the_user_does_not_wait_for_it(project: Project, worker: Worker) -> None:
    task = asyncio.ensure_future(_warm(project, worker))
    answers = 0
    while not task.done():
        await worker.run(lambda _: None, Rank.URGENT)
        answers += not task.done()
        await asyncio.sleep(0)
    await task
    assert answers > 2


def test_settings_of_all_kinds_can_be_handed_over(project: Project) -> None:
    (project.root / "pyproject.toml").write_text(SETTINGS)
    order = _order(project)._replace(settings=Settings.load(project.root))
    assert pickle.loads(pickle.dumps(order)) == order
    assert order.settings.blocking
    assert order.settings.severity


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
            engine.confirm(path, check_in)
        except Cancelled:
            continue
        break
    assert 1 < rounds < 499
    engine.keep()
    assert engine.table.cache is not None
    engine.table.cache.close()
    assert project.findings() == project.findings(cached=False)


async def test_a_cancelled_task_ends_the_process(
    project: Project, worker: Worker, processes: list[subprocess.Popen[bytes]]
) -> None:
    task = asyncio.ensure_future(_warm(project, worker))
    while not processes:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [process.poll() is not None for process in processes] == [True]


async def test_the_process_ends_with_its_parent(
    project: Project, worker: Worker, processes: list[subprocess.Popen[bytes]]
) -> None:
    project.add_functions(3000)
    task = asyncio.ensure_future(_warm(project, worker))
    while not processes:
        await asyncio.sleep(0.01)
    assert processes[0].stdin is not None
    processes[0].stdin.close()
    await task
    assert processes[0].returncode == 0


async def test_one_environment_is_looked_at_after_the_other(
    project: Project, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[int] = []
    most = 0

    async def slow(*_: object) -> None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        await asyncio.sleep(0.01)
        running.pop()

    monkeypatch.setattr(indexing, "warm", slow)
    done: list[Engine] = []
    indexer = indexing.Indexer(worker, Status(lambda _: None), lambda _: True, done.append)
    engines = [project.engine() for _ in range(3)]
    for engine in engines:
        indexer.want(engine)
    while len(done) < len(engines) or running:
        await asyncio.sleep(0.02)
    assert most == 1


async def test_what_went_wrong_is_one_line_in_the_log(
    project: Project,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def start(*_: object, **__: object) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        code = "import sys; sys.stdin.read(1); print('failed: RecursionError: too deep')"
        return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe)

    monkeypatch.setattr(isolated, "start", start)
    await _warm(project, worker)
    assert ["RecursionError: too deep" in r.message for r in caplog.records] == [True]


async def test_a_crash_is_one_line_in_the_log(
    project: Project, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warmer, "__name__", "loopsafe.no_such_module")
        await _warm(project, worker)
    assert ["ended after 0 of 1 files" in r.message for r in caplog.records] == [True]
