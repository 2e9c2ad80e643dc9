"""`loopsafe check --fix`: applies the fixes of files, or shows what they would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loopsafe import notebook
from loopsafe.cli.errors import complain, described
from loopsafe.cli.options import Options
from loopsafe.engine import Engine
from loopsafe.engine.repair import repair
from loopsafe.engine.reports import FileReport
from loopsafe.text import SourceText, decode, encode

_MOST_PASSES = 10
"""Over all files: a fix in one may bring a finding of another within reach of a fix."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file with its text before and after."""

    path: str
    before: SourceText
    after: str


@dataclass(slots=True)
class Fixed:
    """What the fixes of a project came to."""

    changes: dict[str, Change] = field(default_factory=dict)
    counts: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """By path: how many findings of each rule are gone."""
    failures: int = 0
    """Files that could not be written."""


def fixed(engine: Engine, files: Sequence[str], options: Options) -> Fixed:
    """Fixes what can be fixed; the engine knows the new texts, and `--diff` writes none."""

    def look(path: str) -> FileReport:
        try:
            return engine.deepen(path) or engine.report(path)
        except Exception:
            # It is told where the file's findings are; the others are fixed all the same.
            return FileReport(path, SourceText(""))

    outcome = Fixed()
    notebooks = [path for path in files if path.endswith(notebook.SUFFIX)]
    for path in notebooks:
        if look(path).findings:
            complain("warning", path, "notebooks are not fixed from the terminal")
    files = [path for path in files if path not in notebooks]
    before = {path: _counts(look(path), options) for path in files}
    for path in _passes(outcome, engine, [path for path in files if before[path]], look, options):
        _note(outcome, path, engine)
    if not options.fixing.diff:
        for change in list(outcome.changes.values()):
            if not _written(change):
                del outcome.changes[change.path]
                outcome.failures += 1
            engine.close_text(change.path)
    for path in files:
        gone = Counter(before[path]) - Counter(_counts(look(path), options))
        if gone:
            outcome.counts[path] = gone
    return outcome


def _passes(
    outcome: Fixed,
    engine: Engine,
    files: Sequence[str],
    look: Callable[[str], FileReport],
    options: Options,
) -> Iterable[str]:
    """Repairs the files until nothing is left to do; gives those that changed."""
    changed: dict[str, None] = {}
    done: dict[str, FileReport] = {}
    for _ in range(_MOST_PASSES):
        waiting = [path for path in files if done.get(path) is not look(path)]
        if not waiting:
            break
        for path in waiting:
            try:
                if repair(engine, path, look, options.fixing.applied, options.levels):
                    changed[path] = None
            except Exception as error:
                complain("internal error", path, described(error))
                outcome.failures += 1
                engine.close_text(path)
                changed.pop(path, None)
            done[path] = look(path)
    return changed


def _note(outcome: Fixed, path: str, engine: Engine) -> None:
    before = _read(path)
    after = engine.report(path).source.text
    if before is not None and before.text != after:
        outcome.changes[path] = Change(path, before, after)


def _counts(report: FileReport, options: Options) -> Mapping[str, int]:
    return Counter(f.code for f in report.findings if f.severity in options.levels)


def _written(change: Change) -> bool:
    """Writes a file in its own encoding, unless it changed meanwhile."""
    path = Path(change.path)
    try:
        data = path.read_bytes()
        if decode(data) != change.before.text:
            complain("error", change.path, "the file changed meanwhile; it is left as it is")
            return False
        path.write_bytes(encode(change.after, data))
    except (OSError, UnicodeError, SyntaxError) as error:
        why = getattr(error, "strerror", None) or error
        complain("error", change.path, f"cannot write the file: {why}")
        return False
    return True


def _read(path: str) -> SourceText | None:
    try:
        return SourceText(decode(Path(path).read_bytes()))
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
