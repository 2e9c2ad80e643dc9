"""One workspace folder with many projects: each file has the nearest settings and environment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsp_editor import Editor, editor
from lsprotocol import types

from repository import CALLER, IGNORED, IS_QUICK, STALLS, write

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

BLOCKING = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
CREATED = types.FileChangeType.Created


def install(project: Path, files: dict[str, str], version: str = "3.12") -> Path:
    """A project's virtual environment, with packages: nothing in it is ever started."""
    home = project / ".venv"
    for place in (f"lib/python{version}/site-packages", "Lib/site-packages"):
        (home / place).mkdir(parents=True)
        write(home / place, files)
    write(home, {"pyvenv.cfg": f"home = /usr/bin\nversion = {version}.1\n"})
    return home


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two projects, and a file that is in neither."""
    write(tmp_path, {"a/pyproject.toml": IGNORED, "b/pyproject.toml": "[project]\n"})
    write(tmp_path, {"t.py": BLOCKING, "a/src/t.py": BLOCKING, "b/t.py": BLOCKING})
    return tmp_path


async def counts(ed: Editor, root: Path, *names: str) -> list[int]:
    """How many findings some files have, which are opened for it."""
    uris = [(root / name).as_uri() for name in names]
    for name, uri in zip(names, uris, strict=True):
        if uri not in ed.texts:
            ed.open(root / name)
    return [len(await ed.pull(uri)) for uri in uris]


async def engines(ed: Editor) -> list[str]:
    """The folders that have an engine, by the page for bug reports."""
    page = await ed.ask("loopsafe/debugInformation", None)
    start = "## Engine of "
    return sorted(s.removeprefix(start).strip("`") for s in page.splitlines() if start in s)


def by_place(reports: list[Any], root: Path) -> dict[str, int]:
    start = root.as_uri() + "/"
    return {report.uri.removeprefix(start): len(report.items) for report in reports}


class TestSettings:
    async def test_each_project_has_its_own(self, root: Path) -> None:
        async with editor(root) as ed:
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [1, 0, 1]
            # Only what is told differs: one engine knows it all.
            assert await engines(ed) == [str(root)]

    async def test_they_come_change_and_go(self, root: Path) -> None:
        names = ("t.py", "a/src/t.py", "b/t.py")
        async with editor(root) as ed:
            assert await counts(ed, root, *names) == [1, 0, 1]
            write(root, {"b/pyproject.toml": IGNORED})
            ed.wrote(root / "b/pyproject.toml")
            await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
            assert await counts(ed, root, *names) == [1, 0, 0]
            write(root, {"a/pyproject.toml": IGNORED.replace("sleep", "http")})
            write(root, {"b/deep/pyproject.toml": "", "pyproject.toml": IGNORED})
            ed.wrote(root / "a/pyproject.toml")
            ed.wrote(root / "pyproject.toml", kind=CREATED)
            await ed.until(lambda: ed.client.diagnostic_refresh_count == 2)
            assert await counts(ed, root, *names) == [0, 1, 0]
            (root / "a/pyproject.toml").unlink()
            ed.wrote(root / "a/pyproject.toml", kind=types.FileChangeType.Deleted)
            await ed.until(lambda: ed.client.diagnostic_refresh_count == 3)
            assert await counts(ed, root, *names) == [0, 0, 0]

    async def test_a_mistake_is_shown_in_its_file_and_costs_nobody_else_anything(
        self, root: Path
    ) -> None:
        names = ("t.py", "a/src/t.py", "b/t.py")
        broken, mended = root / "a/pyproject.toml", root / "b/pyproject.toml"
        mended.write_text("[tool.loopsafe]\nignores = []\n")
        async with editor(root) as ed:
            assert await counts(ed, root, *names) == [1, 0, 1]
            [found] = await ed.published_for(mended.as_uri(), None)
            assert "unknown key `ignores`" in found.message
            broken.write_text("[tool.loopsafe]\nselect = 1\n")
            mended.write_text(IGNORED)
            ed.published.clear()
            ed.wrote(broken, mended)
            # The last good word is kept of one, and the other says its own again.
            assert await counts(ed, root, *names) == [1, 0, 0]
            assert await ed.published_for(mended.as_uri(), None) == []
            [found] = await ed.published_for(broken.as_uri(), None)
            assert "`select`" in found.message
            ed.published.clear()
            broken.unlink()
            ed.wrote(broken, kind=types.FileChangeType.Deleted)
            assert await counts(ed, root, *names) == [1, 1, 0]
            assert await ed.published_for(broken.as_uri(), None) == []

    async def test_those_of_the_editor_are_over_all(self, root: Path) -> None:
        given: dict[str, Any] = {"severity": {"blocking-sleep": "error"}}
        async with editor(root, settings=given) as ed:
            assert await counts(ed, root, "a/src/t.py") == [0]
            [found] = await ed.pull(ed.open(root / "b/t.py"))
            assert found.severity is types.DiagnosticSeverity.Error
            write(root, {"a/pyproject.toml": "[tool.loopsafe]\n", "a/other/t.py": BLOCKING})
            # Patterns are those of the workspace folder.
            ed.configure({"exclude": ["a/src", "/b/t.py"]})
            ed.wrote(root / "a/pyproject.toml")
            ed.wrote(root / "a/other/t.py", kind=CREATED)
            assert await counts(ed, root, "a/src/t.py", "b/t.py", "a/other/t.py") == [0, 0, 1]
            ed.configure({"ignore": ["blocking-sleep"]})
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [0, 0, 0]

    async def test_the_whole_workspace_is_told_by_them(self, root: Path) -> None:
        write(root, {"b/pyproject.toml": '[tool.loopsafe]\nexclude = ["old"]\n'})
        write(root, {"b/old/t.py": BLOCKING, "a/old/t.py": BLOCKING, "old/t.py": BLOCKING})
        async with editor(root, settings={"diagnosticMode": "workspace"}) as ed:
            reports = await ed.pull_workspace()
            assert by_place(reports, root) == {"t.py": 1, "b/t.py": 1, "old/t.py": 1}
            write(root, {"a/pyproject.toml": ""})
            ed.wrote(root / "a/pyproject.toml")
            known = {report.uri: report.result_id for report in reports}
            fresh = await ed.pull_workspace(known)
            assert by_place(fresh, root) == {"a/src/t.py": 1, "a/old/t.py": 1}

    async def test_what_is_taught_is_written_to_the_nearest(self, root: Path) -> None:
        text = "import own\n\n\nasync def main():\n    own.work()\n"
        write(root, {"own.py": "def work(): pass\n", "a/src/t.py": text, "b/t.py": text})
        title = "Teach Loopsafe: own.work() blocks"
        async with editor(root) as ed:
            for name in ("a", "b"):
                uri = ed.open(root / ("a/src/t.py" if name == "a" else "b/t.py"))
                [action] = [a for a in await ed.actions(uri, "work") if a.title == title]
                [change] = action.edit.document_changes
                assert change.text_document.uri == (root / name / "pyproject.toml").as_uri()
            write(root, {"a/pyproject.toml": '[tool.loopsafe]\nblocking = ["own.work"]\n'})
            ed.wrote(root / "a/pyproject.toml")
            assert await counts(ed, root, "a/src/t.py", "b/t.py") == [1, 0]


class TestEnvironments:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """Two projects, in whose environments a package is another, and a file in neither."""
        write(tmp_path, dict.fromkeys(("t.py", "a/src/t.py", "b/t.py"), CALLER))
        write(tmp_path, {"a/pyproject.toml": "", "b/pyproject.toml": ""})
        install(tmp_path / "a", {"lib.py": STALLS}, "3.11")
        install(tmp_path / "b", {"lib.py": IS_QUICK})
        install(tmp_path, {"lib.py": IS_QUICK}, "3.13")
        return tmp_path

    async def test_each_project_has_its_own(self, root: Path) -> None:
        async with editor(root) as ed:
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [0, 1, 0]
            assert await engines(ed) == [str(root), str(root / "a"), str(root / "b")]

    async def test_the_status_tells_that_of_each_file(self, root: Path) -> None:
        async with editor(root) as ed:
            await counts(ed, root, "t.py")
            await ed.until(lambda: ed.statuses)
            assert ed.statuses[-1].environment == "Python 3.13 (.venv)"
            assert not hasattr(ed.statuses[-1], "environments")
            await counts(ed, root, "a/src/t.py")
            await ed.until(lambda: hasattr(ed.statuses[-1], "environments"))
            told = next(s.environments for s in ed.statuses if hasattr(s, "environments"))
            assert {(one.uri, one.environment) for one in told} == {
                ((root / "t.py").as_uri(), "Python 3.13 (.venv)"),
                ((root / "a/src/t.py").as_uri(), "Python 3.11 (a/.venv)"),
            }
            ed.close((root / "a/src/t.py").as_uri())
            await ed.until(lambda: not hasattr(ed.statuses[-1], "environments"))

    async def test_the_whole_workspace_is_seen_by_them(self, root: Path) -> None:
        async with editor(root, settings={"diagnosticMode": "workspace"}) as ed:
            assert by_place(await ed.pull_workspace(), root) == {"a/src/t.py": 1}

    async def test_one_that_is_made_is_used(self, root: Path) -> None:
        write(root, {"c/t.py": CALLER})
        async with editor(root) as ed:
            assert await counts(ed, root, "c/t.py") == [0]
            made = install(root / "c", {"lib.py": STALLS})
            ed.wrote(*made.rglob("lib.py"), kind=CREATED)
            assert await counts(ed, root, "c/t.py") == [1]

    async def test_the_active_one_is_for_files_without_another(
        self, root: Path, tmp_path: Path
    ) -> None:
        active = install(tmp_path / "away", {"lib.py": STALLS})
        async with editor(root, settings={"activeEnvironment": str(active)}) as ed:
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [1, 1, 0]
            # A choice is for all.
            ed.configure({"activeEnvironment": str(active), "python": str(root / "b/.venv")})
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [0, 0, 0]
            assert await engines(ed) == [str(root)]

    async def test_none_is_looked_for_where_nobody_is_trusted(self, root: Path) -> None:
        write(root, {"a/pyproject.toml": '[tool.loopsafe]\npython = ".venv"\n'})
        async with editor(root, options={"trusted": False}) as ed:
            assert await counts(ed, root, "t.py", "a/src/t.py", "b/t.py") == [0, 0, 0]
            assert await engines(ed) == [str(root)]

    async def test_a_chosen_one_that_cannot_be_used_is_told_while_its_file_is_open(
        self, root: Path
    ) -> None:
        write(root, {"a/pyproject.toml": '[tool.loopsafe]\npython = "gone"\n'})
        async with editor(root) as ed:
            await counts(ed, root, "a/src/t.py", "t.py")
            await ed.until(lambda: ed.statuses and ed.statuses[-1].message)
            assert "gone: no such file or folder" in ed.statuses[-1].message
            ed.close((root / "a/src/t.py").as_uri())
            await ed.until(lambda: not ed.statuses[-1].message)

    async def test_an_edit_reaches_the_chains_of_another_project(self, root: Path) -> None:
        """With an environment of its own, a project may be installed with another's source."""
        write(root, {"b/core.py": IS_QUICK, "a/src/t.py": CALLER.replace("lib", "core")})
        sources = '[tool.uv.sources]\ncore = { path = "../b" }\n'
        write(root, {"a/pyproject.toml": sources})
        async with editor(root) as ed:
            assert await counts(ed, root, "a/src/t.py") == [0]
            uri = ed.open(root / "b/core.py")
            ed.change(uri, STALLS)
            await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
            assert await counts(ed, root, "a/src/t.py") == [1]

    async def test_callers_lenses_and_hierarchy_reach_into_another_project(
        self, root: Path
    ) -> None:
        """A helper of one project, and who calls it in another, of another environment."""
        helper = STALLS.replace("fetch", "shared")
        caller = "from core import shared\n\n\nasync def main():\n    shared()\n"
        write(root, {"b/core.py": helper, "b/t.py": caller, "a/src/t.py": caller})
        sources = '[tool.uv.sources]\ncore = { path = "../b" }\n'
        write(root, {"a/pyproject.toml": sources})
        async with editor(root, settings={"codeLens": "on"}) as ed:
            assert await counts(ed, root, "a/src/t.py", "b/t.py") == [1, 1]
            core = ed.open(root / "b/core.py")
            await ed.pull(core)
            # A helper is looked at with its own environment: here that of `b`.
            [lens] = await ed.lenses(core)
            assert lens.command
            assert lens.command.title == "blocks the loop: 1 caller"
            user = (root / "a/src/t.py").as_uri()
            found = types.CallHierarchyPrepareParams(
                types.TextDocumentIdentifier(user), types.Position(3, 10)
            )
            [item] = await ed.within(ed.client.text_document_prepare_call_hierarchy_async(found))
            params = types.CallHierarchyOutgoingCallsParams(item)
            [call] = await ed.within(ed.client.call_hierarchy_outgoing_calls_async(params))
            assert (call.to.name, call.to.uri) == ("shared", core)
            params = types.CallHierarchyOutgoingCallsParams(call.to)
            [call] = await ed.within(ed.client.call_hierarchy_outgoing_calls_async(params))
            assert call.to.name == "time.sleep()"

    async def test_a_fix_that_spans_files_is_made_with_the_environment_of_its_file(
        self, root: Path
    ) -> None:
        helper = "import lib\n\n\ndef shared():\n    return lib.fetch()\n"
        caller = "from core import shared\n\n\nasync def main():\n    return shared()\n"
        write(root, {"a/src/lib.py": STALLS, "a/src/core.py": helper, "a/src/t.py": caller})
        write(root, {"b/core.py": helper, "b/t.py": caller})
        async with editor(root) as ed:
            assert await counts(ed, root, "a/src/t.py", "b/t.py") == [1, 0]
            uri = (root / "a/src/t.py").as_uri()
            while not (
                wide := [a for a in await ed.actions(uri, "shared()") if "files)" in a.title]
            ):
                await asyncio.sleep(0.05)
            changed = {c.text_document.uri for c in wide[0].edit.document_changes}
            assert changed
            assert all(one.startswith((root / "a").as_uri()) for one in changed)

    async def test_fixes_are_for_the_python_of_their_project(self, tmp_path: Path) -> None:
        """In one environment: the nearest project that says a version decides."""
        code = "import subprocess\n\n\nasync def main():\n    subprocess.run(['a'])\n"
        said = '[project]\nrequires-python = "{}"\n'
        write(tmp_path, {"pyproject.toml": said.format(">=3.12"), "a/t.py": code, "b/t.py": code})
        write(tmp_path, {"a/pyproject.toml": said.format(">=3.8")})
        async with editor(tmp_path) as ed:
            titles = {}
            for name in ("a", "b"):
                uri = ed.open(tmp_path / name / "t.py")
                titles[name] = [action.title for action in await ed.actions(uri, "subprocess.run")]
            thread = "in a thread with asyncio.to_thread()"
            assert any(thread in title for title in titles["b"])
            assert not any(thread in title for title in titles["a"])

    async def test_memory_is_kept_within_bounds(self, tmp_path: Path) -> None:
        names = [f"p{number}/t.py" for number in range(14)]
        write(tmp_path, dict.fromkeys(names, CALLER))
        for number in range(14):
            install(tmp_path / f"p{number}", {"lib.py": STALLS})
        async with editor(tmp_path) as ed:
            assert await counts(ed, tmp_path, *names) == [1] * 14
            assert len(await engines(ed)) <= 12
            assert await counts(ed, tmp_path, names[0]) == [1]
