"""Short functions of packages that only ask about what they are given, or make something of it.

Where a condition asks `_is_remote(path)` and the path is known, the function's text says which way
is gone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from loopsafe.effects.following import follow
from loopsafe.effects.knowns import Known, Small
from loopsafe.effects.sources import body, facts_of
from loopsafe.effects.truth import truth, value_of
from loopsafe.facts.ir import Const, Function
from loopsafe.modules.module import Module
from loopsafe.resolve.names import module_member
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import FunctionValue

_LONGEST = 15
"""Lines of a short function."""

_DEEPEST = 2
"""Short functions that one may ask in turn."""

Trees = Callable[[Module, Function], "ast.AST | None"]
"""The text of a function of a package as a tree."""

_UNKNOWN: tuple[bool, Known] = (False, None)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.Assert, ast.Import, ast.ImportFrom, ast.Pass)


def small_functions(
    resolver: Resolver, module: Module, tree: ast.AST, trees: Trees, depth: int = _DEEPEST
) -> dict[str, Known]:
    """The short functions that a function's text calls by their names."""
    place = (getattr(tree, "lineno", 0), getattr(tree, "col_offset", 0))
    called = resolver.remember(
        ("short functions", module.key, *place),
        module.key,
        lambda: tuple(_called(resolver, module, tree)),
    )
    found = called if depth else ()
    return {name: Small(partial(_gives, resolver, fun, trees, depth)) for name, fun in found}


def _called(
    resolver: Resolver, module: Module, tree: ast.AST
) -> Iterator[tuple[str, FunctionValue]]:
    nodes = list(ast.walk(tree))
    called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for name in sorted(called - own):
        function = _only(resolver, module_member(resolver, module.key, name))
        if function is not None:
            yield name, function


def _only(resolver: Resolver, values: Collection[object]) -> FunctionValue | None:
    """The one function that a name stands for, if it is short and runs when it is called."""
    only = next(iter(values), None) if len(values) == 1 else None
    function = body(resolver, only) if isinstance(only, FunctionValue) else None
    facts = facts_of(resolver, function) if function is not None else None
    if function is None or facts is None or facts.owner >= 0 or facts.decorators:
        return None
    is_plain = not (facts.is_async or facts.is_generator)
    return function if is_plain and facts.end - facts.span.line < _LONGEST else None


def _gives(
    resolver: Resolver,
    function: FunctionValue,
    trees: Trees,
    depth: int,
    given: tuple[tuple[Known, ...], ...],
) -> tuple[bool, Known]:
    """What a short function gives of some arguments."""
    module, facts = resolver.table.get(function.module), facts_of(resolver, function)
    tree = trees(module, facts) if module is not None and facts is not None else None
    if module is None or facts is None or tree is None or len(given) > len(facts.parameters):
        return _UNKNOWN
    text = next(
        (
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and (node.name, node.lineno) == (facts.name, facts.span.line)
        ),
        None,
    )
    if text is None:
        return _UNKNOWN
    names = small_functions(resolver, module, text, trees, depth - 1)
    for index, parameter in enumerate(facts.parameters):
        if parameter.kind != "positional":
            continue
        if index < len(given):
            names.update((parameter.name, value) for value in given[index])
        elif isinstance(parameter.default, Const):
            names[parameter.name] = parameter.default.value
    outcome = _outcome(text.body, names)
    return (True, None) if outcome is None else outcome


def _outcome(block: Sequence[ast.stmt], names: dict[str, Known]) -> tuple[bool, Known] | None:
    """What a block gives back; None where it goes on behind its end."""
    for statement in block:
        if isinstance(statement, ast.Return):
            return (True, None) if statement.value is None else value_of(statement.value, names)
        if isinstance(statement, ast.If):
            holds = truth(statement.test, names)
            if holds is None:
                return _UNKNOWN
            found = _outcome(statement.body if holds else statement.orelse, names)
            if found is not None:
                return found
        elif isinstance(statement, _PLAIN):
            follow(statement, names)
        elif not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
            return _UNKNOWN
    return None
