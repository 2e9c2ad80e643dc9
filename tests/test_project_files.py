"""Which files a run looks at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.project_files import python_files


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(root: Path, *paths: str, settings: Settings | None = None) -> list[str]:
    given = [root / path for path in paths] or [root]
    files = python_files(given, settings or Settings())
    return [Path(file).relative_to(root).as_posix() for file in files]


def test_only_python_sorted(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.py", "a/gui.pyw", "a/stub.pyi", "c.txt", "a.b.py")
    assert found(tmp_path) == ["a/gui.pyw", "a/z.py", "a.b.py", "b.py"]


def test_foreign_folders_are_not_entered(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a.py",
        ".git/hook.py",
        "node_modules/x/gyp.py",
        "__pycache__/a.py",
        "my-env/pyvenv.cfg",
        "my-env/lib/b.py",
        "mini/conda-meta/history",
        "mini/c.py",
        "build/lib/a.py",
        "dist/__init__.py",
        "dist/real.py",
        "x.egg-info/y.py",
        "vendor/site-packages/z.py",
    )
    assert found(tmp_path) == ["a.py", "dist/__init__.py", "dist/real.py"]


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "build/lib/a.py", "script", "venv/pyvenv.cfg", "venv/b.py")
    (tmp_path / ".gitignore").write_text("venv\nbuild\n")
    settings = Settings(exclude=("*.py",), base=tmp_path)
    assert found(tmp_path, "build", "script", "venv/b.py") == [
        "build/lib/a.py",
        "script",
        "venv/b.py",
    ]
    assert found(tmp_path, "build", "venv/b.py", settings=settings) == ["venv/b.py"]


def test_gitignore_files_are_honoured_as_git_does(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".git/HEAD",
        "gen_a.py",
        "keep/gen_b.py",
        "keep/gen_c.py",
        "out/x.py",
        "deep/out/y.py",
        "deep/only_here.py",
        "only_here.py",
    )
    (tmp_path / ".gitignore").write_text("gen_*.py\n/out/\n")
    (tmp_path / "keep" / ".gitignore").write_text("!gen_b.py\n")
    (tmp_path / "deep" / ".gitignore").write_text("only_here.py\n[\n")
    everything = ["deep/out/y.py", "keep/gen_b.py", "only_here.py"]
    assert found(tmp_path) == everything
    assert found(tmp_path, "keep") == ["keep/gen_b.py"]
    assert found(tmp_path, "deep", ".") == everything


def test_excludes_belong_to_the_settings_folder(tmp_path: Path) -> None:
    make(tmp_path, "app/migrations/a.py", "app/main.py", "migrations/b.py", "tests/c.py")
    settings = Settings(exclude=("/migrations", "tests/**"), base=tmp_path)
    assert found(tmp_path, settings=settings) == ["app/main.py", "app/migrations/a.py"]
    assert found(tmp_path, "app", settings=settings) == ["app/main.py", "app/migrations/a.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_do_not_lead_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "a/b.py")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "self.py").symlink_to(tmp_path / "a" / "self.py")
    (tmp_path / "a" / "linked.py").symlink_to(tmp_path / "a" / "b.py")
    (tmp_path / "a" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    assert found(tmp_path) == ["a/b.py", "a/linked.py"]


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a/b.py", "c.py")
    assert found(tmp_path, "a/b.py", ".", "a") == ["a/b.py", "c.py"]
