"""Module name -> what is known of its text. Reads a module when it is first asked for."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from loopsafe.facts.extract import extract
from loopsafe.facts.interface import Difference, Interface, difference, interface
from loopsafe.facts.ir import Function, ModuleFacts
from loopsafe.facts.joining import Patch
from loopsafe.facts.kept import kept
from loopsafe.facts.patch import patches
from loopsafe.facts.reuse import equal_lines, reused
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.finder import Finder, ModuleFile, Origin
from loopsafe.modules.module import Change, Module
from loopsafe.modules.units import Units

LARGEST_TEXT = 2_000_000
"""Characters; a file like this was written by a program, and reading it takes seconds."""

_CALLEE = re.compile(r"\b([^\W\d]\w*)\(")
_BASES = re.compile(r"^[ \t]*class[ \t]+\w+[^(:\n]*\(([^)]*)", re.MULTILINE)
_WORD = re.compile(r"[^\W\d]\w*")


class _Edited(NamedTuple):
    """The text of a file under edit."""

    text: str
    by_steps: bool
    """Its facts were made by steps from those of a text that parsed: no more than a function of it
    is lost."""


class ModuleTable(Units):
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
        self._interfaces: dict[str, Interface | None] = {}
        """Of the files under edit, so that each text's interface is made once."""
        self._texts: dict[str, _Edited] = {}
        """Of the files under edit, as they were read last."""
        self._targets: dict[tuple[str, str], tuple[str, int]] = {}
        self._packages: dict[str, int] = {}
        """Top-level names that are no module of the project, with their bits."""
        self._mentions: set[str] = set()
        """Modules that were only looked over."""
        self._used: dict[str, frozenset[str]] = {}
        """What the texts of files call or inherit from, by path."""
        self._project = 0
        """All bits of the project's modules."""

    def get(self, key: str) -> Module | None:
        """The module of a key or dotted name; None where there is no readable source."""
        try:
            module = self._modules[key]
        except KeyError:
            file = self._files.get(key) or self.finder.find(key)
            module = self._modules[key] = self._read(key, file)
        self.trace |= module.bit if module is not None else self._missing(key)
        return module

    def inside(self, module: Module, number: int) -> Function:
        """A function of a module, to look inside: at what it gives, or for a name of its own."""
        if module.is_project:
            self.trace |= self.bit(module.inside_of(number))
        return module.facts.functions[number]

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
        file = self.finder.source(key)
        if file is None:
            return None
        key = self._registered(file)
        known = self._used.get(file.path)
        if known is None:
            text = self._glanced(key)
            bases = (_WORD.findall(header) for header in _BASES.findall(text))
            known = frozenset(chain(_CALLEE.findall(text), *bases))
            self._used[file.path] = known
        return self.get(key) if name in known else None

    def _glanced(self, key: str) -> str:
        """The text of a module that is looked over; empty without one."""
        self._mentions.add(key)
        file = self._files.get(key) or self.finder.find(key)
        if file is None:
            self.trace |= self._missing(key)
            return ""
        self.trace |= self._bit_of(key, file)
        return self._text(file) or ""

    def imported(self, importer: Module, module: str, level: int) -> str:
        """The key of the module that an import statement means; a dotted name if it has no file."""
        dotted = importer.absolute(module, level)
        known = self._targets.get((importer.key, dotted))
        if known is None:
            known = self._key(dotted, importer.path), self.bit(_looked_up(dotted))
            self._targets[importer.key, dotted] = known
        self.trace |= known[1]
        return known[0]

    def child(self, key: str, name: str) -> str | None:
        """The key of a package's direct child module."""
        self.trace |= self.bit(_looked_up(name))
        dotted, _, near = key.partition("@")
        if not near and key in self._files:
            near = self._files[key].path
        if name not in self.finder.submodules(dotted, near or None):
            return None
        return self._key(f"{dotted}.{name}", near or None)

    def source(self, stub: Module) -> Module | None:
        """The module whose bodies a stub describes; None where its source is not at hand."""
        file = self.finder.source(stub.dotted)
        if file is None or file.path == stub.path:
            return None
        return self.get(self._registered(file))

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

    def reread(self, path: str) -> list[Change]:
        """A file's text changed: reads its modules again and says how much of them differs."""
        self._used.pop(path, None)
        changes: list[Change] = []
        for key, before in self._of(path):
            text = self._text(before.file)
            if text is not None and _digest(text) == before.digest:
                if self.disk.is_open(path):
                    self._texts.setdefault(key, _Edited(text, False))
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

    def _of(self, path: str) -> list[tuple[str, Module]]:
        """The modules that have been read of a file."""
        keys = self._keys.get(path, ())
        known = [(key, self._modules.get(key)) for key in keys]
        return [(key, m) for key, m in known if m is not None and m.path == path]

    def _alike(self, before: Module, edited: _Edited, after: Module, text: str) -> Module:
        """A module that was read anew, with the parts of before that are the same."""
        if _digest(edited.text) != before.digest:
            return after
        lines = equal_lines(edited.text, text)
        return replace(after, facts=reused(before.facts, after.facts, lines))

    def unseen(self, before: Module, after: Module) -> Difference | None:
        """What others can tell of two texts of a module; None where it is more than can be said.

        All modules that may speak of this one are to be read before.
        """
        known = self._interfaces.pop(before.key, None) or interface(before.facts)
        seen = self._interfaces[before.key] = interface(after.facts)
        found = difference(before.facts, known, after.facts, seen)
        return None if found is None or self._is_mentioned(found.names, after) else found

    def _patches(self, key: str, before: Module, text: str) -> tuple[Patch, ...]:
        """The steps to the facts of a file under edit, where the edit lies inside functions."""
        edited = self._texts.get(key)
        if edited is None or _digest(edited.text) != before.digest or len(text) > LARGEST_TEXT:
            return ()
        if before.facts.problems and not edited.by_steps:
            return ()
        return patches(before.facts, edited.text, text)

    def _is_mentioned(self, names: frozenset[str], module: Module) -> bool:
        """Whether some code of the project may speak of these functions of a module."""
        if not names:
            return False
        text = self.disk.read(module.path)
        for name in names:
            is_defined = name in module.facts.scopes[0].bindings
            if name.startswith("__") or len(re.findall(rf"\b{name}\b", text)) > is_defined:
                return True
        trace = self.trace
        found = any(
            not other.facts.words.isdisjoint(names)
            or (other.facts.scopes[0].stars and self._takes_all(other, module.key))
            for other in self._modules.values()
            if other is not None and other.is_project
        )
        self.trace = trace
        return found

    def _takes_all(self, module: Module, key: str) -> bool:
        """Whether a module has `from key import *`."""
        stars = module.facts.scopes[0].stars
        return any(self.imported(module, star.module, star.level) == key for star in stars)

    def forget(self, path: str) -> dict[str, Module | None]:
        """A file was made or removed: drops its modules and those of its name; gives them."""
        self._used.pop(path, None)
        name = _looked_up(self.finder.name_of(path))
        gone = {
            key: module
            for key, module in self._modules.items()
            if _looked_up(key) == name or (module is not None and module.path == path)
        }
        for key in gone:
            del self._modules[key]
            self._interfaces.pop(key, None)
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
        name = _looked_up(dotted)
        return any(m is None and _looked_up(key) == name for key, m in self._modules.items())

    def leads_elsewhere(self, path: str) -> bool:
        """Whether a module that is not the project's is found by the name of a file."""
        name = _looked_up(self.finder.name_of(path))
        return any(
            module is not None and not module.is_project and _looked_up(key) == name
            for key, module in self._modules.items()
        )

    def forget_files(self) -> None:
        """Drops what depends on which files there are: some were made, moved or removed."""
        self._targets.clear()
        # What has been read keeps its key: two files may have one name.
        self._files = {key: found.file for key, found in self._modules.items() if found is not None}

    def lookup_bit(self, path: str) -> int:
        """Stands for where a file's name leads, and whether anywhere."""
        return self.bit(_looked_up(self.finder.name_of(path)))

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
        digest = module.digest if module else _digest(text)
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

    def _missing(self, key: str) -> int:
        return self.bit(_looked_up(key)) | self._package_bit(key)

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
            self._texts[key] = _Edited(text, facts is not None)
        digest = _digest(text)
        facts = facts or self._facts(file, text, digest)
        return Module(key, file, facts, digest, self._bit_of(key, file))

    def _text(self, file: ModuleFile) -> str | None:
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
        if self.cache is None or file.is_namespace:
            return extract(text)
        facts = self.cache.facts(digest)
        if facts is None:
            facts = extract(text)
            if not self.disk.is_open(file.path):
                self.cache.keep_facts(digest, facts)
        return facts


def _looked_up(dotted: str) -> tuple[str, str]:
    """What a file must be called to be found under a dotted name."""
    return ("name", dotted.partition("@")[0].rpartition(".")[2])


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
