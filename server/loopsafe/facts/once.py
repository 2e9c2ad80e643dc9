"""Code that keeps its result: `if self._client is None: self._client = connect()`.

Such code blocks whoever comes first, and nobody after.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from loopsafe.facts.ir import Attr, Binding, Call, Expr, Name, Subscript


class Surroundings(NamedTuple):
    """What is known of names where the code stands."""

    receiver: str
    """The first parameter of the enclosing method."""
    shared: Container[str]
    """Names declared `global`."""
    own: Mapping[str, Sequence[Binding]]
    """Names of the enclosing function."""
    module: Container[str]
    """Names of the module."""


def kept_by(test: ast.expr, body: Sequence[ast.stmt], around: Surroundings) -> str:
    """How long a block's result is kept, if the block runs only where it is missing.

    Gives `once` for what lives as long as the process (a global, a class attribute), `own` for
    what the object keeps whose method this is, `lazy` for what another one keeps or what may
    lapse, and an empty string where nothing is kept.
    """
    found = _longest(_missing(test), body, around)
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else []
    return "lazy" if found and not all(map(_missing, parts)) else found


def kept_behind(test: ast.expr, rest: Sequence[ast.stmt], around: Surroundings) -> str:
    """The same for what follows `if self._client: return self._client`."""
    found = _longest(_present(test), rest, around)
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else []
    return "lazy" if found and not all(map(_present, parts)) else found


def kept_after(tried: Sequence[ast.stmt], handler: ast.ExceptHandler, around: Surroundings) -> str:
    """The same for the handler of `try: return table[key]` and `except KeyError`."""
    statement = tried[0] if len(tried) == 1 else None
    looked_up = statement.value if isinstance(statement, (ast.Return, ast.Assign)) else None
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    if isinstance(looked_up, ast.Subscript) and caught & _NO_KEY:
        return _longest(_items(looked_up), handler.body, around)
    if isinstance(looked_up, ast.Attribute) and "AttributeError" in caught:
        return _longest(_spelled(looked_up), handler.body, around)
    return ""


_NO_KEY = frozenset({"KeyError", "LookupError"})


def _longest(names: set[str], body: Sequence[ast.stmt], around: Surroundings) -> str:
    if not names:
        return ""
    names = names | {table for name in names for table in _tables_of(name, around)}
    kinds = {_lifetime(name, around) for name in names & set(_assigned(body))} - {""}
    return next((kind for kind in ("once", "own", "lazy") if kind in kinds), "")


def _tables_of(name: str, around: Surroundings) -> Iterator[str]:
    """Where a name was looked up: `found = KEYS.get(name)`."""
    for binding in around.own.get(name, ()):
        call = binding.value
        if isinstance(call, Call) and isinstance(call.func, Attr) and call.func.name == "get":
            yield f"{_dotted(call.func.value)}[]"


def _dotted(expr: Expr) -> str:
    if isinstance(expr, Attr):
        return f"{_dotted(expr.value)}.{expr.name}"
    return expr.id if isinstance(expr, Name) else ""


def _lifetime(name: str, around: Surroundings) -> str:
    if name == "sys.modules[]":
        return "once"
    root, dot, _ = name.partition(".")
    if not dot:
        return (
            _lifetime_of_item(name[:-2], around)
            if name.endswith("[]")
            else ("once" if name in around.shared else "")
        )
    if root == around.receiver and root != "cls":
        return "own"
    return "once" if root == "cls" or root[:1].isupper() or root == "type()" else "lazy"


def _lifetime_of_item(container: str, around: Surroundings) -> str:
    """How long what is put into a container under a plain name is kept."""
    if container not in around.own:
        return "once" if container in around.module or container.isupper() else ""
    is_alias = any(isinstance(b.value, (Attr, Subscript)) for b in around.own[container])
    return "lazy" if is_alias else ""


def _missing(test: ast.expr) -> set[str]:
    """Names that are unset, or keys that are absent, where the test holds."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _present(test.operand)
    if isinstance(test, ast.BoolOp):
        return {name for part in test.values for name in _missing(part)}
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], (ast.Is, ast.Eq)) and _is_none(test.comparators[0]):
            return _spelled(test.left)
        if isinstance(test.ops[0], ast.NotIn):
            return {f"{name}[]" for name in _spelled(test.comparators[0])}
    return set()


def _present(test: ast.expr) -> set[str]:
    """Names that are set, or keys that are there, where the test holds."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], (ast.IsNot, ast.NotEq)) and _is_none(test.comparators[0]):
            return _spelled(test.left)
        if isinstance(test.ops[0], ast.In):
            return {f"{name}[]" for name in _spelled(test.comparators[0])}
        return set()
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return {name for part in test.values for name in _present(part)}
    if isinstance(test, ast.Call):
        is_check = isinstance(test.func, ast.Name) and test.func.id == "hasattr"
        name = test.args[1] if is_check and len(test.args) == 2 else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return {f"{owner}.{name.value}" for owner in _spelled(test.args[0])}
        return set()
    return _spelled(test)


def _assigned(body: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for node in ast.walk(statement):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Call):
                yield from _filled(node)
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
                targets = [node.target]
            for target in targets:
                if isinstance(target, ast.Subscript):
                    yield from _items(target)
                else:
                    yield from _spelled(target)


def _filled(call: ast.Call) -> Iterator[str]:
    """The tables into which a call puts something: importing a module keeps it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if isinstance(call.func, ast.Attribute) and name in _FILLING:
        yield from (f"{table}[]" for table in _spelled(call.func.value))
    if (name or getattr(call.func, "id", "")) in _IMPORTING:
        yield "sys.modules[]"


_FILLING = frozenset({"update", "setdefault"})
_IMPORTING = frozenset({"import_module", "__import__"})


def _items(node: ast.Subscript) -> set[str]:
    """What an item is one of: `table[key]` and `table[kind][key]` of `table[]`."""
    table = node.value
    while isinstance(table, ast.Subscript):
        table = table.value
    return {f"{name}[]" for name in _spelled(table)}


def _spelled(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {f"{base}.{node.attr}" for base in _spelled(node.value)}
    if isinstance(node, ast.NamedExpr):
        return _spelled(node.target)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type":
        return {"type()"}
    return set()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
