"""What tests of repositories with many projects are made of."""

from __future__ import annotations

from pathlib import Path

CALLER = "import lib\n\n\nasync def main():\n    lib.fetch()\n"
STALLS = "import time\n\n\ndef fetch():\n    time.sleep(1)\n"
IS_QUICK = "def fetch():\n    return 1\n"
IGNORED = '[tool.loopsafe]\nignore = ["blocking-sleep"]\n'


def write(root: Path, files: dict[str, str]) -> None:
    """Writes files, by their names below a folder, with the folders that they need."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
