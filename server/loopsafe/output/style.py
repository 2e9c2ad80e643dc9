"""How text looks on a terminal: colours, widths, and characters that must not reach it."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass

from loopsafe.model import Severity

_CODES = {
    "bold": "1",
    "dim": "2",
    "frame": "1;34",
    Severity.ERROR: "1;31",
    Severity.WARNING: "1;33",
    Severity.INFORMATION: "1;36",
    Severity.HINT: "1;32",
}
_TAB = "    "


@dataclass(frozen=True, slots=True)
class Style:
    """Whether to colour, and the folder that names are shown relative to."""

    colored: bool = False
    folder: str = ""

    def paint(self, text: str, kind: str | Severity) -> str:
        """The text in the colour of a kind, where colours are on."""
        code = _CODES.get(kind)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored and code and text else text

    def path(self, path: str) -> str:
        """A file name relative to the folder if it lies below."""
        below = self.folder.rstrip(os.sep) + os.sep
        if self.folder and os.path.normcase(path).startswith(os.path.normcase(below)):
            path = path[len(below) :]
        return printable(path)


def printable(text: str) -> str:
    """The text with tabs widened and without characters that a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else _TAB if char == "\t" else _stand_in(char) for char in text
    )


def width(text: str) -> int:
    """How many columns a printable text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _stand_in(char: str) -> str:
    """Spaces and joiners are harmless; controls, overrides of direction and the like are not."""
    return char if unicodedata.category(char) == "Zs" or char == "\u200d" else "�"


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
