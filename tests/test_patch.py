"""Facts after an edit inside functions are those that reading the whole text anew would give."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopsafe.facts.difference import difference
from loopsafe.facts.extract import extract
from loopsafe.facts.interface import interface
from loopsafe.facts.ir import ModuleFacts
from loopsafe.facts.patch import patches

FILES = [
    path
    for path in sorted((Path(__file__).parents[1] / "server" / "loopsafe").rglob("*.py"))
    if path.read_text("utf-8").count("def ") > 8
]
STATEMENTS = (
    "x = foo(1)",
    "self.y = [lambda: 3 for q in z]",
    "",
    "global G; G = 2",
    "return 5",
    "self.z.append(4)",
    "items.append(x)",
    "a.b = 4",
    "yield 3",
    "if not x: raise X",
    "_cache[1] = 2",
    "if self._y is None: self._y = connect()",
    "def inner(): return x",
    "class Inner: a: int = 1",
    "foo(",
    "if x",
    "x = = 2",
)
TOOLS = '''\
import time
REGISTRY = {}
class Client:
    timeout: int = 1
    @property
    def name(self):
        return self._name

    def load(self, path=lambda: 1, *, retries: int = 2) -> bytes:
        """Text.

at the margin
        """
        global STATE
        STATE = time.time()
        REGISTRY["x"] = self
        def inner():
            nonlocal path
            path = self.name
            return inner
        self.rows.append(inner)
        return [r for r in self.rows if r]

    other = 3
if time:
    async def main(client: Client):
        async with client as c:
            await c.load()
        other.value = c
    def last(): pass
    last = main
'''


def _shown(facts: ModuleFacts) -> str:
    """All but the words, of which some may be left over, and ends that nobody has seen."""
    functions = facts.functions
    if facts.problems:
        functions = tuple(function._replace(end=0) for function in functions)
    return repr(facts._replace(words=frozenset(), functions=functions))


def _edited(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    line = chance.randrange(len(lines))
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    kind = chance.randrange(5)
    if kind == 0:
        del lines[line]
    elif kind == 1:
        lines[line] += chance.choice((" ", ".", "(", "  # why", '"', ")"))
    elif kind == 2:
        lines.insert(line, chance.choice(lines))
    else:
        lines.insert(line, indent + chance.choice(STATEMENTS))
    return "\n".join(lines)


def _steps(text: str, chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Texts one edit after another; where one does not parse, the next often mends it."""
    for _ in range(count):
        new = _edited(text, chance)
        yield text, new
        if extract(new).problems:
            yield new, text
        else:
            text = new


@pytest.mark.parametrize("seed", range(12))
def test_patched_facts_are_those_of_the_whole_text(seed: int) -> None:
    chance = random.Random(seed)
    text = TOOLS if seed % 3 == 0 else chance.choice(FILES).read_text("utf-8")
    made = 0
    last: ModuleFacts | None = None
    for old, new in _steps(text, chance, 60):
        before = extract(old)
        if before.problems and last is None:
            continue  # What was lost may reach beyond one function.
        found = patches(before, old, new)
        last = found[-1].facts if found else None
        if not found:
            continue
        made += 1
        after = extract(new)
        if not set(after.problems) <= set(found[-1].facts.problems):
            continue  # What is broken took more of the whole text along than its function.
        assert _shown(found[-1].facts) == _shown(after)
        assert found[-1].facts.words >= after.words
        if not after.problems and not before.problems:
            seen = difference(before, interface(before), after, interface(after))
            told = [step.kept.difference.insides for step in found if step.kept is not None]
            assert (len(told) == len(found)) == (seen is not None)
            assert seen is None or seen.insides <= frozenset().union(*told)
    assert made > 0


def test_what_stays_is_the_same_object() -> None:
    text = "def first():\n    a()\ndef second():\n    b()\n"
    before = extract(text)
    (step,) = patches(before, text, text.replace("a()", "c()"))
    assert step.facts.functions[2] is before.functions[2]
    assert step.kept is not None
    assert step.kept.functions == {0, 2}


def test_what_moves_has_a_twin() -> None:
    text = "def first():\n    a()\n@b()\ndef second():\n    b()\n"
    before = extract(text)
    (step,) = patches(before, text, text.replace("a()", "a()\n    c()"))
    site, moved = before.functions[0].sites[0], step.facts.functions[0].sites[0]
    assert moved.spot.line == site.spot.line + 1
    assert step.kept is not None
    assert step.kept.same(site) is moved
    assert step.kept.same(before.functions[1].sites[0]) is step.facts.functions[1].sites[0]


def test_the_inside_of_a_function_moves_with_it() -> None:
    text = "def first():\n    a()\ndef second():\n    b()\n"
    before = extract(text)
    (step,) = patches(before, text, text.replace("a()", "a()\n    c()"))
    function, moved = before.functions[2], step.facts.functions[2]
    assert moved.sites is function.sites
    assert moved.in_file(moved.sites[0].spot).line == 5
    assert function.in_file(moved.sites[0].spot).line == 4
    assert moved.inside(moved.in_file(moved.sites[0].spot)) == moved.sites[0].spot


def test_what_is_replaced_has_no_twin() -> None:
    text = "def first():\n    a()\n    b = c\n    b()\n    d()\n"
    before = extract(text)
    (step,) = patches(before, text, text.replace("b = c", "b = e"))
    assert step.kept is not None
    twins = [step.kept.twins.get(id(site)) for site in before.functions[1].sites]
    assert twins == [step.facts.functions[1].sites[0], None, step.facts.functions[1].sites[2]]


@pytest.mark.parametrize(
    "new",
    [
        "def first(x):\n    a()\ndef second():\n    b()\n",
        "def first():\n    a()\nx = 1\ndef second():\n    b()\n",
        "def second():\n    b()\n",
        'def first():\n    a("""\ndef second():\n    b()\n',
        "def first():\n    a()\n    c = lambda: 1\ndef second():\n    b()\n",
    ],
)
def test_whatever_shows_outside_a_body_is_read_anew(new: str) -> None:
    text = "def first():\n    a()\ndef second():\n    b()\n"
    assert patches(extract(text), text, new) == ()
