"""Compiles the knowledge files of a bundle: `compile_knowledge.py LIBRARIES`, with these alone."""

from __future__ import annotations

import sys
from pathlib import Path


def main(libraries: str) -> None:
    """`libraries` is the folder that holds the server and what it imports."""
    sys.path.insert(0, libraries)
    from loopsafe.knowledge.loader import compile_folder

    compile_folder(Path(libraries, "loopsafe", "knowledge"))


if __name__ == "__main__":
    main(sys.argv[1])
