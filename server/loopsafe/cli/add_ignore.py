"""`loopsafe check --add-ignore`: hides every finding of a run by a comment on its line."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from loopsafe.cli.errors import complain
from loopsafe.model import Finding
from loopsafe.suppress import ignore_edit
from loopsafe.text import SourceText, decode, encode


class Added(NamedTuple):
    """What became of findings that are to be hidden."""

    comments: int
    files: int
    """Those that changed."""
    failures: int
    """Files that stay as they are, with a reason on stderr."""


def add_ignores(findings: Iterable[Finding], reason: str) -> Added:
    """Writes the comments."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.code != "unused-ignore":
            by_path.setdefault(finding.path, []).append(finding)
    counts = [_hide(path, found, reason) for path, found in by_path.items()]
    written = [count for count in counts if count is not None]
    return Added(sum(written), sum(map(bool, written)), len(counts) - len(written))


def _hide(path: str, findings: list[Finding], reason: str) -> int | None:
    """How many findings of a file are hidden now, None where it cannot be written. No comment moves
    another's line."""
    try:
        data = Path(path).read_bytes()
        before = decode(data)
        text, count = before, 0
        for finding in findings:
            source = SourceText(text)
            edit = ignore_edit(path, source, finding.span.line, finding.code, reason)
            if edit is not None:
                text, count = source.apply((edit,)), count + 1
        if not count:
            return 0
        if ast.dump(ast.parse(text)) != ast.dump(ast.parse(before)):
            raise ValueError("a comment would change the code")
        Path(path).write_bytes(encode(text, data))
    except SyntaxError as error:
        why = f"the file does not parse, {error.msg} in line {error.lineno}"
        complain("error", path, f"no comment was added: {why}")
        return None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        complain("error", path, f"no comment was added: {error}")
        return None
    return count
