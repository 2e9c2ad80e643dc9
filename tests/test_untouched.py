"""What an edit of a function leaves alone, and what it does not."""

from __future__ import annotations

import pytest

from loopsafe.facts.difference import difference
from loopsafe.facts.extract import extract
from loopsafe.facts.interface import interface
from loopsafe.facts.ir import Attr, Call, ModuleFacts, Site, last_name
from loopsafe.facts.patch import patches
from loopsafe.facts.untouched import compared

BODY = """\
import time
from app import make

def work(first, second):
    client = make(first)
    client.get()
    if second:
        client.put()
    other = make(second)
    with other.open() as file:
        file.read()
    other.post()
"""


def _kept(old: str, new: str) -> set[str]:
    """The names of what is called by those calls of a function that mean the same."""
    before = extract(old)
    (step,) = patches(before, old, new)
    assert step.kept is not None
    found = {id(site): site for site in _sites(step.facts)}
    return {
        _callee(site)
        for site in _sites(before)
        if (twin := step.kept.twins.get(id(site))) is not None and id(twin) in found
    }


def _sites(facts: ModuleFacts) -> tuple[Site, ...]:
    return tuple(site for site in facts.functions[1].sites if site.kind == "call")


def _callee(site: Site) -> str:
    func = site.expr.func if isinstance(site.expr, Call) else site.expr
    inner = f"{last_name(func.value)}." if isinstance(func, Attr) else ""
    return inner + last_name(func)


ALL = {"make", "client.get", "client.put", "other.open", "file.read", "other.post"}


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("    client.get()\n", "    client.get()\n    time.sleep(1)\n", set()),
        ("    client.get()\n", "", {"client.get"}),
        # What a name is given now, all may see that read it, and what is made of it.
        ("make(first)", "make(1)", {"client.get", "client.put"}),
        (
            "    client.get()\n",
            "    client.get()\n    other = second\n",
            {"other.open", "file.read", "other.post"},
        ),
        (
            "    client.get()\n",
            "    client.get()\n    first = second\n",
            {"client.get", "client.put"},
        ),
        # A block runs under another condition; an early end decides about all behind it.
        ("if second:", "if first:", {"client.put"}),
        (
            "    client.get()\n",
            "    client.get()\n    if first:\n        return\n",
            {"client.put", "make", "other.open", "file.read", "other.post"},
        ),
        ("other.open()", "other.start()", {"other.open", "file.read"}),
    ],
)
def test_calls_keep_their_answers_where_they_mean_the_same(
    old: str, new: str, lost: set[str]
) -> None:
    text = BODY.replace(old, new, 1)
    kept = _kept(BODY, text)
    assert kept >= ALL - lost - {"make"}
    assert not kept & (lost - {"make"})


def test_a_block_that_is_put_in_leaves_the_others_alone() -> None:
    text = BODY.replace(
        "    client.get()\n", "    client.get()\n    for item in first:\n        print(item)\n"
    )
    assert _kept(BODY, text) == ALL


def test_what_a_nested_function_is_made_of_may_matter_to_who_calls_it() -> None:
    old = "def work():\n    def inner():\n        a()\n    inner()\n    b()\n"
    assert _kept(old, old.replace("a()", "c()")) == {"b"}


def test_a_function_with_a_class_in_it_is_not_compared() -> None:
    old = "def work():\n    class Inner:\n        x = a()\n    b()\n    c()\n"
    assert _kept(old, old.replace("c()", "d()")) == set()


def test_functions_behind_an_edit_are_the_same_in_a_whole_text() -> None:
    behind = "\n\ndef later():\n    try:\n        return make(1)\n    finally:\n        make(2)\n"
    old = BODY + behind
    new = old.replace("    client.get()\n", "    client.get()\n    time.sleep(1)\n")
    before, after = extract(old), extract(new)
    seen = difference(before, interface(before), after, interface(after))
    assert seen is not None
    found = compared(before, after, seen)
    assert found.functions == {0, 2}
    assert found.names is not None
    assert found.names >= {"time", "sleep"}
    assert "client" not in found.names
