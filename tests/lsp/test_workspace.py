"""Findings of the whole workspace, and answers that follow what happens on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsp_editor import Editor, editor
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

HELPER = "import time\n\n\ndef work():\n    time.sleep(1)\n"
CALLER = "from helper import work\n\n\nasync def main():\n    work()\n"
WORKSPACE = {"diagnosticMode": "workspace"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "app.py").write_text(CALLER)
    (tmp_path / "clean.py").write_text("x = 1\n")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "other.py").write_text(CALLER)
    return tmp_path


def ids(reports: list[Any]) -> dict[str, str]:
    return {report.uri: report.result_id for report in reports}


def counts(reports: list[Any]) -> dict[str, int]:
    return {report.uri.rsplit("/", 1)[1]: len(report.items) for report in reports}


async def test_all_files_are_reported_once(project: Path) -> None:
    async with editor(project, settings=WORKSPACE) as ed:
        first = await ed.pull_workspace()
        assert counts(first) == {"app.py": 1}
        assert first[0].version is None
        uri = ed.open(project / "app.py")
        [found] = await ed.pull(uri)
        assert found.range == first[0].items[0].range
        assert found.message == first[0].items[0].message


async def test_the_request_waits_for_news_and_tells_those_only(project: Path) -> None:
    async with editor(project, settings=WORKSPACE) as ed:
        known = ids(await ed.pull_workspace())
        waiting = asyncio.ensure_future(ed.pull_workspace(known))
        await asyncio.sleep(1.5)
        assert not waiting.done()
        (project / "new.py").write_text(CALLER)
        ed.wrote(project / "new.py", kind=types.FileChangeType.Created)
        fresh = await waiting
        assert counts(fresh) == {"new.py": 1}
        known.update(ids(fresh))
        (project / "helper.py").write_text("def work(): pass\n")
        (project / "new.py").unlink()
        ed.wrote(project / "helper.py")
        ed.wrote(project / "new.py", kind=types.FileChangeType.Deleted)
        assert counts(await ed.pull_workspace(known)) == {"app.py": 0, "new.py": 0}


async def test_an_edit_in_a_buffer_moves_findings_of_files_that_are_not_open(
    project: Path,
) -> None:
    async with editor(project, settings=WORKSPACE) as ed:
        known = ids(await ed.pull_workspace())
        uri = ed.open(project / "helper.py")
        ed.change(uri, HELPER.replace("time.sleep(1)", "pass"))
        assert counts(await ed.pull_workspace(known)) == {"app.py": 0}


async def test_many_findings_come_in_parts(tmp_path: Path) -> None:
    for number in range(120):
        text = f"import time\n\n\nasync def main{number}():\n    time.sleep(1)\n"
        (tmp_path / f"m{number}.py").write_text(text)
    async with editor(tmp_path, settings=WORKSPACE) as ed:
        parts: list[Any] = []
        ed.client.protocol.fm._features.pop("$/progress", None)

        def progress(params: types.ProgressParams) -> None:
            parts.append(params.value)

        ed.client.feature("$/progress")(progress)
        last = await ed.pull_workspace(token="part")
        assert [len(part["items"]) for part in parts] == [50, 50]
        assert len(last) == 20


async def test_open_files_only_is_the_default_and_can_be_returned_to(project: Path) -> None:
    async with editor(project) as ed:
        waiting = asyncio.ensure_future(ed.pull_workspace())
        uri = ed.open(project / "clean.py")
        assert await ed.pull(uri) == []
        assert not waiting.done()
        ed.configure(WORKSPACE)
        known = ids(await waiting)
        assert [one.rsplit("/", 1)[1] for one in known] == ["app.py"]
        ed.configure({"diagnosticMode": "openFilesOnly"})
        assert counts(await ed.pull_workspace(known)) == {"app.py": 0}


async def test_a_waiting_request_can_be_cancelled_and_typing_goes_first(project: Path) -> None:
    async with editor(project, settings=WORKSPACE) as ed:
        known = ids(await ed.pull_workspace())
        previous = [types.PreviousResultId(uri, value) for uri, value in known.items()]
        waiting = asyncio.ensure_future(
            ed.client.protocol.send_request_async(
                types.WORKSPACE_DIAGNOSTIC,
                types.WorkspaceDiagnosticParams(previous),
                msg_id="waits",
            )
        )
        uri = ed.open(project / "app.py")
        assert len(await ed.pull(uri)) == 1
        ed.client.cancel_request(types.CancelParams("waits"))
        with pytest.raises(JsonRpcRequestCancelled):
            await ed.within(waiting)
        ed.change(uri, CALLER + "    work()\n")
        assert len(await ed.pull(uri)) == 2
    assert ed.client.log_messages == []


async def test_a_switch_of_branches_is_followed(project: Path) -> None:
    """Many files change at once on disk, by git or by another program."""
    async with editor(project) as ed:
        uri = ed.open(project / "app.py")
        assert len(await ed.pull(uri)) == 1
        (project / "helper.py").unlink()
        (project / "helper").mkdir()
        (project / "helper" / "__init__.py").write_text("from helper.inner import work\n")
        (project / "helper" / "inner.py").write_text("def work(): pass\n")
        ed.wrote(project / "helper.py", kind=types.FileChangeType.Deleted)
        inside = [project / "helper" / "__init__.py", project / "helper" / "inner.py"]
        ed.wrote(*inside, kind=types.FileChangeType.Created)
        assert await ed.pull(uri) == []
        (project / "helper" / "inner.py").write_text(HELPER)
        ed.wrote(project / "helper" / "inner.py")
        assert len(await ed.pull(uri)) == 1


async def test_a_lock_file_says_which_release_of_a_library_counts(tmp_path: Path) -> None:
    """FastMCP runs a plain function on the loop in its second version, in a thread in its third."""
    tool = "import time\n\nfrom fastmcp import FastMCP\n\nmcp = FastMCP()\n\n\n@mcp.tool\n"
    tool += "def wait():\n    time.sleep(1)\n"
    lock = '[[package]]\nname = "fastmcp"\nversion = "{}"\n'
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", tool)
        assert await ed.pull(uri) == []
        (tmp_path / "uv.lock").write_text(lock.format("2.14.0"))
        ed.wrote(tmp_path / "uv.lock", kind=types.FileChangeType.Created)
        assert len(await ed.pull(uri)) == 1
        (tmp_path / "uv.lock").write_text(lock.format("3.1.0"))
        ed.wrote(tmp_path / "uv.lock")
        assert await ed.pull(uri) == []
        (tmp_path / "uv.lock").unlink()
        (tmp_path / "requirements").mkdir()
        (tmp_path / "requirements" / "web.txt").write_text("fastmcp<3\n")
        ed.wrote(tmp_path / "uv.lock", kind=types.FileChangeType.Deleted)
        assert len(await ed.pull(uri)) == 1


async def test_a_very_large_file_is_left_alone_and_the_status_says_so(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        line = "async def f():\n    time.sleep(1)\n"
        uri = ed.open(tmp_path / "data.py", "import time\n" + line * 70_000)
        assert await ed.pull(uri) == []
        said = "data.py: the file is too large (2.3 MB): it is not analysed"
        await ed.until(lambda: ed.statuses and ed.statuses[-1].message == said)
        other = ed.open(tmp_path / "app.py", "import time\n" + line)
        assert len(await ed.pull(other)) == 1
        assert ed.statuses[-1].message == said
        ed.close(uri)
        await ed.until(lambda: ed.statuses[-1].message == "")


@pytest.mark.parametrize("suffix", [".pyi", ".pyw", ".py"])
async def test_buffers_without_a_file_and_stubs(tmp_path: Path, suffix: str) -> None:
    async with editor(tmp_path) as ed:
        await check_quiet_and_found(ed, tmp_path, suffix)


async def check_quiet_and_found(ed: Editor, folder: Path, suffix: str) -> None:
    text = "import time\nasync def f():\n    time.sleep(1)\n"
    untitled = ed.open(f"untitled:Untitled-1{suffix}", text)
    assert len(await ed.pull(untitled)) == 1
    stub = ed.open(folder / "lib.pyi", "async def f() -> int: ...\ndef g() -> str: ...\n")
    assert await ed.pull(stub) == []
