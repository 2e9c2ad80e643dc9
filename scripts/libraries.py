"""Unpacks the libraries of requirements/libraries.txt into build/libraries, for tests to read.

They come without what they depend on: most are read and never run. Nothing is done when the folder
is up to date.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "libraries.txt"
FOLDER = ROOT / "build" / "libraries"
STAMP = FOLDER / ".unpacked"
WANTED = (".py", ".pyi", ".so", ".pyd", ".json", "/METADATA")


def main() -> None:
    """Makes the folder anew if the lock file or the Python has changed."""
    state = hashlib.sha256(LOCK.read_bytes()).hexdigest() + sys.version
    if STAMP.is_file() and STAMP.read_text("utf-8") == state:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as wheels:
        download(wheels, LOCK)
        for wheel in sorted(Path(wheels).glob("*.whl")):
            unpack(wheel, FOLDER)
    STAMP.write_text(state, "utf-8")


def download(into: str, lock: Path, *options: str) -> None:
    """All wheels of a lock file, each checked against its hash."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    strict = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", into]
    subprocess.run([*pip, *strict, *options, "--requirement", str(lock)], check=True)


def unpack(wheel: Path, folder: Path) -> None:
    """The modules of a wheel, and what it says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            if not item.filename.endswith(WANTED) or ".libs/" in item.filename:
                continue
            name = item.filename
            for scheme in (".data/purelib/", ".data/platlib/"):
                name = name.rpartition(scheme)[2]
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(item))


if __name__ == "__main__":
    main()
