"""Spells a library name at a place in a file, with the import that this takes, if any."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass

from loopsafe.fixes.edits import Draft, first_line
from loopsafe.fixes.local_imports import beside
from loopsafe.fixes.names import Bindings, bindings, dotted, imported_names, survey
from loopsafe.fixes.site import Site
from loopsafe.model import Edit

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NEVER = "\0"
_PACKAGES = 2
"""The section of other packages."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How to write a library name here."""

    text: str
    edits: tuple[Edit, ...] = ()
    """The import, where the file does not have it yet."""


def spell_dotted(site: Site, dotted: str, by_name: bool = False) -> Spelling | None:
    """As `spell`, of a name in one piece: the last part is of the module before it."""
    module, _, name = dotted.rpartition(".")
    return spell(site, module, name, by_name)


def spell(site: Site, module: str, name: str, by_name: bool = False) -> Spelling | None:
    """Spells `name` of `module` (`to_thread` of `asyncio`), reusing what the file imports.

    A missing import is added as `import module`; as `from module import name` for a submodule of a
    package that the file has not got, where `by_name` asks for it, or where the first would be
    shadowed. None if every one would be.
    """
    known = _existing(site, module, name)
    if known:
        return Spelling(known)
    head, dot, tail = name.partition(".")
    choices: list[tuple[ast.Import | ast.ImportFrom, str, str]] = [
        (ast.ImportFrom(module, [ast.alias(head)], 0), head, dot + tail),
        (ast.ImportFrom(module, [ast.alias(head, f"_{head}")], 0), f"_{head}", dot + tail),
    ]
    top = module.partition(".")[0]
    if not by_name and (top == module or _reliable(site).get(top) == top):
        choices.insert(0, (ast.Import([ast.alias(module)]), top, module[len(top) :] + f".{name}"))
    for statement, bound, rest in choices:
        if _free(site, statement, bound):
            return Spelling(bound + rest, (add_import(site, statement),))
    return None


def moved_import(site: Site, written: ast.expr, module: str, name: str) -> list[Edit]:
    """Lets the import of a name that nothing else needs come from another module.

    For what is called alike in both: `from redis import Redis`, `from redis.asyncio import Redis`.
    Nothing where that is not so.
    """
    tree, draft, text = site.context.tree, site.draft, dotted(written)
    first = text.partition(".")[0]
    nodes = bindings(tree).get(first, [])
    node = nodes[0] if len(nodes) == 1 else None
    if not isinstance(node, ast.ImportFrom) or node.level or node not in tree.body:
        return []
    alone = len(survey(tree).loads.get(first, ())) == 1 and text == name
    if not alone or node.module == module or len(node.names) != 1 or node.names[0].asname:
        return []
    found = draft.source.text.find(node.module or " ", draft.start(node), draft.stop(node))
    return [draft.replace(found, found + len(node.module or ""), module)] if found >= 0 else []


def widened_import(site: Site, written: ast.expr, module: str) -> list[Edit]:
    """`import redis` as `import redis.asyncio`, which binds the same name, for `redis.Redis`."""
    tree, draft = site.context.tree, site.draft
    old = dotted(written).rpartition(".")[0]
    aliases = (a for node in tree.body if isinstance(node, ast.Import) for a in node.names)
    alias = next((a for a in aliases if a.name == old and a.asname is None), None)
    if alias is None or not module.startswith(f"{old}.") or module in survey(tree).imported:
        return []
    start = draft.source.offset(alias.lineno, alias.col_offset)
    return [draft.replace(start, start + len(old), module)]


def add_import(site: Site, statement: ast.Import | ast.ImportFrom) -> Edit:
    """Adds an import among those at the file's top, in the order of isort; beside those of its
    package where only the function has them.
    """
    draft, tree = site.draft, site.context.tree
    if section(statement, site.context.own) == _PACKAGES:
        local = beside(site, _top(statement), ast.unparse(statement))
        if local is not None:
            return local
    extended = _extended(draft, tree, statement)
    if extended:
        return extended
    block = _top_imports(tree)
    text = ast.unparse(statement)
    if not block:
        return _below_header(draft, tree, text)
    own = site.context.own
    kin = _kin(draft, block, statement, own)
    if kin:
        # Where a group holds imports of several sections, it is sorted by names alone.
        key = sort_key(statement)[1:]
        after = [node for node in kin if sort_key(node)[1:] <= key]
        place = _below if after else _above
        return place(draft, tree, after[-1] if after else kin[0], text, apart=False)
    here = section(statement, own)
    after = [node for node in block if section(node, own) < here]
    place = _below if after else _above
    return place(draft, tree, after[-1] if after else block[0], text, apart=True)


def sort_key(node: ast.Import | ast.ImportFrom) -> tuple[int, bool, str]:
    """isort's order: by section, plain imports first, by module name."""
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return section(node), isinstance(node, ast.ImportFrom), module.lower()


def section(node: ast.Import | ast.ImportFrom, own: Callable[[str], bool] | None = None) -> int:
    """`__future__`, the standard library, other packages, the project's own, relative imports."""
    if isinstance(node, ast.ImportFrom) and node.level:
        return 4
    top = _top(node)
    if top == "__future__":
        return 0
    if top in sys.stdlib_module_names:
        return 1
    return 3 if own is not None and own(top) else 2


def _top(node: ast.Import | ast.ImportFrom) -> str:
    module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return module.partition(".")[0]


def _kin(
    draft: Draft,
    block: list[ast.Import | ast.ImportFrom],
    statement: ast.Import | ast.ImportFrom,
    own: Callable[[str], bool],
) -> list[ast.Import | ast.ImportFrom]:
    """The imports among which a new one belongs: those of its package, else of its section.

    Blank lines between imports of one section are there for a reason: it joins one group of them.
    """
    here = section(statement, own)
    groups: list[list[ast.Import | ast.ImportFrom]] = [[]]
    for node in block:
        if groups[-1] and not draft.source.line(first_line(node) - 1).strip():
            groups.append([])
        groups[-1].append(node)
    for group in groups:
        alike = [node for node in group if _top(node) == _top(statement)]
        if alike and not getattr(statement, "level", 0):
            same = [node for node in alike if type(node) is type(statement)]
            return same or group
    for group in groups:
        sections = [section(node, own) for node in group]
        if here in sections or min(sections, default=here) < here < max(sections, default=here):
            return group
    return []


def _existing(site: Site, module: str, name: str) -> str:
    """The spelling that the file's own imports give, where they are seen and not shadowed."""
    full = f"{module}.{name}"
    loaded = module in survey(site.context.tree).imported
    found = []
    for bound, what in _reliable(site).items():
        within = full == what or full.startswith(what + ".")
        # `import a` alone does not load `a.b`.
        if within and (loaded or len(what) >= len(module)):
            found.append(bound + full[len(what) :])
    return min(found, key=len, default="")


def _reliable(site: Site) -> dict[str, str]:
    """Imports that have surely run when the finding's line does, seen from there."""
    tree = site.context.tree
    found = _unconditional(tree.body, survey(tree).bindings)
    for scope in list(site.scopes())[::-1]:
        names = bindings(scope)
        for name in names:
            found.pop(name, None)
        if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            line = getattr(site.node, "lineno", 0)
            before = [node for node in scope.body if node.lineno < line]
            found.update(_unconditional(before, names))
    return found


def _unconditional(body: list[ast.stmt], names: Bindings) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(imported_names(node))
    return {n: full for n, full in found.items() if _means(names.get(n, []), n) == {full}}


def _means(nodes: list[ast.AST], name: str) -> set[str]:
    """What a scope's bindings of a name stand for, as full names."""
    meanings = set()
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            meanings |= {full for bound, full in imported_names(node) if bound == name}
        else:
            meanings.add(_NEVER)
    return meanings


def _free(site: Site, statement: ast.Import | ast.ImportFrom, bound: str) -> bool:
    """Whether a new name of the module is seen at the finding and disturbs nobody."""
    if any(bound in bindings(scope) for scope in site.scopes()):
        return False
    found = survey(site.context.tree)
    nodes = found.bindings.get(bound)
    if nodes:
        return _means(nodes, bound) == {dict(imported_names(statement))[bound]}
    # A name that is read but bound nowhere may come from a star import or be a builtin.
    return bound not in found.loads or isinstance(statement, ast.Import)


def _extended(
    draft: Draft, tree: ast.Module, statement: ast.Import | ast.ImportFrom
) -> Edit | None:
    """Adds a name to the file's own `from module import ...`."""
    if not isinstance(statement, ast.ImportFrom):
        return None
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        if node.module != statement.module or node.names[-1].name == "*":
            continue
        last = node.names[-1]
        at = draft.source.offset(last.end_lineno or 0, last.end_col_offset or 0)
        separator = " "
        if node.names[0].lineno != node.lineno:
            separator = draft.source.newline + draft.indent(last.lineno)
        rest = draft.source.line(last.end_lineno or 0)
        if "#" in rest or rest.rstrip().endswith("\\"):
            return None
        alias = statement.names[0]
        return draft.insert(at, f",{separator}" + ast.unparse(alias))
    return None


def _top_imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The first run of imports on the module's first level."""
    block: list[ast.Import | ast.ImportFrom] = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            block.append(node)
        elif any(not _is_future(n) for n in block) or isinstance(node, _DEFINITIONS):
            break
    return block


def _below(draft: Draft, tree: ast.Module, node: ast.stmt, text: str, apart: bool) -> Edit:
    """A new line below a statement, beyond any that share its last line."""
    line = (node.end_lineno or node.lineno) + 1
    while any(first_line(n) < line <= (n.end_lineno or n.lineno) for n in tree.body):
        line += 1
    newline = draft.source.newline
    if line > draft.source.line_count:
        return draft.insert(len(draft.source.text), newline * (1 + apart) + text)
    # A blank line below the next section's first import is there already.
    return draft.insert(draft.source.offset(line, 0), newline * apart + text + newline)


def _above(draft: Draft, tree: ast.Module, node: ast.stmt, text: str, apart: bool) -> Edit:
    """A new line above a statement that starts its own line."""
    line = first_line(node)
    if any(first_line(n) < line <= (n.end_lineno or n.lineno) for n in tree.body):
        return _below(draft, tree, node, text, apart=False)
    newline = draft.source.newline
    if draft.indent(line) or draft.start(node) != draft.source.offset(line, 0):
        return _below(draft, tree, node, text, apart=False)
    return draft.insert(draft.source.offset(line, 0), text + newline * (1 + apart))


def _below_header(draft: Draft, tree: ast.Module, text: str) -> Edit:
    """The first import of a file: below its docstring, above everything else."""
    if tree.body and _is_docstring(tree.body[0]):
        return _below(draft, tree, tree.body[0], text, apart=True)
    return _above(draft, tree, tree.body[0], text, apart=True)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
