"""Makes the async twin of a client that a function has for itself, and awaits what it does.

client = OpenAI()                           client = AsyncOpenAI()
answer = client.responses.create(...)       answer = await client.responses.create(...)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopsafe.fixes.data import table
from loopsafe.fixes.foreign import constructed, ended, fails_otherwise, renamed
from loopsafe.fixes.imports import spell
from loopsafe.fixes.layout import alone
from loopsafe.fixes.made import class_of, construction, is_there, name_of, twin_of, value_of
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import ClassKnowledge, Result
from loopsafe.model import Edit, Fix, Safety, Span

_CAVEAT = "It is another class of the library: objects given to it must be for async use, too."


def cures(site: Site) -> Iterator[Fix]:
    """The construction and all uses, where each has an async way and none leaves the function."""
    function = site.function
    if function is None or not site.direct:
        return
    made = construction(site, function)
    known = class_of(site, made) if made is not None else None
    if made is None or known is None or not is_there(site, known):
        return
    change = _Change(site, function)
    if not change.made(made, known) or not change.awaits:
        return
    caveat = table("objects")["caveats"].get(known.name.partition(".")[0], _CAVEAT)
    edits = tuple(_joined(change.edits))
    yield Fix(f"Use {twin_of(made, site, known)}", Safety.UNSAFE, edits, caveat=caveat)


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
        twin = twin_of(call, self.site, known)
        module, _, name = twin.rpartition(".")
        holder, _, last = module.rpartition(".")
        if last[:1].isupper():
            module, name = holder, f"{last}.{name}"  # `connect` of a class.
        spelling = spell(self.site, module, name, by_name=isinstance(call.func, ast.Name))
        there = site_at(self.site, call.func)
        if spelling is None or there.function is not self.function:
            return False
        draft = self.site.draft
        before, after = "", ""
        awaited = self.site.full_name(call.func) in table("objects")["awaited_factories"]
        if awaited and not (known.name in table("objects")["ended"] and self._is_entered(call)):
            before, after = opening_await(there, call)
            if not may_await(there):
                return False
        held = isinstance(self.parents.get(id(call)), (ast.Assign, ast.withitem))
        if known.name in table("objects")["started"] and not held:
            return False
        arguments = constructed(self.site, call)
        if arguments is None or fails_otherwise(self.site, known.name):
            return False
        self.edits += (*spelling.edits, *arguments)
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
            name = name_of(parent.targets[0]) if len(parent.targets) == 1 else ""
            started = self._started(parent, name, known)
            return bool(name) and started and self._variable(name, known)
        if isinstance(parent, ast.withitem):
            return self._entered(parent, known)
        if isinstance(parent, ast.For) and parent.iter is node:
            return self._iterated(parent, known)
        if isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
            return self._listed(parent, node, known) or self._closed(parent, node, known)
        return isinstance(parent, ast.Expr)

    def _of(self, node: ast.expr, result: Result) -> bool:
        known = load().klass(result) if isinstance(result, str) else None
        return known is not None and self._value(node, known)

    def _attribute(self, node: ast.Attribute, known: ClassKnowledge) -> bool:
        call = self.parents.get(id(node))
        if isinstance(call, ast.Call) and call.func is node:
            return self._called(call, node, known)
        if node.attr in table("objects")["attributes"].get(known.name, []):
            return True
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
        given = renamed(self.site, call, f"{known.name}.{method}", self.parents.get(id(call)))
        if given is None:
            return False
        self.edits += given
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
        if value_of(self.function, name) is None:
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
        block, draft = self.parents.get(id(item)), self.site.draft
        if not isinstance(block, ast.With) or len(block.items) != 1:
            return False
        name = name_of(item.optional_vars)
        last = table("objects")["ended"].get(known.name)
        if last is not None:
            ending = ended(self.site, self.function, block, last)
            if ending is None:
                return False
            self.edits += ending
        elif known.name not in table("objects")["entered"]:
            return False
        self.edits.append(draft.insert(draft.start(block), "async "))
        return item.optional_vars is None or (bool(name) and self._variable(name, known))

    def _is_entered(self, call: ast.Call) -> bool:
        """Whether a call is what a `with` enters or closes."""
        parent = self.parents.get(id(call))
        if isinstance(parent, ast.Call) and parent.args == [call]:
            parent = self.parents.get(id(parent))
        return isinstance(parent, ast.withitem)

    def _closed(self, call: ast.Call, node: ast.expr, known: ClassKnowledge) -> bool:
        """`with closing(connect())` of a twin that an `async with` closes."""
        item, draft = self.parents.get(id(call)), self.site.draft
        block = self.parents.get(id(item))
        if self.site.full_name(call.func) != "contextlib.closing":
            return False
        if not isinstance(item, ast.withitem) or not isinstance(block, ast.With):
            return False
        if known.name not in table("objects")["ended"] or len(block.items) != 1:
            return False
        self.edits += (
            draft.insert(draft.start(block), "async "),
            draft.replace(draft.start(call), draft.start(node), ""),
            draft.replace(draft.stop(node), draft.stop(call), ""),
        )
        name = name_of(item.optional_vars)
        return bool(name) and self._variable(name, known)

    def _started(self, made: ast.Assign, name: str, known: ClassKnowledge) -> bool:
        """Whether an object can be used as soon as it is made; one that cannot is started."""
        method = table("objects")["started"].get(known.name)
        if method is None:
            return True
        draft = self.site.draft
        if not alone(draft, [made]):
            return False
        lead = draft.source.newline + draft.indent(made.lineno)
        line_end = draft.stop(made)
        self.edits.append(draft.insert(line_end, f"{lead}await {name}.{method}()"))
        self.awaits += 1
        return True

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
        if method is None or name_of(call.func) != "list":
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
