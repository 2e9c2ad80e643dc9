"""Code actions that write into `pyproject.toml` what the project knows of a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lsprotocol import types

from loopsafe.config import ConfigError, check_settings
from loopsafe.config.writing import inserted, insertions
from loopsafe.lsp.workbench import Work
from loopsafe.model import Edit, Finding, Span
from loopsafe.modules.homes import SETTINGS_FILE
from loopsafe.text import SourceText

KIND = types.CodeActionKind.Refactor.value
_TITLE = "Teach Loopsafe: {}() {}"


class _Lesson(NamedTuple):
    name: str
    key: str
    words: str


def of_findings(work: Work, findings: Iterable[Finding]) -> Iterator[types.CodeAction]:
    """That what is reported does not block: the function that is called, and what it leads to."""
    lessons: dict[_Lesson, Finding] = {}
    for finding in findings:
        for name in _reported(finding):
            lessons.setdefault(_Lesson(name, "not-blocking", "does not block"), finding)
    for lesson, finding in lessons.items():
        action = _action(work, lesson, types.CodeActionKind.QuickFix)
        if action is not None:
            action.diagnostics = [work.diagnostic(finding)]
            yield action


def of_calls(work: Work, span: Span) -> Iterator[types.CodeAction]:
    """That what is called at a place blocks, or runs its argument in a thread."""
    for found in work.engine.teachables(work.path, span):
        lessons = []
        if not found.blocks:
            lessons.append(_Lesson(found.name, "blocking", "blocks"))
        if found.takes_callable:
            words = "runs its argument in a thread"
            lessons.append(_Lesson(found.name, "offload-functions", words))
        for lesson in lessons:
            action = _action(work, lesson, types.CodeActionKind.Refactor)
            if action is not None:
                yield action


def _reported(finding: Finding) -> Iterator[str]:
    if not finding.sink or finding.code == "eager-offload":
        return
    is_own = len(finding.chain) > 1 and finding.root != (finding.path, finding.span)
    if is_own and "<" not in finding.chain[1].function:
        yield finding.chain[1].function
    yield finding.sink


def _action(work: Work, lesson: _Lesson, kind: types.CodeActionKind) -> types.CodeAction | None:
    edit = _edit(work, lesson)
    if edit is None:
        return None
    return types.CodeAction(_TITLE.format(lesson.name, lesson.words), kind=kind, edit=edit)


def _edit(work: Work, lesson: _Lesson) -> types.WorkspaceEdit | None:
    """The edit of the settings file, which is made where there is none; None for a wrong one."""
    path = _settings_file(work)
    source = work.texts.source(str(path))
    if source is None and path.exists():
        return None
    text = source.text if source is not None else ""
    found = insertions(text, lesson.key, lesson.name)
    if not found:
        return None
    try:
        check_settings(inserted(text, found), path)
    except ConfigError:
        return None
    if source is not None:
        edits = [Edit(str(path), _at(source, offset), content) for offset, content in found]
        return work.edit(edits)
    if not work.convert.client.creates_files:
        return None
    uri = work.texts.uri(str(path))
    start = types.Position(0, 0)
    change = types.TextEdit(types.Range(start, start), inserted("", found))
    name = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=None)
    return types.WorkspaceEdit(
        document_changes=[types.CreateFile(uri), types.TextDocumentEdit(name, [change])]
    )


def _settings_file(work: Work) -> Path:
    """The file whose settings are in force, else the nearest, else one in the project's folder."""
    base = work.engine.homes.of(work.path).settings.base
    if base is not None:
        return base / SETTINGS_FILE
    for folder in Path(work.path).parents:
        if (folder / SETTINGS_FILE).is_file():
            return folder / SETTINGS_FILE
    return work.root / SETTINGS_FILE


def _at(source: SourceText, offset: int) -> Span:
    """The empty span at an offset."""
    line = source.text.count("\n", 0, offset) + 1
    start = source.text.rfind("\n", 0, offset) + 1
    column = len(source.text[start:offset].encode())
    return Span(line, column, line, column)
