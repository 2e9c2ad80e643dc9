"""Expressions: one small function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, cast

from loopsafe.facts import ir
from loopsafe.resolve.callbacks import only_to_call
from loopsafe.resolve.calls import call_values
from loopsafe.resolve.containers import entry_values, filled
from loopsafe.resolve.lookups import (
    entry_of_attribute,
    field_by,
    field_of,
    kept,
    kept_exactly,
    named_globally,
    of_class,
)
from loopsafe.resolve.members import is_enumeration
from loopsafe.resolve.names import (
    definitions,
    imported_values,
    name_values,
    narrowed_attribute,
    own_name,
)
from loopsafe.resolve.parameters import parameter_values
from loopsafe.resolve.private import is_private, private
from loopsafe.resolve.protocols import awaited, elements, entered
from loopsafe.resolve.texts import interpolated, put_together
from loopsafe.resolve.types import classes
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    TupleValue,
    Value,
    Values,
    as_instance,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

_DEEPEST_CLOSURE = 4


def evaluate(resolver: Resolver, expr: ir.Expr, frame: Frame) -> Values:
    """What an expression may be; empty where it is not known."""
    read = _READERS.get(type(expr))
    return read(resolver, expr, frame) if read else ()


def bound(resolver: Resolver, binding: ir.Binding, frame: Frame) -> Values:
    """What a binding gives its name: what its annotation says, or more exactly its value."""
    if binding.annotation is None:
        return resolver.values(binding.value, frame) if binding.value is not None else ()
    declared = resolver.instances(binding.annotation, frame)
    if binding.value is None:
        return declared
    value = resolver.values(binding.value, frame)
    if not resolver.tells(declared):
        return value if resolver.known(value) else value or declared
    return value if _is_narrower(resolver, value, declared) else declared


def _is_narrower(resolver: Resolver, value: Values, declared: Values) -> bool:
    """Whether an assigned object is of a subclass of the declared class."""
    if not value or not all(isinstance(v, Instance) for v in value):
        return False
    bases = {d.cls.definition for d in declared if isinstance(d, Instance)}
    return all(
        isinstance(v, Instance)
        and any(
            isinstance(c, ClassValue) and c.definition in bases for c in resolver.mro(v.cls)[1:]
        )
        for v in value
    )


def _name(resolver: Resolver, expr: ir.Name, frame: Frame) -> Values:
    return name_values(resolver, expr, frame)


def _attribute(resolver: Resolver, expr: ir.Attr, frame: Frame) -> Values:
    if isinstance(expr.value, ir.Name):
        told = narrowed_attribute(resolver, expr.value, expr.name, frame)
        if told is not None:
            return resolver.values(told, frame)
    values = resolver.values(expr.value, frame)
    if is_private(expr.name) and (
        own := union(private(resolver, value, expr.name, frame) for value in values)
    ):
        return own
    return read(resolver, values, expr.name, frame)


def read(resolver: Resolver, values: Values, name: str, frame: Frame) -> Values:
    """What reading an attribute of some objects gives, also where only other places tell."""
    if name in resolver.catalogue.words.yielded_names:
        told_elsewhere = resolver.yielding.whole(resolver, values, name)
        if told_elsewhere:
            return told_elsewhere
    each = [resolver.attribute(value, name) for value in values]
    found = each[0] if len(each) == 1 else union(each)
    told = (_is_told(resolver, value, got) for value, got in zip(values, each, strict=True))
    if values and not any(told):
        module = resolver.table.get(frame.module)
        if module is not None and module.is_project:
            held = resolver.outside.attribute(resolver, values, name)
            return held or resolver.yielding.attribute(resolver, values, name) or found
    return found


def _is_told(resolver: Resolver, value: Value, found: Values) -> bool:
    """Whether more is known of an attribute than its name."""
    for held in resolver.known(found):
        if only_to_call(resolver, (held,)) or _is_open_tuple(resolver, held):
            continue
        if not isinstance(held, External) or not isinstance(value, (ExternalInstance, Instance)):
            return True
        member = resolver.catalogue.member(held.name)
        if member is not None:
            known, name = member
            if known.blocking(name) or name in known.returns or known.is_harmless(name):
                return True
    return False


def _is_open_tuple(resolver: Resolver, value: Value) -> bool:
    """Whether a value is what a function keeps of its `*args`, of which nobody knows more."""
    if not isinstance(value, Instance) or value.cls.module != "builtins":
        return False
    return not any(value.cls.arguments) and own_name(resolver, value.cls) == "tuple"


def _call(resolver: Resolver, expr: ir.Call, frame: Frame) -> Values:
    return call_values(resolver, expr, frame)


def _test(
    resolver: Resolver, expr: ir.Test | ir.Same | ir.Compared | ir.Has | ir.HasKey, frame: Frame
) -> Values:
    return resolver.builtin("bool")


def _typed(resolver: Resolver, expr: ir.Typed, frame: Frame) -> Values:
    told = put_together(resolver, [resolver.values(p, frame) for p in expr.parts], frame)
    return told or resolver.builtin(expr.builtin)


def _function(resolver: Resolver, expr: ir.FunctionRef, frame: Frame) -> Values:
    module = resolver.table.get(frame.module)
    if module is None:
        return ()
    scope = module.facts.scopes[module.facts.functions[expr.number].outer]
    closes = scope.kind == "function" and frame.depth < _DEEPEST_CLOSURE
    value = FunctionValue(frame.module, expr.number, outer=frame if closes else None)
    return resolver.decorated(value)


def _class(resolver: Resolver, expr: ir.ClassRef, frame: Frame) -> Values:
    return (ClassValue(frame.module, expr.number),)


def _param(resolver: Resolver, expr: ir.Param, frame: Frame) -> Values:
    return parameter_values(resolver, expr.number, frame)


def _imported(resolver: Resolver, expr: ir.Imported, frame: Frame) -> Values:
    return imported_values(resolver, expr, frame)


def _await(resolver: Resolver, expr: ir.Await, frame: Frame) -> Values:
    return awaited(resolver, resolver.values(expr.value, frame))


def _choice(resolver: Resolver, expr: ir.Choice, frame: Frame) -> Values:
    given = _given(resolver, expr.options[0], frame) if expr.op == "or" else ()
    return given or union(resolver.values(option, frame) for option in expr.options)


def _given(resolver: Resolver, option: ir.Expr, frame: Frame) -> Values:
    """What a call passes for `given or default`, where that is a function or class: it is true."""
    if not isinstance(option, ir.Name) or not frame.arguments:
        return ()
    found = definitions(resolver, option, frame)
    value = found[0].binding.value if len(found) == 1 else None
    if not isinstance(value, ir.Param) or found[0].frame is not frame:
        return ()
    values = dict(frame.arguments).get(value.number, ())
    return values if all(isinstance(v, (ClassValue, FunctionValue)) for v in values) else ()


def _display(resolver: Resolver, expr: ir.Display, frame: Frame) -> Values:
    parts = []
    for item in expr.items:
        if isinstance(item, ir.Starred):
            parts.append(elements(resolver, resolver.values(item.value, frame)))
        else:
            parts.append(resolver.values(item, frame))
    starred = any(isinstance(item, ir.Starred) for item in expr.items)
    if expr.kind == "tuple" and not starred:
        return (TupleValue(tuple(parts)),)
    return resolver.builtin(expr.kind, union(parts))


def _dict(resolver: Resolver, expr: ir.DictDisplay, frame: Frame) -> Values:
    keys = union(resolver.values(k, frame) for k, _ in expr.items if k is not None)
    values = union(resolver.values(v, frame) for k, v in expr.items if k is not None)
    return resolver.builtin("dict", keys, values)


def _comprehension(resolver: Resolver, expr: ir.Comprehension, frame: Frame) -> Values:
    element = resolver.values(expr.element, frame)
    if expr.key is not None:
        return resolver.builtin("dict", resolver.values(expr.key, frame), element)
    return resolver.builtin("list" if expr.kind == "generator" else expr.kind, element)


def _starred(resolver: Resolver, expr: ir.Starred, frame: Frame) -> Values:
    return elements(resolver, resolver.values(expr.value, frame))


def _subscript(resolver: Resolver, expr: ir.Subscript, frame: Frame) -> Values:
    entry = entry_values(resolver, expr, frame) or entry_of_attribute(resolver, expr, frame)
    if entry:
        return entry
    found: list[Values] = []
    keys = resolver.values(expr.key, frame)
    if member := named_globally(resolver, expr, keys, frame):
        return member
    for value in resolver.values(expr.value, frame):
        if isinstance(value, TupleValue):
            found.append(_item_of(resolver, value, keys))
        elif isinstance(value, ClassValue) and is_enumeration(resolver, value):
            found.append((Instance(value),))
        elif isinstance(value, ClassValue):
            arguments = tuple(resolver.instances(part, frame) for part in ir.key_parts(expr))
            found.append((value._replace(arguments=arguments),))
        else:
            getters = resolver.attribute(value, "__getitem__")
            field = field_of(resolver, value.cls, keys) if isinstance(value, Instance) else ()
            found.append(field or union(resolver.called(getter) for getter in getters))
    values = of_class(resolver, union(found), keys)
    if len(values) > 1:
        return kept_exactly(resolver, expr, frame) or values
    return values or kept(resolver, expr, keys, frame)


def _item_of(resolver: Resolver, value: TupleValue, index: Values) -> Values:
    for key in index:
        if isinstance(key, ConstantValue) and isinstance(key.value, int):
            position = int(key.value)
            if -len(value.items) <= position < len(value.items):
                return value.items[position]
    return union(value.items)


def _binary(resolver: Resolver, expr: ir.Binary, frame: Frame) -> Values:
    left = resolver.values(expr.left, frame)
    if expr.op.startswith("__i"):  # `total += 1` asks for `__iadd__` first.
        changed = [v for v in left if isinstance(v, Instance) and resolver.attribute(v, expr.op)]
        if changed:
            operators = union(resolver.attribute(value, expr.op) for value in changed)
            return union(resolver.called(o) for o in operators) or tuple(changed)
        expr = ir.Binary(expr.left, f"__{expr.op[3:]}", expr.right)
    joined = _joined(resolver, left, expr, frame)
    if joined:
        return joined
    found: list[Values] = []
    for value in left:
        if isinstance(value, (Instance, ConstantValue)):
            operators = resolver.attribute(value, expr.op)
            found.append(union(resolver.called(operator) for operator in operators))
    if not any(found):
        reflected = expr.op.replace("__", "__r", 1)
        for value in resolver.values(expr.right, frame):
            if isinstance(value, Instance):
                operators = resolver.attribute(value, reflected)
                found.append(union(resolver.called(operator) for operator in operators))
    # An operator that nobody knows mostly gives what its left side is, but never the same literal.
    return union(found) or tuple(v for v in left if not isinstance(v, ConstantValue))


def _joined(resolver: Resolver, left: Values, expr: ir.Binary, frame: Frame) -> Values:
    """Two literals in one: `__package__ + "." + name`, `"v%s" % number`."""
    first = left[0] if len(left) == 1 and expr.op in ("__add__", "__mod__") else None
    if not isinstance(first, ConstantValue) or not isinstance(first.value, str):
        return ()
    right = resolver.values(expr.right, frame)
    if expr.op == "__mod__":
        return interpolated(resolver, first.value, right, frame)
    return put_together(resolver, [left, right], frame)


def _element(resolver: Resolver, expr: ir.Element, frame: Frame) -> Values:
    return elements(resolver, resolver.values(expr.value, frame), expr.is_async)


def _item(resolver: Resolver, expr: ir.Item, frame: Frame) -> Values:
    found: list[Values] = []
    for value in resolver.values(expr.value, frame):
        if isinstance(value, TupleValue):
            number = expr.number + (expr.number < -1)
            fits = -len(value.items) <= number < len(value.items) and expr.number != -1
            found.append(value.items[number] if fits else union(value.items))
        else:
            found.append(elements(resolver, (value,)))
            if not found[-1] and isinstance(value, Instance) and expr.number != -1:
                number = expr.number + (expr.number < -1)
                found.append(field_by(resolver, value.cls, (ConstantValue(number),)))
    if expr.number == -1:
        return resolver.builtin("list", union(found))
    return union(found)


def _entered(resolver: Resolver, expr: ir.Entered, frame: Frame) -> Values:
    return entered(resolver, resolver.values(expr.value, frame), expr.is_async)


def _narrowed(resolver: Resolver, expr: ir.Narrowed, frame: Frame) -> Values:
    before = resolver.values(expr.name, frame)
    after = _instances_of(resolver, expr.type, frame)
    if not after:
        return before
    wanted = {_identity(value) for value in after}
    kept = tuple(v for v in before if _is_one_of(resolver, v, wanted) is expr.holds)
    return kept if kept or not expr.holds else after


def _is_one_of(resolver: Resolver, value: Value, classes: set[Hashable]) -> bool:
    """Whether a value is an instance of one of some classes, or of a class that inherits them."""
    if not isinstance(value, Instance):
        return _identity(value) in classes
    return any(_identity(owner) in classes for owner in resolver.mro(value.cls))


def _identity(value: Value) -> Hashable:
    """A class, or that of an object, without what a generic class is given."""
    if isinstance(value, Instance):
        value = value.cls
    if isinstance(value, ClassValue):
        return value.definition
    return value.name if isinstance(value, (External, ExternalInstance)) else value


def _filled(resolver: Resolver, expr: ir.Filled, frame: Frame) -> Values:
    containers = resolver.values(expr.container, frame)
    return filled(resolver, containers, expr.element, frame)


def _instance(resolver: Resolver, expr: ir.InstanceOf, frame: Frame) -> Values:
    return _instances_of(resolver, expr.type, frame)


def _instances_of(resolver: Resolver, kind: ir.Expr, frame: Frame) -> Values:
    if isinstance(kind, ir.Display):
        return union(_instances_of(resolver, part, frame) for part in kind.items)
    return tuple(as_instance(c) for c in classes(resolver, kind, frame))


def _found(resolver: Resolver, expr: ir.Found, frame: Frame) -> Values:
    return cast(Values, expr.values)


_READERS: dict[type, Callable[[Resolver, Any, Frame], Values]] = {
    ir.Name: _name,
    ir.Attr: _attribute,
    ir.Call: _call,
    ir.Typed: _typed,
    ir.Test: _test,
    ir.Same: _test,
    ir.Compared: _test,
    ir.Has: _test,
    ir.HasKey: _test,
    ir.FunctionRef: _function,
    ir.ClassRef: _class,
    ir.Param: _param,
    ir.Imported: _imported,
    ir.Await: _await,
    ir.Choice: _choice,
    ir.Display: _display,
    ir.DictDisplay: _dict,
    ir.Comprehension: _comprehension,
    ir.Starred: _starred,
    ir.Subscript: _subscript,
    ir.Binary: _binary,
    ir.Element: _element,
    ir.Item: _item,
    ir.Entered: _entered,
    ir.Narrowed: _narrowed,
    ir.Filled: _filled,
    ir.InstanceOf: _instance,
    ir.Found: _found,
}
