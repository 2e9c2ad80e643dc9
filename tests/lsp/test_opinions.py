"""jedi and astroid are asked about what is open, and their answers are shown when they come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsp_editor import PATIENCE, Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

# Only jedi reads types in docstrings.
TEXT = '''\
import smtplib


async def main(client):
    """Sends a letter.

    :type client: smtplib.SMTP
    """
    client.sendmail("a", "b", "c")
'''
PLAIN = TEXT.replace(":type client", "client")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(TEXT)
    return path


async def _found(ed: Editor, uri: str) -> list[types.Diagnostic]:
    """The findings of a file as soon as it has any."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await ed.pull(uri)):
            await asyncio.sleep(0.2)
    return found


async def test_what_they_know_is_shown_after_a_while(file: Path) -> None:
    async with editor(file.parent) as ed:
        uri = ed.open(file)
        assert await ed.pull(uri) == []
        [found] = await _found(ed, uri)
        assert ed.text_at(uri, found.range) == "client.sendmail"


async def test_a_saved_file_is_asked_about_again(file: Path) -> None:
    async with editor(file.parent) as ed:
        uri = ed.open(file, PLAIN)
        ed.change(uri, TEXT)
        await asyncio.sleep(4)
        assert await ed.pull(uri) == [], "nobody asks about what is being typed"
        ed.save(uri)
        assert await _found(ed, uri)


async def test_switched_off_nobody_is_asked(file: Path) -> None:
    async with editor(file.parent, settings={"secondOpinion": False}) as ed:
        uri = ed.open(file)
        await ed.pull(uri)
        await asyncio.sleep(8)
        assert await ed.pull(uri) == []
