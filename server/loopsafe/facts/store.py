"""Facts as bytes and back, for the cache on disk: much faster to read than to make anew.

Every tuple, dictionary and word of a module is a node with a number. Nodes of one kind and height
stand together, field by field, so that reading is a few loops of the interpreter's own. Bytes can
only become data: whatever they hold, reading gives facts or raises `Unreadable`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from loopsafe.facts import ir
from loopsafe.facts.ir import ModuleFacts
from loopsafe.facts.recover import SyntaxProblem
from loopsafe.model import Span

_MOST_BYTES = 1 << 27
"""Of one module, unpacked: nothing real comes near it."""


class Unreadable(Exception):
    """Bytes that are no facts, or facts that cannot be bytes."""


class _Kind(NamedTuple):
    """A class of nodes: which of its fields are numbers themselves, and which name other nodes."""

    cls: type[Any]
    fields: tuple[str, ...]
    plain: tuple[bool, ...]

    @property
    def references(self) -> tuple[int, ...]:
        return tuple(i for i, plain in enumerate(self.plain) if not plain)


def _kinds() -> Iterator[_Kind]:
    found = (cls for _, cls in sorted(vars(ir).items()) if isinstance(cls, type))
    records = [cls for cls in found if issubclass(cls, tuple) and hasattr(cls, "_fields")]
    for cls in (*dict.fromkeys([*records, Span]), SyntaxProblem):
        types: dict[str, str] = {}
        if dataclasses.is_dataclass(cls):
            types = {field.name: str(field.type) for field in dataclasses.fields(cls)}
        else:
            names: tuple[str, ...] = getattr(cls, "_fields")  # noqa: B009
            types = {name: str(cls.__annotations__[name]) for name in names}
        plain = tuple(_is_number(kind) for kind in types.values())
        yield _Kind(cls, tuple(types), plain)


def _is_number(kind: str) -> bool:
    """Annotations are strings, or an evaluated type where a class was made in another way."""
    return kind in ("int", "<class 'int'>", "ForwardRef('int')") or "ForwardRef('int'," in kind


_KINDS = tuple(_kinds())
_NUMBERS = {kind.cls: number for number, kind in enumerate(_KINDS)}
_TUPLE, _DICT, _FROZENSET = len(_KINDS), len(_KINDS) + 1, len(_KINDS) + 2
_RECORDS = frozenset(n for n, kind in enumerate(_KINDS) if dataclasses.is_dataclass(kind.cls))
"""Those whose instances are no tuples."""
_ATOMS = (None, False, True)
"""The first nodes of every module; its words and other literals come next."""

SHAPE = ";".join(f"{k.cls.__name__}({','.join(k.fields)})" for k in _KINDS)
"""What the bytes of this version hold, for whoever keeps them."""


def dump(facts: ModuleFacts) -> bytes:
    """Facts as bytes. Raises Unreadable where they hold what bytes cannot, which is rare."""
    try:
        return _Writer().written(facts)
    except (RecursionError, OverflowError, ValueError, TypeError, KeyError) as error:
        raise Unreadable(str(error)) from error


def load(data: bytes) -> ModuleFacts:
    """The facts that became these bytes."""
    try:
        facts = _read(data)
    except Exception as error:
        # The bytes come from a file that anything may have happened to.
        raise Unreadable(str(error)) from error
    if not isinstance(facts, ModuleFacts):
        raise Unreadable("no facts")
    return facts


class _Writer:
    """Numbers the nodes of a module: first by height, so that parts come before the whole."""

    def __init__(self) -> None:
        self._heights: dict[int, int] = {}
        """Of every node seen, by its identity."""
        self._groups: dict[tuple[int, int, int], list[Any]] = {}
        self._words: dict[int, str] = {}
        self._literals: dict[int, Any] = {}

    def written(self, facts: ModuleFacts) -> bytes:
        self._visit(facts)
        numbers = {id(atom): number for number, atom in enumerate(_ATOMS)}
        words = _numbered(numbers, self._words, len(_ATOMS), lambda word: word)
        count = len(_ATOMS) + len(words)
        literals = _numbered(numbers, self._literals, count, _key)
        count += len(literals)
        groups = sorted(self._groups.items(), key=itemgetter(0))
        columns = array("i")
        heads: list[tuple[int, int, int]] = []
        for (_, kind, size), nodes in groups:
            numbers.update(zip(map(id, nodes), range(count, count + len(nodes)), strict=True))
            count += len(nodes)
            heads.append((kind, size, len(nodes)))
            for column, is_plain in _columns(kind, nodes):
                columns.extend(column if is_plain else map(numbers.__getitem__, map(id, column)))
        if sys.byteorder == "big":
            columns.byteswap()
        spelled = [_spelled(value) for value in literals]
        text = json.dumps([words, spelled, heads, len(columns)], separators=(",", ":"))
        head = text.encode("ascii")
        return zlib.compress(b"%d\n%b%b" % (len(head), head, columns.tobytes()), 1)

    def _visit(self, node: Any) -> int:
        """The height of a node above the words and literals."""
        cls = type(node)
        number = _NUMBERS.get(cls, -1)
        size = 0
        parts: Iterable[Any]
        if number >= 0:
            parts = _PARTS[number](node)
        elif cls is tuple:
            number, size, parts = _TUPLE, len(node), node
        elif cls is dict:
            number, size, parts = _DICT, 2 * len(node), _items(node)
        elif cls is frozenset:
            number, size, parts = _FROZENSET, len(node), node
        else:
            self._literals[id(node)] = node
            return 0
        height = 0
        for part in parts:
            if type(part) is str:
                self._words[id(part)] = part
            elif part is not None and part is not True and part is not False:
                under = self._heights.get(id(part))
                if under is None:
                    under = self._visit(part)
                if under > height:
                    height = under
        height += 1
        self._heights[id(node)] = height
        self._groups.setdefault((height, number, size), []).append(node)
        return height


def _numbered(
    numbers: dict[int, int], found: dict[int, Any], start: int, key: Callable[[Any], Any]
) -> list[Any]:
    """Numbers equal values alike; gives each once."""
    known: dict[Any, int] = {}
    values: list[Any] = []
    for identity, value in found.items():
        name = key(value)
        number = known.get(name)
        if number is None:
            number = known[name] = start + len(values)
            values.append(value)
        numbers[identity] = number
    return values


def _key(literal: Any) -> tuple[type, str]:
    """`1`, `1.0` and `-0.0` are three literals."""
    return type(literal), repr(literal)


def _items(node: dict[Any, Any]) -> list[Any]:
    return [part for item in node.items() for part in item]


def _parts(kind: _Kind) -> Callable[[Any], Sequence[Any]]:
    """Gives the fields of a record that name other nodes."""
    chosen = kind.references
    if dataclasses.is_dataclass(kind.cls):
        names = [kind.fields[i] for i in chosen]
        return lambda node: [getattr(node, name) for name in names]
    if not chosen:
        return lambda node: ()
    if len(chosen) == 1:
        only = chosen[0]
        return lambda node: (node[only],)
    return itemgetter(*chosen)


_PARTS = tuple(_parts(kind) for kind in _KINDS)


def _columns(kind: int, nodes: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """The fields of equal nodes, one field after the other, and whether they hold numbers."""
    rows = nodes
    if kind == _DICT:
        rows = [_items(node) for node in nodes]
    elif kind == _FROZENSET:
        rows = [sorted(node) for node in nodes]
    elif kind in _RECORDS:
        names = _KINDS[kind].fields
        rows = [[getattr(node, name) for name in names] for node in nodes]
    plain = _KINDS[kind].plain if kind < _TUPLE else repeat(False)
    yield from zip(zip(*rows, strict=True), plain)  # noqa: B905


def _spelled(value: Any) -> list[str]:
    """A literal with its class; `repr` of a number is exact."""
    if isinstance(value, bytes):
        return ["bytes", value.decode("latin-1")]
    if isinstance(value, (int, float, complex)):
        return [type(value).__name__, repr(value)]
    if value is ...:
        return ["ellipsis", ""]
    raise ValueError(f"cannot store {type(value).__name__}")


_LITERALS: dict[str, Callable[[str], Any]] = {
    "bytes": lambda text: text.encode("latin-1"),
    "int": int,
    "float": float,
    "complex": complex,
    "ellipsis": lambda text: ...,
}


def _read(data: bytes) -> Any:
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(data, _MOST_BYTES)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise Unreadable("cut off or too long")
    start, _, _ = plain[:20].partition(b"\n")
    begin = len(start) + 1
    end = begin + int(start)
    words, literals, heads, length = json.loads(plain[begin:end])
    numbers, references = array("i", plain[end:]), array("I", plain[end:])
    if sys.byteorder == "big":
        numbers.byteswap()
        references.byteswap()
    if len(numbers) != length or not all(type(word) is str for word in words):
        raise Unreadable("damaged")
    nodes: list[Any] = [*_ATOMS, *words]
    nodes.extend(_LITERALS[kind](text) for kind, text in literals)
    at = 0
    for kind, size, count in heads:
        at = _add(nodes, numbers, references, at, (kind, size, count))
    return nodes[-1]


def _add(
    nodes: list[Any],
    numbers: array[int],
    references: array[int],
    at: int,
    head: tuple[int, int, int],
) -> int:
    """Makes the nodes of one kind and height out of those before them.

    References are the same numbers without signs, so that none counts from the end of the nodes.
    """
    kind, size, count = head
    if not 0 <= kind <= _FROZENSET or count < 1 or size < 0:
        raise Unreadable("damaged")
    plain = _KINDS[kind].plain if kind < _TUPLE else (False,) * size
    get = nodes.__getitem__
    rows: list[Iterable[Any]] = []
    for is_plain in plain:
        end = at + count
        if end > len(numbers):
            raise Unreadable("damaged")
        rows.append(numbers[at:end] if is_plain else map(get, references[at:end]))
        at = end
    if not rows:
        nodes.extend([_empty(kind)] * count)
        return at
    made: Iterable[Any] = zip(*rows, strict=True)
    if kind == _DICT:
        made = [dict(zip(row[::2], row[1::2], strict=True)) for row in made]
    elif kind == _FROZENSET:
        made = map(frozenset, made)
    elif kind < _TUPLE:
        cls = _KINDS[kind].cls
        if kind in _RECORDS:
            made = [cls(*row) for row in made]
        else:
            # As `cls._make` does it, without a call for each.
            made = map(tuple.__new__, repeat(cls), made)
    nodes.extend(list(made))
    return at


def _empty(kind: int) -> Any:
    if kind < _TUPLE:
        return ir.UNKNOWN if _KINDS[kind].cls is ir.Unknown else _KINDS[kind].cls()
    return () if kind == _TUPLE else {} if kind == _DICT else frozenset()
