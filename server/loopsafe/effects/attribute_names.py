"""Which parameters of packages' functions name an attribute: `getattr(session, verb)`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects import texts
from loopsafe.facts.ir import Call, Expr, Name, last_name
from loopsafe.resolve.arguments import argument_at, matched
from loopsafe.resolve.resolver import Resolver

NAMING = {"builtins.getattr": 1}
"""Callables to which an argument at a position is the name of an attribute."""


def naming(resolver: Resolver, module: str, number: int) -> frozenset[int]:
    """The parameters of a package's function that name an attribute, by its module's text alone."""
    return resolver.remember(
        ("naming", module, number),
        module,
        lambda: frozenset(_names_given(resolver, module, number)),
    )


def _names_given(resolver: Resolver, key: str, number: int) -> Iterator[int]:
    module = resolver.table.get(key)
    if module is None or module.is_stub:
        return
    facts = module.facts
    function = facts.functions[number]
    numbers = {p.name: i for i, p in enumerate(function.parameters) if p.kind != "kwargs"}
    for site in function.sites:
        call = site.expr
        if not isinstance(call, Call) or site.scope != function.scope:
            continue
        placed = [_plain(e) for e in (*call.args, *(v for _, v in call.keywords))]
        own = {name.id for name in placed if isinstance(name, Name)} & numbers.keys()
        if not own:
            continue
        callee = last_name(call.func)
        position = NAMING.get(f"builtins.{callee}")
        named: list[Expr | None] = [argument_at(call, position, "")] if position else []
        for other, inner in enumerate(facts.functions):
            if inner.name == callee and other != number and inner.owner >= 0:
                inside = naming(resolver, key, other)
                named += [e for i, e in matched(inner, call, True) if i in inside]
        names = (_plain(e) for e in named if e is not None)
        yield from (numbers[e.id] for e in names if isinstance(e, Name) and e.id in own)


def _plain(expr: Expr) -> Expr:
    """An expression, or the text of which it is another spelling: `verb` of `verb.lower()`."""
    while isinstance(expr, Call):
        text, _ = texts.changed(expr) or (None, None)
        if text is None:
            break
        expr = text
    return expr
