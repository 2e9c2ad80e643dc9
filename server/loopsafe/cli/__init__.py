"""The command line: `loopsafe check`, `explain`, `library`, `rule` and `server`.

Exit codes: 0 nothing found, 1 findings, 2 wrong usage or settings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from loopsafe import __version__
from loopsafe.config import ConfigError, check_codes, did_you_mean
from loopsafe.model import Severity

FORMATS = ("full", "concise", "json")
LEVELS = ("hint", "information", "warning", "error")
CLEAN, FOUND, WRONG, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


class UsageError(Exception):
    """A request that makes no sense; the message is for the user."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code; trouble is one line on stderr."""
    _be_encodable()
    try:
        arguments = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = arguments.run
        code = run(arguments)
        sys.stdout.flush()
        return code
    except (UsageError, ConfigError) as error:
        print(f"loopsafe: error: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        # The analysis may be in the middle of printing: an orderly exit would wait for it.
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader has left; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        print(f"loopsafe: error: {error}", file=sys.stderr)
        return WRONG


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, where argparse would print the usage first."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="loopsafe",
        description="Finds calls that block the asyncio event loop.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"loopsafe {__version__}")
    parser.set_defaults(run=_no_command)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add_check(commands)
    rule = commands.add_parser(
        "rule",
        help="explain a rule, or list them all",
        description="Prints the page of a rule; without a code, a line for each rule.",
        allow_abbrev=False,
    )
    rule.add_argument("code", metavar="CODE", nargs="?", help="such as blocking-http")
    rule.set_defaults(run=_rule)
    _add_libraries(commands)
    server = commands.add_parser(
        "server",
        help="serve an editor on stdin and stdout",
        description="Serves an editor: speaks the Language Server Protocol on stdin and stdout. "
        "Editors start it; there is nothing to see in a terminal.",
        allow_abbrev=False,
    )
    server.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)
    server.set_defaults(run=_server)
    return parser


def _add_libraries(commands: argparse._SubParsersAction[_Parser]) -> None:
    explain = commands.add_parser(
        "explain",
        help="say what a library's function does to the event loop",
        description="Prints what is known of an importable function, method or class: its entry in "
        "the catalogue, or the chain that its package's source shows.",
        allow_abbrev=False,
    )
    explain.add_argument("name", metavar="NAME", help="such as requests.get")
    explain.set_defaults(run=_explain)
    library = commands.add_parser(
        "library",
        help="list what blocks in a package",
        description="Lists the public functions and methods of a package that block the event "
        "loop. To read a large package takes a while.",
        allow_abbrev=False,
    )
    library.add_argument("package", metavar="PACKAGE", help="its import name, such as redis")
    library.set_defaults(run=_library)
    for command in (explain, library):
        what = "virtual environment or interpreter of the project"
        command.add_argument("--python", metavar="PATH", help=what)


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="find blocking calls in files and folders",
        description="Finds calls that block the event loop. Exit code 0: none, 1: some, "
        "2: wrong usage or settings.",
        allow_abbrev=False,
    )
    add = check.add_argument
    add("paths", metavar="PATH", nargs="*", default=["."], help="default: this folder")
    add("--python", metavar="PATH", help="virtual environment or interpreter of the project")
    add("--output-format", choices=FORMATS, default="full", help="default: full")
    add("--select", metavar="CODES", action="append", help="only these rules, comma-separated")
    add("--ignore", metavar="CODES", action="append", help="not these rules, comma-separated")
    add("--exclude", metavar="PATTERN", action="append", help="skip files, as in .gitignore")
    add("--severity", choices=LEVELS, default="hint", help="show this level and above")
    add("--deep", action="store_true", help="ask jedi and astroid too: slower, finds more")
    add("--jobs", type=_count, default=1, metavar="N", help="processes; default: 1")
    add("--no-cache", action="store_true", help="neither use nor keep results of other runs")
    add("--statistics", action="store_true", help="count findings instead of listing them")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    from loopsafe.cli.check import Options, run

    levels = [Severity(level) for level in LEVELS[LEVELS.index(arguments.severity) :]]
    options = Options(
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
    )
    outcome = run(options)
    if outcome.failures:
        return WRONG
    return FOUND if outcome.findings and not arguments.exit_zero else CLEAN


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _no_command(_arguments: argparse.Namespace) -> int:
    raise UsageError(
        "which command: check, explain, library, rule or server? (see `loopsafe --help`)"
    )


def _codes(given: list[str] | None, option: str) -> tuple[str, ...]:
    words = [word.strip() for text in given or () for word in text.split(",")]
    try:
        return check_codes(word for word in words if word)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _rule(arguments: argparse.Namespace) -> int:
    from loopsafe.explain import rule_page, rules

    if arguments.code is None:
        size = max(len(rule.code) for rule in rules())
        for rule in rules():
            print(f"{rule.code:<{size}}  {rule.summary}")
        return CLEAN
    page = rule_page(arguments.code)
    if page is None:
        close = did_you_mean(arguments.code, [rule.code for rule in rules()])
        raise UsageError(f"unknown rule `{arguments.code}`{close or ' (see `loopsafe rule`)'}")
    print(page, end="")
    return CLEAN


def _explain(arguments: argparse.Namespace) -> int:
    from loopsafe.cli.libraries import explain_name

    explain_name(arguments.name, arguments.python)
    return CLEAN


def _library(arguments: argparse.Namespace) -> int:
    from loopsafe.cli.libraries import list_library

    list_library(arguments.package, arguments.python)
    return CLEAN


def _server(_arguments: argparse.Namespace) -> int:
    from loopsafe.lsp.server import main as serve

    return serve()


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


def _be_encodable() -> None:
    """Characters that the terminal's encoding lacks are escaped, not fatal."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
