"""Statements that bind names: assignments, imports, `global` and the like."""

from __future__ import annotations

import ast
from typing import Any

from loopsafe.facts.definitions import DefinitionReader
from loopsafe.facts.expressions import operator_of
from loopsafe.facts.ir import UNKNOWN, Binary, Expr, Imported, Name


class BindingReader(DefinitionReader):
    """Reads statements that bind names."""

    exports: list[str] | None = None

    def assign(self, node: ast.Assign) -> None:
        value = self.expression(node.value)
        for target in node.targets:
            self.bind(target, value)
            if isinstance(target, ast.Name) and target.id == "__all__":
                self._export(node.value)

    def annotated(self, node: ast.AnnAssign) -> None:
        value = self.expression(node.value) if node.value is not None else None
        target = node.target
        annotation = self.annotation(node.annotation, target)
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, annotation)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value if value is not None else UNKNOWN, annotation)

    def augmented(self, node: ast.AugAssign) -> None:
        value = self.expression(node.value)
        in_place = f"__i{operator_of(node.op)[2:]}"
        before: Expr
        if isinstance(node.target, ast.Name):
            name = node.target.id
            scope = self.scope
            before = Name(name, scope.block, scope.tick())
            if name == "__all__":
                self._export(node.value)
            else:
                self.bind_name(name, Binary(before, in_place, value))
        else:
            before = self.expression(node.target)
        self.operation(in_place, before, (value,), node.target)

    def import_statement(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.bind_name(alias.asname, Imported(alias.name, None, 0))
            else:
                self.bind_name(alias.name.partition(".")[0], Imported(alias.name, None, -1))

    def import_from(self, node: ast.ImportFrom) -> None:
        module, level = node.module or "", node.level
        for alias in node.names:
            if alias.name == "*":
                self.scope.stars.append(Imported(module, None, level))
            else:
                self.words.add(alias.name)
                self.bind_name(alias.asname or alias.name, Imported(module, alias.name, level))

    def global_statement(self, node: ast.Global) -> None:
        self.scope.declared.update(dict.fromkeys(node.names, 0))

    def nonlocal_statement(self, node: ast.Nonlocal) -> None:
        self.scope.declared.update(dict.fromkeys(node.names, self.scope.parent))

    def type_alias(self, node: Any) -> None:
        self.bind_name(node.name.id, None, None)
        value = self.annotation(node.value)
        if value is not None:
            self.bind_name(node.name.id, value)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.bind_name(target.id, None)
            elif isinstance(target, ast.Subscript):
                container = self.expression(target.value)
                key = self.expression(target.slice)
                self.operation("__delitem__", container, (key,), target)
            else:
                self.expression(target)

    def _export(self, node: ast.expr) -> None:
        parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
        names = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if self.scope.number == 0:
            self.exports = [*(self.exports or []), *names]
