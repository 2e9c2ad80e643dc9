"""The command line: `loopsafe check`, `config`, `explain`, `library`, `rule` and `server`.

Exit codes: 0 nothing found, 1 findings, 2 wrong usage or settings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from loopsafe import __version__
from loopsafe.cli.errors import UsageError
from loopsafe.cli.options import add_arguments, options_of
from loopsafe.config import ConfigError
from loopsafe.spelling import did_you_mean

CLEAN, FOUND, WRONG, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


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
        told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"loopsafe: error: {told}", file=sys.stderr)
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
    config = commands.add_parser(
        "config",
        help="explain a setting, or list them all",
        description="Prints what a setting of [tool.loopsafe] is for; without a key, a line for "
        "each setting.",
        allow_abbrev=False,
    )
    config.add_argument("key", metavar="KEY", nargs="?", help="such as offload")
    config.set_defaults(run=_config)
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
    library.add_argument("package", metavar="PACKAGE", help="its name, such as redis")
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
    add_arguments(check)
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    from loopsafe.cli.check import run

    outcome = run(options_of(arguments))
    if outcome.failures:
        return WRONG
    return FOUND if outcome.findings and not arguments.exit_zero else CLEAN


def _no_command(_arguments: argparse.Namespace) -> int:
    raise UsageError(
        "which command: check, config, explain, library, rule or server? (see `loopsafe --help`)"
    )


def _rule(arguments: argparse.Namespace) -> int:
    from loopsafe.explain import rule_page, rules
    from loopsafe.suppress import OF_NOQA

    if arguments.code is None:
        size = max(len(rule.code) for rule in rules())
        for rule in rules():
            print(f"{rule.code:<{size}}  {rule.summary}")
        return CLEAN
    page = rule_page(OF_NOQA.get(arguments.code.upper(), arguments.code))
    if page is None:
        close = did_you_mean(arguments.code, [rule.code for rule in rules()])
        raise UsageError(f"unknown rule `{arguments.code}`{close or ' (see `loopsafe rule`)'}")
    print(page, end="")
    return CLEAN


def _config(arguments: argparse.Namespace) -> int:
    from loopsafe.cli.settings import describe

    print("\n".join(describe(arguments.key)))
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


def _be_encodable() -> None:
    """Characters that the terminal's encoding lacks are escaped, not fatal."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
