"""What calls pass along a way through a package, and which conditions that settles."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from loopsafe.effects.bounds import bounds
from loopsafe.effects.flags import flags
from loopsafe.effects.knowns import Choice, Gathered, Given, Known, Small, Symbol
from loopsafe.effects.meetings import function_of
from loopsafe.effects.settled import Facts, Open, conditions, find_function
from loopsafe.effects.small import small_functions
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import (
    Attr,
    Call,
    Const,
    Expr,
    Function,
    Imported,
    Name,
    Site,
    Starred,
    Test,
    Unknown,
)
from loopsafe.model import Spot
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import matched
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue

_MOST_TREES = 200


def passed(
    resolver: Resolver,
    function: FunctionValue,
    call: Call,
    caller: Mapping[str, Known],
) -> dict[str, Known]:
    """What is known of a function's parameters when a call enters it."""
    facts = facts_of(resolver, function)
    if facts is None:
        return {}
    found: dict[str, Known] = {}
    given = dict(matched(facts, call, function.bound))
    placed = _placed(call, caller) if not function.bound else None
    starred = any(isinstance(arg, Starred) for arg in call.args) and placed is None
    mappings = [expr for name, expr in call.keywords if name is None]
    handed = _handed_on(mappings, caller)
    mapped = handed is None
    keywords = {**(handed or {}), **_keywords(call, caller)}
    for index, parameter in enumerate(facts.parameters):
        if parameter.kind == "kwargs" and not mapped:
            found[parameter.name] = _gathered(facts, keywords)
        if parameter.kind == "args" and placed is not None:
            found[parameter.name] = Gathered((), placed[index:])
        elif parameter.kind == "args" and not starred and index not in given:
            found[parameter.name] = Gathered()
        if parameter.kind not in ("positional", "keyword"):
            continue
        if parameter.kind == "positional" and placed is not None and index < len(placed):
            found.update((parameter.name, value) for value in placed[index])
            continue
        if index in given:
            found.update(_known(parameter.name, given[index], caller))
            continue
        if parameter.name in keywords:
            found.update((parameter.name, value) for value in keywords[parameter.name])
            continue
        hidden = mapped or (starred and parameter.kind == "positional")
        if parameter.default is not None and (not hidden or _is_switched_off(parameter.default)):
            found[parameter.name] = _default(parameter.default)
    return found


def _placed(call: Call, caller: Mapping[str, Known]) -> tuple[tuple[Known, ...], ...] | None:
    """What a call gives by place, with what `*arguments` hands on of what the caller gathered.

    None where that is unknown.
    """
    found: list[tuple[Known, ...]] = []
    for arg in call.args:
        if not isinstance(arg, Starred):
            found.append(tuple(_known("", arg, caller).values()))
            continue
        gathered = caller.get(arg.value.id) if isinstance(arg.value, Name) else None
        if not isinstance(gathered, Gathered):
            return None
        found += gathered.placed
    return tuple(found)


def _handed_on(
    mappings: list[Expr], caller: Mapping[str, Known]
) -> dict[str, tuple[Known, ...]] | None:
    """What `**keywords` hands on of what the caller gathered; None where that is unknown."""
    found: dict[str, tuple[Known, ...]] = {}
    for expr in mappings:
        gathered = caller.get(expr.id) if isinstance(expr, Name) else None
        if not isinstance(gathered, Gathered) or gathered.is_open:
            return None
        found.update(gathered.items)
    return found


def _keywords(call: Call, caller: Mapping[str, Known]) -> dict[str, tuple[Known, ...]]:
    """What a call gives by keyword; an empty value is one of which nothing is known."""
    named = ((name, expr) for name, expr in call.keywords if name is not None)
    return {name: tuple(_known(name, expr, caller).values()) for name, expr in named}


def _gathered(function: Function, keywords: Mapping[str, tuple[Known, ...]]) -> Gathered:
    """The keywords of a call that are no parameter's own."""
    own = {p.name for p in function.parameters if p.kind in ("positional", "keyword")}
    return Gathered(tuple(sorted(((n, v) for n, v in keywords.items() if n not in own), key=_name)))


def _name(item: tuple[str, tuple[Known, ...]]) -> str:
    return item[0]


class Asked(NamedTuple):
    """How a site is come to."""

    switches: tuple[str, ...] = ()
    """Arguments of its call that have to be on."""
    is_once: bool = False
    """By a generator that is asked for its first value only."""


_PLAINLY = Asked()


class Texts:
    """The functions of packages as trees, read when a way leads through them."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._trees: dict[tuple[bytes, int, int], ast.AST | None] = {}

    def conditions(
        self,
        frame: Frame,
        site: Site,
        known: Mapping[str, Known],
        alike: Iterable[Spot] = (),
        asked: Asked = _PLAINLY,
    ) -> Open | None:
        """The open conditions that a site stands under; None where it is never reached.

        A condition is none where a place that does alike stands under its other outcome.
        A generator that is asked once does not go on behind its first `yield`, and arguments that
        have to be on are conditions as well.
        """
        module = self._resolver.table.get(frame.module)
        function = function_of(self._resolver, frame)
        if module is None or function is None:
            return None
        tree = self._tree(module, function)
        line, column, *_ = function.in_file(site.spot)
        if tree is None:
            return Open(_blocks_around(module, site))
        inner = find_function(tree, line, column) or tree
        own = {parameter.name for parameter in function.parameters}
        constants = {n: value for n, value in _constants(module).items() if n not in own}
        places = [function.in_file(spot)[:2] for spot in alike]
        short = small_functions(self._resolver, module, inner, self._tree)
        system = _system(module)
        unseen = {p.name: Gathered(is_open=True) for p in function.parameters if p.kind == "kwargs"}
        names: dict[str, Known] = {**short, **constants, **unseen, **known}
        facts = Facts(names, system, places, asked.is_once, asked.switches)
        found = conditions(inner, line, column, facts)
        if found is None or frame.receiver is None:
            return found
        if not found.number and not _is_in_loop(module, site):
            return found
        likely = flags(self._resolver, frame.receiver, function, inner)
        facts = facts._replace(likely={**system, **likely})
        return conditions(inner, line, column, facts) if likely else found

    def _tree(self, module: Module, function: Function) -> ast.AST | None:
        key = (module.digest, function.span.line, function.span.column)
        if key not in self._trees:
            if len(self._trees) >= _MOST_TREES:
                self._trees.clear()
            self._trees[key] = self._parsed(module, function)
        return self._trees[key]

    def _parsed(self, module: Module, function: Function) -> ast.AST | None:
        try:
            text = self._resolver.table.disk.read(module.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return None
        piece = _piece(text, function.span.line)
        tree = _tree_of(piece) if piece is not None else None
        return tree or _tree_of(text)


def _tree_of(text: str) -> ast.AST | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _piece(text: str, line: int) -> str | None:
    """The lines of a function alone, at their places: a whole module takes long to parse."""
    lines = text.splitlines(keepends=True)
    if not 0 < line <= len(lines):
        return None
    header = lines[line - 1]
    indent = len(header) - len(header.lstrip())
    if not header.lstrip().startswith(("def ", "async def ")):
        return None
    kept = [header]
    for following in lines[line:]:
        bare = following.lstrip()
        if bare and len(following) - len(bare) <= indent and bare[0] not in ")]}#":
            break
        kept.append(following)
    if not indent:
        return "\n" * (line - 1) + "".join(kept)
    return "\n" * (line - 2) + "if 1:\n" + "".join(kept) if line > 1 else None


def _known(name: str, expr: Expr, caller: Mapping[str, Known]) -> dict[str, Known]:
    if isinstance(expr, Const):
        return {name: expr.value}
    if isinstance(expr, Name):
        known = caller.get(expr.id, ...)
        return {} if known is ... or isinstance(known, Small) else {name: known}
    if isinstance(expr, Attr) and isinstance(expr.value, Name):
        path = f"{expr.value.id}.{expr.name}"
        return {name: caller[path]} if path in caller else {}
    if isinstance(expr, Test) and expr.kind == "not":
        value = _known(name, expr.value, caller).get(name, Given())
        if not isinstance(value, (Symbol, Given, Gathered, Choice, Small)):
            return {name: not value}
    # A variable or an attribute may well be None; what is made for the call is not.
    return {} if isinstance(expr, (Attr, Unknown)) else {name: Given()}


def _default(expr: Expr) -> Known:
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Name):
        return Symbol(expr.id)
    return Symbol(expr.name) if isinstance(expr, Attr) else Given()


def _is_switched_off(default: Expr) -> bool:
    """Whether a parameter switches something on, which nobody says that an unseen mapping does."""
    return isinstance(default, Const) and default.value is False


def _constants(module: Module) -> dict[str, Known]:
    """Names of a module that hold one literal: `DEBUG = False`."""
    found: dict[str, Known] = {}
    for name, bindings in module.facts.scopes[0].bindings.items():
        value = bindings[0].value if len(bindings) == 1 else None
        if isinstance(value, Const):
            found[name] = value.value
    return found


def _system(module: Module) -> dict[str, Known]:
    """What the system most likely is, by what the module calls that."""
    found: dict[str, Known] = {}
    asked = [(*name.split("."), value) for name, value in bounds().system]
    for name, bindings in module.facts.scopes[0].bindings.items():
        source = bindings[0].value if len(bindings) == 1 else None
        if not isinstance(source, Imported) or source.level > 0:
            continue
        for home, member, value in asked:
            if source.module == home and source.name is None:
                found[f"{name}.{member}"] = value
            elif source.module == home and source.name == member.removesuffix("()"):
                found[member.replace(source.name, name)] = value
    return found


def _is_in_loop(module: Module, site: Site) -> bool:
    """Whether a loop is around a site: what it asks for is no condition, but may be a flag."""
    blocks = module.facts.scopes[site.scope].blocks
    block = site.block
    while block > 0 and blocks[block].kind != "loop":
        block = blocks[block].parent
    return block > 0


def _blocks_around(module: Module, site: Site) -> int:
    """The conditions around a site as the facts have them, where the text does not parse."""
    blocks = module.facts.scopes[site.scope].blocks
    count, block = 0, site.block
    while block > 0:
        count += blocks[block].kind in ("if", "else", "except", "case", "lazy", "own", "once")
        block = blocks[block].parent
    return count
