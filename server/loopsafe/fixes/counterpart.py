"""The async client that stands for a blocking one, by `client_block.toml`, and how it is made."""

from __future__ import annotations

import ast
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.imports import Spelling, spell
from loopsafe.fixes.names import survey
from loopsafe.fixes.site import Site

Entry = dict[str, Any]


def entry_of(site: Site, made: ast.Call) -> Entry | None:
    """What is known of the client that a call makes, where its counterpart can be had."""
    full = site.full_name(made.func)
    for entry in table("client_block")["client"]:
        if full in entry["made"]:
            needed = filled(site, entry["needs"])
            imported = needed in survey(site.context.tree).imported
            return entry if imported or site.context.installed(needed) else None
    return None


def filled(site: Site, text: str) -> str:
    """A text of the table with the name of the library that the blocking client comes from."""
    return text.format(library=site.finding.sink.partition(".")[0])


def making(site: Site, entry: Entry, made: ast.Call) -> Spelling | None:
    """The call that makes the counterpart, with the imports that it takes."""
    given = _given(site, entry, made)
    maker = _spelled(site, filled(site, entry["by"]))
    if given is None or maker is None:
        return None
    edits = list(maker.edits)
    arguments = []
    for name, full in entry["objects"].items():
        spelling = _spelled(site, filled(site, full))
        if spelling is None:
            return None
        inner = [f"{key.partition('.')[2]}={v}" for key, v in given if key.startswith(f"{name}.")]
        arguments.append(f"{name}={spelling.text}({', '.join(inner)})")
        edits += spelling.edits
    arguments += [f"{key}={value}" if key else value for key, value in given if "." not in key]
    return Spelling(f"{maker.text}({', '.join(arguments)})", tuple(edits))


def _spelled(site: Site, full: str) -> Spelling | None:
    """`aioboto3.Session().client`: what stands before the first dot is imported."""
    module, _, rest = full.partition(".")
    name, bracket, more = rest.partition("(")
    spelling = spell(site, module, name)
    return Spelling(spelling.text + bracket + more, spelling.edits) if spelling else None


def _given(site: Site, entry: Entry, made: ast.Call) -> list[tuple[str, str]] | None:
    """The arguments by name, or by none; None where one has no counterpart."""
    code = site.draft.code
    if any(k.arg is None for k in made.keywords):
        return None
    if "arguments" not in entry:
        by_place = [("", code(argument)) for argument in made.args]
        return by_place + [(k.arg or "", code(k.value)) for k in made.keywords]
    starred = any(isinstance(argument, ast.Starred) for argument in made.args)
    if starred or len(made.args) > len(entry["positional"]):
        return None
    named = dict(zip(entry["positional"], made.args, strict=False))
    named |= {k.arg or "": k.value for k in made.keywords}
    if not named.keys() <= entry["arguments"].keys():
        return None
    found = {entry["arguments"][name]: code(value) for name, value in named.items()}
    return list((entry["defaults"] | found).items())
