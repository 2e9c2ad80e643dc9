"""Which unknown calls are worth a question: those whose name something that blocks has."""

from __future__ import annotations

from functools import cache

from loopsafe.facts.ir import Attr, Call
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.modules.table import ModuleTable
from loopsafe.resolve.containers import container_methods

BORING = 3
"""From this rank on, a call is asked about only while there is room."""


class Interest:
    """Ranks calls by their callee's name; 0 is asked first."""

    def __init__(self, catalogue: Catalogue, table: ModuleTable) -> None:
        self._blocking = blocking_names(catalogue)
        self._own = frozenset(
            function.name
            for module in table.loaded()
            if module.is_project
            for function in module.facts.functions
        )

    def rank(self, call: Call) -> int:
        """How likely an answer for this call leads to a finding."""
        name = call.func.name if isinstance(call.func, Attr) else ""
        if not name:
            return 1  # A local name or a table's item: it may be anything.
        if name in container_methods():
            # `get` of a session blocks, but most of those that nobody knows are dictionaries'.
            return BORING if name in self._blocking else BORING + 2
        if name in self._blocking:
            return 0
        return 2 if name in self._own else BORING + 1


@cache
def blocking_names(catalogue: Catalogue) -> frozenset[str]:
    """The last names of all catalogued callables that block."""
    names = {name.rpartition(".")[2] for name, _ in catalogue.functions()}
    for _, known in catalogue.classes():
        names.update(known.methods)
    return frozenset(names)
