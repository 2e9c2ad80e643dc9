"""Plain data that every stage shares: places in text, findings and fixes. Knows no stage.

Units: a `Span` counts as the standard library's `ast` does, lines from 1 and columns from 0 in
UTF-8 bytes. `loopsafe.text` turns them into what an editor or a terminal wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of source text: 1-based lines, 0-based columns in UTF-8 bytes."""

    line: int
    column: int
    end_line: int
    end_column: int


class Spot(NamedTuple):
    """The same inside of a function: lines count from the one before it (`Function.start`).

    What a function says of itself is the same wherever it stands, so that an edit above leaves it.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Cost(str, Enum):
    """How long a blocking call holds the loop."""

    STALL = "stall"
    """Unbounded or long: network, database, sleep, subprocess, waiting, password hashing."""
    BRIEF = "brief"
    """Short on a healthy machine: reading or writing a local file, loading certificates."""
    TRIVIAL = "trivial"
    """Usually microseconds: asking the file system for metadata."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return COSTS.index(self)

    def lowered(self) -> Cost:
        """The next milder cost, for code that runs once at start-up or shutdown."""
        return COSTS[min(self.rank + 1, len(COSTS) - 1)]


COSTS = (Cost.STALL, Cost.BRIEF, Cost.TRIVIAL)
"""The worst first."""


class Severity(str, Enum):
    """How loudly a finding is shown; `OFF` is never shown."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"
    HINT = "hint"
    OFF = "off"


class Confidence(str, Enum):
    """How sure the analysis is that the call really happens on the loop."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Place(str, Enum):
    """Where a function runs."""

    LOOP = "loop"
    THREAD = "thread"
    IMPORT = "import"


class Safety(str, Enum):
    """How far a fix may be trusted, in ruff's words."""

    SAFE = "safe"
    """Behaviour stays the same; fix-all may apply it."""
    UNSAFE = "unsafe"
    """Semantics may shift; the title says how."""
    DISPLAY = "display"
    """Only shown, never applied by itself."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a blocking chain: a call, and where it is written."""

    path: str
    """Absolute file name; a file of the project, of an installed package or of a type stub."""
    span: Span
    """The callee expression of the call."""
    function: str
    """Qualified name of the function that holds the call, `app.users.load_user`."""
    call: str
    """The call as a reader would name it: `load_user()`, `requests.get()`."""
    place: str = ""
    """Where it is written, if that is in no file of the machine: `GitPython 3.2.1, git/cmd.py:7`.
    Path and span are those of the call that leads there then."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A call that blocks the event loop, or a mistake that belongs to one."""

    path: str
    span: Span
    """The callee expression, not the whole call."""
    code: str
    """The rule's name, `blocking-http`."""
    category: str
    """What kind of waiting, `http`; the rule's own name for findings that wait for nothing."""
    cost: Cost
    severity: Severity
    message: str
    """One sentence, at most 80 characters where names allow it, without a full stop."""
    function: str
    """Qualified name of the function the finding is in, `app.main.read_user`."""
    confidence: Confidence = Confidence.HIGH
    chain: tuple[Hop, ...] = ()
    """From the reported call down to the blocking one; a direct call has one hop."""
    sink: str = ""
    """The blocking callable's public name, `requests.get`; empty where there is none."""
    reason: str = ""
    """Why the function runs on the loop: "`read_user` is an `async def` endpoint"."""
    root: tuple[str, Span] | None = None
    """Path and span of the last project call before the library; equal roots share a cause."""
    also: tuple[str, ...] = ()
    """Other categories that the same call reaches, worst first."""
    derived: str = ""
    """The package whose source says that the call blocks; empty where the catalogue says it."""
    bundled: str = ""
    """What Loopsafe has of that package, which is not installed: `GitPython 3.2.1`."""
    origin: str = ""
    """Who says that it blocks, where that is neither: `pyproject.toml`, `acme/loopsafe.toml`."""
    twin: str = ""
    """The async callable that does the same."""
    advice: str = ""
    """What to do instead, where the rule's own advice is not enough."""
    caveat: str = ""
    """What moving the call to a thread must mind."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the text of a span."""

    path: str
    span: Span
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A titled group of edits that are applied together."""

    title: str
    """Without the tool's name: "Use await asyncio.sleep()"."""
    safety: Safety
    edits: tuple[Edit, ...]
    kind: str = "quickfix"
    """`quickfix` cures the finding; `ignore` hides it; `extract` refactors a selection;
    `refused` has no edits, but says in its caveat why a cure is not to be had."""
    caveat: str = ""
    """What may shift, one sentence; empty for safe fixes."""
    group: str = ""
    """Names what may be done to all findings of a file or a workspace at once; mostly nothing."""
