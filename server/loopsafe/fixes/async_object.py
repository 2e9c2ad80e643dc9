"""Makes the async twin of a client that a function has for itself, and awaits what it does.

client = OpenAI()                           client = AsyncOpenAI()
answer = client.responses.create(...)       answer = await client.responses.create(...)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopsafe.fixes.data import table
from loopsafe.fixes.imports import spell
from loopsafe.fixes.names import bindings, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import ClassKnowledge
from loopsafe.model import Edit, Fix, Safety, Span


def cures(site: Site) -> Iterator[Fix]:
    """The construction and all uses, where each has an async way and none leaves the function."""
    function = site.function
    if function is None or not site.direct:
        return
    made = _construction(site, function)
    known = _class_of(site, made) if made is not None else None
    if made is None or known is None or not _is_there(site, known):
        return
    change = _Change(site, function)
    if not change.made(made, known) or not change.awaits:
        return
    caveat = "It is another class of the library: objects given to it must be for async use, too."
    edits = tuple(_joined(change.edits))
    yield Fix(f"Use {_twin(made, site, known)}", Safety.UNSAFE, edits, caveat=caveat)


def _construction(site: Site, function: ast.AsyncFunctionDef) -> ast.Call | None:
    """The call that makes what the finding is called on: in the same chain, or in a variable."""
    root: ast.AST = site.call or site.node
    seen: set[str] = set()
    while True:
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            if isinstance(root, ast.Call) and _class_of(site, root):
                return root
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name) or root.id in seen:
            return None
        seen.add(root.id)
        value = _value(function, root.id)
        if value is None:
            return None
        root = value


def _value(function: ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    """What the only assignment of a local variable gives it."""
    if len(bindings(function).get(name, [])) != 1:
        return None
    found: list[ast.expr | None] = []
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and [_id(t) for t in node.targets] == [name]:
            found.append(node.value)
        elif isinstance(node, ast.With):
            found += [i.context_expr for i in node.items if _id(i.optional_vars) == name]
    return found[0] if len(found) == 1 else None


def _id(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _class_of(site: Site, made: ast.Call) -> ClassKnowledge | None:
    """What is known of the class that a call makes an object of, if the class has an async twin."""
    full = site.full_name(made.func)
    if "." not in full:
        return None
    known = load().klass(table("objects")["factories"].get(full, full))
    return known if known is not None and known.twin and not known.asynchronous else None


def _twin(made: ast.Call, site: Site, known: ClassKnowledge) -> str:
    return str(table("objects")["twins"].get(site.full_name(made.func), known.twin))


def _is_there(site: Site, known: ClassKnowledge) -> bool:
    """Whether the installed version of the library has the twin; it may not be installed at all."""
    package = known.name.partition(".")[0]
    needed = table("objects")["needs"].get(package, package)
    return site.context.installed(needed) or not site.context.installed(package)


@dataclass(slots=True)
class _Change:
    """Follows an object through its function, and collects what must change."""

    site: Site
    function: ast.AsyncFunctionDef
    edits: list[Edit] = field(default_factory=list)
    awaits: int = 0
    parents: dict[int, ast.AST] = field(default_factory=dict)

    def made(self, call: ast.Call, known: ClassKnowledge) -> bool:
        """Whether the object that a call makes can be the async twin, with all its uses."""
        self.parents = {id(c): n for n in ast.walk(self.function) for c in ast.iter_child_nodes(n)}
        names = [keyword.arg for keyword in call.keywords]
        if None in names or set(names) & set(table("objects")["refused_arguments"]):
            return False
        twin = _twin(call, self.site, known)
        module, _, name = twin.rpartition(".")
        if twin.endswith(".connect"):
            module, name = (
                module.rpartition(".")[0],
                twin.removeprefix(module.rpartition(".")[0] + "."),
            )
        spelling = spell(self.site, module, name, by_name=isinstance(call.func, ast.Name))
        there = site_at(self.site, call.func)
        if spelling is None or there.function is not self.function:
            return False
        draft = self.site.draft
        before, after = "", ""
        if self.site.full_name(call.func) in table("objects")["awaited_factories"]:
            before, after = opening_await(there, call)
            if not may_await(there):
                return False
        self.edits += spelling.edits
        head = draft.replace(draft.start(call), draft.callee_stop(call), before + spelling.text)
        self.edits.append(head)
        if after:
            self.edits.append(draft.insert(draft.stop(call), after))
        return self._value(call, known)

    def _value(self, node: ast.expr, known: ClassKnowledge) -> bool:
        """Whether whatever happens to an expression of this class has an async way."""
        parent = self.parents.get(id(node))
        if isinstance(parent, ast.Attribute):
            return self._attribute(parent, known)
        if isinstance(parent, ast.Subscript) and parent.value is node:
            inner = known.returns.get("__getitem__")
            return inner is not None and self._of(parent, inner)
        if isinstance(parent, ast.Assign) and parent.value is node:
            name = _id(parent.targets[0]) if len(parent.targets) == 1 else ""
            return bool(name) and self._variable(name, known)
        if isinstance(parent, ast.withitem):
            return self._entered(parent, known)
        if isinstance(parent, ast.For) and parent.iter is node:
            return self._iterated(parent, known)
        if isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
            return self._listed(parent, node, known)
        return isinstance(parent, ast.Expr)

    def _of(self, node: ast.expr, name: str) -> bool:
        known = load().klass(name)
        return known is not None and self._value(node, known)

    def _attribute(self, node: ast.Attribute, known: ClassKnowledge) -> bool:
        call = self.parents.get(id(node))
        if isinstance(call, ast.Call) and call.func is node:
            return self._called(call, node, known)
        inner = known.attributes.get(node.attr) or known.returns.get("__getattr__")
        return isinstance(node.ctx, ast.Load) and inner is not None and self._of(node, inner)

    def _called(self, call: ast.Call, node: ast.Attribute, known: ClassKnowledge) -> bool:
        method, inner = node.attr, known.returns.get(node.attr)
        closing = table("objects")["closing"].get(f"{known.name}.{method}")
        blocking = known.blocking(method)
        if blocking is None and closing is None:
            plain = table("objects")["plain"].get(known.name, [])
            if method not in plain and "*" not in plain:
                return False
            return inner is None or self._of(call, inner)
        package = known.name.partition(".")[0]
        if method in table("objects")["refused"].get(package, []):
            return False
        parts = streams(call)
        if parts is not False:
            inner = table("objects")["streams"].get(package) if parts else None
            if inner is None:
                return False
        twin = closing or (blocking.twin.rpartition(".")[2] if blocking else "") or method
        there = site_at(self.site, node)
        if there.function is not self.function or not may_await(there):
            return False
        before, after = opening_await(there, call)
        draft = self.site.draft
        edits = [draft.insert(draft.start(call), before)]
        if twin != method:
            edits.append(draft.replace(draft.stop(node) - len(method), draft.stop(node), twin))
        if after:
            edits.append(draft.insert(draft.stop(call), after))
        self.awaits += 1
        # What is further out comes first where both begin at one place.
        found = inner is None or self._of(call, inner)
        self.edits += edits
        return found

    def _variable(self, name: str, known: ClassKnowledge) -> bool:
        if _value(self.function, name) is None:
            return False
        uses = [
            node
            for node in ast.walk(self.function)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        return all(
            site_at(self.site, node).function is self.function and self._value(node, known)
            for node in uses
        )

    def _entered(self, item: ast.withitem, known: ClassKnowledge) -> bool:
        block = self.parents.get(id(item))
        if not isinstance(block, ast.With) or len(block.items) != 1:
            return False
        if known.name not in table("objects")["entered"]:
            return False
        self.edits.append(self.site.draft.insert(self.site.draft.start(block), "async "))
        name = _id(item.optional_vars)
        return item.optional_vars is None or (bool(name) and self._variable(name, known))

    def _iterated(self, loop: ast.For, known: ClassKnowledge) -> bool:
        there = site_at(self.site, loop.iter)
        if known.blocking("__iter__") is None or there.function is not self.function:
            return False
        self.awaits += 1
        self.edits.append(self.site.draft.insert(self.site.draft.start(loop), "async "))
        return True

    def _listed(self, call: ast.Call, node: ast.expr, known: ClassKnowledge) -> bool:
        """`list(rows)` to `await rows.to_list()`."""
        method = table("objects")["listed"].get(known.name)
        if method is None or _id(call.func) != "list":
            return False
        there, draft = site_at(self.site, call.func), self.site.draft
        if not may_await(there) or not isinstance(node, (ast.Name, ast.Call, ast.Attribute)):
            return False
        before, after = opening_await(there, call)
        self.awaits += 1
        self.edits.append(draft.replace(draft.start(call), draft.start(node), before))
        end = f".{method}(){after}"
        self.edits.append(draft.replace(draft.stop(node), draft.stop(call), end))
        return True


def _joined(edits: list[Edit]) -> Iterator[Edit]:
    """One insertion for each place, so that equal ones of a chain of calls all stay."""
    places: dict[Span, str] = {}
    for edit in edits:
        if edit.span[:2] == edit.span[2:]:
            places[edit.span] = places.get(edit.span, "") + edit.content
        else:
            yield edit
    for span, content in places.items():
        yield Edit(edits[0].path, span, content)


def streams(call: ast.Call) -> bool | None:
    """Whether the arguments ask for an answer in parts; None where they do not tell."""
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg == "stream":
            value = keyword.value
            return bool(value.value) if isinstance(value, ast.Constant) else None
    return False
