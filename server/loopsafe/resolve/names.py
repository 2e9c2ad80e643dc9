"""Names: where a name comes from, through scopes, imports, re-exports and stars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.building import ANY_TIME
from loopsafe.facts.ir import (
    Attr,
    Binding,
    ClassRef,
    Expr,
    FunctionRef,
    Imported,
    Name,
    Narrowed,
    Param,
    path_of,
)
from loopsafe.modules.module import Module
from loopsafe.resolve.doubles import own_source
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


class Definition(NamedTuple):
    """A binding, and the frame in which its value is read."""

    binding: Binding
    frame: Frame


def definitions(resolver: Resolver, name: Name, frame: Frame) -> tuple[Definition, ...]:
    """The bindings that a name may stand for, in the innermost scope that has it."""
    module = resolver.table.get(frame.module)
    if module is None:
        return ()
    scopes = module.facts.scopes
    scope = scopes[frame.scope]
    declared = scope.declared.get(name.id)
    here: Frame | None = frame
    late: tuple[Binding, ...] = ()
    if declared is None and name.id in scope.bindings:
        found = module.reaching(frame.scope, name.id, name.block, name.order)
        if scope.kind == "class":
            # `Sheets: Sheets` in a class binds nothing, and means what is around it.
            found = tuple(b for b in found if b.value is not None or b.annotation is None)
            # So does a name until the class binds it: `@enter()` above its method `enter`.
            if all(b.order >= name.order and b.block >= 0 for b in found):
                late, found = found, ()
        if found:
            return _placed(resolver, found, frame)
    index = scope.parent if declared is None else declared
    while index >= 0:
        outer = scopes[index]
        if outer.kind == "function":
            resolver.table.inside(module, outer.owner)
        here = _enclosing(here, index)
        if outer.kind != "class" and name.id in outer.bindings:
            found = _final(module, index, name.id)
            return _placed(resolver, found, here or resolver.frame(frame.module, index))
        index = outer.parent
    return _placed(resolver, late, frame) if late else ()


def name_values(resolver: Resolver, name: Name, frame: Frame) -> Values:
    """What a name may be where it is read."""
    found = definitions(resolver, name, frame)
    if found:
        values = _in_place(resolver, found)
        values = values or _declared(resolver, name, found[0].frame)
        if not resolver.known(values):
            kept = _given_to_keep(resolver, found[0].frame.module, (d.binding for d in found))
            values = union((values, kept))
        if not values and isinstance(found[0].binding.value, Param) and _is_inside(found[0], frame):
            place = (resolver, name, frame.module, found[0].frame.scope)
            return resolver.handed.agreed(*place) or resolver.handed.functions(*place)
        return values
    starred = _from_stars(resolver, frame.module, name.id)
    if starred is not None:
        return starred
    called = _own_name(resolver, name.id, frame) if name.id in _OWN_NAMES else ()
    if called or frame.module == "builtins":
        return called
    return module_member(resolver, "builtins", name.id)


_OWN_NAMES = ("__name__", "__package__")


def _own_name(resolver: Resolver, name: str, frame: Frame) -> Values:
    """What a module of a package is called, or the package that it is in.

    One of the project's may be `__main__` as well.
    """
    module = resolver.table.get(frame.module)
    if module is None or module.is_project:
        return ()
    is_whole = name == "__name__" or module.file.is_package
    return (ConstantValue(module.dotted if is_whole else module.dotted.rpartition(".")[0]),)


def narrowed_attribute(
    resolver: Resolver, name: Name, attribute: str, frame: Frame
) -> Narrowed | None:
    """What the conditions around a use tell of an attribute of a name, if the name is the same."""
    module = resolver.table.get(frame.module)
    if module is None:
        return None
    path = path_of(name.id, attribute)
    if path not in module.facts.scopes[frame.scope].bindings:
        return None
    found = module.reaching(frame.scope, path, name.block, name.order)
    told = found[0].value if len(found) == 1 and found[0].order < name.order else None
    if not isinstance(told, Narrowed) or not isinstance(told.name, Attr):
        return None
    asked = told.name.value
    if not isinstance(asked, Name):
        return None
    is_same = definitions(resolver, asked, frame) == definitions(resolver, name, frame)
    return told if is_same else None


def _in_place(resolver: Resolver, found: tuple[Definition, ...]) -> Values:
    """What a name stands for. In a package, a function that a module has is not the one that
    another function puts in its place when a program asks for it: `global cut; cut = _parallel`."""
    values = [resolver.bound(d.binding, d.frame) for d in found]
    put = [d.binding.block == -1 and d.binding.scope > 0 for d in found]
    own = union(v for v, is_put in zip(values, put, strict=True) if not is_put)
    if any(put) and own and all(isinstance(value, FunctionValue) for value in own):
        home = next(d for d, is_put in zip(found, put, strict=True) if not is_put)
        module = resolver.table.get(home.frame.module)
        if home.binding.scope == 0 and module is not None and not module.is_project:
            return own
    return union(values)


def _given_to_keep(resolver: Resolver, module: str, bindings: Iterable[Binding]) -> Values:
    """What functions of a module are given for one of its variables: `global client`."""
    return union(
        resolver.handed.stored(resolver, binding.value, module, binding.scope)
        for binding in bindings
        if binding.block == -1 and binding.scope and isinstance(binding.value, Name)
    )


def _is_inside(definition: Definition, frame: Frame) -> bool:
    """Whether a definition is of a function around the one where its name is read."""
    return definition.frame.scope != frame.scope


def _declared(resolver: Resolver, name: Name, frame: Frame) -> Values:
    """What an annotation of the scope says, where the assignments that reach a use say nothing."""
    module = resolver.table.get(frame.module)
    bindings = module.facts.scopes[frame.scope].bindings.get(name.id, ()) if module else ()
    return union(
        resolver.instances(binding.annotation, frame)
        for binding in bindings
        if binding.annotation is not None and binding.scope == frame.scope
    )


def imported_values(resolver: Resolver, imported: Imported, frame: Frame) -> Values:
    """What an import binds."""
    module = resolver.table.get(frame.module)
    if module is None:
        return ()
    if imported.name is None:
        name = imported.module.partition(".")[0] if imported.level < 0 else imported.module
        return (ModuleValue(resolver.table.imported(module, name, 0)),)
    source = resolver.table.imported(module, imported.module, imported.level)
    child = resolver.table.child(source, imported.name) if source == frame.module else None
    # `from . import path` in a package means the file, even if `path` is bound in it later.
    return (ModuleValue(child),) if child else module_member(resolver, source, imported.name)


def module_member(resolver: Resolver, module: str, name: str) -> Values:
    """What `module.name` may be; an `External` where its source does not show it."""
    return resolver.remember(
        ("member", module, name), module, lambda: _module_member(resolver, module, name)
    )


def module_definitions(resolver: Resolver, module: str, name: str) -> tuple[Definition, ...]:
    """The bindings of a module's name, through re-exports, for readers of type expressions."""
    seen: set[tuple[str, str]] = set()
    found: list[Definition] = []
    todo = [(module, name)]
    while todo:
        step = todo.pop()
        if step in seen:
            continue
        seen.add(step)
        entry = resolver.table.get(step[0])
        if entry is None:
            continue
        bindings = _final(entry, 0, step[1])
        for binding in bindings:
            if isinstance(binding.value, Imported) and binding.value.name is not None:
                value = binding.value
                source = resolver.table.imported(entry, value.module, value.level)
                todo.append((source, value.name or ""))
            else:
                found.append(Definition(binding, resolver.frame(step[0], binding.scope)))
        if not bindings:
            todo.extend((source, step[1]) for source in _star_sources(entry, resolver, step[1]))
    return tuple(found)


def qualified(resolver: Resolver, expr: Expr, frame: Frame) -> str | None:
    """The dotted name that an expression spells, by its imports alone: `typing.Optional`."""
    if isinstance(expr, Attr):
        base = qualified(resolver, expr.value, frame)
        return f"{base}.{expr.name}" if base else None
    if isinstance(expr, Imported) and expr.level == 0:
        return f"{expr.module}.{expr.name}" if expr.name else expr.module
    if not isinstance(expr, Name):
        return None
    found = definitions(resolver, expr, frame)
    if not found:
        return f"builtins.{expr.id}"
    module = resolver.table.get(found[-1].frame.module)
    value = found[-1].binding.value
    if module is None:
        return None
    if isinstance(value, Imported):
        source = module.absolute(value.module, value.level)
        if value.name is None:
            return source.partition(".")[0] if value.level < 0 else source
        return f"{source}.{value.name}"
    if isinstance(value, ClassRef):
        return f"{module.dotted}.{module.facts.classes[value.number].qualname}"
    if isinstance(value, FunctionRef):
        return f"{module.dotted}.{module.facts.functions[value.number].qualname}"
    return f"{module.dotted}.{expr.id}"


def final_bindings(module: Module, scope: int, name: str) -> tuple[Binding, ...]:
    """What a name of a scope is after the scope's code has run; all overloads of a function."""
    return _final(module, scope, name)


def _module_member(resolver: Resolver, module: str, name: str) -> Values:
    entry = resolver.table.get(module)
    if entry is None:
        child = resolver.table.child(module, name)
        return (ModuleValue(child),) if child else (External(f"{module}.{name}"),)
    bindings = _final(entry, 0, name)
    source = own_source(resolver, entry, name, bindings) if entry.is_stub and bindings else None
    if source is not None:
        return module_member(resolver, source.key, name)
    if bindings:
        frame = resolver.frame(module, 0)
        values = _in_place(resolver, _placed(resolver, bindings, frame))
        if entry.is_stub and all(isinstance(v, Instance) for v in values):
            # A stub may describe a function by an object that can be called: `shutil.rmtree`.
            dotted = f"{entry.dotted}.{name}"
            if resolver.catalogue.function(dotted) is not None:
                return (External(dotted),)
            if resolver.catalogue.is_class(dotted):
                # Of `connection: Any` the entry says more.
                return (ExternalInstance(dotted),)
        if not resolver.known(values) and entry.is_project:
            values = union((values, _given_to_keep(resolver, module, bindings)))
        values = _by_public_name(resolver, entry, name, values)
        return values or resolver.unresolved(module, name)
    child = resolver.table.child(module, name)
    if child is not None:
        # `from .Client import *` binds the module first, and then the class that is called so.
        is_own = child in _star_sources(entry, resolver, name)
        return module_member(resolver, child, name) if is_own else (ModuleValue(child),)
    starred = _from_stars(resolver, module, name)
    if starred is not None:
        return starred
    source = resolver.table.source(entry) if entry.is_stub else None
    if source is not None and name in source.facts.scopes[0].bindings:
        return module_member(resolver, source.key, name)  # The stub leaves it out.
    late = _loaded_late(resolver, entry, name) or resolver.unresolved(module, name)
    if not late and not name.startswith("__"):
        late = union(resolver.attribute(value, name) for value in _stand_ins(resolver, entry))
    return late or (External(f"{entry.dotted}.{name}"),)


def _by_public_name(resolver: Resolver, module: Module, name: str, values: Values) -> Values:
    """What no source shows of a package goes by the name that the catalogue has for it.

    A package may define in a compiled module what it lets others import, or in one that is too
    large to be read: `from kubernetes.client.api.core_v1_api import CoreV1Api`.
    """
    if module.is_project or len(values) != 1 or not isinstance(values[0], External):
        return values
    catalogue, dotted = resolver.catalogue, f"{module.dotted}.{name}"
    hidden, public = (
        catalogue.is_class(spelled) or catalogue.function(spelled) is not None
        for spelled in (values[0].name, dotted)
    )
    return (External(dotted),) if public and not hidden else values


def _stand_ins(resolver: Resolver, module: Module) -> Values:
    """What a module puts in its own place: `sys.modules[__name__] = value`."""
    frame = resolver.frame(module.key, 0)
    return union(resolver.bound(binding, frame) for binding in _final(module, 0, ""))


def _loaded_late(resolver: Resolver, module: Module, name: str) -> Values:
    """What the module's own `__getattr__` may give for a name."""
    if module.is_stub or name.startswith("__"):
        return ()
    found: list[Values] = []
    for binding in _final(module, 0, "__getattr__"):
        if isinstance(binding.value, FunctionRef):
            getter = FunctionValue(module.name, binding.value.number)
            found.append(resolver.function_result(getter, ((0, (ConstantValue(name),)),)))
    values = union(found)
    # Which branch is for which name shows in the names of what the branches return.
    called_so = tuple(v for v in values if own_name(resolver, v) == name)
    return called_so or (values if len(values) == 1 else ())


def own_name(resolver: Resolver, value: Value) -> str:
    """The last part of the name under which something is defined."""
    if isinstance(value, (FunctionValue, ClassValue)):
        module = resolver.table.get(value.module)
        if module is None:
            return ""
        is_class = isinstance(value, ClassValue)
        owners = module.facts.classes if is_class else module.facts.functions
        return owners[value.number].name
    full = value.name if isinstance(value, (External, ModuleValue)) else ""
    return full.rpartition(".")[2]


def _from_stars(resolver: Resolver, module: str, name: str) -> Values | None:
    entry = resolver.table.get(module)
    if entry is None:
        return None
    for source in _star_sources(entry, resolver, name):
        return module_member(resolver, source, name)
    return None


def _star_sources(entry: Module, resolver: Resolver, name: str) -> list[str]:
    """Modules that a `*` import takes this name from, the last one first, as it wins."""
    found = []
    for star in reversed(entry.facts.scopes[0].stars):
        source = resolver.table.imported(entry, star.module, star.level)
        if _exports(resolver, source, name, set()):
            found.append(source)
    return found


def _exports(resolver: Resolver, module: str, name: str, seen: set[str]) -> bool:
    if module in seen or not resolver.table.mentions(module, name):
        return False
    seen.add(module)
    entry = resolver.table.get(module)
    if entry is None:
        return False
    exports = entry.facts.exports
    if exports is not None and name not in exports:
        return False
    if exports is None and name.startswith("_"):
        return False
    if name in entry.facts.scopes[0].bindings:
        return True
    return any(
        _exports(resolver, resolver.table.imported(entry, star.module, star.level), name, seen)
        for star in entry.facts.scopes[0].stars
    )


def _final(module: Module, scope: int, name: str) -> tuple[Binding, ...]:
    found = module.facts.scopes[scope].bindings.get(name, ())
    if len(found) < 2:
        return found
    reached = module.reaching(scope, name, 0, ANY_TIME)
    if len(reached) == len(found):
        return reached
    overloads = tuple(b for b in found if b not in reached and _is_overload(module, b))
    return (*overloads, *reached)


def _is_overload(module: Module, binding: Binding) -> bool:
    """A stub's `@overload`, or the getter that a later `@name.setter` takes up."""
    if not isinstance(binding.value, FunctionRef):
        return False
    names = {
        d.id if isinstance(d, Name) else d.name if isinstance(d, Attr) else ""
        for d in module.facts.functions[binding.value.number].decorators
    }
    return bool(names & {"overload", "property", "cached_property", "hybrid_property"})


def _placed(
    resolver: Resolver, bindings: tuple[Binding, ...], frame: Frame
) -> tuple[Definition, ...]:
    """Bindings with their frames: another function's `global` assignment is read in its own."""
    return tuple(
        Definition(b, frame if b.scope == frame.scope else resolver.frame(frame.module, b.scope))
        for b in bindings
    )


def _enclosing(frame: Frame | None, scope: int) -> Frame | None:
    """The frame of an enclosing scope, where the current one remembers it."""
    while frame is not None and frame.scope != scope:
        frame = frame.outer
    return frame
