"""Findings that a project has decided to live with for now, in a file that only shrinks.

A finding is known by its file, rule, function and call, so that moved lines change nothing.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loopsafe.cli.errors import UsageError
from loopsafe.engine.kept import Answer
from loopsafe.model import Finding

_KEYS = ("path", "rule", "function", "callee")
_Key = tuple[str, str, str, str]


class Baseline:
    """What a baseline file holds, and what of it a run met again."""

    def __init__(self, path: Path, known: Counter[_Key]) -> None:
        self.path = path
        self._known = known
        self._left = Counter(known)
        self._looked: set[str] = set()

    @staticmethod
    def read(name: str) -> Baseline:
        """The baseline in a file; raises UsageError for a file that is none."""
        path = Path(os.path.abspath(name))
        try:
            document = json.loads(path.read_text("utf-8"))
            entries = document["findings"]
            known = Counter({_key(entry): int(entry.get("count", 1)) for entry in entries})
        except OSError as error:
            raise UsageError(f"--baseline: {name}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"--baseline: {name}: is no baseline of Loopsafe") from None
        return Baseline(path, known)

    def new(self, path: str, answer: Answer) -> Answer:
        """What of a file's findings is not in the baseline."""
        self._looked.add(_name(path, self.path.parent))
        fresh = []
        for finding, fixes in answer.findings:
            key = key_of(finding, self.path.parent)
            if self._left[key] > 0:
                self._left[key] -= 1
            else:
                fresh.append((finding, fixes))
        return Answer(answer.problems, tuple(fresh))

    @property
    def hidden(self) -> int:
        """How many findings were in the baseline."""
        return self._known.total() - self._left.total()

    def shrink(self) -> int:
        """Takes out what is mended, of the files that were looked at or are gone; says how much.

        Writes nothing in CI, where the file would be lost.
        """
        mended = +Counter({key: n for key, n in self._left.items() if self._is_mended(key[0])})
        if mended and not os.environ.get("CI"):
            write(self.path, self._known - mended)
        return mended.total()

    def _is_mended(self, name: str) -> bool:
        return name in self._looked or not (self.path.parent / name).exists()


def write(path: Path, known: Counter[_Key]) -> None:
    """Writes a baseline, sorted, so that changes are easy to review."""
    entries: list[dict[str, Any]] = []
    for key, count in sorted((+known).items()):
        entry: dict[str, Any] = dict(zip(_KEYS, key, strict=True))
        entries.append({**entry, "count": count} if count > 1 else entry)
    text = json.dumps({"version": 1, "findings": entries}, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", "utf-8")


def write_findings(name: str, findings: Iterable[Finding]) -> int:
    """Makes a baseline of all findings of a run; says how many."""
    path = Path(os.path.abspath(name))
    known = Counter(key_of(finding, path.parent) for finding in findings)
    write(path, known)
    return known.total()


def key_of(finding: Finding, folder: Path) -> _Key:
    """What a finding is known by."""
    callee = finding.chain[0].call if finding.chain else ""
    return _name(finding.path, folder), finding.code, finding.function, callee


def _key(entry: dict[str, Any]) -> _Key:
    path, rule, function, callee = (str(entry[key]) for key in _KEYS)
    return path, rule, function, callee


def _name(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return Path(path).as_posix()  # On another drive.
