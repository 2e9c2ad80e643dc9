"""What the mouse finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsp_editor import BARE, editor
from lsprotocol import types

from loopsafe.lsp.hover import plain_text

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

TEXT = """\
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/slow")
async def slow():
    time.sleep(1)


@app.get("/fine")
def fine():
    time.sleep(1)


async def hidden():
    time.sleep(1)  # loopsafe: ignore[blocking-sleep] a demonstration
"""


async def test_a_finding_is_explained(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TEXT)
        hover = await ed.hover(uri, "time.sleep", inside=6)
        assert hover
        assert hover.range
        assert ed.text_at(uri, hover.range) == "time.sleep"
        assert isinstance(hover.contents, types.MarkupContent)
        assert hover.contents.kind is types.MarkupKind.Markdown
        assert "`time.sleep()` blocks the event loop" in hover.contents.value
        assert "Use await `asyncio.sleep()`" in hover.contents.value


async def test_calls_in_a_row_are_one_piece_of_code(tmp_path: Path) -> None:
    text = """\
import time


class Clock:
    def tick(self):
        time.sleep(1)


async def main():
    Clock().tick()
"""
    async with editor(tmp_path) as ed:
        hover = await ed.hover(ed.open(tmp_path / "app.py", text), "Clock().tick", inside=9)
        assert hover
        assert isinstance(hover.contents, types.MarkupContent)
        assert "`Clock().tick()` blocks the event loop through" in hover.contents.value


async def test_a_function_says_where_it_runs(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TEXT)
        slow = await ed.hover(uri, "slow():")
        assert slow
        assert "event loop" in slow.contents.value
        assert ed.text_at(uri, slow.range) == "slow"
        fine = await ed.hover(uri, "fine():")
        assert fine
        assert "thread" in fine.contents.value


async def test_an_ignore_comment_shows_its_rule(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TEXT)
        hover = await ed.hover(uri, "blocking-sleep", inside=3)
        assert hover
        assert hover.contents.value.startswith("# blocking-sleep")


async def test_elsewhere_there_is_nothing(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        uri = ed.open(tmp_path / "app.py", TEXT)
        assert await ed.hover(uri, "import time") is None
        assert await ed.hover(uri, "a demonstration", inside=4) is None


async def test_clients_without_markdown_get_plain_text(tmp_path: Path) -> None:
    async with editor(tmp_path, capabilities=BARE) as ed:
        uri = ed.open(tmp_path / "app.py", TEXT)
        hover = await ed.hover(uri, "time.sleep")
        assert hover
        assert hover.contents.kind is types.MarkupKind.PlainText
        assert "time.sleep() blocks the event loop" in hover.contents.value
        assert "**" not in hover.contents.value
        assert "`" not in hover.contents.value


def test_plain_text_keeps_what_can_be_read() -> None:
    markdown = (
        "# Title\n\n**Bold** and `code` in [a.py:3](file:///a.py#L3).\n\n"
        "```python\nx = 1  # [y](z)\n```\n\n[rule](https://example.org/rule)\n"
    )
    assert plain_text(markdown) == (
        "Title\n\nBold and code in a.py:3.\n\nx = 1  # y\n\nrule (https://example.org/rule)\n"
    )
