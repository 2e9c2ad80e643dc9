"""Code that never runs on the event loop, by the conditions it stands under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.effects import texts
from loopsafe.effects.addresses import are_paths, asks_for_address, spells_path
from loopsafe.effects.constructed import known_literals, stored
from loopsafe.effects.defaults import constant
from loopsafe.effects.handlers import is_importable, is_never_raised
from loopsafe.effects.instances import asked_about, is_instance
from loopsafe.effects.own_threads import is_of_loop
from loopsafe.effects.predicates import predicate
from loopsafe.effects.runs import is_left
from loopsafe.facts.ir import (
    Attr,
    Block,
    Call,
    Choice,
    Compared,
    Const,
    Expr,
    Has,
    Literal,
    Name,
    Narrowed,
    Param,
    Same,
    Scope,
    Test,
)
from loopsafe.modules.module import Module
from loopsafe.resolve.choosing import holds as asks_for_coroutine
from loopsafe.resolve.methods import method_of, own_object
from loopsafe.resolve.names import Definition, definitions, qualified
from loopsafe.resolve.naming import dotted_name, of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    Instance,
    OtherValue,
    PathText,
    Value,
    Values,
    union,
)

_NO_LOOP = ("builtins.RuntimeError", "builtins.Exception", "builtins.BaseException")
_LOOKS = frozenset({"raises", "none", "false"})
_LOOPS = _LOOKS | {"another"}
"""What probes do without a loop, where they tell of one, and where they tell which one it is."""
_NONE: frozenset[Literal] = frozenset([None])
_LEFT = frozenset({"begun", "held"})
_THEN = frozenset({"if", "once", "own", "lazy"})


def never_on_loop(resolver: Resolver, scope: Scope, block: int, line: int, frame: Frame) -> bool:
    """Whether code is dead, only for type checkers, or only runs without an event loop.

    `line` is where the code stands in its block, 1-based.
    """
    while block >= 0:
        found = scope.blocks[block]
        if found.kind in ("dead", "typing", "main") or _is_other_branch(resolver, found, frame):
            return True
        if found.kind == "except" and is_never_raised(resolver, scope, block, frame):
            return True
        for leaving in found.exits:
            if line > leaving.line and holds(resolver, leaving.test, frame):
                return True
        block = found.parent
    return False


def stored_here(resolver: Resolver, attribute: Attr, frame: Frame) -> Name | None:
    """The name whose value this very method has stored in an attribute before: `self.x = x`."""
    module = resolver.table.get(frame.module)
    function = method_of(module, frame)
    receiver = own_object(attribute, function) if function is not None else None
    if module is None or function is None or receiver is None:
        return None
    stored = module.facts.classes[function.owner].attributes.get(attribute.name, ())
    values = [binding.value for binding in stored if binding.scope == frame.scope]
    value = values[0] if len(values) == 1 else None
    is_sure = isinstance(value, Name) and value.block == 0 and value.order < receiver.order
    return value if isinstance(value, Name) and is_sure else None


def _is_other_branch(resolver: Resolver, block: Block, frame: Frame) -> bool:
    """Whether the loop takes another branch than this."""
    if block.test is None:
        return False
    if block.kind == "except":
        if isinstance(block.test, Test) and block.test.kind == "importable":
            return holds(resolver, block.test, frame) is True
        return (
            isinstance(block.test, Call)
            and _probe(resolver, block.test, frame) == "raises"
            and _catches_its_error(resolver, block, frame)
        )
    if block.kind in _THEN:
        return holds(resolver, block.test, frame) is False
    return block.kind == "else" and holds(resolver, block.test, frame) is True


def _catches_its_error(resolver: Resolver, block: Block, frame: Frame) -> bool:
    """Whether an `except` is for the RuntimeError, or a kind of it, that tells of no loop."""
    names = [qualified(resolver, kind, frame) or "" for kind in block.catches]
    return not names or any(name in _NO_LOOP or not name.startswith("builtins.") for name in names)


def holds(resolver: Resolver, test: Expr, frame: Frame) -> bool | None:
    """Whether a condition holds where an event loop runs; None where nobody can say."""
    return resolver.remember(
        ("holds", id(test), frame), frame.module, lambda: _judge(resolver, test, frame)
    )


def _judge(resolver: Resolver, test: Expr, frame: Frame) -> bool | None:
    if isinstance(test, Call):
        if _probe(resolver, test, frame):
            return True
        if _own_answer(resolver, test, frame) is False:
            return False
        told = _of_text(resolver, test, frame)
        told = _of_class(resolver, test, frame) if told is None else told
        told = _of_predicate(resolver, test, frame) if told is None else told
        return asks_for_coroutine(resolver, test, frame) if told is None else told
    if isinstance(test, Name):
        known = _is_true(resolver, test, frame)
        return _is_given_true(resolver, test, frame) if known is None else known
    if isinstance(test, Attr):
        told = _is_given_true(resolver, test, frame)
        return told if told is not None else constant(resolver, test, frame)
    if isinstance(test, Choice) and test.op:
        parts = [holds(resolver, option, frame) for option in test.options]
        decisive = test.op == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    if isinstance(test, Compared):
        given = tuple(_arguments(resolver, test.value, frame))
        passed = _literals(given)
        if passed:
            return _agreed(literal in test.options for literal in passed)
        return False if _denied(given).issuperset(test.options) else None
    if isinstance(test, Has):
        passed = _passed(resolver, test.value, frame)
        return _agreed(texts.has(literal, test.literal) for literal in passed)
    if isinstance(test, Test) and test.kind in _LEFT:
        return True if is_left(frame, test.kind) else None
    if isinstance(test, Test) and test.kind == "importable":
        return True if is_importable(resolver, test.value) else None
    if isinstance(test, Same):
        # The loop that runs is the one that is asked for: few programs have two.
        is_own = _probe(resolver, test.value, frame, _LOOPS) or is_of_loop(resolver, test, frame)
        return True if is_own else None
    if isinstance(test, Test):
        if test.kind == "is none":
            given = tuple(_arguments(resolver, test.value, frame))
            if passed := _literals(given):
                return _agreed(literal is None for literal in passed)
            if None in _denied(given):
                return False
        inner = holds(resolver, test.value, frame)
        if test.kind == "completes":
            return inner
        if test.kind == "is none" and inner is False:
            return None  # It may be false without being None.
        return None if inner is None else not inner
    return None


def _is_true(resolver: Resolver, name: Name, frame: Frame) -> bool | None:
    """Whether a name is true: a loop that was looked for, or a constant that nothing changes."""
    found = definitions(resolver, name, frame)
    calls = [d for d in found if isinstance(d.binding.value, Call)]
    if calls and all(_probe(resolver, d.binding.value, d.frame) for d in calls):
        rest = [d for d in found if d not in calls]
        return True if all(_is_overwritten(resolver, d, calls) for d in rest) else None
    if len(found) != 1 or found[0].frame.scope != 0 or found[0].binding.block != 0:
        return None
    module = resolver.table.get(found[0].frame.module)
    value = found[0].binding.value
    if module is None or len(module.facts.scopes[0].bindings.get(name.id, ())) != 1:
        return None
    return value.value if isinstance(value, Const) and isinstance(value.value, bool) else None


def _is_given_true(resolver: Resolver, expr: Expr, frame: Frame) -> bool | None:
    """Whether what the call which is followed passes is true, by literals or as any object is."""
    given = tuple(_arguments(resolver, expr, frame))
    if passed := _literals(given):
        return _agreed(map(bool, passed))
    values = [value for each in given for value in each or (None,)]
    return True if values and all(_is_any_object(resolver, value) for value in values) else None


def _is_any_object(resolver: Resolver, value: Value | None) -> bool:
    """Whether a value is an object of a class that does not say when its objects are false."""
    if not isinstance(value, Instance):
        return False
    if not all(isinstance(base, ClassValue) for base in resolver.mro(value.cls)):
        return False
    return not any(resolver.attribute(value, name) for name in ("__bool__", "__len__"))


def _agreed(answers: Iterable[bool | None]) -> bool | None:
    """What all answers say; None where they differ, one says nothing, or there is none."""
    found = set(answers)
    return found.pop() if len(found) == 1 else None


def _of_text(resolver: Resolver, test: Call, frame: Frame) -> bool | None:
    """Whether a text begins or ends as a condition asks: `path.startswith("http")`."""
    text, ask = texts.asked(test) or (None, bool)
    given = tuple(_arguments(resolver, text, frame)) if text is not None else ()
    if asks_for_address(test) and are_paths(given):
        return False
    passed = _literals(given)
    if not all(isinstance(literal, str) for literal in passed):
        return None
    return _agreed(ask(str(literal)) for literal in passed)


def _of_class(resolver: Resolver, test: Call, frame: Frame) -> bool | None:
    """Whether what the call which is followed passes is of the class that a condition asks for:
    `isinstance(feed, str)`."""
    asked = asked_about(test) if frame.arguments else None
    given = tuple(_arguments(resolver, asked, frame)) if isinstance(asked, Name) else ()
    return is_instance(resolver, test, given, frame) if given else None


def _of_predicate(resolver: Resolver, test: Call, frame: Frame) -> bool | None:
    """What a function of the project says of what the call which is followed passes."""
    asked = predicate(resolver, test, frame)
    if asked is None:
        return None
    given = ((i, tuple(_arguments(resolver, expr, frame))) for i, expr in asked.given())
    known = tuple((i, union(each)) for i, each in given if each and all(each))
    known += stored(
        resolver,
        asked.function,
        test,
        frame,
        lambda expr: tuple(map(ConstantValue, _passed(resolver, expr, frame))),
    )
    receiver = asked.function.receiver
    is_told = known or (receiver is not None and receiver.literals)
    inner = resolver.function_frame(asked.function, known) if is_told else None
    return holds(resolver, asked.test, inner) if inner is not None else None


def _passed(resolver: Resolver, expr: Expr, frame: Frame) -> tuple[Literal, ...]:
    """The literals that the call which is followed passes to a parameter, where all are known."""
    return _literals(_arguments(resolver, expr, frame))


def _literals(given: Iterable[Values]) -> tuple[Literal, ...]:
    literals: list[Literal] = []
    for values in given:
        constants = [value.value for value in values if isinstance(value, ConstantValue)]
        if not values or len(constants) < len(values):
            return ()
        literals += constants
    return tuple(literals)


def _denied(given: Iterable[Values]) -> frozenset[Literal]:
    """The literals that what the call passes to a parameter is not, as its caller has asked; an
    object is not None."""
    found: frozenset[Literal] | None = None
    for values in given:
        for value in values or (None,):
            others = _NONE if isinstance(value, Instance) else frozenset()
            others = value.literals if isinstance(value, OtherValue) else others
            found = others if found is None else found & others
    return found or frozenset()


def _arguments(resolver: Resolver, expr: Expr, frame: Frame, steps: int = 3) -> Iterator[Values]:
    """What the call which is followed passes for each definition of a name; nothing where that is
    no parameter. One under a condition that this call does not meet is none."""
    if isinstance(expr, Call):
        if spells_path(resolver, expr, frame):
            yield (PathText(),)
            return
        text, change = texts.changed(expr) or (None, None)
        if text is not None and change is not None and steps:
            yield from map(change, _arguments(resolver, text, frame, steps - 1))
        return
    if isinstance(expr, Attr) and (kept := known_literals(resolver, expr, frame)):
        yield kept
        return
    name = stored_here(resolver, expr, frame) if isinstance(expr, Attr) else expr
    for definition in definitions(resolver, name, frame) if isinstance(name, Name) else ():
        value, found = definition.binding.value, definition.frame
        if isinstance(value, Param):
            yield dict(found.arguments).get(value.number, ())
        elif isinstance(value, Narrowed) and isinstance(value.name, Name) and steps:
            yield from _arguments(resolver, value.name, found, steps - 1)
        elif not _is_left_out(resolver, definition):
            changes = isinstance(value, Call) and (
                texts.changed(value) is not None or spells_path(resolver, value, found)
            )
            given = tuple(_arguments(resolver, value, found, steps)) if value and changes else ()
            yield from given or ((),)


def _is_left_out(resolver: Resolver, definition: Definition) -> bool:
    """Whether a name gets a value only under a condition that does not hold."""
    module = resolver.table.get(definition.frame.module)
    binding = definition.binding
    if module is None or binding.block <= 0 or not definition.frame.arguments:
        return False
    scope = module.facts.scopes[binding.scope]
    return never_on_loop(resolver, scope, binding.block, 0, definition.frame)


def _is_overwritten(resolver: Resolver, other: Definition, calls: list[Definition]) -> bool:
    """Whether where a loop runs, a look for it replaces another value of a name."""
    module = resolver.table.get(other.frame.module)
    if module is None:
        return False
    binding = other.binding
    block = module.facts.scopes[binding.scope].blocks[binding.block] if binding.block >= 0 else None
    if all(binding.order < call.binding.order for call in calls):
        return True
    if block is None:
        return False
    # A look that says no raises nothing: its handler is for loops that cannot be asked.
    is_spare = block.kind == "except" and _probe(resolver, block.test, other.frame) is not None
    return is_spare or _is_other_branch(resolver, block, other.frame)


def _probe(
    resolver: Resolver, call: Expr | None, frame: Frame, among: frozenset[str] = _LOOKS
) -> str | None:
    """What a call that looks for the event loop does where none runs."""
    if not isinstance(call, Call):
        return None
    # A library that is not installed is known by its name alone.
    names = [dotted_name(resolver, value) for value in resolver.values(call.func, frame)]
    for name in names or [qualified(resolver, call.func, frame)]:
        outcome = resolver.catalogue.probe(name) if name is not None else None
        if outcome in among:
            return outcome
    return "none" if _own_answer(resolver, call, frame) is True else None


def _own_answer(resolver: Resolver, call: Call, frame: Frame) -> bool | None:
    """Whether what a function of the project gives, which looks for the loop, is true where one
    runs; None where it does not look, or nobody can say."""
    values = resolver.values(call.func, frame)
    return _agreed(_answer_of(resolver, value) for value in values)


def _answer_of(resolver: Resolver, value: Value) -> bool | None:
    own = of_project(resolver, value)
    if own is None:
        return None
    function, module = own
    number = function.number
    return resolver.remember(
        ("own answer", number), module.key, lambda: _answer(resolver, module, number)
    )


def _answer(resolver: Resolver, module: Module, number: int) -> bool | None:
    function = resolver.table.inside(module, number)
    if function.is_async or function.is_generator:
        return None
    scope = module.facts.scopes[function.scope]
    frame = resolver.frame(module.key, function.scope)
    has_looked = has_given = is_certain = False
    constants: list[bool] = []
    for expr, (block, line) in zip(function.values, function.returned, strict=True):
        if never_on_loop(resolver, scope, block, line, frame):
            has_looked = True
        elif isinstance(expr, Const):
            constants.append(bool(expr.value))
            is_certain = is_certain or _is_certain(resolver, scope, block, frame)
        elif _gives_loop(resolver, expr, frame):
            has_given = True
        else:
            return None
    if has_given:
        return None if any(constants) else True
    return _agreed(constants) if has_looked and is_certain else None


def _gives_loop(resolver: Resolver, expr: Expr, frame: Frame) -> bool:
    """Whether an expression is a look for the loop, or what one gave: also where it is nothing
    under a condition, `None if loop.is_closed() else loop`."""
    if isinstance(expr, Choice) and not expr.op:
        rest = [o for o in expr.options if not (isinstance(o, Const) and not o.value)]
        return len(rest) == 1 and _gives_loop(resolver, rest[0], frame)
    if not isinstance(expr, Name):
        return _probe(resolver, expr, frame, _LOOPS) is not None
    found = definitions(resolver, expr, frame)
    return bool(found) and all(_gives(resolver, definition) for definition in found)


def _gives(resolver: Resolver, definition: Definition) -> bool:
    value = definition.binding.value
    return isinstance(value, Call) and _gives_loop(resolver, value, definition.frame)


def _is_certain(resolver: Resolver, scope: Scope, block: int, frame: Frame) -> bool:
    """Whether a block is entered whenever a loop runs."""
    while block >= 0:
        found = scope.blocks[block]
        if found.test is None:
            is_entered = found.kind in ("body", "try", "else")  # That of a `try`.
        else:
            wanted = {"if": True, "else": False}.get(found.kind)
            is_entered = wanted is not None and holds(resolver, found.test, frame) is wanted
        if not is_entered:
            return False
        block = found.parent
    return True
