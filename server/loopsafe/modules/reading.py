"""The modules that have been read: where each is, what is known of its text, what rests on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from loopsafe.facts.extract import extract
from loopsafe.facts.ir import Function, ModuleFacts
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.finder import Finder, ModuleFile, Origin
from loopsafe.modules.module import Module
from loopsafe.modules.outlines import Outline, outline, used
from loopsafe.modules.units import Units

T = TypeVar("T")

LARGEST_TEXT = 2_000_000
"""Characters; a file like this was written by a program, and reading it takes seconds."""

_EASE = 4
"""Kept facts are read in so much less time than they are made."""


class Edited(NamedTuple):
    """The text of a file under edit."""

    text: str
    by_steps: bool
    """Its facts were made by steps from those of a text that parsed: no more than a function of it
    is lost."""


class Reading(Units):
    """All modules read so far, by key: the dotted name, or that and the path for a namesake.

    It notes in its `trace` what it is asked for.
    """

    def __init__(self, finder: Finder, disk: Disk, cache: Cache | None = None) -> None:
        super().__init__()
        self.finder = finder
        self.disk = disk
        self.cache = cache
        self._modules: dict[str, Module | None] = {}
        self._keys: dict[str, dict[str, None]] = {}
        """Those that the modules of a file have, or had, by its path."""
        self._files: dict[str, ModuleFile] = {}
        self._texts: dict[str, Edited] = {}
        """Of the files under edit, as they were read last."""
        self._targets: dict[tuple[str, str], tuple[str, int]] = {}
        self._packages: dict[str, int] = {}
        """Top-level names that are no module of the project, with their bits."""
        self._mentions: set[str] = set()
        """Modules that were only looked over."""
        self._used: dict[str, frozenset[str]] = {}
        """What the texts of files call or inherit from, by path."""
        self._outlines: dict[str, Outline] = {}
        """What the texts of packages define, by path."""
        self._project = 0
        """All bits of the project's modules."""
        self.alone: str | None = None
        """The only file that is read, besides what the standard library's stubs say; else all."""
        self.when_read: Callable[[int], None] = lambda characters: None
        """Called with the size of each text that was read, or a part of it where its facts were
        kept; it may raise, which ends the question that led there. Not for the standard library,
        nor for what is being typed."""
        self._characters = 0
        """Of the texts that this was not called for yet."""

    def get(self, key: str) -> Module | None:
        """The module of a key or dotted name; None where there is no readable source."""
        try:
            module = self._modules[key]
        except KeyError:
            file = self._files.get(key) or self.finder.find(key)
            module = self._modules[key] = self._read(key, file)
            if self._characters:
                read, self._characters = self._characters, 0
                self.when_read(read)
        self.trace |= module.bit if module is not None else self._missing(key)
        return module

    def inside(self, module: Module, number: int) -> Function:
        """A function of a module, to look inside: at what it gives, or for a name of its own."""
        if module.is_project:
            self.trace |= self.bit(module.inside_of(number))
        return module.facts.functions[number]

    def at(self, path: str) -> Module | None:
        """The module that a file of the project is."""
        file = ModuleFile(
            self.finder.name_of(path),
            path,
            self.finder.origin_of_path(path),
            path.endswith(("__init__.py", "__init__.pyi")),
        )
        return self.get(self._registered(file))

    def source(self, stub: Module) -> Module | None:
        """The module whose bodies a stub describes; None where its source is not at hand."""
        file = self.finder.source(stub.dotted)
        if file is None or file.path == stub.path:
            return None
        return self.get(self._registered(file))

    def imported(self, importer: Module, module: str, level: int) -> str:
        """The key of the module that an import statement means; a dotted name if it has no file."""
        dotted = importer.absolute(module, level)
        known = self._targets.get((importer.key, dotted))
        if known is None:
            known = self._key(dotted, importer.path), self.bit(looked_up(dotted))
            self._targets[importer.key, dotted] = known
        self.trace |= known[1]
        return known[0]

    def child(self, key: str, name: str) -> str | None:
        """The key of a package's direct child module."""
        self.trace |= self.bit(looked_up(name))
        dotted, _, near = key.partition("@")
        if not near and key in self._files:
            near = self._files[key].path
        if name not in self.finder.submodules(dotted, near or None):
            return None
        return self._key(f"{dotted}.{name}", near or None)

    def mentions(self, key: str, name: str) -> bool:
        """Whether a module may have a name, by a look at its text before it is read in earnest.

        A package that gathers the names of thousands of modules with `*` would read them all.
        """
        if key in self._modules:
            return self.get(key) is not None
        text = self._glanced(key)
        return name in text or "import *" in text

    def user(self, key: str, name: str) -> Module | None:
        """The source of a module that calls a class of a name, or inherits from it.

        A look at its text comes before it is read in earnest.
        """
        found = self._by_text(key, self._used, used)
        return self.get(found[0]) if found is not None and name in found[1] else None

    def outline(self, key: str) -> tuple[str, Outline] | None:
        """What the source of a package's module defines, by a look at its text, with its key."""
        return self._by_text(key, self._outlines, outline)

    def loaded(self) -> tuple[Module, ...]:
        """The modules that have been read."""
        return tuple(module for module in self._modules.values() if module is not None)

    def lookup_bit(self, path: str) -> int:
        """Stands for where a file's name leads, and whether anywhere."""
        return self.bit(looked_up(self.finder.name_of(path)))

    def packages_in(self, trace: int) -> tuple[str, ...] | None:
        """The packages, by top-level names, that an answer rests on; None if on the project too."""
        if trace & self._project:
            return None
        return tuple(top for top, bit in self._packages.items() if trace & bit)

    def portable(self, key: str) -> str | None:
        """A library module's key without the place of its environment; None where it needs that.

        A dotted name with `@` at its end is the source behind the stub of that name.
        """
        dotted, mark, path = key.partition("@")
        file = self.finder.source(dotted) if mark else self.finder.find(dotted)
        known = path or (self._files[key].path if key in self._files else "")
        if file is None or not known:
            return None if mark or known else key
        if file.path != known or file.origin is Origin.PROJECT:
            return None
        return dotted + mark

    def local(self, portable: str) -> str:
        """The key of a module by its portable name."""
        if not portable.endswith("@"):
            return portable
        file = self.finder.source(portable[:-1])
        return self._registered(file) if file is not None else portable

    def state(self, portable: str) -> bytes:
        """What a library's module, with the names in its folder, is now; empty without one.

        Reads its text at most, and makes no facts of it.
        """
        key = self.local(portable)
        module = self._modules.get(key)
        file = module.file if module else self._files.get(key) or self.finder.find(key)
        if file is None or file.origin is Origin.PROJECT:
            return b""
        try:
            text = "" if module or file.is_namespace else self.disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return b""
        digest = module.digest if module else digest_of(text)
        if not file.is_package:
            return digest
        names = ",".join(sorted(self.finder.submodules(file.name)))
        return hashlib.blake2b(digest + names.encode("utf-8"), digest_size=16).digest()

    def looked_at(self, package: str) -> set[str]:
        """The modules of a top-level name that were asked for, also in vain, and those above."""
        asked = (*self._modules, *self._mentions)
        found = {key for key in asked if key.partition("@")[0].partition(".")[0] == package}
        for key in list(found):
            parts = key.partition("@")[0].split(".")
            found.update(".".join(parts[:count]) for count in range(1, len(parts)))
        return found

    def _by_text(
        self, key: str, known: dict[str, T], look: Callable[[str], T]
    ) -> tuple[str, T] | None:
        """What a look at the text of a module's source says, kept by path, with its key."""
        file = self.finder.source(key)
        if file is None:
            return None
        key = self._registered(file)
        if file.path not in known:
            known[file.path] = look(self._glanced(key))
        return key, known[file.path]

    def _forget_looks(self, path: str) -> None:
        self._used.pop(path, None)
        self._outlines.pop(path, None)

    def _glanced(self, key: str) -> str:
        """The text of a module that is looked over; empty without one."""
        self._mentions.add(key)
        file = self._files.get(key) or self.finder.find(key)
        if file is None:
            self.trace |= self._missing(key)
            return ""
        self.trace |= self._bit_of(key, file)
        return self._text(file) or ""

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

    def _missing(self, key: str) -> int:
        return self.bit(looked_up(key)) | self._package_bit(key)

    def _bit_of(self, key: str, file: ModuleFile) -> int:
        if file.origin is not Origin.PROJECT:
            return self._package_bit(key)
        self._project |= self.bit(key)
        return self.bit(key)

    def _package_bit(self, key: str) -> int:
        """Stands for an installed package, or for the lack of it; 0 for the standard library."""
        top = key.partition("@")[0].partition(".")[0]
        known = self._packages.get(top)
        if known is None:
            is_standard = self.finder.typeshed.has_stdlib(top)
            known = self._packages[top] = 0 if is_standard else self.bit(("package", top))
        return known

    def _read(self, key: str, file: ModuleFile | None) -> Module | None:
        if file is None:
            return None
        self._files.setdefault(key, file)
        return self._made(key, file, self._text(file))

    def _made(
        self, key: str, file: ModuleFile, text: str | None, facts: ModuleFacts | None = None
    ) -> Module | None:
        """The module of a text, with its facts where steps from an earlier text gave them."""
        self._texts.pop(key, None)
        if text is None:
            return None
        self._keys.setdefault(file.path, {})[key] = None
        if self.disk.is_open(file.path):
            self._texts[key] = Edited(text, facts is not None)
        digest = digest_of(text)
        facts = facts or self._facts(file, text, digest)
        return Module(key, file, facts, digest, self._bit_of(key, file))

    def _text(self, file: ModuleFile) -> str | None:
        if self.alone not in (None, file.path) and file.origin is not Origin.TYPESHED:
            return None
        try:
            return "" if file.is_namespace else self.disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return None

    def _facts(self, file: ModuleFile, text: str, digest: bytes) -> ModuleFacts:
        """A text's facts, from the cache where it has them. What is being typed is not kept.

        Of a text that is too large nothing is read: what it defines stays unknown.
        """
        if len(text) > LARGEST_TEXT:
            return extract("")
        is_open = self.disk.is_open(file.path)
        cache = self.cache if not file.is_namespace else None
        facts = cache.facts(digest) if cache is not None else None
        if not is_open and file.origin is not Origin.TYPESHED:
            self._characters += len(text) if facts is None else len(text) // _EASE
        if facts is None:
            facts = extract(text)
            if cache is not None and not is_open:
                cache.keep_facts(digest, facts)
        return facts


def looked_up(dotted: str) -> tuple[str, str]:
    """What a file must be called to be found under a dotted name."""
    return ("name", dotted.partition("@")[0].rpartition(".")[2])


def digest_of(text: str) -> bytes:
    """Tells a text from all others: facts are kept by it."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
