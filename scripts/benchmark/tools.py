"""The programs that are compared, and how each is asked for calls that block the event loop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.processes import Failed, Run, measured
from benchmark.subject import Subject

RUFF = "ruff==0.17.6"
HYDROID = "hydroid-cli==0.5.0"
NAMES = ("loopsafe", "ruff", "hydroid")
_SERVER = Path(__file__).parents[2] / "server"


@dataclass(frozen=True, slots=True)
class Tool:
    """One program, set up for one project."""

    name: str
    version: str
    check: tuple[str, ...]
    """The command that checks the whole project."""
    folder: Path
    caches: tuple[Path, ...]
    """What it keeps between runs."""
    variables: Mapping[str, str]
    count: Callable[[str], int]
    """Findings in its output."""
    server: tuple[str, ...] = ()
    """The command of its language server, if it has one."""
    settings: Mapping[str, Any] | None = None
    """What its language server is to be told."""

    def run(self) -> Run:
        """Checks the whole project."""
        return measured(self.check, self.folder, self.variables)

    def forget(self) -> None:
        """Drops what it kept of earlier runs."""
        for cache in self.caches:
            shutil.rmtree(cache, ignore_errors=True)


def tools(names: tuple[str, ...], subject: Subject, cache: Path, work: Path) -> list[Tool]:
    """The programs that can be had here; of others, a line says why not."""
    found = (_tool(name, subject, cache, work) for name in names)
    return [tool for tool in found if tool]


def _tool(name: str, subject: Subject, cache: Path, work: Path) -> Tool | None:
    maker = {"loopsafe": _loopsafe, "ruff": _ruff, "hydroid": _hydroid}[name]
    try:
        return maker(subject, cache, work)
    except (Failed, OSError) as error:
        print(f"{name} is skipped: {error}", file=sys.stderr)
        return None


def _loopsafe(subject: Subject, _cache: Path, work: Path) -> Tool:
    command = (sys.executable, "-X", "utf8", "-m", "loopsafe")
    python = ("--python", str(subject.python)) if subject.python else ()
    variables = {**_variables(work), "PYTHONPATH": str(_SERVER)}
    return Tool(
        name="loopsafe",
        version=_version([*command, "--version"], variables),
        check=(*command, "check", ".", *python, "--output-format", "concise"),
        folder=subject.folder,
        caches=tuple(_caches(work)),
        variables=variables,
        count=_lines_with(": "),
        server=(*command, "server"),
        settings={"delay": 0, **({"python": str(subject.python)} if subject.python else {})},
    )


def _ruff(subject: Subject, cache: Path, work: Path) -> Tool:
    program = _installed(RUFF, "ruff", cache)
    store = work / "ruff-cache"
    return Tool(
        name="ruff",
        version=_version([program, "--version"], os.environ),
        check=(
            *(program, "check", ".", "--isolated", "--select", "ASYNC"),
            *("--cache-dir", str(store), "--output-format", "concise"),
        ),
        folder=subject.folder,
        caches=(store,),
        variables=_variables(work),
        count=_lines_with(" ASYNC"),
        server=(program, "server"),
        settings={"lint": {"select": ["ASYNC"]}, "configurationPreference": "editorOnly"},
    )


def _hydroid(subject: Subject, cache: Path, work: Path) -> Tool:
    program = _installed(HYDROID, "hydroid", cache)
    python = ("--python", str(subject.python)) if subject.python else ()
    return Tool(
        name="hydroid",
        version=_version([program, "--version"], os.environ),
        check=(program, ".", *python, "--format", "json"),
        folder=subject.folder,
        caches=(subject.folder / ".hydroid_cache",),
        variables=_variables(work),
        count=lambda output: len(json.loads(output)["diagnostics"]),
    )


def _variables(work: Path) -> dict[str, str]:
    """A home of its own, so that caches of the user's are neither used nor dropped."""
    home = work / "home"
    home.mkdir(exist_ok=True)
    places = {"HOME": home, "XDG_CACHE_HOME": home / ".cache", "LOCALAPPDATA": home / ".cache"}
    return {**os.environ, **{name: str(place) for name, place in places.items()}}


def _caches(work: Path) -> list[Path]:
    return [work / "home" / ".cache", work / "home" / "Library" / "Caches"]


def _installed(requirement: str, program: str, cache: Path) -> str:
    """A program from a package of the registry, in an environment of its own, made once."""
    home = cache / requirement.replace("==", "-")
    folder = home / ("Scripts" if sys.platform == "win32" else "bin")
    if not shutil.which(program, path=str(folder)):
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        python = shutil.which("python", path=str(folder)) or sys.executable
        done = subprocess.run([python, *pip, requirement], stdout=sys.stderr)
        if done.returncode:
            raise Failed(f"{requirement} could not be installed")
    found = shutil.which(program, path=str(folder))
    if not found:
        raise Failed(f"{requirement} brought no {program}")
    return found


def _version(command: list[str], variables: Mapping[str, str]) -> str:
    told = subprocess.run(command, capture_output=True, text=True, env=dict(variables))
    if told.returncode:
        raise Failed(told.stderr.strip() or f"{command[0]} does not start")
    return told.stdout.strip().split()[-1]


def _lines_with(mark: str) -> Callable[[str], int]:
    return lambda output: sum(
        1 for line in output.splitlines() if line.count(":") > 2 and mark in line
    )
