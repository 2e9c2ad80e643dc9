"""Facts as bytes: what comes back is what went in, and no bytes do more than fail."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopsafe.facts import store
from loopsafe.facts.extract import extract

PACKAGE = Path(__file__).parents[1] / "server" / "loopsafe"

ODD = """
import os, sys as system
from . import near
from ..far import *
A: int = 1
B = 1.0, -0.0, 1e400, True, None, 2j, b"\\x00\\xff", ..., 123456789012345678901234567890, "\\ud800"
C = {"a": 1, **dict(b=2)}
first, *middle, before, last = C
def outer(a, /, b=[x for x in range(3)], *c, d: "str" = f"{A}", **e):
    global A
    def inner():
        nonlocal b
        yield (b := a.b.c(d)[0])
    with open("f") as f, lock:
        return lambda: (inner, f.read(*c, **e))
class K(dict[str, int], metaclass=type):
    x = y = property(lambda self: self._x)
    async def m(self):
        self.z = [await q for q in self]
        try:
            async for r in s: pass
        except (ValueError, OSError) as e: raise
match A:
    case [1, K(x=1) as k, *rest] if k: pass
other.thing = K()
"""


def _alike(one: object, other: object) -> bool:
    """Equal, and of equal classes all the way down: `1`, `1.0` and `True` are three things."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    return isinstance(one, frozenset) or repr(one) == repr(other)


SOURCES = [path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.mark.parametrize("source", ["", "x", "def f(:\n  g(", "\ufeffa = '\0'", ODD])
def test_facts_come_back_as_they_were(source: str) -> None:
    facts = extract(source)
    assert _alike(store.load(store.dump(facts)), facts)


def test_facts_of_real_modules_come_back() -> None:
    for source in SOURCES:
        facts = extract(source)
        back = store.load(store.dump(facts))
        assert back == facts
        # Parts that were one object are one object again: answers are remembered by identity.
        sites = [site for function in facts.functions for site in function.sites]
        again = [site for function in back.functions for site in function.sites]
        same = [(i, j) for i, a in enumerate(sites) for j, b in enumerate(sites[:i]) if a is b]
        assert all(again[i] is again[j] for i, j in same)
        for one, other in zip(sites, again, strict=True):
            shared = hasattr(one.expr, "spot") and one.expr.spot is one.spot
            assert shared == (hasattr(other.expr, "spot") and other.expr.spot is other.spot)


def test_numbers_that_no_text_may_spell_are_not_stored() -> None:
    if not hasattr(sys, "get_int_max_str_digits"):
        pytest.skip("this Python has no such limit")
    facts = extract(f"x = 0x{'f' * 9000}\n")
    with pytest.raises(store.Unreadable):
        store.dump(facts)


WHOLE = store.dump(extract(ODD))
PLAIN = zlib.decompress(WHOLE)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_facts_or_unreadable(data: bytes) -> None:
    for given_bytes in (data, zlib.compress(data)):
        with pytest.raises(store.Unreadable):
            store.load(given_bytes)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), max_size=8))
def test_damaged_bytes_are_facts_or_unreadable(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(PLAIN)
    for place, value in changes:
        damaged[place] = value
    try:
        store.load(zlib.compress(bytes(damaged)))
    except store.Unreadable:
        return


def test_a_bomb_does_not_go_off() -> None:
    with pytest.raises(store.Unreadable, match="too long"):
        store.load(zlib.compress(bytes(200_000_000), 9))
