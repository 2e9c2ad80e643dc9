"""Flags of a package's objects that only ever get a literal: `self.autoconnect = True`.

A program may set them otherwise; as long as nothing says that it does, a condition on them comes
to what they are made with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from loopsafe.effects.knowns import Known, choice
from loopsafe.facts.ir import Attr, Binding, Call, Const, Expr, Function, Name, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.names import final_bindings
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame

_FIELDS = frozenset({"field", "ib", "attrib", "Field"})
"""What makes the fields of classes whose constructors are made for them."""


def flags(
    resolver: Resolver, receiver: ClassValue, function: Function, tree: ast.AST
) -> dict[str, Known]:
    """What is likely of the attributes that a method's text reads of its own object."""
    is_method = function.owner >= 0 and function.parameters
    own = function.parameters[0].name if is_method else "self"
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == own
    }
    found: dict[str, Known] = {}
    for name in names:
        values = resolver.remember(
            ("flag", receiver, name),
            receiver.module,
            partial(_flag, resolver, receiver, name),
        )
        if values:
            found[f"{own}.{name}"] = values[0]
    return found


def _flag(resolver: Resolver, receiver: ClassValue, name: str) -> tuple[Known, ...]:
    """What a class and its bases give an attribute, if all that they assign are literals."""
    found: list[Known] = []
    for owner in resolver.mro(receiver):
        cls = resolver.source(owner) if isinstance(owner, ClassValue) else None
        module = resolver.table.get(cls.module) if cls is not None else None
        if cls is None or module is None:
            continue
        facts = module.facts.classes[cls.number]
        bindings = (*final_bindings(module, facts.scope, name), *facts.attributes.get(name, ()))
        for binding in bindings:
            values = tuple(_literal(resolver, module, binding))
            if not values:
                return ()
            found += values
    return choice(found)


def _literal(resolver: Resolver, module: Module, binding: Binding) -> Iterator[Known]:
    """The literal that is assigned: as it is written, or as the default of a parameter."""
    value = binding.value
    scope = module.facts.scopes[binding.scope]
    if isinstance(value, Name) and scope.kind == "function":
        function = module.facts.functions[scope.owner]
        for parameter in function.parameters:
            if parameter.name == value.id:
                outer = resolver.frame(module.key, function.outer)
                yield from _written(resolver, parameter.default, outer)
    else:
        yield from _written(resolver, value, resolver.frame(module.key, binding.scope))


def _written(resolver: Resolver, value: Expr | None, frame: Frame) -> Iterator[Known]:
    """A literal, or what the only assignment in a class gives its attribute:
    `Defaults.wait`."""
    if isinstance(value, Call):  # `field(default=True)`
        value = dict(value.keywords).get("default") if last_name(value.func) in _FIELDS else None
    if isinstance(value, Const):
        yield value.value
    if not isinstance(value, Attr):
        return
    owners = resolver.values(value.value, frame)
    owner = owners[0] if len(owners) == 1 else None
    module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
    if module is not None and isinstance(owner, ClassValue):
        bindings = final_bindings(module, module.facts.classes[owner.number].scope, value.name)
        only = bindings[0].value if len(bindings) == 1 else None
        if isinstance(only, Const):
            yield only.value
