"""Code actions: the right edits, in the right order, for the present text."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsp_editor import BARE, EMACS, NEOVIM, Editor, capabilities, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

BLOCKING = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
CURE = "Loopsafe: Use await asyncio.sleep()"
TWO = BLOCKING + "    time.sleep(2)\n"
FIXED_TWO = TWO.replace("time.sleep(", "await asyncio.sleep(")


def titles(actions: list[types.CodeAction]) -> list[str]:
    return [action.title for action in actions]


def cure(actions: list[types.CodeAction]) -> types.CodeAction:
    [found] = [action for action in actions if action.title == CURE]
    return found


async def test_a_quick_fix_cures_the_finding(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        provider = ed.answer.capabilities.code_action_provider
        assert isinstance(provider, types.CodeActionOptions)
        assert provider.code_action_kinds == (
            "quickfix",
            "source.fixAll.loopsafe",
            "refactor",
            "refactor.extract",
            "notebook.source.fixAll.loopsafe",
        )
        assert provider.resolve_provider
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [found] = await ed.pull(uri)
        action = cure(await ed.actions(uri, "sleep"))
        assert action.kind == types.CodeActionKind.QuickFix
        assert action.diagnostics == (found,)
        assert action.edit
        fixed = ed.after(action.edit, uri)
        assert "import asyncio\n" in fixed
        assert fixed.endswith("    await asyncio.sleep(1)\n")
        ed.change(uri, fixed)
        assert await ed.pull(uri) == []


async def test_cures_come_first_and_ignoring_last(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TWO)
        both = "time.sleep(1)\n    time.sleep(2)"
        actions = await ed.actions(uri, both, only=["quickfix"])
        hiding = ["Ignore" in t or "Teach" in t for t in titles(actions)]
        assert hiding == sorted(hiding)
        assert sum("Ignore" in title for title in titles(actions)) == 2
        starts = ("Loopsafe: ", "Teach Loopsafe: ")
        assert all(title.startswith(starts) for title in titles(actions))
        assert not any(action.is_preferred for action in actions if "Ignore" in action.title)


async def test_the_comment_that_ignores_can_be_left_out(tmp_path: Path) -> None:
    off = {"codeAction": {"disableRuleComment": {"enable": False}}}
    async with editor(tmp_path, settings=off) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        actions = await ed.actions(uri, "time.sleep")
        assert CURE in titles(actions)
        assert not [title for title in titles(actions) if "Ignore" in title]


async def test_ignoring_silences_the_finding(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [ignore] = [a for a in await ed.actions(uri, "time.sleep") if "Ignore" in a.title]
        ed.change(uri, ed.after(ignore.edit, uri))
        assert "# loopsafe: ignore[blocking-sleep]" in ed.texts[uri]
        assert await ed.pull(uri) == []


FIX, ALL = "quickfix", "source.fixAll.loopsafe"


async def test_only_the_kinds_asked_for_are_offered(tmp_path: Path) -> None:
    asked: list[tuple[list[str] | None, set[str]]] = [
        (None, {FIX, ALL}),
        ([], {FIX, ALL}),
        ([""], {FIX, ALL}),
        (["quickfix"], {FIX}),
        (["refactor", "quickfix"], {FIX}),
        (["source"], {ALL}),
        (["source.fixAll"], {ALL}),
        (["source.fixAll.loopsafe"], {ALL}),
        (["source.fixAll.ruff"], set()),
        (["source.fix"], set()),
        (["refactor"], set()),
    ]
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        for only, kinds in asked:
            actions = await ed.actions(uri, "time.sleep", only=only)
            assert {getattr(a.kind, "value", a.kind) for a in actions} == kinds, only


async def test_only_findings_in_the_range_are_offered(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TWO)
        assert await ed.actions(uri, "main") == []
        assert len([t for t in titles(await ed.actions(uri, "sleep(2)")) if t == CURE]) == 1


async def test_fix_all_is_made_when_it_is_chosen(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TWO)
        [action] = await ed.actions(uri, "import", only=["source.fixAll"])
        assert action.edit is None
        ed.change(uri, f"# moved down\n{TWO}")
        resolved = await ed.resolve(action)
        assert resolved.edit
        fixed = ed.after(resolved.edit, uri)
        assert fixed.count("await asyncio.sleep(") == 2
        assert fixed.count("import asyncio") == 1
        ed.change(uri, fixed)
        assert await ed.pull(uri) == []
        assert await ed.actions(uri, "import", only=["source.fixAll"]) == []


async def test_fix_all_goes_on_until_nothing_safe_is_left(tmp_path: Path) -> None:
    """The inner call stands in the arguments of the outer one: two edits that overlap."""
    text = (
        "import requests\n\n\nasync def main(*rest):\n"
        "    for url in rest:\n        requests.get(requests.get(url).text)\n"
    )
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", text)
        [action] = await ed.actions(uri, "import", only=["source.fixAll"])
        resolved = await ed.resolve(action)
        fixed = ed.after(resolved.edit, uri)
        assert fixed.count("await asyncio.to_thread(requests.get, ") == 2
        assert len(await ed.pull(uri)) == 2, "the buffer is still as it was"
        ed.change(uri, fixed)
        assert await ed.pull(uri) == []


async def test_fix_all_after_the_cure_changes_nothing(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [action] = await ed.actions(uri, "import", only=["source.fixAll"])
        ed.change(uri, "async def main():\n    pass\n")
        assert (await ed.resolve(action)).edit is None


async def test_clients_that_cannot_resolve_get_the_edit_at_once(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=EMACS) as ed:
        provider = ed.answer.capabilities.code_action_provider
        assert isinstance(provider, types.CodeActionOptions)
        assert not provider.resolve_provider
        uri = ed.open(tmp_path / "app.py", TWO)
        [action] = await ed.actions(uri, "import", only=["source.fixAll"])
        assert action.data is None
        assert ed.after(action.edit, uri).count("await asyncio.sleep(") == 2


async def test_clients_without_versioned_edits_get_plain_ones(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=NEOVIM) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        action = cure(await ed.actions(uri, "time.sleep"))
        assert action.edit
        assert action.edit.document_changes is None
        assert list(action.edit.changes or {}) == [uri]


async def test_preference_is_only_told_to_clients_that_know_it(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert [a.title for a in await ed.actions(uri, "sleep") if a.is_preferred] == [CURE]
    bare_literals = capabilities(
        {
            "textDocument": {
                "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
            }
        }
    )
    async with editor(tmp_path, capabilities=bare_literals) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert not [a for a in await ed.actions(uri, "sleep") if a.is_preferred is not None]


async def test_a_client_that_knows_commands_only_gets_commands(tmp_path: Path) -> None:
    old = capabilities({"workspace": {"applyEdit": True}})
    async with editor(tmp_path, capabilities=old) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        commands = await ed.actions(uri, "time.sleep")
        assert all(isinstance(command, types.Command) for command in commands)
        [command] = [c for c in commands if c.title == CURE]
        await ed.within(
            ed.client.workspace_execute_command_async(
                types.ExecuteCommandParams(command.command, command.arguments)
            )
        )
        await ed.until(lambda: ed.applied)
        assert "await asyncio.sleep(1)" in ed.after(ed.applied[0], uri)


async def test_a_client_that_can_do_nothing_is_offered_nothing(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=BARE) as ed:
        assert ed.answer.capabilities.code_action_provider is None


async def test_diagnostics_sent_back_by_the_client_are_not_believed(tmp_path: Path) -> None:
    """Some editors send columns of another unit, or diagnostics of a text long gone."""
    wrong = types.Diagnostic(
        types.Range(types.Position(0, 0), types.Position(0, 6)),
        "time.sleep() blocks the event loop",
        source="loopsafe",
        code="blocking-sleep",
        data={"code": "blocking-sleep", "span": [1, 0, 1, 6], "version": 1, "hash": ""},
    )
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        assert await ed.actions(uri, "import", diagnostics=[wrong]) == []
        right = cure(await ed.actions(uri, "time.sleep", diagnostics=[wrong]))
        assert [ed.text_at(uri, d.range) for d in right.diagnostics or ()] == ["time.sleep"]


async def test_actions_follow_the_text_as_it_is_typed(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        await ed.pull(uri)
        await _type(ed, uri, "# a line more\n", BLOCKING)
        action = cure(await ed.actions(uri, "time.sleep"))
        assert "await asyncio.sleep(1)" in ed.after(action.edit, uri)
        ed.change(uri, "async def main():\n    time = 1\n")
        assert await ed.actions(uri, "time") == []


async def test_a_request_past_the_end_of_the_text_is_answered(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        far = types.Range(types.Position(2, 0), types.Position(999, 999))
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri), far, types.CodeActionContext([])
        )
        found = await ed.within(ed.client.text_document_code_action_async(params))
        assert CURE in titles(list(found))


async def _type(ed: Editor, uri: str, text: str, before: str) -> None:
    for count in range(1, len(text) + 1):
        ed.change(uri, text[:count] + before)
        await asyncio.sleep(0)


async def test_selected_lines_may_move_to_a_thread(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TWO)
        part = TWO[TWO.index("    time.sleep(") :]
        [action] = await ed.actions(uri, part, only=["refactor"])
        assert action.title == (
            "Loopsafe: Move the selected lines to a thread with asyncio.to_thread()"
        )
        assert getattr(action.kind, "value", action.kind) == "refactor.extract"
        after = ed.after(action.edit, uri)
        assert after.count("        time.sleep(") == 2
        assert after.endswith("    await asyncio.to_thread(work)\n")
        ed.change(uri, after)
        assert await ed.pull(uri) == []
        assert await ed.actions(uri, "import", only=["refactor"]) == []


STORE = "import time\n\n\ndef fetch(n):\n    time.sleep(n)\n    return n\n"
USER = "from store import fetch\n\n\nasync def main():\n    return fetch(1)\n"
ASYNC = "Loopsafe: Make fetch async, and await it wherever it is called"


async def _known(ed: Editor, uri: str, needle: str, title: str) -> list[types.CodeAction]:
    """The actions once the whole folder has been read: only then are callers known."""
    while True:
        actions = await ed.actions(uri, needle)
        if any(action.title.startswith(title) for action in actions):
            return actions
        await asyncio.sleep(0.05)


async def test_edits_of_several_files_are_versioned_and_previewed(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(STORE)
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", USER)
        actions = await _known(ed, uri, "fetch(1)", ASYNC)
        [action] = [a for a in actions if a.title.startswith(ASYNC)]
        assert action.title == f"{ASYNC} (2 files)"
        [(name, annotation)] = action.edit.change_annotations.items()
        assert annotation.needs_confirmation
        changes = {c.text_document.uri: c for c in action.edit.document_changes}
        assert {u.rpartition("/")[2] for u in changes} == {"app.py", "store.py"}
        assert changes[uri].text_document.version == ed.versions[uri]
        for change in changes.values():
            assert all(edit.annotation_id == name for edit in change.edits)
        assert "return await fetch(1)" in ed.after(action.edit, uri)


async def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(STORE + "\n\nfetch(0)\n")
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", USER)
        [action] = [a for a in await _known(ed, uri, "fetch(1)", ASYNC) if a.disabled]
        assert action.title == ASYNC
        assert action.edit is None
        why = "`fetch` is called while its module is imported, in store.py:9"
        assert action.disabled.reason == why
    async with editor(tmp_path, capabilities=NEOVIM) as ed:
        uri = ed.open(tmp_path / "app.py", USER)
        assert ASYNC not in titles(await ed.actions(uri, "fetch(1)"))


ENDPOINTS = """
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/a")
async def a():
    time.sleep(1)


@app.get("/b")
async def b():
    time.sleep(2)


@app.get("/c")
async def c():
    time.sleep(3)
"""
PLAIN = "Loopsafe: Make every blocking endpoint without await a plain def in"


async def test_endpoints_become_plain_for_a_file_and_for_the_workspace(tmp_path: Path) -> None:
    more = ENDPOINTS.replace("/a", "/d").lstrip()
    (tmp_path / "more.py").write_text(more)
    test = "from app import c\n\n\nasync def test_c():\n    await c()\n"
    (tmp_path / "test_app.py").write_text(test)
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", ENDPOINTS)
        actions = await _known(ed, uri, "time.sleep(1)", f"{PLAIN} the workspace")
        [here] = [a for a in actions if a.title == f"{PLAIN} this file (2)"]
        after = ed.after(here.edit, uri)
        assert after.count("async def") == 1, "the one that a test awaits stays"
        assert "async def c" in after
        [everywhere] = [a for a in actions if a.title == f"{PLAIN} the workspace"]
        assert everywhere.edit is None
        edit = (await ed.resolve(everywhere)).edit
        changed = [c.text_document.uri.rpartition("/")[2] for c in edit.document_changes]
        assert sorted(changed) == ["app.py", "more.py"]
        assert ed.after(edit, uri) == after
