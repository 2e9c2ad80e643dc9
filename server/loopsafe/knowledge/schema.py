"""The shape of what Loopsafe knows about libraries. The facts themselves are the TOML files here.

Every name is a dotted public spelling. A callable is often reachable by several (`requests.get`
is defined as `requests.api.get`); an entry lists all of them, the one to show first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from loopsafe.model import Cost, Place

Result: TypeAlias = str | tuple[str, ...]
"""What a call gives: an object of a class, or a tuple of such; an empty name is unknown.

A generic class tells what it holds: `dict[str, package.Class]`.
"""

CATEGORIES = frozenset(
    (
        "http",
        "database",
        "network",
        "dns",
        "sleep",
        "subprocess",
        "file",
        "lock",
        "future",
        "input",
        "cpu",
        "call",
        "loop",
    )
)
ROLES = frozenset(
    (
        "endpoint",
        "websocket endpoint",
        "dependency",
        "background task",
        "exception handler",
        "middleware",
        "lifespan",
        "startup handler",
        "shutdown handler",
        "event handler",
        "command",
        "terminal command",
        "resolver",
        "fixture",
        "validator",
        "stream",
        "callback",
        "signal handler",
        "task",
        "offloaded call",
        "thread target",
        "process target",
        "argument",
    )
)

TWINS = frozenset(("coroutine", "iterator", "other"))
"""What a twin gives: something to await that is the same; something for `async for` to go through;
or it takes, or gives, another object than what it stands for."""

PROBES = frozenset(("raises", "none", "false", "another", "thread"))
"""What a callable does where no event loop runs; where one does, its result is true.
`another` is a loop that does not run: it only tells whether the one asked for is it.
`thread` is which thread runs, whatever runs in it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one argument of a call, as written: nothing is computed."""

    argument: str = ""
    """Its keyword name, where it can be passed by one."""
    position: int = -1
    """Its 0-based place among the positional arguments, `self` not counted."""
    equals: bool | int | float | str | None = None
    """Holds when the argument is this literal (`False`, `0`, `"r"`); `"None"` stands for None."""
    at_most: float | None = None
    """Holds when the argument is known to be a number no greater than this."""
    has: str = ""
    """Holds when this name occurs in the argument, for flags: `os.WNOHANG | os.WUNTRACED`."""
    given: bool | None = None
    """Holds when the argument is present (true) or absent (false), whatever its value."""
    type: str = ""
    """Holds when the argument is an instance of this class (`io.BytesIO`)."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """What a blocking callable does to the loop."""

    name: str
    """The public name to show: `requests.get`, `requests.Session.get`."""
    category: str
    cost: Cost
    harmless_if: tuple[Condition, ...] = ()
    """Any of these makes the call harmless: `block=False`."""
    only_if: tuple[Condition, ...] = ()
    """If there are any, one of them must hold for the call to block."""
    harmless_after: tuple[str, ...] = ()
    """Calls on the same receiver that make it non-blocking, a method and its only argument as a
    literal: `setblocking(False)`, `settimeout(0)`."""
    harmless_behind: tuple[str, ...] = ()
    """Looks at the same receiver that say, as conditions around the call, that it need not wait:
    `poll()`, `not empty()`, `in_waiting`, `poll() is not None`; with a dotted name, what gives a
    list of those that are ready: `select.select()`; `*` is any condition at all."""
    only_if_made: tuple[Condition, ...] = ()
    """If there are any, one of them must hold for the call that made the receiver, else this does
    not block: `put` waits only on a `Queue(maxsize=10)`, not where the making is out of sight."""
    harmless_if_made: tuple[Condition, ...] = ()
    """Any of these, of the call that made the receiver, makes this harmless: `ZipFile(buffer)`."""
    harmless_by: tuple[str, ...] = ()
    """Methods by one of which an object may have come that has the attribute already; if there are
    any, reading it blocks only where the whole way to the object is in sight and has none."""
    lazy: bool = False
    """The call only makes what waits while it is gone through, such as a generator."""
    is_property: bool = False
    """It is read, not called: `page.text`."""
    awaitable: bool = False
    """The call returns something to await; the entry says that its own call is not a stall."""
    twin: str = ""
    """The async callable of the same library that does the same: `httpx.AsyncClient.get`."""
    twin_is: str = "coroutine"
    """One of `TWINS`."""
    twin_since: str = ""
    """The version of the distribution that brought the twin."""
    until: str = ""
    """The version of the distribution in which the callable is gone."""
    advice: str = ""
    """One line on what to do instead, where the rule's own advice is not enough."""
    caveat: str = ""
    """What moving the call to a thread must mind: "a Session is not thread-safe"."""
    source: str = ""
    """Where the fact is written down, an https address."""
    distribution: str = ""
    """The PyPI project that has the library; empty for the standard library."""
    origin: str = ""
    """Who says so, where it is not the catalogue: `pyproject.toml`, `acme/loopsafe.toml`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gives where its arguments say so: a stream, with `stream=True`."""

    only_if: tuple[Condition, ...]
    """One of them must hold."""
    gives: Result


@dataclass(frozen=True, slots=True)
class Runner:
    """A callable that takes another callable and decides where it runs.

    `asyncio.to_thread(f)`, `loop.call_soon(f)`, `@app.get("/")`, `Depends(f)`.
    """

    name: str
    role: str
    """What the given callable becomes: `endpoint`, `dependency`, `offloaded call`, `callback`."""
    sync: Place | None
    """Where a plain function runs; None where that stays open."""
    coroutine: Place | None
    """Where an `async def` runs; None where the runner does not take one."""
    decorated: bool = False
    """Takes the function below the `@` (the call's result is the decorator)."""
    position: int = -1
    """0-based position of the callable among the arguments."""
    argument: str = ""
    """Keyword name of the callable."""
    gives: str = ""
    """The call's value: `result` (what the callable returns), `awaitable` or `future` of it (a
    `concurrent.futures.Future`), `callable` (a stand-in that, when called, does what this entry
    says and gives an awaitable), `iterator` of its results."""
    once: bool = False
    """Runs once, at start-up or shutdown: findings are one level milder."""
    follows: bool = False
    """Runs the callable when something else has ended: by itself it starts nothing."""
    offloads: bool = False
    """Moves work off the loop: `to_thread`; a call written as its argument runs too early."""
    convertible: bool = False
    """A coroutine function without `await` may become a plain `def`, which runs in a thread."""
    inline: bool = False
    """Calls the callable right here, before it returns, so it runs where the caller does: `map`."""
    thread_if: tuple[Condition, ...] = ()
    """Any of these, of the runner's call, sends a plain function to a thread after all."""
    several: bool = False
    """A list of callables stands at the position, or a dict of them: `on_startup=[connect]`."""
    methods: tuple[str, ...] = ()
    """A class stands at the position: these methods of its objects run as this entry says."""
    during: str = ""
    """The callable runs whenever an object of the class around it is made (`making`) or written
    out (`writing`): `@field_validator`, `Field(default_factory=f)`."""
    reads: Place | None = None
    """Where what the callable's parameters are annotated with is made of a message's data."""
    writes: Place | None = None
    """Where what the callable returns is written out; it is made again where the callable runs."""
    returned: str = ""
    """Keyword of the class that is written, where it is not the annotated one."""
    called_with: tuple[str, ...] = ()
    """Where the runner's own call has what the callable is called with: `*`, all that stands behind
    it; `each 0` or `each *`, the elements of that argument or of all behind it; or the keywords of
    a list and of a mapping."""
    passes: tuple[str, ...] = ()
    """Classes of what the callable is given, in order; they tell where no annotation does."""
    yields: tuple[str, ...] = ()
    """Attributes of classes by which what the callable yields is found again; with `.*` at its end,
    each of its keys is an attribute of the class."""
    also: tuple[Runner, ...] = ()
    """The same call's other arguments that are callables."""
    takes: str = "callable"
    """What stands at the position: a `callable`, or what calling one gives: an `iterator` (or one
    of which the `first` value is asked) or a `context manager`, whose generator body runs as this
    entry says; or an object whose method of this name is called: `__len__`, or one whose elements'
    is: `each __lt__`."""
    library: str = ""
    """The library's name as prose has it: `FastAPI`."""
    until: str = ""
    """The version of the distribution in which it is gone."""


@dataclass(frozen=True, slots=True)
class ClassKnowledge:
    """What is known of the instances of a class. Matched on the receiver's class and its bases."""

    name: str
    shown: str = ""
    """What to write before a method's name where the class's own name would puzzle."""
    asynchronous: bool = False
    """An async twin: none of its methods blocks, whatever it inherits."""
    twin: str = ""
    """The async class of the same library."""
    methods: dict[str, Blocking] = field(default_factory=dict)
    """By method name; `__init__`, `__enter__`, `__exit__`, `__iter__`, `__next__` and the other
    protocol methods stand for construction, `with` and `for`."""
    patterns: tuple[tuple[str, Blocking], ...] = ()
    """Families by `fnmatch` pattern, tried after `methods`; never a name with a leading `_`."""
    runners: dict[str, Runner] = field(default_factory=dict)
    """Methods that take a callable: `call_soon`, `get` of a FastAPI application."""
    harmless: frozenset[str] = frozenset()
    """Methods known not to block, which also ends the search in base classes and source. Families
    by pattern too; `*` is all that is not listed as blocking."""
    returns: dict[str, Result] = field(default_factory=dict)
    """Method name -> what it gives, where the source does not say it."""
    outcomes: dict[str, tuple[Outcome, ...]] = field(default_factory=dict)
    """Method name -> what it gives under conditions, which comes before `returns`."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Attribute name -> class of its value, where the source does not say it."""
    becomes: str = ""
    """The class of what stands for an object of this one in a class that holds it."""
    of_holder: bool = False
    """An object of this generic class that another class holds is for the objects of that one."""
    gives_back: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Method name -> the methods whose first argument it gives back: `get` of a `ContextVar`."""
    keeps: dict[str, int] = field(default_factory=dict)
    """Attribute name -> the place of the argument of the constructor that it is, which may be
    named like it."""
    keeps_keywords: bool = False
    """What the class is called with by keyword, its object has as attributes."""
    stand_in: bool = False
    """An object of it stands for anything in tests: beside others, it is not what runs."""
    overrides: dict[str, Place] = field(default_factory=dict)
    """Methods that subclasses define and the library calls -> where a plain `def` of them runs;
    families by pattern too."""
    once: frozenset[str] = frozenset()
    """Coroutine methods that subclasses define and the library calls at its start or its end."""
    made: frozenset[str] = frozenset()
    """Methods that subclasses define and that run when an object is made: `model_post_init`."""
    makers: frozenset[str] = frozenset()
    """Methods whose call makes an object of other data: `model_validate`."""
    writers: frozenset[str] = frozenset()
    """Methods whose call writes an object out: `model_dump`."""

    running: frozenset[str] = frozenset()
    """Methods that tell whether what the object runs is running, as it is but for start-up and
    shutdown: `is_alive`."""

    def override(self, method: str) -> Place | None:
        """Where a plain `def` of this name in a subclass runs, if the library calls it."""
        known = self.overrides.get(method)
        if known is not None or not any("*" in name for name in self.overrides):
            return known
        fitting = (p for name, p in self.overrides.items() if fnmatchcase(method, name))
        return next(fitting, None)

    def mentions(self, name: str) -> bool:
        """Whether anything is said of a method or attribute of this name."""
        told = (self.runners, self.harmless, self.attributes, self.made, self.once)
        if self.asynchronous or "*" in self.harmless or self.override(name) is not None:
            return True
        if name in self.makers or name in self.writers or any(name in names for names in told):
            return True
        if name in self.returns or name in self.outcomes:
            return True
        return self.blocking(name) is not None

    def blocking(self, method: str) -> Blocking | None:
        """What a method does to the loop, as this class alone knows it, or None."""
        known = self.methods.get(method)
        if known is not None or self.asynchronous or method.startswith("_"):
            return known
        if any(fnmatchcase(method, name) for name in self.harmless if name != "*"):
            return None
        for pattern, family in self.patterns:
            if fnmatchcase(method, pattern):
                return _member(family, pattern, method)
        return None

    def sister(self, method: str) -> str:
        """The blocking method of this class whose async twin, in the same class, is this one."""
        twin = f"{self.name}.{method}"
        return next((name for name, known in self.methods.items() if known.twin == twin), "")

    def is_harmless(self, method: str) -> bool:
        """Whether the method is known not to block, which ends the search for it."""
        if self.asynchronous:
            return True
        listed = any(fnmatchcase(method, name) for name in self.harmless)
        return listed and self.blocking(method) is None


def _member(family: Blocking, pattern: str, method: str) -> Blocking:
    """The entry of one method of a family, whose names still end in the pattern."""
    name = family.name.removesuffix(pattern) + method
    twin = family.twin
    if twin.endswith(pattern):
        twin = twin.removesuffix(pattern) + method
    return replace(family, name=name, twin=twin)
