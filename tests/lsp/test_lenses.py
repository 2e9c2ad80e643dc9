"""CodeLens: where functions run, said without being in the way of typing."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_editor import BARE, Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

APP = """\
import asyncio
import time

from fastapi import Depends, FastAPI

app = FastAPI()


def load():
    time.sleep(1)


def shared():
    time.sleep(1)


def lonely():
    time.sleep(1)


def harmless():
    return 1


def user():
    return harmless()


@app.get("/slow")
async def slow(who=Depends(user)):
    load()
    shared()


@app.get("/fine")
async def fine():
    await asyncio.sleep(1)


@app.get("/plain")
def plain():
    shared()
    worked()


def worked():
    time.sleep(1)


async def helper():
    await asyncio.sleep(1)


async def another():
    load()
"""
SHOWN = {"commands": ["loopsafe.showChain", "loopsafe.goToRoot", "loopsafe.showCallers"]}
ALL = {
    "load": "blocks the loop: 2 callers",
    "shared": "blocks the loop: 1 caller · thread pool: 1",
    "lonely": "blocks · no callers found",
    "user": "thread pool",
    "slow": "event loop · 2 calls block it",
    "fine": "event loop",
    "plain": "thread pool",
    "worked": "thread pool (1 caller)",
    "another": "event loop · 1 call blocks it",
}
PROBLEMS = ("load", "shared", "slow", "another")


def titles(ed: Editor, uri: str, lenses: list[types.CodeLens]) -> dict[str, str]:
    found = {}
    for lens in lenses:
        assert lens.command
        found[ed.text_at(uri, lens.range)] = lens.command.title
    return found


async def test_lenses_say_where_functions_run(tmp_path: Path) -> None:
    async with editor(tmp_path, options=SHOWN, settings={"codeLens": "on"}) as ed:
        uri = ed.open(tmp_path / "app.py", APP)
        lenses = await ed.lenses(uri)
        assert titles(ed, uri, lenses) == ALL
        commands = {
            ed.text_at(uri, lens.range): lens.command.command for lens in lenses if lens.command
        }
        assert commands["load"] == "loopsafe.showCallers"
        assert commands["slow"] == "loopsafe.showChain"
        assert commands["plain"] == commands["lonely"] == ""
        [load] = [lens for lens in lenses if ed.text_at(uri, lens.range) == "load"]
        assert load.command
        assert [place["uri"] for place in (load.command.arguments or ())[2]] == [uri, uri]


async def test_only_problems_and_off(tmp_path: Path) -> None:
    async with editor(tmp_path, settings={"codeLens": "onlyProblems"}) as ed:
        uri = ed.open(tmp_path / "app.py", APP)
        lenses = await ed.lenses(uri)
        assert titles(ed, uri, lenses) == {name: ALL[name] for name in PROBLEMS}
        assert {lens.command.command for lens in lenses if lens.command} == {""}
        before = ed.lens_refreshes
        ed.configure({"codeLens": "off"})
        await ed.until(lambda: ed.lens_refreshes > before)
        assert await ed.lenses(uri) == []


async def test_helpers_that_only_an_ignored_rule_finds_have_no_lens(tmp_path: Path) -> None:
    settings = {"codeLens": "on", "ignore": ["blocking-sleep"]}
    async with editor(tmp_path, settings=settings) as ed:
        uri = ed.open(tmp_path / "app.py", APP)
        assert titles(ed, uri, await ed.lenses(uri)) == {
            "user": "thread pool", "slow": "event loop", "fine": "event loop",
            "plain": "thread pool",
        }  # fmt: skip


async def test_callers_in_other_files_count_and_are_counted_again(tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text("import time\n\n\ndef fetch():\n    time.sleep(1)\n")
    caller = "from store import fetch\n\n\nasync def read():\n    fetch()\n"
    (tmp_path / "app.py").write_text(caller)
    async with editor(tmp_path, settings={"codeLens": "on"}) as ed:
        store, app = ed.open(tmp_path / "store.py"), ed.open(tmp_path / "app.py")
        await ed.pull(app)
        assert titles(ed, store, await ed.lenses(store)) == {"fetch": "blocks the loop: 1 caller"}
        ed.change(app, caller + "\n\nasync def again():\n    fetch()\n")
        assert titles(ed, store, await ed.lenses(store)) == {"fetch": "blocks the loop: 2 callers"}


async def test_a_lens_of_an_older_text_resolves_to_nothing(tmp_path: Path) -> None:
    async with editor(tmp_path, settings={"codeLens": "on"}) as ed:
        uri = ed.open(tmp_path / "app.py", APP)
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        lenses = await ed.client.text_document_code_lens_async(params)
        [lens] = [one for one in lenses or () if ed.text_at(uri, one.range) == "load"]
        ed.change(uri, "\n" + APP)
        resolved = await ed.client.code_lens_resolve_async(lens)
        assert resolved.command
        assert resolved.command.title == ""


async def test_clients_without_lenses_are_not_offered_any(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=BARE) as ed:
        assert ed.answer.capabilities.code_lens_provider is None
