"""Collects the Markdown files of tests/specs: every heading with Python below it is a test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import mdtest

os.environ["LOOPSAFE_CACHE_DIR"] = _CACHE = tempfile.mkdtemp(prefix="loopsafe-cache-")
"""The user's own is neither used nor filled, in the processes that tests start as well."""

SPECS = Path(__file__).parent / "specs"


def pytest_unconfigure() -> None:
    shutil.rmtree(_CACHE, ignore_errors=True)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".md" and SPECS in file_path.parents:
        return MarkdownFile.from_parent(parent, path=file_path)
    return None


class MarkdownFile(pytest.File):
    """A specification."""

    def collect(self) -> Iterator[pytest.Item]:
        for section in mdtest.sections(self.path.read_text(encoding="utf-8")):
            yield MarkdownItem.from_parent(self, name=section.name, section=section)


class MarkdownItem(pytest.Item):
    """One section of it."""

    def __init__(self, *, section: mdtest.Section, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.section = section
        self.funcargs: dict[str, object] = {}  # pytest-lsp looks for its client there.

    def runtest(self) -> None:
        differences = mdtest.check(self.section, self.path.name)
        if differences:
            raise Difference("\n".join(differences))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        if isinstance(excinfo.value, Difference):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.section.md_line - 1, self.name


class Difference(Exception):
    """A section that does not say what the engine says."""
