"""Removes an ignore comment that hides nothing, or a rule from one that hides something else.

await asyncio.sleep(1)  # loopsafe: ignore[blocking-sleep]
await asyncio.sleep(1)
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety
from loopsafe.suppress import removal


def cures(site: Site) -> Iterator[Fix]:
    """Without the comment, or the rule."""
    source, span = site.context.source, site.finding.span
    text = source.slice(span)
    title = "Remove the comment" if text.startswith("#") else f"Remove {text} from the comment"
    yield Fix(title, Safety.SAFE, (removal(site.context.path, source, span),))
