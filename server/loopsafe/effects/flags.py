"""Flags of a package's objects that only ever get a literal: `self.autoconnect = True`.

A program may set them otherwise; as long as nothing says that it does, a condition on them comes
to what they are made with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from loopsafe.effects.truth import Known, choice
from loopsafe.facts.ir import Binding, Const, Function, Name
from loopsafe.modules.module import Module
from loopsafe.resolve.names import final_bindings
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue


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
            values = tuple(_literal(module, binding))
            if not values:
                return ()
            found += values
    return choice(found)


def _literal(module: Module, binding: Binding) -> Iterator[Known]:
    """The literal that is assigned: as it is written, or as the default of a parameter."""
    value = binding.value
    if isinstance(value, Const):
        yield value.value
    scope = module.facts.scopes[binding.scope]
    if isinstance(value, Name) and scope.kind == "function":
        for parameter in module.facts.functions[scope.owner].parameters:
            if parameter.name == value.id and isinstance(parameter.default, Const):
                yield parameter.default.value
