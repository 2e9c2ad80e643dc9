"""Reports our own ignore comments, and rules in them, that hide nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from loopsafe.config import CODES
from loopsafe.model import Cost, Finding, Severity
from loopsafe.spelling import did_you_mean
from loopsafe.suppress import Suppressions, Useless

CODE = "unused-ignore"


def check(
    path: str,
    hidden: Suppressions,
    findings: Iterable[Finding],
    severity_of: Callable[[str, Cost], Severity],
) -> Iterator[Finding]:
    """A hint at each comment, or rule in one, that hides none of a file's findings.

    Of rules that are switched off nobody knows what they would find, so they are left alone.
    """
    severity = severity_of(CODE, Cost.TRIVIAL)
    if severity is Severity.OFF:
        return
    off = {code for code in CODES if severity_of(code, Cost.STALL) is Severity.OFF}
    for useless in hidden.useless(findings, off, CODES):
        yield Finding(
            path=path,
            span=useless.span,
            code=CODE,
            category=CODE,
            cost=Cost.TRIVIAL,
            severity=severity,
            message=_message(useless),
            function="",
        )


def _message(useless: Useless) -> str:
    if not useless.code:
        return "this comment hides nothing"
    if useless.code not in CODES:
        return f"there is no rule {useless.code} to hide{did_you_mean(useless.code, CODES)}"
    return f"there is no {useless.code} to hide here"
