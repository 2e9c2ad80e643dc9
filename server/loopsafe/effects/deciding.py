"""Whether an edit may change which of a function's parameters decide what it does.

Who calls a function tells such arguments apart, so what is known of those calls rests on it. It is
told by what is written: the names in conditions, and what is passed on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from loopsafe.effects.texts import changed
from loopsafe.facts.ir import Attr, Call, Expr, Function, ModuleFacts, Name, Scope, last_name
from loopsafe.facts.kept import Kept
from loopsafe.facts.pairing import all_names_in
from loopsafe.model import Spot
from loopsafe.modules.module import Module
from loopsafe.modules.units import Unit


def deciding(module: Module, number: int) -> Unit:
    """Stands for which parameters of a module's function decide what it does."""
    return ("decides", module.key, str(number))


def decide_otherwise(before: ModuleFacts, after: ModuleFacts, kept: Kept) -> Iterator[int]:
    """The functions of which that may be another thing after an edit of some."""
    for number, (old, new) in enumerate(zip(before.functions, after.functions, strict=False)):
        if number in kept.functions or not old.parameters:
            continue
        then, now = before.scopes[old.scope], after.scopes[new.scope]
        told = _told(old, then)
        # What a local name stands for that is called may be something else.
        is_open = kept.names is None or not kept.names.isdisjoint(_called(new, now))
        if is_open or told != _told(new, now):
            yield number


def _told(function: Function, scope: Scope) -> Hashable:
    names = {parameter.name for parameter in function.parameters}
    spelled = frozenset(_spellings(scope))
    asking = names.union(name for name, _ in spelled)
    tests = [block.test for block in scope.blocks if block.test is not None]
    tests += [leaving.test for block in scope.blocks for leaving in block.exits]
    asked = frozenset(
        _written(test) for test in tests if not asking.isdisjoint(all_names_in((test,)))
    )
    bound = tuple(len(scope.bindings.get(parameter.name, ())) for parameter in function.parameters)
    passed = frozenset((*_passed(function, names), *_handed_on(function)))
    return asked, spelled, bound, passed


def _spellings(scope: Scope) -> Iterator[tuple[str, Hashable]]:
    """The names that stand for another spelling of a text, `key = name.strip()`, each with it."""
    for name, bindings in scope.bindings.items():
        for binding in bindings:
            if isinstance(binding.value, Call) and changed(binding.value) is not None:
                yield name, _written(binding.value)


def _written(part: object) -> Hashable:
    """A condition without its places."""
    if isinstance(part, Name):
        return part.id
    if isinstance(part, Spot):
        return None
    if isinstance(part, tuple):
        return (type(part), *map(_written, part))
    return (type(part), part) if isinstance(part, Hashable) else repr(part)


def _passed(function: Function, names: set[str]) -> Iterator[Hashable]:
    """The parameters that a function passes on, and to what."""
    for call in _passing(function, names):
        for place, expr in (*enumerate(call.args), *call.keywords):
            if isinstance(expr, Name) and expr.id in names:
                yield _spelled(call.func), place, expr.id, len(call.args)


def _handed_on(function: Function) -> Iterator[Hashable]:
    """What a function does with the `*args` and `**kwargs` that it is given: see `onward`."""
    gathered = {p.name for p in function.parameters if p.kind in ("args", "kwargs")}
    for site in function.sites if gathered else ():
        if isinstance(site.expr, Call) and not gathered.isdisjoint(all_names_in((site.expr,))):
            yield _written(site.expr)


def _passing(function: Function, names: set[str]) -> Iterator[Call]:
    for site in function.sites:
        if isinstance(site.expr, Call):
            given = (*site.expr.args, *(value for _, value in site.expr.keywords))
            if any(isinstance(expr, Name) and expr.id in names for expr in given):
                yield site.expr


def _called(function: Function, scope: Scope) -> Iterator[str]:
    """The local names with which the calls begin to which a function passes parameters on."""
    for call in _passing(function, {parameter.name for parameter in function.parameters}):
        expr: Expr = call
        while isinstance(expr, (Attr, Call)):
            expr = expr.value if isinstance(expr, Attr) else expr.func
        if isinstance(expr, Name) and expr.id in scope.bindings:
            yield expr.id


def _spelled(expr: Expr) -> Hashable:
    if isinstance(expr, Attr):
        return _spelled(expr.value), expr.name
    if isinstance(expr, Call):
        return _spelled(expr.func)
    return last_name(expr)
