"""jedi's side of the worker: what a call's receiver is, or the callee itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jedi
from jedi import settings
from jedi.api import classes
from jedi.api.environment import InterpreterEnvironment
from jedi.inference.helpers import infer_call_of_leaf

from loopsafe.infer.wire import Answer, Named, Question, Search
from loopsafe.text import SourceText, decode

_KINDS = frozenset({"function", "class", "module", "instance"})


class Jedi:
    """Reads source on our own search path; never starts an interpreter or loads an extension."""

    def __init__(self, search: Search, cache: str) -> None:
        settings.cache_directory = os.path.join(cache, "jedi")
        # jedi would run these packages of the project to look at them.
        settings.auto_import_modules = []
        self._environment = InterpreterEnvironment()
        parents = [os.path.dirname(place) for _, place in search.editable]
        self._project = jedi.Project(
            search.root,
            sys_path=[*search.roots, *search.paths, *parents, *sys.path],
            environment_path=None,
            load_unsafe_extensions=False,
            smart_sys_path=False,
        )
        self._texts: dict[str, str] = {}
        self._scripts: dict[str, tuple[Any, SourceText]] = {}

    def begin(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._scripts.clear()

    def answer(self, question: Question) -> Answer:
        script, source = self._script(question.path)
        line = question.span.end_line
        column = source.point(line, question.span.end_column)
        leaf = script._module_node.get_leaf_for_position((line, column))
        if leaf is None or (leaf.type == "name" and leaf.value != (question.member or leaf.value)):
            return ()
        context = script._get_module_context().create_context(leaf)
        state = script._inference_state
        if question.member:
            owners = infer_call_of_leaf(context, leaf, cut_own_trailer=True)
            found = _named(state, owners, question.member)
            if found:
                return found
        return _named(state, infer_call_of_leaf(context, leaf), "")

    def recover(self) -> None:
        self._scripts.clear()

    def _script(self, path: str) -> tuple[Any, SourceText]:
        if path not in self._scripts:
            text = self._texts.get(path)
            if text is None:
                text = decode(Path(path).read_bytes())
            script = jedi.Script(
                text, path=path, project=self._project, environment=self._environment
            )
            self._scripts[path] = (script, SourceText(text))
        return self._scripts[path]


def _named(state: Any, values: Any, member: str) -> Answer:
    found: dict[Named, None] = {}
    for value in values:
        name = classes.Name(state, value.name)
        module, full = name.module_name, name.full_name
        if name.type not in _KINDS or not full or not module:
            continue
        qualname = full.removeprefix(module).removeprefix(".")
        path = str(name.module_path or "")
        found.setdefault(Named(name.type, module, qualname, path, member))
    return tuple(found)
