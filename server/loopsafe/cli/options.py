"""The arguments of `loopsafe check`: how they are written, and what they ask for."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

from loopsafe.cli.errors import UsageError
from loopsafe.config import check_codes
from loopsafe.model import Safety, Severity

FORMATS = ("full", "concise", "json")
LEVELS = ("hint", "information", "warning", "error")


@dataclass(frozen=True, slots=True)
class Fixing:
    """What is to become of fixes."""

    write: bool = False
    """`--fix` or `--fix-only`."""
    diff: bool = False
    """Shown as a diff instead of written."""
    only: bool = False
    """What is left is not told."""
    unsafe: bool = False
    listed: bool = False
    """The fixes are counted by file and rule."""

    @property
    def wanted(self) -> bool:
        return self.write or self.diff

    @property
    def applied(self) -> tuple[Safety, ...]:
        """The kinds of fixes that are to be applied."""
        return (Safety.SAFE, Safety.UNSAFE) if self.unsafe else (Safety.SAFE,)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    paths: tuple[str, ...]
    python: str | None
    output_format: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    exclude: tuple[str, ...]
    levels: frozenset[Severity]
    deep: bool
    cached: bool
    jobs: int
    """Processes."""
    statistics: bool
    colored: bool
    fixing: Fixing = Fixing()

    @property
    def with_fixes(self) -> bool:
        """Whether the output has room for fixes, which take time to find."""
        return self.fixing.wanted or (self.output_format != "concise" and not self.statistics)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `loopsafe check` understands."""
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", default=["."], help="default: this folder")
    add("--python", metavar="PATH", help="virtual environment or interpreter of the project")
    add("--output-format", choices=FORMATS, default="full", help="default: full")
    add("--select", metavar="CODES", action="append", help="only these rules, comma-separated")
    add("--ignore", metavar="CODES", action="append", help="not these rules, comma-separated")
    add("--exclude", metavar="PATTERN", action="append", help="skip files, as in .gitignore")
    add("--severity", choices=LEVELS, default="hint", help="show this level and above")
    add("--fix", action="store_true", help="apply the safe fixes, and list what is left")
    add("--unsafe-fixes", action="store_true", help="apply unsafe fixes as well")
    add("--fix-only", action="store_true", help="apply the fixes and list nothing; exit with 0")
    add("--diff", action="store_true", help="write nothing, show what the fixes would change")
    add("--show-fixes", action="store_true", help="count the fixes by file and rule")
    add("--deep", action="store_true", help="ask jedi and astroid too: slower, finds more")
    add("--jobs", type=_count, default=1, metavar="N", help="processes; default: 1")
    add("--no-cache", action="store_true", help="neither use nor keep results of other runs")
    add("--statistics", action="store_true", help="count findings instead of listing them")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")


def options_of(arguments: argparse.Namespace) -> Options:
    """The arguments as they were given, checked; raises UsageError."""
    levels = [Severity(level) for level in LEVELS[LEVELS.index(arguments.severity) :]]
    return Options(
        paths=tuple(arguments.paths),
        python=arguments.python,
        output_format=arguments.output_format,
        select=_codes(arguments.select, "--select"),
        ignore=_codes(arguments.ignore, "--ignore"),
        exclude=tuple(arguments.exclude or ()),
        levels=frozenset(levels),
        deep=arguments.deep,
        cached=not arguments.no_cache,
        jobs=arguments.jobs,
        statistics=arguments.statistics,
        colored=_colored(arguments.color),
        fixing=Fixing(
            write=(arguments.fix or arguments.fix_only) and not arguments.diff,
            diff=arguments.diff,
            only=arguments.fix_only or arguments.diff,
            unsafe=arguments.unsafe_fixes,
            listed=arguments.show_fixes,
        ),
    )


def _codes(given: list[str] | None, option: str) -> tuple[str, ...]:
    words = [word.strip() for text in given or () for word in text.split(",")]
    try:
        return check_codes(word for word in words if word)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _colored(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    terminal = os.environ.get("TERM", "")
    if sys.platform == "win32" and not (terminal or "WT_SESSION" in os.environ):
        return False  # The old console shows colour codes as text.
    return sys.stdout.isatty() and terminal != "dumb"
