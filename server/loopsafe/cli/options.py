"""The arguments of `loopsafe check`: how they are written, and what they ask for."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

from loopsafe.cli.errors import UsageError
from loopsafe.config import check_codes
from loopsafe.model import Safety, Severity
from loopsafe.spelling import did_you_mean
from loopsafe.text import decode

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")
FORMAT_VARIABLE = "LOOPSAFE_OUTPUT_FORMAT"
STDIN = "-"
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
class Aside:
    """What is to become of findings besides being told, and where settings come from."""

    output_file: str | None = None
    """Instead of stdout."""
    baseline: str | None = None
    """A file of findings that are not told."""
    write_baseline: str | None = None
    """A file to write all findings to."""
    ignore: str | None = None
    """Each finding gets a comment with this reason."""
    config: tuple[str, ...] = ()
    """Settings as `key = value`, or a file of them."""
    isolated: bool = False
    """No settings file counts."""
    shown: str = ""
    """`settings` or `files`, to be shown instead of a check."""
    narrowed: bool = False
    """The command line leaves out rules or levels, so what is not found may still be there."""

    @property
    def quiet(self) -> bool:
        """Whether findings are written somewhere and not told."""
        return self.write_baseline is not None or self.ignore is not None


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
    aside: Aside = Aside()
    stdin: tuple[str, str] | None = None
    """The absolute name and the text of the file that stdin stands for."""

    @property
    def with_fixes(self) -> bool:
        """Whether the output has room for fixes, which take time to find."""
        if self.aside.quiet:
            return False
        return self.fixing.wanted or (self.output_format != "concise" and not self.statistics)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `loopsafe check` understands."""
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", default=["."], help="default: this folder; - is stdin")
    add("--stdin-filename", metavar="PATH", help="the file that stdin stands for")
    add("--python", metavar="PATH", help="virtual environment or interpreter of the project")
    what = f"default: ${FORMAT_VARIABLE}, else full"
    add("--output-format", choices=FORMATS, default=None, help=what)
    add("--output-file", metavar="FILE", help="write there instead of to stdout")
    add("--select", metavar="CODES", action="append", help="only these rules, comma-separated")
    add("--ignore", metavar="CODES", action="append", help="not these rules, comma-separated")
    add("--exclude", metavar="PATTERN", action="append", help="skip files, as in .gitignore")
    add("--severity", choices=LEVELS, default="hint", help="show this level and above")
    add("--fix", action="store_true", help="apply the safe fixes, and list what is left")
    add("--unsafe-fixes", action="store_true", help="apply unsafe fixes as well")
    add("--fix-only", action="store_true", help="apply the fixes and list nothing; exit with 0")
    add("--diff", action="store_true", help="write nothing, show what the fixes would change")
    add("--show-fixes", action="store_true", help="count the fixes by file and rule")
    what = "a settings file, or a setting as TOML: 'offload = \"anyio\"'"
    add("--config", metavar="KEY=VALUE", action="append", help=what)
    add("--isolated", action="store_true", help="read no settings file")
    add("--show-settings", action="store_true", help="show the settings, and check nothing")
    add("--show-files", action="store_true", help="list the files, and check nothing")
    add("--baseline", metavar="FILE", help="leave out the findings in it; it only shrinks")
    add("--write-baseline", metavar="FILE", help="write all findings there; exit with 0")
    what = "hide each finding by a comment; exit with 0"
    add("--add-ignore", metavar="REASON", nargs="?", const="TODO: say why", help=what)
    add("--deep", action="store_true", help="ask jedi and astroid too: slower, finds more")
    add("--jobs", type=_count, default=1, metavar="N", help="processes; default: 1")
    add("--no-cache", action="store_true", help="neither use nor keep results of other runs")
    add("--statistics", action="store_true", help="count findings instead of listing them")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")


def options_of(arguments: argparse.Namespace) -> Options:
    """The arguments as they were given, checked; raises UsageError."""
    levels = [Severity(level) for level in LEVELS[LEVELS.index(arguments.severity) :]]
    stdin = _stdin(arguments)
    return Options(
        paths=(stdin[0],) if stdin else tuple(arguments.paths),
        python=arguments.python,
        output_format=_format(arguments.output_format),
        select=_codes(arguments.select, "--select"),
        ignore=_codes(arguments.ignore, "--ignore"),
        exclude=tuple(arguments.exclude or ()),
        levels=frozenset(levels),
        deep=arguments.deep,
        cached=not arguments.no_cache,
        jobs=arguments.jobs,
        statistics=arguments.statistics,
        colored=_colored(arguments.color, to_file=bool(arguments.output_file)),
        fixing=Fixing(
            write=(arguments.fix or arguments.fix_only) and not arguments.diff,
            diff=arguments.diff,
            only=arguments.fix_only or arguments.diff,
            unsafe=arguments.unsafe_fixes,
            listed=arguments.show_fixes,
        ),
        aside=_aside(arguments),
        stdin=stdin,
    )


def _aside(arguments: argparse.Namespace) -> Aside:
    writes = (arguments.fix, arguments.fix_only, arguments.diff)
    hides = (arguments.write_baseline is not None, arguments.add_ignore is not None)
    if sum(hides) > 1 or (any(hides) and any(writes)):
        raise UsageError("--write-baseline, --add-ignore and fixes do not go together")
    narrowed = arguments.select or arguments.ignore or arguments.severity != LEVELS[0]
    return Aside(
        output_file=arguments.output_file,
        baseline=arguments.baseline,
        write_baseline=arguments.write_baseline,
        ignore=arguments.add_ignore,
        config=tuple(arguments.config or ()),
        isolated=arguments.isolated,
        shown="settings" if arguments.show_settings else "files" if arguments.show_files else "",
        narrowed=bool(narrowed or arguments.exclude),
    )


def _format(given: str | None) -> str:
    chosen = given or os.environ.get(FORMAT_VARIABLE) or FORMATS[0]
    if chosen not in FORMATS:
        close = did_you_mean(chosen, FORMATS)
        raise UsageError(f"{FORMAT_VARIABLE}: `{chosen}` is no output format{close}")
    return chosen


def _stdin(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """What comes on stdin, under the name of the file that it stands for."""
    if arguments.paths != [STDIN]:
        if STDIN in arguments.paths:
            raise UsageError("`-` is stdin, and goes with no other path")
        return None
    if arguments.fix or arguments.fix_only or arguments.diff or arguments.add_ignore is not None:
        raise UsageError("what comes on stdin can be checked, and not be changed")
    try:
        text = decode(sys.stdin.buffer.read())
    except (UnicodeDecodeError, SyntaxError) as error:
        raise UsageError(f"stdin: {error}") from None
    return os.path.abspath(arguments.stdin_filename or "stdin.py"), text


def _codes(given: list[str] | None, option: str) -> tuple[str, ...]:
    words = [word.strip() for text in given or () for word in text.split(",")]
    try:
        return check_codes(word for word in words if word)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number from 1 on, not `{text}`")
    return int(text)


def _colored(choice: str, to_file: bool) -> bool:
    if choice != "auto":
        return choice == "always"
    if to_file:
        return False
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    terminal = os.environ.get("TERM", "")
    if sys.platform == "win32" and not (terminal or "WT_SESSION" in os.environ):
        return False  # The old console shows colour codes as text.
    return sys.stdout.isatty() and terminal != "dumb"
