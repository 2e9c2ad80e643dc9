"""Says findings, functions and rules in words: Markdown for hovers, plain text for terminals.

What is known of a rule in general comes from its page, rules/<code>.md; of a library's call, with
the finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe.config import CODES
from loopsafe.model import Confidence, Finding, Fix, Hop, Place

if TYPE_CHECKING:
    from loopsafe.engine import FunctionPlace

_PAGES = Path(__file__).parent / "rules"
_ADDRESS = "https://github.com/loopsafe/loopsafe/blob/main/server/loopsafe/rules"
_SHOWN_HOPS = 6

_MISTAKES = ("eager-offload", "await-sync", "async-without-await", "unused-ignore")

_PLACES = {
    Place.LOOP: "Runs on the event loop",
    Place.THREAD: "Runs in a worker thread",
    Place.IMPORT: "Runs while its module is imported",
}
_CONFIDENCES = {
    Confidence.HIGH: "",
    Confidence.MEDIUM: "Likely, not certain: a step of the way may lead elsewhere.",
    Confidence.LOW: "Uncertain: a step of the way is one of many possibilities.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What the page of a rule says, in short."""

    code: str
    summary: str
    """One sentence on what it finds."""
    harm: str
    """One sentence on what happens and how long that typically lasts."""
    advice: str
    """One sentence on what to do."""
    url: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a finding's explanation, each a sentence or empty."""

    harm: str
    reason: str
    certainty: str
    advice: str
    caveat: str


def explain(finding: Finding) -> Explanation:
    """A finding in sentences."""
    general = rule(finding.code)
    advice, caveat = general.advice, finding.caveat
    if finding.code in _MISTAKES:
        caveat = ""  # The call itself is meant as it is; where it stands is the mistake.
    elif finding.advice:
        advice = finding.advice
    elif finding.twin and finding.twin not in advice:
        advice = f"{_twin(finding.twin)} {advice}"
    return Explanation(
        harm=general.harm,
        reason=_sentence(finding.reason),
        certainty=_certainty(finding),
        advice=_sentence(advice),
        caveat=_sentence(caveat),
    )


def finding_markdown(
    finding: Finding,
    fixes: Sequence[Fix] = (),
    root: Path | None = None,
    *,
    is_shown: bool = False,
) -> str:
    """A finding for a hover: at most five lines, the chain with links into the files.

    Editors show it in a small window, some of them below the message and its chain (`is_shown`):
    what these do not say, and what one click would change, goes first.
    """
    parts = explain(finding)
    lines = [" ".join(filter(None, (parts.reason, parts.certainty)))]
    cures = [fix for fix in fixes if fix.kind == "quickfix"]
    lines += [_cures(cures, parts.caveat), f"**Instead:** {parts.advice}"]
    message = "" if is_shown else _message(finding, root)
    lines.append(" ".join(filter(None, (message, parts.harm))))
    also = f" · also waits for: {', '.join(finding.also)}" if finding.also else ""
    lines.append(f"[{finding.code}]({rule_url(finding.code)}){also}")
    return "\n\n".join(filter(None, lines))


def _cures(fixes: Sequence[Fix], known: str) -> str:
    """What the menu offers, and what to mind of the call and of that; three sentences at most."""
    said = [known, *(_sentence(fix.caveat) for fix in fixes)]
    titles = " · ".join(_with_code(fix.title) for fix in fixes)
    offered = [f"**Quick fix:** {titles}."] if fixes else []
    return " ".join([*offered, *list(dict.fromkeys(filter(None, said)))[:3]])


def _message(finding: Finding, root: Path | None) -> str:
    """A finding's message and its chain, as one sentence."""
    message = _with_code(finding.message)
    if len(finding.chain) < 2:
        return f"{message}."
    hops = " → ".join(_link(hop, root) for hop in _shortened(finding.chain))
    return f"{message}: {hops}."


def function_markdown(place: FunctionPlace) -> str:
    """Where a function runs, for a hover on its name; empty where nothing is known."""
    if place.place is None:
        return ""
    role = f"{place.role} " if place.role else ""
    kind = "async def" if place.is_async else "def"
    lines = [
        f"**{_PLACES[place.place]}:** {role}`{kind} {place.name}`",
        _sentence(place.reason),
    ]
    if place.findings:
        calls = "1 call" if place.findings == 1 else f"{place.findings} calls"
        lines.append(f"{calls} in it may block the event loop.")
    return "\n\n".join(filter(None, lines))


def rule(code: str) -> Rule:
    """A rule's page in short; the code itself for a rule that has no page."""
    return _rules().get(code) or Rule(code, code, "", "", rule_url(code))


def rules() -> tuple[Rule, ...]:
    """All rules, the most harmful first."""
    return tuple(_rules().values())


def rule_page(code: str) -> str | None:
    """The whole page of a rule, None if there is no such rule."""
    if code not in CODES:
        return None
    return (_PAGES / f"{code}.md").read_text(encoding="utf-8")


def rule_url(code: str) -> str:
    """The public address of a rule's page."""
    return f"{_ADDRESS}/{code}.md"


def shown_path(path: str, root: Path | None) -> str:
    """A file name as a reader knows it: from the root, or from its package on."""
    name = Path(path)
    if root is not None and name.is_relative_to(root):
        return name.relative_to(root).as_posix()
    parts = name.parts
    for index in range(len(parts) - 1, 0, -1):
        if parts[index - 1] in ("site-packages", "dist-packages", "typeshed"):
            return "/".join(parts[index:])
    return name.as_posix()


def step(hop: Hop) -> str:
    """What a hop's function does to get to the next one: `read calls load()`."""
    name, call = function_name(hop), hop.call
    if call.startswith("with "):
        # Either end of the block may be what blocks.
        return f"{name} uses {call.removeprefix('with ')} in a with"
    if call.startswith("iterating over "):
        return f"{name} iterates over {call.removeprefix('iterating over ')}"
    if " " in call:
        return f"{name} runs {call}"  # An operator or an assignment.
    return f"{name} calls {call}" if call.endswith(")") else f"{name} reads {call}"


def function_name(hop: Hop) -> str:
    """The name of a hop's function within its file, for where the file stands beside it."""
    parts = hop.function.split(".")
    path = hop.place.rpartition(" ")[2].rpartition(":")[0] or hop.path
    module = Path(path).with_suffix("").parts
    module = module[:-1] if module[-1] == "__init__" else module
    for size in range(len(parts) - 1, 0, -1):
        if tuple(parts[:size]) == module[-size:]:
            return ".".join(parts[size:])
    return hop.function


@cache
def _rules() -> dict[str, Rule]:
    found = {}
    for code in CODES:
        page = (_PAGES / f"{code}.md").read_text(encoding="utf-8")
        found[code] = Rule(
            code,
            _first_sentence(page, f"# {code}"),
            _first_sentence(page, "## Why is this bad?"),
            _first_sentence(page, "## Use instead"),
            rule_url(code),
        )
    return found


def _first_sentence(page: str, heading: str) -> str:
    below = page.partition(f"{heading}\n")[2].strip()
    paragraph = " ".join(below.partition("\n\n")[0].split())
    match = re.match(r".+?(?:\.(?= [A-Z`]|$)|:$)", paragraph)
    return re.sub(r":$", ".", match.group() if match else paragraph)


def _certainty(finding: Finding) -> str:
    """How sure the finding is, and what it rests on where that is no catalogue."""
    doubt = _CONFIDENCES[finding.confidence]
    rests = ""
    if finding.derived:
        rests = f"Derived from the source of `{finding.derived}`."
        if finding.bundled:
            rests = f"{rests[:-1]}, as {finding.bundled} has it: it is not installed here."
    elif finding.origin:
        rests = f"`{finding.origin}` says that it blocks."
    return " ".join(filter(None, (rests, doubt)))


def _twin(name: str) -> str:
    """What an async twin is good for: a function or method is awaited, an object entered."""
    owner, _, method = name.rpartition(".")
    if method in ("__aenter__", "__enter__"):
        return f"`async with` and `{owner}` do the same without blocking."
    if method in ("__aiter__", "__iter__", "__anext__", "__next__"):
        return f"`async for` and `{owner}` do the same without blocking."
    return f"`{name}()` does the same and can be awaited."


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def _with_code(message: str) -> str:
    """Calls in a message set as code: `requests.get()`."""
    return re.sub(
        r"(?<![`\w.)])[\w.<>]+\(\)(?:\.[\w.<>]+\(\))*", lambda match: f"`{match.group()}`", message
    )


def _shortened(chain: tuple[Hop, ...]) -> tuple[Hop | None, ...]:
    if len(chain) <= _SHOWN_HOPS:
        return chain
    return (*chain[: _SHOWN_HOPS - 2], None, chain[-1])


def _link(hop: Hop | None, root: Path | None) -> str:
    if hop is None:
        return "…"
    if hop.place:
        return f"`{hop.call}` in {hop.place}"
    place = f"{shown_path(hop.path, root)}:{hop.span.line}"
    return f"`{hop.call}` in [{place}]({_file_uri(hop.path)}#L{hop.span.line})"


def _file_uri(path: str) -> str:
    try:
        return Path(path).as_uri()
    except ValueError:
        return Path(
            path
        ).as_posix()  # A relative name; only links of absolute ones can be followed.
