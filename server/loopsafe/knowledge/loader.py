"""Reads one knowledge file. README.md beside it describes the syntax."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from loopsafe.knowledge.classes import ClassEntry, read_class, read_classes
from loopsafe.knowledge.entries import (
    Header,
    Names,
    check_home,
    read_function,
    read_functions,
    read_names,
    read_probe,
    read_runner,
    read_runners,
)
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.knowledge.table import KnowledgeError, Table
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
    returns: dict[str, str] = field(default_factory=dict)
    makes: dict[str, str] = field(default_factory=dict)
    probes: list[tuple[Names, str]] = field(default_factory=list)


def read_header(file: str, text: str, origin: str = "") -> Header:
    """Reads the `[library]` table alone, which must come first in a file."""
    head = text.partition("\n[[")[0]
    library = Table(file, _parse(file, head)).table("library")
    header = Header(
        file=file,
        title=library.text("title"),
        imports=library.texts("import"),
        distribution=library.text("distribution"),
        source=library.text("source"),
        harmless=frozenset(library.texts("harmless")),
        asynchronous=library.texts("asynchronous"),
        has_runners="runner]]" in text or "[[runners]]" in text,
        origin=origin,
    )
    library.finish()
    if not header.imports:
        raise library.error("`import` must name at least one module", "import")
    if not header.source.startswith("https://"):
        raise library.error("`source` must be an https address", "source")
    for name in (*header.harmless, *header.asynchronous):
        check_home(library, name, header)
    return header


def read_library(header: Header, text: str) -> LibraryEntries:
    """Reads everything after the header."""
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
    for table in root.tables("function"):
        entries.functions.append(read_function(table, defaults, header))
    for table in root.tables("functions"):
        entries.functions.extend(read_functions(table, defaults, header))
    for table in root.tables("decorator"):
        entries.decorators.append(read_function(table, defaults, header))
    for table in root.tables("class"):
        entries.classes.append(read_class(table, defaults, header))
    for table in root.tables("classes"):
        entries.classes.extend(read_classes(table, defaults, header))
    for table in root.tables("probe"):
        entries.probes.append(read_probe(table, header))
    for table in root.tables("runner"):
        names = read_names(table, header)
        entries.runners.append((names, read_runner(table, names.spellings[0], header)))
    for table in root.tables("runners"):
        entries.runners.extend(read_runners(table, header))
    entries.returns.update(root.mapping("returns"))
    entries.makes.update(root.mapping("makes"))
    root.finish()
    return entries


def _parse(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: {error}") from error
