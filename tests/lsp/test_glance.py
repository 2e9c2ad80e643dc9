"""What is told of a file at first, where packages have to be derived for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_editor import BARE, editor
from test_monorepo import install

from loopsafe.config import Settings
from loopsafe.engine import Cancelled, Engine, core
from loopsafe.engine.earlier import Earlier
from loopsafe.facts.extract import extract
from loopsafe.modules.cache import Cache
from loopsafe.modules.reading import digest_of
from repository import STALLS, write
from test_derived_store import MAIN, Project

BOTH = MAIN + "\n\nasync def direct():\n    import time\n    time.sleep(1)\n"
SLEEP = 13
"""The line of what is known without a look into the package."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path / "one", tmp_path / "cache")
    (found.root / "main.py").write_text(BOTH)
    return found


CHAIN = """\
import time

import helpers


def job():
    time.sleep(1)


async def main():
    helpers.slow()
    time.sleep(1)
"""
HELPERS = "import time\n\n\ndef slow():\n    time.sleep(1)\n"
SCHEDULE = """\
import asyncio
import chain


async def begin():
    asyncio.get_running_loop().call_soon(chain.job)
"""


@pytest.fixture
def chain(tmp_path: Path) -> Engine:
    write(tmp_path, {"chain.py": CHAIN, "helpers.py": HELPERS, "schedule.py": SCHEDULE})
    return Engine(tmp_path, Settings())


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no time to read any other file."""
    monkeypatch.setattr(core, "_GLANCE_CHARACTERS", 0)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no time for any search."""
    monkeypatch.setattr(core, "_GLANCE_SECONDS", 0.0)


def _lines(engine: Engine, project: Project) -> list[int]:
    return _told(engine, str(project.root / "main.py"))


def _told(engine: Engine, path: str) -> list[int]:
    return [finding.span.line for finding in engine.glance(path).findings]


def _next_session(project: Project, earlier: Earlier, engine: Engine) -> Engine:
    earlier.keep()
    assert engine.table.cache is not None
    engine.table.cache.flush()
    following = project.engine()
    Earlier(following)
    return following


def _check_in() -> None:
    """Nobody asks to stop."""


def test_what_is_derived_soon_is_told_at_once(project: Project) -> None:
    engine = project.engine()
    assert _lines(engine, project) == [5, 8, SLEEP]
    assert engine.is_confirmed(str(project.root / "main.py"))


@pytest.mark.usefixtures("hurry")
def test_what_takes_long_comes_with_a_look_in_earnest(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    assert _lines(engine, project) == [SLEEP]
    assert not engine.is_confirmed(path)
    assert _lines(engine, project) == [SLEEP], "until then it stays so"
    assert engine.confirm(path).findings == project.engine(cached=False).report(path).findings
    assert engine.is_confirmed(path)
    assert _lines(engine, project) == [5, 8, SLEEP]


@pytest.mark.usefixtures("hurry")
def test_an_edit_does_not_take_back_what_was_told(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    engine.open_text(path, BOTH)
    engine.confirm(path)
    engine.open_text(path, BOTH.replace("sleep(1)", "sleep(2)"))
    assert _lines(engine, project) == [5, 8, SLEEP]


@pytest.mark.usefixtures("hurry")
def test_an_edit_before_the_look_in_earnest_is_seen(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    assert _lines(engine, project) == [SLEEP]
    engine.open_text(path, BOTH.replace("time.sleep(1)", "pass"))
    assert _lines(engine, project) == []
    assert not engine.is_confirmed(path)


@pytest.mark.usefixtures("hurry")
def test_what_other_runs_kept_is_told_at_once(project: Project) -> None:
    project.findings()
    assert _lines(project.engine(), project) == [5, 8, SLEEP]


@pytest.mark.usefixtures("hurry")
def test_a_glance_is_not_kept_for_the_next_session(project: Project) -> None:
    engine = project.engine()
    earlier = Earlier(engine)
    engine.index()
    _lines(engine, project)
    following = _next_session(project, earlier, engine)
    assert following.is_confirmed(str(project.root / "main.py")), "nothing is known of it"


@pytest.mark.usefixtures("hurry")
def test_one_that_is_cancelled_leaves_nothing_behind(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    looks = iter([False, False, False])
    with pytest.raises(Cancelled):
        engine.glance(path, lambda: next(looks, True))
    assert [f.span.line for f in engine.report(path).findings] == [5, 8, SLEEP]


@pytest.mark.usefixtures("impatience")
def test_what_a_file_shows_alone_comes_before_much_is_read(chain: Engine) -> None:
    path = str(chain.root / "chain.py")
    assert _told(chain, path) == [12]
    assert chain.has_peeked(path)
    assert not chain.is_confirmed(path)
    assert [f.span.line for f in chain.look_closer(path, _check_in).findings] == [11, 12]
    assert not chain.has_peeked(path)
    assert _told(chain, path) == [11, 12]


@pytest.mark.usefixtures("impatience", "hurry")
def test_what_is_derived_comes_last(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    assert _lines(engine, project) == [SLEEP]
    engine.look_closer(path, _check_in)
    assert _lines(engine, project) == [SLEEP]
    assert not engine.is_confirmed(path)
    engine.look_closer(path, _check_in)
    assert _lines(engine, project) == [5, 8, SLEEP]
    assert engine.is_confirmed(path)


@pytest.mark.usefixtures("impatience")
def test_an_edit_meanwhile_is_seen(chain: Engine) -> None:
    path = str(chain.root / "chain.py")
    assert _told(chain, path) == [12]
    chain.open_text(path, CHAIN.replace("async def main", "\n\nasync def main"))
    assert _told(chain, path) == [14]
    chain.open_text(path, CHAIN)
    chain.confirm(path)
    chain.open_text(path, CHAIN + "\n")
    assert _told(chain, path) == [11, 12], "what was read is not read again"


@pytest.mark.usefixtures("impatience")
def test_who_was_told_more_is_not_shown_less(chain: Engine) -> None:
    path = str(chain.root / "chain.py")
    following = Engine(chain.root, Settings())
    following.remind([chain.confirm(path)])
    assert _told(following, path) == [11, 12]
    following.open_text(path, CHAIN + "\n")
    assert _told(following, path) == [11, 12], "it takes as long as it takes"


def test_what_is_read_for_a_look_can_be_cut_short(chain: Engine) -> None:
    path, looks = str(chain.root / "chain.py"), iter([None, None, None])

    def check_in() -> None:
        if next(looks, Cancelled) is Cancelled:
            raise Cancelled

    with pytest.raises(Cancelled):
        chain.look_closer(path, check_in)
    assert [f.span.line for f in chain.look_closer(path, _check_in).findings] == [11, 12]


def test_until_more_files_are_minded_what_was_told_stays(chain: Engine) -> None:
    path = str(chain.root / "chain.py")
    assert _told(chain, path) == [11, 12]
    assert chain.is_confirmed(path)
    chain.index(whole=True)
    assert _told(chain, path) == [11, 12]
    assert not chain.is_confirmed(path)
    assert [f.span.line for f in chain.look_closer(path, _check_in).findings] == [7, 11, 12]
    assert chain.is_confirmed(path)
    assert _told(chain, path) == [7, 11, 12]


def test_a_report_minds_all_files_at_once(chain: Engine) -> None:
    path = str(chain.root / "chain.py")
    chain.glance(path)
    chain.index(whole=True)
    assert [f.span.line for f in chain.report(path).findings] == [7, 11, 12]


def test_what_was_told_meanwhile_is_kept_for_the_next_session(project: Project) -> None:
    engine, path = project.engine(), str(project.root / "main.py")
    earlier = Earlier(engine)
    assert _lines(engine, project) == [5, 8, SLEEP]
    engine.index()
    following = _next_session(project, earlier, engine)
    assert not following.is_confirmed(path)
    assert _lines(following, project) == [5, 8, SLEEP]


def test_what_is_kept_of_a_text_is_read_in_less_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "app", {"chain.py": CHAIN, "helpers.py": HELPERS})
    path, cache = str(tmp_path / "app" / "chain.py"), Cache(tmp_path / "cache")
    monkeypatch.setattr(core, "_GLANCE_CHARACTERS", len(HELPERS) // 2)

    def told() -> list[int]:
        engine = Engine(tmp_path / "app", Settings(), None, cache)
        engine.open_text(path, CHAIN)
        return _told(engine, path)

    assert told() == [12]
    cache.keep_facts(digest_of(HELPERS), extract(HELPERS))
    assert told() == [11, 12]


async def test_the_server_tells_first_what_a_file_shows_alone(tmp_path: Path) -> None:
    others = "".join(f"\ndef other_{n}():\n    return [n for n in str(n)]\n" for n in range(5000))
    write(tmp_path, {"chain.py": CHAIN, "helpers.py": HELPERS + others})
    async with editor(tmp_path, capabilities=BARE) as ed:
        uri = ed.open(tmp_path / "chain.py")
        await ed.until(lambda: len(ed.published) == 2)
        told = [[ed.text_at(uri, d.range) for d in each.diagnostics] for each in ed.published]
        assert told == [["time.sleep"], ["helpers.slow", "time.sleep"]]


async def test_the_server_tells_the_rest_by_itself(tmp_path: Path) -> None:
    others = "".join(f"\ndef other_{n}():\n    return [n for n in str(n)]\n" for n in range(9000))
    package = "def fetch():\n    import slow\n    slow.fetch()\n"
    install(tmp_path, {"lib.py": package, "slow.py": STALLS + others})  # Takes long to read.
    app = "import lib\nimport time\n\n\nasync def main():\n    lib.fetch()\n    time.sleep(1)\n"
    write(tmp_path, {"app.py": app})
    async with editor(tmp_path, capabilities=BARE) as ed:
        uri = ed.open(tmp_path / "app.py")
        await ed.until(lambda: len(ed.published) == 2)
        told = [[ed.text_at(uri, d.range) for d in each.diagnostics] for each in ed.published]
        assert told == [["time.sleep"], ["lib.fetch", "time.sleep"]]
