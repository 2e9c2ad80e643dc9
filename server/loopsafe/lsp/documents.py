"""Texts as the editor sees them: open buffers first, then the disk."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from loopsafe.notebook import Notebook
from loopsafe.text import SourceText, decode

_KEPT_TEXTS = 64
_LARGEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenCell:
    """A notebook's cell as the editor knows it, and its lines in the joined text."""

    uri: str
    version: int
    first: int
    """The 1-based line where it starts."""
    lines: int


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One version of an open buffer."""

    uri: str
    """In the client's own spelling."""
    path: str
    version: int
    source: SourceText
    typed: float = float("-inf")
    """When the user made this version, on the monotonic clock; long ago for one just opened."""
    notebook: Notebook | None = None
    """What is joined in the text, for a notebook."""
    cells: tuple[OpenCell, ...] = ()

    def cell_at(self, line: int) -> OpenCell | None:
        """The notebook's cell that a 1-based line of the text is in."""
        return next((c for c in self.cells if c.first <= line < c.first + c.lines), None)

    def cell(self, uri: str) -> OpenCell | None:
        """The notebook's cell at an address."""
        return next((cell for cell in self.cells if cell.uri == uri), None)


@dataclass(frozen=True, slots=True)
class View:
    """All open buffers at one moment."""

    documents: Mapping[str, Document]
    """By path."""
    revision: int
    """Grows with every event that may move a finding: a buffer, a file on disk, a setting."""


class Documents:
    """The open buffers."""

    def __init__(self) -> None:
        self._by_uri: dict[str, Document] = {}
        self._notebooks: dict[str, str] = {}
        """The notebook of each cell, by addresses."""
        self.view = View({}, 0)
        """The present moment; replaced as a whole, so that any thread may take it."""

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._by_uri.values()))

    def get(self, uri: str) -> Document | None:
        """The open buffer at an address; for a cell its notebook."""
        return self._by_uri.get(self._notebooks.get(uri, uri))

    def version(self, uri: str) -> int | None:
        """The version of an open buffer, None for a closed one."""
        document = self.get(uri)
        return document.version if document else None

    def open(self, uri: str, path: str, version: int, text: str) -> None:
        """A buffer was opened."""
        self._by_uri[uri] = Document(uri, path, version, _readable(text))
        self.touch()

    def change(self, uri: str, version: int, text: str) -> None:
        """A buffer's whole text was replaced; one that was never opened is passed over."""
        old = self._by_uri.get(uri)
        if old:
            new = Document(uri, old.path, version, _readable(text), time.monotonic())
            self._by_uri[uri] = new
            self.touch()

    def set_notebook(
        self,
        uri: str,
        path: str,
        version: int,
        notebook: Notebook,
        cells: Iterable[tuple[str, int]],
    ) -> None:
        """A notebook was opened or edited; `cells` are the addresses and versions of its cells."""
        placed = tuple(
            OpenCell(address, number, cell.first, cell.lines)
            for cell, (address, number) in zip(notebook.cells, cells, strict=True)
        )
        typed = time.monotonic() if uri in self._by_uri else float("-inf")
        source = _readable(notebook.text)
        self._forget_cells(uri)
        self._by_uri[uri] = Document(uri, path, version, source, typed, notebook, placed)
        self._notebooks.update({cell.uri: uri for cell in placed})
        self.touch()

    def close(self, uri: str) -> None:
        """A buffer was closed: the disk speaks again."""
        self._forget_cells(uri)
        if self._by_uri.pop(uri, None):
            self.touch()

    def _forget_cells(self, uri: str) -> None:
        for cell in [cell for cell, owner in self._notebooks.items() if owner == uri]:
            del self._notebooks[cell]

    def touch(self) -> None:
        """Something changed that findings depend on."""
        by_path = {document.path: document for document in self._by_uri.values()}
        self.view = View(by_path, self.view.revision + 1)


class DiskTexts:
    """Texts of files that are not open, read again when the file changed."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, tuple[tuple[int, int], SourceText]] = OrderedDict()

    def get(self, path: str) -> SourceText | None:
        """A file's text, None where it cannot be read as text."""
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._texts.get(path)
            if known and known[0] == stamp:
                self._texts.move_to_end(path)
                return known[1]
            if status.st_size > _LARGEST_BYTES:
                return None
            with open(path, "rb") as file:
                source = SourceText(decode(file.read()))
        except (OSError, ValueError, SyntaxError, LookupError):
            return None
        self._texts[path] = (stamp, source)
        if len(self._texts) > _KEPT_TEXTS:
            self._texts.popitem(last=False)
        return source


def _readable(text: str) -> SourceText:
    """A buffer's text; half a surrogate pair, which no encoding can hold, is replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return SourceText(text)
