"""Makes server/loopsafe/bundle: what Loopsafe carries of the packages in requirements/bundle.txt.

`npm run bundle` runs it by hand, after `npm run lock`; the archives are checked in. All are made at
once, as ways lead from one package into another. docs/bundle.md says what is in them, and why.
"""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import json
import re
import shutil
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from email.parser import HeaderParser
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import libraries
from reduce import Function, Functions, reduced, says_more

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.effects.derive import Derivation
from loopsafe.effects.implicit import functions
from loopsafe.effects.passed import passed
from loopsafe.effects.sources import body, body_frame
from loopsafe.engine import Engine
from loopsafe.facts.definitions import is_bare
from loopsafe.facts.ir import Call, Name
from loopsafe.model import Span
from loopsafe.modules.bundle import CONTENTS, FOLDER, SUFFIX
from loopsafe.modules.cache import Cache
from loopsafe.modules.module import Module
from loopsafe.modules.reading import LARGEST_TEXT
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "bundle.txt"
WORK = ROOT / "build" / "bundle"
PYTHON = "3.12"
"""What the releases of the lock file are for, whichever Python makes the archives."""
SITES = WORK / ".venv" / "lib" / f"python{PYTHON}" / "site-packages"

PERMISSIVE = re.compile(r"\b(MIT|BSD|Apache|ISC|Unlicense|PSF|Python Software Foundation)\b", re.I)
STRICT = re.compile(r"GPL|General Public|MPL|Mozilla|CDDL|EPL", re.I)
LICENSE = re.compile(r"(^|/)(licen[cs]e|copying|notice)[^/]*$", re.I)
ORIGIN = ("Name", "Version", "Author", "Author-email", "License", "License-Expression", "Home-page")
"""What an archive keeps of a wheel's own words, beside the text of its licence."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of all files in an archive: the same input gives the same bytes."""


class Release(NamedTuple):
    """One distribution, as its wheel has it."""

    name: str
    version: str
    license: str
    tops: tuple[str, ...]
    """Its packages and modules, by import name."""
    notices: tuple[tuple[str, bytes], ...]
    """The texts of its licence, and where it is from."""


def main() -> None:
    """Unpacks all packages, asks what of them matters, and writes the archives."""
    releases = list(unpacked())
    (WORK / ".venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {PYTHON}.0\n", "utf-8")
    store = Cache(WORK / "cache")
    engine = Engine(WORK, Settings(), WORK / ".venv", store)
    derivation = Derivation(engine.resolver)
    ways: dict[str, set[int]] = defaultdict(set)
    for release in releases:
        for top in release.tops:
            print(f"{release.name}: {top}", flush=True)
            run_deep(lambda top=top: look(engine, derivation, top, ways))
    derivation.keep()
    store.flush()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob(f"*{SUFFIX}"):
        old.unlink()
    for release in releases:
        for top in release.tops:
            write(release, top, ways)
    (FOLDER / CONTENTS).write_text(contents(releases), "utf-8")


def unpacked() -> Iterator[Release]:
    """The releases of the lock file, their modules put where an environment has them."""
    wheels = WORK / "wheels"
    state = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = WORK / ".unpacked"
    if not stamp.is_file() or stamp.read_text("utf-8") != state:
        for folder in (wheels, SITES):
            shutil.rmtree(folder, ignore_errors=True)
        wheels.mkdir(parents=True)
        libraries.download(str(wheels), LOCK, "--python-version", PYTHON)
        for wheel in sorted(wheels.glob("*.whl")):
            libraries.unpack(wheel, SITES)
        stamp.write_text(state, "utf-8")
    for wheel in sorted(wheels.glob("*.whl")):
        yield release_of(wheel)


def release_of(wheel: Path) -> Release:
    """What a wheel says of itself.

    Refuses one whose licence does not let it be passed on, or that lacks its text, which must go
    with what is passed on.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = fnmatch.filter(names, "*.dist-info/METADATA")
        told = HeaderParser().parsestr(archive.read(metadata).decode())
        notices = [(Path(name).name, archive.read(name)) for name in names if LICENSE.search(name)]
    classifiers = [c for c in told.get_all("Classifier", []) if c.startswith("License ::")]
    license_ = told["License-Expression"] or " ".join(classifiers) or told["License"] or ""
    if not license_:
        license_ = b" ".join(text for _, text in notices).decode("utf-8", "replace")
    license_ = " ".join(license_.split())[:100]
    if not PERMISSIVE.search(license_) or STRICT.search(license_):
        raise SystemExit(f"{told['Name']}: its licence is {license_!r}")
    if not notices:
        raise SystemExit(f"{told['Name']}: its wheel has no text of its licence")
    tops = {name.split("/")[0] for name in names if re.fullmatch(r"[^/]+/__init__\.py", name)}
    tops |= {name[:-3] for name in names if "/" not in name and name.endswith(".py")}
    kept = sorted(filter(is_used, tops))
    origin = "".join(f"{key}: {value}\n" for key, value in told.items() if key in ORIGIN)
    notices.append(("ORIGIN", origin.encode()))
    return Release(told["Name"], told["Version"], license_, tuple(kept), tuple(notices))


@cache
def choice() -> dict[str, Any]:
    """What is left out."""
    return tomllib.loads((ROOT / "scripts" / "bundle.toml").read_text("utf-8"))


def is_used(name: str) -> bool:
    """Whether a module, by its dotted name, is carried."""
    return not set(name.split(".")) & set(choice()["unused"])


def look(engine: Engine, derivation: Derivation, top: str, ways: dict[str, set[int]]) -> None:
    """Notes the lines of all functions that lie on a way to a call that waits."""
    for module in modules(engine, top):
        for value in callables(engine, module):
            for frame, number in steps(engine.resolver, derivation, value):
                holder = engine.table.get(frame)
                if holder is not None:
                    ways[holder.path].add(holder.facts.functions[number].span.line)


def modules(engine: Engine, top: str) -> Iterator[Module]:
    """A package's modules, without those that nobody imports."""
    todo = [top]
    while todo:
        name = todo.pop(0)
        module = engine.table.get(name)
        if module is not None and engine.disk.is_file(module.path):
            yield module
        inner = (f"{name}.{child}" for child in sorted(engine.finder.submodules(name)))
        todo.extend(filter(is_used, inner))


def callables(engine: Engine, module: Module) -> Iterator[FunctionValue]:
    """The functions of a module, and the methods that its classes have, their bases' included.

    A method is asked about by itself as well, as it is where nothing is known of the receiver.
    """
    facts = module.facts
    for number, function in enumerate(facts.functions):
        if number and facts.scopes[function.outer].kind != "function":
            yield FunctionValue(module.key, number)
    for number in range(len(facts.classes)):
        names: dict[str, None] = {}
        for base in engine.resolver.mro(ClassValue(module.key, number)):
            owner = engine.table.get(base.module) if isinstance(base, ClassValue) else None
            if owner is not None and isinstance(base, ClassValue) and not owner.is_stub:
                functions_ = owner.facts.functions
                names.update((f.name, None) for f in functions_ if f.owner == base.number)
        for name in names:
            yield from functions(engine.resolver, ClassValue(module.key, number), name)


def steps(
    resolver: Resolver, derivation: Derivation, typed: FunctionValue
) -> Iterator[tuple[str, int]]:
    """The functions on the ways of one: called with its defaults, with anything, or unseen."""
    function = body(resolver, typed)
    frame = body_frame(resolver, function, typed, ()) if function else None
    if function is None or frame is None:
        return
    bare = Call(Name("", 0, 0), (), (), Span(0, 0, 0, 0))
    for known in (passed(resolver, function, bare, {}), {}, None):
        found = derivation.verdict(function, frame, known)
        for step in found.steps if found else ():
            module = resolver.table.get(step.frame.module)
            owner = module.facts.scopes[step.frame.scope].owner if module else -1
            if owner > 0:
                yield step.frame.module, owner


def write(release: Release, top: str, ways: dict[str, set[int]]) -> None:
    """The archive of one top-level name."""
    folder = f"{release.name}-{release.version}"
    files = {f"{folder}/{name}": data for name, data in release.notices}
    single = SITES / f"{top}.py"
    for path in [single] if single.is_file() else sorted((SITES / top).rglob("*.py")):
        relative = path.relative_to(SITES)
        if not is_used(".".join(relative.with_suffix("").parts).removesuffix(".__init__")):
            continue
        text = matter(path, ways[str(path)])
        if text is not None:
            files[f"{folder}/{relative.as_posix()}"] = text.encode()
    with zipfile.ZipFile(FOLDER / f"{top}{SUFFIX}", "w") as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)


def matter(path: Path, kept: set[int]) -> str | None:
    """What matters of a module; None of one that is no Python, or too large to be read."""
    try:
        text = path.read_text("utf-8").replace("\r\n", "\n")
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    if len(text) > LARGEST_TEXT:
        return None
    nodes = [node for node in ast.walk(tree) if isinstance(node, Functions)]
    return reduced(text, {node.lineno for node in nodes if is_dropped(node, kept)})


def is_dropped(node: Function, kept: set[int]) -> bool:
    """Whether neither a way nor a type rests on a function's body."""
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    is_asked = any(line in kept for line in lines)
    return not (is_asked or is_bare(node.body) or says_more(node))


def contents(releases: list[Release]) -> str:
    """What is in the folder, for readers, tests and the cache, which must notice a change."""
    lines = ["# Made by scripts/bundle.py.\n"]
    pairs = ((top, found) for found in releases for top in found.tops)
    for top, release in sorted(pairs):
        data = (FOLDER / f"{top}{SUFFIX}").read_bytes()
        lines += [f"[{top}]", f"distribution = {json.dumps(release.name)}"]
        lines += [f"version = {json.dumps(release.version)}"]
        lines += [f"license = {json.dumps(release.license)}"]
        lines += [f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n']
    return "\n".join(lines)


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
