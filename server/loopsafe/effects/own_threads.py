"""Whether code asks if it runs on the thread of its loop: `self._thread_id == get_ident()`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, Binding, Call, Same
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, Instance

_THREAD = "thread"
"""What the catalogue says of calls that tell which thread runs."""


def is_of_loop(resolver: Resolver, test: Same, frame: Frame) -> bool:
    """Whether a comparison asks if this is the thread that an object noted as its own when it was
    made, or in a coroutine: for what a loop runs, it is. What a worker noted is another one's."""
    other = test.other
    if not isinstance(other, Attr) or not _tells_thread(resolver, test.value, frame):
        return False
    owners = [v for v in resolver.values(other.value, frame) if isinstance(v, Instance)]
    return bool(owners) and all(
        any(
            _is_noted(resolver, module, binding)
            for module, binding in _stored(resolver, owner.cls, other.name)
        )
        for owner in owners
    )


def _tells_thread(resolver: Resolver, call: Call, frame: Frame) -> bool:
    names = (dotted_name(resolver, value) for value in resolver.values(call.func, frame))
    return any(name and resolver.catalogue.probe(name) == _THREAD for name in names)


def _stored(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[tuple[Module, Binding]]:
    """What the methods of a class, and of its bases, put into an attribute."""
    for base in resolver.mro(cls):
        module = resolver.table.get(base.module) if isinstance(base, ClassValue) else None
        if module is not None and isinstance(base, ClassValue):
            resolver.table.trace |= module.text_bit
            for binding in module.facts.classes[base.number].attributes.get(name, ()):
                yield module, binding


def _is_noted(resolver: Resolver, module: Module, binding: Binding) -> bool:
    """Whether a coroutine, or the constructor, stores which thread it runs on."""
    owner = module.facts.scopes[binding.scope].owner
    function = module.facts.functions[owner] if owner >= 0 else None
    if function is None or not isinstance(binding.value, Call):
        return False
    frame = resolver.frame(module.key, binding.scope)
    is_loops = function.is_async or function.name == "__init__"
    return is_loops and _tells_thread(resolver, binding.value, frame)
