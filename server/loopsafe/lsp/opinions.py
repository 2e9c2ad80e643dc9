"""The second opinion on what the user looks at: jedi and astroid are asked when a file is opened or
saved, and what they add is shown when it is there.

They take seconds and have a process of their own; only the questions and what the answers change
are work for the analysis thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Literal

from loopsafe.infer.deepening import MOST_ROUNDS, Inquiry
from loopsafe.lsp.session import Session
from loopsafe.lsp.workbench import Work
from loopsafe.lsp.worker import Rank

_OPENED_SECONDS = 3.0
"""Until a file that was opened is asked about."""
_SAVED_SECONDS = 10.0
"""The same after a save: editors save by themselves, and who types on is not asked about."""
_LATER_SECONDS = 1.0
"""Between looks whether a file's own analysis is done."""
_LABEL = "Second opinion"
_log = logging.getLogger(__name__)


class Opinions:
    """One file at a time; what is typed into is left alone until it is saved."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def opened(self, uri: str) -> None:
        """A file is looked at now."""
        self._want(uri, _OPENED_SECONDS)

    def saved(self, uri: str) -> None:
        """A file's text may stay as it is for a while."""
        self._want(uri, _SAVED_SECONDS)

    def leave(self, uri: str) -> None:
        """A file was changed or closed: answers would be about a text that is gone."""
        task = self._tasks.pop(uri, None)
        if task:
            task.cancel()

    def _want(self, uri: str, pause: float) -> None:
        self.leave(uri)
        task = self._tasks[uri] = asyncio.ensure_future(self._run(uri, pause))
        task.add_done_callback(_log_failure)

    async def _run(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        async with self._turn:
            for _ in range(MOST_ROUNDS):
                inquiry = await self._inquiry(uri)
                if inquiry is None:
                    return
                await self._ask(uri, inquiry)

    async def _inquiry(self, uri: str) -> Inquiry | None:
        """What to ask about a file, once it was looked at in earnest."""
        while (found := await self._session.ask(uri, _LABEL, _inquire, Rank.BACKGROUND)) == "later":
            await asyncio.sleep(_LATER_SECONDS)
        return found

    async def _ask(self, uri: str, inquiry: Inquiry) -> None:
        """Waits for the answers, and tells where they change what is found."""
        left = threading.Event()
        try:
            answers = await asyncio.to_thread(inquiry.ask, left.is_set)
        finally:
            left.set()

        def learn(work: Work) -> bool:
            return work.engine.learn(inquiry, answers) is not None

        if await self._session.ask(uri, _LABEL, learn, Rank.BACKGROUND):
            self._session.news()


def _inquire(work: Work) -> Inquiry | Literal["later"] | None:
    """On the analysis thread."""
    if not work.engine.is_confirmed(work.path):
        return "later"
    return work.engine.inquire(work.path)


def _log_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error:
        _log.error("%s failed: %s", _LABEL, error, exc_info=error)
