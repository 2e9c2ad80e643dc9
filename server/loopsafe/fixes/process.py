"""Runs a program as a process of asyncio, which needs no thread.

done = subprocess.run(["git", "pull"], capture_output=True, check=True)

process = await asyncio.create_subprocess_exec("git", "pull", stdout=PIPE, stderr=PIPE)
stdout, stderr = await process.communicate()
done = subprocess.CompletedProcess(["git", "pull"], await process.wait(), stdout, stderr)
done.check_returncode()
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell
from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import bindings
from loopsafe.fixes.place import may_await
from loopsafe.fixes.program import PIPES, Options, options_of, started
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The statement of the call, where its program is known to be a list, or a line of a shell."""
    call, statement = site.call, site.statement
    entry = table("process")["function"].get(site.finding.sink)
    if entry is None or call is None or not site.direct or not may_await(site):
        return
    if choose(site).name not in table("process")["idioms"] or statement is None:
        return
    target = _target(site, statement, call)
    if target is None or (target and entry["gives"] == "status"):
        return
    if not alone(site.draft, [statement]) or not site.draft.faithful(call):
        return
    options = options_of(site, call, entry["checks"], entry["shell"])
    if options is None or "#" in site.draft.code(statement):
        return
    if entry["gives"] == "stdout":
        if "stdout" in options.passed:
            return
        options.passed["stdout"] = "subprocess.PIPE"
    yield from _fix(site, statement, target, options, entry["gives"])


def _target(site: Site, statement: ast.stmt, call: ast.Call) -> str | None:
    """What is written before the value: `done = `, `return `, or nothing; None for other places."""
    if getattr(statement, "value", None) is not call:
        return None
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)):
        return None
    written = site.draft.source.text[site.draft.start(statement) : site.draft.start(call)]
    is_name = re.fullmatch(r"\w+ *(:[^=]+)?= *|return +|", written)
    return written if is_name else None


def _fix(
    site: Site, statement: ast.stmt, target: str, options: Options, gives: str
) -> Iterator[Fix]:
    start = started(site, options)
    if start is None:
        return
    imports = [*start.edits]
    names = (_unused(site, "process"), _unused(site, "stdout"), _unused(site, "stderr"))
    lines = [f"{names[0]} = await {start.text}"]
    is_whole = options.check or (gives == "process" and bool(target))
    if options.is_piped:
        lines.append(f"{names[1]}, {names[2]} = await {names[0]}.communicate()")
    elif not (is_whole or target):
        lines.append(f"await {names[0]}.wait()")
    if is_whole:
        completed = spell(site, "subprocess", "CompletedProcess")
        if completed is None:
            return
        imports += completed.edits
        lines += _finished(options, completed.text, names, target, gives)
    elif target:
        lines.append(target + _value(options, names, gives))
    draft = site.draft
    indent = draft.source.newline + draft.indent(statement.lineno)
    edit = draft.replace(draft.start(statement), draft.stop(statement), indent.join(lines))
    caveat = "Where the task is cancelled, the program goes on by itself."
    if options.decoded:
        caveat = "Output is decoded as UTF-8 and keeps its line ends."
    title = f"Use await asyncio.{options.starter}()"
    yield Fix(title, Safety.UNSAFE, (*imports, edit), caveat=caveat)


def _finished(
    options: Options, completed: str, names: tuple[str, str, str], target: str, gives: str
) -> list[str]:
    """The lines that make what `subprocess.run` gives of a process that has ended."""
    outputs = ", ".join(["", *_outputs(options, names)]) if options.is_piped else ""
    made = f"{completed}({options.command}, await {names[0]}.wait(){outputs})"
    if gives == "process" and target.rstrip().endswith("="):
        variable = re.match(r"\w+", target)
        check = f"{variable.group() if variable else target}.check_returncode()"
        return [target + made, *([check] if options.check else [])]
    lines = [f"{made}.check_returncode()"] if options.check else []
    if target:
        lines.append(target + (made if gives == "process" else _value(options, names, gives)))
    return lines


def _value(options: Options, names: tuple[str, str, str], gives: str) -> str:
    return _outputs(options, names)[0] if gives == "stdout" else f"await {names[0]}.wait()"


def _outputs(options: Options, names: tuple[str, str, str]) -> tuple[str, str]:
    """What is written to the two streams, as text where that is asked for."""
    piped = [options.decoded and options.passed.get(n, "").endswith(".PIPE") for n in PIPES]
    out, err = (
        f"{name}.decode()" if is_text else name
        for name, is_text in zip(names[1:], piped, strict=True)
    )
    return out, err


def _unused(site: Site, wanted: str) -> str:
    """A name like the wanted one that the function and the module have no use for."""
    taken = [name for scope in (*site.scopes(), site.context.tree) for name in bindings(scope)]
    return site.free_name(wanted) if wanted in taken else wanted
