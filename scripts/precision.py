"""Prints how often derivation is right about calls whose truth was observed, and what it finds.

    python scripts/precision.py --python scratch

`scratch` is the environment that the calls were observed in (see `observe.py`): its source is read,
nothing of it runs. `--python` may be given several times, for packages that do not go together.
The catalogue is switched off for every package that was observed, so that only what their source
says counts; what it says of the standard library, and of packages that were not observed, stays.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine
from loopsafe.knowledge import catalogue
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.model import Finding, Severity

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OBSERVED = Path(__file__).parents[1] / "tests" / "observed"
_KNOWLEDGE = Path(catalogue.__file__).parent
HALVES = ("tuned on", "held out")
_SHOWN = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION)


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose truth is known."""

    package: str
    version: str
    text: str
    blocks: bool
    seen: str
    looked_at: bool | None = None
    """Whether somebody has read what was wrong of its package, where the list says so."""

    @property
    def half(self) -> str:
        """Follows from the package's name alone, where the list says nothing of it."""
        if self.looked_at is not None:
            return HALVES[not self.looked_at]
        return HALVES[zlib.crc32(self.package.lower().encode()) % 2]


def observed(table: Path) -> Iterator[Call]:
    """The calls of a table whose truth was seen."""
    with table.with_name("calls.toml").open("rb") as file:
        packages = tomllib.load(file)
    for line in table.read_text("utf-8").splitlines()[1:]:
        package, version, text, truth, seen = line.split("\t")
        if truth in ("blocks", "clear"):
            looked_at = packages[package].get("looked_at")
            yield Call(package, version, text, truth == "blocks", seen, looked_at)


class Without(Catalogue):
    """The catalogue without what it knows of some packages."""

    def __init__(self, folder: Path, tops: frozenset[str], releases: Mapping[str, str]) -> None:
        self._off = tops
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
        super().__init__(texts, releases=releases)

    def _is_off(self, name: str) -> bool:
        top, _, rest = name.partition(".")
        return top in self._off or f"{top}.{rest.partition('.')[0]}" in self._off

    def function(self, name: str) -> Any:
        return None if self._is_off(name) else super().function(name)

    def decorator(self, name: str) -> Any:
        return None if self._is_off(name) else super().decorator(name)

    def klass(self, name: str) -> Any:
        return None if self._is_off(name) else super().klass(name)

    def runner(self, name: str) -> Any:
        return None if self._is_off(name) else super().runner(name)

    def returns(self, name: str) -> Any:
        return None if self._is_off(name) else super().returns(name)

    def outcomes(self, name: str) -> Any:
        return () if self._is_off(name) else super().outcomes(name)

    def is_class(self, name: str) -> bool:
        return not self._is_off(name) and super().is_class(name)

    def harmless(self, name: str) -> bool:
        return not self._is_off(name) and super().harmless(name)

    def has(self, name: str) -> bool:
        return not self._is_off(name) and super().has(name)

    def namesakes(self, name: str) -> tuple[str, ...]:
        return () if self._is_off(name) else super().namesakes(name)

    def in_asynchronous_module(self, name: str) -> bool:
        return not self._is_off(name) and super().in_asynchronous_module(name)


def found(calls: list[Call], packages: dict[str, Any], python: Path) -> dict[Call, Finding | None]:
    """What derivation says of each call."""
    tops = frozenset(top for name in packages for top in _tops(python, name))
    off = partial(Without, _KNOWLEDGE, tops)
    catalogue.load = cache(lambda: off({}))
    catalogue.load_for = off
    answers: dict[Call, Finding | None] = {}
    with tempfile.TemporaryDirectory(prefix="precision-") as folder:
        root = Path(folder).resolve()
        engine = Engine(root, Settings(), python)
        for number, name in enumerate(packages):
            mine = [call for call in calls if call.package == name]
            text, lines = _module(packages[name]["setup"], mine)
            path = root / f"observed_{number}.py"
            path.write_text(text, "utf-8")
            if mine:
                report = engine.report(str(path))
                shown = {f.span.line: f for f in report.findings if f.severity in _SHOWN}
                answers.update(zip(mine, map(shown.get, lines), strict=True))
    return answers


def _module(setup: str, calls: list[Call]) -> tuple[str, list[int]]:
    """A file with a coroutine for each call, and the lines of the calls."""
    text = setup.strip() + "\n"
    lines = []
    for number, call in enumerate(calls):
        text += f"\n\nasync def call_{number}():\n"
        lines.append(text.count("\n") + 1)
        text += f"    {call.text}\n"
    return text, lines


def _tops(python: Path, distribution: str) -> Iterator[str]:
    """The top-level names that a distribution installs, or those below a name space."""
    wanted = distribution.lower().replace("_", "-").replace(".", "-")
    for info in python.glob("lib/python*/site-packages/*.dist-info"):
        name = info.name.partition("-")[0].lower().replace("_", "-").replace(".", "-")
        if name != wanted:
            continue
        files = [file.parts for file in PathDistribution(info).files or ()]
        modules = [parts for parts in files if parts[-1].endswith(".py")]
        shallow = [parts for parts in modules if len(parts) < 3]
        yield from (parts[0].removesuffix(".py") for parts in shallow)
        if not shallow:  # A name space that other distributions may share: `crate.client`.
            yield from (".".join(parts[:2]) for parts in modules)


def main() -> None:
    """Prints the tables, and with `--list` each call that was judged wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, action="append")
    parser.add_argument("--list", choices=HALVES, help="the mistakes of one half")
    options = parser.parse_args()
    with (OBSERVED / "calls.toml").open("rb") as file:
        packages = tomllib.load(file)
    calls = list(observed(OBSERVED / "truth.tsv"))
    answers: dict[Call, Finding | None] = {}
    for python in (folder.absolute() for folder in options.python):
        here = {name: told for name, told in packages.items() if any(_tops(python, name))}
        packages = {name: told for name, told in packages.items() if name not in here}
        answers |= found(calls, here, python)
    print("| half | packages | calls | block | found | right | wrong | precision | recall |")
    print("|---|---|---|---|---|---|---|---|---|")
    for half in (*HALVES, "both"):
        print(_row(half, {c: f for c, f in answers.items() if half in ("both", c.half)}))
    for call, finding in answers.items():
        if options.list == call.half and call.blocks is (finding is None):
            what = finding.message if finding else f"missed: {call.seen}"
            print(f"{call.package}: {call.text}\n    {what}")
            for hop in finding.chain if finding else ():
                print(f"        {Path(hop.path).name}:{hop.span.line} {hop.function} {hop.call}")


def _row(half: str, answers: dict[Call, Finding | None]) -> str:
    count = Counter((call.blocks, finding is not None) for call, finding in answers.items())
    right, wrong, missed = count[True, True], count[False, True], count[True, False]
    packages = len({call.package for call in answers})
    cells = [half, packages, len(answers), right + missed, right + wrong, right, wrong]
    shares = [_share(right, right + wrong), _share(right, right + missed)]
    return "| " + " | ".join(map(str, [*cells, *shares])) + " |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


if __name__ == "__main__":
    sys.setrecursionlimit(100_000)
    run_deep(main)
