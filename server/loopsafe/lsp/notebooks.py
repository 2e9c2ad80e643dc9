"""Open notebooks: the cells as the editor has them, joined into one buffer.

pygls keeps cells too, but applies only changes of a whole text: editors change cells by parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lsprotocol import types

from loopsafe import notebook
from loopsafe.text import SourceText

Place = Callable[[SourceText, types.Position], tuple[int, int]]
"""A position in the client's units as line and column of a span."""

SYNC = types.NotebookDocumentSyncOptions(
    [
        types.NotebookDocumentFilterWithNotebook(
            notebook="jupyter-notebook", cells=[types.NotebookCellLanguage("python")]
        ),
        types.NotebookDocumentFilterWithNotebook(
            notebook="interactive", cells=[types.NotebookCellLanguage("python")]
        ),
    ],
    save=True,
)


@dataclass(slots=True)
class OpenNotebook:
    """One notebook's Python cells."""

    version: int
    cells: list[str] = field(default_factory=list)
    """Addresses, in order."""
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Version and text of each cell."""

    def joined(self) -> tuple[notebook.Notebook, tuple[tuple[str, int], ...]]:
        """The cells as one text, and the address and version of each."""
        known = [uri for uri in self.cells if uri in self.texts]
        whole = notebook.join((n, self.texts[uri][1]) for n, uri in enumerate(known, 1))
        return whole, tuple((uri, self.texts[uri][0]) for uri in known)


class Notebooks:
    """The open notebooks, by address."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._open: dict[str, OpenNotebook] = {}

    def opened(self, params: types.DidOpenNotebookDocumentParams) -> OpenNotebook:
        """A notebook was opened."""
        document = params.notebook_document
        opened = OpenNotebook(document.version, [cell.document for cell in document.cells])
        _take(opened, params.cell_text_documents)
        self._open[document.uri] = opened
        return opened

    def changed(self, params: types.DidChangeNotebookDocumentParams) -> OpenNotebook | None:
        """Cells came, went, moved or were edited; None for a notebook that is not open."""
        known = self._open.get(params.notebook_document.uri)
        if known is None:
            return None
        known.version = params.notebook_document.version
        cells = params.change.cells
        if cells and cells.structure:
            array = cells.structure.array
            new = [cell.document for cell in array.cells or ()]
            known.cells[array.start : array.start + array.delete_count] = new
            _take(known, cells.structure.did_open or ())
            for closed in cells.structure.did_close or ():
                known.texts.pop(closed.uri, None)
        for edited in (cells.text_content or ()) if cells else ():
            uri = edited.document.uri
            text = known.texts.get(uri, (0, ""))[1]
            for change in edited.changes:
                text = self._edited(text, change)
            known.texts[uri] = edited.document.version, text
        return known

    def closed(self, uri: str) -> None:
        """A notebook was closed."""
        self._open.pop(uri, None)

    def _edited(self, text: str, change: types.TextDocumentContentChangeEvent) -> str:
        if not isinstance(change, types.TextDocumentContentChangePartial):
            return change.text
        source = SourceText(text)
        start = source.offset(*self._place(source, change.range.start))
        end = source.offset(*self._place(source, change.range.end))
        return text[:start] + change.text + text[end:]


def _take(known: OpenNotebook, items: Iterable[types.TextDocumentItem]) -> None:
    for item in items:
        known.texts[item.uri] = item.version, item.text
