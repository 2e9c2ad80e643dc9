"""Search paths of an installed Python: its site-packages and what `.pth` and editable entries add.

Everything is read as data. `import` lines of `.pth` files, which the interpreter would execute, are
only looked through for the finders that editable installs write, and those are parsed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_LIB = re.compile(r"(?:python|pypy)(\d+)\.(\d+)t?$")
_IMPORTED = re.compile(r"\bimport\s+([\w.]+)")


@dataclass(slots=True)
class Sites:
    """Search paths in order, and packages that editable installs map by name."""

    paths: list[Path] = field(default_factory=list)
    editable: dict[str, Path] = field(default_factory=dict)

    def add(self, folder: Path) -> None:
        """Appends a site folder with everything its `.pth` and `.egg-link` files add."""
        if self._append(folder):
            for name in sorted(_names(folder)):
                if name.endswith(".pth"):
                    self._add_pth(folder, folder / name)
                elif name.endswith(".egg-link"):
                    self._add_lines(folder, _lines(folder / name)[:1])
                elif name.startswith("__editable__") and name.endswith("_finder.py"):
                    self.editable.update(_mapping(folder / name))

    def _add_pth(self, folder: Path, file: Path) -> None:
        self._add_lines(folder, _lines(file))
        for line in _lines(file):
            if line.startswith(("import ", "import\t")):
                for module in _IMPORTED.findall(line):
                    self.editable.update(_mapping(folder / f"{module}.py"))

    def _add_lines(self, folder: Path, lines: Iterable[str]) -> None:
        for line in lines:
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                self._append(folder / line.strip())

    def _append(self, folder: Path) -> bool:
        folder = Path(os.path.abspath(folder))
        if folder in self.paths or not folder.is_dir():
            return False
        self.paths.append(folder)
        return True


def site_folders(prefix: Path, version: tuple[int, int] | None) -> tuple[list[Path], str]:
    """The package folders below an installation's prefix, and "3.12" as its folders tell.

    Of several Pythons in one prefix the wanted version is taken, else the newest.
    """
    for windows in (prefix / "Lib" / "site-packages", prefix / "site-packages"):
        if windows.is_dir() and not any(_LIB.match(n) for n in _names(prefix / "Lib")):
            return [windows], ""
    found: dict[tuple[int, int], list[Path]] = {}
    for lib in ("lib", "lib64", "local/lib"):
        for name in sorted(_names(prefix / lib)):
            if match := _LIB.match(name):
                key = (int(match[1]), int(match[2]))
                for packages in ("site-packages", "dist-packages"):
                    if (folder := prefix / lib / name / packages).is_dir():
                        found.setdefault(key, []).append(folder)
    if not found:
        return [], ""
    chosen = version if version in found else max(found)
    folders = _distinct(found[chosen])
    if (debian := prefix / "lib" / "python3" / "dist-packages").is_dir():
        folders.append(debian)
    return folders, f"{chosen[0]}.{chosen[1]}"


def _distinct(folders: list[Path]) -> list[Path]:
    """Without those that are another's second name, as `lib64` often is of `lib`."""
    seen: set[str] = set()
    kept = []
    for folder in folders:
        real = os.path.realpath(folder)
        if real not in seen:
            seen.add(real)
            kept.append(folder)
    return kept


def _mapping(finder: Path) -> dict[str, Path]:
    """Import names to places, as the finder module of an editable install has them."""
    try:
        tree = ast.parse(finder.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    found: dict[str, Path] = {}
    for name, value in _pairs(tree):
        place = Path(value)
        if place.name in ("__init__.py", "__init__.pyi"):
            place = place.parent
        elif not place.suffix and not place.is_dir():
            place = place.with_suffix(".py")
        if place.exists():
            found[name] = Path(os.path.abspath(place))
    return found


def _pairs(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Of `MAPPING = {...}`, `F.map_module(name, file)` and `install({...}, ...)`."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "MAPPING":
                yield from _strings(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function, arguments = node.value.func, node.value.args
            name = function.attr if isinstance(function, ast.Attribute) else ""
            if name == "map_module" and len(arguments) == 2:
                yield from _strings(ast.Dict([arguments[0]], [arguments[1]]))
            elif isinstance(function, ast.Name) and function.id == "install" and arguments:
                yield from _strings(arguments[0])


def _strings(value: ast.expr | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if (
                isinstance(key, ast.Constant)
                and isinstance(key.value, str)
                and isinstance(item, ast.Constant)
                and isinstance(item.value, str)
            ):
                yield key.value, item.value


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []
