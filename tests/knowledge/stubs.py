"""Looks dotted names up in type stubs and library source, by reading: a witness beside import."""

from __future__ import annotations

import ast
import os
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jedi

UNPACKED = Path(
    os.environ.get("LOOPSAFE_LIBRARIES") or Path(__file__).parents[2] / "build" / "libraries"
)
"""Libraries without what they depend on, made by `scripts/libraries.py`."""
TYPESHED = Path(jedi.__file__).parent / "third_party" / "typeshed"


@dataclass(frozen=True)
class Definition:
    """A class, function or variable and the module that defines it."""

    module: str
    node: ast.AST


def find(dotted: str) -> tuple[Definition, ...]:
    """Everything a dotted name may be, over all versions and platforms; empty when unknown."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module_file(module) is None:
            continue
        if end == len(parts):
            return (Definition(module, _tree(module)),)
        found = tuple(_in_module(module, parts[end], ()))
        for part in parts[end + 1 :]:
            found = tuple(item for owner in found for item in _member(owner, part, ()))
        if found:
            return found
    return ()


def members(dotted: str) -> frozenset[str]:
    """The names that a class and its bases define, as far as they can be read."""
    return frozenset(name for item in find(dotted) for name in _names(item, ()))


@cache
def defined_below(home: str) -> frozenset[str]:
    """The names of all functions that the modules of a package define, classes and all."""
    file = module_file(home)
    if file is None or file.stem != "__init__":
        return frozenset()
    texts = (path.read_text("utf-8", "replace") for path in file.parent.rglob("*.py*"))
    return frozenset(name for text in texts for name in _DEFINITION.findall(text))


_DEFINITION = re.compile(r"^\s+def ([a-z]\w*)\(", re.MULTILINE)


def _names(owner: Definition, within: tuple[Definition, ...]) -> Iterator[str]:
    if not isinstance(owner.node, ast.ClassDef) or owner in within:
        return
    for statement in _statements(owner.node.body):
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement.name
        elif isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
    for base in owner.node.bases:
        for ancestor in _value(owner.module, base, ()):
            yield from _names(ancestor, (*within, owner))


@cache
def module_file(module: str) -> Path | None:
    """The stub of a module, else its source, which may need what is not installed to run."""
    top, *rest = module.split(".")
    for root, suffix in _roots(top):
        for home in (f"{top}-stubs", top):
            below = root.joinpath(home, *rest)
            for file in (below / f"__init__{suffix}", below.with_name(f"{below.name}{suffix}")):
                if file.is_file():
                    return file
    return None


@cache
def _roots(top: str) -> tuple[tuple[Path, str], ...]:
    """The folders that have anything of a top-level name, and in which form."""
    stubs = [TYPESHED / "stdlib", *sorted((TYPESHED / "stubs").iterdir())]
    installed = Path(sysconfig.get_path("purelib"))
    roots = [(root, ".pyi") for root in stubs]
    roots += [(root, suffix) for root in (installed, UNPACKED) for suffix in (".pyi", ".py")]
    return tuple(
        (root, suffix)
        for root, suffix in roots
        if (root / top).is_dir()
        or (root / f"{top}{suffix}").is_file()
        or (suffix == ".pyi" and (root / f"{top}-stubs").is_dir())
    )


@cache
def _tree(module: str) -> ast.Module:
    file = module_file(module)
    assert file is not None
    return ast.parse(file.read_bytes())


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All branches: a stub's conditions are about versions and platforms."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from _statements([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.With):
            yield from _statements(statement.body)
        else:
            yield statement


def _in_module(module: str, name: str, within: tuple[str, ...]) -> Iterator[Definition]:
    key = f"{module}:{name}"
    if key in within or module_file(module) is None:
        return
    within = (*within, key)
    for statement in _statements(_tree(module).body):
        yield from _defined(module, statement, name, within)
    if module_file(f"{module}.{name}") is not None:
        yield Definition(f"{module}.{name}", _tree(f"{module}.{name}"))


def _defined(
    module: str, statement: ast.stmt, name: str, within: tuple[str, ...]
) -> Iterator[Definition]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        if statement.name == name:
            yield Definition(module, statement)
    elif isinstance(statement, ast.Assign):
        if any(isinstance(target, ast.Name) and target.id == name for target in statement.targets):
            yield from _value(module, statement.value, within) or [Definition(module, statement)]
    elif isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name) and statement.target.id == name:
            yield from _value(module, statement.annotation, within)
            yield Definition(module, statement)
    elif isinstance(statement, ast.ImportFrom):
        source = _source(module, statement)
        for alias in statement.names:
            if alias.name == "*" and not name.startswith("_"):
                yield from _in_module(source, name, within)
            elif (alias.asname or alias.name) == name:
                yield from _in_module(source, alias.name, within)
    elif isinstance(statement, ast.Import):
        for alias in statement.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            if (alias.asname or target) == name and module_file(target) is not None:
                yield Definition(target, _tree(target))


def _source(module: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    file = module_file(module)
    parts = module.split(".")
    drop = statement.level - (file is not None and file.stem == "__init__")
    base = parts[: len(parts) - drop]
    return ".".join([*base, statement.module] if statement.module else base)


def _value(module: str, value: ast.expr, within: tuple[str, ...]) -> list[Definition]:
    """What an expression of names, attributes and subscripts stands for."""
    if isinstance(value, ast.Name):
        return list(_in_module(module, value.id, within)) or list(
            _in_module("builtins", value.id, within)
        )
    if isinstance(value, ast.Attribute):
        return [
            item
            for owner in _value(module, value.value, within)
            for item in _member(owner, value.attr, within)
        ]
    if isinstance(value, ast.Subscript):
        return _value(module, value.value, within)
    if isinstance(value, ast.BinOp):
        return _value(module, value.left, within) + _value(module, value.right, within)
    return []


def _member(owner: Definition, name: str, within: tuple[str, ...]) -> Iterator[Definition]:
    if isinstance(owner.node, ast.Module):
        yield from _in_module(owner.module, name, within)
    if not isinstance(owner.node, ast.ClassDef):
        return
    own = [
        item
        for statement in _statements(owner.node.body)
        for item in _defined(owner.module, statement, name, within)
    ]
    yield from own
    if not own:
        for base in owner.node.bases:
            for ancestor in _value(owner.module, base, within):
                # A class may have the name of its base, which it replaces.
                if ancestor.node is not owner.node:
                    yield from _member(ancestor, name, within)
