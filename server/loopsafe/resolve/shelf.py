"""The answers about one module, and what an edit inside of its functions leaves of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from loopsafe.facts.ir import Scope
from loopsafe.facts.kept import Kept
from loopsafe.resolve.values import FunctionValue

Key: TypeAlias = tuple[Any, ...]
"""A question: the `id` of an expression with its frame, or a word with what it is about."""

_ABOUT_PARTS = frozenset({"type", "bound", "holds", "variable", "meets"})
"""Questions about an expression, a binding or a site, by its `id`."""

_ABOUT_SITES = frozenset({"edges", "library", "meetings"})
"""Questions about what the sites of a frame's function lead to: answers with a `site` each."""

_ABOUT_INTERFACES = frozenset(
    {"attribute", "decorated", "during", "exported", "member", "mro", "result"}
)
"""Questions about what others can see of a module."""

_SITE = attrgetter("site")


class Shelf:
    """The answers about one module."""

    __slots__ = ("_index", "answers", "bit", "module", "traces")

    def __init__(self, module: str, bit: int) -> None:
        self.module = module
        self.bit = bit
        self.answers: dict[Key, object] = {}
        self.traces: dict[Key, int] = {}
        """What answers rest on, where it is more than the module's own interface."""
        self._index: _Index | None = None
        """From the first edit on: most modules are never edited."""

    def put(self, key: Key, answer: object, trace: int | None) -> None:
        """Remembers an answer, and what it rests on where that is more than the module's own."""
        self.answers[key] = answer
        if trace is not None:
            self.traces[key] = trace
        if self._index is not None:
            self._index.add(key, trace)

    def drop(self, key: Key) -> None:
        """Forgets an answer, if it is known."""
        self.answers.pop(key, None)
        trace = self.traces.pop(key, None)
        if trace is not None and self._index is not None:
            self._index.traced[id(trace)].discard(key)

    def forget(self, traces: frozenset[int]) -> None:
        """Drops what rests on these, each the `id` of a number in `traces`."""
        if self._index is not None:
            keys = [key for trace in traces for key in self._index.traced.pop(trace, ())]
        else:
            keys = [key for key, trace in self.traces.items() if id(trace) in traces]
        for key in keys:
            del self.answers[key], self.traces[key]

    def renew(self, kept: Kept, scopes: tuple[Scope, ...]) -> None:
        """Only insides of the module's functions changed: drops the answers about their parts.

        Those about parts that are the same are answers about their twins from now on, and what
        others know of the module still holds. `scopes` are those after the edit.
        """
        index = self._index
        if index is None:
            index = self._index = _Index()
            for key in self.answers:
                index.add(key, self.traces.get(key))
        fresh = [
            *self._of_twins(index, kept),
            *self._of_sites(index, kept, scopes),
        ]
        self._take(index.registers, (n for n in index.registers if n not in kept.functions))
        difference = kept.difference
        self._take(index.names, (*difference.names, *difference.functions))
        for key in index.others:
            self.drop(key)
        index.others.clear()
        for key, answer, trace in fresh:
            self.put(key, answer, trace)

    def _of_twins(self, index: _Index, kept: Kept) -> list[_Known]:
        """The answers about parts that have a twin, of these; those about what is gone are lost."""
        fresh: list[_Known] = []
        numbers = [n for part in (kept.gone, kept.twins) for n in part if n in index.parts]
        for key, answer, trace in self._take(index.parts, numbers):
            twin = kept.twins.get(_part(key))
            if twin is None:
                continue
            if key[0] == "meets":
                assert isinstance(answer, tuple)
                answer = tuple(item._replace(site=twin) for item in answer)
            fresh.append(_Known(_renamed(key, id(twin)), answer, trace))
        return fresh

    def _of_sites(self, index: _Index, kept: Kept, scopes: tuple[Scope, ...]) -> list[_Known]:
        """The answers about functions whose sites have twins, of these."""
        fresh: list[_Known] = []
        for scope, keys in [*index.scopes.items()]:
            is_kept = scope < len(scopes) and max(scopes[scope].owner, 0) in kept.functions
            for key in [*keys]:
                answer = self.answers.get(key, ())
                assert isinstance(answer, tuple)
                if is_kept and kept.twins.keys().isdisjoint(map(id, map(_SITE, answer))):
                    continue
                keys.remove(key)
                trace = self.traces.get(key)
                self.drop(key)
                if is_kept:
                    twins = tuple(item._replace(site=kept.same(item.site)) for item in answer)
                    fresh.append(_Known(key, twins, trace))
        return fresh

    def _take(self, group: dict[Any, set[Key]], names: Iterable[Hashable]) -> list[_Known]:
        """Takes the answers about some things off the shelf."""
        taken: list[_Known] = []
        for name in [*names]:
            for key in group.pop(name, ()):
                if key in self.answers:
                    taken.append(_Known(key, self.answers[key], self.traces.get(key)))
                    self.drop(key)
        return taken


class _Known(NamedTuple):
    """An answer with what it rests on."""

    key: Key
    answer: object
    trace: int | None


class _Index:
    """Questions by what they are about; also some whose answer was dropped since."""

    def __init__(self) -> None:
        self.parts: dict[int, set[Key]] = {}
        self.scopes: dict[int, set[Key]] = {}
        """Of functions, by their scopes."""
        self.registers: dict[int, set[Key]] = {}
        """What a function registers, by its number."""
        self.names: dict[Hashable, set[Key]] = {}
        """What others see, by its name or a function's number."""
        self.others: set[Key] = set()
        """Which hold for no other text."""
        self.traced: dict[int, set[Key]] = {}
        """Those that are answered, by the `id` of what the answers rest on."""

    def add(self, key: Key, trace: int | None) -> None:
        if trace is not None:
            self.traced.setdefault(id(trace), set()).add(key)
        first, about = key[0], key[1]
        if type(first) is int or first in _ABOUT_PARTS:
            self.parts.setdefault(_part(key), set()).add(key)
        elif first in _ABOUT_SITES:
            self.scopes.setdefault(about.scope, set()).add(key)
        elif first == "registers":
            self.registers.setdefault(about, set()).add(key)
        elif first in _ABOUT_INTERFACES:
            name = about.number if isinstance(about, FunctionValue) else key[-1]
            self.names.setdefault(name, set()).add(key)
        else:
            self.others.add(key)


def _part(key: Key) -> int:
    """The `id` of the part that a question is about."""
    number: int = key[0] if type(key[0]) is int else key[1]
    return number


def _renamed(key: Key, number: int) -> Key:
    """The same question about another part."""
    return (number, *key[1:]) if type(key[0]) is int else (key[0], number, *key[2:])
