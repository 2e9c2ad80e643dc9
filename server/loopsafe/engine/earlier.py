"""What an editor is told of files, kept from one session to the next.

A file that is opened again shows at once what it showed last, as long as all that it rested on is
as it was; whoever shows it sees to it that it is looked at in earnest afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from loopsafe.engine import Engine, kept
from loopsafe.engine.reports import FileReport
from loopsafe.text import SourceText


class Earlier:
    """The reports of one engine, as the session before left them and as the next will find them."""

    def __init__(self, engine: Engine) -> None:
        """Reminds the engine, which was not asked anything yet, of the session before."""
        self._engine = engine
        self._cache = engine.table.cache
        self._key = kept.key_of(
            "session",
            sys.version,
            engine.root,
            engine.settings,
            engine.environment,
            tuple(sorted(engine.releases.items())),
            engine.finder.typeshed.identity(),
            engine.catalogue.identity(),
        )
        self._known = kept.recall(self._cache, self._key, ()) if self._cache is not None else None
        self._latest: tuple[dict[str, kept.Answer], kept.Rest] = {}, kept.Rest({}, {})
        """What was kept last in this session, and what it rested on."""
        if self._known is not None:
            engine.remind(self._reports(self._known))

    def keep(self) -> None:
        """Remembers what is known of files by now; nothing while a text is not saved.

        To be asked when the engine knows all files. The cache is to be flushed afterwards.
        """
        if self._cache is None or not self._engine.disk.is_saved():
            return
        reports = [r for r in self._engine.reports() if self._has_usual_settings(r.path)]
        answers = {
            report.path: kept.Answer(report.problems, tuple((f, ()) for f in report.findings))
            for report in reports
            if not report.is_too_large
        }
        rest = kept.Rest(dict(self._engine.disk.seen), dict(self._engine.disk.listed()))
        if _holds(self._latest[1], rest):
            # What was dropped since would be found again.
            answers = {**self._latest[0], **answers}
        if (answers, rest) == self._latest:
            return
        self._latest = answers, rest
        is_carried = any(not self._engine.is_confirmed(path) for path in answers)
        before = self._known if is_carried else None
        kept.keep(self._cache, self._key, rest, answers, None, before)

    def _reports(self, known: kept.Known) -> Iterator[FileReport]:
        for path, answer in known.answers.items():
            if self._has_usual_settings(path):
                try:
                    source = SourceText(self._engine.disk.read(path))
                except (OSError, UnicodeDecodeError, SyntaxError):
                    continue
                findings = tuple(finding for finding, _ in answer.findings)
                yield FileReport(path, source, findings, answer.problems)

    def _has_usual_settings(self, path: str) -> bool:
        """Whether a file is told of as the key says, and not as settings of its own say."""
        return self._engine.homes.of(path).settings == self._engine.settings


def _holds(before: kept.Rest, now: kept.Rest) -> bool:
    """Whether all that was read and looked into is as it was."""
    return all(now.seen.get(path) == seen for path, seen in before.seen.items()) and all(
        now.listed.get(folder) == names for folder, names in before.listed.items()
    )
