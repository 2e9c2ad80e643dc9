"""Code actions, made from our own findings at the current version; the client's are not read.

Clients send back diagnostics of older texts, or in other units than they agreed to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from loopsafe.lsp import chain, teaching
from loopsafe.lsp.workbench import Work
from loopsafe.model import Finding, Fix, Safety, Span

FIX_ALL = "source.fixAll.loopsafe"
NOTEBOOK_FIX_ALL = f"notebook.{FIX_ALL}"
"""All cells at once: asked for one time for a notebook, where the other is asked for each cell."""
EXTRACT = types.CodeActionKind.RefactorExtract.value
KINDS: tuple[str, ...] = (
    *(types.CodeActionKind.QuickFix.value, FIX_ALL, teaching.KIND, EXTRACT),
    NOTEBOOK_FIX_ALL,
)
_PREFIX = "Loopsafe: "
_ALL_TITLES = {
    "plain-def": "Make every blocking endpoint without await a plain def",
}
"""By group of fixes."""
_FIX_ALL_TITLE = f"{_PREFIX}Fix all safe problems"


def code_actions(work: Work, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Cures of the findings in a range, ways to hide them, what to teach, the cure of the file,
    then what may be done with the selected lines."""
    wanted = _filter(params.context.only)
    span = work.span(params.range)
    actions: list[types.CodeAction] = []
    offers = [_Offer.of(work, f) for f in work.report.findings if _touch(f.span, span)]
    if wanted(KINDS[0]):
        actions.extend(_quick_fixes(work, offers, hiding=False))
        actions.extend(_groups(work, offers, params.text_document.uri))
        actions.extend(_show_chain(work, offers))
        actions.extend(_quick_fixes(work, offers, hiding=True))
        actions.extend(_refused(work, offers))
        actions.extend(teaching.of_findings(work, [offer.finding for offer in offers]))
    kind = FIX_ALL if work.cell is None else NOTEBOOK_FIX_ALL
    is_asked_for = bool(params.context.only) or (work.cell is None and any(map(_has_safe, offers)))
    if wanted(kind) and is_asked_for:
        actions.extend(_fix_all(work, params.text_document.uri, kind))
    if wanted(teaching.KIND):
        actions.extend(teaching.of_calls(work, span))
    if wanted(EXTRACT) and span[:2] != span[2:]:
        actions.extend(_moves(work, span))
    return actions


def resolve(work: Work, action: types.CodeAction) -> types.CodeAction:
    """The action with the edit that it promised."""
    data: Any = action.data
    group = data.get("group") if isinstance(data, dict) else None
    if isinstance(group, str):
        action.edit = work.edit(work.engine.fix_group(group, work.engine.paths()), action.title)
    else:
        action.edit = work.edit(work.engine.fix_all(work.path))
    return action


def uri_to_resolve(action: types.CodeAction) -> str | None:
    """The address of the file whose action is asked for."""
    data: Any = action.data
    uri = data.get("uri") if isinstance(data, dict) else None
    return uri if isinstance(uri, str) else None


def _filter(only: Sequence[str] | None) -> Callable[[str], bool]:
    """Whether a kind is asked for: itself, a kind above it, or nothing in particular."""

    def wanted(kind: str) -> bool:
        if not only:
            return True
        names = [str(getattr(name, "value", name)) for name in only]
        return any(not name or kind == name or kind.startswith(f"{name}.") for name in names)

    return wanted


@dataclass(frozen=True, slots=True)
class _Offer:
    """A finding and the fixes that may be applied to it."""

    finding: Finding
    fixes: tuple[Fix, ...]
    refused: tuple[Fix, ...] = ()

    @staticmethod
    def of(work: Work, finding: Finding) -> _Offer:
        fixes = (*work.engine.fixes(finding), *work.engine.wide_fixes(finding))
        refused = tuple(fix for fix in fixes if fix.kind == "refused")
        return _Offer(finding, tuple(fix for fix in fixes if _may_offer(work, fix)), refused)

    @property
    def preferred(self) -> Fix | None:
        """The one safe cure, if there is exactly one: editors apply it without asking."""
        safe = [fix for fix in self.fixes if _is_safe_cure(fix)]
        return safe[0] if len(safe) == 1 else None


def _has_safe(offer: _Offer) -> bool:
    return any(_is_safe_cure(fix) for fix in offer.fixes)


def _may_offer(work: Work, fix: Fix) -> bool:
    if fix.kind == "ignore":
        return work.editor.offers_ignore
    return fix.safety is not Safety.DISPLAY


def _is_safe_cure(fix: Fix) -> bool:
    return fix.kind != "ignore" and fix.safety is Safety.SAFE


def _quick_fixes(
    work: Work, offers: Sequence[_Offer], *, hiding: bool
) -> Iterator[types.CodeAction]:
    """The cures, or the comments that hide findings."""
    for offer in offers:
        preferred = offer.preferred
        for fix in offer.fixes:
            if (fix.kind == "ignore") is hiding:
                yield from _quick_fix(work, offer.finding, fix, fix is preferred)


def _quick_fix(
    work: Work, finding: Finding, fix: Fix, is_preferred: bool
) -> Iterator[types.CodeAction]:
    edit = work.edit(fix.edits, fix.title)
    if edit is None:
        return
    yield types.CodeAction(
        title=f"{_PREFIX}{fix.title}",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[work.diagnostic(finding)],
        is_preferred=True if is_preferred and work.convert.client.preferred_actions else None,
        edit=edit,
    )


def _show_chain(work: Work, offers: Sequence[_Offer]) -> Iterator[types.CodeAction]:
    """The way to a call that is further down, in editors that can show it."""
    deep = [offer.finding for offer in offers if len(offer.finding.chain) > 1]
    if deep and chain.SHOW in work.convert.client.commands:
        title = f"{_PREFIX}Show blocking chain"
        yield types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[work.diagnostic(deep[0])],
            command=chain.command(work, deep[0], chain.SHOW, title),
        )


def _groups(work: Work, offers: Sequence[_Offer], uri: str) -> Iterator[types.CodeAction]:
    """A fix for all that it fits in this file; in the workspace, once somebody chooses that."""
    groups = {f.group for offer in offers for f in offer.fixes if f.group and _is_safe_cure(f)}
    for group in sorted(groups & _ALL_TITLES.keys()):
        edits = work.engine.fix_group(group, (work.path,))
        title = f"{_PREFIX}{_ALL_TITLES[group]}"
        if len(edits) > 1:
            yield types.CodeAction(
                title=f"{title} in this file ({len(edits)})",
                kind=types.CodeActionKind.QuickFix,
                edit=work.edit(edits),
            )
        if work.convert.client.resolves_edits and work.engine.paths():
            yield types.CodeAction(
                title=f"{title} in the workspace",
                kind=types.CodeActionKind.QuickFix,
                data={"uri": uri, "group": group},
            )


def _refused(work: Work, offers: Sequence[_Offer]) -> Iterator[types.CodeAction]:
    """What somebody may look for in vain, with the reason; not in the menu of the light bulb."""
    if not work.convert.client.disabled_actions:
        return
    for fix in dict.fromkeys(fix for offer in offers for fix in offer.refused):
        yield types.CodeAction(
            title=f"{_PREFIX}{fix.title}",
            kind=types.CodeActionKind.QuickFix,
            disabled=types.CodeActionDisabled(fix.caveat),
        )


def _moves(work: Work, span: Span) -> Iterator[types.CodeAction]:
    for fix in work.engine.moves(work.path, span):
        edit = work.edit(fix.edits)
        if edit is not None:
            kind = types.CodeActionKind.RefactorExtract
            yield types.CodeAction(title=f"{_PREFIX}{fix.title}", kind=kind, edit=edit)


def _fix_all(work: Work, uri: str, kind: str) -> Iterator[types.CodeAction]:
    """One action for the whole; its edit is made when it is chosen, where the client can wait."""
    if not work.report.findings:
        return
    action = types.CodeAction(title=_FIX_ALL_TITLE, kind=kind, data={"uri": uri})
    if not work.convert.client.resolves_edits:
        action.data = None
        resolve(work, action)
        if action.edit is None:
            return
    yield action


def _touch(left: Span, right: Span) -> bool:
    """Whether two spans meet; a cursor at the very end of a name is still on it."""
    return left[:2] <= right[2:] and right[:2] <= left[2:]
