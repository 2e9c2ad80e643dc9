"""What a project's call tells of what it gives by the name of a variable.

`connect(credentials=credentials)` says nothing by itself; that the variable only ever holds a
literal, or an object that was made for it, does.
"""

from __future__ import annotations

from loopsafe.effects.knowns import Given, Known
from loopsafe.facts.ir import Call, Const, DictDisplay, Display, Expr, Name, Site, Typed
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue

_FALSY = ("__bool__", "__len__")


def told(resolver: Resolver, call: Call, frame: Frame) -> dict[str, Known]:
    """What is known of the variables that a call gives."""
    found: dict[str, Known] = {}
    for expr in (*call.args, *(value for _, value in call.keywords)):
        if not isinstance(expr, Name):
            continue
        sources = definitions(resolver, expr, frame)
        if len(sources) == 1 and sources[0].binding.value is not None:
            found.update(
                (expr.id, known)
                for known in _held(resolver, sources[0].binding.value, sources[0].frame)
            )
    return found


def made_here(resolver: Resolver, site: Site, function: FunctionValue, frame: Frame) -> Call | None:
    """The call that gives what a site goes through: `next(client.pages(size=10))`."""
    call = site.expr
    given = (call, *call.args[:1]) if isinstance(call, Call) else ()
    for made in given:
        if isinstance(made, Call) and any(
            isinstance(value, FunctionValue) and value.definition == function.definition
            for value in resolver.values(made.func, frame)
        ):
            return made
    return None


def _held(resolver: Resolver, value: Expr, frame: Frame) -> tuple[Known, ...]:
    """What a variable has that is assigned once; nothing where that may be None."""
    if isinstance(value, Const):
        return (value.value,)
    if isinstance(value, (Display, DictDisplay, Typed)):
        return (Given(),)
    classes = resolver.values(value.func, frame) if isinstance(value, Call) else ()
    known = [cls for cls in classes if isinstance(cls, ClassValue)]
    if not known or len(known) < len(classes):
        return ()
    may_be_false = any(find(resolver, cls, name) for cls in known for name in _FALSY)
    return (Given(is_object=not may_be_false),)
