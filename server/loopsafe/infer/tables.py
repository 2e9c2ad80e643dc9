"""Dispatch tables: what mappings and lists hold, however they were filled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from astroid import nodes
from astroid.exceptions import AstroidError

from loopsafe.infer.constants import Bindings, constants
from loopsafe.infer.places import assigned, called_name, targets

if TYPE_CHECKING:
    from loopsafe.infer.computed import Evaluator

_MOST_ROUNDS = 64
"""A loop is followed so many rounds."""


class Entry(NamedTuple):
    """One value of a table, and the loop variables it was made with."""

    keys: tuple[Any, ...]
    """What its key may be; empty where that is not known."""
    value: nodes.NodeNG
    bindings: Bindings

    def fits(self, wanted: list[Any]) -> bool:
        """Whether a lookup with one of these keys, or an unknown one, may give this entry."""
        return not wanted or not self.keys or any(key in self.keys for key in wanted)


def entries(evaluator: Evaluator, node: nodes.NodeNG, bindings: Bindings) -> Iterator[Entry]:
    """What a table holds; nothing where it is none."""
    if isinstance(node, nodes.Dict):
        for key, value in node.items:
            if isinstance(key, nodes.DictUnpack):
                yield from entries(evaluator, value, bindings)
            else:
                yield Entry(tuple(constants(key, bindings)), value, bindings)
    elif isinstance(node, (nodes.List, nodes.Tuple)):
        for index, item in enumerate(node.elts):
            yield Entry((index, index - len(node.elts)), item, bindings)
    elif isinstance(node, nodes.DictComp):
        for bound in _rounds(node.generators, bindings):
            yield Entry(tuple(constants(node.key, bound)), node.value, bound)
    elif isinstance(node, nodes.ListComp):
        for bound in _rounds(node.generators, bindings):
            yield Entry((), node.elt, bound)
    elif isinstance(node, nodes.BinOp) and node.op == "|":
        yield from entries(evaluator, node.left, bindings)
        yield from entries(evaluator, node.right, bindings)
    elif isinstance(node, nodes.Call):
        yield from _called(evaluator, node, bindings)
    elif isinstance(node, (nodes.Name, nodes.Attribute)):
        yield from _held(evaluator, node, bindings)


def _called(evaluator: Evaluator, node: nodes.Call, bindings: Bindings) -> Iterator[Entry]:
    name = called_name(node.func)
    if name == "builtins.globals" or (name == "builtins.vars" and not node.args):
        yield from _namespace(node.root())
    elif name == "builtins.vars":
        for owner in evaluator.results(node.args[0], bindings):
            yield from _namespace(owner)
    elif name in ("builtins.dict", "types.MappingProxyType", "collections.OrderedDict"):
        for argument in node.args:
            yield from _pairs(evaluator, argument, bindings)
        yield from _keywords(node, bindings)
    elif isinstance(node.func, nodes.Attribute) and node.func.attrname == "split":
        for index, word in enumerate(_words(node)):
            yield Entry((index,), nodes.const_factory(word), {})


def _pairs(evaluator: Evaluator, node: nodes.NodeNG, bindings: Bindings) -> Iterator[Entry]:
    """What `dict(node)` holds: another table's entries, or pairs."""
    if isinstance(node, nodes.Call) and called_name(node.func) == "builtins.zip":
        sides = [list(entries(evaluator, side, bindings)) for side in node.args]
        for key, value, *_ in zip(*sides, strict=False):
            yield Entry(tuple(constants(key.value, key.bindings)), value.value, value.bindings)
        return
    for entry in entries(evaluator, node, bindings):
        pair = entry.value
        is_pair = isinstance(pair, (nodes.Tuple, nodes.List)) and len(pair.elts) == 2
        if is_pair and not isinstance(node, nodes.Dict):
            key, value = pair.elts
            yield Entry(tuple(constants(key, entry.bindings)), value, entry.bindings)
        else:
            yield entry


def _keywords(node: nodes.Call, bindings: Bindings) -> Iterator[Entry]:
    for keyword in node.keywords:
        if keyword.arg is not None:
            yield Entry((keyword.arg,), keyword.value, bindings)


def _namespace(owner: Any) -> Iterator[Entry]:
    """What a module's or class's `__dict__` holds."""
    if not isinstance(owner, (nodes.Module, nodes.ClassDef)):
        return
    for name, found in owner.locals.items():
        for target in found:
            if isinstance(target, (nodes.FunctionDef, nodes.ClassDef)):
                yield Entry((name,), target, {})
            else:
                value = assigned(target)
                if value is not None:
                    yield Entry((name,), value, {})


def _held(
    evaluator: Evaluator, node: nodes.Name | nodes.Attribute, bindings: Bindings
) -> Iterator[Entry]:
    """What the table that a name stands for was made with, and what was added later."""
    if isinstance(node, nodes.Name) and node.name in bindings:
        yield from entries(evaluator, bindings[node.name], {})
        return
    if isinstance(node, nodes.Attribute) and node.attrname == "__dict__":
        for owner in evaluator.results(node.expr, bindings):
            yield from _namespace(owner)
        return
    for target in targets(node):
        value = assigned(target)
        if value is not None and value is not node:
            yield from entries(evaluator, value, {})
        name = target.name if isinstance(target, nodes.AssignName) else target.attrname
        for module in {target.root(), evaluator.module}:
            yield from _added(evaluator, module, name)


def _added(evaluator: Evaluator, module: nodes.Module, name: str) -> Iterator[Entry]:
    """Entries put into a table by statements: `TABLE[key] = value`, `TABLE.update(...)`."""
    for assign in module.nodes_of_class(nodes.Assign):
        for target in assign.targets:
            if isinstance(target, nodes.Subscript) and _last(target.value) == name:
                for bound in _loops(assign):
                    keys = tuple(constants(target.slice, bound))
                    yield from _stored(evaluator, keys, assign.value, bound)
    for call in module.nodes_of_class(nodes.Call):
        method = call.func
        if not isinstance(method, nodes.Attribute) or _last(method.expr) != name:
            continue
        if method.attrname == "setdefault" and len(call.args) == 2:
            for bound in _loops(call):
                yield Entry(tuple(constants(call.args[0], bound)), call.args[1], bound)
        elif method.attrname == "update":
            for argument in call.args:
                yield from _pairs(evaluator, argument, {})
            yield from _keywords(call, {})
        elif method.attrname == "append" and len(call.args) == 1:
            for bound in _loops(call):
                yield Entry((), call.args[0], bound)


def _stored(
    evaluator: Evaluator, keys: tuple[Any, ...], value: nodes.NodeNG, bindings: Bindings
) -> Iterator[Entry]:
    """A value, or, where it is the parameter of a decorator, every function so decorated."""
    function = value.scope() if isinstance(value, nodes.Name) else None
    if not isinstance(function, nodes.FunctionDef) or not isinstance(value, nodes.Name):
        yield Entry(keys, value, bindings)
        return
    if not any(name.name == value.name for name in function.args.arguments):
        yield Entry(keys, value, bindings)
        return
    outer = {function.qname()}
    if function.parent is not None and isinstance(function.parent.scope(), nodes.FunctionDef):
        outer.add(function.parent.scope().qname())
    for module in {function.root(), evaluator.module}:
        for found in module.nodes_of_class((nodes.FunctionDef, nodes.ClassDef)):
            for decorator in found.decorators.nodes if found.decorators else ():
                callee = decorator.func if isinstance(decorator, nodes.Call) else decorator
                if called_name(callee) in outer:
                    given = decorator.args if isinstance(decorator, nodes.Call) else []
                    yield Entry(tuple(constants(given[0], {})) if given else (), found, {})


def _last(node: nodes.NodeNG) -> str:
    if isinstance(node, nodes.Attribute):
        return str(node.attrname)
    return str(node.name) if isinstance(node, nodes.Name) else ""


def _loops(node: nodes.NodeNG) -> Iterator[Bindings]:
    """The rounds of the `for` statements around a statement."""
    loops: list[Any] = []
    here = node.parent
    while here is not None and not isinstance(here, (nodes.FunctionDef, nodes.Module)):
        if isinstance(here, nodes.For):
            loops.insert(0, here)
        here = here.parent
    yield from _rounds(loops, {})


def _rounds(loops: list[Any], bindings: Bindings) -> Iterator[Bindings]:
    """What the loop variables stand for in each round; a loop that says nothing binds nothing."""
    rounds: list[Bindings] = [bindings]
    for loop in loops:
        items = _items(loop.iter)
        if items:
            rounds = [{**r, **_bound(loop.target, i)} for r in rounds for i in items]
    yield from rounds[:_MOST_ROUNDS]


def _bound(target: nodes.NodeNG, item: nodes.NodeNG) -> Bindings:
    if isinstance(target, nodes.AssignName):
        return {target.name: item}
    if isinstance(target, (nodes.Tuple, nodes.List)) and isinstance(
        item, (nodes.Tuple, nodes.List)
    ):
        found: dict[str, nodes.NodeNG] = {}
        for part, value in zip(target.elts, item.elts, strict=False):
            found.update(_bound(part, value))
        return found
    return {}


def _items(node: nodes.NodeNG) -> list[nodes.NodeNG]:
    """The items that a loop goes over, as expressions."""
    if isinstance(node, nodes.Call) and isinstance(node.func, nodes.Attribute):
        if node.func.attrname == "items" and not node.args:
            pairs = [d.items for d in _displays(node.func.expr) if isinstance(d, nodes.Dict)]
            return [_pair(key, value) for items in pairs for key, value in items]
        if node.func.attrname == "split":
            return [nodes.const_factory(word) for word in _words(node)]
    found: list[nodes.NodeNG] = []
    for display in _displays(node):
        if isinstance(display, (nodes.Tuple, nodes.List, nodes.Set)):
            found.extend(display.elts)
        elif isinstance(display, nodes.Dict):
            found.extend(key for key, _ in display.items)
    return found


def _displays(node: nodes.NodeNG) -> list[Any]:
    try:
        return list(node.infer())
    except (AstroidError, AttributeError, RecursionError):
        return []


def _pair(key: nodes.NodeNG, value: nodes.NodeNG) -> nodes.Tuple:
    pair = nodes.Tuple(None, None, key.parent, end_lineno=None, end_col_offset=None)
    pair.elts = [key, value]
    return pair


def _words(node: nodes.Call) -> list[str]:
    """`"get post".split()`"""
    function = node.func
    text = constants(function.expr, {}) if isinstance(function, nodes.Attribute) else []
    mark = constants(node.args[0], {}) if len(node.args) == 1 else [None]
    if len(text) == 1 and isinstance(text[0], str) and len(mark) == 1 and mark[0] != "":
        return text[0].split(mark[0])
    return []
