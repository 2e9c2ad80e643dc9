"""Reads one knowledge file. README.md beside it describes the syntax."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from loopsafe.knowledge.classes import ClassEntry, read_class, read_classes
from loopsafe.knowledge.entries import (
    Header,
    Names,
    check_home,
    gathered,
    read_function,
    read_functions,
    read_names,
    read_outcome,
    read_probe,
    read_runner,
    read_runners,
)
from loopsafe.knowledge.schema import Blocking, Outcome, Result, Runner
from loopsafe.knowledge.table import KnowledgeError, Table
from loopsafe.knowledge.versions import fits, is_range
from loopsafe.model import Cost

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class LibraryEntries:
    """All that one file says; each callable with all its spellings."""

    functions: list[tuple[Names, Blocking]] = field(default_factory=list)
    decorators: list[tuple[Names, Blocking]] = field(default_factory=list)
    runners: list[tuple[Names, Runner]] = field(default_factory=list)
    classes: list[ClassEntry] = field(default_factory=list)
    returns: dict[str, Result] = field(default_factory=dict)
    outcomes: dict[str, tuple[Outcome, ...]] = field(default_factory=dict)
    makes: dict[str, str | int] = field(default_factory=dict)
    probes: list[tuple[Names, str]] = field(default_factory=list)


class Compiled(NamedTuple):
    """What stands in a file, read before."""

    values: dict[str, Any]
    has_runners: bool
    has_versions: bool


Text: TypeAlias = str | Compiled
"""A file as it is written, or read before."""

_COMPILED = "compiled.json"


def texts_in(folder: Path) -> dict[str, Text]:
    """A folder's knowledge files by their names: compiled, where they are, as the extension's."""
    try:
        compiled: dict[str, list[Any]] = json.loads((folder / _COMPILED).read_text("utf-8"))
    except FileNotFoundError:
        return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    return {file: Compiled(*parts) for file, parts in compiled.items()}


def compile_folder(folder: Path) -> None:
    """Writes what stands in a folder's knowledge files as one that is quicker to read."""
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    found = {file: _looked_at(file, text, text) for file, text in texts.items()}
    (folder / _COMPILED).write_text(json.dumps(found, separators=(",", ":")), "utf-8")


def _looked_at(file: str, text: str, part: str) -> Compiled:
    """What a part of a text says, and what a look at the whole tells."""
    has_runners = "runner]]" in text or "[[runners]]" in text
    return Compiled(_parse(file, part), has_runners, "\nversions = " in text)


def read_header(file: str, text: Text, origin: str = "") -> Header:
    """Reads the `[library]` table alone, which must come first in a file."""
    if isinstance(text, str):
        # The head is enough: the rest may never be asked for.
        text = _looked_at(file, text, text.partition("\n[[")[0])
    library = Table(file, text.values).table("library")
    header = Header(
        file=file,
        title=library.text("title"),
        imports=library.texts("import"),
        distribution=library.text("distribution"),
        source=library.text("source"),
        harmless=frozenset(library.texts("harmless")),
        asynchronous=library.texts("asynchronous"),
        serves=library.texts("serves"),
        ends=library.texts("ends"),
        has_runners=text.has_runners,
        has_versions=text.has_versions,
        origin=origin,
    )
    library.finish()
    if not header.imports:
        raise library.error("`import` must name at least one module", "import")
    if not header.source.startswith("https://"):
        raise library.error("`source` must be an https address", "source")
    for name in (*header.harmless, *header.asynchronous, *header.serves, *header.ends):
        check_home(library, name, header)
    return header


def read_library(
    header: Header, text: Text, release: str = "", holding: bool = True
) -> LibraryEntries:
    """Reads everything after the header that holds for a release, or else for the newest.

    Or else, what does not.
    """
    root = Table(header.file, _parse(header.file, text))
    root.table("library")
    entries = LibraryEntries()
    defaults = Blocking(
        name="",
        category="",
        cost=Cost.STALL,
        source=header.source,
        distribution=header.distribution,
        origin=header.origin,
    )
    for table in _tables(root, "function", release, holding):
        entries.functions.append(read_function(table, defaults, header))
    for table in _tables(root, "functions", release, holding):
        entries.functions.extend(read_functions(table, defaults, header))
    for table in _tables(root, "decorator", release, holding):
        entries.decorators.append(read_function(table, defaults, header))
    for table in _tables(root, "class", release, holding):
        entries.classes.append(read_class(table, defaults, header))
    for table in _tables(root, "classes", release, holding):
        entries.classes.extend(read_classes(table, defaults, header))
    for table in _tables(root, "probe", release, holding):
        entries.probes.append(read_probe(table, header))
    for table in _tables(root, "runner", release, holding):
        names = read_names(table, header)
        entries.runners.append((names, read_runner(table, names.spellings[0], header)))
    for table in _tables(root, "runners", release, holding):
        entries.runners.extend(read_runners(table, header))
    outcomes = [read_outcome(table) for table in _tables(root, "outcome", release, holding)]
    for name in (name for listed, _ in outcomes for name in listed):
        check_home(root, name, header)
    entries.outcomes.update(gathered(outcomes))
    returns, makes = root.results("returns"), root.arguments("makes")
    if holding:
        entries.returns.update(returns)
        entries.makes.update(makes)
    root.finish()
    return entries


def _tables(root: Table, key: str, release: str, holding: bool) -> Iterator[Table]:
    """The tables of a kind that hold for a release, or those that do not."""
    for table in root.tables(key):
        versions = table.text("versions")
        if versions and not is_range(versions):
            raise table.error("`versions` must be a range such as `>=2,<3`", "versions")
        if (not versions or fits(release, versions)) is holding:
            yield table


def _parse(file: str, text: Text) -> dict[str, Any]:
    if isinstance(text, Compiled):
        return text.values
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: {error}") from error
