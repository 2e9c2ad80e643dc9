"""Processes of our own that work beside this one, apart from the analysed project: nothing that
lies in it, or where Python usually looks, can be imported there."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import loopsafe

_START = (
    "import sys; sys.path.extend(sys.argv[3:]); from importlib import import_module; "
    "import_module(sys.argv[1]).main(sys.argv[2], sys.argv[3:])"
)


def library_folders(needed: Iterable[str], unsafe: Iterable[str] = ()) -> list[str]:
    """The folders that hold Loopsafe and these packages, never one of the analysed project's."""
    refused = {os.path.abspath(path) for path in (*unsafe, os.getcwd())}
    own = str(Path(loopsafe.__file__).resolve().parent.parent)
    searched = [p for p in sys.path if p and os.path.abspath(p) not in refused]
    folders = {own: None}
    for name in needed:
        spec = importlib.machinery.PathFinder.find_spec(name, searched)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin).parent
            folders.setdefault(str(place.parent if spec.submodule_search_locations else place))
    return list(folders)


def start(
    module: str, folder: Path, libraries: Iterable[str], is_patient: bool = False
) -> subprocess.Popen[bytes]:
    """A process that calls the `main` of one of our modules with a folder and the libraries, the
    only places from which it imports. It speaks by its pipes. Raises OSError where none starts.

    On Windows a patient one lets others go first; elsewhere that is for it to say.
    """
    patience = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if is_patient else 0
    flags = ["-I", "-S", "-X", "utf8"]
    if sys.dont_write_bytecode:
        flags.append("-B")
    if sys.pycache_prefix:
        flags += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    if not sys.executable:
        raise FileNotFoundError("this Python does not know where it is")
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _START, module, str(folder), *libraries],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) | patience,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends such a process at once, and closes its pipes; one that has ended stays as it is."""
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()
