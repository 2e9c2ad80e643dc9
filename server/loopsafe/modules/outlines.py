"""What a module's text defines and calls, by a look at it: cheaper than to read it in earnest."""

from __future__ import annotations

import re
from itertools import chain
from typing import NamedTuple

_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_METHOD = re.compile(r"^[ \t]+(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
_CALLEE = re.compile(r"\b([^\W\d]\w*)\(")
_BASES = re.compile(r"^[ \t]*class[ \t]+\w+[^(:\n]*\(([^)]*)", re.MULTILINE)
_RENAMED = re.compile(r"\b([^\W\d]\w*)[ \t]+as[ \t]+[^\W\d]\w*")
_WORD = re.compile(r"[^\W\d]\w*")
_STORED = re.compile(r"^[ \t]*(?!self\.|cls\.)\w+\.(\w+) = [\w.]+[ \t]*$", re.MULTILINE)


class Outline(NamedTuple):
    """The names that a text defines; a string that looks like code counts as well."""

    classes: frozenset[str]
    methods: frozenset[str]
    """Functions below something else."""
    stored: frozenset[str]
    """Names under which something else than a method's own object is given what has a name."""


def outline(text: str) -> Outline:
    """What a text defines."""
    found = (_CLASS.findall(text), _METHOD.findall(text), _STORED.findall(text))
    return Outline(*map(frozenset, found))


def used(text: str) -> frozenset[str]:
    """The names that a text calls or inherits from, or calls by another name."""
    bases = (_WORD.findall(header) for header in _BASES.findall(text))
    return frozenset(chain(_CALLEE.findall(text), _RENAMED.findall(text), *bases))
