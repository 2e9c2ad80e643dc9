"""What tables give by key: what other places put there, and what a key that is a class tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Const, DictDisplay, Filled, Name, Subscript, last_name
from loopsafe.facts.keyed import any_key, keyed
from loopsafe.resolve.containers import entry_values, filling_of, is_plain, item_of, literal_key
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import module_member, own_name, qualified
from loopsafe.resolve.naming import annotated_names
from loopsafe.resolve.special import is_telling, shape_of, shaped
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    Instance,
    ModuleValue,
    Values,
    union,
    without_none,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def named_globally(resolver: Resolver, expr: Subscript, keys: Values, frame: Frame) -> Values:
    """What a module has under a name that is a text: `globals()["load"]`.

    Or a module by its name, the own one: `sys.modules[__name__]`.
    """
    call = expr.value
    if last_name(call) == "modules" and qualified(resolver, call, frame) == _MODULES:
        return _imported(resolver, expr, keys, frame)
    if not isinstance(call, Call) or last_name(call.func) != "globals":
        return ()
    if not any(own_name(resolver, v) == "globals" for v in resolver.values(call.func, frame)):
        return ()
    names = {key.value for key in keys if isinstance(key, ConstantValue)}
    shape = shape_of(resolver, expr.key, frame)
    if not names and is_telling(shape):
        return shaped(resolver, ModuleValue(frame.module), shape)
    texts = sorted(name for name in names if isinstance(name, str))
    return union(module_member(resolver, frame.module, name) for name in texts)


def _imported(resolver: Resolver, expr: Subscript, keys: Values, frame: Frame) -> Values:
    """The modules that the table of those which are imported has under a key."""
    importer = resolver.table.get(frame.module)
    if isinstance(expr.key, Name) and expr.key.id == "__name__":
        return (ModuleValue(frame.module),)
    names = [key.value for key in keys if isinstance(key, ConstantValue)]
    texts = [name for name in names if isinstance(name, str) and name]
    if importer is None:
        return ()
    return tuple(ModuleValue(resolver.table.imported(importer, text, 0)) for text in texts)


def kept(resolver: Resolver, expr: Subscript, keys: Values, frame: Frame) -> Values:
    """What other places put under a key of an object: `request.app["db"]`."""
    places = list(keyed(_spelled(resolver, expr, keys)))
    if not isinstance(expr.key, Const):
        # Which of the entries a variable means, nobody can tell.
        places += [(owner, any_key(name)) for owner, name in places if any_key(name)]
    for owner, name in places:
        owners = resolver.values(owner, frame)
        values = resolver.outside.attribute(resolver, owners, name)
        if values:
            return of_class(resolver, values, keys)
    return ()


def kept_exactly(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    """What other places put under the last of several keys, where that one is a constant."""
    for owner, name in keyed(expr):
        if ":" in name:
            values = resolver.outside.attribute(resolver, resolver.values(owner, frame), name)
            if values:
                return values
    return ()


def looked_up(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> Values:
    """What `table.get("key", default)` gives, where the table's own text or class tells it."""
    if not isinstance(call.func, Attr) or not call.args:
        return ()
    lookup = Subscript(call.func.value, call.args[0])
    found = entry_values(resolver, lookup, frame) or entry_of_attribute(resolver, lookup, frame)
    found = found or field_of(resolver, cls, resolver.values(call.args[0], frame))
    if not found:
        return ()
    return union((found, *(resolver.values(default, frame) for default in call.args[1:2])))


def entry_of_attribute(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    """What stands behind a literal key in a dict that an object keeps: `self.handlers["csv"]`.

    Empty where its own text does not tell.
    """
    key = literal_key(resolver, expr.key, frame) if isinstance(expr.value, Attr) else None
    if key is None or not isinstance(expr.value, Attr):
        return ()
    owners = resolver.values(expr.value.value, frame)
    if expr.value.name in resolver.catalogue.words.yielded_names:
        if not isinstance(key, Const):
            return ()
        return resolver.yielding.entry(resolver, owners, expr.value.name, key.value)
    found: list[Values] = []
    for owner in owners:
        cls = owner.cls if isinstance(owner, Instance) else owner
        member = find(resolver, cls, expr.value.name) if isinstance(cls, ClassValue) else None
        if member is None or not isinstance(cls, ClassValue) or isinstance(member.owner, External):
            return ()
        for binding in (*member.bindings, *member.stored):
            inner = resolver.frame(member.owner.module, binding.scope, cls)
            value = binding.value
            if isinstance(value, Filled):
                found.append(filling_of(resolver, value, key, inner))
            elif (item := item_of(value, key)) is not None:
                found.append(resolver.values(item, inner))
            elif not isinstance(value, DictDisplay) or not is_plain(value, key):
                return ()
    return union(found)


def field_of(resolver: Resolver, cls: ClassValue, keys: Values) -> Values:
    """A field of a `TypedDict` by its name, or of a `NamedTuple` by its place."""
    return field_by(resolver, cls, keys) if keys and _has_fields(resolver, cls) else ()


def field_by(resolver: Resolver, cls: ClassValue, keys: Values) -> Values:
    """A field that a class names, by its name or its place."""
    literals = [key.value for key in keys if isinstance(key, ConstantValue)]
    fields = annotated_names(resolver, cls)
    chosen: list[str] = []
    for literal in literals:
        if isinstance(literal, str) and literal in fields:
            chosen.append(literal)
        elif isinstance(literal, int) and -len(fields) <= literal < len(fields):
            chosen.append(fields[literal])
    return union(resolver.attribute(Instance(cls), name) for name in chosen)


def _has_fields(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a class is a `TypedDict` or a `NamedTuple`, as far as its bases are known."""
    for base in resolver.mro(cls)[1:]:
        if isinstance(base, External) or own_name(resolver, base) in _RECORDS:
            return True
    return False


def of_class(resolver: Resolver, values: Values, keys: Values) -> Values:
    """Of what a table holds, what is most likely behind a class: `made[Client]` is a `Client`.

    Where nothing is of that class, what nobody knows, or else all of it: a protocol has no
    subclasses, and neither has an interface that is registered for what does its work.
    """
    if not keys or len(values) < _SEVERAL:
        return values
    wanted = {kind for kind in map(_kind, keys) if kind is not None}
    if len(wanted) < len(keys):
        return values
    lines = [(value, _lineage(resolver, value)) for value in values]
    related = tuple(value for value, line in lines if not wanted.isdisjoint(line))
    unknown = (value for value, line in lines if not line)
    return related or without_none(tuple(unknown)) or values


def _spelled(resolver: Resolver, expr: Subscript, keys: Values) -> Subscript:
    """A lookup with the name of the class in the place of that of a variable which has it."""
    key = keys[0] if len(keys) == 1 else None
    module = resolver.table.get(key.module) if isinstance(key, ClassValue) else None
    if module is None or not isinstance(key, ClassValue) or not isinstance(expr.key, Name):
        return expr
    return expr._replace(key=expr.key._replace(id=module.facts.classes[key.number].name))


def _kind(value: object) -> object:
    if isinstance(value, ClassValue):
        return value.definition
    return value.name if isinstance(value, External) else None


def _lineage(resolver: Resolver, value: object) -> set[object]:
    """The classes that an object, or what makes one, is of; none where its class is not known."""
    if isinstance(value, ExternalInstance):
        return {value.name}
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, (ClassValue, External)):
        return set()
    return {_kind(base) for base in resolver.mro(cls)} if isinstance(cls, ClassValue) else set()


_MODULES = "sys.modules"

_RECORDS = frozenset({"_TypedDict", "NamedTuple"})

_SEVERAL = 2
"""Of one there is nothing to choose."""
