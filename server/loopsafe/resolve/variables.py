"""Type variables: which a class has, and what it is given for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binary, Call, Display, Expr, Imported, Name, Subscript, key_parts
from loopsafe.resolve.names import Definition, definitions, module_definitions, qualified
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Values,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def type_parameters(resolver: Resolver, cls: ClassValue) -> tuple[str, ...]:
    """The names of a generic class's type variables, in order."""
    return resolver.remember(
        ("parameters", cls.module, cls.number),
        cls.module,
        lambda: _type_parameters(resolver, cls),
    )


def type_variable(resolver: Resolver, expr: Expr, frame: Frame) -> str | None:
    """The name of the type variable that an expression is, if it is one."""
    if not isinstance(expr, Name):
        return None
    is_variable = resolver.remember(
        ("variable", id(expr), frame.scope),
        frame.module,
        lambda: _is_type_variable(resolver, expr, frame),
    )
    return expr.id if is_variable else None


def followed(resolver: Resolver, expr: Name, frame: Frame) -> tuple[Definition, ...]:
    """The definitions of a name, through imports from modules that have source."""
    found: list[Definition] = []
    for definition in definitions(resolver, expr, frame):
        value = definition.binding.value
        module = resolver.table.get(definition.frame.module)
        if isinstance(value, Imported) and value.name is not None and module is not None:
            source = resolver.table.imported(module, value.module, value.level)
            further = module_definitions(resolver, source, value.name)
            found.extend(further or (definition,))
        else:
            found.append(definition)
    return tuple(found)


def generic_parameters(resolver: Resolver, function: FunctionValue) -> frozenset[int]:
    """The parameters of a function whose annotations have a type variable in them."""
    return (
        resolver.remember(
            ("generic", function.module, function.number),
            function.module,
            lambda: frozenset(_generic_parameters(resolver, function)),
        )
        or frozenset()
    )


def passes_on_plainly(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a class gives its type variables to its bases only as they are: `Sequence[T]`."""
    module = resolver.table.get(cls.module)
    if module is None:
        return False
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer)
    return all(
        isinstance(part, Name) or not variables_in(resolver, part, frame)
        for base in facts.bases
        if isinstance(base, Subscript)
        for part in key_parts(base)
    )


def argument_of(resolver: Resolver, cls: ClassValue, variable: str) -> Values:
    """What a class, or one of its generic bases, is given for a type variable."""
    own = _own_argument(resolver, cls, variable)
    # The bases' arguments may be the class's own: these have to be known without the bases.
    if own is not None:
        return own
    others = (_own_argument(resolver, owner, variable) for owner in resolver.mro(cls)[1:])
    return next((found for found in others if found is not None), ())


def _own_argument(resolver: Resolver, cls: ClassValue | External, variable: str) -> Values | None:
    if not isinstance(cls, ClassValue) or not cls.arguments:
        return None
    names = type_parameters(resolver, cls)
    if variable not in names or names.index(variable) >= len(cls.arguments):
        return None
    return cls.arguments[names.index(variable)]


def _generic_parameters(resolver: Resolver, function: FunctionValue) -> Iterator[int]:
    module = resolver.table.get(function.module)
    if module is None:
        return
    facts = module.facts.functions[function.number]
    frame = resolver.frame(function.module, facts.outer)
    for index, parameter in enumerate(facts.parameters):
        if parameter.annotation is not None and _mentions_one(
            resolver, parameter.annotation, frame
        ):
            yield index


def _mentions_one(resolver: Resolver, annotation: Expr, frame: Frame) -> bool:
    """Whether a type expression has a type variable in it."""
    if isinstance(annotation, Binary):
        return _mentions_one(resolver, annotation.left, frame) or _mentions_one(
            resolver, annotation.right, frame
        )
    return bool(variables_in(resolver, annotation, frame))


def _is_type_variable(resolver: Resolver, expr: Name, frame: Frame) -> bool:
    for found in followed(resolver, expr, frame):
        value = found.binding.value
        if isinstance(value, Call):
            name = qualified(resolver, value.func, found.frame)
            if name is not None and name.rpartition(".")[2] in ("TypeVar", "ParamSpec"):
                return True
    return False


def _type_parameters(resolver: Resolver, cls: ClassValue) -> tuple[str, ...]:
    module = resolver.table.get(cls.module)
    if module is None:
        return ()
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer)
    explicit: list[str] = []
    implied: list[str] = []
    for base in facts.bases:
        if not isinstance(base, Subscript):
            continue
        names = [n for part in key_parts(base) for n in variables_in(resolver, part, frame)]
        base_name = qualified(resolver, base.value, frame) or ""
        if base_name.rpartition(".")[2] in ("Generic", "Protocol"):
            explicit.extend(names)
        implied.extend(names)
    return tuple(dict.fromkeys(explicit or implied))


def variables_in(resolver: Resolver, expr: Expr, frame: Frame) -> list[str]:
    if isinstance(expr, Subscript):
        return variables_in(resolver, expr.key, frame)
    if isinstance(expr, Display):
        return [name for part in expr.items for name in variables_in(resolver, part, frame)]
    found = type_variable(resolver, expr, frame)
    return [found] if found else []
