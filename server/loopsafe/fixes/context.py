"""What a cure is told: the file, the environment, what is known of the call and its function."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.model import Span
from loopsafe.text import SourceText


@dataclass(frozen=True, slots=True)
class FixContext:
    """Everything that fixes depend on, besides the finding."""

    path: str
    source: SourceText
    tree: ast.Module
    """The parsed current text."""
    installed: Callable[[str], bool]
    """Whether a module can be imported in the analysed environment."""
    python_version: tuple[int, int]
    """Of the analysed project."""
    offload: str = "auto"
    """`auto`, or the idiom that the settings ask for (`fixes/idioms.toml`)."""
    blocking: Blocking | None = None
    """What is known of the finding's sink."""
    runner: Runner | None = None
    """How the enclosing function is registered: endpoint, dependency."""
    awaited_elsewhere: bool = False
    """Somebody awaits or calls the enclosing coroutine function directly."""
    lazy: bool = False
    """The call only makes an iterator: the blocking happens where that is consumed."""
    makes_coroutine: bool = False
    """The call only makes a coroutine: whoever awaits that runs it, on the loop."""
    own: Callable[[str], bool] = lambda name: False
    """Whether a module is one of the project's."""
    loop_need: Callable[[Span], str] = lambda span: ""
    """What the calls in a span do, or what they reach does, that no thread can do for them."""
    called: Callable[[Span], frozenset[str]] = lambda span: frozenset()
    """The full names of what a callee in a span may be, as far as they are known."""
    exchanged: Callable[[Span], frozenset[str]] = lambda span: frozenset()
    """The full names of the classes of what a callee in a span is given, and of what it gives."""
    outliving: Callable[[], str] = lambda: ""
    """The text of the file whose function makes the call that blocks, if what it makes it on was
    there before; else nothing."""
    gives_plainly: Callable[[Span], bool] = lambda span: False
    """Whether what a callee in a span gives is known, and nothing that can be awaited."""
