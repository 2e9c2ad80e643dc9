"""Runs Markdown files as tests: headings are tests, Python blocks are files, comments are claims.

tests/specs/README.md describes the format, and is run too. `sections` reads a file; `check` runs
one section against the engine and returns what differs from the claims.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe.config import Settings
from loopsafe.model import Finding, Fix

if TYPE_CHECKING:
    from loopsafe.engine import Engine, FileReport

MAIN = "main.py"
"""The file that blocks without a name make up."""

INSTALLED = "site-packages/"
"""Files below this belong to installed packages: they are read, and not checked themselves."""

_SITES = ("lib/python3.12/site-packages", "Lib/site-packages")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*(.*?)\s*")
_CAPTION = re.compile(r"`([^`\s]+)`\s*:?")
_KIND = r"(todo-error|todo-ok|error|warning|information|info|hint)"
_MARK = re.compile(rf"{_KIND}\s*:\s*\[([\w-]+)\](?:\s*\"([^\"]*)\")?")
_MARKS = re.compile(rf"\s*#\s*{_KIND}\s*:\s*\[[\w-]+\].*$")
_LEVELS = {"info": "information"}


@dataclass(frozen=True)
class Claim:
    """A comment that says what is found on a line."""

    kind: str
    code: str
    text: str
    file: str
    line: int
    """In the file."""
    md_line: int

    def fits(self, finding: Finding) -> bool:
        """Whether the finding is the one that the comment means."""
        level = _LEVELS.get(self.kind, self.kind)
        leveled = level in ("error", "todo-error", "todo-ok") or finding.severity.value == level
        return finding.code == self.code and self.text in finding.message and leveled

    def __str__(self) -> str:
        return f"{self.kind}: [{self.code}]" + (f' "{self.text}"' if self.text else "")


@dataclass
class Source:
    """One file of a section, with the Markdown line of each of its lines."""

    lines: list[str] = field(default_factory=list)
    md_lines: list[int] = field(default_factory=list)

    def md_line(self, line: int) -> int:
        """The Markdown line of a line of the file."""
        if not self.md_lines:
            return 0
        return self.md_lines[min(max(line, 1), len(self.md_lines)) - 1]


@dataclass
class Expected:
    """A block that shows a result: a chain, or a file after a fix."""

    title: str
    file: str
    content: str
    md_line: int


@dataclass
class Section:
    """One test."""

    name: str
    md_line: int
    files: dict[str, Source] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    config: str = ""
    chains: list[Expected] = field(default_factory=list)
    fixed: list[Expected] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    @property
    def is_test(self) -> bool:
        """Prose alone, and settings for the sections below, are no test."""
        return any(name.endswith((".py", ".pyw")) for name in self.files)


def sections(text: str) -> list[Section]:
    """The sections of a Markdown file that are tests; settings pass on to deeper headings."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        reader.take(number, line)
    return [section for section in reader.sections if section.is_test]


class _Reader:
    def __init__(self) -> None:
        self.sections = [Section("", 1)]
        self._path: list[tuple[int, Section]] = []
        self._fence = ""
        self._info = ""
        self._block: list[tuple[int, str]] = []
        self._caption = ""

    def take(self, number: int, line: str) -> None:
        if self._fence:
            if re.fullmatch(rf"{self._fence[0]}{{{len(self._fence)},}}\s*", line):
                self._end_block(number)
            else:
                self._block.append((number, line))
            return
        heading, fence = _HEADING.fullmatch(line), _FENCE.fullmatch(line)
        if heading:
            self._start_section(number, len(heading[1]), heading[2].replace("`", ""))
        elif fence:
            self._fence, self._info, self._block = fence[1], fence[2], []
        elif line.strip():
            caption = _CAPTION.fullmatch(line.strip())
            self._caption = caption[1] if caption else ""
            if line.startswith("packages:"):
                self.sections[-1].packages += re.findall(r"[\w.\[\]-]+", line.split(":", 1)[1])

    def _start_section(self, number: int, level: int, title: str) -> None:
        self._path = [(depth, above) for depth, above in self._path if depth < level]
        above = self._path[-1][1] if self._path else None
        name = f"{above.name} > {title}" if above else title
        section = Section(name, number, config=above.config if above else "")
        self._path.append((level, section))
        self.sections.append(section)
        self._caption = ""

    def _end_block(self, number: int) -> None:
        section, file = self.sections[-1], self._caption or MAIN
        kind, _, rest = self._info.partition(" ")
        content = "\n".join(line for _, line in self._block)
        start = self._block[0][0] if self._block else number
        if kind in ("py", "python"):
            source = section.files.setdefault(file, Source())
            for md_line, line in self._block:
                self._add_line(section, file, source, md_line, line)
        elif kind == "toml" and not self._caption:
            section.config = content
        elif kind == "chain":
            section.chains.append(Expected("", file, content, start))
        elif kind == "fixed":
            section.fixed.append(Expected(rest.strip().strip('"'), file, content, start))
        elif self._caption:
            numbers = [md_line for md_line, _ in self._block]
            section.files[file] = Source(content.split("\n"), numbers)
        self._fence = self._caption = ""

    def _add_line(
        self, section: Section, file: str, source: Source, md_line: int, line: str
    ) -> None:
        marks = _MARKS.search(line)
        code = line[: marks.start()] if marks else line
        alone = marks is not None and not code.strip()
        if not alone:
            source.lines.append(code)
            source.md_lines.append(md_line)
        at = len(source.lines) + alone
        for mark in _MARK.finditer(line, marks.start()) if marks else ():
            claim = Claim(mark[1], mark[2], mark[3] or "", file, at, md_line)
            section.claims.append(claim)


def check(section: Section, markdown: str) -> list[str]:
    """Runs a section; each difference as `file:line: expected ..., got ...`."""
    from loopsafe.engine import Engine

    with tempfile.TemporaryDirectory(prefix="loopsafe-spec-") as folder:
        root = Path(folder).resolve()
        _write(section, root)
        engine = Engine(root, Settings.load(root), root / ".venv")
        engine.index()
        reports = {
            name: engine.report(str(root / name))
            for name in section.files
            if name.endswith((".py", ".pyw")) and not name.startswith(INSTALLED)
        }
        differences = list(_compare(section, reports))
        differences += _compare_chains(section, reports)
        for expected in section.fixed:
            differences += _compare_fix(section, expected, engine, reports)
    return [f"{markdown}:{line}: {text}" for line, text in sorted(differences)]


def _write(section: Section, root: Path) -> None:
    """The section's files, and an environment with no package but those among them."""
    packages = [root / ".venv" / place for place in _SITES]
    for folder in packages:
        folder.mkdir(parents=True, exist_ok=True)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.0\n")
    (root / "pyproject.toml").write_text(section.config + "\n", encoding="utf-8")
    for name, source in section.files.items():
        homes = packages if name.startswith(INSTALLED) else [root]
        for home in homes:
            path = home / name.removeprefix(INSTALLED)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_text(source).encode())


def _text(source: Source) -> str:
    return "\n".join(source.lines) + "\n"


def _compare(section: Section, reports: dict[str, FileReport]) -> Iterator[tuple[int, str]]:
    claims: dict[tuple[str, int], list[Claim]] = defaultdict(list)
    for claim in section.claims:
        claims[claim.file, claim.line].append(claim)
    found: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for name, report in reports.items():
        for finding in report.findings:
            found[name, finding.span.line].append(finding)
    for place in sorted({*claims, *found}):
        name, line = place
        md_line = section.files[name].md_line(line)
        for text in _compare_line(claims[place], found[place]):
            code = section.files[name].lines[line - 1].strip()
            yield md_line, f"{text}\n    in {name}:{line}: {code}"


def _compare_line(claims: list[Claim], findings: list[Finding]) -> Iterator[str]:
    left = list(findings)
    for claim in claims:
        match = next((finding for finding in left if claim.fits(finding)), None)
        if match:
            left.remove(match)
        if claim.kind == "todo-error":
            if match:
                yield f"found at last: change `{claim}` to `error: [{claim.code}]`"
        elif claim.kind == "todo-ok":
            if not match:
                yield f"no false alarm any more: remove `{claim}`"
        elif not match:
            yield f"expected {claim}, got {_shown(findings)}"
    for finding in left:
        yield f"expected no finding, got {_shown([finding])}"


def _shown(findings: list[Finding]) -> str:
    texts = [f'{f.severity.value}: [{f.code}] "{f.message}"' for f in findings]
    return ", ".join(texts) or "nothing"


def _compare_chains(section: Section, reports: dict[str, FileReport]) -> Iterator[tuple[int, str]]:
    findings = [finding for report in reports.values() for finding in report.findings]
    chains = [
        "\n".join(f"{hop.function}: {hop.call}" for hop in finding.chain) for finding in findings
    ]
    for expected in section.chains:
        if expected.content.strip() not in chains:
            got = "\n\n".join(chains) or "no finding"
            yield expected.md_line, f"expected the chain\n{expected.content}\n  got\n{got}"


def _compare_fix(
    section: Section, expected: Expected, engine: Engine, reports: dict[str, FileReport]
) -> Iterator[tuple[int, str]]:
    report = reports[expected.file]
    if expected.title == "all":
        edits = engine.fix_all(report.path)
        titles = ["fix all"]
    else:
        offers = [(f, fix) for f in report.findings for fix in engine.fixes(f)]
        titles = [fix.title for _, fix in offers]
        fix = _chosen(expected.title, [fix for _, fix in offers])
        if fix is None:
            engine.index()
            wide = [fix for finding in report.findings for fix in engine.wide_fixes(finding)]
            titles += [fix.title for fix in wide]
            fix = _chosen(expected.title, [fix for fix in wide if fix.edits])
        if fix is None:
            yield expected.md_line, f"expected the fix {expected.title!r}, offered are {titles}"
            return
        edits = tuple(edit for edit in fix.edits if edit.path == report.path)
    got = report.source.apply(edits)
    if got.strip() != expected.content.strip():
        yield expected.md_line, f"expected after the fix\n{expected.content}\n  got\n{got}"
        return
    yield from _compare_cure(section, expected, engine, report, got)


def _chosen(title: str, fixes: list[Fix]) -> Fix | None:
    """The first fix that is offered, or the first with this title or beginning of one."""
    return next((fix for fix in fixes if fix.title.startswith(title)), None)


def _compare_cure(
    section: Section, expected: Expected, engine: Engine, report: FileReport, fixed: str
) -> Iterator[tuple[int, str]]:
    """A fixed file parses, and something is gone from its report."""
    try:
        ast.parse(fixed)
    except SyntaxError as error:
        yield expected.md_line, f"the fixed file does not parse: {error}"
        return
    engine.open_text(report.path, fixed)
    after = engine.report(report.path)
    engine.close_text(report.path)
    if len(after.findings) >= len(report.findings):
        got = _shown(list(after.findings))
        yield expected.md_line, f"the fix cures nothing, there still is {got}"
