"""Follows values that code builds while it is imported, where astroid alone gives up.

astroid infers names, constants and attributes; here are `getattr` with a computed name, lookups in
tables that were filled by loops, comprehensions and decorators, enum members and record fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from astroid import bases, nodes, objects
from astroid.exceptions import AstroidError
from astroid.manager import AstroidManager
from astroid.util import UninferableBase

from loopsafe.infer import records, tables
from loopsafe.infer.constants import Bindings, constants
from loopsafe.infer.places import called_name, definitions

_DEEPEST = 12
_MOST = 12
"""More results than this say too little."""

_WRAPPERS = frozenset({"functools.partial", "enum.member", "builtins.staticmethod"})
"""Callables whose result runs their first argument."""


class Evaluator:
    """Answers what expressions of one module may be, as astroid's nodes."""

    def __init__(self, module: nodes.Module) -> None:
        self.module = module
        """The file that is asked about: its decorators may fill tables of others."""
        self._depth = 0

    def results(self, node: nodes.NodeNG, bindings: Bindings | None = None) -> list[Any]:
        """What an expression may be; empty where it is not known."""
        if self._depth > _DEEPEST:
            return []
        self._depth += 1
        try:
            found = list(_distinct(self._computed(node, bindings or {})))
            return (found or _inferred(node))[:_MOST]
        finally:
            self._depth -= 1

    def _computed(self, node: nodes.NodeNG, bindings: Bindings) -> Iterator[Any]:
        if isinstance(node, nodes.Name):
            yield from self._name(node, bindings)
        elif isinstance(node, nodes.Attribute):
            yield from self._attribute(node, bindings)
        elif isinstance(node, nodes.Subscript):
            wanted = constants(node.slice, bindings)
            for entry in tables.entries(self, node.value, bindings):
                if entry.fits(wanted):
                    yield from self.results(entry.value, entry.bindings)
        elif isinstance(node, nodes.Call):
            yield from self._call(node, bindings)
        elif isinstance(node, nodes.IfExp):
            yield from self.results(node.body, bindings)
            yield from self.results(node.orelse, bindings)

    def _name(self, node: nodes.Name, bindings: Bindings) -> Iterator[Any]:
        bound = bindings.get(node.name)
        if bound is not None:
            yield from self.results(bound)
            return
        for value in definitions(node):
            if isinstance(value, (nodes.Call, nodes.Subscript, nodes.Attribute)):
                yield from self.results(value)

    def _attribute(self, node: nodes.Attribute, bindings: Bindings) -> Iterator[Any]:
        given = list(records.fields(self, node))
        for value in given:
            yield from self.results(value)
        for value in definitions(node) if not given else ():
            if isinstance(value, (nodes.Call, nodes.Subscript)):
                yield from self.results(value)
        computed = isinstance(node.expr, (nodes.Call, nodes.Subscript)) or bindings
        if computed or not (given or _inferred(node)):
            for owner in self.results(node.expr, bindings):
                yield from _members(owner, node.attrname)

    def _call(self, node: nodes.Call, bindings: Bindings) -> Iterator[Any]:
        name = called_name(node.func)
        arguments = node.args
        if name == "builtins.getattr" and len(arguments) >= 2:
            for wanted in constants(arguments[1], bindings):
                for owner in self.results(arguments[0], bindings):
                    yield from _members(owner, wanted)
        elif name in _WRAPPERS and arguments:
            yield from self.results(arguments[0], bindings)
        elif name in ("importlib.import_module", "builtins.__import__") and arguments:
            for wanted in constants(arguments[0], bindings):
                yield from _module(wanted)
        elif isinstance(node.func, nodes.Attribute) and node.func.attrname in ("get", "pop"):
            wanted = constants(arguments[0], bindings) if arguments else []
            for entry in tables.entries(self, node.func.expr, bindings):
                if entry.fits(wanted):
                    yield from self.results(entry.value, entry.bindings)
            for default in arguments[1:]:
                yield from self.results(default, bindings)
        elif isinstance(node.func, nodes.Call) and called_name(node.func.func) == (
            "operator.attrgetter"
        ):
            yield from self._attrgetter(node, bindings)

    def _attrgetter(self, node: nodes.Call, bindings: Bindings) -> Iterator[Any]:
        """`attrgetter("a.b")(owner)`"""
        getter = node.func
        if not isinstance(getter, nodes.Call) or len(getter.args) != 1 or len(node.args) != 1:
            return
        for wanted in constants(getter.args[0], bindings):
            owners = self.results(node.args[0], bindings)
            for part in str(wanted).split("."):
                owners = [m for owner in owners for m in _members(owner, part)]
            yield from owners


def _inferred(node: nodes.NodeNG) -> list[Any]:
    """What astroid says. A partial object does not say what it runs, so it is left out."""
    try:
        found = list(node.infer())
    except (AstroidError, AttributeError, RecursionError):
        return []
    return [
        value
        for value in found
        if not isinstance(value, (UninferableBase, objects.PartialFunction))
    ]


def _members(owner: Any, name: object) -> list[Any]:
    """What `getattr(owner, name)` may be."""
    if not isinstance(name, str) or not hasattr(owner, "igetattr"):
        return []
    try:
        found = [v for v in owner.igetattr(name) if not isinstance(v, UninferableBase)]
    except AstroidError:
        found = []
    if not found and isinstance(owner, nodes.Module):
        try:
            found = [owner.import_module(name, level=1)] if owner.package else []
        except AstroidError:
            return []
    return found


def _module(name: object) -> Iterator[nodes.Module]:
    if isinstance(name, str) and name and not name.startswith("."):
        try:
            yield AstroidManager().ast_from_module_name(name)
        except (AstroidError, SyntaxError):
            return


def _distinct(values: Iterable[Any]) -> Iterator[Any]:
    seen: set[int] = set()
    for value in values:
        identity = id(value._proxied if isinstance(value, bases.Proxy) else value)
        if identity not in seen:
            seen.add(identity)
            yield value
