"""`npm run bench`: what Loopsafe takes on a real project, beside ruff and hydroid in the same run.

Nothing here passes or fails by time. Tables go to stdout as Markdown, progress to stderr.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import platformdirs
from benchmark import report, tools
from benchmark.edits import chosen
from benchmark.measuring import EDITED, typing, whole_runs
from benchmark.processes import CAN_COUNT, Failed
from benchmark.subject import RELEASE, Subject, copied, release


def main() -> int:
    """Measures, prints the tables, and gives the exit code."""
    arguments = _arguments()
    cache = platformdirs.user_cache_path("loopsafe-development", appauthor=False) / "benchmark"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loopsafe-bench-") as folder:
        try:
            _measure(arguments, cache, Path(folder).resolve())
        except Failed as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    return 0


def _measure(arguments: argparse.Namespace, cache: Path, work: Path) -> None:
    subject = _subject(arguments, cache, work)
    compared = tools.tools(tuple(arguments.tools), subject, cache, work)
    files = chosen(subject.folder, arguments.files)
    if not compared or not files:
        raise Failed("there is nothing to measure: no tool, or no file with an async function")
    for line in report.heading(subject, compared):
        print(line)
    if not CAN_COUNT:
        print("- CPU and memory are not measured: this system does not tell them of children")
    found = whole_runs(compared, files[len(files) // 2], arguments.rounds)
    for line in report.whole(found):
        print(line)
    servers = [tool for tool in compared if tool.server]
    typed = {tool.name: typing(tool, files, arguments.edits) for tool in servers}
    again = {name: runs for name, runs in found[EDITED].items() if name != "loopsafe"}
    for line in report.editing(typed, files, again):
        print(line)


def _subject(arguments: argparse.Namespace, cache: Path, work: Path) -> Subject:
    if arguments.project is None:
        return release(cache, work)
    python = arguments.python.absolute() if arguments.python else None
    return copied(arguments.project.resolve(), python, work)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench --", description=__doc__)
    add = parser.add_argument
    add("--project", type=Path, help=f"folder to measure; default: {RELEASE}, downloaded once")
    add("--python", type=Path, help="the project's virtual environment")
    add("--rounds", type=_positive, default=5, help="runs of each tool in each situation")
    add("--edits", type=_positive, default=60, help="edits of each kind")
    add("--files", type=_positive, default=6, help="files that are edited")
    add("--tools", nargs="+", choices=tools.NAMES, default=tools.NAMES, help="default: all")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
