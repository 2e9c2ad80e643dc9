"""A strict reader of one TOML table: keys are asked for by type, what is left over is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar

from loopsafe.knowledge.schema import Result
from loopsafe.spelling import did_you_mean

E = TypeVar("E", bound=Enum)


Keys = tuple[str | int, ...]
"""The way to a place in a TOML document: keys of tables, numbers of items in arrays."""


class KnowledgeError(Exception):
    """An entry that cannot be meant: says the file, the table and what is wrong with it."""

    def __init__(self, message: str, what: str = "", keys: Keys = (), text: str = "") -> None:
        super().__init__(message)
        self.what = what or message
        """What is wrong, for where the place is said otherwise."""
        self.keys = keys
        self.text = text
        """Stands in the line that is meant, at or below the keys."""


class Table:
    """One table of a file. `finish` must be called when everything known has been read."""

    def __init__(self, label: str, values: dict[str, Any], keys: Keys = ()) -> None:
        self.label = label
        self.keys = keys
        self._values = values
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys that stand there."""
        return tuple(self._values)

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        return str(self._typed(key, str, default))

    def flag(self, key: str) -> bool:
        """A boolean that is false when absent."""
        return bool(self._typed(key, bool, False))

    def number(self, key: str, default: int) -> int:
        """A whole number."""
        value = self._typed(key, int, default)
        if isinstance(value, bool):
            raise self.error(f"`{key}` must be a number", key)
        return int(value)

    def any(self, key: str) -> Any:
        """Whatever stands there."""
        self._asked.add(key)
        return self._values.get(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of different strings; a single string stands for a list of one."""
        self._asked.add(key)
        value = self._values.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise self.error(f"`{key}` must be a list of strings", key)
        if len(set(items)) != len(items):
            raise self.error(f"`{key}` lists {_first_double(items)!r} twice", key)
        return tuple(items)

    def mapping(self, key: str) -> dict[str, str]:
        """A table of strings."""
        value = self._typed(key, dict, {})
        if not all(isinstance(item, str) for item in value.values()):
            raise self.error(f"`{key}` must be a table of strings", key)
        return dict(value)

    def places(self, key: str) -> dict[str, int]:
        """A table of places."""
        value = self._typed(key, dict, {})
        if not all(isinstance(item, int) and item >= 0 for item in value.values()):
            raise self.error(f"`{key}` must be a table of places", key)
        return dict(value)

    def arguments(self, key: str) -> dict[str, str | int]:
        """A table of arguments: each by its keyword, or by its place."""
        value = self._typed(key, dict, {})
        if not all(isinstance(item, (str, int)) for item in value.values()):
            raise self.error(f"`{key}` must be a table of keywords or places", key)
        return dict(value)

    def results(self, key: str) -> dict[str, Result]:
        """A table of what calls give: a class, or the classes of a tuple's items."""
        values = self._typed(key, dict, {})
        wrong = self.error(f"`{key}` must be a table of strings, or of lists of them", key)
        return {name: _result(value, wrong) for name, value in values.items()}

    def result(self, key: str) -> Result:
        """What a call gives: a class, or the classes of a tuple's items."""
        wrong = self.error(f"`{key}` must be a class, or a list of them", key)
        return _result(self.any(key), wrong)

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """One of the given words."""
        value = self.text(key, default)
        words = sorted(allowed)
        if value not in words and value != default:
            hint = did_you_mean(value, words)
            raise self.error(f"`{key}` is {value!r}, not one of {', '.join(words)}{hint}", key)
        return value

    def member(self, key: str, kind: type[E]) -> E | None:
        """A value of an enumeration, None when absent."""
        value = self.choice(key, (str(item.value) for item in kind), "")
        return kind(value) if value else None

    def table(self, key: str) -> Table:
        """The table below a key, empty when absent."""
        return Table(f"{self.label} [{key}]", self._typed(key, dict, {}), (*self.keys, key))

    def tables(self, key: str) -> list[Table]:
        """The array of tables below a key, each labelled with its first name."""
        value = self._typed(key, list, [])
        if not all(isinstance(item, dict) for item in value):
            raise self.error(f"`{key}` must be an array of tables", key)
        return [
            Table(self._item_label(key, at, item), item, (*self.keys, key, at))
            for at, item in enumerate(value)
        ]

    def error(self, what: str, key: str = "", text: str = "") -> KnowledgeError:
        """An exception that names this table; a key or a text in it tells the line."""
        keys = (*self.keys, key) if key else self.keys
        return KnowledgeError(f"{self.label}: {what}", what, keys, text)

    def finish(self) -> None:
        """Refuses the keys that nobody asked for."""
        for key in self._values.keys() - self._asked:
            raise self.error(f"unknown key `{key}`{did_you_mean(key, self._asked)}", key)

    def _typed(self, key: str, kind: type[Any], default: Any) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if not isinstance(value, kind):
            raise self.error(f"`{key}` must be a {_KIND_WORDS[kind]}", key)
        return value

    def _item_label(self, key: str, at: int, item: dict[str, Any]) -> str:
        names = item.get("names") or item.get("each") or []
        first = names[0] if isinstance(names, list) and names else names
        return f"{self.label} [[{key}]] {first or f'number {at + 1}'}"


_KIND_WORDS: dict[type[Any], str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    dict: "table",
    list: "list",
}


def _result(value: Any, wrong: KnowledgeError) -> Result:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) for item in items):
        raise wrong
    return tuple(items) if isinstance(value, list) else str(value)


def _first_double(items: list[str]) -> str:
    return next(item for at, item in enumerate(items) if item in items[:at])
