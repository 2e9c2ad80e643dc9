"""Where `await` may stand: the compiler is asked about every place."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace

import pytest
from support import case, span_of

from loopsafe.fixes.place import may_await
from loopsafe.fixes.site import locate
from loopsafe.model import Finding

PLACES = [
    "HERE",
    "return HERE",
    "x = [HERE for x in y]",
    "x = {HERE for x in y}",
    "x = {HERE: HERE for x in y}",
    "x = [x for x in HERE]",
    "x = [x for z in y for x in HERE]",
    "x = [x for x in y if HERE]",
    "x = [[x for x in HERE] for z in y]",
    "x = (z for z in HERE)",
    "h = lambda: HERE",
    "h = lambda a=HERE: a",
    "h = [(lambda a=HERE: a) for x in y]",
    "@HERE\n    def h(): pass",
    "def h(a=HERE): pass",
    "def h(*, a=HERE): pass",
    "def h(): HERE",
    "async def h(): HERE",
    "async def h(a=HERE): pass",
    "class C(HERE): pass",
    "class C(metaclass=HERE): pass",
    "class C: x = HERE",
    "class C:\n        async def h(self): HERE",
    "class C:\n        def h(self, a=HERE): pass",
    "f'{HERE}'",
    "f'{x:{HERE}}'",
    "del HERE[0]",
    "HERE.x += 1",
    "print(*HERE, **HERE)",
    "x[HERE:] = 1",
    "assert HERE, HERE",
    "raise HERE from HERE",
    "yield HERE",
    "try: HERE\n    except HERE: HERE\n    finally: HERE",
    "match HERE:\n        case 1 if HERE: HERE",
    "while HERE: HERE",
    "for x in HERE: HERE",
    "with HERE: HERE",
    "async with HERE as x: HERE",
    "x: int = HERE",
    "global z; z = HERE",
    "x = HERE if HERE else HERE",
    "x = HERE and not HERE",
    "x = await HERE.g()",
    "x = (y := HERE)",
]

# The compiler takes these, but the type of something changes, or what is shown.
ALLOWED_BUT_WRONG = [
    "x = (HERE for x in y)",
    "x = (z for z in y for w in HERE)",
    "x = sum(z for z in y if HERE)",
    "f'{HERE=}'",
    "f'{HERE = !s}'",
]

if sys.version_info >= (3, 11):
    PLACES.append("try: HERE\n    except* ValueError: HERE")
    ALLOWED_BUT_WRONG.append("x = ([HERE for x in y] for z in y)")

# The compiler took these before annotations were put off.
ANNOTATIONS = ["x: HERE = 1", "def h(x: HERE): pass", "def h() -> HERE: pass"]


def answers(place: str, python: tuple[int, int] = (3, 12)) -> list[bool]:
    """What is said of each HERE in a place inside a coroutine function."""
    text = f"async def f():\n    {place}\n"
    found = case(text, "HERE", python=python)
    names = [n for n in ast.walk(found.context.tree) if isinstance(n, ast.Name) and n.id == "HERE"]
    sites = [locate(_moved(found.finding, node), found.context) for node in names]
    assert all(site.node is node for site, node in zip(sites, names, strict=True))
    return [may_await(site) for site in sites]


@pytest.mark.parametrize("place", PLACES)
def test_the_compiler_agrees(place: str) -> None:
    text = f"async def f():\n    {place}\n"
    for index, answer in enumerate(answers(place)):
        parts = text.split("HERE")
        awaited = "HERE".join(parts[: index + 1]) + "(await HERE)" + "HERE".join(parts[index + 1 :])
        assert answer == _compiles(awaited), awaited


@pytest.mark.parametrize("place", ALLOWED_BUT_WRONG)
def test_what_the_compiler_takes_may_still_be_wrong(place: str) -> None:
    assert answers(place) == [False]
    assert _compiles(f"async def f():\n    {place.replace('HERE', '(await HERE)')}\n")


@pytest.mark.parametrize("place", ANNOTATIONS)
def test_annotations_are_not_evaluated(place: str) -> None:
    assert answers(place) == [False]
    future = "from __future__ import annotations\n"
    assert not _compiles(f"{future}async def f():\n    {place.replace('HERE', '(await HERE)')}\n")


def test_nested_comprehensions_before_python_3_11() -> None:
    nested = "x = [[HERE for x in y] for z in y]"
    assert answers(nested, (3, 10)) == [False]
    assert answers(nested, (3, 11)) == [True]
    assert answers("x = [[z for z in HERE] for z in y]", (3, 10)) == [True]
    assert answers("x = [z for z in [HERE for x in y]]", (3, 10)) == [True]


def test_outside_of_coroutine_functions() -> None:
    for text in ("HERE\n", "def f():\n    HERE\n", "async def f(a=HERE):\n    pass\n"):
        found = case(text, "HERE")
        assert not may_await(locate(found.finding, found.context))


def _moved(finding: Finding, node: ast.Name) -> Finding:
    return replace(finding, span=span_of(node))


def _compiles(text: str) -> bool:
    try:
        compile(text, "place.py", "exec")
    except SyntaxError:
        return False
    return True
