"""Applies every fix that reaches beyond one function, one at a time, and judges each.

    python scripts/try_wide_fixes.py PROJECT [PROJECT ...] --python ENV

These are helpers that become async with all their callers, clients that are kept and become async
with all their uses, and endpoints that tests no longer await. A fix is right when all files compile
and keep their comments, the finding is gone, no other kind of finding is new in the files that
changed, and ruff and mypy have nothing new to say of them. Projects are only read.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import try_fixes
from try_types import Copy

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine
from loopsafe.model import Edit, Finding, Fix
from loopsafe.modules.cache import Cache, default_folder


@dataclass(slots=True)
class Wide:
    """One fix of several files, applied."""

    finding: Finding
    fix: Fix
    files: list[try_fixes.Trial]
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Tries the projects, prints, and gives the exit code."""
    arguments = _arguments()
    failed = 0
    for project in arguments.projects:
        root = project.resolve()
        trying = partial(_tried, root, arguments.python, arguments.seconds)
        found, refused = run_deep(trying)
        for wide in found:
            try_fixes._lint(wide.files)
        asked = 0
        if arguments.mypy:
            asked = _check_types(root, found[: arguments.mypy], arguments.python)
        for wide in found:
            wide.wrong += [f"{Path(t.finding.path).name}: {w}" for t in wide.files for w in t.wrong]
            if wide.wrong:
                failed += 1
                print(f"{wide.finding.path}:{wide.finding.span.line}: {wide.fix.title}")
                print(*(f"    {reason}" for reason in wide.wrong), sep="\n", flush=True)
        if arguments.diffs:
            _write(found, arguments.diffs / f"{project.name}.wide.diff")
        text = f"{project.name}: {len(found)} fixes, {len(refused)} refused; mypy after {asked}"
        print(text, file=sys.stderr)
        for reason, count in Counter(refused).most_common(12):
            print(f"{count:6}  {reason}", file=sys.stderr)
    return int(failed > 0)


def _tried(root: Path, python: Path | None, seconds: float) -> tuple[list[Wide], list[str]]:
    """The fixes of a project, judged by their texts and the engine, and why others are refused.

    After so many seconds it goes on to no other file.
    """
    ends = time.monotonic() + seconds
    engine = Engine(root, Settings(), python, Cache(default_folder(os.environ)))
    engine.index()
    offered: dict[tuple[Edit, ...], tuple[Finding, Fix]] = {}
    refused: dict[tuple[str, str], str] = {}
    for path in sorted(engine._modules):
        if time.monotonic() > ends:
            print("not to its end", file=sys.stderr)
            break
        for finding in engine.report(path).findings:
            for fix in engine.wide_fixes(finding):
                if fix.edits:
                    offered.setdefault(fix.edits, (finding, fix))
                else:
                    reason = re.sub(r"`[^`]*`", "`…`", fix.caveat)
                    refused[fix.title, fix.caveat] = re.sub(r"\S+:\d+|\b\d+\b", "…", reason)
    found = [_applied(engine, finding, fix) for finding, fix in offered.values()]
    engine.close()
    return found, list(refused.values())


def _applied(engine: Engine, finding: Finding, fix: Fix) -> Wide:
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.path, []).append(edit)
    wide = Wide(finding, fix, [])
    paths = {finding.path, *by_path}
    known = Counter(try_fixes._key(f) for path in paths for f in engine.report(path).findings)
    for path, edits in by_path.items():
        report = engine.report(path)
        here, before = replace(finding, path=path), report.source
        trial = try_fixes.Trial(here, fix, before.text, before.apply(tuple(edits)))
        trial.wrong += [w for w in try_fixes._by_text(trial) if "another statement" not in w]
        wide.files.append(trial)
    for path, trial in zip(by_path, wide.files, strict=True):
        engine.open_text(path, trial.after)
    after = Counter(try_fixes._key(f) for path in paths for f in engine.report(path).findings)
    for path in by_path:
        engine.close_text(path)
    key = try_fixes._key(finding)
    if after[key] >= known[key]:
        wide.wrong.append(f"the finding is still there: {key}")
    wide.wrong += [f"a new finding: {extra}" for extra in after - known]
    return wide


def _check_types(root: Path, found: Sequence[Wide], python: Path | None) -> int:
    """Adds what mypy says of a project's files after a fix that it did not say before.

    Gives the number of fixes that it was asked about.
    """
    asked = 0
    with Copy(root, python) as copy:
        paths = sorted({t.finding.path for wide in found for t in wide.files})
        before = copy.said(paths) if paths else None
        if before is None:
            return 0
        print(f"mypy: {before.total()} messages before", file=sys.stderr)
        for wide in found:
            copy.put({trial.finding.path: trial.after for trial in wide.files})
            after = copy.said(paths)
            copy.put({trial.finding.path: trial.before for trial in wide.files})
            if after is None:
                continue
            asked += 1
            if after - before:
                # It may keep something of a run before.
                before = copy.said(paths) or before
                wide.wrong += [f"mypy: {message[:300]}" for message in after - before]
    return asked


def _write(found: Sequence[Wide], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        for wide in found:
            print(f"=== {wide.finding.message} | {wide.fix.title} | {wide.fix.caveat}", file=out)
            for trial in wide.files:
                lines = (trial.before.splitlines(), trial.after.splitlines())
                name = trial.finding.path
                print(*difflib.unified_diff(*lines, name, name, lineterm=""), sep="\n", file=out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument("--python", type=Path, help="environment to resolve imports in")
    parser.add_argument(
        "--mypy", type=int, default=0, metavar="N",
        help="ask mypy as well of N fixes, with the packages of the environment: minutes",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, default=sys.maxsize, metavar="N",
        help="go on to no other file of a project after N seconds",
    )  # fmt: skip
    parser.add_argument(
        "--diffs", type=Path, metavar="FOLDER", help="write what each fix changes, for reading"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
