"""`npm run growth`: how what Loopsafe takes grows with a project, beside ruff and hydroid.

Parts of one large project are checked, of ever more files: those nearest to its top come first, as
the others lead to them. The table goes to stdout as Markdown, a picture of it to a file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs
from benchmark import report, tools
from benchmark.edits import chosen
from benchmark.measuring import SCENARIOS, Runs, whole_runs
from benchmark.plot import Line, plot
from benchmark.processes import Failed
from benchmark.subject import copied

SIZES = (100, 300, 1_000, 3_000, 7_000)

Found = dict[int, dict[str, dict[str, Runs]]]
"""By number of files, scenario and tool."""


def main() -> int:
    """Measures, prints the table, draws it, and gives the exit code."""
    arguments = _arguments()
    cache = platformdirs.user_cache_path("loopsafe-development", appauthor=False) / "benchmark"
    cache.mkdir(parents=True, exist_ok=True)
    found: Found = {}
    try:
        for size in arguments.sizes:
            with tempfile.TemporaryDirectory(prefix="loopsafe-growth-") as folder:
                count, runs = _part(arguments, size, cache, Path(folder).resolve())
            if count in found:
                break  # The project has no more.
            found[count] = runs
    except Failed as error:
        print(f"growth: {error}", file=sys.stderr)
        return 1
    print("\n".join(report.growth(found)))
    if arguments.plot is not None:
        arguments.plot.write_text(plot(_lines(found), "files", "seconds"), "utf-8", newline="\n")
    return 0


def _part(
    arguments: argparse.Namespace, size: int, cache: Path, work: Path
) -> tuple[int, dict[str, dict[str, Runs]]]:
    python = arguments.python.absolute() if arguments.python else None
    subject = copied(arguments.project.resolve(), python, work, most=size)
    print(f"growth: {subject.files} files", file=sys.stderr, flush=True)
    compared = tools.tools(tuple(arguments.tools), subject, cache, work)
    files = chosen(subject.folder, 3)
    if not compared or not files:
        raise Failed("there is nothing to measure: no tool, or no file with an async function")
    return subject.files, whole_runs(compared, files[len(files) // 2], arguments.rounds)


def _lines(found: Mapping[int, Mapping[str, Mapping[str, Runs]]]) -> Sequence[Line]:
    """The time of each tool in each situation, by number of files."""
    names = next(iter(found.values()))[SCENARIOS[0]]
    return [
        Line(
            name,
            number,
            [(count, report.median_wall(found[count][scenario][name])) for count in found],
            scenario,
        )
        for name in names
        for number, scenario in enumerate(SCENARIOS)
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run growth --", description=__doc__)
    add = parser.add_argument
    add("--project", type=Path, required=True, help="folder of a large project; it is copied")
    add("--python", type=Path, help="the project's virtual environment")
    add("--sizes", type=int, nargs="+", default=SIZES, help="numbers of files")
    add("--rounds", type=int, default=1, help="runs of each tool in each situation")
    add("--tools", nargs="+", choices=tools.NAMES, default=tools.NAMES, help="default: all")
    add("--plot", type=Path, help="where to draw it, as SVG")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
