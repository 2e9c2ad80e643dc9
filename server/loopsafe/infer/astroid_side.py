"""astroid's side of the worker: what a callee is, followed through code that computes it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from astroid import bases, nodes
from astroid.builder import AstroidBuilder, build_namespace_package_module
from astroid.context import _invalidate_cache
from astroid.exceptions import AstroidBuildingError
from astroid.inference_tip import clear_inference_tip_cache
from astroid.manager import AstroidManager
from astroid.nodes._base_nodes import LookupMixIn

from loopsafe.infer import parameters
from loopsafe.infer.computed import Evaluator
from loopsafe.infer.wire import Answer, Named, Question, Search
from loopsafe.knowledge.catalogue import load
from loopsafe.model import Span
from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import Environment
from loopsafe.modules.finder import Finder, Origin


class Astroid:
    """Builds modules with our own search: astroid's finds the standard library only."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._environment = Environment(
            prefix=Path(search.prefix) if search.prefix else None,
            version=search.version,
            paths=tuple(map(Path, search.paths)),
            editable={name: Path(place) for name, place in search.editable},
        )
        self._manager = AstroidManager()
        self._manager.always_load_extensions = False
        parameters.register(self._manager)
        self._manager.register_failed_import_hook(self._build)
        self._manager.register_transform(nodes.Module, self._note)
        self._whole = set(self._manager.astroid_cache)
        self.begin({})

    def begin(self, texts: dict[str, str]) -> None:
        """Forgets the project's modules, which may have changed, and keeps the libraries'."""
        self._disk = Disk()
        for path, text in texts.items():
            self._disk.open(path, text)
        search = self._search
        typeshed = Path(search.typeshed) if search.typeshed else None
        roots = tuple(map(Path, search.roots))
        known = load().libraries
        self._finder = Finder(roots, self._environment, typeshed, self._disk, known)
        self._missing: set[str] = set()
        self._calls: dict[str, dict[Span, nodes.Call]] = {}
        cache = self._manager.astroid_cache
        self._drop(name for name, module in cache.items() if self._is_project(module))

    def recover(self) -> None:
        """What was being built is not whole; what was built before that is kept."""
        self._drop(name for name in self._manager.astroid_cache if name not in self._whole)

    def answer(self, question: Question) -> Answer:
        call = self._calls_of(question.path).get(question.span)
        if call is None:
            return ()
        module = call.root()
        found: dict[Named, None] = {}
        for result in Evaluator(module).results(call.func):
            named = self._named(result)
            if named is not None:
                found.setdefault(named)
        return tuple(found)

    def _note(self, module: nodes.Module) -> None:
        """Called last for each module that is built."""
        self._whole.add(module.name)

    def _calls_of(self, path: str) -> dict[Span, nodes.Call]:
        """The calls of a file by the spans of their callees."""
        if path not in self._calls:
            found = self._calls[path] = {}
            module = self._module(self._finder.name_of(path), path)
            for call in module.nodes_of_class(nodes.Call):
                func = call.func
                place = (func.lineno, func.col_offset, func.end_lineno, func.end_col_offset)
                found[Span(*place)] = call
        return self._calls[path]

    def _drop(self, names: Iterable[str]) -> None:
        for name in list(names):
            del self._manager.astroid_cache[name]
        self._calls.clear()
        clear_inference_tip_cache()
        _invalidate_cache()
        LookupMixIn.lookup.cache_clear()

    def _module(self, name: str, path: str) -> nodes.Module:
        known = self._manager.astroid_cache.get(name)
        if known is not None and known.file == os.path.abspath(path):
            return known
        return AstroidBuilder(self._manager).string_build(self._disk.read(path), name, path)

    def _build(self, name: str) -> nodes.Module:
        """What astroid asks for a module that it does not find itself."""
        file = None
        if name not in self._missing:
            file = self._finder.source(name) or self._finder.find(name)
        if file is None:
            self._missing.add(name)
            raise AstroidBuildingError("No source for {modname}.", modname=name)
        if file.is_namespace:
            return build_namespace_package_module(name, [file.path])
        try:
            text = self._disk.read(file.path)
        except (OSError, UnicodeDecodeError, SyntaxError) as error:
            self._missing.add(name)
            raise AstroidBuildingError("Cannot read {modname}.", modname=name) from error
        return AstroidBuilder(self._manager).string_build(text, name, file.path)

    def _is_project(self, module: Any) -> bool:
        file = module.file or ""
        roots = (self._search.root, *self._search.roots)
        inside = any(file.startswith(os.path.join(root, "")) for root in roots)
        return inside and self._finder.origin_of_path(file) is Origin.PROJECT

    def _named(self, result: Any) -> Named | None:
        if isinstance(result, (bases.BoundMethod, bases.UnboundMethod)):
            return self._method(result)
        if isinstance(result, nodes.FunctionDef):
            return self._definition("function", result)
        if isinstance(result, nodes.ClassDef):
            return self._definition("class", result)
        if isinstance(result, bases.Instance) and isinstance(result._proxied, nodes.ClassDef):
            return self._definition("instance", result._proxied)
        return None

    def _method(self, method: Any) -> Named | None:
        """A method by the class it was looked up on, as that class may know better."""
        owner = getattr(method, "bound", None)
        function = method._proxied
        while isinstance(function, bases.UnboundMethod):
            function = function._proxied
        if isinstance(owner, nodes.ClassDef):
            found = self._definition("class", owner)
        elif isinstance(owner, bases.Instance) and isinstance(owner._proxied, nodes.ClassDef):
            found = self._definition("instance", owner._proxied)
        else:
            return self._definition("function", function)
        return found._replace(member=function.name) if found else None

    def _definition(self, kind: str, node: Any) -> Named | None:
        module = node.root()
        if not isinstance(module, nodes.Module) or not module.name:
            return None
        qualname = node.qname().removeprefix(module.name).removeprefix(".")
        return Named(kind, module.name, qualname, module.file or "")
