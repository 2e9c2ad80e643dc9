"""Makes findings without the engine, and applies fixes."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loopsafe.fixes import FixContext, fixes
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.model import Cost, Finding, Fix, Hop, Place, Severity, Span
from loopsafe.text import SourceText

REQUESTS = "import asyncio\nimport httpx\nimport requests\n"
ENDPOINT = Runner(
    name="fastapi.FastAPI.get",
    role="endpoint",
    sync=Place.THREAD,
    coroutine=Place.LOOP,
    decorated=True,
    convertible=True,
)


@dataclass(frozen=True)
class Case:
    """A source text with one finding in it."""

    text: str
    finding: Finding
    context: FixContext

    @property
    def offered(self) -> tuple[Fix, ...]:
        return fixes(self.finding, self.context)

    @property
    def cures(self) -> tuple[Fix, ...]:
        """What is offered besides the ignore comment."""
        return tuple(fix for fix in self.offered if fix.kind != "ignore")

    @property
    def titles(self) -> list[str]:
        return [fix.title for fix in self.cures]

    def fix(self, title: str = "") -> Fix:
        return next(fix for fix in self.cures if title in fix.title)

    def after(self, title: str = "") -> str:
        return self.context.source.apply(self.fix(title).edits)


def case(
    text: str,
    callee: str,
    sink: str | None = None,
    *,
    code: str = "blocking-http",
    chain: int = 1,
    occurrence: int = 0,
    installed: Callable[[str], bool] = lambda name: False,
    python: tuple[int, int] = (3, 12),
    offload: str = "auto",
    blocking: Blocking | None = None,
    runner: Runner | None = None,
    awaited: bool = False,
    lazy: bool = False,
    cost: Cost = Cost.STALL,
    own: Callable[[str], bool] = lambda name: False,
) -> Case:
    """A case whose finding underlines an expression, given as it is written."""
    text = textwrap.dedent(text).lstrip("\n")
    source = SourceText(text)
    tree = ast.parse(text)
    span = _span(tree, source, callee, occurrence)
    sink = callee if sink is None else sink
    hop = Hop("app.py", span, "app.f", f"{callee}()")
    finding = Finding(
        "app.py", span, code, "http", cost, Severity.WARNING, f"{callee}() blocks",
        "app.f", chain=(hop,) * chain, sink=sink,
    )  # fmt: skip
    context = FixContext(
        "app.py", source, tree, installed, python, offload, blocking, runner, awaited, lazy,
        own=own,
    )  # fmt: skip
    return Case(text, finding, context)


def everything(_name: str) -> bool:
    """Every module is installed."""
    return True


def check(before: Case, after: str, title: str = "") -> None:
    """Compares with a text that is indented as the test is."""
    assert before.after(title) == textwrap.dedent(after).lstrip("\n")


def body(line: str, imports: str = "import asyncio\nimport requests\n", **options: Any) -> Case:
    """A coroutine function of one line."""
    callee = options.pop("callee", "requests.get")
    return case(f"{imports}\n\nasync def f(u, g):\n    {line}\n", callee, **options)


def line_after(before: Case, title: str = "") -> str:
    """What becomes of that line."""
    return before.after(title).rpartition("async def f(u, g):\n")[2].strip()


def span_of(node: ast.expr | ast.stmt) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _span(tree: ast.Module, source: SourceText, written: str, occurrence: int) -> Span:
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and source.slice(span_of(node)) == written
    ]
    if nodes:
        nodes.sort(key=lambda node: (node.lineno, node.col_offset))
        return span_of(nodes[occurrence])
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == written:
            column = source.line(node.lineno).index(written)
            return Span(node.lineno, column, node.lineno, column + len(written))
    raise AssertionError(f"{written} is not in the text")
