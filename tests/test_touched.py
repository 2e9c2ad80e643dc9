"""Of which names an edit inside a function says something else."""

from __future__ import annotations

import pytest

from loopsafe.facts.extract import extract
from loopsafe.facts.touched import touched

BEFORE = """
def run(store, flag):
    client = make()
    other = build()
    client.fetch(1)
    other.load(2)
    if flag:
        store.save(client)
    with lock:
        compute()
    return other.result()
"""

ALL = None
EDITS: dict[str, tuple[str, str, set[str] | None]] = {
    "nothing": ("", "", set()),
    "a comment": ("    client.fetch(1)", "    # once\n    client.fetch(1)", set()),
    "a name of its own": ("    other.load(2)", "    fresh = 1\n    other.load(2)", {"lock"}),
    "one more call": (
        "    other.load(2)",
        "    other.load(2)\n    print(flag)",
        {"print", "flag", "lock"},
    ),
    "a call that goes": ("    other.load(2)\n", "", {"other", "load", "lock"}),
    "another argument": ("load(2)", "load(3)", {"other", "load", "lock"}),
    "a name bound to something else": (
        "client = make()",
        "client = build()",
        {"client", "make", "build", "fetch", "store", "save", "lock"},
    ),
    "a name bound once more": (
        "    if flag:",
        "    client = None\n    if flag:",
        {"client", "fetch", "store", "save", "lock"},
    ),
    "an attribute that is given": (
        "    if flag:",
        "    client.timeout = 5\n    if flag:",
        {"client", "timeout", "fetch", "store", "save", "lock"},
    ),
    "what is held meanwhile": ("compute()", "wait()", {"compute", "wait", "lock"}),
    "what decides a branch": (
        "    if flag:",
        "    if not flag:",
        {"flag", "client", "save", "store", "lock"},
    ),
    "a name that decides a branch": (
        "    client = make()",
        "    flag = 1\n    client = make()",
        {"__bool__", "flag", "client", "save", "store", "lock"},
    ),
    "one more branch": (
        "    other.load(2)",
        "    if store:\n        other.load(2)",
        {"__bool__", "store", "other", "load", "lock"},
    ),
    "one more branch of its own": (
        "    other.load(2)",
        "    if store:\n        print()\n    other.load(2)",
        {"__bool__", "store", "print", "lock"},
    ),
    "an early end": (
        "    other.load(2)",
        "    if store:\n        return\n    other.load(2)",
        {"__bool__", "store", "other", "load", "flag", "client", "save", "compute", "result"}
        | {"lock"},
    ),
    "what is behind an early end": (
        "    if flag:\n",
        "    if flag:\n        if store:\n            return\n",
        {"__bool__", "store", "client", "save", "lock"},
    ),
    "a loop around the rest": (
        "        store.save(client)\n",
        "        for one in client:\n            store.save(client)\n",
        {"store", "client", "save", "lock"},
    ),
    "another order": (
        "    client = make()\n    other = build()\n    client.fetch(1)\n",
        "    other = build()\n    client.fetch(1)\n    client = make()\n",
        ALL,
    ),
    "another head": ("def run(store, flag):", "def run(flag, store):", ALL),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_speaks_of_what_it_touches(name: str) -> None:
    old, new, expected = EDITS[name]
    assert BEFORE.count(old) == 1 or not old
    before, after = (extract(text) for text in (BEFORE, BEFORE.replace(old, new, 1)))
    found = touched(before, after, 1)
    assert found == expected
    assert touched(after, before, 1) == expected


def test_a_function_that_one_text_lacks_has_no_names_in_common() -> None:
    before, after = (extract(text) for text in (BEFORE, ""))
    assert touched(before, after, 1) is None
