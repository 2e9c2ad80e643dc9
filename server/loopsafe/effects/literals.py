"""Literals that a call passes through a function of the project to where they decide something.

`poll(block=False)` does not wait if `poll` passes `block` on to `Queue.get`; `Client()` makes no
cache if its constructor does so only `if cache:`. A function is read once for each set of such
literals, so only parameters that reach a condition of the catalogue, are the condition of a
branch, or name an attribute, are told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from loopsafe.effects import texts
from loopsafe.effects.addresses import spells_path
from loopsafe.effects.attribute_names import NAMING, naming
from loopsafe.effects.conditions import shape
from loopsafe.effects.constructed import decided_later, stored
from loopsafe.effects.deciding import deciding
from loopsafe.effects.defaults import literal
from loopsafe.effects.guards import stored_here
from loopsafe.effects.known import knowledge
from loopsafe.effects.onward import wrapped
from loopsafe.effects.predicates import predicate
from loopsafe.facts.ir import (
    Attr,
    Call,
    Choice,
    Compared,
    Const,
    Expr,
    Function,
    Has,
    Literal,
    Name,
    Narrowed,
    Param,
    Starred,
    Test,
)
from loopsafe.facts.reach import conditions_around, parts_of
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.arguments import argument_at, matched
from loopsafe.resolve.given import Arguments, constructors, given, is_deep
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name, of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    HandedValue,
    ManagerFactory,
    OtherValue,
    PathText,
    Value,
    Values,
    union,
)


def passed(
    resolver: Resolver, function: FunctionValue, call: Call | None, frame: Frame | None
) -> Arguments:
    """What a call passes to the parameters of a function: what `given` says, and such literals."""
    arguments = given(resolver, function, call, frame)
    module = resolver.table.get(function.module)
    if module is None or call is None or frame is None:
        return arguments
    facts = module.facts.functions[function.number]
    if not facts.parameters:
        return arguments
    # What a wrapper hands on is told apart already, however deep it stands.
    found = _handed(function, frame) | dict(arguments)
    if not is_deep(module, frame):
        for index, values in _decided(resolver, function, facts, call, frame).items():
            # A literal says more than its class, and that more than what it is not.
            if index not in found or isinstance(values[0], (ConstantValue, PathText)):
                found[index] = values
    kept = stored(resolver, function, call, frame, partial(_literals, resolver, frame=frame))
    return (*sorted(found.items(), key=lambda item: item[0]), *kept)


def _decided(
    resolver: Resolver, function: FunctionValue, facts: Function, call: Call, frame: Frame
) -> dict[int, Values]:
    """The literals that a call passes to where they decide something, by parameter."""
    module = resolver.table.get(function.module)
    if module is not None and module.is_project:
        decisive = _decisive(resolver, function, facts)
    else:
        decisive = naming(resolver, function.module, function.number)
    found: dict[int, Values] = {}
    placed = dict(matched(facts, call, function.bound)) if decisive else {}
    is_open = any(isinstance(arg, Starred) for arg in call.args)
    is_open = is_open or any(name is None for name, _ in call.keywords)
    for index in decisive:
        default = facts.parameters[index].default
        values: Values = ()
        if index in placed:
            values = _literals(resolver, placed[index], frame)
            values = values or _told(resolver, placed[index], call, frame)
        elif isinstance(default, Const) and not is_open:
            values = (ConstantValue(default.value),)
        if values and len({type(value) for value in values}) == 1 and _is_literal(values[0]):
            found[index] = values
    inner = wrapped(resolver, function, facts)
    if inner is not None:
        passed_on = inner.value._replace(receiver=function.receiver, bound=function.bound)
        told = _decided(resolver, passed_on, inner.facts, call, frame)
        if told:
            handed = tuple(sorted(told.items(), key=lambda item: item[0]))
            found[len(facts.parameters)] = (HandedValue(inner.value.definition, handed),)
    return found


def _handed(function: FunctionValue, frame: Frame) -> dict[int, Values]:
    """What the wrapper whose frame this is hands on to the function that it is around."""
    return {
        index: values
        for _, handed in frame.arguments[-1:]
        for one in handed
        if isinstance(one, HandedValue) and one.definition == function.definition
        for index, values in one.arguments
    }


def _literals(resolver: Resolver, expr: Expr, frame: Frame) -> Values:
    """What an argument is, where only literals can get to it: as it is written, or by a name."""
    if isinstance(expr, Const):
        return (ConstantValue(expr.value),)
    if isinstance(expr, Call):
        if spells_path(resolver, expr, frame):
            return (PathText(),)
        text, change = texts.changed(expr) or (None, None)
        known = _literals(resolver, text, frame) if text is not None else ()
        return change(known) if change is not None and known else ()
    if isinstance(expr, Attr):
        constant = literal(resolver, expr, frame)
        return (ConstantValue(constant.value),) if constant is not None else ()
    found: list[Values] = []
    for definition in definitions(resolver, expr, frame) if isinstance(expr, Name) else ():
        value = definition.binding.value
        if isinstance(value, Param):
            # Of a parameter that this call passes on, the default alone says nothing.
            found.append(dict(definition.frame.arguments).get(value.number, ()))
        elif isinstance(value, Call) and spells_path(resolver, value, definition.frame):
            found.append((PathText(),))
        else:
            found.append((ConstantValue(value.value),) if isinstance(value, Const) else ())
    return union(found) if all(found) else ()


def _is_literal(value: Value) -> bool:
    return isinstance(value, (ConstantValue, OtherValue, PathText))


def _told(resolver: Resolver, expr: Expr, call: Call, frame: Frame) -> Values:
    """What the conditions around a call tell of an argument: the one literal that it is, or those
    that it is not."""
    wanted, name = shape(expr), expr
    while isinstance(name, Attr):
        name = name.value
    module = resolver.table.get(frame.module)
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if wanted is None or not isinstance(name, Name) or scope is None:
        return ()
    if not 0 <= name.block < len(scope.blocks):
        return ()
    others: set[Literal] = set()
    for test, holds in conditions_around(scope, name.block, call.spot.line, ("if", "else")):
        for asked, options, is_one in _asked(test, holds, wanted):
            if isinstance(expr, Name) and not _is_same(resolver, asked, expr, frame):
                continue
            if is_one and len(options) == 1 and options[0] is not None:
                return (ConstantValue(options[0]),)
            others.update(options if not is_one else ())
    return (OtherValue(frozenset(others)),) if others else ()


def _asked(
    test: Expr, holds: bool, wanted: tuple[str, ...]
) -> Iterator[tuple[Expr, tuple[Literal, ...], bool]]:
    """The literals that a condition compares a value with, and whether it is one of them."""
    for part, is_met in parts_of(test, holds):
        if isinstance(part, Compared) and shape(part.value) == wanted:
            yield part.value, part.options, is_met
        elif isinstance(part, Test) and part.kind == "is none" and shape(part.value) == wanted:
            yield part.value, (None,), is_met


def _is_same(resolver: Resolver, asked: Expr, name: Name, frame: Frame) -> bool:
    """Whether a name has the value that a condition before it asked for."""
    before = definitions(resolver, asked, frame) if isinstance(asked, Name) else ()
    return set(definitions(resolver, name, frame)) <= set(before)


def _decisive(resolver: Resolver, function: FunctionValue, facts: Function) -> frozenset[int]:
    """The parameters whose value, passed on as it is, decides what a call does."""
    module = resolver.table.get(function.module)
    if module is not None and module.is_project:
        resolver.table.trace |= resolver.table.bit(deciding(module, function.number))
    return resolver.remember(
        ("decisive", function.module, function.number),
        function.module,
        lambda: frozenset(_deciding(resolver, function, facts)),
    )


def _deciding(resolver: Resolver, function: FunctionValue, facts: Function) -> set[int]:
    frame = resolver.function_frame(function._replace(outer=None))
    plain = (p for p in facts.parameters if p.kind not in ("args", "kwargs"))
    numbers = {p.name: facts.parameters.index(p) for p in plain}
    if frame is None or not numbers:
        return set()
    found = set(_tested(resolver, facts, frame))
    for site in facts.sites:
        call = site.expr
        if not isinstance(call, Call) or site.scope != frame.scope:
            continue
        given_here = (*call.args, *(value for _, value in call.keywords))
        if not any(isinstance(arg, Name) and arg.id in numbers for arg in given_here):
            continue
        for callee in resolver.values(call.func, frame):
            for expr in _decisive_arguments(resolver, callee, call):
                if isinstance(expr, Name) and _is_kept(resolver, expr, frame):
                    found.update(numbers[name] for name in (expr.id,) if name in numbers)
    return found


def _tested(resolver: Resolver, function: Function, frame: Frame) -> Iterator[int]:
    """The parameters of a function that are the condition of a branch, or part of one."""
    module = resolver.table.get(frame.module)
    if module is None:
        return
    scope = module.facts.scopes[function.scope]
    for block in scope.blocks:
        for test in (block.test, *(leaving.test for leaving in block.exits)):
            for name in _deciding_names(resolver, test, frame):
                yield from _behind(resolver, name, frame)
    for name in decided_later(resolver, function, frame):
        yield from _behind(resolver, name, frame)


def _behind(resolver: Resolver, name: Name, frame: Frame, steps: int = 3) -> Iterator[int]:
    """The parameters of a function that a name stands for, or of which it is another spelling."""
    for definition in definitions(resolver, name, frame):
        value = definition.binding.value
        if isinstance(value, Param) and definition.frame is frame:
            yield value.number
        elif isinstance(value, Narrowed) and isinstance(value.name, Name) and steps:
            yield from _behind(resolver, value.name, frame, steps - 1)
        elif isinstance(value, Call) and steps:
            for text in _deciding_names(resolver, value, frame):
                yield from _behind(resolver, text, frame, steps - 1)


def _deciding_names(resolver: Resolver, test: Expr | None, frame: Frame) -> Iterator[Name]:
    """The names whose values decide a condition."""
    name = stored_here(resolver, test, frame) if isinstance(test, Attr) else test
    if isinstance(name, Name):
        yield name
    elif isinstance(test, Call):
        text, _ = texts.asked(test) or texts.changed(test) or (None, None)
        asked = predicate(resolver, test, frame) if text is None else None
        for part in (text,) if asked is None else (expr for _, expr in asked.given()):
            yield from _deciding_names(resolver, part, frame)
    elif isinstance(test, (Compared, Has, Test)):
        yield from _deciding_names(resolver, test.value, frame)
    elif isinstance(test, Choice):
        for option in test.options:
            yield from _deciding_names(resolver, option, frame)


def _decisive_arguments(resolver: Resolver, callee: Value, call: Call) -> list[Expr | None]:
    """The arguments of a call whose values decide what it does."""
    entry = knowledge(resolver, callee)
    if isinstance(entry, Blocking):
        return [
            argument_at(call, condition.position, condition.argument)
            for condition in (*entry.harmless_if, *entry.only_if)
            if condition.equals is not None or condition.at_most is not None
        ]
    position = NAMING.get(dotted_name(resolver, callee) or "")
    if position is not None:
        return [argument_at(call, position, "")]
    if isinstance(callee, ClassValue):
        made = constructors(resolver, callee)
        return [expr for one in made for expr in _decisive_arguments(resolver, one, call)]
    if isinstance(callee, ManagerFactory):
        callee = callee.function
    own = of_project(resolver, callee)
    if own is None:
        return []
    function, module = own
    facts = module.facts.functions[function.number]
    inner = _decisive(resolver, function, facts)
    return [expr for index, expr in matched(facts, call, function.bound) if index in inner]


def _is_kept(resolver: Resolver, name: Name, frame: Frame) -> bool:
    """Whether a parameter still holds here what the caller gave it."""
    return all(isinstance(d.binding.value, Param) for d in definitions(resolver, name, frame))
