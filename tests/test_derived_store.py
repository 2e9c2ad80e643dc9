"""What was derived from packages and kept: it is what is derived anew, for every project."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopsafe.config import Settings
from loopsafe.effects.derive import Derivation
from loopsafe.engine import Engine
from loopsafe.model import Finding
from loopsafe.modules.cache import Cache, _digest

PACKAGES = {
    "acme/__init__.py": "from acme.client import Client, fetch, load\n",
    "acme/base.py": """\
class Transport:
    def send(self, name):
        raise NotImplementedError
""",
    "acme/http.py": """\
import helper
from acme.base import Transport


class HttpTransport(Transport):
    def send(self, name):
        return helper.ask(name)
""",
    "acme/client.py": """\
import helper
from acme.base import Transport

try:
    import extra
except ImportError:
    extra = None


def fetch(path, offline=False):
    if offline:
        return None
    return helper.ask(path)


def load(name):
    return extra.load(name) if extra else name


class Client:
    def __init__(self, transport: Transport):
        self._transport = transport

    def users(self):
        return self._transport.send("users")
""",
    "helper.py": "import requests\n\n\ndef ask(name):\n    return requests.get(name)\n",
}

MAIN = """\
import acme


async def main(client: acme.Client):
    acme.fetch("a")
    acme.fetch("a", offline=True)
    acme.load("a")
    client.users()
"""


class Project:
    """A project with an environment, analysed with what other runs kept."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.root = folder / "project"
        self.environment = folder / "environment"
        self.site = self.environment / "lib" / "python3.12" / "site-packages"
        self.cache = cache
        self.settings = Settings()
        self.site.mkdir(parents=True)
        self.root.mkdir()
        (self.environment / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.0\n")
        for name, text in PACKAGES.items():
            (self.site / name).parent.mkdir(exist_ok=True)
            (self.site / name).write_text(text)
        (self.root / "main.py").write_text(MAIN)

    def add_functions(self, count: int) -> None:
        """More of them that block through the package, each in a way of its own."""
        text = "".join(f"\n\nasync def more_{n}():\n    acme.fetch({n})\n" for n in range(count))
        (self.root / "main.py").write_text(MAIN + text)

    def engine(self, *, cached: bool = True) -> Engine:
        cache = Cache(self.cache) if cached else None
        return Engine(self.root, self.settings, self.environment, cache)

    def findings(self, *, cached: bool = True) -> list[Finding]:
        engine = self.engine(cached=cached)
        engine.index()
        found = engine.report(str(self.root / "main.py")).findings
        engine.keep()
        if engine.table.cache is not None:
            engine.table.cache.close()
        return list(found)

    def lines(self) -> list[int]:
        return [finding.span.line for finding in self.findings()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "one", tmp_path / "cache")


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every search in the source of a package, while the test runs."""
    seen: list[object] = []
    search = Derivation._search

    def counted(self: Derivation, *arguments: Any) -> Any:
        seen.append(arguments)
        return search(self, *arguments)

    monkeypatch.setattr(Derivation, "_search", counted)
    return seen


def test_an_answer_from_the_store_is_the_one_that_is_derived(
    project: Project, searches: list[object]
) -> None:
    fresh = project.findings(cached=False)
    assert [f.span.line for f in fresh] == [5, 8]
    assert [len(f.chain) for f in fresh] == [3, 4]
    assert project.findings() == fresh
    searches.clear()
    assert project.findings() == fresh
    assert searches == [], "all of them, those that lead nowhere too"


def test_it_serves_every_project_with_the_same_packages(
    project: Project, tmp_path: Path, searches: list[object]
) -> None:
    project.findings()
    searches.clear()
    other = Project(tmp_path / "two", tmp_path / "cache")
    assert other.lines() == [5, 8]
    assert searches == []


def test_it_rests_on_the_text_of_every_package(project: Project) -> None:
    project.findings()
    (project.site / "helper.py").write_text("def ask(name):\n    return name\n")
    assert project.lines() == []
    (project.site / "helper.py").write_text(PACKAGES["helper.py"])
    assert project.lines() == [5, 8]


def test_it_rests_on_what_was_not_there(project: Project) -> None:
    project.findings()
    (project.site / "extra.py").write_text("import time\n\n\ndef load(name):\n    time.sleep(9)\n")
    assert project.lines() == [5, 7, 8]
    (project.site / "acme" / "slow.py").write_text(
        "from acme.base import Transport\n\n\nclass Slow(Transport):\n    send = None\n"
    )
    assert project.findings() == project.findings(cached=False)


def test_both_of_two_environments_are_kept(
    project: Project, tmp_path: Path, searches: list[object]
) -> None:
    other = Project(tmp_path / "two", tmp_path / "cache")
    (other.site / "helper.py").write_text("def ask(name):\n    return name\n")
    assert (project.lines(), other.lines()) == ([5, 8], [])
    searches.clear()
    assert (project.lines(), other.lines()) == ([5, 8], [])
    assert searches == []


def test_a_project_that_teaches_has_answers_of_its_own(project: Project) -> None:
    project.findings()
    project.settings = Settings(not_blocking=("requests.get",))
    assert project.lines() == []
    project.settings = Settings()
    assert project.lines() == [5, 8]


def test_what_leads_through_the_project_is_not_kept(project: Project) -> None:
    (project.root / "main.py").write_text(
        "import time\nimport acme\n\n\nclass Mine(acme.base.Transport):\n"
        "    def send(self, name):\n        time.sleep(1)\n\n\n"
        "async def main():\n    acme.Client(Mine()).users()\n"
    )
    assert project.findings() == project.findings() == project.findings(cached=False)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"{}",
        lambda data: b"[[[1], 2]]",
        lambda data: json.dumps([[[], ["a", "no.such", 0, [["acme", 999, 999]]]]]).encode(),
        lambda data: json.dumps([[[], ["a", "time.sleep", 0, [["acme", 999, 0]]]]]).encode(),
        lambda data: json.dumps([[["zz"], ["", "", 0, []]]]).encode(),
        lambda data: b"[" * 100_000,
    ],
)
def test_a_spoilt_store_is_as_good_as_none(
    project: Project, spoil: Callable[[bytes], bytes]
) -> None:
    fresh = project.findings()
    base = sqlite3.connect(project.cache / "cache.sqlite3")
    rows = base.execute("SELECT key, data FROM rows").fetchall()
    assert rows
    for key, data in rows:
        wrong = spoil(data[16:])
        base.execute("UPDATE rows SET data = ? WHERE key = ?", (_digest((key, wrong)) + wrong, key))
    base.commit()
    base.close()
    assert project.findings() == fresh


def test_a_store_elsewhere_is_not_needed(project: Project) -> None:
    fresh = project.findings()
    shutil.rmtree(project.cache)
    assert project.findings() == fresh
