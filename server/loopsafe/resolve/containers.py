"""Containers: what they hold besides what their own type says, by what is put into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Await, Call, Expr, Filled, root_name
from loopsafe.resolve.arguments import fitting
from loopsafe.resolve.values import Frame, Instance, Value, Values, union
from loopsafe.resolve.variables import type_parameters

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def filled(resolver: Resolver, containers: Values, element: Expr, frame: Frame) -> Values:
    """Containers with an element in them, where their own type does not say what they hold."""
    bare = [v for v in containers if isinstance(v, Instance) and not any(v.cls.arguments)]
    held = _held(resolver, element, frame) if bare else ()
    found: list[Value] = []
    for value in bare if held else ():
        count = len(type_parameters(resolver, value.cls))
        if count in (1, 2) and resolver.attribute(value, "__iter__"):
            keys: tuple[Values, ...] = ((),) if count == 2 else ()
            found.append(Instance(value.cls._replace(arguments=(*keys, held))))
    return tuple(found)


def _held(resolver: Resolver, element: Expr, frame: Frame) -> Values:
    """What is put into a container, read so that containers filled from each other end."""
    if isinstance(element, Await):
        return resolver.awaited(_held(resolver, element.value, frame))
    if isinstance(element, Call):
        callees = fitting(resolver, _held(resolver, element.func, frame), element)
        return union(resolver.called(callee) for callee in callees)
    module = resolver.table.get(frame.module)
    bindings = module.facts.scopes[frame.scope].bindings if module else {}
    root = bindings.get(root_name(element) or "", ())
    if any(isinstance(binding.value, Filled) for binding in root):
        return ()
    return resolver.values(element, frame)
