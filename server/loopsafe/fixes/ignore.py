"""Hides a finding by a comment on its line, which asks for the reason.

requests.get(url)  # loopsafe: ignore[blocking-http] TODO: say why
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety
from loopsafe.suppress import ignore_edit

_REASON = "TODO: say why"


def cures(site: Site) -> Iterator[Fix]:
    """The comment."""
    finding, context = site.finding, site.context
    edit = ignore_edit(context.path, context.source, finding.span.line, finding.code, _REASON)
    if edit:
        title = f"Ignore {finding.code} on this line"
        yield Fix(title, Safety.DISPLAY, (edit,), kind="ignore")
