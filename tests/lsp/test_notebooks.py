"""Notebooks: the cells are one module, and every answer is about a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsp_editor import BARE, VSCODE, Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

IMPORTS = "%matplotlib inline\nimport time\n!pip install x"
HELPER = "def helper():\n    time.sleep(1)"
CALLER = 'é = "😀"\nasync def main():\n    helper()\n    x = "😀"; time.sleep(1)'


class Book:
    """A notebook in the editor."""

    def __init__(self, ed: Editor, path: Path, *cells: str) -> None:
        self.ed, self.uri, self.version = ed, path.as_uri(), 1
        self.cells = [self.address(path, number) for number in range(len(cells))]
        for cell, text in zip(self.cells, cells, strict=True):
            ed.texts[cell], ed.versions[cell] = text, 1
        document = types.NotebookDocument(
            self.uri, "jupyter-notebook", 1, [self._cell(c) for c in self.cells]
        )
        items = [self._item(cell) for cell in self.cells]
        ed.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(document, items))

    def address(self, path: Path, number: int) -> str:
        return f"vscode-notebook-cell:{path.as_uri().removeprefix('file://')}#W{number}sZmlsZQ=="

    def edit(self, number: int, old: str, new: str) -> None:
        """Replace a part of a cell, as editors do: by a range."""
        cell = self.cells[number]
        start = self.ed.texts[cell].index(old)
        range_ = types.Range(
            self.ed.position(cell, start), self.ed.position(cell, start + len(old))
        )
        self.ed.texts[cell] = self.ed.texts[cell].replace(old, new, 1)
        self.ed.versions[cell] += 1
        edited = types.NotebookDocumentCellContentChanges(
            types.VersionedTextDocumentIdentifier(self.ed.versions[cell], cell),
            [types.TextDocumentContentChangePartial(range_, new)],
        )
        self._send(types.NotebookDocumentCellChanges(text_content=[edited]))

    def insert(self, path: Path, at: int, text: str) -> None:
        cell = self.address(path, 90 + self.version)
        self.cells.insert(at, cell)
        self.ed.texts[cell], self.ed.versions[cell] = text, 1
        array = types.NotebookCellArrayChange(at, 0, [self._cell(cell)])
        structure = types.NotebookDocumentCellChangeStructure(array, [self._item(cell)])
        self._send(types.NotebookDocumentCellChanges(structure=structure))

    def remove(self, at: int) -> str:
        cell = self.cells.pop(at)
        structure = types.NotebookDocumentCellChangeStructure(
            types.NotebookCellArrayChange(at, 1), did_close=[types.TextDocumentIdentifier(cell)]
        )
        self._send(types.NotebookDocumentCellChanges(structure=structure))
        return cell

    def close(self) -> None:
        cells = [types.TextDocumentIdentifier(cell) for cell in self.cells]
        self.ed.client.notebook_document_did_close(
            types.DidCloseNotebookDocumentParams(types.NotebookDocumentIdentifier(self.uri), cells)
        )

    def _send(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        self.ed.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                types.VersionedNotebookDocumentIdentifier(self.version, self.uri),
                types.NotebookDocumentChangeEvent(cells=cells),
            )
        )

    def _cell(self, uri: str) -> types.NotebookCell:
        return types.NotebookCell(types.NotebookCellKind.Code, uri)

    def _item(self, uri: str) -> types.TextDocumentItem:
        return types.TextDocumentItem(uri, types.LanguageKind.Python, 1, self.ed.texts[uri])


def latest(ed: Editor, uri: str) -> list[str] | None:
    """The texts underlined in a cell by what was published last."""
    found = [p for p in ed.published if p.uri == uri]
    if not found or (found[-1].version or ed.versions[uri]) != ed.versions[uri]:
        return None
    return [ed.text_at(uri, d.range) for d in found[-1].diagnostics]


@pytest.mark.parametrize("client", [VSCODE, BARE], ids=["vscode", "bare"])
async def test_findings_are_published_for_their_cells(
    tmp_path: Path, client: types.ClientCapabilities
) -> None:
    async with editor(tmp_path, capabilities=client) as ed:
        book = Book(ed, tmp_path / "a.ipynb", IMPORTS, HELPER, CALLER)
        await ed.until(lambda: latest(ed, book.cells[2]) == ["helper", "time.sleep"])
        assert not latest(ed, book.cells[0])
        assert not latest(ed, book.cells[1])
        book.edit(1, "    time.sleep(1)", "    pass")
        await ed.until(lambda: latest(ed, book.cells[2]) == ["time.sleep"])
        path = tmp_path / "a.ipynb"
        book.insert(path, 1, "async def other():\n    time.sleep(3)")
        await ed.until(lambda: latest(ed, book.cells[1]) == ["time.sleep"])
        gone = book.remove(1)
        await ed.until(lambda: latest(ed, gone) == [])
        book.close()
        await ed.until(lambda: latest(ed, book.cells[2]) == [])


async def test_a_chain_leads_through_the_cells(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        book = Book(ed, tmp_path / "a.ipynb", IMPORTS, HELPER, CALLER)
        await ed.until(lambda: latest(ed, book.cells[2]))
        [deep, _] = [p for p in ed.published if p.uri == book.cells[2]][-1].diagnostics
        assert [one.location.uri for one in deep.related_information or ()] == [
            book.cells[2],
            book.cells[1],
        ]
        assert await ed.pull(book.cells[2]) == []


async def test_answers_are_about_the_cell(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        book = Book(ed, tmp_path / "a.ipynb", IMPORTS, HELPER, CALLER)
        cell = book.cells[2]
        hover = await ed.hover(cell, "time.sleep(1)", inside=6)
        assert hover
        assert ed.text_at(cell, hover.range) == "time.sleep"
        where = await ed.hover(cell, "main")
        assert where
        assert "event loop" in where.contents.value
        actions: list[Any] = await ed.actions(cell, "time.sleep(1)")
        [cure] = [a for a in actions if a.title == "Loopsafe: Use await asyncio.sleep()"]
        changed = {
            change.text_document.uri: change.text_document.version
            for change in cure.edit.document_changes
        }
        assert changed.keys() == {book.cells[0], cell}
        assert cure.edit.change_annotations is None  # One file: nothing to look at beforehand.
        assert set(changed.values()) == {1}
        assert ed.after(cure.edit, cell).endswith('x = "😀"; await asyncio.sleep(1)')
        first = ed.after(cure.edit, book.cells[0])
        assert first == IMPORTS.replace("import time", "import asyncio\nimport time")
        assert not [a for a in actions if a.kind == "source.fixAll.loopsafe"]


async def test_fix_all_is_for_the_whole_notebook_and_only_asked_for_by_its_own_kind(
    tmp_path: Path,
) -> None:
    other = "async def other():\n    time.sleep(2)"
    async with editor(tmp_path) as ed:
        book = Book(ed, tmp_path / "a.ipynb", "import time", other, CALLER)
        assert await ed.actions(book.cells[1], "time", only=["source.fixAll"]) == []
        assert await ed.actions(book.cells[1], "time", only=["source"]) == []
        for kind in ("notebook.source.fixAll", "notebook.source.fixAll.loopsafe"):
            [action] = await ed.actions(book.cells[1], "other", only=[kind])
            assert action.kind == "notebook.source.fixAll.loopsafe"
        edit = (await ed.resolve(action)).edit
        assert ed.after(edit, book.cells[0]) == "import asyncio\nimport time"
        assert ed.after(edit, book.cells[1]).endswith("    await asyncio.sleep(2)")
        assert "await asyncio.sleep(1)" in ed.after(edit, book.cells[2])
        file = ed.open(tmp_path / "a.py", "import time\n\n\nasync def f():\n    time.sleep(1)\n")
        assert await ed.actions(file, "time.sleep", only=["notebook.source.fixAll"]) == []


async def test_what_an_edit_would_take_from_a_magic_is_not_offered(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        text = "async def main():\n    with open('x') as f:\n        !ls\n        f.read()"
        book = Book(ed, tmp_path / "a.ipynb", text)
        for action in await ed.actions(book.cells[0], "open"):
            if action.title.startswith("Teach"):
                continue  # It changes the settings, not the notebook.
            assert "!ls" in ed.after(action.edit, book.cells[0])


async def test_a_notebook_without_a_file_and_one_with_nonsense(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        book = Book(
            ed, tmp_path / "a.ipynb", "def (:\n", "%%bash\nrm x", "", HELPER, IMPORTS, CALLER
        )
        await ed.until(lambda: latest(ed, book.cells[5]) == ["helper", "time.sleep"])
