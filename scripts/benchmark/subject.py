"""The project that is measured: a pinned public release, or one of the user's, always as a copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmark.processes import Failed

RELEASE = "open-webui==0.12.4"
_DIGEST = "02e9caba96234db3fa17a92e56163b3f7f2b8ca8227fa886b85c178d696483f6"
_LIBRARIES = Path(__file__).with_name("open-webui.txt")
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

_KEPT = (".py", ".pyi", ".pyw", ".typed", ".toml", ".cfg", ".gitignore")
_NOT_ENTERED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A project and the environment with its libraries."""

    name: str
    folder: Path
    """Ours to change."""
    python: Path | None
    files: int
    lines: int


def release(cache: Path, work: Path) -> Subject:
    """The pinned release with its libraries, downloaded once. None of it is ever run."""
    home = cache / f"{RELEASE}-{_short_digest(_LIBRARIES)}".replace("==", "-")
    if not home.is_dir():
        unfinished = home.with_name(f"{home.name}.{os.getpid()}")
        print(f"Downloading {RELEASE} and its libraries, about 200 MB", file=sys.stderr)
        try:
            _download(unfinished)
            unfinished.rename(home)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return copied(home / "source", home / "environment", work, RELEASE.replace("==", " "))


def copied(
    folder: Path, python: Path | None, work: Path, name: str = "", most: int | None = None
) -> Subject:
    """A copy of a project's Python source, without what others installed into it.

    With `most`, of no more modules than these: the ones nearest to the top.
    """
    # In a folder of its own: what lies beside a package may be imported, too.
    target = work / "subject" / "project"
    files = lines = 0
    for source in _sources(folder) if most is None else _nearest(folder, most):
        copy = target / source.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        if source.suffix == ".py":
            files += 1
            lines += copy.read_bytes().count(b"\n")
    if not files:
        raise Failed(f"{folder}: no Python files")
    return Subject(name or folder.name, target, python or _own_environment(folder), files, lines)


def _download(home: Path) -> None:
    """Made for one platform whatever this one is: the same input on every machine."""
    site = home / "environment" / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    lines = ["home = /usr/bin", "version = 3.12.0", "include-system-site-packages = false", ""]
    (home / "environment" / "pyvenv.cfg").write_text("\n".join(lines), "utf-8")
    _pip("download", "--no-deps", "--ignore-requires-python", "--dest", str(home), RELEASE)
    (wheel,) = home.glob("*.whl")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != _DIGEST:
        raise Failed(f"{wheel.name} is not the file that was expected")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(
            home / "source", [name for name in archive.namelist() if name.endswith(_KEPT)]
        )
    wheel.unlink()
    platforms = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
    _pip(
        *("install", "--target", str(site), "--no-deps", "--no-compile", "-r", str(_LIBRARIES)),
        *("--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"),
        *(word for platform in platforms for word in ("--platform", platform)),
    )


def _pip(*arguments: str) -> None:
    done = subprocess.run([*_PIP, *arguments], stdout=sys.stderr)
    if done.returncode:
        raise Failed(f"pip {arguments[0]} failed")


def _sources(folder: Path) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _foreign(Path(parent, name))]
        yield from (Path(parent, name) for name in sorted(names) if name.endswith(_KEPT))


def _nearest(folder: Path, most: int) -> list[Path]:
    sources = sorted(_sources(folder), key=lambda path: (len(path.parts), path))
    left_out = {*[path for path in sources if path.suffix == ".py"][most:]}
    return [path for path in sources if path not in left_out]


def _foreign(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _NOT_ENTERED
    return hidden or (folder / "pyvenv.cfg").exists()


def _own_environment(folder: Path) -> Path | None:
    places = (folder / name for name in (".venv", "venv", "env"))
    return next((place for place in places if (place / "pyvenv.cfg").exists()), None)


def _short_digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]
