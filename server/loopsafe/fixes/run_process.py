"""Runs a program with the function of the file's async library that does all of it.

done = subprocess.run(["git", "pull"], check=True)
done = await anyio.run_process(["git", "pull"], stdout=None, stderr=None)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell_dotted
from loopsafe.fixes.place import may_await
from loopsafe.fixes.program import PIPES, Options, options_of
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The call, where its arguments are known to mean the same there."""
    call, data = site.call, table("process")
    entry, library = data["function"].get(site.finding.sink), data["library"].get(choose(site).name)
    if entry is None or library is None or call is None or not site.direct:
        return
    if entry["gives"] not in library["gives"] or not may_await(site):
        return
    options = options_of(site, call, entry["checks"], entry["shell"])
    known = {*library["passed"], *PIPES}
    if options is None or options.decoded or not options.passed.keys() <= known:
        return
    if entry["gives"] == "stdout":
        if "stdout" in options.passed:
            return
        options.passed["stdout"] = "subprocess.PIPE"
    edits = _edits(site, call, options, library, entry["gives"])
    if edits and "#" not in site.draft.code(call) and site.draft.faithful(call):
        title = f"Use await {library['by']}()"
        yield Fix(title, Safety.UNSAFE, edits, caveat=library["caveat"])


def _edits(
    site: Site, call: ast.Call, options: Options, library: dict[str, Any], gives: str
) -> tuple[Edit, ...] | None:
    spelling = spell_dotted(site, library["by"])
    if spelling is None:
        return None
    given = [options.command, *([] if options.check else ["check=False"])]
    imports = [*spelling.edits]
    for key in (*PIPES, *(k for k in options.passed if k not in PIPES)):
        value = options.passed.get(key, "None")
        if value.startswith("subprocess."):
            if value.endswith(".PIPE"):
                continue  # As it does by itself.
            written = spell_dotted(site, value)
            if written is None:
                return None
            imports += written.edits
            value = written.text
        given.append(f"{key}={value}")
    before, after = opening_await(site, call)
    text = f"{spelling.text}({', '.join(given)})"
    text = f"(await {text}).stdout" if gives == "stdout" else f"{before}{text}{after}"
    return (*imports, site.draft.replace(site.draft.start(call), site.draft.stop(call), text))
