"""What is known of files: by a look in earnest, a glance or a peek, or from an earlier session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.engine.reports import FileReport


class Told:
    """Reports by path; those of a look in earnest with what they rest on, as bits."""

    def __init__(self) -> None:
        self._reports: dict[str, tuple[FileReport, int]] = {}
        self._earlier: dict[str, FileReport] = {}
        """Of files that were not looked at."""
        self._glances: dict[str, FileReport] = {}
        """Of files that were not looked at in earnest."""
        self._peeked: set[str] = set()
        """Those of them that were not glanced at either."""
        self._outdated: dict[str, FileReport] = {}
        """What a look in earnest came to when fewer files were known; of the same texts."""
        self._seen: set[str] = set()
        """Files that were ever looked at in earnest: a glance would know less of them."""
        self._shown: set[str] = set()
        """Files of which somebody was ever told more than they show alone."""

    def known(self, path: str) -> tuple[FileReport, int] | None:
        """What a look in earnest came to."""
        return self._reports.get(path)

    def at_first(self, path: str) -> FileReport | None:
        """What may be told until the file is looked at in earnest."""
        return self._earlier.get(path) or self._glances.get(path)

    def meanwhile(self, path: str) -> FileReport | None:
        """What may be told while the file is looked at again, as more files are known."""
        return self._outdated.get(path)

    def was_seen(self, path: str) -> bool:
        """Whether the file was ever looked at in earnest."""
        return path in self._seen

    def was_shown(self, path: str) -> bool:
        """Whether somebody was ever told more of a file than it shows alone."""
        return path in self._shown

    def is_peek(self, path: str) -> bool:
        """Whether all that is known of a file is what it shows alone."""
        return path in self._peeked

    def kept(self) -> Iterator[FileReport]:
        """What is worth to be kept for a next session."""
        yield from (report for report, _ in self._reports.values())
        yield from self._earlier.values()
        yield from self._outdated.values()

    def note(self, report: FileReport, trace: int) -> None:
        """A file was looked at in earnest."""
        self._reports[report.path] = report, trace
        self._seen.add(report.path)
        self._earlier.pop(report.path, None)
        self._glances.pop(report.path, None)
        self._peeked.discard(report.path)
        self._outdated.pop(report.path, None)

    def note_glance(self, report: FileReport, is_peek: bool = False) -> None:
        """A file was looked at, but not in earnest; in a peek, it alone."""
        self._glances[report.path] = report
        (self._peeked.add if is_peek else self._peeked.discard)(report.path)

    def note_shown(self, path: str) -> None:
        """Somebody was told what is known of a file."""
        if path not in self._peeked:
            self._shown.add(path)

    def remind(self, reports: Iterable[FileReport]) -> None:
        """What an earlier session came to."""
        self._earlier = {report.path: report for report in reports}

    def drop(self, changed: int) -> None:
        """Forgets what rests on any of these bits."""
        if changed:
            for path in [path for path, (_, trace) in self._reports.items() if trace & changed]:
                del self._reports[path]

    def forget(self) -> None:
        """Forgets what this session found out in earnest."""
        self._reports.clear()
        self._outdated.clear()

    def outdate(self) -> None:
        """There are more files: what was found out may only be told until they are minded."""
        self._outdated.update((path, report) for path, (report, _) in self._reports.items())
        self._reports.clear()

    def forget_first(self) -> None:
        """Forgets what may only be told at first: a text is another now."""
        self._earlier.clear()
        self._glances.clear()
        self._peeked.clear()
        self._outdated.clear()
