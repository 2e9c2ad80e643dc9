"""What goes between the server and its worker process: questions, answers, and how they travel.

A message is JSON behind its length in four bytes. Nothing that is read can run anything.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from loopsafe.model import Span

_LENGTH = struct.Struct(">I")
_LONGEST = 1 << 28


class Search(NamedTuple):
    """Where the analysed project's modules are."""

    root: str
    roots: tuple[str, ...]
    """Source roots, best first."""
    paths: tuple[str, ...]
    """The environment's folders of packages."""
    editable: tuple[tuple[str, str], ...]
    prefix: str
    version: tuple[int, int] | None
    typeshed: str


class Question(NamedTuple):
    """What is called here? One library answers."""

    library: str
    """`jedi` or `astroid`."""
    path: str
    span: Span
    """The callee expression."""
    member: str
    """The attribute's name where the callee is one; else empty."""


class Named(NamedTuple):
    """A callee by name: a definition, or the owner that has it as a member."""

    kind: str
    """`function`, `class`, `instance` (of the class) or `module`."""
    module: str
    qualname: str
    path: str
    """Of the file it is defined in; empty for what has none."""
    member: str = ""
    """The attribute of it that is called; empty where the thing itself is."""


Answer: TypeAlias = tuple[Named, ...]
"""Empty is "unknown"."""


def send(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Writes one message. Raises OSError or ValueError where nobody listens any more."""
    data = json.dumps(message, separators=(",", ":")).encode("ascii")
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Reads one message; None at the end of the stream, or where it is no message."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length) if length <= _LONGEST else b""
    if len(data) < length:
        return None
    try:
        message = json.loads(data)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def search_from(data: list[Any]) -> Search:
    """A `Search` as JSON gives it back."""
    root, roots, paths, editable, prefix, version, typeshed = data
    pairs = tuple((name, place) for name, place in editable)
    known = (int(version[0]), int(version[1])) if version else None
    return Search(root, tuple(roots), tuple(paths), pairs, prefix, known, typeshed)


def question_from(data: list[Any]) -> Question:
    """A `Question` as JSON gives it back."""
    library, path, span, member = data
    return Question(library, path, Span(*span), member)


def answer_from(data: Any) -> Answer:
    """An `Answer` as JSON gives it back. Raises TypeError or ValueError where it is none."""
    found = tuple(Named(*item) for item in data)
    if not all(isinstance(part, str) for named in found for part in named):
        raise TypeError("an answer is made of strings")
    return found
