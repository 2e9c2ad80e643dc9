"""Fields of records: enum members, named tuples, dataclasses, attrs classes, plain objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from astroid import bases, nodes
from astroid.exceptions import AstroidError

from loopsafe.infer.places import assigned, definitions

if TYPE_CHECKING:
    from loopsafe.infer.computed import Evaluator

_FIELD_MAKERS = frozenset({"attr.ib", "attrib", "attr.attrib", "attrs.field", "field"})


def fields(evaluator: Evaluator, node: nodes.Attribute) -> Iterator[nodes.NodeNG]:
    """The expressions that a field of a record may have been given."""
    if node.attrname in ("value", "_value_"):
        yield from _enum_values(evaluator, node.expr)
    makers = [node.expr] if isinstance(node.expr, nodes.Call) else definitions(node.expr)
    for call in makers:
        if isinstance(call, nodes.Call):
            for cls in _classes(call.func):
                found = _given(cls, call, node.attrname)
                if found is not None:
                    yield found


def _enum_values(evaluator: Evaluator, member: nodes.NodeNG) -> Iterator[nodes.NodeNG]:
    """What stands behind an enum member, or all members where it is not known which."""
    for result in evaluator.results(member):
        cls = result._proxied if isinstance(result, bases.Instance) else None
        if not isinstance(cls, nodes.ClassDef):
            continue
        if isinstance(cls.parent, (nodes.Assign, nodes.AnnAssign)):
            # astroid stands in a class of its own for each member.
            if _is_enum(cls.parent.scope()) and cls.parent.value is not None:
                yield cls.parent.value
        elif _is_enum(cls):
            for statement in cls.body:
                if isinstance(statement, nodes.Assign):
                    yield statement.value


def _is_enum(cls: nodes.NodeNG) -> bool:
    try:
        return isinstance(cls, nodes.ClassDef) and any(
            base.qname() == "enum.Enum" for base in cls.ancestors()
        )
    except AstroidError:
        return False


def _classes(node: nodes.NodeNG) -> list[nodes.ClassDef]:
    try:
        return [found for found in node.infer() if isinstance(found, nodes.ClassDef)]
    except (AstroidError, AttributeError, RecursionError):
        return []


def _given(cls: nodes.ClassDef, call: nodes.Call, name: str) -> nodes.NodeNG | None:
    """What a call that makes an object gives the field, or the field's default."""
    names, defaults, parameter = _signature(cls, name)
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    if parameter in names:
        index = names.index(parameter)
        before = call.args[: index + 1]
        if len(before) > index and not any(isinstance(a, nodes.Starred) for a in before):
            return call.args[index]
    return defaults.get(parameter)


def _signature(cls: nodes.ClassDef, name: str) -> tuple[list[str], dict[str, nodes.NodeNG], str]:
    """The parameters of a class, their defaults, and the one that ends up in the field."""
    initialiser = cls.locals.get("__init__")
    if initialiser and isinstance(initialiser[0], nodes.FunctionDef):
        return _initialiser(cls, initialiser[0], name)
    names: list[str] = []
    defaults: dict[str, nodes.NodeNG] = {}
    for owner in [*reversed(_bases(cls)), cls]:
        for statement in owner.body:
            field = _field(statement)
            if field is not None:
                names = [known for known in names if known != field[0]] + [field[0]]
                if field[1] is not None:
                    defaults[field[0]] = field[1]
    if not names:
        names = list(cls.instance_attrs)  # What astroid makes of `namedtuple("Name", ...)`.
    return names, defaults, name


def _initialiser(
    cls: nodes.ClassDef, function: nodes.FunctionDef, name: str
) -> tuple[list[str], dict[str, nodes.NodeNG], str]:
    arguments = function.args
    positional = [a.name for a in (*arguments.posonlyargs, *(arguments.args or ()))][1:]
    given = reversed(arguments.defaults or [])
    defaults = dict(zip(reversed(positional), given, strict=False))
    for target in cls.instance_attrs.get(name, []):
        value = assigned(target)
        if isinstance(value, nodes.Name) and value.scope() is function:
            return positional, defaults, value.name
    return [], {}, ""


def _bases(cls: nodes.ClassDef) -> list[nodes.ClassDef]:
    try:
        return [base for base in cls.ancestors() if base.root().name != "builtins"]
    except AstroidError:
        return []


def _field(statement: Any) -> tuple[str, nodes.NodeNG | None] | None:
    """A field's name and default."""
    if isinstance(statement, nodes.AnnAssign) and isinstance(statement.target, nodes.AssignName):
        if statement.annotation.as_string().rpartition(".")[2].startswith("ClassVar"):
            return None
        return statement.target.name, _default(statement.value)
    if isinstance(statement, nodes.Assign) and isinstance(statement.value, nodes.Call):
        made = statement.value.func.as_string() in _FIELD_MAKERS
        target = statement.targets[0]
        if made and isinstance(target, nodes.AssignName):
            return target.name, _default(statement.value)
    return None


def _default(value: nodes.NodeNG | None) -> nodes.NodeNG | None:
    """`default` of `attr.ib(default=...)` and `field(default=...)`, or the value itself."""
    if isinstance(value, nodes.Call) and value.func.as_string() in _FIELD_MAKERS:
        found = (k.value for k in value.keywords if k.arg == "default")
        return next(found, None)
    return value
