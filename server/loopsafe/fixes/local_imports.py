"""Imports that a function makes for itself, and what is to be imported beside them.

What only a function imports may not be there: the module would fail with an import at its top.
"""

from __future__ import annotations

import ast

from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import survey
from loopsafe.fixes.site import Site
from loopsafe.model import Edit


def beside(site: Site, package: str, text: str) -> Edit | None:
    """A new import below that of the same package which the finding's function makes before.

    None where the module imports the package for all, or the function does so elsewhere.
    """
    bound = survey(site.context.tree).bindings.values()
    if any(_imports(node, package) for nodes in bound for node in nodes):
        return None
    draft, tree = site.draft, site.context.tree
    for outer, inner in zip(site.path, site.path[1:], strict=False):
        if outer is tree or not isinstance(inner, ast.stmt):
            continue
        for field in ("body", "orelse", "finalbody"):
            suite = getattr(outer, field, None)
            if not isinstance(suite, list) or inner not in suite:
                continue
            for node in suite[: suite.index(inner)]:
                if _imports(node, package) and alone(draft, [node]):
                    at = draft.source.offset((node.end_lineno or node.lineno) + 1, 0)
                    newline = draft.source.newline
                    return draft.insert(at, draft.indent(node.lineno) + text + newline)
    return None


def _imports(node: ast.AST, package: str) -> bool:
    """Whether a statement imports something of a package."""
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == package for alias in node.names)
    name = node.module or "" if isinstance(node, ast.ImportFrom) and not node.level else ""
    return name.partition(".")[0] == package
