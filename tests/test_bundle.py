"""Packages that come with Loopsafe: what is carried, where it serves; damage is nothing."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import re
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

import bundle as tool
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from reduce import reduced

from loopsafe.config import Settings
from loopsafe.effects.derive import Derivation
from loopsafe.engine import Engine, Verdict
from loopsafe.model import Finding
from loopsafe.modules import bundle
from loopsafe.modules.bundle import CONTENTS, FOLDER, SUFFIX, Bundle
from loopsafe.modules.finder import Origin

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
ARCHIVES = sorted(FOLDER.glob(f"*{SUFFIX}"))
MOST_BYTES = 8_000_000
"""Of all archives together."""

ACME = '''\
"""Talks to Acme."""

import subprocess
import time


class Client:
    """A client."""

    def __init__(self, host: str) -> None:
        self.host = host  # Kept.

    @property
    def name(self) -> str:
        """The name."""
        return self.host.upper().strip()

    def ask(self, question: str, wait: bool = False) -> str:
        if wait:
            time.sleep(1)
        return self._run(question)

    def _run(self, question: str) -> str:
        return str(subprocess.run(["acme", question]))


class Page:
    def render(self, text: str) -> str:
        plain = text.strip()
        return plain


class Printed(Page):
    def render(self, text: str) -> str:
        return str(subprocess.run(["print", text]))


def client(host):
    return Client(host)


def pause(wait: bool = False) -> None:
    if wait:
        time.sleep(1)
'''


def engine(root: Path, **files: str) -> Engine:
    """An engine for a project in a folder, whose environment is empty."""
    (root / ".venv" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.0\n")
    for name, text in files.items():
        (root / f"{name}.py").write_text(text, "utf-8")
    made = Engine(root, Settings(), root / ".venv")
    made.index()
    return made


def archived(folder: Path, top: str, text: str) -> Path:
    """An archive with one module."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{top}{SUFFIX}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"Acme-1.2/{top}/__init__.py", text)
    return path


def findings(root: Path, text: str, **files: str) -> list[Finding]:
    return list(engine(root, main=text, **files).report(str(root / "main.py")).findings)


# What is carried


def test_contents_are_those_of_the_lock_file() -> None:
    told = tomllib.loads((FOLDER / CONTENTS).read_text("utf-8"))
    lock = (ROOT / "requirements" / "bundle.txt").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE))
    assert {(canonicalize_name(t["distribution"]), t["version"]) for t in told.values()} == {
        (canonicalize_name(name), version) for name, version in locked.items()
    }
    assert sorted(told) == [path.stem for path in ARCHIVES]


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_archive(path: Path) -> None:
    told = tomllib.loads((FOLDER / CONTENTS).read_text("utf-8"))[path.stem]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert tool.PERMISSIVE.search(told["license"])
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {info.date_time for info in archive.infolist()} == {tool.EPOCH}
        release = f"{told['distribution']}-{told['version']}"
        assert {name.split("/")[0] for name in names} == {release}
        assert f"{release}/ORIGIN" in names
        for name in names:
            if name.endswith(".py"):
                ast.parse(archive.read(name))
    home = Bundle().home(path.stem)
    assert home.endswith(release)
    assert Bundle().entries(home)


def test_size() -> None:
    assert sum(path.stat().st_size for path in ARCHIVES) < MOST_BYTES


def test_the_extension_carries_it() -> None:
    server = os.environ.get("LOOPSAFE_SERVER")
    if not server:
        pytest.skip("the server is not built")
    carried = Path(server) / "loopsafe" / "bundle"
    assert sorted(path.name for path in carried.glob(f"*{SUFFIX}")) == [p.name for p in ARCHIVES]


# What is kept of a text


def test_nothing_moves_and_what_says_nothing_is_gone() -> None:
    text = reduced(ACME, {14})
    assert "Talks" not in text
    assert "Kept" not in text
    assert "upper" not in text
    before, after = ast.parse(ACME), ast.parse(text)
    kept = (ast.FunctionDef, ast.ClassDef, ast.Call)
    places = {(n.lineno, n.col_offset) for n in ast.walk(after) if isinstance(n, kept)}
    assert places <= {(n.lineno, n.col_offset) for n in ast.walk(before) if isinstance(n, kept)}
    assert 'return str(subprocess.run(["acme", question]))' in text


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@given(st.text(alphabet="é#\"'\\\n\tdefclasspast(): \r;.=x", max_size=60))
def test_any_text_that_parses_still_does(text: str) -> None:
    try:
        ast.parse(text)
        after = reduced(text, range(100))
    except (SyntaxError, ValueError):
        return
    ast.parse(after)


def test_what_is_kept_gives_the_verdicts_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["acme.Client.ask", "acme.pause", "acme.client", "acme.Client.name", "acme.Page.render"]
    installed = engine(tmp_path / "a")
    source = tmp_path / "a/.venv/lib/python3.12/site-packages/acme/__init__.py"
    source.parent.mkdir()
    source.write_text(ACME, "utf-8")
    installed = Engine(tmp_path / "a", Settings(), tmp_path / "a/.venv")
    ways: dict[str, set[int]] = defaultdict(set)
    tool.look(installed, Derivation(installed.resolver), "acme", ways)
    text = tool.matter(source, ways[str(source)])
    assert text is not None
    assert "upper" not in text
    assert "plain" not in text
    archived(tmp_path / "bundle", "acme", text)
    monkeypatch.setattr(bundle, "FOLDER", tmp_path / "bundle")
    carried = engine(tmp_path / "b")
    for name in names:
        one, other = installed.verdict(name), carried.verdict(name)
        assert said(one) == said(other)
        assert other.bundled == ("Acme 1.2" if other.blocking else "")


def said(verdict: Verdict) -> tuple[object, ...]:
    calls = [(hop.function, hop.call, hop.span) for hop in verdict.chain]
    return verdict.blocking, verdict.conditions, verdict.needs_arguments, calls


# Where it serves


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of a package of our own."""
    monkeypatch.setattr(bundle, "FOLDER", tmp_path / "bundle")
    return archived(tmp_path / "bundle", "acme", ACME)


MAIN = "import acme\n\nasync def f():\n    acme.client('a').ask('b')\n"


def test_a_finding_says_so_and_stands_in_the_project(carried: Path, tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "p", MAIN)
    assert found.derived == "acme"
    assert found.bundled == "Acme 1.2"
    assert "through subprocess.run(), 2 calls down" in found.message
    assert {hop.path for hop in found.chain} == {str(tmp_path / "p/main.py")}
    places = ["", "Acme 1.2, acme/__init__.py:21", "Acme 1.2, acme/__init__.py:24"]
    assert [hop.place for hop in found.chain] == places


def test_arguments_decide_as_they_do_where_it_is_installed(carried: Path, tmp_path: Path) -> None:
    text = "import acme\n\nasync def f():\n    acme.pause()\n    acme.pause(wait=True)\n"
    assert [found.span.line for found in findings(tmp_path / "p", text)] == [5]


def test_it_is_not_installed(carried: Path, tmp_path: Path) -> None:
    made = engine(tmp_path / "p", main=MAIN)
    assert not made.finder.installed("acme")
    file = made.finder.find("acme")
    assert file is not None
    assert file.origin is Origin.BUNDLED


def test_the_project_comes_first(carried: Path, tmp_path: Path) -> None:
    assert findings(tmp_path / "p", MAIN, acme="def client(name): ...\n") == []


def test_an_archive_is_opened_when_its_name_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(bundle, "_opened", lambda path: opened.append(Path(path).name))
    findings(tmp_path / "p", "import json\n\nasync def f():\n    json.loads('')\n")
    assert opened == []
    findings(tmp_path / "q", "import git\n\nasync def f():\n    git.Repo('a')\n")
    assert opened == ["git.zip"]


# Damage


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all" * 100])
def test_what_is_no_archive_has_no_modules(carried: Path, tmp_path: Path, data: bytes) -> None:
    carried.write_bytes(data)
    assert findings(tmp_path / "p", MAIN) == []


@given(st.data())
def test_any_damage_is_nothing(data: st.DataObject) -> None:
    content = bytearray((FOLDER / "readabilipy.zip").read_bytes())
    # The directory of an archive lies at its end.
    place = data.draw(st.integers(0, 3000) | st.integers(len(content) - 1500, len(content) - 1))
    content[place : place + 4] = data.draw(st.binary(max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "readabilipy.zip").write_bytes(content)
        damaged = Bundle(Path(folder))
        todo = [damaged.home("readabilipy")]
        for place in todo if todo[0] else ():
            for name, is_folder in damaged.entries(place).items():
                if is_folder and len(todo) < 50:
                    todo.append(f"{place}/{name}")
                with contextlib.suppress(OSError):
                    damaged.read(f"{place}/{name}")


def test_damaged_contents_name_nothing(carried: Path) -> None:
    for text in ("[", "acme = 1", "[acme]\nversion = 1", "[acme]\ndistribution = 1"):
        (carried.parent / CONTENTS).write_text(text, "utf-8")
        assert Bundle().tops("acme") == []
