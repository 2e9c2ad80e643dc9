"""What conditions come to where some names are known: whether a place in a function is reached.

Works on the text of one function, as the conditions on a way matter only once the way is found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from loopsafe.facts.ir import Literal


class Symbol(NamedTuple):
    """A default that is no literal, by its name: a marker for "not given"."""

    name: str


class Given(NamedTuple):
    """What a caller passes, whatever it is: something on purpose."""


Known = Literal | Symbol | Given
"""What is known of a name's value."""

_EXCEPT = 2
"""What runs only after an exception, or behind an `or`, is the second choice: it rarely runs."""


class Open(NamedTuple):
    """Conditions whose outcome nobody knows."""

    number: int
    is_kept: bool = False
    """There is one more, which asks whether an object has the result already: of all on a way
    that do, it is the first time for each of them at once."""


def conditions(
    function: ast.AST, line: int, column: int, known: Mapping[str, Known]
) -> Open | None:
    """The open conditions that a place stands under; None where it is never reached."""
    way = list(_way(function, line, column))
    names = dict(known)
    count, is_kept = 0, False
    for parent, child in pairwise(way):
        if isinstance(parent, (ast.For, ast.AsyncFor, ast.While)):
            _forget(parent, names)
        found = _step(parent, child, names)
        if found is None:
            return None
        if found == 1 and _asks_for_kept(function, parent, child):
            is_kept = True
        else:
            count += found
    return Open(count, is_kept)


def _asks_for_kept(function: ast.AST, parent: ast.AST, child: ast.AST) -> bool:
    """Whether the condition between two nodes asks for an attribute that the function sets."""
    block = next((b for b in _blocks(parent) if child in b), [])
    before = block[: block.index(child)] if child in block else []
    tests = [s.test for s in before if isinstance(s, ast.If)]
    if isinstance(parent, (ast.If, ast.IfExp)):
        tests.append(parent.test)
    stored = {
        (node.value.id, node.attr)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name)
    }
    return bool(tests) and all(_attribute(test) in stored for test in tests)


def _attribute(test: ast.expr) -> tuple[str, str] | None:
    """The attribute of a name that a condition is about: `not self.x`, `self.x is None`."""
    if isinstance(test, ast.UnaryOp):
        return _attribute(test.operand)
    if isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        return _attribute(test.left)
    if isinstance(test, ast.Attribute) and isinstance(test.value, ast.Name):
        return test.value.id, test.attr
    return None


def find_function(tree: ast.AST, line: int, column: int) -> ast.AST | None:
    """The innermost function around a place."""
    found = None
    for node in _way(tree, line, column):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            found = node
    return found


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
    found, value = _value(test, known)
    if not found or isinstance(value, (Symbol, Given)):
        return None
    return bool(value)


def _way(tree: ast.AST, line: int, column: int) -> Iterator[ast.AST]:
    """The nodes around a place, from the outside in."""
    node: ast.AST | None = tree
    while node is not None:
        yield node
        node = next((c for c in ast.iter_child_nodes(node) if _holds(c, line, column)), None)


def _holds(node: ast.AST, line: int, column: int) -> bool:
    start = getattr(node, "lineno", None)
    if start is None:
        return any(_holds(child, line, column) for child in ast.iter_child_nodes(node))
    begin, end = (start, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
    return begin <= (line, column) < end


def _step(parent: ast.AST, child: ast.AST, known: dict[str, Known]) -> int | None:
    """The conditions between a node and one below it."""
    count = 0
    if isinstance(parent, (ast.If, ast.IfExp, ast.While)) and child is not parent.test:
        body = parent.body if isinstance(parent.body, list) else [parent.body]
        wanted = child in body
        holds = truth(parent.test, known)
        if holds is not None and holds is not wanted:
            return None
        # The conditions of an `elif` are one choice together.
        is_chained = isinstance(child, ast.If) and parent.orelse == [child]
        is_open = holds is None and not isinstance(parent, ast.While)
        count = int(is_open and not is_chained)
    elif isinstance(parent, ast.BoolOp):
        likely = isinstance(parent.op, ast.And)
        for value in parent.values[: parent.values.index(child)]:  # type: ignore[arg-type]
            holds = truth(value, known)
            if holds is not None and holds is not likely:
                return None
            if holds is None:
                count = 1 if likely else _EXCEPT
    elif isinstance(child, ast.ExceptHandler):
        count = _EXCEPT
    elif isinstance(child, ast.match_case):
        count = 1
    guards = _guards(parent, child, known)
    return None if guards is None else count + guards


def _guards(parent: ast.AST, child: ast.AST, known: dict[str, Known]) -> int | None:
    """The conditions of statements before one in its block that leave the function.

    Brings what is known up to date with what they assign.
    """
    block = next((b for b in _blocks(parent) if child in b), None)
    count = 0
    for statement in block[: block.index(child)] if block else ():  # type: ignore[arg-type]
        found = _guard(statement, known)
        if found is None:
            return None
        count = max(count, found)
        _follow(statement, known)
    return count


def _guard(statement: ast.stmt, known: Mapping[str, Known]) -> int | None:
    """1 where a statement may leave the function before its end; None where it does."""
    if isinstance(statement, (ast.Return, ast.Raise)):
        return None
    if not isinstance(statement, ast.If):
        return 0
    leaves, other = _leaves(statement.body), _leaves(statement.orelse)
    holds = truth(statement.test, known)
    if (leaves and holds is True) or (other and holds is False) or (leaves and other):
        return None
    return int(holds is None and leaves and isinstance(statement.body[-1], ast.Return))


def _follow(statement: ast.stmt, known: dict[str, Known]) -> None:
    """What is known after a statement."""
    if isinstance(statement, ast.If):
        holds = truth(statement.test, known)
        if holds is not None:
            for inner in statement.body if holds else statement.orelse:
                _follow(inner, known)
            return
    value = statement.value if isinstance(statement, ast.Assign) else None
    found, literal = _value(value, known) if value is not None else (False, None)
    _forget(statement, known)
    if found and isinstance(statement, ast.Assign):
        targets = (target for target in statement.targets if isinstance(target, ast.Name))
        known.update({target.id: literal for target in targets})


def _forget(node: ast.AST, known: dict[str, Known]) -> None:
    """Drops the names that a statement may give another value."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            known.pop(inner.id, None)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _leaves(block: list[ast.stmt]) -> bool:
    """Whether a block ends the function, or this round of its loop."""
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def _compared(
    left: ast.expr, operator: ast.cmpop, right: ast.expr, known: Mapping[str, Known]
) -> bool | None:
    here, a = _value(left, known)
    there, b = _value(right, known)
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


def _value(node: ast.expr, known: Mapping[str, Known]) -> tuple[bool, Known]:
    """Whether a value is known, and what it is."""
    if isinstance(node, ast.Constant) and node.value is not ...:
        return True, node.value
    if isinstance(node, ast.Name) and node.id in known:
        return True, known[node.id]
    return False, None


def _is_instance(test: ast.Call, known: Mapping[str, Known]) -> bool | None:
    """Of a literal only, and of the builtin classes."""
    found, value = _value(test.args[0], known) if len(test.args) == 2 else (False, None)
    if not found or isinstance(value, (Symbol, Given)):
        return None
    wanted = test.args[1]
    options = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
    names = {option.id for option in options if isinstance(option, ast.Name)}
    return any(cls.__name__ in names for cls in type(value).__mro__)
