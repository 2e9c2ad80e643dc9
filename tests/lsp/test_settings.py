"""Settings of the editor and of pyproject.toml, per folder, live."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsp_editor import BARE, Editor, capabilities, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

BLOCKING = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
OFF: dict[str, Any] = {"severity": {"blocking-sleep": "off"}}
LOUD: dict[str, Any] = {"severity": {"blocking-sleep": "error"}}


async def information(ed: Editor) -> str:
    answer = ed.client.protocol.send_request_async("loopsafe/debugInformation", None)
    return str(await ed.within(answer))


async def test_settings_change_without_a_restart(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [before] = await ed.pull(uri)
        assert before.severity is types.DiagnosticSeverity.Warning
        ed.configure(LOUD)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        [after] = await ed.pull(uri)
        assert after.severity is types.DiagnosticSeverity.Error
        ed.configure({"enable": False})
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 2)
        assert await ed.pull(uri) == []
        assert await ed.actions(uri, "time.sleep") == []
        assert await ed.hover(uri, "time.sleep") is None


async def test_what_changes_before_the_client_watches_is_noticed(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert len(await ed.pull(uri)) == 1
        (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nignore = ["blocking-sleep"]\n')
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        assert await ed.pull(uri) == []


async def test_each_folder_has_its_own_settings(tmp_path: Path) -> None:
    loud, quiet = tmp_path / "loud", tmp_path / "quiet"
    inner = loud / "inner"
    for folder in (loud, quiet, inner):
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(BLOCKING)
    async with editor(loud, quiet, inner) as ed:
        ed.client.set_configuration(LOUD, section="loopsafe", scope_uri=loud.as_uri())
        ed.client.set_configuration(OFF, section="loopsafe", scope_uri=quiet.as_uri())
        ed.client.set_configuration({}, section="loopsafe", scope_uri=inner.as_uri())
        [found] = await ed.pull(ed.open(loud / "app.py"))
        assert found.severity is types.DiagnosticSeverity.Error
        assert await ed.pull(ed.open(quiet / "app.py")) == []
        [found] = await ed.pull(ed.open(inner / "app.py"))
        assert found.severity is types.DiagnosticSeverity.Warning


async def test_folders_come_and_go(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "app.py").write_text(BLOCKING)
    async with editor(first) as ed:
        ed.client.set_configuration(OFF, section="loopsafe", scope_uri=second.as_uri())
        folder = types.WorkspaceFolder(second.as_uri(), "second")
        event = types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
        ed.client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(event)
        )
        assert await ed.pull(ed.open(second / "app.py")) == []
        assert second.as_uri() in await information(ed)
        event = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
        ed.client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(event)
        )
        assert second.as_uri() not in await information(ed)
        assert len(await ed.pull(ed.open(first / "app.py"))) == 1


async def test_a_file_outside_of_all_folders_belongs_to_its_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[tool.loopsafe]\nignore = ["blocking-sleep"]\n')
    (tmp_path / "elsewhere").mkdir()
    async with editor(tmp_path / "elsewhere") as ed:
        assert await ed.pull(ed.open(project / "src" / "app.py", BLOCKING)) == []
        assert len(await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))) == 1


async def test_pyproject_is_read_again_when_it_changes(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert len(await ed.pull(uri)) == 1
        pyproject.write_text('[tool.loopsafe]\nignore = ["blocking-sleep"]\n')
        ed.wrote(pyproject, kind=types.FileChangeType.Created)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        assert await ed.pull(uri) == []


async def test_a_mistake_in_pyproject_is_shown_at_its_place_and_the_last_good_word_kept(
    tmp_path: Path,
) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[tool.loopsafe]\nseverity = { blocking-sleep = "error" }\n')
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        await ed.pull(uri)
        assert ed.published == []
        pyproject.write_text('[project]\nname = "é"\n\n[tool.loopsafe]\n  ignored = []\n')
        ed.wrote(pyproject)
        [found] = await ed.published_for(pyproject.as_uri(), None)
        assert "unknown key `ignored`" in found.message
        assert "did you mean `ignore`" in found.message
        assert found.range == types.Range(types.Position(4, 2), types.Position(4, 14))
        assert found.severity is types.DiagnosticSeverity.Error
        [kept] = await ed.pull(uri)
        assert kept.severity is types.DiagnosticSeverity.Error
        ed.published.clear()
        pyproject.write_text("[tool.loopsafe]\nignore = []\n")
        ed.wrote(pyproject)
        assert await ed.published_for(pyproject.as_uri(), None) == []
        [mended] = await ed.pull(uri)
        assert mended.severity is types.DiagnosticSeverity.Warning


async def test_a_client_that_cannot_be_asked_sends_its_settings(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=BARE, options={"settings": OFF}) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert await ed.published_for(uri, 1) == []
        ed.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"loopsafe": LOUD})
        )
        await ed.until(lambda: ed.published[-1].diagnostics)
        [found] = ed.published[-1].diagnostics
        assert found.severity is types.DiagnosticSeverity.Error


async def test_senseless_settings_do_no_harm(tmp_path: Path) -> None:
    wrong: dict[str, Any] = {"delay": "fast", "severity": 3, "select": ["nope"], "enable": None}
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        for settings in (None, [], "nonsense", wrong):
            ed.client.set_configuration(settings, section="loopsafe")
            ed.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
            assert len(await ed.pull(uri)) == 1
    assert "rule `nope`" in "".join(message.message for message in ed.client.log_messages)


async def test_a_client_that_never_says_its_settings_still_gets_findings(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        asked = asyncio.Event()
        late = asyncio.Event()

        async def answer(_params: types.ConfigurationParams) -> list[Any]:
            asked.set()
            await late.wait()
            return [LOUD]

        ed.client.protocol.fm._features.pop(types.WORKSPACE_CONFIGURATION)
        ed.client.feature(types.WORKSPACE_CONFIGURATION)(answer)
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [found] = await ed.pull(uri)
        assert asked.is_set()
        assert found.severity is types.DiagnosticSeverity.Warning
        late.set()
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        [found] = await ed.pull(uri)
        assert found.severity is types.DiagnosticSeverity.Error


async def test_excluded_files_are_not_reported(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\nexclude = ["generated/"]\n')
    (tmp_path / "generated").mkdir()
    async with editor(tmp_path, settings={"exclude": ["*_pb2.py"]}) as ed:
        assert await ed.pull(ed.open(tmp_path / "generated" / "app.py", BLOCKING)) == []
        assert await ed.pull(ed.open(tmp_path / "app_pb2.py", BLOCKING)) == []
        assert len(await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))) == 1


async def test_findings_can_wait_for_a_save(tmp_path: Path) -> None:
    pushed = capabilities({"workspace": {"configuration": True}})
    async with editor(tmp_path, capabilities=pushed, settings={"run": "onSave"}) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert len(await ed.published_for(uri, 1)) == 1
        ed.change(uri, "\n")
        await asyncio.sleep(0.6)
        assert {p.version for p in ed.published} == {1}
        ed.save(uri)
        assert await ed.published_for(uri, 2) == []


def environment(folder: Path, name: str) -> Path:
    """A virtual environment's outline: nothing in it is ever started."""
    home = folder / name
    (home / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (home / "Lib" / "site-packages").mkdir(parents=True, exist_ok=True)
    (home / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.4\n")
    return home


async def test_the_chosen_environment_goes_before_the_active_one(tmp_path: Path) -> None:
    active, chosen = environment(tmp_path, "active"), environment(tmp_path, "chosen")
    given = {"activeEnvironment": str(active), "python": ""}
    async with editor(tmp_path, settings=given) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        await ed.pull(uri)
        assert f"Environment chosen: `{active}`" in await information(ed)
        ed.configure({**given, "python": str(chosen)})
        await ed.pull(uri)
        assert f"Environment chosen: `{chosen}`" in await information(ed)


async def test_an_untrusted_workspace_gives_no_environment(tmp_path: Path) -> None:
    home = environment(tmp_path, ".venv")
    (tmp_path / "pyproject.toml").write_text(f"[tool.loopsafe]\npython = '{home}'\n")
    given = {"activeEnvironment": str(home), "python": str(home)}
    for trusted, label in ((False, "no Python environment"), (True, "Python 3.12 (.venv)")):
        options = {"trusted": trusted, "globalStorage": str(tmp_path / "storage")}
        async with editor(tmp_path, settings=given, options=options) as ed:
            assert len(await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))) == 1
            assert f"Environment: {label}\n" in await information(ed)
            await ed.until(lambda: ed.statuses)
            assert ed.statuses[-1].environment == label
            assert ed.statuses[-1].message == ""


async def test_a_chosen_environment_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    async with editor(tmp_path, settings={"python": str(tmp_path / "gone")}) as ed:
        assert len(await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))) == 1
        await ed.until(lambda: ed.statuses)
        assert "gone: no such file or folder" in ed.statuses[-1].message


async def test_the_client_is_told_the_environment(tmp_path: Path) -> None:
    home = environment(tmp_path, "chosen")
    async with editor(tmp_path, settings={"python": str(home)}) as ed:
        await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))
        await ed.until(lambda: ed.statuses)
        status = ed.statuses[-1]
        assert (status.state, status.environment) == ("ready", "Python 3.12 (chosen)")
