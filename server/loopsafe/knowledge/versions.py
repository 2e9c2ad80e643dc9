"""Which entries hold for which release of a library."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_NEWEST = Version("999999")


def is_range(versions: str) -> bool:
    """Whether a text says which versions are meant: `>=2,<3`."""
    try:
        SpecifierSet(versions)
    except InvalidSpecifier:
        return False
    return True


def fits(release: str, versions: str) -> bool:
    """Whether a range has a release in it; one that is not known counts as the newest.

    What comes before a release is like it.
    """
    try:
        version = Version(Version(release).base_version) if release else _NEWEST
    except InvalidVersion:
        version = _NEWEST
    return SpecifierSet(versions).contains(version, prereleases=True)


def allowed(requirement: str) -> str:
    """The highest release that a requirement allows, `2.999999` for `<3`; empty for the newest."""
    try:
        wanted = SpecifierSet(requirement)
    except InvalidSpecifier:
        return ""
    if wanted.contains(_NEWEST, prereleases=True):
        return ""
    bounds = [bound for part in wanted for bound in _below(part.operator, part.version)]
    fitting = [bound for bound in bounds if wanted.contains(bound, prereleases=True)]
    return str(max(fitting)) if fitting else ""


def _below(operator: str, text: str) -> list[Version]:
    """The highest releases that one part of a requirement may leave."""
    try:
        version = Version(text.removesuffix(".*"))
    except InvalidVersion:
        return []
    numbers = list(version.release)
    if operator in ("==", "===", "<=") and not text.endswith(".*"):
        return [version]
    if operator == "==":
        return [_made([*numbers, _NEWEST.major])]
    if operator == "~=":
        return [_made([*numbers[:-1], _NEWEST.major])]
    if operator == "<":
        while numbers and not numbers[-1]:
            numbers.pop()
        return [_made([*numbers[:-1], numbers[-1] - 1, _NEWEST.major])] if numbers else []
    return []


def _made(numbers: list[int]) -> Version:
    return Version(".".join(map(str, numbers)))
