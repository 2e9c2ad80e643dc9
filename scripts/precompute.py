"""Finds out what a bundled server would find out at each start: `precompute.py LIBRARIES`.

LIBRARIES is the folder with the server and what it imports; nothing else is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(libraries: str) -> None:
    """Writes the catalogue as one file, and what the server's files come to."""
    sys.path.insert(0, libraries)
    from loopsafe.knowledge.loader import compile_folder
    from loopsafe.modules.cache import seal

    compile_folder(Path(libraries, "loopsafe", "knowledge"))
    seal()


if __name__ == "__main__":
    main(sys.argv[1])
