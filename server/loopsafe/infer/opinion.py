"""Asks the worker process, within limits of time; whatever goes wrong, the answer is "unknown"."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from loopsafe.infer.process import Ended, Overrun, Process
from loopsafe.infer.wire import Answer, Question, Search, answer_from
from loopsafe.modules.environment import Environment


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    start: float = 20.0
    question: float = 3.0
    """Of computing, after which the worker gives a question up."""
    patience: float = 12.0
    """By the clock, after which a worker that has not answered is ended."""
    file: float = 20.0
    """For all of a file's questions in one inquiry."""


_MOST_RESTARTS = 2
"""Within one file. Questions that a process dies of tend to come in groups."""

_MOST_FAILED_STARTS = 2


def never() -> bool:
    """Asks for nothing to stop."""
    return False


def cache_folder() -> Path:
    """In the user's cache, never in the workspace: what it holds is read back as it is."""
    return Path(platformdirs.user_cache_path("loopsafe", appauthor=False)) / "inference"


class SecondOpinion:
    """jedi and astroid in a process that is started when first asked. Any thread may ask."""

    def __init__(
        self, search: Search, cache: Path | None = None, limits: Limits | None = None
    ) -> None:
        self.search = search
        self.limits = limits or Limits()
        self._cache = cache or cache_folder()
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._batches = 0
        self._failed_starts = 0
        self._closed = False

    def extra(
        self,
        questions: Sequence[Question],
        texts: Mapping[str, str],
        cancelled: Callable[[], bool] = never,
    ) -> dict[Question, Answer]:
        """The answers there were time for. A question that is missing was not asked in earnest.

        `texts` are the unsaved buffers that matter, by path.
        """
        answers: dict[Question, Answer] = {}
        with self._lock:
            deadline = time.monotonic() + self.limits.file
            left = list(questions)
            for _ in range(1 + _MOST_RESTARTS):
                if not left or cancelled() or time.monotonic() > deadline or not self._ready():
                    break
                done = self._batch(left, dict(texts), answers, deadline, cancelled)
                left = left[done:]
        return answers

    def close(self) -> None:
        """Ends the process; nothing is answered any more."""
        self._closed = True
        process = self._process
        if process is not None:
            process.end()

    @property
    def pid(self) -> int | None:
        """Of the worker, while there is one."""
        return self._process.pid if self._process is not None else None

    def _ready(self) -> bool:
        """Whether there is a process to ask, starting one where there is none."""
        if self._process is not None and not self._process.is_alive:
            self._drop(self._process)
        if self._process is not None:
            return True
        if self._closed or self._failed_starts >= _MOST_FAILED_STARTS:
            return False
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            process = Process(self.search, self._cache, self.limits.question)
        except (OSError, Ended):
            self._failed_starts += 1
            return False
        try:
            process.receive(self.limits.start, never)
        except (Overrun, Ended):
            process.end()
            self._failed_starts += 1
            return False
        self._failed_starts = 0
        self._process = process
        return True

    def _batch(
        self,
        questions: list[Question],
        texts: dict[str, str],
        answers: dict[Question, Answer],
        deadline: float,
        cancelled: Callable[[], bool],
    ) -> int:
        """Asks until an end, the good or the bad; gives how many questions are dealt with."""
        process = self._process
        assert process is not None
        self._batches += 1
        batch = self._batches
        done = 0
        try:
            process.ask(batch, questions, texts)
            while done < len(questions):
                if time.monotonic() > deadline:
                    process.stop(batch)
                    break
                message = process.receive(self.limits.patience, cancelled)
                if message is None:
                    process.stop(batch)
                    return len(questions)
                if message.get("batch") != batch:
                    continue  # Left over from questions that were called off.
                if "done" in message:
                    break
                answers[questions[done]] = _answer(message)
                done += 1
        except (Overrun, Ended):
            self._drop(process)
            answers[questions[done]] = ()
            return done + 1
        return len(questions)

    def _drop(self, process: Process) -> None:
        process.end()
        self._process = None


def _answer(message: dict[str, Any]) -> Answer:
    try:
        return answer_from(message["answer"])
    except (KeyError, TypeError, ValueError):
        return ()


def search_of(root: Path, roots: Sequence[Path], environment: Environment, typeshed: str) -> Search:
    """A `Search` from what the engine knows of its project."""
    return Search(
        os.path.abspath(root),
        tuple(os.path.abspath(path) for path in roots),
        tuple(os.path.abspath(path) for path in environment.paths),
        tuple((name, os.path.abspath(place)) for name, place in environment.editable.items()),
        str(environment.prefix or ""),
        environment.version,
        typeshed,
    )
