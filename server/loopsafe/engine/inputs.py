"""What is known of one project's files, and what of it is left after an edit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopsafe.config import Settings
from loopsafe.effects.callers import Callers
from loopsafe.effects.chains import Chains
from loopsafe.effects.news import BY_NAME, inherited, news
from loopsafe.effects.overrides import Overrides
from loopsafe.effects.places import Places
from loopsafe.engine.reports import FileReport
from loopsafe.engine.teaching import catalogue_of, releases_of, shipped
from loopsafe.engine.told import Told
from loopsafe.knowledge.catalogue import load
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import find_environment
from loopsafe.modules.finder import Finder
from loopsafe.modules.homes import Home, Homes
from loopsafe.modules.module import Change, Module, renewals
from loopsafe.modules.roots import source_roots
from loopsafe.modules.table import ModuleTable
from loopsafe.modules.typeshed import find_typeshed
from loopsafe.resolve.resolver import Resolver


class Inputs:
    """What an engine knows of a project folder. Not thread-safe: one thread at a time."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        python: Path | None,
        cache: Cache | None,
        homes: Homes | None,
    ) -> None:
        """`homes` has the settings of each file, where they may differ in what is told of it."""
        self.root = root
        self.settings = settings
        self.homes = homes or Homes(Home(root, settings, python))
        self.python = python
        """The environment that was asked for, if one was."""
        self.environment = find_environment(root, python or settings.python, os.environ)
        self.disk = Disk()
        self._roots = source_roots(root, settings.source_roots)
        self.finder = Finder(
            self._roots,
            self.environment,
            find_typeshed(),
            self.disk,
            load().libraries,
            self.homes.top.root,
        )
        self.table = ModuleTable(self.finder, self.disk, cache)
        files = shipped(root, settings, self.environment)
        self.releases = releases_of(root, self.environment)
        """Those that decide which entries of the catalogue hold."""
        self.catalogue, self.mistakes = catalogue_of(settings, files, self.releases)
        """The catalogue; and what is wrong in the files of packages, which are left out."""
        self.resolver = Resolver(self.table, self.catalogue)
        self.resolver.outside.project = self._project
        self._callers = Callers(self.resolver, self._project)
        self._overrides = Overrides(self._project)
        self._chains = Chains(self.resolver, self._overrides)
        self._places = Places(self.resolver, self._project, self._callers)
        self._modules: dict[str, Module | None] = {}
        self._is_whole = False
        """All files of the project are known."""
        self._told = Told()

    def index(self, paths: Iterable[str] | None = None, whole: bool = False) -> None:
        """Reads the project's files, so that registrations and subclasses anywhere are known.

        `whole` says that these files are all of them, as they are where none are given.
        """
        self._is_whole = self._is_whole or whole or paths is None
        found = set(self.files() if paths is None else paths)
        fresh = found - self._modules.keys()
        if fresh:
            known = {*self._modules, *found}
            self._modules = {path: self._modules.get(path) for path in sorted(known)}
            # Any of them may override a method, register a function or store an attribute.
            self.resolver.forget_kind("edges")
            self.resolver.forget_places()
            self.resolver.forget((), self.table.all_of(BY_NAME))
            self._overrides.forget()
            self._places.look_again()
            self._callers.forget()
            self._chains.forget()
            self._before_change()
            self._told.outdate()

    def files(self) -> Iterator[str]:
        """What `index` reads: the files of the environment, and those of projects that are
        installed in it with their sources and lie in the same folder."""
        yield from self.homes.files(self.root)
        for source in self.finder.beside(self.root):
            yield from self.homes.below(source)

    def open_text(self, path: str, text: str) -> None:
        """An unsaved buffer shadows the file from now on."""
        is_same = self._reads(path, text)
        if is_same and self.disk.is_open(path):
            return
        names = self.disk.generation
        self.disk.open(path, text)
        self._changed(path, self.disk.generation != names, is_same)

    def close_text(self, path: str) -> None:
        """The file on disk counts again."""
        names = self.disk.generation
        text = self.disk.read(path) if self.disk.is_open(path) else ""
        self.disk.close(path)
        self._changed(path, self.disk.generation != names, self._reads(path, text))

    def forget(self, paths: Iterable[str]) -> None:
        """Files were changed, made or removed on disk."""
        for path in paths:
            names = self.disk.generation
            self.finder.invalidate([path])
            self._changed(path, self.disk.generation != names)

    def is_outdated(self) -> bool:
        """Whether the project has other releases of libraries by now than those that are known."""
        return releases_of(self.root, self.environment) != self.releases

    def rehome(self, homes: Homes) -> None:
        """What is told of files may be another now; what is known of them stays."""
        self.homes = homes
        self._told.forget()
        self._told.forget_first()

    def remind(self, reports: Iterable[FileReport]) -> None:
        """What an earlier session came to, which holds as long as no text is another.

        To be told first. `confirm` looks at a file in earnest.
        """
        self._told.remind(reports)

    # For what is built on this

    def _before_change(self) -> None:
        """A text is another now, or there are more files: what rests on it is dropped next."""

    def _after_change(self) -> None:
        """What rested on a changed text is gone."""

    # Insides

    def _project(self) -> Iterator[Module]:
        for path, module in self._modules.items():
            if module is None:
                module = self._modules[path] = self.table.at(path)
            if module is not None:
                yield module

    def _reads(self, path: str, text: str) -> bool:
        """Whether a file has this text by now."""
        try:
            return self.disk.read(path) == text
        except (OSError, UnicodeDecodeError, SyntaxError):
            return False

    def _changed(self, path: str, files: bool, is_same: bool = False) -> None:
        """Drops what rests on a file; with `files`, on which files there are, too.

        `is_same`: its text is what it was, in a buffer or out of it.
        """
        self._before_change()
        if not is_same:
            self._told.forget_first()
        if path in self._modules:
            self._modules[path] = None
        gone: dict[str, Module | None] = {}
        changed = 0
        texts: set[str] | None = None
        appears = files or self.table.missed(path)
        if appears:
            changed |= self.table.lookup_bit(path) | self.table.all_of(BY_NAME)
            gone.update(self._files_changed(path))
            self._callers.forget()
        else:
            changes = self.table.reread(path)
            texts = {change.before.key for change in changes}
            for change in changes:
                changed |= change.before.text_bit | self._said(change)
                self._callers.renew(change)
                if change.kept is None:
                    gone[change.before.key] = change.before
                if not change.before.is_project:
                    self._forget_answers()
            for key, same in renewals(changes):
                self.resolver.renew(key, same)
        for key, before in gone.items():
            changed |= self.table.bit(key) * 3
            changed |= self.table.asked(inherited(before, self.table.get(key)))
        self.resolver.forget_places(texts)
        self._overrides.forget(texts)
        self._drop(gone, changed)
        module = self.table.at(path) if appears else None
        if module is not None:
            self._places.appeared(module.key)
        self._after_change()

    def _said(self, change: Change) -> int:
        """The bits of what is said otherwise about names; of all, where one text is not known."""
        table = self.table
        return table.asked(news(change)) if change.after is not None else table.all_of(BY_NAME)

    def _files_changed(self, path: str) -> dict[str, Module | None]:
        """A file was made or removed: what its name led to may be another's now."""
        if self.table.leads_elsewhere(path):
            self._forget_answers()
        gone = self.table.forget(path)
        self.table.forget_files()
        return gone

    def _drop(self, modules: Iterable[str], changed: int) -> None:
        """Drops the answers about some modules, and all that rests on any of these bits."""
        self.resolver.forget(modules, changed)
        self._places.forget(changed)
        self._chains.forget(changed)
        self._told.drop(changed)

    def _forget_answers(self) -> None:
        """Drops every answer; what was read of files stays."""
        self._chains.derivation.forget()
        self.resolver.forget_all()
        self._places.forget()
        self._chains.forget()
        self._told.forget()
