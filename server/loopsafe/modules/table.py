"""Module name -> what is known of its text. Reads a module when it is first asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from loopsafe.facts.extract import extract
from loopsafe.facts.ir import ModuleFacts
from loopsafe.modules.disk import Disk
from loopsafe.modules.finder import Finder, ModuleFile, Origin


@dataclass(frozen=True, slots=True)
class Module:
    """A module with its facts."""

    file: ModuleFile
    facts: ModuleFacts
    digest: bytes
    """Of the text the facts were read from."""

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def is_project(self) -> bool:
        return self.file.origin is Origin.PROJECT

    @property
    def is_stub(self) -> bool:
        return self.file.path.endswith(".pyi")

    def absolute(self, module: str, level: int) -> str:
        """The dotted name that an import with `level` leading dots means in this module."""
        if level <= 0:
            return module
        drop = level - 1 if self.file.is_package else level
        base = self.name.split(".")
        kept = base[: len(base) - drop] if drop <= len(base) else []
        return ".".join([*kept, module] if module else kept)


class ModuleTable:
    """All modules read so far."""

    def __init__(self, finder: Finder, disk: Disk) -> None:
        self.finder = finder
        self.disk = disk
        self._modules: dict[str, Module | None] = {}
        self._facts: dict[bytes, ModuleFacts] = {}

    def get(self, name: str) -> Module | None:
        """The module of a dotted name; None where there is no readable source."""
        try:
            return self._modules[name]
        except KeyError:
            module = self._modules[name] = self._read(self.finder.find(name))
            return module

    def at(self, path: str) -> Module | None:
        """The module that a file of the project is."""
        name = self.finder.name_of(path)
        module = self.get(name)
        if module is not None and module.path == path:
            return module
        # Another file answers to this name (two scripts called alike): it goes by its path.
        alias = f"{name}@{path}"
        if alias not in self._modules:
            file = ModuleFile(alias, path, Origin.PROJECT, path.endswith("__init__.py"))
            self._modules[alias] = self._read(file)
        return self._modules[alias]

    def loaded(self) -> tuple[Module, ...]:
        """The modules that have been read."""
        return tuple(module for module in self._modules.values() if module is not None)

    def forget(self, path: str) -> tuple[str, ...]:
        """Drops what was read from a file, and names that had no file; gives the dropped names."""
        gone = [
            name for name, module in self._modules.items() if module is None or module.path == path
        ]
        for name in gone:
            del self._modules[name]
        return tuple(gone)

    def _read(self, file: ModuleFile | None) -> Module | None:
        if file is None:
            return None
        try:
            text = self.disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return None
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        facts = self._facts.get(digest)
        if facts is None:
            facts = self._facts[digest] = extract(text)
        return Module(file, facts, digest)
