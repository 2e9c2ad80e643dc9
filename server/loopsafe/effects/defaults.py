"""Constants that a condition asks for by an attribute: `config.TESTING`, `settings.debug`."""

from __future__ import annotations

from loopsafe.facts.ir import (
    Attr,
    Binding,
    Call,
    Const,
    Expr,
    Imported,
    ModuleFacts,
    Name,
    last_name,
)
from loopsafe.facts.kept import Kept
from loopsafe.modules.module import Module
from loopsafe.modules.units import Unit
from loopsafe.resolve.names import Definition, definitions, module_definitions
from loopsafe.resolve.naming import called_modules
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, Instance, ModuleValue
from loopsafe.resolve.variables import followed

_SETTING = frozenset({"setattr", "__setattr__", "globals", "vars"})


def constant(resolver: Resolver, attribute: Attr, frame: Frame) -> bool | None:
    """Whether an attribute is true or false wherever it is read; None where nobody can say.

    Of a module of the project, of a class, or of an object that a module makes without arguments;
    nothing in the project may give the attribute another value.
    """
    found = literal(resolver, attribute, frame)
    return found.value if found is not None and isinstance(found.value, bool) else None


def literal(resolver: Resolver, attribute: Attr, frame: Frame) -> Const | None:
    """The literal that such an attribute stands for."""
    owners = resolver.values(attribute.value, frame)
    if len(owners) != 1 or resolver.outside.is_given(resolver, attribute.name):
        return None
    owner = owners[0]
    if isinstance(owner, ModuleValue):
        return _of_module(resolver, owner.name, attribute.name)
    if isinstance(owner, ClassValue):
        return _of_class(resolver, owner, attribute.name)
    if isinstance(owner, Instance) and _is_made_bare(resolver, attribute.value, frame):
        return _of_class(resolver, owner.cls, attribute.name)
    return None


def _of_module(resolver: Resolver, name: str, attribute: str) -> Const | None:
    found = module_definitions(resolver, name, attribute)
    module = resolver.table.get(found[0].frame.module) if len(found) == 1 else None
    if module is None or not module.is_project or _sets_by_name(resolver, module):
        return None
    only = _only(module.facts.scopes[0].bindings.get(attribute, ()))
    # Flags that come by `from defaults import *` are there to be changed.
    is_flag = only is not None and isinstance(only.value, bool)
    return None if is_flag and module.name != name else only


def _of_class(resolver: Resolver, cls: ClassValue, attribute: str) -> Const | None:
    found: Const | None = None
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not isinstance(owner, ClassValue):
            return None  # A library's class may take its fields from anywhere.
        if owner.module == "builtins":
            continue
        if not module.is_project or _sets_by_name(resolver, module):
            return None
        facts = module.facts.classes[owner.number]
        outer = resolver.frame(owner.module, facts.outer)
        if attribute in facts.attributes or not all(
            _is_standard(resolver, decorator, outer) for decorator in facts.decorators
        ):
            return None
        bindings = module.facts.scopes[facts.scope].bindings.get(attribute, ())
        if found is None and bindings:
            found = _only(bindings)
            if found is None:
                return None
    return found


def setting_by_name(module: Module) -> Unit:
    """Stands for whether a module may set what it defines by names that it computes."""
    return ("sets by name", module.key)


def sets_by_name(facts: ModuleFacts, kept: Kept | None = None) -> bool:
    """Whether a module may set what it defines by names that are known at run time only.

    With `kept`, as far as that may differ between two texts.
    """
    return "__dict__" in facts.words or any(
        isinstance(site.expr, Call) and last_name(site.expr.func) in _SETTING
        for number, function in enumerate(facts.functions)
        if kept is None or number not in kept.functions
        for site in function.sites
    )


def _sets_by_name(resolver: Resolver, module: Module) -> bool:
    resolver.table.trace |= resolver.table.bit(setting_by_name(module))
    return resolver.remember(
        ("sets by name", module.key), module.name, lambda: (sets_by_name(module.facts),)
    ) == (True,)


def _only(bindings: tuple[Binding, ...]) -> Const | None:
    """The literal of the only assignment, which always happens."""
    value = bindings[0].value if len(bindings) == 1 and bindings[0].block == 0 else None
    return value if isinstance(value, Const) else None


def _is_standard(resolver: Resolver, decorator: Expr, frame: Frame) -> bool:
    """Whether a decorator is one of the standard library: those leave a default alone."""
    callee = decorator.func if isinstance(decorator, Call) else decorator
    modules = called_modules(resolver, callee, frame)
    return bool(modules) and all(module is not None and module.is_stub for module in modules)


def _is_made_bare(resolver: Resolver, expr: Expr, frame: Frame) -> bool:
    """Whether a name of a module stands for an object that is made without arguments."""
    found = _module_definitions(resolver, expr, frame)
    value = found[0].binding.value if len(found) == 1 else None
    return isinstance(value, Call) and not value.args and not value.keywords


def _module_definitions(resolver: Resolver, expr: Expr, frame: Frame) -> tuple[Definition, ...]:
    if isinstance(expr, Attr):
        owners = resolver.values(expr.value, frame)
        owner = owners[0] if len(owners) == 1 else None
        if not isinstance(owner, ModuleValue):
            return ()
        return module_definitions(resolver, owner.name, expr.name)
    named = definitions(resolver, expr, frame) if isinstance(expr, Name) else ()
    if not isinstance(expr, Name) or len(named) != 1:
        return ()
    is_own = named[0].frame.scope == 0 or isinstance(named[0].binding.value, Imported)
    return followed(resolver, expr, frame) if is_own else ()
