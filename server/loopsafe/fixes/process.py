"""Runs a program as a process of asyncio, which needs no thread.

done = subprocess.run(["git", "pull"], capture_output=True, check=True)

process = await asyncio.create_subprocess_exec("git", "pull", stdout=PIPE, stderr=PIPE)
stdout, stderr = await process.communicate()
done = subprocess.CompletedProcess(["git", "pull"], process.returncode, stdout, stderr)
done.check_returncode()
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell
from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import bindings
from loopsafe.fixes.place import may_await
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety

_PIPES = ("stdout", "stderr")


def cures(site: Site) -> Iterator[Fix]:
    """The statement of the call, where the program and its arguments are written as a list."""
    call, statement = site.call, site.statement
    entry = table("process")["function"].get(site.finding.sink)
    if entry is None or call is None or not site.direct or not may_await(site):
        return
    if choose(site).name not in table("process")["idioms"] or statement is None:
        return
    target = _target(site, statement, call)
    if target is None or not alone(site.draft, [statement]) or not site.draft.faithful(call):
        return
    options = _options(site, call, entry["checks"])
    if options is None or "#" in site.draft.code(statement):
        return
    if entry["gives"] == "stdout":
        if "stdout" in options.passed:
            return
        options.passed["stdout"] = "subprocess.PIPE"
    yield from _fix(site, statement, target, options, entry["gives"])


@dataclass(slots=True)
class _Options:
    """The arguments of a call, sorted by what becomes of them."""

    command: str
    """The list as it is written."""
    program: str
    """The same as arguments of their own."""
    check: bool
    passed: dict[str, str] = field(default_factory=dict)
    """Arguments that the process takes as well."""
    decoded: bool = False


def _target(site: Site, statement: ast.stmt, call: ast.Call) -> str | None:
    """What is written before the value: `done = `, `return `, or nothing; None for other places."""
    if getattr(statement, "value", None) is not call:
        return None
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)):
        return None
    written = site.draft.source.text[site.draft.start(statement) : site.draft.start(call)]
    is_name = re.fullmatch(r"\w+ *(:[^=]+)?= *|return +|", written)
    return written if is_name else None


def _options(site: Site, call: ast.Call, checks: bool) -> _Options | None:
    command = call.args[0] if len(call.args) == 1 else None
    if not isinstance(command, (ast.List, ast.Tuple)) or not command.elts:
        return None
    if not all(map(_is_plain, command.elts)):
        return None  # It is written twice, and must be the same both times.
    program = ", ".join(site.draft.code(element) for element in command.elts)
    options = _Options(site.draft.code(command), program, checks)
    for keyword in call.keywords:
        name, value = keyword.arg or "", keyword.value
        literal = value.value if isinstance(value, ast.Constant) else ...
        if name == "check" and isinstance(literal, bool):
            options.check = literal
        elif name == "capture_output" and isinstance(literal, bool):
            options.passed |= dict.fromkeys(_PIPES, "subprocess.PIPE") if literal else {}
        elif name in ("text", "universal_newlines") and isinstance(literal, bool):
            options.decoded |= literal
        elif name in _PIPES and site.full_name(value) in table("process")["pipes"]:
            options.passed[name] = site.full_name(value)
        elif name in table("process")["passed"]:
            options.passed[name] = site.draft.code(value)
        else:
            return None
    return options


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Constant)) or (
        isinstance(node, ast.Attribute) and _is_plain(node.value)
    )


def _fix(
    site: Site, statement: ast.stmt, target: str, options: _Options, gives: str
) -> Iterator[Fix]:
    spelling = spell(site, "asyncio", "create_subprocess_exec")
    started = _started(site, options)
    if spelling is None or started is None:
        return
    given, imports = started
    names = (_unused(site, "process"), _unused(site, "stdout"), _unused(site, "stderr"))
    lines = [
        f"{names[0]} = await {spelling.text}({given})",
        f"{names[1]}, {names[2]} = await {names[0]}.communicate()",
    ]
    if options.check or (gives == "process" and target):
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
    title = "Use await asyncio.create_subprocess_exec()"
    yield Fix(title, Safety.UNSAFE, (*spelling.edits, *imports, edit), caveat=caveat)


def _started(site: Site, options: _Options) -> tuple[str, list[Edit]] | None:
    """The arguments of the process, and the imports that they take."""
    given = [options.program]
    imports: list[Edit] = []
    for name, value in options.passed.items():
        if value in table("process")["pipes"]:
            module, _, last = value.rpartition(".")
            pipe = spell(site, module, last)
            if pipe is None:
                return None
            imports += pipe.edits
            value = pipe.text
        given.append(f"{name}={value}")
    return ", ".join(given), imports


def _finished(
    options: _Options, completed: str, names: tuple[str, str, str], target: str, gives: str
) -> list[str]:
    """The lines that make what `subprocess.run` gives of a process that has ended."""
    out, err = _outputs(options, names)
    made = f"{completed}({options.command}, {names[0]}.returncode, {out}, {err})"
    if gives == "process" and target.rstrip().endswith("="):
        variable = re.match(r"\w+", target)
        check = f"{variable.group() if variable else target}.check_returncode()"
        return [target + made, *([check] if options.check else [])]
    lines = [f"{made}.check_returncode()"] if options.check else []
    if target:
        lines.append(target + (made if gives == "process" else _value(options, names, gives)))
    return lines


def _value(options: _Options, names: tuple[str, str, str], gives: str) -> str:
    return _outputs(options, names)[0] if gives == "stdout" else f"{names[0]}.returncode"


def _outputs(options: _Options, names: tuple[str, str, str]) -> tuple[str, str]:
    """What is written to the two streams, as text where that is asked for."""
    piped = [options.decoded and options.passed.get(n, "").endswith(".PIPE") for n in _PIPES]
    out, err = (
        f"{name}.decode()" if is_text else name
        for name, is_text in zip(names[1:], piped, strict=True)
    )
    return out, err


def _unused(site: Site, wanted: str) -> str:
    """A name like the wanted one that the function and the module have no use for."""
    taken = [name for scope in (*site.scopes(), site.context.tree) for name in bindings(scope)]
    return site.free_name(wanted) if wanted in taken else wanted
