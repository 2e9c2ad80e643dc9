"""What must hold for every fix, on code that nobody wrote for the purpose."""

from __future__ import annotations

import ast
import asyncio
import random
import warnings
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import anyio
import httpx
import pytest
import starlette
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stall import module
from standin import Slow
from support import ENDPOINT, Case, case, span_of

from loopsafe.fixes import idiom_names, merge
from loopsafe.model import Edit, Fix, Safety
from loopsafe.text import SourceText

LIBRARIES = (anyio, httpx, starlette)
CODES = ("blocking-http", "blocking-file", "await-sync", "eager-offload", "nested-loop")

ARGUMENTS = ("", "1", "1, x=2", "*(1, 2), **{'k': 3}", "(1), x=(2)", "y for y in (1, 2)", "z := 1")
CALLEES = ("slow.load", "(slow.load)", "slow . load", "(lambda: slow)().load", "[slow][0].load")
AROUND = (
    "{}", "({})", "{}.json()", "{}[0]", "[{}][0]", "{{'a': {}}}", "[{} for _ in (1, 2)]",
    "list(w for w in {})", "{{q: {} for q in 'ab'}}", "len({})", "print({}, sep='')",
    "slow.load({})", "f'{{{}}}'", "f'a{{{}!r}}{{1}}'", "f'''{{\n{}}}'''", "not {}",
    "({} if slow else None)", "(None or {})", "repr({}) * 2", "(*{}, 1)", "await later({})",
    "(lambda v={}: v)()", "[w for u in (1, 2) if u for w in {}]", "(v := {})", "str({}).upper()",
)  # fmt: skip
STATEMENTS = (
    "return {}", "r = {}\nreturn r", "for r in [{}]: pass\nreturn r", "if {}: return 1\nreturn 2",
    "try:\n    return {}\nfinally: pass", "r = 1; s = {}; return r, s", "assert {}, {}\nreturn 1",
    "match {}:\n    case (a, b): return a\n    case other: return other",
    "@(lambda f: f)\ndef g(a={}): return a\nreturn g()", "while True:\n    return {}",
    "async def g():\n    return {}\nreturn await g()", "with later({}) as r:\n    return r",
    "r = s = {}\nreturn r\\\n , s",
)  # fmt: skip
HEADS = (
    "import asyncio\n", '"""Doc."""\n', "from __future__ import annotations\n",
    "import abc, asyncio\n", "asyncio = 1\n", "from functools import partial as p\n",
    "if 1:\n    import asyncio\n", "x = 1; y = 2\n",
)  # fmt: skip
LATER = """

class later:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        return self.value
        yield

    def __enter__(self):
        return self.value

    def __exit__(self, *error):
        return None


async def main():
"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A coroutine function `main` with one call of `slow.load` somewhere in it."""
    expression = f"{draw(st.sampled_from(CALLEES))}({draw(st.sampled_from(ARGUMENTS))})"
    for around in draw(st.lists(st.sampled_from(AROUND), max_size=3)):
        expression = around.format(expression)
    statement = draw(st.sampled_from(STATEMENTS)).replace("{}", expression)
    lines = "\n".join(f"    {line}" for line in statement.split("\n"))
    return draw(st.sampled_from(HEADS)) + LATER + lines + "\n"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.sampled_from(["auto", *idiom_names()]))
def test_moving_a_call_keeps_what_it_does(text: str, offload: str) -> None:
    if not _compiles(text):
        return
    for found in _cases(text, offload):
        for fix in found.cures:
            check(found, fix)
            if offload not in ("trio", "homeassistant"):
                assert _outcome(found.after(fix.title)) == _outcome(text)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_fixes_of_public_code(library: ModuleType) -> None:
    chance = random.Random(library.__name__)
    offered: Counter[str] = Counter()
    for path, text in chance.sample(_files(library), min(8, len(_files(library)))):
        calls = _awaiting_calls(text)
        for node in chance.sample(calls, min(5, len(calls))):
            found = _case_of(path, text, node, chance)
            for fix in found.offered:
                check(found, fix)
                offered[fix.kind] += 1
    assert offered["quickfix"] > 10
    assert offered["ignore"] > 10


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_merged_fixes_of_public_code(library: ModuleType) -> None:
    chance = random.Random(library.__name__)
    merged = 0
    for path, text in chance.sample(_files(library), min(8, len(_files(library)))):
        cases = [_case_of(path, text, node, chance) for node in _awaiting_calls(text)[:8]]
        wanted = [fix for found in cases for fix in found.offered[:1]]
        if wanted:
            context = cases[0].context
            edits = merge(context.path, context.source, context.tree, wanted)
            after = cases[0].context.source.apply(edits)
            assert _compiles(after)
            assert _repeated_imports(after) <= _repeated_imports(text)
            merged += len(edits) > 1
    assert merged > 3


def check(found: Case, fix: Fix) -> None:
    """What every fix promises."""
    after = found.context.source.apply(fix.edits)
    assert _compiles(after), fix.title
    assert after != found.text
    assert len(fix.title) <= 120
    assert "\n" not in fix.title
    assert fix.safety is not Safety.UNSAFE or fix.caveat.endswith(".")
    assert fix.safety is not Safety.SAFE or not fix.caveat
    assert _repeated_imports(after) <= _repeated_imports(found.text)
    assert _in_order(fix.edits)
    _touches_only_the_function(found, fix)


def _touches_only_the_function(found: Case, fix: Fix) -> None:
    """Edits lie in the coroutine function of the finding, or are imports."""
    line = found.finding.span.line
    functions = [
        (min([n.lineno, *(d.lineno for d in n.decorator_list)]), n.end_lineno or 0)
        for n in ast.walk(found.context.tree)
        if isinstance(n, ast.AsyncFunctionDef)
    ]
    around = [(first, last) for first, last in functions if first <= line <= last]
    for edit in fix.edits:
        inside = any(first <= edit.span.line <= last for first, last in around)
        assert inside or "import" in edit.content or edit.content.startswith(",")


def _in_order(edits: tuple[Edit, ...]) -> bool:
    """Sorted and apart, so that every client applies them alike."""
    ends = [(edit.span[:2], edit.span[2:]) for edit in edits]
    return all(a[1] <= b[0] and a[0] != b[0] for a, b in pairwise(ends))


def _repeated_imports(text: str) -> Counter[str]:
    """How often the module's first level imports a name again."""
    names = Counter(
        f"{ast.unparse(alias)} of {getattr(node, 'module', None)}"
        for node in ast.parse(text).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    )
    return Counter({name: count for name, count in names.items() if count > 1})


def _cases(text: str, offload: str) -> list[Case]:
    tree, source = ast.parse(text), SourceText(text)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".load"):
            start = case(text, "main", chain=2, offload=offload, installed=lambda name: True)
            finding = replace(start.finding, span=span_of(node.func), sink="slow.load")
            context = replace(start.context, tree=tree, source=source)
            found.append(Case(text, finding, context))
    return found


def _outcome(text: str) -> tuple[str, str, str]:
    slow = Slow(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = asyncio.run(module(text, slow=slow).main())
    except Exception as error:
        return "error", repr(error), repr(slow.log)
    return "result", repr(result), repr(slow.log)


@cache
def _files(library: ModuleType) -> list[tuple[str, str]]:
    """The modules of a package that have coroutine functions with calls."""
    folder = Path(library.__file__ or "").parent
    texts = [(str(path), path.read_text("utf-8")) for path in sorted(folder.rglob("*.py"))]
    return [(path, text) for path, text in texts if "async def" in text and _awaiting_calls(text)]


def _awaiting_calls(text: str) -> list[ast.Call]:
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.AsyncFunctionDef)]
    calls = [n for f in functions for s in f.body for n in ast.walk(s) if isinstance(n, ast.Call)]
    return list({span_of(node): node for node in calls}.values())


def _case_of(path: str, text: str, node: ast.Call, chance: random.Random) -> Case:
    tree = ast.parse(text)
    written = ast.unparse(node.func)
    code = chance.choice(CODES)
    start = case("x()", "x", offload=chance.choice(["auto", "auto", *idiom_names()]))
    finding = replace(
        start.finding,
        path=path,
        span=span_of(node.func),
        code=code,
        sink="open" if code == "blocking-file" else written,
    )
    context = replace(
        start.context,
        path=path,
        source=SourceText(text),
        tree=tree,
        installed=lambda name: True,
        runner=ENDPOINT if chance.random() < 0.3 else None,
    )
    return Case(text, finding, context)


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "property.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
