"""Prints how much the catalogue knows and, with --observe, what was seen of it on a running loop.

usage: python scripts/catalogue.py [--observe [LIBRARY...]]
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tests")]

from knowledge import clients  # noqa: E402
from knowledge.count import count  # noqa: E402
from knowledge.sweep import Result, sweep  # noqa: E402
from loopsafe.knowledge.catalogue import load  # noqa: E402


def main(arguments: list[str]) -> None:
    """Counts, then runs the clients of the libraries that are named, or of all."""
    print(count(load()))
    if "--observe" not in arguments:
        return
    warnings.simplefilter("ignore")
    os.chdir(tempfile.mkdtemp())
    folder = Path(clients.__path__[0])
    names = [name for name in arguments if not name.startswith("-")]
    for name in names or sorted(path.stem for path in folder.glob("[a-z]*.py")):
        module = clients.load(name)
        if module is None:
            print(f"\n{name}: not run, since it or what it depends on is not installed")
        else:
            show(name, list(sweep(module)))


def show(name: str, results: list[Result]) -> None:
    """One library: how many calls held the loop up, and all that could not be run."""
    print(
        f"\n{name}: {', '.join(f'{n} {word}' for word, n in Counter(map(word, results)).items())}"
    )
    for result in results:
        if not result.seen.reached and result.blocks:
            why = result.seen.error.partition("\n")[0] or "it came back without asking the service"
            print(f"  not run: {result.name}: {why[:100]}")
        elif result.is_wrong:
            print(f"  WRONG: {result.name}")


def word(result: Result) -> str:
    """What was seen of a call."""
    if not result.seen.reached:
        return "not run" if result.blocks else "silent"
    return "held the loop up" if result.seen.blocked else "let the loop run"


if __name__ == "__main__":
    main(sys.argv[1:])
