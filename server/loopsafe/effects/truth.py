"""What a condition comes to where some names are known."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from loopsafe.facts.ir import Literal


class Symbol(NamedTuple):
    """A default that is no literal, by its name: a marker for "not given"."""

    name: str


class Given(NamedTuple):
    """What a caller passes, whatever it is: something on purpose."""


class Nothing(NamedTuple):
    """What `**keywords` gathers where a call gives none."""


Known = Literal | Symbol | Given | Nothing
"""What is known of a name's value."""


def truth(test: ast.expr, known: Mapping[str, Known]) -> bool | None:
    """Whether a condition holds, as far as the known names tell."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = truth(test.operand, known)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [truth(part, known) for part in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, test.ops[0], test.comparators[0], known)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "bool":
        return truth(test.args[0], known) if len(test.args) == 1 else None
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name):
        return _is_instance(test, known) if test.func.id == "isinstance" else None
    found, value = value_of(test, known)
    if not found or isinstance(value, (Symbol, Given)):
        return None
    return bool(value) and not isinstance(value, Nothing)


def value_of(node: ast.expr, known: Mapping[str, Known]) -> tuple[bool, Known]:
    """Whether a value is known, and what it is."""
    if isinstance(node, ast.Constant) and node.value is not ...:
        return True, node.value
    if isinstance(node, ast.Name) and node.id in known:
        return True, known[node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = f"{node.value.id}.{node.attr}"
        return (True, known[name]) if name in known else (False, None)
    return False, None


def _compared(
    left: ast.expr, operator: ast.cmpop, right: ast.expr, known: Mapping[str, Known]
) -> bool | None:
    here, a = value_of(left, known)
    there, b = value_of(right, known)
    if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(b, Nothing):
        return isinstance(operator, ast.NotIn)
    if isinstance(a, Nothing) or isinstance(b, Nothing):
        return None
    if isinstance(right, ast.Name) and isinstance(a, Symbol) and not there:
        there, b = True, Symbol(right.id)
    if isinstance(operator, (ast.In, ast.NotIn)) and here and not isinstance(a, (Symbol, Given)):
        options = _options(right)
        if options is not None:
            return (a in options) is isinstance(operator, ast.In)
    if not here or not there:
        return None
    if isinstance(a, Given) or isinstance(b, Given):
        # What is passed on purpose is hardly the marker for "nothing", and not more is known.
        other = b if isinstance(a, Given) else a
        if other is not None and not isinstance(other, Symbol):
            return None
        same = False
    else:
        same = a == b and type(a) is type(b)
    if isinstance(operator, (ast.Is, ast.Eq)):
        return same
    if isinstance(operator, (ast.IsNot, ast.NotEq)):
        return not same
    return None


def _options(node: ast.expr) -> list[Known] | None:
    if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return None
    if not all(isinstance(item, ast.Constant) for item in node.elts):
        return None
    return [item.value for item in node.elts if isinstance(item, ast.Constant)]  # type: ignore[misc]


def _is_instance(test: ast.Call, known: Mapping[str, Known]) -> bool | None:
    """Of a literal only, and of the builtin classes."""
    found, value = value_of(test.args[0], known) if len(test.args) == 2 else (False, None)
    if not found or isinstance(value, (Symbol, Given, Nothing)):
        return None
    wanted = test.args[1]
    options = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
    names = {option.id for option in options if isinstance(option, ast.Name)}
    return any(cls.__name__ in names for cls in type(value).__mro__)
