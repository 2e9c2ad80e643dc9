"""Attributes: lookup on modules, classes and instances, through bases, properties and `super()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Attr, Binding, Call, Expr, Filled, FunctionRef, Imported
from loopsafe.resolve.containers import filled
from loopsafe.resolve.dynamic import getters_of, made_by_name
from loopsafe.resolve.names import final_bindings, module_member
from loopsafe.resolve.naming import decorator_names, dotted_name, is_property, scope_of
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    OffloadingValue,
    PartialValue,
    SuperValue,
    TupleValue,
    Value,
    Values,
    is_same_class,
    union,
)
from loopsafe.resolve.variables import type_parameters

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


class Member(NamedTuple):
    """A class's attribute, and the class in the order of lookup that has it."""

    owner: ClassValue | External
    bindings: tuple[Binding, ...]
    """In the class body, or, if there is none, stored by its methods."""
    stored: tuple[Binding, ...]


def attribute(resolver: Resolver, value: Value, name: str) -> Values:
    """What `value.name` may be."""
    if isinstance(value, ModuleValue):
        return module_member(resolver, value.name, name)
    if isinstance(value, Instance):
        if name == "__class__":
            return (value.cls,)
        return _remembered(resolver, value.cls, name, bound=True)
    if isinstance(value, ClassValue):
        return _remembered(resolver, value, name, bound=False)
    if isinstance(value, External):
        return _outside(value.name, name)
    if isinstance(value, ExternalInstance):
        return _external_attribute(resolver, value.name, name)
    if isinstance(value, SuperValue):
        member = find(resolver, value.receiver, name, after=value.after)
        if member is None:
            return _of_object(resolver, name)
        return member_values(resolver, member, name, value.receiver, True)
    if isinstance(value, ConstantValue) and value.value is not None:
        kind = type(value.value).__name__
        return union(attribute(resolver, v, name) for v in resolver.builtin(kind))
    if isinstance(value, TupleValue):
        return union(attribute(resolver, v, name) for v in resolver.builtin("tuple"))
    return ()


def find(
    resolver: Resolver, cls: ClassValue, name: str, after: ClassValue | None = None
) -> Member | None:
    """The first class in the order of lookup that has an attribute.

    One that only puts something into it (`self.rows.append(row)`) counts where none makes it. A
    class whose source is not at hand counts where the catalogue knows the attribute of it, or where
    no other class has it.
    """
    if after is not None:
        return _found(resolver, cls, name, after)
    found = resolver.remember(
        ("find", cls, name), cls.module, lambda: _found(resolver, cls, name, None)
    )
    return found or None


def _found(
    resolver: Resolver, cls: ClassValue, name: str, after: ClassValue | None
) -> Member | None:
    passed = after is None
    filling: Member | None = None
    unseen: Member | None = None
    for owner in resolver.mro(cls):
        if not passed:
            passed = after is not None and is_same_class(owner, after)
            continue
        if isinstance(owner, External):
            known = resolver.knowledge(owner)
            if filling is not None or (known is not None and known.mentions(name)):
                return filling or Member(owner, (), ())
            unseen = unseen or Member(owner, (), ())
            continue
        if unseen is not None and owner.module == "builtins":
            continue  # What `object` has, every class may have of its own.
        module = resolver.table.get(owner.module)
        if module is None:
            continue
        facts = module.facts.classes[owner.number]
        bindings = final_bindings(module, facts.scope, name)
        stored = facts.attributes.get(name, ())
        if bindings or any(not isinstance(binding.value, Filled) for binding in stored):
            return Member(owner, bindings, stored)
        if stored and filling is None:
            filling = Member(owner, bindings, stored)
    unlisted = None if filling or unseen else _unlisted(resolver, cls, name)
    if after is not None and unlisted is not None and unlisted.owner == after:
        return None  # Nothing comes behind what no stub lists.
    return filling or unseen or unlisted


def _unlisted(resolver: Resolver, cls: ClassValue, name: str) -> Member | None:
    """An attribute that the stub of a class leaves out, and its source has."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not module.is_stub or not isinstance(owner, ClassValue):
            continue
        source = resolver.source(owner)
        home = resolver.table.get(source.module) if source is not None else None
        if source is None or home is None or home.is_stub:
            continue
        facts = home.facts.classes[source.number]
        bindings = final_bindings(home, facts.scope, name)
        stored = facts.attributes.get(name, ())
        if bindings or stored:
            return Member(source, bindings, stored)
    return None


def _remembered(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    def compute() -> Values:
        member = find(resolver, cls, name)
        if member is None and (given := _of_object(resolver, name)):
            return given
        if member is None:
            known = dict(cls.holds).get(name, ()) or _known_attribute(resolver, cls, name)
            known = known or (_delegated(resolver, cls, name) if bound else ())
            known = known or made_by_name(resolver, cls, name, bound)
            known = known or (() if bound else resolver.of_metaclass(cls, name))
        else:
            known = member_values(resolver, member, name, cls, bound)
        return known if bound else _held_by(resolver, cls, known)

    return resolver.remember(("attribute", cls, name, bound), cls.module, compute)


def _of_object(resolver: Resolver, name: str) -> Values:
    """What every class has, and none inherits here: `__new__`."""
    base = resolver.named("builtins.object") if name == "__new__" else ()
    return union(attribute(resolver, cls, name) for cls in base)


def member_values(
    resolver: Resolver, member: Member, name: str, cls: ClassValue, bound: bool
) -> Values:
    """What a class, or an object of it, gives for an attribute that one of its bases has."""
    owner = member.owner
    if isinstance(owner, External):
        return _declared(resolver, cls, name) or _external_attribute(resolver, owner.name, name)
    is_own = owner.definition == cls.definition
    if bound and name in _STOOD_FOR and not is_own and is_enumeration(resolver, cls):
        stands_for = dict(cls.holds).get("value", ()) or resolver.of_any(cls, name)
        if stands_for:
            return stands_for
    found: list[Values] = []
    declared = resolver.frame(owner.module, scope_of(resolver, owner), cls)
    for binding in member.bindings:
        if isinstance(binding.value, FunctionRef):
            method = FunctionValue(owner.module, binding.value.number, cls, bound, owner.outer)
            held = _method(resolver, method)
            found.append(_through_descriptors(resolver, owner, cls, held) if bound else held)
        elif bound and (getters := getters_of(resolver, binding, declared)):
            found.extend(resolver.function_result(getter, ()) for getter in getters)
        elif binding.value is not None and is_enumeration(resolver, cls):
            found.append(resolver.listed(cls, binding, declared))
        else:
            held = resolver.bound(binding, declared)
            if bound:
                held = _held_by(resolver, cls, held)
                is_imported = isinstance(binding.value, Imported)
                held = _through_descriptors(resolver, owner, cls, held, is_imported)
            found.append(held)
    found.extend(
        resolver.bound(binding, resolver.frame(owner.module, binding.scope, cls))
        for binding in member.stored
        if not isinstance(binding.value, Filled)
    )
    if not member.bindings and any(_is_around(b.value, name) for b in member.stored):
        inner = find(resolver, cls, name, after=owner)
        found.append(member_values(resolver, inner, name, cls, bound) if inner else ())
    if bound:
        found.append(dict(cls.holds).get(name, ()))
    containers = union(found)
    found.extend(
        filled(resolver, containers, filling.element, frame)
        for filling, frame in _fillings(resolver, cls, name)
    )
    values = union(found)
    if bound and not resolver.known(values):
        values = union((values, _by_source(resolver, member, name, cls)))
        if not resolver.known(values) and not cls.holds and is_enumeration(resolver, cls):
            values = resolver.of_any(cls, name)
    return values or _known_attribute(resolver, cls, name)


def _is_around(value: Expr | None, name: str) -> bool:
    """Whether an object keeps what is made of its own method: `self.load = traced(self.load)`."""
    return isinstance(value, Call) and any(
        isinstance(arg, Attr) and arg.name == name for arg in value.args
    )


def is_enumeration(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a class is an `Enum`, whose body lists its objects."""
    found = resolver.remember(
        ("enumeration", cls.module, cls.number),
        cls.module,
        lambda: (ConstantValue(_is_enumeration(resolver, cls)),),
    )
    return found == (ConstantValue(True),)


def _is_enumeration(resolver: Resolver, cls: ClassValue) -> bool:
    module = resolver.table.get(cls.module)
    return (
        module is not None
        and module.is_project
        and any(dotted_name(resolver, base) == "enum.Enum" for base in resolver.mro(cls)[1:])
    )


def _held_by(resolver: Resolver, cls: ClassValue, values: Values) -> Values:
    """What a class makes of objects that it holds, as the catalogue knows: a field of a model is a
    descriptor, and a manager is for the model's own objects."""
    found: list[Values] = []
    for value in values:
        bases = resolver.mro(value.cls) if isinstance(value, Instance) else ()
        known = [(b, entry) for b in bases if (entry := resolver.knowledge(b)) is not None]
        other = next((entry.becomes for _, entry in known if entry.becomes), "")
        generic = next((b for b, entry in known if entry.of_holder), None)
        if other:
            found.append(resolver.instance_of(other))
        elif isinstance(value, Instance) and generic is not None and not any(value.cls.arguments):
            names = type_parameters(resolver, generic) if isinstance(generic, ClassValue) else ()
            arguments: tuple[Values, ...] = ((Instance(cls),),) * max(len(names), 1)
            found.append((Instance(value.cls._replace(arguments=arguments)),))
        else:
            found.append((value,))
    return union(found)


def _by_source(resolver: Resolver, member: Member, name: str, cls: ClassValue) -> Values:
    """What a package's text tells of an attribute that no annotation tells of."""
    owner = member.owner
    source = resolver.source(owner) if isinstance(owner, ClassValue) else None
    if source is None:
        return ()
    if isinstance(owner, ClassValue) and source.module == owner.module:
        return resolver.kept(cls, owner, member.stored) if member.stored else ()
    found = find(resolver, source, name)
    return member_values(resolver, found, name, cls, True) if found is not None else ()


def _fillings(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[tuple[Filled, Frame]]:
    """What a class and its bases put into an attribute, whichever of them makes it."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not isinstance(owner, ClassValue):
            continue
        for binding in module.facts.classes[owner.number].attributes.get(name, ()):
            if isinstance(binding.value, Filled):
                yield binding.value, resolver.frame(owner.module, binding.scope, cls)


def _through_descriptors(
    resolver: Resolver,
    owner: ClassValue,
    cls: ClassValue,
    held: Values,
    is_imported: bool = False,
) -> Values:
    """What an object gives where its class holds these: a descriptor's `__get__` decides.

    A method under a second name is bound as under its first: `__enter__ = acquire`. So is what a
    function makes for the class, `get = request_of("GET")`, and what its body imports.
    """
    found: list[Values] = []
    module = resolver.table.get(owner.module)
    for value in held:
        if isinstance(value, FunctionValue) and module is not None and value.receiver is None:
            is_own = value.module == owner.module
            is_own = is_own and module.facts.functions[value.number].owner == owner.number
            is_own = is_own or value.outer is not None or is_imported
            found.append((value._replace(receiver=cls, bound=True) if is_own else value,))
            continue
        if isinstance(value, PartialValue) and isinstance(value.function, FunctionValue):
            # `partialmethod` of one of the class's own.
            inner = value.function
            home = resolver.table.get(inner.module)
            is_own = home is not None and home.facts.functions[inner.number].owner == owner.number
            is_own = is_own and inner.module == owner.module and inner.receiver is None
            inner = inner._replace(receiver=cls, bound=True) if is_own else inner
            found.append((value._replace(function=inner),))
            continue
        got: Values = ()
        if isinstance(value, Instance) and find(resolver, value.cls, "__get__") is not None:
            got = union(resolver.called(get) for get in resolver.attribute(value, "__get__"))
        found.append(got or (value,))
    return union(found)


def _method(resolver: Resolver, method: FunctionValue) -> Values:
    names = decorator_names(resolver, method)
    if not names:
        return (method,)
    shorts = {name.rpartition(".")[2] for name in names}
    if is_property(names):
        return resolver.function_result(method._replace(bound=True), ()) if method.bound else ()
    if "staticmethod" in shorts:
        return resolver.decorated(method._replace(bound=False, receiver=None))
    if "classmethod" in shorts:
        return resolver.decorated(method._replace(bound=True))
    return resolver.decorated(method)


def _delegated(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """What a class's own `__getattr__` gives for a name that it has not."""
    member = find(resolver, cls, "__getattr__") if not name.startswith("__") else None
    owner = member.owner if member is not None else None
    source = resolver.source(owner) if isinstance(owner, ClassValue) else None
    if source is not None and source is not owner:
        member = find(resolver, source, "__getattr__")  # What stands behind the stub.
    if member is None or not isinstance(member.owner, ClassValue):
        return ()
    module = resolver.table.get(member.owner.module)
    if module is None or module.is_stub:
        return ()
    getters = (b.value for b in member.bindings if isinstance(b.value, FunctionRef))
    values: tuple[tuple[int, Values], ...] = ((1, (ConstantValue(name),)),)
    found = union(
        resolver.function_result(
            FunctionValue(member.owner.module, getter.number, cls, True, member.owner.outer), values
        )
        for getter in getters
    )
    # Which of several ways is for which name, nobody can tell.
    return found if len(found) <= (1 if module.is_project else _MOST_WAYS) else ()


def _known_attribute(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """An attribute that the source does not show and the catalogue knows."""
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is None:
            continue
        if sister := known.sister(name):
            given = resolver.attribute(Instance(cls), sister)
            return tuple(OffloadingValue(value) for value in given)
        if name in known.attributes:
            return resolver.given_by(known.attributes[name])
        dotted = dotted_name(resolver, owner)
        if dotted and (known.blocking(name) is not None or name in known.returns):
            return (External(f"{dotted}.{name}"),)
        if "__getattr__" in known.returns and not name.startswith("__"):
            return resolver.given_by(known.returns["__getattr__"])
    return ()


def _declared(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """An attribute that the catalogue knows of any base whose source is not at hand."""
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner) if isinstance(owner, External) else None
        if known is not None and name in known.attributes:
            return resolver.given_by(known.attributes[name])
    return ()


def _external_attribute(resolver: Resolver, cls: str, name: str) -> Values:
    known = resolver.catalogue.klass(cls)
    if known is not None and name in known.attributes:
        return resolver.given_by(known.attributes[name])
    if (
        known is not None
        and "__getattr__" in known.returns
        and name not in known.returns
        and not name.startswith("__")
        and known.blocking(name) is None
    ):
        return resolver.given_by(known.returns["__getattr__"])
    return _outside(cls, name)


def _outside(owner: str, name: str) -> Values:
    """An attribute of what nobody sees; unknown far from any name that a library may have.

    A function that calls itself with `part.base` would otherwise never come to an end.
    """
    return (External(f"{owner}.{name}"),) if owner.count(".") < _LONGEST_NAME else ()


_STOOD_FOR = ("value", "_value_")
"""What the members of an enumeration stand for, which no annotation tells."""

_MOST_WAYS = 3
"""Of what a package gives for a name that it makes up, such as a part of a path and its end."""

_LONGEST_NAME = 8
"""Dots in the name of something that nobody sees."""
