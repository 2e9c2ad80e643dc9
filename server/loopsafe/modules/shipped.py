"""Finds `loopsafe.toml` in packages: what their authors say of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from loopsafe.modules.environment import Environment

NAME = "loopsafe.toml"


def shipped_files(roots: Sequence[Path], environment: Environment) -> dict[str, str]:
    """Import name of a package -> its file, beside `__init__.py`; a source root goes first.

    Looks at the names of top-level packages, and for one file in each; reads nothing.
    """
    found: dict[str, str] = {}
    for folder in (*roots, *environment.paths):
        for name in _folders(folder):
            _look(found, name, os.path.join(folder, name))
    for name, place in environment.editable.items():
        if "." not in name:
            _look(found, name, str(place))
    return found


def _look(found: dict[str, str], package: str, folder: str) -> None:
    path = os.path.join(folder, NAME)
    if package not in found and os.path.isfile(path):
        found[package] = os.path.abspath(path)


def _folders(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.isidentifier()]
    except OSError:
        return
    yield from sorted(names)
