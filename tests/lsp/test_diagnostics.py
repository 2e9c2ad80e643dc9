"""Findings reach the editor: pulled or pushed, at the right place, and never stale."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from lsp_editor import BARE, EMACS, NEOVIM, VSCODE, capabilities, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

BLOCKING = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
FREE = BLOCKING.replace("time.sleep(1)", "pass")
HELPER = "import time\n\n\ndef work():\n    time.sleep(1)\n"
CALLER = "from helper import work\n\n\nasync def main():\n    work()\n"
PAGE = "https://github.com/loopsafe/loopsafe/blob/main/server/loopsafe/rules/blocking-sleep.md"


async def test_a_pulled_finding_is_complete(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        provider = ed.answer.capabilities.diagnostic_provider
        assert isinstance(provider, types.DiagnosticOptions)
        assert provider.identifier == "loopsafe"
        assert provider.inter_file_dependencies
        assert provider.workspace_diagnostics
        uri = ed.open(tmp_path / "app.py", BLOCKING, version=7)
        [found] = await ed.pull(uri)
    assert ed.text_at(uri, found.range) == "time.sleep"
    assert found.source == "loopsafe"
    assert found.code == "blocking-sleep"
    assert found.code_description
    assert found.code_description.href == PAGE
    assert found.severity is types.DiagnosticSeverity.Warning
    assert found.message == "time.sleep() blocks the event loop"
    assert found.tags is None
    assert found.related_information is None, "a direct call has no chain to show"
    assert found.data == {
        "code": "blocking-sleep",
        "span": [5, 4, 5, 14],
        "version": 7,
        "hash": hashlib.sha256(BLOCKING.encode()).hexdigest()[:16],
    }


async def test_an_unchanged_file_is_not_sent_again(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        first = await ed.report(uri)
        again = await ed.report(uri, first.result_id)
        assert again.kind == "unchanged"
        assert again.result_id == first.result_id
        ed.change(uri, FREE)
        changed = await ed.report(uri, first.result_id)
        assert changed.kind == "full"
        assert list(changed.items) == []


async def test_the_chain_is_shown_hop_by_hop_each_in_its_own_file(tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text(HELPER.replace("time.sleep(1)", 'x = "é😀"; time.sleep(1)'), encoding="utf-8")
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", CALLER)
        [found] = await ed.pull(uri)
        first, second = found.related_information or ()
        hop = ed.open(helper)
        assert (first.location.uri, second.location.uri) == (uri, hop)
        assert ed.text_at(uri, first.location.range) == "work"
        assert ed.text_at(hop, second.location.range) == "time.sleep"
        assert first.message == "main calls work()"
        assert second.message == "work calls time.sleep()"


async def test_a_chain_follows_the_unsaved_text_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with editor(tmp_path) as ed:
        helper = ed.open(tmp_path / "helper.py", f"# 😀\n\n{HELPER}")
        uri = ed.open(tmp_path / "app.py", CALLER)
        [found] = await ed.pull(uri)
        _, hop = found.related_information or ()
        assert ed.text_at(helper, hop.location.range) == "time.sleep"


TEXTS = {
    "astral": 'import time\n\n\nasync def main():\n    x = "é😀ß𝒳"; time.sleep(1)\n',
    "feed": '# 😀\n\x0c\nimport time\n\x0c\nasync def f():\n y = "\u2028\x1c"; time.sleep(1)\n',
    "crlf": 'import time\r\n\r\n\r\nasync def main():\r\n    x = "é😀"; time.sleep(1)\r\n',
    "cr": "import time\r\rasync def main():\r\ttime.sleep(1)",
}


@pytest.mark.parametrize("client", [VSCODE, NEOVIM, EMACS], ids=["utf-16", "utf-8", "utf-32"])
async def test_places_are_right_in_every_encoding(
    tmp_path: Path, client: types.ClientCapabilities
) -> None:
    async with editor(tmp_path, capabilities=client) as ed:
        for name, text in TEXTS.items():
            uri = ed.open(tmp_path / f"{name}.py", text)
            pulls = client is not EMACS
            [found] = await ed.pull(uri) if pulls else await ed.published_for(uri, 1)
            assert ed.text_at(uri, found.range) == "time.sleep", name
            actions = await ed.actions(uri, "time.sleep")
            [fix] = [a for a in actions if a.title == "Loopsafe: Use await asyncio.sleep()"]
            fixed = ed.after(fix.edit, uri)
            assert "await asyncio.sleep(1)" in fixed, name
            assert "time.sleep" not in fixed.replace("asyncio.sleep", ""), name
            hover = await ed.hover(uri, "time.sleep", inside=5)
            assert hover
            assert hover.range
            assert ed.text_at(uri, hover.range) == "time.sleep", name


async def test_optional_fields_are_only_sent_to_clients_that_declare_them(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with editor(
        tmp_path, capabilities=capabilities({"textDocument": {"diagnostic": {}}})
    ) as ed:
        [found] = await ed.pull(ed.open(tmp_path / "app.py", CALLER))
    assert found.related_information is None
    assert found.code_description is None
    assert found.data is None
    assert found.code == "blocking-sleep"


async def test_a_client_without_pull_is_sent_findings_with_their_version(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=BARE) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING, version=3)
        [found] = await ed.published_for(uri, 3)
        assert ed.text_at(uri, found.range) == "time.sleep"
        ed.change(uri, FREE)
        assert await ed.published_for(uri, 4) == []
        ed.change(uri, BLOCKING)
        assert len(await ed.published_for(uri, 5)) == 1
        ed.close(uri)
        assert await ed.published_for(uri, None) == []


async def test_push_reaches_the_files_that_depend_on_an_edit(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with editor(tmp_path, capabilities=BARE) as ed:
        caller = ed.open(tmp_path / "app.py", CALLER)
        helper = ed.open(tmp_path / "helper.py")
        assert len(await ed.published_for(caller, 1)) == 1
        await ed.published_for(helper, 1)
        ed.published.clear()
        ed.change(helper, HELPER.replace("time.sleep(1)", "pass"))
        assert await ed.published_for(caller, 1) == []


async def test_a_pulling_client_is_asked_to_refresh_when_an_edit_moves_other_findings(
    tmp_path: Path,
) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with editor(tmp_path) as ed:
        caller = ed.open(tmp_path / "app.py", CALLER)
        helper = ed.open(tmp_path / "helper.py")
        before = await ed.report(caller)
        assert len(before.items) == 1
        await ed.pull(helper)
        ed.change(helper, HELPER.replace("time.sleep(1)", "pass"))
        await ed.pull(helper)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        assert (await ed.report(caller, before.result_id)).items == ()


async def test_an_edit_that_moves_nothing_elsewhere_asks_for_no_refresh(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with editor(tmp_path) as ed:
        caller = ed.open(tmp_path / "app.py", CALLER)
        helper = ed.open(tmp_path / "helper.py")
        await ed.pull(caller)
        ed.change(helper, HELPER + "\n\ndef other():\n    pass\n")
        await ed.pull(helper)
        await asyncio.sleep(1)
        assert ed.client.diagnostic_refresh_count == 0


async def test_files_changed_on_disk_move_findings(tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text(HELPER)
    async with editor(tmp_path) as ed:
        [files, _] = sorted(ed.registered, key=lambda r: r.id) if ed.registered else (None, None)
        caller = ed.open(tmp_path / "app.py", CALLER)
        assert len(await ed.pull(caller)) == 1
        helper.write_text(HELPER.replace("time.sleep(1)", "return None"))
        ed.wrote(helper)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        assert await ed.pull(caller) == []
        assert files is None or files.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES


async def test_the_server_asks_to_watch_python_and_settings_files(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        await ed.until(lambda: len(ed.registered) == 2)
    by_method = {r.method: r.register_options for r in ed.registered}
    watched = by_method[types.WORKSPACE_DID_CHANGE_WATCHED_FILES]["watchers"]
    globs = {watcher["globPattern"] for watcher in watched}
    assert globs >= {"**/*.py", "**/*.pyi", "**/pyproject.toml", "**/loopsafe.toml", "**/uv.lock"}
    assert by_method[types.WORKSPACE_DID_CHANGE_CONFIGURATION] == {"section": "loopsafe"}


async def test_an_answer_is_always_about_the_latest_version(tmp_path: Path) -> None:
    async with editor(tmp_path, settings={"delay": 100}) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        await ed.pull(uri)
        ed.change(uri, BLOCKING)
        running = asyncio.ensure_future(ed.report(uri))
        await asyncio.sleep(0.03)
        ed.change(uri, FREE)
        assert (await running).items == ()
        ed.change(uri, f"# one more line\n{BLOCKING}")
        [found] = await ed.pull(uri)
        assert ed.text_at(uri, found.range) == "time.sleep"
        assert found.data["version"] == ed.versions[uri] == 4


async def test_saving_an_open_buffer_costs_no_analysis(tmp_path: Path) -> None:
    async def analyses() -> str:
        ask = ed.client.protocol.send_request_async
        text = await ed.within(ask("loopsafe/debugInformation", None))
        return str(text.partition("## Analyses\n- Last ")[2].partition(":")[0])

    path = tmp_path / "app.py"
    path.write_text(FREE)
    async with editor() as ed:
        uri = ed.open(path, BLOCKING)
        await ed.pull(uri)
        before = await analyses()
        path.write_text(BLOCKING)
        ed.save(uri)
        ed.wrote(path)
        await ed.pull(uri)
        await asyncio.sleep(0.5)
        assert await analyses() == before
        ed.close(uri)
        assert len(await ed.pull(uri)) == 1


CALLBACK = "import time\n\n\ndef tick():\n    time.sleep(1)\n"
REGISTRATION = """\
import asyncio

from callback import tick


def start(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(tick)
"""


async def test_what_other_files_say_of_a_function_is_found_in_the_background(
    tmp_path: Path,
) -> None:
    (tmp_path / "start.py").write_text(REGISTRATION)
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "callback.py", CALLBACK)
        await ed.pull(uri)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        [found] = await ed.pull(uri)
        assert ed.text_at(uri, found.range) == "time.sleep"


async def test_a_file_that_appears_is_read_too(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "callback.py", CALLBACK)
        assert await ed.pull(uri) == []
        (tmp_path / "start.py").write_text(REGISTRATION)
        ed.wrote(tmp_path / "start.py", kind=types.FileChangeType.Created)
        await ed.until(lambda: ed.client.diagnostic_refresh_count == 1)
        assert len(await ed.pull(uri)) == 1


async def test_a_half_typed_buffer_keeps_its_findings(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert len(await ed.pull(uri)) == 1
        ed.change(uri, BLOCKING + "\nasync def other(:\n    x = (\n")
        [found] = await ed.pull(uri)
        assert ed.text_at(uri, found.range) == "time.sleep"


async def test_a_buffer_without_a_file_is_checked_by_itself(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        [found] = await ed.pull(ed.open("untitled:Untitled-1", BLOCKING))
        assert found.code == "blocking-sleep"
        other = ed.open(f"untitled:{(tmp_path / 'new.py').as_posix()}", BLOCKING)
        assert len(await ed.pull(other)) == 1
    async with editor() as ed:
        assert len(await ed.pull(ed.open("untitled:Untitled-1", BLOCKING))) == 1


async def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(f"git:{(tmp_path / 'app.py').as_posix()}?HEAD", BLOCKING)
        assert await ed.pull(uri) == []
        assert await ed.actions(uri, "time.sleep") == []
        assert await ed.hover(uri, "time.sleep") is None


async def test_a_file_of_another_language_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(BLOCKING)
    async with editor(tmp_path) as ed:
        assert await ed.pull((tmp_path / "notes.txt").as_uri()) == []


async def test_installed_libraries_are_not_reported(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        path = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "library.py"
        path.parent.mkdir(parents=True)
        path.write_text(BLOCKING)
        assert await ed.pull(ed.open(path)) == []


async def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING.replace("    time", '    "\ud83d"; time'))
        [found] = await ed.pull(uri)
        assert (found.range.start.character, found.range.end.character) == (9, 19)


async def test_a_file_that_is_not_open_can_be_pulled(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BLOCKING)
    async with editor(tmp_path) as ed:
        [found] = await ed.pull((tmp_path / "app.py").as_uri())
        assert found.code == "blocking-sleep"
