"""What assignments, loops and conditions say of names, attributes and containers."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import NamedTuple

from loopsafe.facts.ir import (
    Assigned,
    Attr,
    Binding,
    Call,
    ClassRef,
    Const,
    DictDisplay,
    Display,
    Element,
    Expr,
    Filled,
    Imported,
    Item,
    Name,
    Narrowed,
    Param,
    Starred,
    Subscript,
    last_name,
    path_of,
    root_name,
)
from loopsafe.facts.keyed import keyed
from loopsafe.facts.narrowing import instance_tests
from loopsafe.facts.reading import Reading


class TargetReader(Reading, ABC):
    """Reads targets, whose parts are expressions."""

    @abstractmethod
    def expression(self, node: ast.expr | None) -> Expr:
        """The facts of an expression; notes the sites in it."""

    def bind(self, target: ast.expr, value: Expr, annotation: Expr | None = None) -> None:
        """Assigns a value to a target of any shape."""
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, annotation)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value, annotation)
        elif isinstance(target, (ast.Tuple, ast.List)) and (items := _placed(target, value)):
            for part, item in zip(target.elts, items, strict=True):
                self.bind(part, item)
        elif isinstance(target, (ast.Tuple, ast.List)):
            starred = False
            if isinstance(value, (Name, Attr, Call)):
                self.site("iterate", value, self.spot(target))
            for index, part in enumerate(target.elts):
                if isinstance(part, ast.Starred):
                    starred = True
                    self.bind(part.value, Item(value, -1))
                else:
                    self.bind(part, Item(value, index - len(target.elts) - 1 if starred else index))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Subscript) and (named := as_attribute(target)) is not None:
            self.bind_attribute(named, value, annotation)
        elif isinstance(target, ast.Subscript) and (name := _global_name(target)) is not None:
            self.expression(target.value)
            self.bind_global(name, value, annotation)
        elif isinstance(target, ast.Subscript):
            container = self.expression(target.value)
            key = self.expression(target.slice)
            self.operation("__setitem__", container, (key, value), target)
            self.fill(target.value, container, value, key)
            self.keep(Subscript(container, key), value)
            if isinstance(key, Name) and key.id == "__name__" and last_name(container) == "modules":
                self.bind_name("", value)  # `sys.modules[__name__] = value`

    def narrow(self, condition: ast.expr, holds: bool) -> None:
        """Notes what a condition tells of names from here on."""
        for test in instance_tests(condition, holds):
            root = test.name.value if isinstance(test.name, ast.Attribute) else test.name
            if not isinstance(root, ast.Name):
                continue
            subject: Name | Attr = Name(root.id, 0, 0)
            if isinstance(test.name, ast.Attribute):
                subject = Attr(subject, test.name.attr)
            # The class has been read before: its sites are known already.
            kept = len(self.function.sites)
            before = self.scope.tick()
            kind = self.expression(test.type)
            del self.function.sites[kept:]
            self.tell(subject, before, kind, test.holds)

    def tell(self, subject: Name | Attr, order: int, kind: Expr, holds: bool) -> None:
        """Notes of what class a name is from here on, or an attribute of one, that had another
        value up to an order."""
        root = subject.value if isinstance(subject, Attr) else subject
        if not isinstance(root, Name) or root.id in self.scope.declared:
            return
        before = Name(root.id, self.scope.block, order)
        if isinstance(subject, Name):
            self.scope.bind(root.id, Narrowed(before, kind, holds))
        elif self.scope.kind == "function":
            path = path_of(root.id, subject.name)
            self.scope.bind(path, Narrowed(Attr(before, subject.name), kind, holds))

    def fill(self, node: ast.expr, container: Expr, element: Expr, key: Expr | None = None) -> None:
        """Notes what is put into a container that a name or an attribute of `self` holds."""
        if (outer := _holder(node, container)) is not None:
            whole = Display("list", (element,)) if key is None else DictDisplay(((key, element),))
            self.fill(outer.node, outer.container, whole, outer.key)
            return
        root, scope = _root(element), self.scope
        if root is None and isinstance(node, ast.Attribute) and isinstance(element, Display):
            # Records of what an object keeps: `self.listeners.append((name, listener))`.
            roots = map(root_name, element.items if element.kind == "tuple" else ())
            root = next((root for root in roots if root is not None), None)
        if root is None or root == getattr(node, "id", None):
            return
        if isinstance(node, ast.Name) and isinstance(container, Name):
            filled = Filled(container, element, key, scope.block)
            binding = Binding(filled, None, scope.number, -1, scope.tick())
            self.fillings.append((node.id, binding))
        elif isinstance(node, ast.Attribute) and isinstance(container, Attr):
            receiver = node.value.id if isinstance(node.value, ast.Name) else ""
            # What a class shares goes by its own name as well: `Plugin.plugins.append(cls)`.
            owners = [o for known, o in self.receivers if receiver in (known, o.name)]
            if owners:
                filled = Filled(container, element, key, scope.block)
                binding = Binding(filled, None, scope.number, -1, scope.tick())
                owners[-1].attributes.setdefault(node.attr, []).append(binding)

    def keep(self, place: Subscript, value: Expr, is_item: bool = False) -> None:
        """Notes what is put under a key of something that may be no plain container.

        What a display has under its own keys is noted by their exact names only.
        """
        if isinstance(value, DictDisplay):
            for key, item in value.items:
                if isinstance(key, (Const, Name, Attr)):
                    self.keep(Subscript(place, key), item, is_item=True)
        elif root_name(value) is None:
            return
        for owner, name in keyed(place):
            if self._is_object(owner) and (not is_item or ":" in name):
                binding = Binding(value, None, self.scope.number, -1, self.scope.tick())
                self.assigned.append(Assigned(owner, name, binding))

    def _is_object(self, owner: Expr) -> bool:
        """Whether an expression may stand for an object that others know as well."""
        if isinstance(owner, Attr):
            return True
        if not isinstance(owner, Name) or owner.id in (name for name, _ in self.receivers):
            return False
        bound = self.scope.bindings.get(owner.id, ())
        return all(isinstance(b.value, _SHARED) or _makes_object(b.value) for b in bound)

    def fill_with(self, node: ast.expr, container: Expr, method: str, args: list[Expr]) -> None:
        """Notes what a call of a container's method puts into it."""
        if method in _FILLING and args:
            self.fill(node, container, args[-1], args[0] if method == "setdefault" else None)
        elif method == "extend" and args:
            self.fill(node, container, Element(args[0], False))
        elif method == "update" and args and isinstance(args[0], DictDisplay):
            for key, value in args[0].items:
                self.fill(node, container, value, key)
                if key is not None:
                    self.keep(Subscript(container, key), value)

    def settle_fillings(self) -> None:
        """Ties what was put into containers to their names, which may be bound further down."""
        for name, binding in self.fillings:
            home = self.scopes[binding.scope]
            while home.kind == "class" or name not in home.bindings:
                if home.parent < 0:
                    break
                home = self.scopes[home.parent]
            else:
                home.bindings[name].append(binding)

    def bind_attribute(self, target: ast.Attribute, value: Expr, annotation: Expr | None) -> None:
        scope = self.scope
        if isinstance(target.value, ast.Name):
            if (path := path_of(target.value.id, target.attr)) in scope.bindings:
                scope.bind(path, value)  # What a condition told of it holds no more.
            for receiver, owner in reversed(self.receivers):
                if receiver == target.value.id:
                    name = Name(receiver, scope.block, scope.tick())
                    self.site("set", Attr(name, target.attr), self.spot(target))
                    binding = Binding(value, annotation, scope.number, -1, scope.tick())
                    owner.attributes.setdefault(target.attr, []).append(binding)
                    return
        place = self.expression(target.value)
        self.site("set", Attr(place, target.attr), self.spot(target))
        binding = Binding(value, annotation, scope.number, -1, scope.tick())
        self.assigned.append(Assigned(place, target.attr, binding))

    def set_by_name(self, target: ast.expr, args: tuple[Expr, ...]) -> None:
        """Notes `setattr(target, name, value)`; without a name where that is computed."""
        place, key, value = args
        name = key.value if isinstance(key, Const) and isinstance(key.value, str) else ""
        binding = Binding(value, None, self.scope.number, -1, self.scope.tick())
        root = target.id if isinstance(target, ast.Name) else ""
        owner = next((o for known, o in reversed(self.receivers) if known == root), None)
        if owner is None:
            self.assigned.append(Assigned(place, name, binding))
        else:
            owner.attributes.setdefault(name, []).append(binding)


def as_attribute(node: ast.Subscript) -> ast.Attribute | None:
    """`vars(x)["name"]` and `x.__dict__["name"]` as the attribute that they are."""
    key, value = node.slice, node.value
    owner: ast.expr | None = None
    if isinstance(value, ast.Attribute) and value.attr == "__dict__":
        owner = value.value
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and len(value.args) == 1:
        owner = value.args[0] if value.func.id == "vars" else None
    name = key.value if isinstance(key, ast.Constant) else None
    if owner is None or not isinstance(name, str) or not name.isidentifier():
        return None
    return ast.copy_location(ast.Attribute(owner, name, node.ctx), node)


def _placed(target: ast.Tuple | ast.List, value: Expr) -> tuple[Expr, ...]:
    """What each part of a target gets, where that is written out: `a, b = make, None`."""
    if not isinstance(value, Display) or len(value.items) != len(target.elts):
        return ()
    is_open = any(isinstance(part, ast.Starred) for part in target.elts)
    is_open = is_open or any(isinstance(item, Starred) for item in value.items)
    return () if is_open or value.kind == "set" else value.items


def _global_name(node: ast.Subscript) -> str | None:
    """The name of the module that `globals()["name"]` stands for."""
    key, value = node.slice, node.value
    if not isinstance(value, ast.Call) or value.args or not isinstance(value.func, ast.Name):
        return None
    name = key.value if isinstance(key, ast.Constant) else None
    is_name = value.func.id == "globals" and isinstance(name, str) and name.isidentifier()
    return name if is_name and isinstance(name, str) else None


def _makes_object(value: Expr | None) -> bool:
    """Whether a value is what a class with a name of its own gives: `web.Application()`."""
    name = last_name(value.func) if isinstance(value, Call) else ""
    return name[:1].isupper()


_SHARED = (Param, Imported, ClassRef)
"""What a name is of that others know as well."""


class _Holder(NamedTuple):
    """A container of containers, of which one is filled."""

    node: ast.expr
    container: Expr
    key: Expr


def _holder(node: ast.expr, container: Expr) -> _Holder | None:
    """What holds the container that is filled: in `self.listeners[name].append(listener)`, or in
    `self.listeners.setdefault(name, []).append(listener)`."""
    if isinstance(node, ast.Subscript) and isinstance(container, Subscript):
        return _Holder(node.value, container.value, container.key)
    if not isinstance(container, Call) or not isinstance(container.func, Attr):
        return None
    is_default = container.func.name == "setdefault" and container.args
    if is_default and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _Holder(node.func.value, container.func.value, container.args[0])
    return None


def _root(element: Expr) -> str | None:
    """The name with which begins what is put into a container, or into one inside of it."""
    if isinstance(element, Display) and element.kind == "list" and len(element.items) == 1:
        return _root(element.items[0])
    if isinstance(element, DictDisplay) and len(element.items) == 1:
        return _root(element.items[0][1])
    return root_name(element)


_FILLING = frozenset({"append", "appendleft", "add", "insert", "setdefault"})
"""Methods of containers that put their last argument into them."""
