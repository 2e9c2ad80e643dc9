"""What an editor was told in one session is told in the next at once, while it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.engine import Cancelled, Engine
from loopsafe.engine.core import Core
from loopsafe.engine.earlier import Earlier
from loopsafe.engine.reports import FileReport
from loopsafe.modules.cache import Cache, engine_version

HELPER = "import time\n\n\ndef work():\n    time.sleep(1)\n"
CALLER = "from helper import work\n\n\nasync def main():\n    work()\n"
SETTINGS = Settings(second_opinion=False)


def _keep(engine: Engine, earlier: Earlier) -> None:
    earlier.keep()
    assert engine.table.cache is not None
    engine.table.cache.flush()


class Project:
    """Two files, and sessions that open the one which calls the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self.cache = folder / "cache"
        self.app, self.helper = self.root / "app.py", self.root / "helper.py"
        self.app.write_text(CALLER)
        self.helper.write_text(HELPER)

    def session(self, settings: Settings = SETTINGS) -> tuple[Engine, Earlier]:
        engine = Engine(self.root, settings, None, Cache(self.cache))
        return engine, Earlier(engine)

    def kept(self) -> Engine:
        """A session that reads everything, opens a file, and ends."""
        return self.keeping()[0]

    def keeping(self) -> tuple[Engine, Earlier]:
        """The same before its end, with what was kept so far."""
        engine, earlier = self.session()
        engine.index()
        engine.open_text(str(self.app), CALLER)
        assert len(engine.report(str(self.app)).findings) == 1
        _keep(engine, earlier)
        return engine, earlier


def _is_told_at_once(project: Project, looks: list[str]) -> bool:
    """Whether a new session tells what it is asked without a look."""
    looks.clear()
    found = project.session()[0].report(str(project.app)).findings
    return len(found) == 1 and not looks


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were looked at in earnest."""
    seen: list[str] = []
    look = Core._report

    def noted(self: Core, path: str, check_in: object) -> FileReport:
        seen.append(Path(path).name)
        return look(self, path, check_in)  # type: ignore[arg-type]

    monkeypatch.setattr(Core, "_report", noted)
    return seen


def test_an_opened_file_shows_what_it_showed(project: Project, looks: list[str]) -> None:
    told = project.kept().report(str(project.app))
    looks.clear()
    engine, _ = project.session()
    engine.open_text(str(project.app), CALLER)
    report = engine.report(str(project.app))
    assert not looks
    assert not engine.is_confirmed(str(project.app))
    assert report.findings == told.findings
    assert report.source.text == CALLER
    assert engine.fixes(report.findings[0])


def test_confirmed_it_is_the_sessions_own(project: Project, looks: list[str]) -> None:
    project.kept()
    looks.clear()
    engine, _ = project.session()
    told = engine.report(str(project.app))
    assert engine.confirm(str(project.app)).findings == told.findings
    assert looks == ["app.py"]
    assert engine.is_confirmed(str(project.app))


def test_a_look_that_is_stopped_goes_on_later(project: Project) -> None:
    project.kept()
    engine, _ = project.session()
    told = engine.report(str(project.app))
    steps = 0

    def check_in() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.confirm(str(project.app), check_in)
    assert engine.report(str(project.app)) is told
    assert engine.confirm(str(project.app), check_in).findings == told.findings


@pytest.mark.parametrize("name", ["app.py", "helper.py"])
def test_a_file_that_changed_since_takes_it_back(
    project: Project, looks: list[str], name: str
) -> None:
    project.kept()
    path = project.root / name
    path.write_text(path.read_text().replace("work()", "pass"))
    looks.clear()
    engine, _ = project.session()
    engine.report(str(project.app))
    assert looks == ["app.py"]


def test_a_file_that_appeared_takes_it_back(project: Project, looks: list[str]) -> None:
    project.kept()
    (project.root / "time.py").write_text("def sleep(seconds): ...\n")
    looks.clear()
    engine, _ = project.session()
    assert not engine.report(str(project.app)).findings
    assert looks == ["app.py"]


def test_an_edit_takes_it_back(project: Project, looks: list[str]) -> None:
    project.kept()
    looks.clear()
    engine, _ = project.session()
    engine.open_text(str(project.helper), HELPER.replace("time.sleep(1)", "pass"))
    assert not engine.report(str(project.app)).findings
    assert looks == ["app.py"]


def test_a_buffer_that_differs_from_its_file_takes_it_back(
    project: Project, looks: list[str]
) -> None:
    project.kept()
    looks.clear()
    engine, _ = project.session()
    engine.open_text(str(project.app), CALLER.replace("work()", "pass"))
    assert not engine.report(str(project.app)).findings
    assert looks == ["app.py"]


def test_other_settings_have_other_answers(project: Project, looks: list[str]) -> None:
    project.kept()
    looks.clear()
    engine, _ = project.session(SETTINGS.with_overrides({"blocking": ["helper.x"]}, project.root))
    engine.report(str(project.app))
    assert looks == ["app.py"]


def test_nothing_is_kept_of_what_is_not_saved(project: Project, looks: list[str]) -> None:
    engine, earlier = project.session()
    engine.index()
    engine.open_text(str(project.helper), HELPER.replace("time.sleep(1)", "pass"))
    assert not engine.report(str(project.app)).findings
    _keep(engine, earlier)
    looks.clear()
    assert project.session()[0].report(str(project.app)).findings
    assert looks == ["app.py"]


def test_a_file_that_is_saved_without_news_is_kept_as_it_is_now(
    project: Project, looks: list[str]
) -> None:
    engine, earlier = project.keeping()
    project.helper.write_text(HELPER + "\n\nname = 1\n")
    engine.forget([str(project.helper)])
    engine.report(str(project.app))
    _keep(engine, earlier)
    assert _is_told_at_once(project, looks)


def test_what_was_dropped_while_no_file_changed_stays_kept(
    project: Project, looks: list[str]
) -> None:
    engine, earlier = project.keeping()
    engine._told.forget()
    engine.report(str(project.helper))
    _keep(engine, earlier)
    assert _is_told_at_once(project, looks)


def test_what_a_session_does_not_open_is_kept_for_the_next(
    project: Project, looks: list[str]
) -> None:
    project.kept()
    engine, earlier = project.session()
    engine.index()
    engine.confirm(str(project.helper))
    _keep(engine, earlier)
    assert _is_told_at_once(project, looks)


def test_it_is_plain_data_that_may_be_damaged(project: Project, looks: list[str]) -> None:
    engine = project.kept()
    _, earlier = project.session()
    data = json.dumps([{}, {}, {str(project.app): [[], [["nonsense"]]]}])
    cache = engine.table.cache
    assert cache is not None
    cache.put(data.encode(), b"run", engine_version(), earlier._key)
    cache.flush()
    looks.clear()
    assert len(project.session()[0].report(str(project.app)).findings) == 1
    assert looks == ["app.py"]
