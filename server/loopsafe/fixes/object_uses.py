"""Follows an object through the code that uses it, and collects what must change for its twin.

client = OpenAI()                           client = AsyncOpenAI()
answer = client.responses.create(...)       answer = await client.responses.create(...)
"""

from __future__ import annotations

import ast

from loopsafe.fixes.data import table
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.foreign import constructed, ended, fails_otherwise, fitted, renamed
from loopsafe.fixes.holders import Holder, assigned, holder_of, reads
from loopsafe.fixes.imports import moved_import, spell, widened_import
from loopsafe.fixes.layout import alone
from loopsafe.fixes.made import name_of, twin_of
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import async_loop, async_with, opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import ClassKnowledge, Result
from loopsafe.model import Edit


class Uses:
    """The uses of one object in one file. Raises Stuck where one has no async way."""

    def __init__(self, site: Site, function: ast.AsyncFunctionDef | None = None) -> None:
        """With the function that has the object for itself; without one, it is kept."""
        self.site = site
        self.function = function
        self.edits: list[Edit] = []
        self.imports: list[Edit] = []
        self.awaits = 0
        self.holders: list[tuple[Holder, ClassKnowledge]] = []
        """Every variable and attribute that it was followed into."""
        self._awaited: set[int] = set()
        inside = ast.walk(function or site.context.tree)
        self._parents = {id(child): node for node in inside for child in ast.iter_child_nodes(node)}

    def made(self, call: ast.Call, known: ClassKnowledge) -> None:
        """The object that a call makes is the async twin, with all its uses."""
        names = [keyword.arg for keyword in call.keywords]
        refused = set(names) & set(table("objects")["refused_arguments"])
        if None in names or refused:
            raise Stuck(f"it is made with `{next(iter(refused), '**')}` in line {call.lineno}")
        there = site_at(self.site, call.func)
        if there.function is not self.function and self.function is not None:
            raise self._stuck(call, "is made elsewhere")
        draft = self.site.draft
        before, after = "", ""
        awaited = self.site.full_name(call.func) in table("objects")["awaited_factories"]
        if awaited and not (known.name in table("objects")["ended"] and self._is_entered(call)):
            before, after = opening_await(there, call)
            if not may_await(there):
                raise self._stuck(call, "cannot be awaited")
        held = isinstance(self._parents.get(id(call)), (ast.Assign, ast.withitem))
        if known.name in table("objects")["started"] and not held:
            raise self._stuck(call, "cannot be started")
        package = known.name.partition(".")[0]
        is_open = self.function is not None and not self._is_entered(call)
        if is_open and package in table("objects")["left_open"]:
            raise self._stuck(call, "is never closed")
        arguments = constructed(self.site, call)
        if arguments is None or fails_otherwise(self.site, known.name):
            raise self._stuck(call, "is made, or fails, in another way")
        self._given(call)
        text = self._spelled(call.func, twin_of(call, self.site, known))
        self.edits += arguments
        head = draft.replace(draft.start(call), draft.callee_stop(call), before + text)
        self.edits.append(head)
        if after:
            self.edits.append(draft.insert(draft.stop(call), after))
        self.used(call, known)

    def held(self, holder: Holder, known: ClassKnowledge) -> None:
        """All uses of a variable or attribute that holds an object of this class."""
        self.holders.append((holder, known))
        for node in reads(holder):
            if self.function is not None and site_at(self.site, node).function is not self.function:
                raise self._stuck(node, "is another function's, too,")
            self.used(node, known)

    def used(self, node: ast.expr, known: ClassKnowledge) -> None:
        """Whatever happens to an expression of this class."""
        parent = self._parents.get(id(node))
        if isinstance(parent, ast.Attribute):
            self._attribute(parent, known)
        elif isinstance(parent, ast.Subscript) and parent.value is node:
            self._of(parent, known.returns.get("__getitem__"))
        elif isinstance(parent, (ast.Assign, ast.AnnAssign)) and parent.value is node:
            self._assigned(parent, known)
        elif isinstance(parent, ast.withitem):
            self._entered(parent, known)
        elif isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node:
            self._iterated(parent, known)
        elif isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
            if not self._listed(parent, node, known):
                self._closed(parent, node, known)
        elif not isinstance(parent, ast.Expr):
            raise self._stuck(node, "goes somewhere")

    def _stuck(self, node: ast.AST, what: str) -> Stuck:
        written = self.site.draft.code(node) if isinstance(node, ast.expr) else "it"
        written = written if written.isprintable() and len(written) < 40 else "it"
        return Stuck(f"`{written}` {what} in line {getattr(node, 'lineno', 0)}")

    def _spelled(self, written: ast.expr, full: str) -> str:
        """How to write the twin of what is written, with the import that it takes."""
        module, _, name = full.rpartition(".")
        holder, _, last = module.rpartition(".")
        if last[:1].isupper():
            module, name = holder, f"{last}.{name}"  # `connect` of a class.
        here = site_at(self.site, written)
        moved = moved_import(here, written, module, name)
        if moved:
            self.imports += moved
            return self.site.draft.code(written)
        widened = widened_import(here, written, module)
        if widened:
            self.imports += [edit for edit in widened if edit not in self.imports]
            return f"{module}.{name}"
        spelling = spell(here, module, name, by_name=isinstance(written, ast.Name))
        if spelling is None:
            raise Stuck(f"`{name}` is another thing here")
        self.imports += spelling.edits
        return spelling.text

    def _given(self, call: ast.Call) -> None:
        """What the object is made with is for async use, too."""
        for value in [*call.args, *(keyword.value for keyword in call.keywords)]:
            holder = holder_of(site_at(self.site, value), value)
            made = value if holder is None else assigned(holder)
            full = self.site.full_name(made.func) if isinstance(made, ast.Call) else ""
            twin = table("objects")["given"].get(full.rpartition(".")[0])
            if twin is None or not isinstance(made, ast.Call):
                continue
            if made is not value:
                raise self._stuck(value, "is for blocking use, which is told")
            draft = self.site.draft
            text = self._spelled(made.func, f"{twin}.{full.rpartition('.')[2]}")
            self.edits.append(draft.replace(draft.start(made), draft.callee_stop(made), text))

    def _of(self, node: ast.expr, result: Result | None) -> None:
        known = load().klass(result) if isinstance(result, str) else None
        if known is None:
            raise self._stuck(node, "has no async way")
        self.used(node, known)

    def _attribute(self, node: ast.Attribute, known: ClassKnowledge) -> None:
        call = self._parents.get(id(node))
        if isinstance(call, ast.Call) and call.func is node:
            self._called(call, node, known)
        elif node.attr not in table("objects")["attributes"].get(known.name, []):
            inner = known.attributes.get(node.attr) or known.returns.get("__getattr__")
            if not isinstance(node.ctx, ast.Load):
                raise self._stuck(node, "is set")
            self._of(node, inner)

    def _called(self, call: ast.Call, node: ast.Attribute, known: ClassKnowledge) -> None:
        method, inner, data = node.attr, known.returns.get(node.attr), table("objects")
        closing = data["closing"].get(f"{known.name}.{method}")
        blocking = known.blocking(method)
        paged = data["paged"].get(known.name, {}).get(method)
        plain = data["plain"].get(known.name, [])
        fit = fitted(self.site, call, f"{known.name}.{method}")
        if fit is None:
            raise self._stuck(node, "is given what the async one does not take")
        self.edits += fit
        if paged:
            self._of(call, paged)
            return
        if blocking is None and closing is None and (method in plain or "*" in plain):
            if inner is not None:
                self._of(call, inner)
            return
        package = known.name.partition(".")[0]
        if method in data["refused"].get(package, []) or (blocking is None and closing is None):
            raise self._stuck(node, "has no async way")
        parts = streams(call)
        if parts is not False:
            inner = data["streams"].get(package) if parts else None
            if inner is None:
                raise self._stuck(node, "may give an answer in parts")
        given = renamed(self.site, call, f"{known.name}.{method}", self._parents.get(id(call)))
        if given is None:
            raise self._stuck(node, "takes or gives something else")
        self.edits += given
        twin = closing or (blocking.twin.rpartition(".")[2] if blocking else "") or method
        self._await(call, node, inner, twin)

    def _await(self, call: ast.Call, node: ast.Attribute, inner: Result | None, twin: str) -> None:
        there = self._awaiting(node)
        if isinstance(self._parents.get(id(call)), ast.Await):
            raise self._stuck(node, "is awaited already")
        if not self.site.draft.faithful(call):
            raise self._stuck(node, "cannot be rewritten")
        before, after = opening_await(there, call)
        draft = self.site.draft
        edits = [draft.insert(draft.start(call), before)]
        if twin != node.attr:
            edits.append(draft.replace(draft.stop(node) - len(node.attr), draft.stop(node), twin))
        if after:
            edits.append(draft.insert(draft.stop(call), after))
        self.awaits += 1
        self._awaited.add(id(call))
        # What is further out comes first where both begin at one place.
        if inner is not None:
            self._of(call, inner)
        self.edits += edits

    def _awaiting(self, node: ast.expr) -> Site:
        """The place of an expression, where `await` may stand."""
        there = site_at(self.site, node)
        is_own = self.function is None or there.function is self.function
        if not is_own or not may_await(there):
            raise Stuck(f"`await` may not stand in line {node.lineno}")
        return there

    def _assigned(self, made: ast.Assign | ast.AnnAssign, known: ClassKnowledge) -> None:
        targets = made.targets if isinstance(made, ast.Assign) else [made.target]
        holder = holder_of(site_at(self.site, targets[0]), targets[0])
        if len(targets) != 1 or holder is None or assigned(holder) is not made.value:
            raise self._stuck(made, "is set more than once, or in another way,")
        if self.function is not None and holder.scope is not self.function:
            raise self._stuck(targets[0], "is kept")
        if isinstance(made, ast.AnnAssign):
            if self.function is not None:
                raise self._stuck(targets[0], "is annotated")
            self._annotated(made.annotation, known)
        self._started(made, holder.name, known)
        self.held(holder, known)

    def _annotated(self, annotation: ast.expr, known: ClassKnowledge) -> None:
        """The twin of a class in the annotation of what holds its object."""
        plain = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        said = load().klass(self.site.full_name(plain))
        if said is None or said.name != known.name or not known.twin:
            raise self._stuck(annotation, "is another class")
        draft = self.site.draft
        text = self._spelled(plain, known.twin)
        self.edits.append(draft.replace(draft.start(plain), draft.stop(plain), text))

    def _entered(self, item: ast.withitem, known: ClassKnowledge) -> None:
        block = self._parents.get(id(item))
        opening = async_with(self.site, block)
        if opening is None or not isinstance(block, ast.With):
            raise self._stuck(item.context_expr, "is entered with something else")
        there = self._awaiting(item.context_expr)
        name = item.optional_vars
        last = table("objects")["ended"].get(known.name)
        if last is not None and there.function is not None:
            ending = ended(self.site, there.function, block, last)
            if ending is None:
                raise self._stuck(item.context_expr, "ends in another way")
            self.edits += ending
        elif known.name not in table("objects")["entered"]:
            raise self._stuck(item.context_expr, "cannot be entered")
        self.edits.append(opening)
        if name is not None:
            self._named(name, known)

    def _named(self, name: ast.expr, known: ClassKnowledge) -> None:
        """What a `with` calls its object."""
        holder = holder_of(site_at(self.site, name), name)
        if holder is None or not name_of(name) or assigned(holder) is None:
            raise self._stuck(name, "is another thing, too,")
        self.held(holder, known)

    def _is_entered(self, call: ast.Call) -> bool:
        """Whether a call is what a `with` enters or closes."""
        parent = self._parents.get(id(call))
        if isinstance(parent, ast.Call) and parent.args == [call]:
            parent = self._parents.get(id(parent))
        return isinstance(parent, ast.withitem)

    def _closed(self, call: ast.Call, node: ast.expr, known: ClassKnowledge) -> None:
        """`with closing(connect())` of a twin that an `async with` closes."""
        item, draft = self._parents.get(id(call)), self.site.draft
        block = self._parents.get(id(item))
        entered = isinstance(item, ast.withitem) and isinstance(block, ast.With)
        if self.site.full_name(call.func) != "contextlib.closing" or not entered:
            raise self._stuck(node, "goes somewhere")
        assert isinstance(item, ast.withitem)
        assert isinstance(block, ast.With)
        if known.name not in table("objects")["ended"] or len(block.items) != 1:
            raise self._stuck(node, "is entered in another way")
        self.edits += (
            draft.insert(draft.start(block), "async "),
            draft.replace(draft.start(call), draft.start(node), ""),
            draft.replace(draft.stop(node), draft.stop(call), ""),
        )
        if item.optional_vars is None:
            raise self._stuck(node, "has no name")
        self._named(item.optional_vars, known)

    def _started(self, made: ast.stmt, name: str, known: ClassKnowledge) -> None:
        """An object can be used as soon as it is made; one that cannot is started."""
        method = table("objects")["started"].get(known.name)
        if method is None:
            return
        draft = self.site.draft
        if self.function is None or not alone(draft, [made]):
            raise self._stuck(made, "cannot be started")
        lead = draft.source.newline + draft.indent(made.lineno)
        self.edits.append(draft.insert(draft.stop(made), f"{lead}await {name}.{method}()"))
        self.awaits += 1

    def _iterated(self, loop: ast.For | ast.comprehension, known: ClassKnowledge) -> None:
        """`for x in rows` to `async for x in rows`."""
        if known.blocking("__iter__") is None and known.name not in table("objects")["pages"]:
            raise self._stuck(loop.iter, "is iterated")
        edit = async_loop(self._awaiting(loop.iter), loop, self._parents.get(id(loop)))
        if edit is None:
            raise self._stuck(loop.iter, "is iterated by a generator")
        self.awaits += 1
        self.edits.append(edit)

    def _listed(self, call: ast.Call, node: ast.expr, known: ClassKnowledge) -> bool:
        """`list(rows)` to `await rows.to_list()`, or to `[row async for row in rows]`."""
        method = table("objects")["listed"].get(known.name)
        is_paged = method is None and known.name in table("objects")["pages"]
        if not (method or is_paged) or name_of(call.func) != "list":
            return False
        there, draft = self._awaiting(call.func), self.site.draft
        if is_paged:
            self.awaits += 1
            start = draft.replace(draft.start(call), draft.start(node), "[item async for item in ")
            self.edits += (start, draft.replace(draft.stop(node), draft.stop(call), "]"))
            return True
        if not isinstance(node, (ast.Name, ast.Call, ast.Attribute)):
            return False
        before, after = opening_await(there, call)
        inner, outer = ("(", ")") if id(node) in self._awaited else ("", "")
        self.awaits += 1
        self.edits.append(draft.replace(draft.start(call), draft.start(node), before + inner))
        end = f"{outer}.{method}(){after}"
        self.edits.append(draft.replace(draft.stop(node), draft.stop(call), end))
        return True


def streams(call: ast.Call) -> bool | None:
    """Whether the arguments ask for an answer in parts; None where they do not tell."""
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg == "stream":
            value = keyword.value
            return bool(value.value) if isinstance(value, ast.Constant) else None
    return False
