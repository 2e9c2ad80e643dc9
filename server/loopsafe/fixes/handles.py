"""Objects that go on blocking after they were opened, and what is made from them: a cursor.

They must be used up in the thread that opened them, so that all of it moves or nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from loopsafe.fixes.data import table
from loopsafe.fixes.layout import suites
from loopsafe.fixes.names import bound_by, own_nodes


class Using(NamedTuple):
    """The statements that use a handle."""

    name: str
    block: Sequence[ast.stmt]
    hands_out: bool
    """They return it, or store it where others find it."""


class Handles:
    """The handles of one function; `opens` says whether an expression opens one."""

    def __init__(self, function: ast.AsyncFunctionDef, opens: Callable[[ast.expr], bool]) -> None:
        self._opens = opens
        self._made = _made_once(function)

    def behind(self, node: ast.AST | None) -> list[str]:
        """The variables behind an expression: its own, the one that is made of, and so on."""
        names = [_root(node)]
        for _ in range(len(self._made)):
            made = self._made.get(names[-1])
            before = _root(made) if made is not None and not self._opens(made) else ""
            if before not in self._made:
                break
            names.append(before)
        return names

    def entered(self, block: ast.With, name: str) -> bool:
        """Whether a `with` gives a variable its object."""
        return bool(name) and any(
            isinstance(node, ast.Name) and node.id == name
            for item in block.items
            if item.optional_vars is not None
            for node in ast.walk(item.optional_vars)
        )

    def opened(self, name: str) -> bool:
        """Whether a variable is set once in this function, to a handle that is opened there."""
        made = self._made.get(name)
        return made is not None and self._opens(made)

    def run(self, function: ast.AsyncFunctionDef, node: ast.AST, name: str) -> Using | None:
        """The statements from where an assignment opens a handle to the last that uses it.

        None where the object is no such handle, is not used, or is used outside of them.
        """
        name = name if self.opened(name) else self._assigned(node)
        made = self._made.get(name)
        if made is None or not self._opens(made):
            return None
        for suite in suites(function):
            first = next((i for i, s in enumerate(suite) if _assigns(s, name, made)), None)
            if first is None:
                continue
            tied = {name}
            stop = first + 1
            for index in range(first + 1, len(suite)):
                if _mentions(suite[index], tied):
                    stop = index + 1
                    for inner in suite[first:stop]:
                        tied |= self._tied(inner, tied)
            block = suite[first:stop]
            inside = {id(n) for statement in block for n in ast.walk(statement)}
            outside = (n for n in ast.walk(function) if id(n) not in inside)
            if len(block) < 2 or any(isinstance(n, ast.Name) and n.id in tied for n in outside):
                return None
            return Using(name, block, any(_hands_out(s, tied) for s in block))
        return None

    def _assigned(self, node: ast.AST) -> str:
        """The variable that the call with this callee is assigned to."""
        return next(
            (
                n
                for n, made in self._made.items()
                if isinstance(made, ast.Call) and made.func is node
            ),
            "",
        )

    def _tied(self, statement: ast.stmt, tied: set[str]) -> set[str]:
        """Variables that a statement sets to what is still part of a handle."""
        return {
            name
            for node in ast.walk(statement)
            for name, made in _made(node).items()
            if _root(made) in tied and not _gives_data(made)
        }


@lru_cache(maxsize=16)
def _made_once(function: ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """What each variable that is set once is made of; not to be changed."""
    counts: dict[str, int] = {}
    made: dict[str, ast.expr] = {}
    for node in own_nodes(function):
        for name in bound_by(node):
            counts[name] = counts.get(name, 0) + 1
        made.update(_made(node))
    return {name: value for name, value in made.items() if counts[name] == 1}


def _made(node: ast.AST) -> dict[str, ast.expr]:
    """The variables that a node sets, with what they are made of."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        return {target.id: node.value} if isinstance(target, ast.Name) else {}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        return {node.target.id: node.value}
    if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        return {node.optional_vars.id: node.context_expr}
    return {}


def _root(node: ast.AST | None) -> str:
    """The variable at the left end of a chain of attributes, calls and items."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _hands_out(statement: ast.stmt, tied: set[str]) -> bool:
    """Whether a statement returns what is part of a handle, or stores it where others find it."""
    for node in ast.walk(statement):
        is_kept = isinstance(node, (ast.Assign, ast.AnnAssign)) and not _made(node)
        if is_kept or isinstance(node, (ast.Return, ast.Yield)):
            value = node.value  # type: ignore[attr-defined]
            if any(_root(part) in tied and not _gives_data(part) for part in _parts(value)):
                return True
    return False


def _parts(value: ast.expr | None) -> Iterator[ast.expr]:
    """What an expression is put together of: `a` and `b` of `a, [b]`."""
    if isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        for item in value.elts:
            yield from _parts(item)
    elif isinstance(value, ast.IfExp):
        yield from _parts(value.body)
        yield from _parts(value.orelse)
    elif value is not None:
        yield value


def _gives_data(made: ast.expr) -> bool:
    """Whether an expression has taken all it needs from the handle: `cursor.fetchall()`."""
    if isinstance(made, ast.Subscript):
        return True
    function = made.func if isinstance(made, ast.Call) else made
    return isinstance(function, ast.Attribute) and function.attr in table("threads")["data"]


def _assigns(statement: ast.stmt, name: str, made: ast.expr) -> bool:
    return isinstance(statement, (ast.Assign, ast.AnnAssign)) and _made(statement).get(name) is made


def _mentions(statement: ast.stmt, names: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(statement))
