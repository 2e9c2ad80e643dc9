"""What a module's text defines, by a look at it: cheaper than to read it in earnest."""

from __future__ import annotations

import re
from typing import NamedTuple

_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_METHOD = re.compile(r"^[ \t]+(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


class Outline(NamedTuple):
    """The names that a text defines; a string that looks like code counts as well."""

    classes: frozenset[str]
    methods: frozenset[str]
    """Functions below something else."""


def outline(text: str) -> Outline:
    """What a text defines."""
    return Outline(frozenset(_CLASS.findall(text)), frozenset(_METHOD.findall(text)))
