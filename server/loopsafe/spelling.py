"""What may have been meant by a word that nothing is called."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], before: str = "") -> str:
    """`, did you mean `x`?` where a known word is close, else nothing.

    Underscores and capitals may stand for the hyphens and small letters of a known word. What
    stands before the word, and leads to it, is told with it.
    """
    words = list(known)
    folded = word.lower().replace("_", "-")
    close = get_close_matches(word, words, n=1) or get_close_matches(folded, words, n=1)
    return f", did you mean `{before}{close[0]}`?" if close else ""
