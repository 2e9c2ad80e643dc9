"""What a module imports, and whether it may speak of names of another one by that."""

from __future__ import annotations

from collections.abc import Callable, Collection

from loopsafe.facts.ir import Attr, Imported, ModuleFacts
from loopsafe.facts.nodes import nodes

_DYNAMIC = frozenset({"import_module", "__import__", "modules"})
"""What gives a module by a text, such as `sys.modules`."""


class Sources:
    """What a module imports anywhere in it."""

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        bound = (
            b.value for scope in facts.scopes for found in scope.bindings.values() for b in found
        )
        self.imports = frozenset(value for value in bound if isinstance(value, Imported))
        self._attributes: frozenset[str] | None = None

    def may_speak(
        self, dotted: str, names: Collection[str], means: Callable[[Imported], bool]
    ) -> bool:
        """Whether the module may speak of names of another one, which is told by its dotted name;
        `means` says whether an import from a module is one from that."""
        *packages, last = dotted.split(".")
        if any(part.name in names and means(part) for part in self.imports):
            return True
        held = {part.name or part.module.rpartition(".")[2] for part in self.imports}
        held.update(part.module.partition(".")[0] for part in self.imports if not part.name)
        words = self.facts.words
        may_have = (
            last in held
            or (last in words and not held.isdisjoint(packages))
            or not _DYNAMIC.isdisjoint(words | held)
        )
        return may_have and not self._read().isdisjoint(names)

    def _read(self) -> frozenset[str]:
        """All names of attributes that the module reads, also by `getattr`."""
        if self._attributes is None:
            imported = {part.name for part in self.imports}
            read = (node.name for node in nodes(self.facts) if isinstance(node, Attr))
            self._attributes = (self.facts.words - imported).union(read)
        return self._attributes
