"""Where Loopsafe, jedi and astroid know what calls lead to, and where they say something else.

    python scripts/differential.py FOLDER... [--python ENVIRONMENT] [--sample 300] [--list]

Of the calls in a project's functions as many are drawn with a fixed seed. Callees are compared by
their dotted names, public spellings and re-exports counting as the same; `kin` are those of which
only the last name is the same, as where a stub names a base of the class that the source makes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine
from loopsafe.facts.ir import Call, Site
from loopsafe.infer.names import label, values_of
from loopsafe.infer.opinion import Limits, SecondOpinion
from loopsafe.infer.unknowns import askable
from loopsafe.infer.wire import Answer, Question
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Values
from loopsafe.text import SourceText

_LIBRARIES = ("jedi", "astroid")
_AT_ONCE = 20
"""Calls that are asked of one process, at most; it may end by the second that takes too long."""
_KINDS = ("same", "kin", "other", "only Loopsafe", "only the other", "neither")


class Asked(NamedTuple):
    """A call, and the question of what it leads to."""

    module: Module
    site: Site
    question: Question


class Compared(NamedTuple):
    """A call of which two know something."""

    kind: str
    place: str
    callee: str
    ours: frozenset[str]
    theirs: frozenset[str]


def main() -> int:
    """Compares each project and prints a table."""
    arguments = _arguments()
    print(f"| project | beside | {' | '.join(_KINDS)} |")
    print(f"|---|---|{'---:|' * len(_KINDS)}")
    for folder in arguments.folders:
        for library in _LIBRARIES:
            found = run_deep(lambda f=folder, lib=library: _sample(f, lib, arguments))
            counts = Counter(each.kind for each in found)
            row = " | ".join(str(counts[kind]) for kind in _KINDS)
            print(f"| {folder.name} | {library} | {row} |", flush=True)
            if arguments.list:
                for each in sorted(found):
                    if each.kind in ("other", "kin", "only the other"):
                        print(
                            f"    {each.kind}: {each.place} {each.callee}: "
                            f"{sorted(each.ours)} {sorted(each.theirs)}",
                            file=sys.stderr,
                        )
    return 0


def calls_of(engine: Engine, path: str, library: str) -> Iterator[Asked]:
    """The calls of a file's functions, to be asked of jedi or astroid."""
    module = engine.table.at(path)
    for function in module.facts.functions if module is not None else ():
        for site in function.sites:
            if module is None or site.kind != "call" or not isinstance(site.expr, Call):
                continue
            if askable(site.expr):
                member = getattr(site.expr.func, "name", "")
                yield Asked(
                    module, site, Question(library, path, function.in_file(site.spot), member)
                )


def compared(engine: Engine, asked: Sequence[Asked]) -> list[Compared]:
    """What both know of some calls."""
    found: list[Compared] = []
    with tempfile.TemporaryDirectory() as cache:
        search = engine._deepening.opinion.search
        opinion = SecondOpinion(search, Path(cache), Limits(file=600.0))
        try:
            for start in range(0, len(asked), _AT_ONCE):
                part = asked[start : start + _AT_ONCE]
                answers = opinion.extra([each.question for each in part], {})
                found += [_compare(engine, each, answers.get(each.question, ())) for each in part]
        finally:
            opinion.close()
    return found


def _sample(folder: Path, library: str, arguments: argparse.Namespace) -> list[Compared]:
    engine = Engine(folder.resolve(), Settings(second_opinion=False), arguments.python)
    engine.index()
    calls = [call for path in sorted(engine.paths()) for call in calls_of(engine, path, library)]
    return compared(engine, random.Random(1).sample(calls, min(arguments.sample, len(calls))))


def _compare(engine: Engine, asked: Asked, answer: Answer) -> Compared:
    resolver, span = engine.resolver, asked.question.span
    assert isinstance(asked.site.expr, Call)
    frame = resolver.frame(asked.module.key, asked.site.scope)
    ours = _names(resolver, resolver.known(resolver.values(asked.site.expr.func, frame)))
    theirs = _names(resolver, values_of(resolver, answer))
    text = SourceText(engine.disk.read(asked.question.path)).slice(span)
    place = f"{Path(asked.question.path).relative_to(engine.root)}:{span.line}"
    return Compared(_kind(ours, theirs), place, text, ours, theirs)


def _names(resolver: Resolver, values: Values) -> frozenset[str]:
    return frozenset(name for value in values if (name := label(resolver, value)))


def _kind(ours: frozenset[str], theirs: frozenset[str]) -> str:
    if ours & theirs:
        return "same"
    if ours and theirs:
        last = [{name.rpartition(".")[2] for name in names} for names in (ours, theirs)]
        return "kin" if last[0] & last[1] else "other"
    if ours:
        return "only Loopsafe"
    return "only the other" if theirs else "neither"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folders", nargs="+", type=Path, help="projects")
    add("--python", type=Path, help="the environment of all of them; default: found")
    add("--sample", type=int, default=300, help="calls of each project; default: 300")
    add("--list", action="store_true", help="name every call that differs, on standard error")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
