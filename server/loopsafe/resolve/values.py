"""Abstract values: what an expression may be when the program runs.

`Values` is a tuple without repeats; empty means unknown, and unknown is never a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from loopsafe.facts.ir import Attr, Call, Literal
from loopsafe.record import Record

LIMIT = 12
"""A union of more members than this says too little to follow; the rest is dropped."""

_LONGEST_TABLE = 60
"""Classes that stand in a list are told apart by their names where one of them is asked for."""


class Frame:
    """Where an expression is read: a scope of a module, entered in a certain way.

    Frames are interned by the resolver, so two of the same kind are the same object.
    """

    __slots__ = ("arguments", "depth", "module", "outer", "receiver", "scope")

    def __init__(
        self,
        module: str,
        scope: int,
        receiver: ClassValue | None,
        arguments: tuple[tuple[int, Values], ...],
        outer: Frame | None,
    ) -> None:
        self.module = module
        self.scope = scope
        self.receiver = receiver
        """The class of `self` (or `cls`) in a method, and in what is defined inside one."""
        self.arguments = arguments
        """What this call passes, by parameter index, where the signature does not say."""
        self.outer = outer
        """The frame of the enclosing function, where it is known."""
        self.depth: int = (outer.depth + 1 if outer else 0) + (1 if arguments else 0)


class ModuleValue(Record):
    """A module."""

    name: str


class ClassValue(Record):
    """A class whose definition is known; `arguments` are those of a generic class."""

    module: str
    number: int
    arguments: tuple[Values, ...] = ()
    outer: Frame | None = None
    holds: tuple[tuple[str, Values], ...] = ()
    """What the objects made at one place hold by attribute, where only that place tells."""
    literals: tuple[tuple[str, Values], ...] = ()
    """Those that such objects keep for conditions of their methods, by attribute."""

    @property
    def definition(self) -> tuple[str, int]:
        """Which class it is, whatever else is told of it: the module, and the index in it."""
        return self.module, self.number


class Instance(Record):
    """An object of a class."""

    cls: ClassValue


class FunctionValue(Record):
    """A function whose definition is known."""

    module: str
    number: int
    receiver: ClassValue | None = None
    """The class it was looked up on, for a method."""
    bound: bool = False
    """The first parameter is already given."""
    outer: Frame | None = None
    """The frame it was made in, for a function inside a function."""

    @property
    def definition(self) -> tuple[str, int]:
        """Which function it is, whatever else is told of it: the module, and the index in it."""
        return self.module, self.number


class PartialValue(Record):
    """`functools.partial(function, ...)`."""

    function: Value
    given: Call
    """A call with what is given already, as it can be read elsewhere."""

    def called(self, call: Call | None) -> Call:
        """What a call of the partial function calls the whole one with."""
        if call is None:
            return self.given
        names = {name for name, _ in call.keywords if name is not None}
        kept = tuple(pair for pair in self.given.keywords if pair[0] not in names)
        return self.given._replace(
            args=(*self.given.args, *call.args), keywords=(*kept, *call.keywords)
        )


class MethodCaller(Record):
    """`operator.methodcaller("load", ...)`: calls a method of what it is called with."""

    method: str
    given: Call
    """A call with the method's arguments, as it can be read elsewhere."""

    def called(self, call: Call | None) -> Call | None:
        """The call of the method; None where nobody sees the object."""
        if call is None or not call.args:
            return None
        return self.given._replace(func=Attr(call.args[0], self.method), spot=call.spot)


class External(Record):
    """A name of a package whose source is not at hand, or that its source does not show."""

    name: str


class ExternalInstance(Record):
    """An object of a class whose source is not at hand."""

    name: str


class CoroutineValue(Record):
    """Something to await; awaiting it gives the result."""

    result: Values


class GeneratorValue(Record):
    """A running generator; its body runs where it is iterated."""

    function: FunctionValue
    arguments: tuple[tuple[int, Values], ...] = ()


class ManagerValue(Record):
    """A context manager made of a generator function."""

    function: FunctionValue
    arguments: tuple[tuple[int, Values], ...] = ()


class ManagerFactory(Record):
    """A generator function below `@contextmanager` or `@asynccontextmanager`."""

    function: FunctionValue


class OffloadingValue(Record):
    """A callable that runs another one off the loop: `sync_to_async(f)`."""

    function: Value


class ReturningValue(Record):
    """Something to be called of which an annotation tells what it gives: `Callable[..., T]`."""

    result: Values


class ConstantValue(Record):
    """A literal."""

    value: Literal


class OtherValue(Record):
    """Anything but some literals: what conditions around a call say of what it passes on."""

    literals: frozenset[Literal]


class PathText(Record):
    """A text that spells the path of a file."""


class HandedValue(Record):
    """What a wrapper hands on to the function that it is around, in `*args` and `**kwargs`."""

    definition: tuple[str, int]
    """That function's."""
    arguments: tuple[tuple[int, Values], ...]
    """By its parameters; only what decides something in it."""


class StoredValue(Record):
    """Literals that an object's constructor has stored, by attribute, for a method of it."""

    attributes: tuple[tuple[str, Values], ...]


class TupleValue(Record):
    """A tuple whose items are known one by one."""

    items: tuple[Values, ...]


class TypeVariable(Record):
    """What a generic class is given for a type parameter, while its bases are read for all uses."""

    number: int


class SuperValue(Record):
    """`super()`: lookups start behind `after` in the order of `receiver`."""

    receiver: ClassValue
    after: ClassValue


Value: TypeAlias = (
    ModuleValue
    | ClassValue
    | Instance
    | FunctionValue
    | PartialValue
    | MethodCaller
    | External
    | ExternalInstance
    | CoroutineValue
    | GeneratorValue
    | ManagerValue
    | ManagerFactory
    | OffloadingValue
    | ReturningValue
    | ConstantValue
    | OtherValue
    | PathText
    | HandedValue
    | StoredValue
    | TupleValue
    | TypeVariable
    | SuperValue
)

Values: TypeAlias = tuple[Value, ...]


def is_same_class(value: object, cls: ClassValue) -> bool:
    """Whether a value is a class, whatever else is told of either."""
    return isinstance(value, ClassValue) and value.definition == cls.definition


def union(parts: Iterable[Values]) -> Values:
    """One set of values out of many, in order, without repeats, cut at `LIMIT` unless literal."""
    found: dict[Value, None] = {}
    for values in parts:
        for value in values:
            found.setdefault(value)
    if len(found) <= LIMIT or all(type(value) is ConstantValue for value in found):
        return tuple(found)
    is_table = all(type(value) is ClassValue for value in found)
    return tuple(found)[: _LONGEST_TABLE if is_table else LIMIT]


def without_none(values: Values) -> Values:
    """Values that are not the constant None."""
    return tuple(v for v in values if not (type(v) is ConstantValue and v.value is None))


def as_instance(value: Value) -> Value:
    """An object of a class; any other value as it is."""
    if isinstance(value, ClassValue):
        return Instance(value)
    return ExternalInstance(value.name) if isinstance(value, External) else value
