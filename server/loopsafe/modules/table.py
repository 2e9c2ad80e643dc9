"""Module name -> what is known of its text. Reads a module when it is first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from loopsafe.facts.extract import extract
from loopsafe.facts.interface import interface
from loopsafe.facts.ir import ModuleFacts
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.finder import Finder, ModuleFile, Origin


@dataclass(frozen=True, slots=True)
class Module:
    """A module with its facts."""

    key: str
    file: ModuleFile
    facts: ModuleFacts
    digest: bytes
    """Of the text the facts were read from."""

    @property
    def name(self) -> str:
        """Its key in the table; a second file of one dotted name has its path in it."""
        return self.key

    @property
    def dotted(self) -> str:
        return self.file.name

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def is_project(self) -> bool:
        return self.file.origin is Origin.PROJECT

    @property
    def is_namesake(self) -> bool:
        """A top-level file of the project: it may be called like a library, and is none."""
        return self.is_project and not self.file.is_package and "." not in self.dotted

    @property
    def is_stub(self) -> bool:
        return self.file.path.endswith(".pyi")

    def absolute(self, module: str, level: int) -> str:
        """The dotted name that an import with `level` leading dots means in this module."""
        if level <= 0:
            return module
        drop = level - 1 if self.file.is_package else level
        base = self.dotted.split(".")
        kept = base[: len(base) - drop] if drop <= len(base) else []
        return ".".join([*kept, module] if module else kept)


class Change(NamedTuple):
    """The modules of a file whose text changed."""

    bodies: list[str]
    """Only insides of functions differ: answers about other modules still hold."""
    interfaces: list[str]


class ModuleTable:
    """All modules read so far, by key: the dotted name, or that and the path for a namesake."""

    def __init__(self, finder: Finder, disk: Disk, cache: Cache | None = None) -> None:
        self.finder = finder
        self.disk = disk
        self.cache = cache
        self._modules: dict[str, Module | None] = {}
        self._files: dict[str, ModuleFile] = {}
        self._interfaces: dict[str, Hashable] = {}
        """Of the files under edit, so that each text's interface is made once."""
        self._targets: dict[tuple[str, str], str] = {}

    def get(self, key: str) -> Module | None:
        """The module of a key or dotted name; None where there is no readable source."""
        try:
            return self._modules[key]
        except KeyError:
            file = self._files.get(key) or self.finder.find(key)
            module = self._modules[key] = self._read(key, file)
            return module

    def mentions(self, key: str, name: str) -> bool:
        """Whether a module may have a name, by a look at its text before it is read in earnest.

        A package that gathers the names of thousands of modules with `*` would read them all.
        """
        if key in self._modules:
            return self._modules[key] is not None
        file = self._files.get(key) or self.finder.find(key)
        if file is None or file.is_namespace:
            return False
        try:
            text = self.disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return False
        return name in text or "import *" in text

    def imported(self, importer: Module, module: str, level: int) -> str:
        """The key of the module that an import statement means; a dotted name if it has no file."""
        dotted = importer.absolute(module, level)
        known = self._targets.get((importer.key, dotted))
        if known is None:
            known = self._key(dotted, importer.path)
            self._targets[importer.key, dotted] = known
        return known

    def child(self, key: str, name: str) -> str | None:
        """The key of a package's direct child module."""
        dotted, _, near = key.partition("@")
        if not near and key in self._files:
            near = self._files[key].path
        if name not in self.finder.submodules(dotted, near or None):
            return None
        return self._key(f"{dotted}.{name}", near or None)

    def at(self, path: str) -> Module | None:
        """The module that a file of the project is."""
        file = ModuleFile(
            self.finder.name_of(path),
            path,
            self.finder.origin_of_path(path),
            path.endswith(("__init__.py", "__init__.pyi")),
        )
        return self.get(self._registered(file))

    def loaded(self) -> tuple[Module, ...]:
        """The modules that have been read."""
        return tuple(module for module in self._modules.values() if module is not None)

    def _key(self, dotted: str, near: str | None) -> str:
        file = self.finder.find(dotted, near)
        return self._registered(file) if file is not None else dotted

    def _registered(self, file: ModuleFile) -> str:
        first = self._files.setdefault(file.name, file)
        if first.path == file.path:
            return file.name
        key = f"{file.name}@{file.path}"
        self._files[key] = file
        return key

    def reread(self, path: str) -> Change:
        """A file's text changed: reads its modules again and says how much of them differs."""
        change = Change([], [])
        for key, before in list(self._modules.items()):
            if before is None or before.path != path:
                continue
            after = self._modules[key] = self._read(key, before.file)
            if after is not None and after.digest == before.digest:
                continue
            known = self._interfaces.pop(key, None) or interface(before.facts)
            seen = interface(after.facts) if after is not None else None
            self._interfaces[key] = seen
            same = seen == known
            (change.bodies if same else change.interfaces).append(key)
        return change

    def forget(self, path: str) -> tuple[str, ...]:
        """A file was made or removed: drops its modules and names without one; gives the names."""
        gone = [
            name for name, module in self._modules.items() if module is None or module.path == path
        ]
        for name in gone:
            del self._modules[name]
            self._interfaces.pop(name, None)
        return tuple(gone)

    def forget_files(self) -> None:
        """Drops what depends on which files there are: some were made, moved or removed."""
        self._targets.clear()
        self._files.clear()

    def _read(self, key: str, file: ModuleFile | None) -> Module | None:
        if file is None:
            return None
        self._files.setdefault(key, file)
        try:
            text = "" if file.is_namespace else self.disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return None
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return Module(key, file, self._facts(file, text, digest), digest)

    def _facts(self, file: ModuleFile, text: str, digest: bytes) -> ModuleFacts:
        """A text's facts, from the cache where it has them. What is being typed is not kept."""
        if self.cache is None or file.is_namespace:
            return extract(text)
        facts = self.cache.facts(digest)
        if facts is None:
            facts = extract(text)
            if not self.disk.is_open(file.path):
                self.cache.keep_facts(digest, facts)
        return facts
