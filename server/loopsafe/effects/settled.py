"""What conditions come to where some names are known: whether a place in a function is reached.

Works on the text of one function, as the conditions on a way matter only once the way is found.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise, starmap
from typing import NamedTuple

from loopsafe.effects.attempts import is_attempt, is_behind_yield
from loopsafe.effects.following import follow, forget, leaves
from loopsafe.effects.knowns import Known
from loopsafe.effects.switches import is_unasked
from loopsafe.effects.truth import truth

_UNLIKELY = 3
"""What runs only where a flag of the object is other than all that its class gives it."""
_MOST_TOGETHER = 2
"""Conditions that one with `and` stands for, at most: they often go together."""
_EXCEPT = 2
"""What runs only after an exception, or behind an `or`, is the second choice: it rarely runs."""


class Open(NamedTuple):
    """Conditions whose outcome nobody knows."""

    number: int
    is_kept: bool = False
    """There is one more, which asks whether an object has the result already: of all on a way
    that do, it is the first time for each of them at once."""
    names: Mapping[str, Known] | None = None
    """What is known at the place; None where the text was not read."""
    is_attempt: bool = False
    """The place is what a loop goes over that ends with the first attempt."""


class Facts(NamedTuple):
    """What is known where a function is entered."""

    names: dict[str, Known]
    """Brought up to date from statement to statement."""
    likely: Mapping[str, Known] = {}
    """What holds as long as nobody says otherwise: flags of the object, as it makes them."""
    alike: Collection[tuple[int, int]] = ()
    """Places that do as the one that is looked for: a condition between them is none."""
    is_asked_once: bool = False
    """Of a generator: what comes behind its first `yield` is not reached."""
    switches: Collection[str] = ()
    """Arguments of the call at the place that have to be on."""


def conditions(function: ast.AST, line: int, column: int, facts: Facts) -> Open | None:
    """The open conditions that a place stands under; None where it is never reached."""
    way = list(_way(function, line, column))
    if facts.is_asked_once and is_behind_yield(starmap(_before, pairwise(way))):
        return None
    facts = facts._replace(names=dict(facts.names))
    count, is_kept = 0, False
    for above, (parent, child) in zip((None, *way), pairwise(way), strict=False):
        if isinstance(parent, (ast.For, ast.AsyncFor, ast.While)):
            forget(parent, facts.names)
        found = _step(parent, child, facts)
        if found is None:
            return None
        if found == 1 and _asks_for_kept(function, parent, child):
            is_kept = True
        elif found == 1 and _asks_for_called(function, parent, way):
            continue
        elif found != 1 or not _has_no_other(above, parent, child, facts):
            count += found + (found and _tried_before(above, parent, child))
    switches = _switches(way, (line, column), facts)
    if switches is None:
        return None
    count += switches
    is_tried = any(is_attempt(function, *pair) for pair in pairwise(way))
    return Open(count, is_kept, facts.names, is_tried)


def _switches(way: list[ast.AST], place: tuple[int, int], facts: Facts) -> int | None:
    """How many arguments of a call are not known to be on; None where one is off."""
    count = 0
    calls = (n for n in way if isinstance(n, ast.Call) and (n.lineno, n.col_offset) == place)
    for keyword in (word for call in calls for word in call.keywords):
        if keyword.arg in facts.switches:
            if truth(keyword.value, facts.names) is False:
                return None
            count += _openness(keyword.value, True, facts)
    return count


def _has_no_other(above: ast.AST | None, parent: ast.AST, child: ast.AST, facts: Facts) -> bool:
    """Whether the other way of the one condition between two nodes only raises, or does alike."""
    if not isinstance(parent, (ast.If, ast.IfExp)) or child is parent.test:
        return False
    if isinstance(parent, ast.IfExp):
        return _has_place([parent.orelse if child is parent.body else parent.body], facts.alike)
    other = parent.orelse if child in parent.body else parent.body
    if _has_place(other, facts.alike):
        return True
    if isinstance(above, ast.If) and above.orelse == [parent]:
        return False  # Which of several, an `elif` does not tell.
    if not other:
        block = next((b for b in _blocks(above) if parent in b), []) if above else []
        other = block[block.index(parent) + 1 :] if parent in block else []
        if leaves(parent.body) and _has_place(other, facts.alike):
            return True
        other = other[:1]
    return bool(other) and isinstance(other[-1], ast.Raise)


def _tried_before(above: ast.AST | None, parent: ast.AST, child: ast.AST) -> int:
    """How many attempts come before one, each where those before it gave nothing:
    `if not found: found = look_here()`, `if not found: found = ask()`."""
    if above is None or not isinstance(parent, ast.If) or child not in parent.body:
        return 0
    wanted = _asked_first(parent.test)
    names = {node.id for node in _all_names(wanted)}
    return sum(
        isinstance(statement, ast.If)
        and ast.dump(_asked_first(statement.test)) == ast.dump(wanted)
        and any(n.id in names and isinstance(n.ctx, ast.Store) for n in _all_names(statement))
        for statement in _before(above, parent)
    )


def _asked_first(test: ast.expr) -> ast.expr:
    return test.values[0] if isinstance(test, ast.BoolOp) else test


def _has_place(nodes: Collection[ast.AST], places: Collection[tuple[int, int]]) -> bool:
    return any(_holds(node, *place) for node in nodes for place in places)


def _asks_for_kept(function: ast.AST, parent: ast.AST, child: ast.AST) -> bool:
    """Whether the condition between two nodes asks for an attribute that the function sets."""
    tests = [s.test for s in _before(parent, child) if isinstance(s, ast.If)]
    if isinstance(parent, (ast.If, ast.IfExp)):
        tests.append(parent.test)
    stored = {
        (node.value.id, node.attr)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name)
    }
    return bool(tests) and all(_attribute(test) in stored for test in tests)


def _asks_for_called(function: ast.AST, parent: ast.AST, way: list[ast.AST]) -> bool:
    """Whether a condition only asks if what is called under it could be imported: it is there."""
    test = parent.test if isinstance(parent, (ast.If, ast.IfExp)) else None
    if not isinstance(test, ast.Name):
        return False
    own = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    own |= {n.id for n in _all_names(function) if isinstance(n.ctx, ast.Store)}
    called = (_root(node.func) for node in way if isinstance(node, ast.Call))
    return test.id not in own and test.id in called


def _all_names(node: ast.AST) -> Iterator[ast.Name]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


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


def _step(parent: ast.AST, child: ast.AST, facts: Facts) -> int | None:
    """The conditions between a node and one below it."""
    count = 0
    if isinstance(parent, (ast.If, ast.IfExp, ast.While)) and child is not parent.test:
        body = parent.body if isinstance(parent.body, list) else [parent.body]
        wanted = child in body
        holds = truth(parent.test, facts.names)
        if holds is not None and holds is not wanted:
            return None
        if holds is None and is_unasked(parent.test, wanted, _before(parent, child)):
            return None
        # The conditions of an `elif` are one choice together.
        is_chained = isinstance(child, ast.If) and parent.orelse == [child]
        openness = 0 if is_chained else _openness(parent.test, wanted, facts)
        # A loop is there to be gone through, unless a flag that it asks for is off.
        count = 0 if isinstance(parent, ast.While) and openness < _UNLIKELY else openness
    elif isinstance(parent, ast.BoolOp):
        likely = isinstance(parent.op, ast.And)
        for value in parent.values[: parent.values.index(child)]:  # type: ignore[arg-type]
            holds = truth(value, facts.names)
            if holds is not None and holds is not likely:
                return None
            openness = _openness(value, likely, facts)
            if openness:
                count = openness if likely else _EXCEPT
    elif isinstance(child, ast.ExceptHandler):
        count = _EXCEPT
    elif isinstance(child, ast.match_case):
        count = 1
    guards = _guards(parent, child, facts)
    return None if guards is None else count + guards


def _openness(test: ast.expr, wanted: bool, facts: Facts) -> int:
    """How many conditions one stands for: none if it comes to what is wanted, or is likely to."""
    if truth(test, facts.names) is not None:
        return 0
    likely = truth(test, {**facts.likely, **facts.names})
    if likely is None and isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is wanted:
        parts = sum(_openness(part, wanted, facts) for part in test.values)
        return max(1, min(_MOST_TOGETHER, parts))
    return 1 if likely is None else 0 if likely is wanted else _UNLIKELY


def _guards(parent: ast.AST, child: ast.AST, facts: Facts) -> int | None:
    """The conditions of statements before one in its block that leave the function.

    Brings what is known up to date with what they assign.
    """
    return _guards_in(_before(parent, child), facts)


def _guards_in(block: list[ast.stmt], facts: Facts) -> int | None:
    count = 0
    for statement in block:
        found = _guard(statement, facts)
        if found is None:
            return None
        count = max(count, found)
        follow(statement, facts.names)
    return count


def _guard(statement: ast.stmt, facts: Facts) -> int | None:
    """1 where a statement may leave the function before its end; None where it does."""
    if isinstance(statement, (ast.Return, ast.Raise)):
        return None
    if not isinstance(statement, ast.If):
        return 0
    is_left, other = leaves(statement.body), leaves(statement.orelse)
    holds = truth(statement.test, facts.names)
    if (is_left and holds is True) or (other and holds is False) or (is_left and other):
        return None
    if holds is not None:
        chosen = statement.body if holds else statement.orelse
        return _guards_in(chosen, facts._replace(names=dict(facts.names)))
    if is_left and is_unasked(statement.test, False, []):
        return None
    is_early = is_left and isinstance(statement.body[-1], ast.Return)
    if not is_early or _has_place(statement.body, facts.alike):
        return 0
    return _openness(statement.test, False, facts)


def _before(parent: ast.AST, child: ast.AST) -> list[ast.stmt]:
    """The statements before one in its block."""
    block = next((b for b in _blocks(parent) if child in b), [])
    return [] if child not in block else block[: block.index(child)]


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
