"""Callables of the language itself whose result no signature can express."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from loopsafe.facts.ir import (
    UNKNOWN,
    Binary,
    Call,
    Const,
    Display,
    Expr,
    Found,
    FunctionRef,
    Name,
    Starred,
    Typed,
)
from loopsafe.resolve.arguments import says_what_runs
from loopsafe.resolve.metaclasses import made, subclasses
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import function_names
from loopsafe.resolve.texts import formatted, spelled, split
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    CoroutineValue,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    ManagerFactory,
    MethodCaller,
    ModuleValue,
    PartialValue,
    SuperValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver


def _partial(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    if not call.args:
        return ()
    given = _given(resolver, call, frame)
    return tuple(PartialValue(target, given) for target in resolver.values(call.args[0], frame))


def _method_caller(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    name = call.args[0].value if call.args and isinstance(call.args[0], Const) else None
    if not isinstance(name, str):
        return None
    return (MethodCaller(name, _given(resolver, call, frame)),)


def _given(resolver: Resolver, call: Call, frame: Frame) -> Call:
    """The arguments behind a call's first, as they can be read elsewhere."""
    return call._replace(
        func=UNKNOWN,
        args=tuple(_kept(resolver, arg, frame) for arg in call.args[1:]),
        keywords=tuple((name, _kept(resolver, value, frame)) for name, value in call.keywords),
    )


def _kept(resolver: Resolver, expr: Expr, frame: Frame) -> Expr:
    """An argument that is read where another call stands: a literal, or what says what runs."""
    if isinstance(expr, Const):
        return expr
    if isinstance(expr, Starred):
        return Starred(UNKNOWN)
    values = resolver.values(expr, frame)
    return Found(values) if values and all(map(says_what_runs, values)) else UNKNOWN


def _super(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`super()` looks behind the class in whose body it is written."""
    here: Frame | None = frame
    while here is not None:
        module = resolver.table.get(here.module)
        scope = module.facts.scopes[here.scope] if module else None
        if module is not None and scope is not None and scope.kind == "function":
            owner = module.facts.functions[scope.owner].owner
            if owner >= 0 and here.receiver is not None:
                return (SuperValue(here.receiver, ClassValue(here.module, owner)),)
        here = here.outer
    return ()


def _cast(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    return resolver.instances(call.args[0], frame) if call.args else ()


def _getattr(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    if len(call.args) < 2:
        return ()
    names = [call.args[1].value] if isinstance(call.args[1], Const) else []
    if not names:
        names = [
            v.value for v in resolver.values(call.args[1], frame) if isinstance(v, ConstantValue)
        ]
    owners = resolver.values(call.args[0], frame)
    shape = shape_of(resolver, call.args[1], frame) if not names else Typed("str")
    if is_telling(shape):
        return union(shaped(resolver, owner, shape) for owner in owners)
    found = union(
        resolver.read(owners, name, frame) for name in dict.fromkeys(names) if isinstance(name, str)
    )
    is_lacking = names and len(call.args) > 2 and not resolver.known(found)
    return resolver.values(call.args[2], frame) if is_lacking else found


def shape_of(resolver: Resolver, name: Expr, frame: Frame) -> Typed:
    """What is known of a name that is put together: `f"do_{command}"`, `"do_" + command`."""
    if isinstance(name, Name):
        found = definitions(resolver, name, frame)
        value = found[0].binding.value if len(found) == 1 else None
        if isinstance(value, (Binary, Typed)):
            return shape_of(resolver, value, found[0].frame)
    if isinstance(name, Binary) and name.op == "__add__" and isinstance(name.left, Const):
        return Typed("str", str(name.left.value))
    return name if isinstance(name, Typed) else Typed("str")


def is_telling(shape: Typed) -> bool:
    """Whether the beginning of a name that is put together says which names are meant."""
    return len(shape.begins.strip("_")) >= _TELLING


def shaped(resolver: Resolver, owner: Value, shape: Typed) -> Values:
    """The functions in an object, a class or a module whose names have a shape.

    Where some are coroutine functions, these are meant: a mere call of one may be handed on.
    """
    names = function_names(resolver, owner)
    fitting = [n for n in names if n.startswith(shape.begins) and n.endswith(shape.ends)]
    if len(fitting) > _MOST_SHAPED:
        return ()
    values = union(resolver.attribute(owner, name) for name in fitting)
    coroutines = tuple(v for v in values if _is_coroutine_function(resolver, v))
    return coroutines or values


def _is_coroutine_function(resolver: Resolver, value: Value) -> bool:
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return False
    return module.facts.functions[value.number].is_async


def _import_module(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`import_module("a.b")` is `a.b`; a name that begins with a dot starts at the package."""
    importer = resolver.table.get(frame.module)
    found: list[Value] = []
    for value in resolver.values(call.args[0], frame) if call.args and importer else ():
        name = value.value if isinstance(value, ConstantValue) else None
        if isinstance(name, str) and importer is not None:
            bare = name.lstrip(".")
            level = len(name) - len(bare)
            found.append(ModuleValue(resolver.table.imported(importer, bare, level)))
    if not found and call.args and importer is not None:
        shape = shape_of(resolver, call.args[0], frame)
        return _modules_like(resolver, importer, shape) or None
    return tuple(found) or None


def _modules_like(resolver: Resolver, importer: Module, shape: Typed) -> Values:
    """The modules of a package whose name is put together: `import_module(f"jobs.{name}")`."""
    bare = shape.begins.lstrip(".")
    begins = importer.absolute(bare, len(shape.begins) - len(bare)) if shape.begins else ""
    package, _, start = begins.rpartition(".") if bare else (begins, "", "")
    if not package:
        return ()
    found: list[Value] = []
    for key in resolver.outside.modules_in(resolver, package):
        module = resolver.table.get(key)
        name = module.dotted if module is not None else ""
        middle = name[len(package) + 1 :].removesuffix(shape.ends)
        if name.endswith(shape.ends) and middle.startswith(start) and "." not in middle:
            found.append(ModuleValue(key))
    return tuple(found) if len(found) <= _MOST_SHAPED else ()


def _import(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`__import__("a.b")` is `a`."""
    found = _import_module(resolver, call, frame) or ()
    names = {value.name.partition(".")[0] for value in found if isinstance(value, ModuleValue)}
    return tuple(ModuleValue(name) for name in names)


def _anext(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    values = resolver.values(call.args[0], frame) if call.args else ()
    found = resolver.elements(values, True)
    return (CoroutineValue(found),) if found else None


def _type(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    if len(call.args) == 1:
        values = resolver.values(call.args[0], frame)
        return tuple(value.cls for value in values if isinstance(value, Instance))
    # `type("File", (Base,), {})` is as its bases are.
    bases = call.args[1] if len(call.args) == 3 else None
    each = bases.items if isinstance(bases, Display) else ()
    found = union(resolver.values(base, frame) for base in each)
    return tuple(value for value in found if isinstance(value, ClassValue))


def _new(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`cls.__new__(cls)` gives a bare object of the class."""
    values = resolver.values(call.args[0], frame) if call.args else ()
    return tuple(Instance(value) for value in values if isinstance(value, ClassValue)) or None


def _first_argument(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    return resolver.values(call.args[0], frame) if call.args else ()


def _part(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """What has the same elements, and runs what it is made of when it is iterated itself."""
    return (resolver.values(call.args[0], frame) if call.args else ()) or None


def _iter(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`iter(pages)` is what `__iter__` gives: what that yields, or what an object with `__next__`
    fetches, comes when the result is asked."""
    values = resolver.known(resolver.values(call.args[0], frame)) if len(call.args) == 1 else ()
    found = union(
        resolver.called(method)
        for value in values
        for method in (resolver.attribute(value, "__iter__") if isinstance(value, Instance) else ())
        if isinstance(method, FunctionValue)
    )
    running = (v for v in (*values, *found) if isinstance(v, GeneratorValue))
    return (*running, *(v for v in found if has_next(resolver, v))) or None


def has_next(resolver: Resolver, value: Value) -> bool:
    """Whether a value is an object whose own `__next__` can be read."""
    found = resolver.attribute(value, "__next__") if isinstance(value, Instance) else ()
    modules = (resolver.table.get(v.module) for v in found if isinstance(v, FunctionValue))
    return any(module is not None and not module.is_stub for module in modules)


def _decorator(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`@lru_cache(maxsize=1)` leaves the function; `lru_cache(f)` is the function."""
    if call.args and isinstance(call.args[0], FunctionRef):
        return resolver.values(call.args[0], frame)
    values = resolver.values(call.args[0], frame) if call.args else ()
    return tuple(v for v in values if isinstance(v, FunctionValue))


_TELLING = 2
"""So many letters in front of a name that is put together say which methods are meant."""

_MOST_SHAPED = 24
"""More functions whose names begin alike say little about which one is meant."""

SPECIAL: dict[str, Callable[[Resolver, Call, Frame], Values | None]] = {
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    "operator.methodcaller": _method_caller,
    "builtins.super": _super,
    "builtins.anext": _anext,
    "builtins.iter": _iter,
    "typing.cast": _cast,
    "typing_extensions.cast": _cast,
    "builtins.getattr": _getattr,
    "builtins.str.lower": spelled,
    "builtins.str.upper": spelled,
    "builtins.str.capitalize": spelled,
    "builtins.str.title": spelled,
    "builtins.str.format": formatted,
    "builtins.str.partition": split,
    "builtins.str.rpartition": split,
    "builtins.str.split": split,
    "builtins.str.rsplit": split,
    "builtins.type": _type,
    "builtins.staticmethod": _first_argument,
    "enum.member": _first_argument,
    "builtins.object.__new__": _new,
    "builtins.type.__subclasses__": subclasses,
    "builtins.type.__new__": made,
    "abc.ABCMeta.__new__": made,
    "importlib.import_module": _import_module,
    "builtins.__import__": _import,
    "functools.lru_cache": _decorator,
    "functools.cache": _decorator,
    "itertools.islice": _part,
    "copy.copy": _first_argument,
    "copy.deepcopy": _first_argument,
}
"""Qualified name -> what a call of it gives; None leaves the answer to the signature."""


def _manager(value: Value) -> Values:
    return (ManagerFactory(value),) if isinstance(value, FunctionValue) else (value,)


def _same(value: Value) -> Values:
    return (value,)


DECORATORS: dict[str, Callable[[Value], Values]] = {
    "contextlib.contextmanager": _manager,
    "contextlib.asynccontextmanager": _manager,
    "functools.lru_cache": _same,
    "functools.cache": _same,
    "functools.wraps": _same,
}
"""Qualified name -> what the decorator makes of a function."""
