"""Goes through all that some part of facts is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loopsafe.facts.ir import Attr, Name, last_name
from loopsafe.model import Spot


def nodes(part: object) -> Iterator[tuple[Any, ...]]:
    """Every record and tuple in a part, in no particular order; the part too."""
    todo = [part]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            todo.extend(part.values())
        elif isinstance(part, tuple):
            yield part
            todo.extend(item for item in part if type(item) not in _PLAIN)


def spelled_names(part: object) -> Iterator[str]:
    """All names that stand in a part, those of attributes too."""
    return (last_name(node) for node in nodes(part) if isinstance(node, (Name, Attr)))


_PLAIN = frozenset({str, int, bool, type(None), Spot})
"""What has no parts."""
