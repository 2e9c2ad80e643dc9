"""Whose code a file is, and what its module is called."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import Enum

from loopsafe.modules.bundle import Bundle
from loopsafe.modules.places import is_inside
from loopsafe.modules.projects import Projects
from loopsafe.modules.typeshed import Typeshed


class Origin(Enum):
    """Whose code a module is."""

    PROJECT = "project"
    STUB = "stub"
    TYPESHED = "typeshed"
    LIBRARY = "library"
    BUNDLED = "bundled"


class Origins:
    """Tells the files of the project from those of its environment."""

    def __init__(
        self,
        projects: Projects,
        sites: Sequence[str],
        editable: Mapping[str, str],
        prefix: str,
        typeshed: Typeshed,
        bundle: Bundle,
    ) -> None:
        self._projects = projects
        self._roots = sorted(projects.roots, key=len, reverse=True)
        self._sites = sorted(sites, key=len, reverse=True)
        # An environment made in the project's own folder would claim all of the project.
        kept = [prefix] if prefix and prefix not in projects.roots else []
        self._installed = sorted([*sites, *kept], key=len, reverse=True)
        self._editable = editable
        self._typeshed = typeshed
        self._bundle = bundle

    def of(self, path: str) -> Origin:
        """Whose code a file is."""
        if self._bundle.holds(path):
            return Origin.BUNDLED
        if self._typeshed.name_of(path) is not None:
            return Origin.TYPESHED
        if not self._is_library(path):
            return Origin.PROJECT
        return Origin.STUB if path.endswith(".pyi") else Origin.LIBRARY

    def name_of(self, path: str) -> str:
        """Dotted name of a file: by search path, by its chain of packages, else its stem."""
        if self._bundle.holds(path):
            return self._bundle.name_of(path)
        name = self._typeshed.name_of(path)
        if name is not None:
            return name
        if self.of(path) is not Origin.PROJECT:
            for name, place in self._editable.items():
                if is_inside(path, place):
                    return ".".join([name, *_parts(path, place)])
            for site in self._sites:
                if is_inside(path, site):
                    return ".".join(_parts(path, site))
        root = self._projects.root_for(path)
        return ".".join(_parts(path, root)) or os.path.basename(root)

    def _is_library(self, path: str) -> bool:
        """The innermost folder decides: an environment in a project, a project in site-packages."""
        root = next((r for r in self._roots if is_inside(path, r)), "")
        site = next((s for s in self._installed if is_inside(path, s)), "")
        if root:
            return len(site) > len(root) or is_packaged(path[len(root) :])
        editable = any(is_inside(path, place) for place in self._editable.values())
        return bool(site) or editable or is_packaged(path)


def is_packaged(path: str) -> bool:
    """Whether a path leads through a folder that only installers write to."""
    return f"{os.sep}site-packages" in path or f"{os.sep}dist-packages" in path


def _parts(path: str, base: str) -> list[str]:
    """Names of the packages and the module from a base folder or base file on."""
    relative = os.path.relpath(path, base)
    parts = [] if relative == os.curdir else os.path.splitext(relative)[0].split(os.sep)
    if parts:
        parts[0] = parts[0].removesuffix("-stubs")
    return parts[:-1] if parts[-1:] == ["__init__"] else parts
