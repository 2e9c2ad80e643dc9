"""Teaching from the editor: the settings file is written, and mistakes in it are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_editor import Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

TOOLS = """\
import time


def get(key):
    time.sleep(1)


def run(job):
    job.__call__()
"""
APP = """\
import tools


def work():
    pass


async def main():
    tools.get("a")
    tools.run(work)
"""
HARMLESS = "Teach Loopsafe: tools.get() does not block"
SETTINGS = "# Mine.\n[tool.loopsafe]  # ours\nignore = []\n"


def project(folder: Path, settings: str | None = SETTINGS) -> Path:
    (folder / "tools.py").write_text(TOOLS)
    (folder / "app.py").write_text(APP)
    if settings is not None:
        (folder / "pyproject.toml").write_text(settings)
    return folder


async def offered(ed: Editor, uri: str, needle: str, only: list[str] | None = None) -> Any:
    actions = await ed.actions(uri, needle, only=only)
    return {a.title: a for a in actions if a.title.startswith("Teach")}


def written(ed: Editor, action: types.CodeAction, path: Path) -> str:
    """The settings file after an action, which changes nothing else."""
    uri = path.as_uri()
    for change in action.edit.document_changes or () if action.edit else ():
        if isinstance(change, types.CreateFile):
            assert change.uri == uri
            assert not path.exists()
            ed.texts[uri] = ""
        else:
            assert change.text_document.uri == uri  # type: ignore[union-attr]
            assert change.text_document.version is None  # type: ignore[union-attr]
    ed.texts.setdefault(uri, path.read_text() if path.exists() else "")
    ed.versions[uri] = None  # type: ignore[assignment]
    assert action.edit
    return ed.after(action.edit, uri)


async def test_what_is_reported_does_not_block(tmp_path: Path) -> None:
    path = project(tmp_path) / "pyproject.toml"
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py")
        [found] = await ed.pull(uri)
        actions = await offered(ed, uri, "tools.get")
        assert list(actions)[:2] == [HARMLESS, "Teach Loopsafe: time.sleep() does not block"]
        assert actions[HARMLESS].kind == types.CodeActionKind.QuickFix
        assert actions[HARMLESS].diagnostics == (found,)
        text = written(ed, actions[HARMLESS], path)
        assert text == SETTINGS.replace("ignore", 'not-blocking = ["tools.get"]\nignore')
        path.write_text(text)
        ed.wrote(path)
        assert await ed.pull(uri) == []


async def test_what_is_called_blocks_or_runs_its_argument_elsewhere(tmp_path: Path) -> None:
    path = project(tmp_path) / "pyproject.toml"
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py")
        assert await offered(ed, uri, "tools.run", only=["quickfix"]) == {}
        actions = await offered(ed, uri, "tools.run", only=["refactor"])
        assert list(actions) == [
            "Teach Loopsafe: tools.run() blocks",
            "Teach Loopsafe: tools.run() runs its argument in a thread",
        ]
        blocks, threads = actions.values()
        assert written(ed, blocks, path).endswith(
            '\n\n[tool.loopsafe.blocking]\n"tools.run" = ""\n'
        )
        assert '\noffload-functions = ["tools.run"]\n' in written(ed, threads, path)
        path.write_text(written(ed, blocks, path))
        ed.wrote(path)
        assert "blocking-call" in {found.code for found in await ed.pull(uri)}
        assert list(await offered(ed, uri, "tools.run", only=["refactor"])) == [
            "Teach Loopsafe: tools.run() runs its argument in a thread"
        ]


async def test_a_settings_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = project(tmp_path, None) / "pyproject.toml"
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py")
        action = (await offered(ed, uri, "tools.get"))[HARMLESS]
        assert written(ed, action, path) == '[tool.loopsafe]\nnot-blocking = ["tools.get"]\n'


async def test_wrong_settings_are_left_alone(tmp_path: Path) -> None:
    project(tmp_path, "[tool.loopsafe]\nignroe = []\n")
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py")
        assert await offered(ed, uri, "tools.get") == {}


async def test_a_wrong_entry_is_shown_at_its_line(tmp_path: Path) -> None:
    text = '[tool.loopsafe.blocking]\n"tools.run" = { categry = "http" }\n'
    path = project(tmp_path, text) / "pyproject.toml"
    async with editor(tmp_path) as ed:
        await ed.pull(ed.open(tmp_path / "app.py"))
        [wrong] = await ed.published_for(path.as_uri(), None)
        assert wrong.range.start.line == 1
        assert wrong.message == "`blocking`: unknown key `categry`, did you mean `category`?"


SHIPPED = """\
[library]
title = "Acme"
import = ["acme"]
source = "https://example.org/"

[[function]]
names = ["acme.fetch"]
category = "http"
"""


async def test_a_package_of_the_folder_speaks_for_itself(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").write_text("def fetch(): ...\n")
    path = tmp_path / "acme" / "loopsafe.toml"
    path.write_text(SHIPPED.replace('http"\n', 'htp"\n'))
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", "import acme\n\n\nasync def main():\n    acme.fetch()\n")
        assert await ed.pull(uri) == []
        [wrong] = await ed.published_for(path.as_uri(), None)
        assert wrong.range.start.line == 7
        assert wrong.message.endswith("did you mean `http`?")
        path.write_text(SHIPPED)
        ed.wrote(path)
        [found] = await ed.pull(uri)
        assert found.code == "blocking-http"
        assert await ed.published_for(path.as_uri(), None) == []


async def test_a_comment_that_hides_nothing_is_greyed_out_and_goes(tmp_path: Path) -> None:
    text = "async def main():\n    x = 1  # loopsafe: ignore[blocking-sleep] why\n"
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", text)
        [found] = await ed.pull(uri)
        assert found.code == "unused-ignore"
        assert found.severity is types.DiagnosticSeverity.Hint
        assert found.tags == (types.DiagnosticTag.Unnecessary,)
        actions = await ed.actions(uri, "loopsafe:", only=["quickfix"])
        assert [action.title for action in actions] == ["Loopsafe: Remove the comment"]
        assert actions[0].is_preferred
        assert ed.after(actions[0].edit, uri) == "async def main():\n    x = 1\n"
