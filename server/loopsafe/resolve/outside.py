"""What objects get from elsewhere: `app.state.client = Client()`, `app["db"] = connect()`.

Also those that only a subclass in the project has (a bot's `self.store`, read as `ctx.bot.store`,
or a page's `self.load()`), and what constructors are given where no annotation says it:
`Service(Client())`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Assigned, Attr, Binding, Call, Filled, ModuleFacts, Name, last_name
from loopsafe.facts.keyed import any_key
from loopsafe.modules.finder import Origin
from loopsafe.resolve.below import Below
from loopsafe.resolve.finding import Member, find
from loopsafe.resolve.handed import FUNCTIONS, given_on, passed_on
from loopsafe.resolve.held import field_arguments, holding
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    TupleValue,
    Value,
    Values,
    is_same_class,
    union,
    without_none,
)

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 16
"""An attribute that more places give a value says little about any of them."""


_MOST_CLASSES = 3
"""Objects of more classes that an object is made with may be anything."""


class _Stored(NamedTuple):
    """Where the project gives an attribute of some name a value."""

    module: str
    assigned: Assigned | None
    owner: int
    """Index of the class whose methods do it to `self`; -1 where it is done from outside."""


class Made(NamedTuple):
    """A call of something that has the name of a class or a function."""

    module: str
    call: Call
    scope: int


class Outside:
    """Finds by its name what the project's modules store as an attribute, or make objects with."""

    def __init__(self) -> None:
        self.project: Callable[[], Iterable[Module]] = tuple
        """The modules to look in."""
        self._stored = NameIndex("stored", _stored_outside_tests)
        self._among = NameIndex("among", _packages)
        self._calls: dict[str, list[Made]] = {}
        """By the name of what is called."""
        self._own_calls: dict[tuple[str, str], list[Made]] = {}
        """In modules that do not speak of the name but where they define it."""
        self._below = Below(lambda: (module for module in self.project() if not is_test(module)))

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._stored.forget(changed)
        self._among.forget(changed)
        self._calls.clear()
        self._own_calls.clear()
        self._below.forget(changed)

    def attribute(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` may be for values that do not show it themselves.

        Or what they hold by key, with a name as `keyed` gives it.
        """
        places = self._stored.at(resolver.table, self.project, name)
        kinds = {
            kind
            for value in without_none(values)
            if not (name.startswith("[") and _is_container(resolver, value))
            for kind in _kinds(resolver, value)
        }
        if places and kinds and len(places) <= _MOST:
            held = [_held(resolver, place, name, kinds) for place in places]
            found = union(values for values in held if values is not None)
            if found:
                return found if () not in held else ()
        if places and "[" in name:
            shared = name.partition("[")[0] or _shared(resolver, values)
            if not shared or name == any_key(name):
                return ()
            return _agreed(resolver, places, shared, is_known=bool(values))
        below = self._below.method(resolver, values, name)
        if below:
            return below
        return union(
            self._given(resolver, value.cls, name)
            for value in values
            if isinstance(value, Instance)
        )

    def modules_in(self, resolver: Resolver, package: str) -> Sequence[str]:
        """The project's modules somewhere below a package, but those for tests."""
        return self._among.at(resolver.table, self.project, package)

    def subclasses(self, resolver: Resolver, cls: ClassValue) -> Values:
        """The project's classes below one of its own."""
        return self._below.classes(resolver, cls)

    def classes_of(self, resolver: Resolver, cls: ClassValue) -> Values:
        """The project's classes that a metaclass makes."""
        return self._below.made_by(resolver, cls)

    def is_given(self, resolver: Resolver, name: str) -> bool:
        """Whether some code gives an object of somebody else, or one of a subclass, an attribute
        of this name."""
        return bool(self._stored.at(resolver.table, self.project, name))

    def _given(self, resolver: Resolver, cls: ClassValue, name: str) -> Values:
        """What every call that makes such an object gives it to keep, if they agree on a class.

        Of what is there to be called, each of a few may be meant: `Tool(run=search)`. So may be
        objects of a few classes, `Service(Remote())` and `Service(Local())`, if all are known.
        """
        module = resolver.table.get(cls.module)
        member = find(resolver, cls, name)
        if module is None or not module.is_project or member is None:
            return ()
        stored = [binding for binding in member.stored if isinstance(binding.value, Name)]
        if not stored and not _is_field(member):
            return ()
        if isinstance(member.owner, ClassValue):
            home = member.owner.module
            put = [resolver.handed.stored(resolver, b.value, home, b.scope) for b in stored]
            if any(put):
                return union(put)
        found: list[Values] = []
        calls = self.calls_of(resolver, module, module.facts.classes[cls.number].name)
        for made in (*calls, *_made_by_itself(module, cls.number)):
            frame = resolver.frame(made.module, made.scope)
            for callee in resolver.values(made.call.func, frame):
                if isinstance(callee, ClassValue) and is_same_class(callee, cls):
                    held = dict(holding(resolver, callee, made.call, frame).holds).get(name, ())
                    held = held or passed_on(resolver, member, stored, made)
                    field = None if held or stored else _field(resolver, callee, name, made)
                    held = given_on(resolver, field, made) if field is not None else held
                    found.append(resolver.known(held))
        values = resolver.real(union(found))
        if all(isinstance(value, FUNCTIONS) for value in values):
            return values
        if () in found or not _are_of_few_classes(resolver, values, found):
            return ()
        return values

    def calls_of(self, resolver: Resolver, home: Module, name: str) -> list[Made]:
        """Calls of what has the name of something that a module defines, except those of tests."""
        table = resolver.table
        trace = table.trace | table.bit(("made", name)) | home.bit
        calls = self._calls.get(name)
        if calls is None:
            speaking = (module for module in self.project() if name in module.facts.words)
            calls = self._calls[name] = [made for m in speaking for made in _calls_in(m, name)]
        if name not in home.facts.words:
            # What a module calls of its own, it need not speak of by an attribute or an import.
            own = self._own_calls.get((home.key, name))
            if own is None:
                own = self._own_calls[home.key, name] = list(_calls_in(home, name))
            calls = [*own, *calls]
        table.trace = trace
        return calls


def _calls_in(module: Module, name: str) -> Iterator[Made]:
    """The calls of what has a name in a module, unless it is for tests."""
    for function in module.facts.functions if not is_test(module) else ():
        for site in function.sites:
            if isinstance(site.expr, Call) and last_name(site.expr.func) == name:
                yield Made(module.name, site.expr, site.scope)


def _made_by_itself(module: Module, number: int) -> Iterator[Made]:
    """Where a class makes an object of itself: `return cls(client)`, in a class method."""
    for function in module.facts.functions:
        if function.owner != number or not function.parameters:
            continue
        own = function.parameters[0].name
        if not any(last_name(decorator) == "classmethod" for decorator in function.decorators):
            continue
        for site in function.sites:
            func = site.expr.func if isinstance(site.expr, Call) else None
            if isinstance(func, Name) and func.id == own and isinstance(site.expr, Call):
                yield Made(module.name, site.expr, site.scope)


def _packages(module: Module) -> Iterator[tuple[str, str]]:
    """The packages that a module is in."""
    package = module.dotted
    while not is_test(module) and "." in package:
        package = package.rpartition(".")[0]
        yield package, module.name


def stored_names(facts: ModuleFacts) -> Iterator[str]:
    """Names of attributes that a module may give to objects from elsewhere."""
    return (name for name, _ in _stored("", facts))


def _stored_outside_tests(module: Module) -> Iterable[tuple[str, _Stored]]:
    return () if is_test(module) else _stored(module.name, module.facts)


def _stored(module: str, facts: ModuleFacts) -> Iterator[tuple[str, _Stored]]:
    for assigned in facts.assigned:
        yield assigned.name, _Stored(module, assigned, -1)
        if any_key(assigned.name):
            yield any_key(assigned.name), _Stored(module, assigned, -1)
    for number, cls in enumerate(facts.classes):
        if cls.bases:
            for name in cls.attributes:
                yield name, _Stored(module, None, number)


def _held(resolver: Resolver, place: _Stored, name: str, kinds: set[object]) -> Values | None:
    """What one place stores, if it is in an object of one of these kinds; nothing if it is None."""
    if place.assigned is None:
        cls = ClassValue(place.module, place.owner)
        bases = (kind for base in resolver.mro(cls)[1:] for kind in _kinds(resolver, base))
        stored = resolver.attribute(Instance(cls), name) if not kinds.isdisjoint(bases) else None
    else:
        binding = place.assigned.binding
        frame = _read_in(resolver, place.module, binding)
        targets = resolver.values(place.assigned.target, frame)
        lineage = (kind for target in targets for kind in _lineage(resolver, target))
        is_meant = not isinstance(binding.value, Filled) and not kinds.isdisjoint(lineage)
        stored = resolver.bound(binding, frame) if is_meant else None
    return (resolver.known(stored) or None) if stored else stored


def _agreed(
    resolver: Resolver, places: Sequence[_Stored], attribute: str, is_known: bool
) -> Values:
    """What is kept under a key of an attribute, in objects that nobody knows, if all agree.

    `settings["git"]` of a handler is most likely what some `web_app.settings["git"]` was given.
    Where nobody knows in what the key is looked up, it may be an object of a library, too.
    """
    found: list[Values] = []
    for place in places[: _MOST + 1]:
        binding = place.assigned.binding if place.assigned is not None else None
        if place.assigned is None or binding is None or isinstance(binding.value, Filled):
            continue
        target, own = place.assigned.target, place.assigned.name
        frame = _read_in(resolver, place.module, binding)
        is_it = own[0] != "[" or (isinstance(target, Attr) and target.name == attribute)
        owners = resolver.values(target, frame) if is_it else ()
        is_foreign = not is_known and all(isinstance(v, ExternalInstance) for v in owners)
        if is_it and (not owners or is_foreign):
            found.append(resolver.known(resolver.bound(binding, frame)))
    values = union(found)
    kinds = {kind for value in values for kind in _kinds(resolver, value)}
    return values if len(kinds) == 1 and () not in found and len(places) <= _MOST else ()


def _shared(resolver: Resolver, values: Values) -> str:
    """The name of an attribute that a class of a known framework has, if nobody sees more of it.

    `self.settings` of a handler is the same object as that of an application or an extension.
    """
    value = values[0] if len(values) == 1 else None
    if not isinstance(value, External) or resolver.catalogue.member(value.name) is None:
        return ""
    return value.name.rpartition(".")[2]


def _read_in(resolver: Resolver, name: str, binding: Binding) -> Frame:
    """The frame in which a binding is read that a function gives to an object of somebody else."""
    module = resolver.table.get(name)
    scope = module.facts.scopes[binding.scope] if module is not None else None
    if module is not None and scope is not None and scope.kind == "function":
        resolver.table.inside(module, scope.owner)
    return resolver.frame(name, binding.scope)


def _lineage(resolver: Resolver, value: Value) -> Iterator[object]:
    """The kinds of what a value is, and of its bases."""
    cls = value.cls if isinstance(value, Instance) else value
    for base in resolver.mro(cls) if isinstance(cls, ClassValue) else (value,):
        yield from _kinds(resolver, base)


def _kinds(resolver: Resolver, value: Value) -> Iterator[object]:
    """What two values must share for an attribute of one to be one of the other."""
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassValue):
        yield cls.definition
    elif isinstance(cls, (External, ExternalInstance)):
        yield resolver.catalogue.canonical(cls.name)
    elif isinstance(cls, ModuleValue):
        yield cls.name
    elif isinstance(cls, TupleValue):
        yield "tuple"
    elif isinstance(cls, FunctionValue):
        yield "function", *cls.definition


def _is_container(resolver: Resolver, value: Value) -> bool:
    """Whether it is a class of the standard library that holds things: one of many dictionaries."""
    cls = value.cls if isinstance(value, Instance) else value
    module = resolver.table.get(cls.module) if isinstance(cls, ClassValue) else None
    return module is not None and module.file.origin is Origin.TYPESHED


def _are_of_few_classes(resolver: Resolver, values: Values, found: Iterable[Values]) -> bool:
    """Whether what calls give is of a class that they agree on, or each gives an object of one.

    A call that itself may give one or the other says about neither that it runs.
    """
    kinds = {kind for value in values for kind in _kinds(resolver, value)}
    if len(kinds) <= 1:
        return bool(kinds)
    are_objects = all(isinstance(value, (Instance, ExternalInstance)) for value in values)
    each = [{k for v in resolver.real(held) for k in _kinds(resolver, v)} for held in found]
    return are_objects and len(kinds) <= _MOST_CLASSES and all(len(own) <= 1 for own in each)


def _field(resolver: Resolver, cls: ClassValue, name: str, made: Made) -> Name | None:
    """The name that a call gives to a field: `Tool(run=function)`."""
    given = field_arguments(resolver, cls, made.call).get(name)
    return given if isinstance(given, Name) else None


def _is_field(member: Member) -> bool:
    """Whether a class names an attribute of its objects and gives it nothing: a field."""
    return any(b.value is None and b.annotation is not None for b in member.bindings)


def is_test(module: Module) -> bool:
    """Whether a module is for tests, which give objects what stands in for the real."""
    parts = module.dotted.split(".")
    return any(part in ("tests", "conftest") or part.startswith("test_") for part in parts)
