"""Repositories of many projects: each file has the settings and the environment nearest to it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.cli import main
from loopsafe.cli.options import add_arguments, options_of
from loopsafe.cli.projects import Project, projects
from loopsafe.modules.environment import find_environment
from repository import CALLER, IGNORED, IS_QUICK, STALLS, write

BLOCKING = "import time\n\n\nasync def tick():\n    time.sleep(1)\n"
Found = Callable[..., dict[str, int]]


def install(project: Path, files: dict[str, str], version: str = "3.12") -> Path:
    """A project's virtual environment, with packages."""
    home = project / ".venv"
    write(home, {"pyvenv.cfg": f"home = /usr/bin\nversion = {version}.1\n"})
    site = home / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    write(site, files)
    return site


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, which is the current folder."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def found(root: Path, capsys: pytest.CaptureFixture[str]) -> Found:
    """How many findings a run has in each file."""

    def run(*arguments: str) -> dict[str, int]:
        main(["check", "--output-format", "json", *arguments])
        counts: dict[str, int] = {}
        for one in json.loads(capsys.readouterr().out):
            name = Path(one["filename"]).relative_to(root).as_posix()
            counts[name] = counts.get(name, 0) + 1
        return counts

    return run


def asked(*arguments: str) -> list[Project]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return projects(options_of(parser.parse_args(arguments)))


class TestSettings:
    def test_the_nearest_say_all(self, root: Path, found: Found) -> None:
        write(root, dict.fromkeys(("t.py", "a/t.py", "a/deep/t.py", "b/src/t.py"), BLOCKING))
        write(root, {"pyproject.toml": IGNORED, "b/pyproject.toml": "[project]\nname = 'b'\n"})
        assert found() == {}
        write(root, {"a/pyproject.toml": "[tool.loopsafe]\nignore = []\n"})
        assert found() == {"a/t.py": 1, "a/deep/t.py": 1}
        write(root, {"a/deep/pyproject.toml": IGNORED})
        assert found() == {"a/t.py": 1}
        # The same, whatever is named.
        assert found("a") == found("a/t.py", "a/deep/t.py") == {"a/t.py": 1}
        assert found("b/src/t.py", "t.py") == {}

    def test_those_of_a_project_decide_what_is_left_out_in_it(
        self, root: Path, found: Found
    ) -> None:
        names = ("old/t.py", "a/t.py", "a/old/t.py", "a/new/t.py", "b/t.py")
        write(root, dict.fromkeys(names, BLOCKING))
        write(root, {"pyproject.toml": '[tool.loopsafe]\nexclude = ["old", "b"]\n'})
        assert set(found()) == {"a/t.py", "a/new/t.py"}
        write(root, {"a/pyproject.toml": '[tool.loopsafe]\nexclude = ["/new"]\n'})
        # Whether a project itself is left out, those around it say.
        write(root, {"b/pyproject.toml": "[tool.loopsafe]\n"})
        assert set(found()) == {"a/t.py", "a/old/t.py"}
        assert set(found("--exclude", "old")) == {"a/t.py"}
        assert set(found("--exclude", "a/old")) == {"a/t.py"}

    def test_patterns_belong_to_their_file(self, root: Path, found: Found) -> None:
        write(root, {"a/tests/t.py": BLOCKING, "tests/t.py": BLOCKING})
        ignores = '[tool.loopsafe.per-file-ignores]\n"/tests/" = ["blocking-sleep"]\n'
        write(root, {"pyproject.toml": ignores, "a/pyproject.toml": "[tool.loopsafe]\n"})
        assert found() == {"a/tests/t.py": 1}
        write(root, {"a/pyproject.toml": ignores})
        assert found() == {}

    def test_the_command_line_goes_before_all(self, root: Path, found: Found) -> None:
        write(root, {"t.py": BLOCKING, "a/t.py": BLOCKING, "a/pyproject.toml": IGNORED})
        assert found() == {"t.py": 1}
        assert found("--isolated") == {"t.py": 1, "a/t.py": 1}
        assert found("--config", "a/pyproject.toml") == {}
        assert found("--config", "ignore = []") == {"t.py": 1, "a/t.py": 1}
        assert found("--ignore", "blocking-sleep") == {}

    def test_a_mistake_in_any_is_told_at_its_line(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(root, {"t.py": BLOCKING, "a/t.py": ""})
        write(root, {"a/pyproject.toml": "[tool.loopsafe]\nignores = []\n"})
        assert main(["check"]) == 2
        assert f"{Path('a', 'pyproject.toml')}:2: unknown key `ignores`" in capsys.readouterr().err
        write(root, {"a/pyproject.toml": "[tool.loopsafe]\npython = 'gone'\n"})
        assert main(["check"]) == 2
        assert f"{Path('a', 'pyproject.toml')}:2: `python`: " in capsys.readouterr().err

    def test_a_broken_file_that_does_not_mention_us_says_nothing(
        self, root: Path, found: Found
    ) -> None:
        write(root, {"pyproject.toml": IGNORED, "a/pyproject.toml": "[\n", "a/app.py": BLOCKING})
        assert found() == {}
        write(root, {"pyproject.toml": ""})
        assert found() == {"a/app.py": 1}

    def test_what_a_project_teaches_is_for_its_own_files(self, root: Path, found: Found) -> None:
        text = "import own\n\n\nasync def main():\n    own.work()\n"
        write(root, {"a/t.py": text, "b/t.py": text, "own.py": "def work(): pass\n"})
        write(root, {"a/pyproject.toml": '[tool.loopsafe]\nblocking = ["own.work"]\n'})
        assert found() == {"a/t.py": 1}

    def test_all_are_shown(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(root, {"t.py": "", "a/t.py": "", "a/pyproject.toml": IGNORED})
        install(root / "a", {})
        assert main(["check", "--show-settings"]) == 0
        shown = capsys.readouterr().out.split("# ")
        assert [part.splitlines()[0] for part in shown[1:]] == [str(root / "a"), str(root)]
        assert 'environment = "Python 3.12 (a/.venv)"' in shown[1]
        assert 'ignore = ["blocking-sleep"]' in shown[1]
        assert "ignore = []" in shown[2]

    def test_what_is_kept_of_a_run_minds_them(self, root: Path, found: Found) -> None:
        write(root, {"t.py": BLOCKING, "a/t.py": BLOCKING, "a/pyproject.toml": IGNORED})
        assert found() == found() == {"t.py": 1}
        write(root, {"a/pyproject.toml": "[tool.loopsafe]\n"})
        assert found() == found() == {"t.py": 1, "a/t.py": 1}
        write(root, {"a/pyproject.toml": ""})
        assert found() == {"t.py": 1, "a/t.py": 1}

    def test_fixes_are_those_that_the_settings_want(self, root: Path) -> None:
        write(root, {"t.py": BLOCKING, "a/t.py": BLOCKING, "a/pyproject.toml": IGNORED})
        assert main(["check", "--fix"]) == 0
        assert "asyncio.sleep" in (root / "t.py").read_text()
        assert (root / "a/t.py").read_text() == BLOCKING


class TestEnvironments:
    def test_each_project_has_its_own(self, root: Path, found: Found) -> None:
        for name, text in (("a", STALLS), ("b", IS_QUICK), ("c", STALLS)):
            write(root, {f"{name}/src/t.py": CALLER, f"{name}/pyproject.toml": ""})
            install(root / name, {"lib.py": text})
        assert found() == {"a/src/t.py": 1, "c/src/t.py": 1}
        assert found("b") == found("b/src/t.py") == {}

    def test_what_has_none_takes_the_next_outwards(self, root: Path, found: Found) -> None:
        names = ("t.py", "a/t.py", "a/deep/t.py", "b/t.py")
        write(root, dict.fromkeys(names, CALLER) | {"b/pyproject.toml": ""})
        install(root, {"lib.py": IS_QUICK})
        install(root / "a", {"lib.py": STALLS})
        assert found() == {"a/t.py": 1, "a/deep/t.py": 1}

    def test_the_only_one_is_for_all(self, root: Path, found: Found) -> None:
        write(root, {"backend/app/work.py": STALLS, "scripts/run.py": CALLER})
        write(root, {"tests/t.py": "from app import work\n\n\nasync def t():\n    work.fetch()\n"})
        write(root, {"backend/app/__init__.py": "", "backend/pyproject.toml": ""})
        install(root / "backend", {"lib.py": STALLS})
        assert found() == {"scripts/run.py": 1, "tests/t.py": 1}
        assert len(asked()) == 1

    def test_a_workspace_shares_one(self, root: Path, found: Found) -> None:
        text = '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/out"]\n'
        write(root, {"pyproject.toml": text})
        for name in ("a", "b", "out"):
            write(root, {f"packages/{name}/t.py": CALLER, f"packages/{name}/pyproject.toml": ""})
            install(root / "packages" / name, {"lib.py": IS_QUICK})  # Left from before.
        assert {project.root for project in asked()} == {root, root / "packages/out"}
        install(root, {"lib.py": STALLS})
        assert found() == {"packages/a/t.py": 1, "packages/b/t.py": 1}
        # The same for a member by itself.
        assert found("packages/a") == {"packages/a/t.py": 1}
        assert find_environment(root / "packages/a").prefix == root / ".venv"

    def test_poetry_keeps_it_elsewhere(
        self, root: Path, found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from loopsafe.modules.environment import _digest

        monkeypatch.setenv("POETRY_CACHE_DIR", str(tmp_path / "poetry"))
        write(root, {"t.py": CALLER, "a/t.py": CALLER, "a/pyproject.toml": ""})
        install(root, {"lib.py": IS_QUICK})
        install(tmp_path / "made", {"lib.py": STALLS})
        store = tmp_path / "poetry" / "virtualenvs"
        store.mkdir(parents=True)
        place = store / f"a-{_digest(os.path.realpath(root / 'a'))}-py3.12"
        (tmp_path / "made" / ".venv").rename(place)
        assert found() == {"a/t.py": 1}

    def test_a_choice_goes_before_what_is_found(self, root: Path, found: Found) -> None:
        write(root, dict.fromkeys(("t.py", "a/t.py", "b/t.py"), CALLER))
        install(root / "a", {"lib.py": STALLS})
        install(root / "chosen", {"lib.py": IS_QUICK})
        write(root, {"pyproject.toml": '[tool.loopsafe]\npython = "chosen/.venv"\n'})
        assert found() == {}
        write(root, {"a/pyproject.toml": "[tool.loopsafe]\n"})  # Makes no choice.
        assert found() == {"a/t.py": 1}
        assert found("--python", "a/.venv") == {"t.py": 1, "a/t.py": 1, "b/t.py": 1}
        write(root, {"b/pyproject.toml": '[tool.loopsafe]\npython = "../a/.venv"\n'})
        assert found() == {"a/t.py": 1, "b/t.py": 1}
        assert found("--python", "chosen/.venv") == {}

    def test_an_active_one_is_for_files_without_another(
        self, root: Path, found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(root, {"t.py": CALLER, "a/t.py": CALLER})
        install(root / "a", {"lib.py": IS_QUICK})
        install(tmp_path / "active", {"lib.py": STALLS})
        monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active" / ".venv"))
        assert found() == {"t.py": 1}

    def test_an_inner_one_is_labelled_by_its_place(self, root: Path) -> None:
        install(root / "a", {})
        inner = find_environment(root / "a")
        assert inner.label_in(root) == "Python 3.12 (a/.venv)"
        assert inner.label_in(root / "a") == inner.label == "Python 3.12 (.venv)"
        assert inner.label_in(root / "b") == inner.label


class TestChains:
    """One project calls another that has an environment of its own."""

    @pytest.fixture
    def two(self, root: Path) -> Path:
        text = "from core.work import fetch\n\n\nasync def main():\n    fetch()\n"
        write(root, {"api/t.py": text, "libs/core/src/core/work.py": STALLS})
        write(root, {"libs/core/src/core/__init__.py": "", "libs/core/pyproject.toml": ""})
        install(root, {})
        install(root / "libs/core", {})
        return root

    def test_by_a_path(self, two: Path, found: Found) -> None:
        install(two / "api", {})
        assert found() == {}
        text = '[tool.uv.sources]\ncore = { path = "../libs/core", editable = true }\n'
        write(two, {"api/pyproject.toml": text})
        assert found() == {"api/t.py": 1}
        shutil.rmtree(two / "api" / ".venv")  # Then it is served by that around it.
        assert found() == {"api/t.py": 1}

    def test_through_a_subclass_that_only_the_other_has(self, two: Path, found: Found) -> None:
        base = "class Base:\n    def fetch(self):\n        raise NotImplementedError\n"
        own = "import time\nfrom core.work import Base\n\n\nclass Own(Base):\n"
        own += "    def fetch(self):\n        time.sleep(1)\n"
        text = "from core.work import Base\n\n\nasync def main(it: Base):\n    it.fetch()\n"
        write(two, {"libs/core/src/core/work.py": base, "libs/core/src/core/own.py": own})
        sources = '[tool.uv.sources]\ncore = { path = "../libs/core" }\n'
        write(two, {"api/t.py": text, "api/pyproject.toml": sources})
        install(two / "api", {})
        assert found() == {"api/t.py": 1}

    def test_by_an_editable_install(self, two: Path, found: Found) -> None:
        install(two / "api", {"_core.pth": str(two / "libs/core/src")})
        assert found() == {"api/t.py": 1}

    @pytest.mark.parametrize("way", ["path", "finder"])
    def test_the_source_of_both_is_the_users(self, two: Path, found: Found, way: str) -> None:
        """Of a coroutine that blocks, its own file tells, not each that awaits it."""
        source = two / "libs/core/src"
        finder = f"MAPPING = {{'core': {str(source / 'core')!r}}}\n"
        ways = {
            "path": {"_core.pth": str(source)},
            "finder": {"__editable___core_finder.py": finder},
        }
        install(two / "api", ways[way])
        write(source, {"core/work.py": STALLS.replace("def", "async def")})
        write(two, {"api/t.py": (two / "api/t.py").read_text().replace("  fetch", "  await fetch")})
        assert found() == {"libs/core/src/core/work.py": 1}

    def test_by_the_finder_of_an_editable_install(self, two: Path, found: Found) -> None:
        finder = f"MAPPING = {{'core': {str(two / 'libs/core/src/core')!r}}}\n"
        files = {"__editable___core_finder.py": finder}
        install(two / "api", files)
        assert found() == {"api/t.py": 1}


class TestRoots:
    def test_the_nearest_project_of_what_is_named(self, root: Path, found: Found) -> None:
        text = "from app import work\n\n\nasync def main():\n    work.fetch()\n"
        write(root, {"site/manage.py": "", "site/app/work.py": STALLS, "site/t.py": text})
        write(root, {"tools/Pipfile": "", "tools/t.py": text, "site/app/__init__.py": ""})
        assert [p.root for p in asked("site/t.py", "tools")] == [root / "site", root / "tools"]
        assert found("site/t.py", "tools") == {"site/t.py": 1}

    def test_a_list_of_requirements_makes_no_project(self, root: Path, found: Found) -> None:
        text = "from app import work\n\n\nasync def main():\n    work.fetch()\n"
        write(root, {"app/__init__.py": "", "app/work.py": STALLS, "tests/t.py": text})
        write(root, {"tests/requirements.txt": "pytest\n"})
        assert found("tests/t.py") == found() == {"tests/t.py": 1}


class TestEngines:
    def test_many_small_projects_share_one(self, root: Path) -> None:
        write(root, {f"p{n}/t.py": "" for n in range(30)})
        write(root, {f"p{n}/pyproject.toml": "" for n in range(30)})
        assert len(asked()) == 1

    def test_what_is_told_needs_none_of_its_own(self, root: Path) -> None:
        install(root, {})
        write(root, {f"p{n}/t.py": "" for n in range(9)})
        keys = ("ignore = ['blocking-sleep']", "exclude = ['old']", "select = ['blocking-http']")
        for n in range(9):
            write(root, {f"p{n}/pyproject.toml": f"[tool.loopsafe]\n{keys[n % 3]}\n"})
        [project] = asked()
        assert (project.root, len(project.files), len(project.told)) == (root, 9, 9)
        # What is known of the same calls does.
        write(root, {"p1/pyproject.toml": '[tool.loopsafe]\nblocking = ["own.work"]\n'})
        write(root, {"p2/pyproject.toml": '[tool.loopsafe]\nblocking = ["own.work"]\n'})
        assert sorted(len(project.files) for project in asked()) == [2, 7]

    def test_each_environment_has_one(self, root: Path) -> None:
        write(root, {"t.py": "", "a/t.py": "", "a/deep/t.py": "", "b/t.py": ""})
        write(root, {"a/deep/pyproject.toml": IGNORED})
        for name in (".", "a", "b"):
            install(root / name, {})
        found = {(p.root, len(p.files)) for p in asked()}
        assert found == {(root, 1), (root / "a", 2), (root / "b", 1)}

    def test_files_are_told_once(self, root: Path) -> None:
        write(root, {"t.py": "", "a/t.py": "", "a/pyproject.toml": ""})
        install(root / "a", {})
        files = [file for project in asked(".", "a", "a/t.py") for file in project.files]
        assert sorted(files) == [str(root / "a/t.py"), str(root / "t.py")]
