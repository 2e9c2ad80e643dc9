"""What a function's parameter may hold: what is passed, what is declared, what is injected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import (
    Attr,
    Binary,
    Call,
    Expr,
    Function,
    Name,
    Parameter,
    Subscript,
    key_parts,
)
from loopsafe.resolve.arguments import argument_at, has_callables, metadata
from loopsafe.resolve.metaclasses import classes_in
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.protocols import yielded
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    CoroutineValue,
    ExternalInstance,
    Frame,
    GeneratorValue,
    Instance,
    OtherValue,
    PathText,
    TupleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def parameter_values(resolver: Resolver, index: int, frame: Frame) -> Values:
    """What a function's parameter may hold."""
    module = resolver.table.get(frame.module)
    if module is None:
        return ()
    facts = module.facts.functions[module.facts.scopes[frame.scope].owner]
    parameter = facts.parameters[index]
    receiver = _receiver(resolver, facts, index, frame)
    if receiver:
        return receiver
    passed = next((values for i, values in frame.arguments if i == index), ())
    if any(isinstance(value, OtherValue) for value in passed):
        passed = ()  # That tells what it is not.
    if passed and all(isinstance(value, PathText) for value in passed):
        passed = resolver.builtin("str")
    if parameter.kind in ("args", "kwargs"):
        return _gathered(resolver, parameter, passed, frame)
    if passed and all(isinstance(value, ConstantValue) for value in passed):
        return passed
    outer = resolver.frame(frame.module, facts.outer, frame.receiver)
    declared: Values = ()
    if parameter.annotation is not None:
        is_around = _names_a_parameter(facts, parameter.annotation)
        declared = resolver.instances(parameter.annotation, outer if is_around else frame)
        if resolver.tells(declared) and not any(map(has_callables, passed)):
            return _contradicting(resolver, declared, parameter, outer) or declared
    found = _injected(resolver, parameter, outer) or passed
    if found:
        return found
    if parameter.default is not None:
        default = resolver.values(parameter.default, outer)
        return default if resolver.known(default) else declared or default
    if parameter.annotation is not None:
        return declared
    owner = module.facts.scopes[frame.scope].owner
    return resolver.handed.parameter(resolver, module, owner, index)


def _names_a_parameter(function: Function, annotation: Expr) -> bool:
    """Whether an annotation has the name of a parameter in it, which it cannot mean:
    `session: session.Session`."""
    names = {parameter.name for parameter in function.parameters}
    todo = [annotation]
    for expr in todo:
        if isinstance(expr, Name) and expr.id in names:
            return True
        if isinstance(expr, Attr):
            todo.append(expr.value)
        elif isinstance(expr, Subscript):
            todo += (expr.value, *key_parts(expr))
        elif isinstance(expr, Binary):
            todo += (expr.left, expr.right)
    return False


def _receiver(resolver: Resolver, facts: Function, index: int, frame: Frame) -> Values:
    """`self` or `cls`, for the first parameter of a method, or of what a class made one of."""
    is_method = facts.owner >= 0 or frame.outer is not None or facts.outer == 0
    if index != 0 or frame.receiver is None or not is_method:
        return ()
    names = {getattr(d, "id", getattr(d, "name", "")) for d in facts.decorators}
    if "staticmethod" in names:
        return ()
    if facts.owner >= 0:
        owner = ClassValue(frame.module, facts.owner)
        if classes := classes_in(resolver, facts.name, owner, frame.receiver):
            return classes
    if "classmethod" in names or facts.name in ("__new__", "__init_subclass__"):
        return (frame.receiver,)
    return (Instance(frame.receiver),)


def _gathered(resolver: Resolver, parameter: Parameter, passed: Values, frame: Frame) -> Values:
    item = resolver.instances(parameter.annotation, frame) if parameter.annotation else ()
    if parameter.kind == "args":
        is_placed = len(passed) == 1 and isinstance(passed[0], TupleValue)
        if is_placed and not resolver.tells(item):
            return passed
        return resolver.builtin("tuple", item or passed)
    return resolver.builtin("dict", resolver.builtin("str"), item or passed)


def _injected(resolver: Resolver, parameter: Parameter, frame: Frame) -> Values:
    """What a framework passes for `= Depends(f)`: the result of `f`, awaited and unwrapped."""
    markers = [parameter.default, *metadata(parameter.annotation)]
    for marker in markers:
        if not isinstance(marker, Call):
            continue
        for callee in resolver.values(marker.func, frame):
            runner = resolver.catalogue.runner(dotted_name(resolver, callee) or "")
            if runner is None or runner.gives != "result":
                continue
            target = argument_at(marker, runner.position, runner.argument)
            if target is not None:
                return _provided(resolver, resolver.values(target, frame))
    return ()


def _contradicting(
    resolver: Resolver, declared: Values, parameter: Parameter, frame: Frame
) -> Values:
    """What a framework passes, where an annotation names a class of which it certainly is none.

    Nothing checks `db: Session = Depends(get_db)` with the `Session` of another library.
    """
    found = _injected(resolver, parameter, frame)
    given = [_classes(resolver, value) for value in found]
    wanted = [_classes(resolver, value) for value in declared]
    if not given or not all(given) or not all(wanted):
        return ()
    related = any(one[0] in others or others[0] in one for one in given for others in wanted)
    return () if related else found


def _classes(resolver: Resolver, value: Value) -> list[str]:
    """The names of an object's class and its bases; none where one of them is unknown."""
    if isinstance(value, ExternalInstance):
        known = resolver.catalogue.klass(value.name)
        return [resolver.catalogue.canonical(value.name)] if known is not None else []
    if not isinstance(value, Instance):
        return []
    names = (dotted_name(resolver, base) or "" for base in resolver.mro(value.cls))
    return [resolver.catalogue.canonical(name) for name in names]


def _provided(resolver: Resolver, targets: Values) -> Values:
    found: list[Values] = []
    for target in targets:
        for value in resolver.called(target):
            if isinstance(value, GeneratorValue):
                found.append(yielded(resolver, value.function, value.arguments))
            elif isinstance(value, CoroutineValue):
                found.append(value.result)
            else:
                found.append((value,))
    return union(found)
