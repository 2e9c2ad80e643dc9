"""Makes the async twin of a client that a function has for itself, and awaits what it does.

client = OpenAI()                           client = AsyncOpenAI()
answer = client.responses.create(...)       answer = await client.responses.create(...)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.made import class_of, construction, is_there, twin_of
from loopsafe.fixes.object_uses import Uses
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety, Span

_CAVEAT = "It is another class of the library: objects given to it must be for async use, too."


def cures(site: Site) -> Iterator[Fix]:
    """The construction and all uses, where each has an async way and none leaves the function."""
    function = site.function
    if function is None or not site.direct:
        return
    made = construction(site, function)
    known = class_of(site, made) if made is not None else None
    if made is None or known is None or not is_there(site, known):
        return
    uses = Uses(site, function)
    try:
        uses.made(made, known)
    except Stuck:
        return
    if not uses.awaits:
        return
    edits = (*uses.imports, *joined(uses.edits))
    title = f"Use {twin_of(made, site, known)}"
    yield Fix(title, Safety.UNSAFE, edits, caveat=caveat_of(known.name))


def caveat_of(cls: str) -> str:
    """What to mind of the twin of a class."""
    return str(table("objects")["caveats"].get(cls.partition(".")[0], _CAVEAT))


def joined(edits: Iterable[Edit]) -> Iterator[Edit]:
    """One insertion for each place, so that equal ones of a chain of calls all stay."""
    places: dict[Span, str] = {}
    path = ""
    for edit in edits:
        path = edit.path
        if edit.span[:2] == edit.span[2:]:
            places[edit.span] = places.get(edit.span, "") + edit.content
        else:
            yield edit
    for span, content in places.items():
        yield Edit(path, span, content)
