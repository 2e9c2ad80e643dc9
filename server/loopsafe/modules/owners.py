"""Where a top-level name comes from, decided as `import` decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loopsafe.modules.disk import Disk
from loopsafe.modules.places import top_kind
from loopsafe.modules.projects import Projects
from loopsafe.modules.typeshed import Typeshed

LIBRARY = "<library>"
"""The home of files that do not belong to the project."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The folders that hold a top-level name, in order."""

    project: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    stdlib: bool = False
    is_closed: bool = False
    """A regular package of the project: what it lacks is nowhere else."""
    bundled: str = ""
    """The folder of a package that only Loopsafe itself has."""


class Owners:
    """Remembers who owns which name, as seen from a home: the source root of the importer."""

    def __init__(
        self,
        projects: Projects,
        sites: Sequence[str],
        editable: Mapping[str, str],
        typeshed: Typeshed,
        disk: Disk,
    ) -> None:
        self._projects = projects
        self._sites = sites
        self._editable = editable
        self._typeshed = typeshed
        self._disk = disk
        self._known: dict[tuple[str, str], Owner] = {}

    def of(self, top: str, home: str) -> Owner:
        """The owner of a top-level name; one without folders where nobody is."""
        key = (home, top)
        if key not in self._known:
            self._known[key] = self._find(top, home)
        return self._known[key]

    def forget(self) -> None:
        """Drops all answers."""
        self._known.clear()

    def _find(self, top: str, home: str) -> Owner:
        """A module or regular package anywhere beats folders without `__init__.py`, as in import.

        Roots that were only guessed from where a file lies never hide the standard library, and of
        a library no more than they have: an integration may be called like what it imports.
        """
        given = self._projects.roots
        sure = [home, *given] if home in given else list(given)
        sure = [] if home == LIBRARY else list(dict.fromkeys(sure))
        guessed = [home] if home not in ("", LIBRARY, *given, *self._sites) else []
        guessed += [r for h in guessed for r in self._projects.needed_by(h) if r not in given]
        stdlib = self._typeshed.has_stdlib(top)
        first = sure if stdlib else guessed + sure
        for root in first:
            if self._kind(root, top) == "regular":
                is_sure = root in sure
                library = () if is_sure else self._installed(top)
                return Owner(project=(root,), library=library, is_closed=is_sure)
        if stdlib:
            return Owner(stdlib=True)
        installed = self._installed(top)
        if top in self._editable or any(self._kind(s, top) == "regular" for s in installed):
            return Owner(library=installed)
        seen = (*first, *self._sites)
        others = [root for root in self._projects.known if root not in seen]
        # What other files' imports start from is a guess, too: `tests/app` does not hide `src/app`.
        is_own = any(self._kind(root, top) for root in first if not self._projects.is_weak(root))
        for root in others if not is_own else ():
            if self._kind(root, top) == "regular":
                return Owner(project=(root,), library=installed)
        shared = tuple(root for root in first + others if self._kind(root, top))
        if shared or any(self._kind(site, top) for site in installed):
            return Owner(project=shared, library=installed)
        return Owner(library=installed, bundled=self._disk.bundle.home(top))

    def _installed(self, top: str) -> tuple[str, ...]:
        """Site folders that have the name or stubs for it, regular packages first."""
        kinds = {site: self._kind(site, top) for site in self._sites}
        ranked = sorted(self._sites, key=lambda site: kinds[site] != "regular")
        stubs = f"{top}-stubs"
        return tuple(s for s in ranked if kinds[s] or stubs in self._disk.entries(s))

    def _kind(self, folder: str, top: str) -> str:
        return top_kind(self._disk, folder, top)
