"""What a call that starts a program is given, sorted by what becomes of it in asyncio."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from loopsafe.fixes.data import table
from loopsafe.fixes.imports import Spelling, spell, spell_dotted
from loopsafe.fixes.names import bindings
from loopsafe.fixes.site import Site
from loopsafe.model import Edit

PIPES = ("stdout", "stderr")


@dataclass(slots=True)
class Options:
    """The arguments of a call that starts a program."""

    command: str
    """As it is written."""
    program: str
    """The same as arguments of a process of asyncio."""
    check: bool = False
    passed: dict[str, str] = field(default_factory=dict)
    """Arguments that the process takes as well."""
    decoded: bool = False
    starter: str = "create_subprocess_exec"
    """What starts it, in asyncio."""

    @property
    def is_piped(self) -> bool:
        """Whether there is something to read from it, or an input to be closed."""
        return any(self.passed.get(n, "").endswith(".PIPE") for n in ("stdin", *PIPES))


def options_of(site: Site, call: ast.Call, checks: bool, shell: bool) -> Options | None:
    """The options of a call; None where asyncio has no such ones."""
    command = call.args[0] if len(call.args) == 1 else None
    given = [k.value for k in call.keywords if k.arg == "shell"]
    if given:
        shell = _literal(given[0]) is True
        if not shell and _literal(given[0]) is not False:
            return None
    program = _in_shell(site, command) if shell else _program(site, command)
    if command is None or program is None:
        return None
    options = Options(site.draft.code(command), program, checks)
    options.starter = "create_subprocess_shell" if shell else options.starter
    return options if all(_take(site, options, keyword) for keyword in call.keywords) else None


def started(site: Site, options: Options) -> Spelling | None:
    """The call that starts the program, without the `await`, and its imports."""
    starter = spell(site, "asyncio", options.starter)
    if starter is None:
        return None
    given = [options.program]
    edits: list[Edit] = [*starter.edits]
    for name, value in options.passed.items():
        if value in table("process")["pipes"]:
            pipe = spell_dotted(site, value)
            if pipe is None:
                return None
            edits += pipe.edits
            value = pipe.text
        given.append(f"{name}={value}")
    return Spelling(f"{starter.text}({', '.join(given)})", tuple(edits))


def _take(site: Site, options: Options, keyword: ast.keyword) -> bool:
    """Notes what an argument says; whether that was possible."""
    name, value = keyword.arg or "", keyword.value
    literal = _literal(value)
    full = site.full_name(value)
    if name == "check" and isinstance(literal, bool):
        options.check = literal
    elif name == "capture_output" and isinstance(literal, bool):
        options.passed |= dict.fromkeys(PIPES, "subprocess.PIPE") if literal else {}
    elif name in ("text", "universal_newlines") and isinstance(literal, bool):
        options.decoded |= literal
    elif (name in PIPES and full in table("process")["pipes"]) or (
        name == "stdin" and full in table("process")["inputs"]
    ):
        options.passed[name] = full
    elif name in table("process")["passed"]:
        options.passed[name] = site.draft.code(value)
    else:
        return name == "shell"
    return True


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else ...


def _program(site: Site, command: ast.expr | None) -> str | None:
    """A list as arguments of their own: as it is written, or by the variable that holds one."""
    if isinstance(command, (ast.List, ast.Tuple)) and command.elts:
        # It is written twice, and must be the same both times.
        plain = all(map(_is_plain, command.elts))
        return ", ".join(site.draft.code(part) for part in command.elts) if plain else None
    if isinstance(command, ast.Name) and _is_list(site, command.id):
        return f"*{command.id}"
    return None


def _in_shell(site: Site, command: ast.expr | None) -> str | None:
    """A line for the shell."""
    if isinstance(command, ast.Constant) and not isinstance(command.value, (str, bytes)):
        return None
    parts = command.values if isinstance(command, ast.JoinedStr) else [command]
    inner = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    plain = all(part is not None and _is_plain(part) for part in inner)
    if command is None or not plain or "\n" in site.draft.code(command):
        return None
    return site.draft.code(command)


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Constant)) or (
        isinstance(node, ast.Attribute) and _is_plain(node.value)
    )


def _is_list(site: Site, name: str) -> bool:
    """Whether all that a variable of the function is ever set to is a list."""
    function = site.function
    found = bindings(function).get(name, []) if function else []
    nodes = list(ast.walk(function)) if function else []
    made = {
        id(target): node.value
        for node in nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    added = {id(n.target) for n in nodes if isinstance(n, ast.AugAssign)}
    return bool(found) and all(
        id(node) in added
        or isinstance(made.get(id(node)), (ast.List, ast.Tuple, ast.ListComp))
        or (isinstance(node, ast.arg) and _annotates_list(site, node.annotation))
        for node in found
    )


def _annotates_list(site: Site, annotation: ast.expr | None) -> bool:
    kind = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return kind is not None and site.full_name(kind) in table("process")["lists"]
