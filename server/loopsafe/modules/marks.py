"""What says that a folder is a project, or a repository, and that a file has tests."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePath

from loopsafe.modules.places import MODULE_ENDS

SETUP = "setup.py"
PROJECT_MARKS = ("pyproject.toml", SETUP, "setup.cfg", "manage.py", "Pipfile")
"""A folder with one of these is a project of its own."""
REPOSITORY_MARKS = (".git", ".hg", ".jj")
REQUIREMENTS_MARK = "requirements.txt"
_SCRIPT_MARKS = (*PROJECT_MARKS, REQUIREMENTS_MARK)
_READ = (*MODULE_ENDS, ".ipynb", ".typed")
"""`py.typed` says that a package has annotations."""


def imports_start(names: Collection[str]) -> bool:
    """Whether the imports of scripts start in a folder that has these names.

    A `requirements.txt` says so too, though no more than that: `docs` and `tests` often have one,
    and are part of the project above.
    """
    return any(mark in names for mark in _SCRIPT_MARKS)


def leads_anywhere(name: str, is_folder: bool) -> bool:
    """Whether a name in a folder can matter to what an import or a file of the project means.

    Logs, databases and the caches of other tools come and go while the code is the same.
    """
    if name in _SCRIPT_MARKS or name in REPOSITORY_MARKS:
        return True
    if name.startswith("."):
        return False
    return name != "__pycache__" if is_folder else name.endswith(_READ)


def project_root(folder: Path) -> Path | None:
    """The nearest folder, from this one upwards, that is a project or a repository."""
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in (*PROJECT_MARKS, *REPOSITORY_MARKS)):
            return candidate
    return None


def is_of_tests(path: str) -> bool:
    """Whether a file is of a project's tests: pytest's own, or what stands beside it."""
    return is_collected(path) or any(map(_is_for_tests, PurePath(path).parts[:-1]))


def is_in_tests(module: str) -> bool:
    """Whether a module of the project stands in a folder of tests, by its dotted name: how the
    folders around the project are called says nothing."""
    return any(map(_is_for_tests, module.split(".")[:-1]))


def is_collected(path: str) -> bool:
    """Whether pytest reads a file for its tests: nothing else of a project does."""
    return is_test_file(path) or PurePath(path).name == "conftest.py"


def is_test_file(path: str) -> bool:
    """Whether pytest collects tests in a file, by its default rules."""
    stem = PurePath(path).stem
    return stem.startswith("test_") or stem.endswith("_test")


def _is_for_tests(folder: str) -> bool:
    """Whether a folder is called as if it had tests: `tests`, `e2e_tests`."""
    return folder in ("tests", "test") or folder.endswith(("_tests", "-tests"))
