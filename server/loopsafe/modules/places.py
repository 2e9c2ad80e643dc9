"""Looks for one dotted name below one folder of a search path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loopsafe.modules.disk import Disk

_COMPILED = (".so", ".pyd")
MODULE_ENDS = (".py", ".pyi", *_COMPILED)
"""Of the names of files that may be modules."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A module's file, or the folder of a namespace package."""

    path: str
    is_package: bool
    is_namespace: bool = False


def locate(
    disk: Disk, folder: str, parts: Sequence[str], suffixes: Sequence[str], compiled: bool = False
) -> Hit | None:
    """The module's first file of these suffixes; on request also a compiled one."""
    for part in parts[:-1]:
        if not disk.entries(folder).get(part):
            return None
        folder = os.path.join(folder, part)
    names, last = disk.entries(folder), parts[-1]
    inner = os.path.join(folder, last)
    is_folder = names.get(last, False)
    if is_folder:
        inside = disk.entries(inner)
        for suffix in suffixes:
            if inside.get("__init__" + suffix) is False:
                return Hit(os.path.join(inner, "__init__" + suffix), is_package=True)
    for suffix in suffixes:
        if names.get(last + suffix) is False:
            return Hit(os.path.join(folder, last + suffix), is_package=False)
    if compiled and (name := _compiled(disk, folder, last)):
        return Hit(os.path.join(folder, name), is_package=False)
    return Hit(inner, is_package=True, is_namespace=True) if is_folder else None


def top_kind(disk: Disk, folder: str, top: str) -> str:
    """What a search folder has of a top-level name: "regular", "namespace" or nothing ("")."""
    hit = locate(disk, folder, [top], (".py", ".pyi"), compiled=True)
    if hit is None:
        return ""
    if not hit.is_namespace:
        return "regular"
    if _compiled(disk, hit.path, "__init__"):
        return "regular"
    return "namespace" if has_python(disk, hit.path) else ""


def has_python(disk: Disk, folder: str, depth: int = 3) -> bool:
    """Whether modules lie in a folder or not far below; a folder of data is no package."""
    inner = []
    for name, is_folder in disk.entries(folder).items():
        if not is_folder and name.endswith(MODULE_ENDS):
            return True
        if is_folder and name.isidentifier() and name != "__pycache__":
            inner.append(name)
    return depth > 0 and any(has_python(disk, os.path.join(folder, n), depth - 1) for n in inner)


def children(disk: Disk, folder: str) -> set[str]:
    """Names that modules and packages in a folder have."""
    names = set()
    for name, is_folder in disk.entries(folder).items():
        stem = name if is_folder else name.split(".")[0]
        if not stem.isidentifier() or stem in ("__init__", "__pycache__"):
            continue
        if is_folder or name.endswith(MODULE_ENDS):
            names.add(stem)
    return names


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def in_any(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is inside one of some folders."""
    return any(is_inside(path, folder) for folder in folders)


def start_of(name: str, place: str) -> str:
    """The folder that a dotted name starts from, given where its package or module is."""
    for _ in name.split("."):
        place = os.path.dirname(place)
    return place


def _compiled(disk: Disk, folder: str, name: str) -> str:
    start = name + "."
    return next(
        (n for n in disk.entries(folder) if n.startswith(start) and n.endswith(_COMPILED)), ""
    )
