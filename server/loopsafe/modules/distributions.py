"""The import names of a distribution that is installed: `git` of GitPython."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from loopsafe.modules.environment import Environment


def import_names(environment: Environment, distribution: str) -> list[str]:
    """What a distribution lets a program import, however its name is spelled."""
    wanted = canonicalize_name(distribution)
    for folder in environment.paths:
        for info in _infos(folder):
            if canonicalize_name(info.name.partition("-")[0]) == wanted:
                found = dict.fromkeys(_tops(info))
                return [top for top in found if not top.startswith("_")] or list(found)
    return []


def _infos(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (folder / name for name in names if name.endswith(".dist-info"))


def _tops(info: Path) -> Iterator[str]:
    """By the list of installed files: the packages, and the modules beside them."""
    try:
        lines = (info / "RECORD").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        path = PurePosixPath(line.partition(",")[0].strip('"'))
        if path.suffix != ".py" or ".." in path.parts:
            continue
        top = path.parts[0].removesuffix(".py")
        if top.isidentifier() and not path.is_absolute():
            yield top
