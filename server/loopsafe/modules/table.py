"""Module name -> what is known of its text, and what of that an edit changes."""

from __future__ import annotations

from dataclasses import replace

from loopsafe.facts.difference import Difference, difference
from loopsafe.facts.interface import Interface, interface
from loopsafe.facts.ir import Imported
from loopsafe.facts.joining import Patch
from loopsafe.facts.kept import kept
from loopsafe.facts.patch import patches
from loopsafe.facts.reuse import equal_lines, reused
from loopsafe.facts.sources import Sources
from loopsafe.facts.speakers import speakers
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.finder import Finder
from loopsafe.modules.module import Change, Module
from loopsafe.modules.reading import LARGEST_TEXT, Edited, Reading, digest_of, looked_up


class ModuleTable(Reading):
    """The modules of a project under edit, and of its packages. Reads one when it is first asked
    for."""

    def __init__(self, finder: Finder, disk: Disk, cache: Cache | None = None) -> None:
        super().__init__(finder, disk, cache)
        self._interfaces: dict[str, Interface | None] = {}
        """Of the files under edit, so that each text's interface is made once."""
        self._sources: dict[str, Sources] = {}
        """Of modules that have words in common with a file under edit."""

    def reread(self, path: str) -> list[Change]:
        """A file's text changed: reads its modules again and says how much of them differs."""
        self._forget_looks(path)
        changes: list[Change] = []
        for key, before in self._of(path):
            text = self._text(before.file)
            if text is not None and digest_of(text) == before.digest:
                if self.disk.is_open(path):
                    self._texts.setdefault(key, Edited(text, False))
                continue
            steps = self._patches(key, before, text) if text is not None else ()
            edited = self._texts.get(key)
            after = self._made(key, before.file, text, steps[-1].facts if steps else None)
            if after is not None and edited is not None and not steps:
                after = self._alike(before, edited, after, text or "")
            self._modules[key] = after
            if after is not None and steps and all(step.kept for step in steps):
                for step in steps:
                    then = replace(after, facts=step.facts)
                    changes.append(Change(before, then, step.kept))
                    before = then
                continue
            seen = self.unseen(before, after) if after is not None else None
            same = None
            if after is not None and seen is not None:
                same = kept(before.facts, after.facts, seen)
            changes.append(Change(before, after, same))
        return changes

    def unseen(self, before: Module, after: Module) -> Difference | None:
        """What others can tell of two texts of a module; None where it is more than can be said.

        All modules that may speak of this one are to be read before.
        """
        known = self._interfaces.pop(before.key, None) or interface(before.facts)
        seen = self._interfaces[before.key] = interface(after.facts)
        found = difference(before.facts, known, after.facts, seen)
        if found is None or not found.names:
            return found
        spoken = speakers(after.facts, found.names, self.disk.read(after.path))
        if spoken is None or self._is_known(spoken.names, after):
            return None
        return Difference(
            spoken.names,
            found.functions | spoken.heads,
            found.insides | spoken.functions,
            spoken.functions,
        )

    def forget(self, path: str) -> dict[str, Module | None]:
        """A file was made or removed: drops its modules and those of its name; gives them."""
        self._forget_looks(path)
        name = looked_up(self.finder.name_of(path))
        gone = {
            key: module
            for key, module in self._modules.items()
            if looked_up(key) == name or (module is not None and module.path == path)
        }
        for key in gone:
            del self._modules[key]
            self._interfaces.pop(key, None)
            self._sources.pop(key, None)
            self._texts.pop(key, None)
        return gone

    def missed(self, path: str) -> bool:
        """Whether a file that has not been read has a name that was looked for and not found, or
        found elsewhere."""
        if self._of(path):
            return False
        dotted = self.finder.name_of(path)
        found = self._modules.get(dotted)
        if found is not None and not found.is_project:
            return True
        name = looked_up(dotted)
        return any(m is None and looked_up(key) == name for key, m in self._modules.items())

    def leads_elsewhere(self, path: str) -> bool:
        """Whether a module that is not the project's is found by the name of a file."""
        name = looked_up(self.finder.name_of(path))
        return any(
            module is not None and not module.is_project and looked_up(key) == name
            for key, module in self._modules.items()
        )

    def forget_files(self) -> None:
        """Drops what depends on which files there are: some were made, moved or removed."""
        self._targets.clear()
        # What has been read keeps its key: two files may have one name.
        self._files = {key: found.file for key, found in self._modules.items() if found is not None}

    def _of(self, path: str) -> list[tuple[str, Module]]:
        """The modules that have been read of a file."""
        keys = self._keys.get(path, ())
        known = [(key, self._modules.get(key)) for key in keys]
        return [(key, m) for key, m in known if m is not None and m.path == path]

    def _alike(self, before: Module, edited: Edited, after: Module, text: str) -> Module:
        """A module that was read anew, with the parts of before that are the same."""
        if digest_of(edited.text) != before.digest:
            return after
        lines = equal_lines(edited.text, text)
        return replace(after, facts=reused(before.facts, after.facts, lines))

    def _patches(self, key: str, before: Module, text: str) -> tuple[Patch, ...]:
        """The steps to the facts of a file under edit, where the edit lies inside functions."""
        edited = self._texts.get(key)
        if edited is None or digest_of(edited.text) != before.digest or len(text) > LARGEST_TEXT:
            return ()
        if before.facts.problems and not edited.by_steps:
            return ()
        return patches(before.facts, edited.text, text)

    def _is_known(self, names: frozenset[str], module: Module) -> bool:
        """Whether other code of the project, or its own by another way, may speak of these names
        of a module."""
        trace = self.trace
        found = any(
            (not other.facts.words.isdisjoint(names) and self._may_speak(other, module, names))
            or (other.facts.scopes[0].stars and self._takes_all(other, module.key))
            for other in self._modules.values()
            if other is not None and other.is_project
        )
        self.trace = trace
        return found

    def _may_speak(self, module: Module, other: Module, names: frozenset[str]) -> bool:
        """Whether a module that has these words may mean names of another one by them."""
        sources = self._sources.get(module.key)
        if sources is None or sources.facts is not module.facts:
            sources = self._sources[module.key] = Sources(module.facts)

        def means(part: Imported) -> bool:
            return self.imported(module, part.module, part.level) == other.key

        return sources.may_speak(other.dotted, names, means)

    def _takes_all(self, module: Module, key: str) -> bool:
        """Whether a module has `from key import *`."""
        stars = module.facts.scopes[0].stars
        return any(self.imported(module, star.module, star.level) == key for star in stars)
