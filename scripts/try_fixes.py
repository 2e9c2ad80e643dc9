"""Applies every fix that is offered in a project, one at a time and in memory, and judges each.

    python scripts/try_fixes.py PROJECT [PROJECT ...] --python ENV

A fix is right when the file still compiles, its finding is gone, no other one is new, ruff and mypy
have nothing new to say, every comment is still there, and what changed lies in the top-level
statement of the finding or among the imports. Failures go to stdout, a line for each kind of cure
and what was left without one to stderr. The exit code is 1 if there are failures. Projects are only
read; ruff and mypy are those of the environment that runs this.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from try_types import Copy

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine
from loopsafe.model import Finding, Fix
from loopsafe.modules.cache import Cache, default_folder

_RUFF = "F821,F401,F811,F841,F704,F706,E902,PLE1142"


@dataclass(slots=True)
class Trial:
    """One fix, applied."""

    finding: Finding
    fix: Fix
    before: str
    after: str
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """What became of a project's findings."""

    findings: int = 0
    ended: bool = True
    reported: int = 0
    """Fixes after which the engine was asked for the file's findings again."""
    typed: int = 0
    """Fixes that mypy was asked about."""
    trials: list[Trial] = field(default_factory=list)
    without: Counter[str] = field(default_factory=Counter)
    """Sinks of findings that no edit is offered for."""
    titles: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Tries the projects, prints, and gives the exit code."""
    arguments = _arguments()
    every = Result()
    for project in arguments.projects:
        limits = (arguments.each, arguments.seconds, re.compile(arguments.only))
        trying = partial(try_project, project.resolve(), arguments.python, *limits)
        found = run_deep(trying)
        _lint(found.trials)
        if arguments.mypy:
            sample = _sample(found.trials, arguments.mypy)
            found.typed = _check_types(project.resolve(), sample, arguments.python)
        failed = [trial for trial in found.trials if trial.wrong]
        for trial in failed:
            _show(trial, arguments.show)
        _report(project.name, found, len(failed))
        if arguments.diffs:
            _write_diffs(found.trials, arguments.diffs / f"{project.name}.diff")
        every.findings += found.findings
        every.reported += found.reported
        every.typed += found.typed
        every.trials += found.trials
        every.without += found.without
        every.titles += found.titles
    _summary(every)
    return int(any(trial.wrong for trial in every.trials))


def try_project(
    root: Path,
    python: Path | None,
    each: int = sys.maxsize,
    seconds: float = sys.maxsize,
    only: re.Pattern[str] = re.compile(""),
) -> Result:
    """Applies each fix and judges its text; by the engine, `each` of a kind and a callable.

    After so many seconds it goes on to no other file. `only` has the titles to try.
    """
    ends = time.monotonic() + seconds
    engine = Engine(root, Settings(), python, Cache(default_folder(os.environ)))
    engine.index()
    result = Result()
    asked: Counter[str] = Counter()
    for path in sorted(engine._modules):
        if time.monotonic() > ends:
            result.ended = False
            break
        findings = engine.report(path).findings
        result.findings += len(findings)
        offers = [(f, [x for x in engine.fixes(f) if x.kind != "ignore"]) for f in findings]
        source = engine.report(path).source
        known = Counter(map(_key, findings))
        for finding, fixes in offers:
            if not fixes:
                result.without[f"{finding.code} {finding.sink}"] += 1
            for fix in filter(lambda fix: only.search(fix.title), fixes):
                result.titles[_kind(fix)] += 1
                trial = Trial(finding, fix, source.text, source.apply(fix.edits))
                result.trials.append(trial)
                trial.wrong += _by_text(trial)
                asked[kind := f"{_kind(fix)} {finding.sink}"] += 1
                if asked[kind] <= each:
                    result.reported += 1
                    engine.open_text(path, trial.after)
                    trial.wrong += _by_engine(trial, known, engine.report(path).findings)
        engine.close_text(path)
    engine.close()
    return result


def _by_engine(trial: Trial, known: Counter[str], after: Sequence[Finding]) -> Iterator[str]:
    found = Counter(map(_key, after))
    key = _key(trial.finding)
    if found[key] >= known[key]:
        yield f"the finding is still there: {key}"
    for extra in found - known:
        yield f"a new finding: {extra}"


def _by_text(trial: Trial) -> Iterator[str]:
    tree = ast.parse(trial.before)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(trial.after, "<fix>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        yield f"does not compile: {error}"
        return
    lost = _comments(trial.before) - _comments(trial.after)
    if lost:
        yield f"comments lost: {list(lost)}"
    bare = re.compile(r"(?<!\r)\n")
    if not bare.search(trial.before) and "\n" in trial.before and bare.search(trial.after):
        yield "line ends are mixed"
    outside = Counter(_outside(tree, trial.finding.span.line))
    changed = outside - Counter(ast.dump(node) for node in ast.parse(trial.after).body)
    for dump in changed:
        yield f"changes another statement: {dump[:80]}"


def _outside(tree: ast.Module, line: int) -> Iterator[str]:
    """The statements of a module that a fix of a finding on a line must leave alone."""
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        if not first <= line <= (node.end_lineno or node.lineno):
            yield ast.dump(node)


def _comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def _key(finding: Finding) -> str:
    """What stays of a finding when its lines move."""
    return f"{finding.code} {finding.sink}"


def _lint(trials: Sequence[Trial]) -> None:
    """Adds what ruff says of the texts after that it did not say of those before."""

    def said(folder: Path) -> Iterator[tuple[str, str]]:
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache"]
        command += ["--select", _RUFF, "--output-format", "json", "--exit-zero", str(folder)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for entry in json.loads(out):
            said = re.sub(r"\bline \d+", "line", f"{entry['code']} {entry['message']}")
            yield Path(entry["filename"]).name, said

    _compare(trials, "ruff", said)


def _check_types(root: Path, trials: Sequence[Trial], python: Path | None) -> int:
    """Adds what mypy says of a text after a fix that it did not say of the one before.

    Gives the number of fixes that it was asked about.
    """
    asked = 0
    with Copy(root, python) as copy:
        said = copy.variants((t.finding.path, x) for t in trials for x in (t.before, t.after))
    for trial in trials:
        before = said.get((trial.finding.path, trial.before))
        after = said.get((trial.finding.path, trial.after))
        if before is not None and after is not None:
            asked += 1
            trial.wrong += [f"mypy: {message}" for message in after - before]
    return asked


def _sample(trials: Sequence[Trial], count: int) -> list[Trial]:
    """So many fixes, of as many kinds and callables as there are."""
    by_kind: dict[str, list[Trial]] = {}
    for trial in trials:
        by_kind.setdefault(f"{_kind(trial.fix)} {trial.finding.sink}", []).append(trial)
    rounds = zip_longest(*by_kind.values())
    return [trial for same in rounds for trial in same if trial is not None][:count]


def _compare(trials: Sequence[Trial], tool: str, said: object) -> None:
    names: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="loopsafe-fixes-") as name:
        folder = Path(name)
        for text in dict.fromkeys(t for trial in trials for t in (trial.before, trial.after)):
            names[text] = f"text{len(names):06}.py"
            (folder / names[text]).write_bytes(text.encode())
        found: dict[str, Counter[str]] = {}
        for file, message in said(folder):  # type: ignore[operator]
            found.setdefault(file, Counter())[message] += 1
    nothing: Counter[str] = Counter()
    for trial in trials:
        before = found.get(names[trial.before], nothing)
        for message in found.get(names[trial.after], nothing) - before:
            trial.wrong.append(f"{tool}: {message}")


def _show(trial: Trial, whole: bool) -> None:
    place = f"{trial.finding.path}:{trial.finding.span.line}"
    print(f"{place}: {trial.finding.message} | {trial.fix.title} ({trial.fix.safety.value})")
    for reason in trial.wrong:
        print(f"    {reason}")
    if whole:
        for edit in trial.fix.edits:
            print(f"    {tuple(edit.span)} {edit.content!r}")
    sys.stdout.flush()


def _write_diffs(trials: Sequence[Trial], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        for trial in trials:
            head = f"=== {trial.finding.message} | {trial.fix.title} ({trial.fix.safety.value})"
            lines = (trial.before.splitlines(), trial.after.splitlines())
            place = f"{trial.finding.path}:{trial.finding.span.line}"
            diff = difflib.unified_diff(*lines, place, place, lineterm="")
            print(head, *diff, sep="\n", file=out)


def _report(name: str, result: Result, failed: int) -> None:
    text = f"{name}: {result.findings} findings, {len(result.trials)} fixes, {failed} wrong"
    text += f"; asked for findings after {result.reported}, mypy after {result.typed}"
    print(text + ("" if result.ended else "; not to its end"), file=sys.stderr, flush=True)


def _summary(result: Result) -> None:
    def say(text: str) -> None:
        print(text, file=sys.stderr)

    _report("\nall", result, sum(bool(trial.wrong) for trial in result.trials))
    for title, count in result.titles.most_common():
        say(f"{count:6}  {title}")
    say(f"\nwithout an edit: {result.without.total()}")
    for sink, count in result.without.most_common(60):
        say(f"{count:6}  {sink}")


def _kind(fix: Fix) -> str:
    """A title without the names of the code at hand."""
    title = re.sub(r"Run \S+ in a thread", "Run ... in a thread", fix.title)
    title = re.sub(r"Make \w+ a plain", "Make ... a plain", title)
    return f"{title} ({fix.safety.value})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument("--python", type=Path, help="environment to resolve imports in")
    parser.add_argument(
        "--each", type=int, default=sys.maxsize, metavar="N",
        help="look for findings after N fixes of a kind and a callable only",
    )  # fmt: skip
    parser.add_argument(
        "--mypy", type=int, default=0, metavar="N",
        help="ask mypy as well of N fixes, with the packages of the environment: minutes",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, default=sys.maxsize, metavar="N",
        help="go on to no other file of a project after N seconds",
    )  # fmt: skip
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="try fixes with such a title only"
    )
    parser.add_argument(
        "--diffs", type=Path, metavar="FOLDER", help="write what each fix changes, for reading"
    )
    parser.add_argument("--show", action="store_true", help="the edits of wrong fixes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
