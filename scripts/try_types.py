"""What mypy says of a project's texts, before and after a fix.

A copy of the project is asked, with the packages of its environment. Variants of files stand
beside each other in it, some hundred at a time, so that what they import is read once; for what
spans files, a daemon looks at what changed only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType

from loopsafe.modules.cache import default_folder
from loopsafe.modules.roots import source_roots

_FLAGS = (
    "--ignore-missing-imports", "--check-untyped-defs", "--sqlite-cache", "--no-error-summary",
    "--hide-error-context", "--show-error-codes", "--no-pretty", "--namespace-packages",
    "--disable-error-code=import-untyped", "--explicit-package-bases", "--config-file=",
    "--no-warn-unused-configs",
)  # fmt: skip
_VARIANT = "_loopsafe_fix_"
_MOST_TEXTS = 250
_MOST_LINES = 150_000
_FATAL = 2
"""The exit code of a mypy that gave up before it looked at anything."""

Text = tuple[str, str]
"""The path of a file in the project, and what it says."""


class Copy:
    """A copy of a project, which mypy is asked about."""

    def __init__(self, root: Path, python: Path | None) -> None:
        self._root = root
        self._python = python.absolute() if python is not None else None
        self._folder = tempfile.TemporaryDirectory(prefix="loopsafe-types-")
        self.path = Path(self._folder.name).resolve() / "copy"
        self._status = self.path.with_name("status.json")
        self._is_started = False
        shutil.copytree(root, self.path, ignore=_without_environments)

    def __enter__(self) -> Copy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_started:
            self._daemon("stop")
        self._folder.cleanup()

    def variants(self, texts: Iterable[Text]) -> dict[Text, Counter[str]]:
        """What is said of each of these texts; nothing of those that mypy could not be asked of."""
        found: dict[Text, Counter[str]] = {}
        for part in _parts(dict.fromkeys(texts)):
            found |= self._variants(part)
        return found

    def _variants(self, texts: Sequence[Text]) -> dict[Text, Counter[str]]:
        files: dict[Text, Path] = {}
        numbers = count()
        for path, text in texts:
            at = self.at(path)
            file = at.with_name(f"{at.stem}{_VARIANT}{next(numbers)}.py")
            file.write_bytes(text.encode())
            files[path, text] = file
        cache = default_folder(os.environ) / "try-types" / self._root.name
        command = [sys.executable, "-m", "mypy", *_FLAGS, "--follow-imports=silent"]
        command += [f"--cache-dir={cache}", *self._where(), *map(str, files.values())]
        done = self._run(command)
        for file in files.values():
            file.unlink()
        if done.returncode == _FATAL:
            print(f"mypy gave up: {(done.stdout + done.stderr)[-500:]}", file=sys.stderr)
            half = len(texts) // 2 if _VARIANT in done.stdout + done.stderr else 0
            return self._variants(texts[:half]) | self._variants(texts[half:]) if half else {}
        said: dict[str, Counter[str]] = {}
        for name, message in _messages(done.stdout):
            said.setdefault(name, Counter())[message] += 1
        names = {text: str(file.relative_to(self.path)) for text, file in files.items()}
        return {text: said.get(name, Counter()) for text, name in names.items()}

    def at(self, path: str) -> Path:
        """The copy of a file of the project."""
        return self.path / Path(path).relative_to(self._root)

    def put(self, texts: Mapping[str, str]) -> None:
        """Files say something else from now on."""
        for path, text in texts.items():
            self.at(path).write_bytes(text.encode())

    def said(self, paths: Sequence[str]) -> Counter[str] | None:
        """What the daemon says of files and of what they import; None where it gives up."""
        targets = [str(self.at(path)) for path in paths]
        if self._is_started:
            done = self._daemon("check", *targets)
        else:
            done = self._daemon("run", "--", *_FLAGS, *self._where(), *targets)
            self._is_started = True
        if done.returncode == _FATAL:
            print(f"mypy gave up: {(done.stdout + done.stderr)[-500:]}", file=sys.stderr)
            return None
        return Counter(f"{name}: {message}" for name, message in _messages(done.stdout))

    def _daemon(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        status = f"--status-file={self._status}"
        return self._run([sys.executable, "-m", "mypy.dmypy", status, *arguments])

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        roots = [root for root in source_roots(self._root) if root.is_relative_to(self._root)]
        inside = os.pathsep.join(str(self.at(str(root))) for root in roots)
        environment = {**os.environ, "MYPYPATH": inside, "PYTHONHASHSEED": "0"}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.path, env=environment
        )

    def _where(self) -> list[str]:
        if self._python is None:
            return ["--no-site-packages"]
        inside = self._python / "bin" / "python"
        return ["--python-executable", str(inside if inside.exists() else self._python)]


def _parts(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """The texts, not too many lines at a time."""
    part: list[Text] = []
    lines = 0
    for text in texts:
        here = text[1].count("\n")
        if part and (len(part) == _MOST_TEXTS or lines + here > _MOST_LINES):
            yield part
            part, lines = [], 0
        part.append(text)
        lines += here
    if part:
        yield part


def _messages(out: str) -> Iterator[tuple[str, str]]:
    """Files and what is said of them, without numbers of lines, nor of which argument of which
    function: what was wrong with one of a call is wrong with that of `to_thread`.
    """
    for line in out.splitlines():
        match = re.match(r"(.+?\.py):\d+: error: (.+)", line)
        if match:
            said = re.sub(rf"\bline \d+|{_VARIANT}\d+", "", match[2])
            said = re.sub(r'Argument (\d+|"\w+") to "[^"]+"( of "[^"]+")?', "Argument", said)
            yield match[1], re.sub(r'(arguments?) for "[^"]+"( of "[^"]+")?', r"\1", said)


def _without_environments(folder: str, names: list[str]) -> set[str]:
    """What a copy of a project does without."""
    return {
        name
        for name in names
        if name in (".git", "node_modules", "__pycache__")
        or (Path(folder) / name / "pyvenv.cfg").exists()
    }
