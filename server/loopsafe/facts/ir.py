"""What is known of one module: expressions, bindings, functions, classes and call sites.

Everything is a tuple: small, immutable, quick to make and to store. Expressions keep the shape
of the source but drop what no later stage asks for. A name in an expression carries the block and
the order of its use, so that a reader can tell which assignments reach it.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from loopsafe.facts.recover import SyntaxProblem
from loopsafe.model import Span, Spot
from loopsafe.record import Record

Literal: TypeAlias = str | bytes | int | float | complex | bool | None


class Name(Record):
    """A name that is read."""

    id: str
    block: int
    order: int


class Attr(Record):
    """`value.name`"""

    value: Expr
    name: str


class Call(Record):
    """`func(*args, **keywords)`; a keyword without a name is `**mapping`."""

    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    spot: Spot
    """The callee expression, in the function in which it is read."""


class Const(Record):
    """A literal."""

    value: Literal


class Typed(Record):
    """An expression of which only the builtin class of the result matters: `str` of an f-string."""

    builtin: str
    begins: str = ""
    """What a text begins with that may be the name of something: `do_` of `f"do_{name}_now"`."""
    ends: str = ""
    """What such a text ends with: `_now`."""
    parts: tuple[Expr, ...] = ()
    """What a text that may be a name is put together of, where these are names and literals."""


class Subscript(Record):
    """`value[index]`"""

    value: Expr
    key: Expr


class Await(Record):
    """`await value`"""

    value: Expr


class Param(Record):
    """What a caller gives the function's parameter of this index."""

    number: int


class FunctionRef(Record):
    """A `def` or `lambda`: its index in `ModuleFacts.functions`."""

    number: int


class ClassRef(Record):
    """A class definition: its index in `ModuleFacts.classes`."""

    number: int


class Imported(Record):
    """`import module` (name None) or `from module import name`; `level` counts leading dots."""

    module: str
    name: str | None
    level: int


class Choice(Record):
    """One of several: `a if c else b`, `a or b`; `op` is `and`, `or` or empty."""

    options: tuple[Expr, ...]
    op: str = ""


class Test(Record):
    """A condition: `not`, `is none`, `importable` (all that a display names), `completes` (a call
    that did not raise), `begun` (nobody goes on behind a `yield`), or `held` (nor is the generator
    closed there)."""

    kind: str
    value: Expr


class Same(Record):
    """A condition that what a call gives is the other side of a comparison."""

    value: Call
    other: Expr


class Compared(Record):
    """A condition that a value is one of some literals: `mode == "r"`, `mode in ("r", "w")`."""

    value: Expr
    options: tuple[Literal, ...]


class Has(Record):
    """A condition that a text has a literal in it: `"://" in path`."""

    value: Name | Attr
    literal: Literal


class HasKey(Record):
    """A condition that a table has a key, whichever that is: `key in table`."""

    value: Name | Attr


class Display(Record):
    """A tuple, list or set display; `kind` is the builtin's name."""

    kind: str
    items: tuple[Expr, ...]


class DictDisplay(Record):
    """`{key: value}`; `{**other}` has no key."""

    items: tuple[tuple[Expr | None, Expr], ...]


class Comprehension(Record):
    """A comprehension; `kind` is `list`, `set`, `dict` or `generator`."""

    kind: str
    element: Expr
    key: Expr | None


class Starred(Record):
    """`*value`"""

    value: Expr


class Binary(Record):
    """`left op right`; `op` is the method's name, `__add__`."""

    left: Expr
    op: str
    right: Expr


class Element(Record):
    """What iterating over a value gives: the target of `for` or `async for`."""

    value: Expr
    is_async: bool


class Item(Record):
    """The part of an unpacked value; `index` -1 is a starred rest."""

    value: Expr
    number: int


class Entered(Record):
    """What `with value as target` gives the target."""

    value: Expr
    is_async: bool


class Narrowed(Record):
    """A name, or an attribute of one, after `isinstance(name, type)`, or where that fails."""

    name: Name | Attr
    type: Expr
    holds: bool


class Filled(Record):
    """A container into which an element was put: `container[key] = element`, `.append(element)`."""

    container: Name | Attr
    element: Expr
    key: Expr | None = None
    """The key or index, where it is told."""
    block: int = 0
    """The block, of the scope that fills, in which it happens."""


class InstanceOf(Record):
    """An instance of a class expression: the target of `except type as target`."""

    type: Expr


class Found(Record):
    """What an expression was found to be where it stands, to be read elsewhere. No text gives one:
    who resolves expressions makes them."""

    values: tuple[Record, ...]


class Unknown(Record):
    """An expression that no stage looks into."""


UNKNOWN = Unknown()

BEGUN = Test("begun", UNKNOWN)
"""The condition under which a generator is left at a `yield`: only its first value is asked for."""
HELD = Test("held", UNKNOWN)
"""The condition under which it is not even closed there: what asked for the value keeps it."""

Expr: TypeAlias = (
    Name
    | Attr
    | Call
    | Const
    | Typed
    | Subscript
    | Await
    | Param
    | FunctionRef
    | ClassRef
    | Imported
    | Choice
    | Test
    | Same
    | Compared
    | Has
    | HasKey
    | Display
    | DictDisplay
    | Comprehension
    | Starred
    | Binary
    | Element
    | Item
    | Entered
    | Narrowed
    | Filled
    | InstanceOf
    | Found
    | Unknown
)


class Binding(NamedTuple):
    """One way a name gets its value."""

    value: Expr | None
    annotation: Expr | None
    scope: int
    """The scope in which value and annotation are read."""
    block: int
    """The block of the assignment; -1 where it may happen at any time (another function's)."""
    order: int


class Exit(NamedTuple):
    """An early end of a block: behind this line of its function it goes on only where the
    condition fails."""

    line: int
    test: Expr


class Block(NamedTuple):
    """A run of statements inside a scope; block 0 is the scope's own body."""

    parent: int
    kind: str
    """`body`, `if`, `else`, `loop`, `try`, `except`, `finally`, `case`, `comprehension`,
    `once` and `lazy` (keep their result for the process, or on an object), `dead` (never runs),
    `typing` (only for type checkers), `main` (`__name__ == "__main__"`)."""
    test: Expr | None
    """The condition of an `if`, `else` or `while`; of an `except`, the call that its `try` begins
    with, or where it is for failed imports, that these succeed."""
    catches: tuple[Expr, ...]
    """The exception classes of an `except`."""
    end: int
    """The order at which the block ends."""
    exits: tuple[Exit, ...] = ()
    """Conditions under which the block is left early."""


class Scope(NamedTuple):
    """A namespace: the module's (index 0), a class's or a function's."""

    kind: str
    """`module`, `class` or `function`."""
    parent: int
    owner: int
    """Index of the class or function it belongs to; -1 for the module."""
    bindings: dict[str, tuple[Binding, ...]]
    """Of a module, under an empty name what it puts in its own place: `sys.modules[__name__]`."""
    declared: dict[str, int]
    """Names declared `global` or `nonlocal`, to the scope where their lookup starts."""
    blocks: tuple[Block, ...]
    stars: tuple[Imported, ...]
    """Modules of `from module import *`."""


AWAITING = ("aenter", "aexit", "aiterate", "await")
"""The kinds of sites at which something is awaited that is no call."""


class Site(NamedTuple):
    """A place where another function may run."""

    kind: str
    """`call`, `decorate`, `enter`/`exit` (with), `iterate` (for), `get`/`set` (an attribute),
    `operator`, for `async` statements `aenter`/`aexit`/`aiterate`, and `await` of what is no
    call."""
    expr: Expr
    """The call, the context manager, the iterable, the attribute, or an operator as the call of
    its operand's method."""
    spot: Spot
    """Of the callee, or of the whole expression where there is none; in the function of which this
    is a site."""
    scope: int
    """Where its names are read: the function's own scope or that of a class in its body."""
    block: int
    awaited: bool
    awaited_later: bool = False
    """By the name that the call's result is bound to."""

    @property
    def is_awaited(self) -> bool:
        """Whether what a call gives is awaited, here or later."""
        return self.awaited or self.awaited_later


class Parameter(NamedTuple):
    """A parameter; `kind` is `positional`, `keyword`, `args` (`*args`) or `kwargs`."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


class Function(NamedTuple):
    """A `def`, an `async def`, a `lambda`, or the module's own body (index 0)."""

    name: str
    qualname: str
    """Dotted inside the module, without `<locals>`: `Service.load`."""
    span: Span
    """The name after `def`; the whole expression of a lambda."""
    start: int
    """How many lines of the file lie before that from which its spots count: before the outermost
    function around it; 0 for the module's body."""
    is_async: bool
    is_generator: bool
    parameters: tuple[Parameter, ...]
    returns: Expr | None
    decorators: tuple[Expr, ...]
    scope: int
    outer: int
    """The scope in which it is defined, and in which decorators, defaults and annotations live."""
    owner: int
    """Index of the class whose method it is; -1 where it is none."""
    sites: tuple[Site, ...]
    values: tuple[Expr, ...]
    """What it returns."""
    returned: tuple[tuple[int, int], ...]
    """Where: the block of each value, and its line as that of a spot."""
    yields: tuple[Expr, ...]
    awaits: bool
    """Has an `await`, `async for` or `async with` of its own."""
    bare: bool
    """Its body does nothing: a docstring, `...`, `pass`, `raise NotImplementedError`, or a `return`
    of nothing or a constant."""
    end: int
    """The last line of a `def`, from 1; 0 for others."""

    def in_file(self, spot: Spot) -> Span:
        """Where something in this function stands in the file."""
        return Span(
            spot.line + self.start, spot.column, spot.end_line + self.start, spot.end_column
        )

    def inside(self, span: Span) -> Spot:
        """Where something in the file stands as seen from this function."""
        return Spot(
            span.line - self.start, span.column, span.end_line - self.start, span.end_column
        )


class Class(NamedTuple):
    """A class definition."""

    name: str
    qualname: str
    span: Span
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    decorators: tuple[Expr, ...]
    scope: int
    outer: int
    attributes: dict[str, tuple[Binding, ...]]
    """What methods store on their first parameter: `self.name = value`. Under an empty name what
    they store under one that is computed: `setattr(self, name, value)`."""


class Assigned(NamedTuple):
    """`target.name = value` on anything but a method's own first parameter; the name is empty where
    it is computed."""

    target: Expr
    name: str
    binding: Binding


class ModuleFacts(NamedTuple):
    """All that is known of one module's text."""

    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    scopes: tuple[Scope, ...]
    assigned: tuple[Assigned, ...]
    exports: tuple[str, ...] | None
    """`__all__`, where it is written out."""
    words: frozenset[str]
    """Every attribute that is read, also by `getattr`, every name that is imported, and
    `__import__` where it is called: lets a search skip modules."""
    problems: tuple[SyntaxProblem, ...]


def key_parts(subscript: Subscript) -> tuple[Expr, ...]:
    """What stands in the brackets: of `dict[K, V]` two expressions."""
    return subscript.key.items if isinstance(subscript.key, Display) else (subscript.key,)


def last_name(expr: Expr) -> str:
    """The last part of a dotted name; nothing for what is no name."""
    if isinstance(expr, Attr):
        return expr.name
    return expr.id if isinstance(expr, Name) else ""


def path_of(name: str, attribute: str) -> str:
    """Under what a function's scope has what its conditions tell of an attribute of a name."""
    return f"{name}.{attribute}"


def root_name(expr: Expr) -> str | None:
    """The name that a plain reference or a call of one begins with, `a` of `a.b()`.

    Empty for a function or a class, None for what is put together in other ways.
    """
    while True:
        if isinstance(expr, Name):
            return expr.id
        if isinstance(expr, (FunctionRef, ClassRef)):
            return ""
        if isinstance(expr, (Attr, Await)):
            expr = expr.value
        elif isinstance(expr, Call):
            expr = expr.func
        else:
            return None
