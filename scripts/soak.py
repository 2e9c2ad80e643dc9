"""`npm run soak`: hours of editing, played faster than life, to see what they leave behind.

A session is made up from a seed, so that it can be played again: typing by keys with pauses,
half-typed lines, hovers and menus, undoing, saving, other files, and changes on disk by others.
It fails where the server's memory grows by more than a fifth after it has warmed up, or where
it logs an error.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.client import Client
from benchmark.edits import STATEMENTS, Edited, chosen
from benchmark.processes import Failed

ROOT = Path(__file__).parents[1]
_WARM_SHARE = 0.25
"""Of the session, after which memory has to stay as it is."""
_MOST_GROWTH = 0.2
_KEYS_PER_SECOND = 5.0
_PAUSE_SECONDS = (2.0, 12.0)
_PAUSES_WITHIN = 0.4
"""How often somebody stops in the middle of a line."""
_LINES = (*STATEMENTS, ("# a word about", " the next line"))
_MOST_LINES = 8
"""In a file at a time; then all are taken back."""


def main() -> int:
    """Plays the session over each project in turn, and gives the exit code."""
    arguments = _arguments()
    failed = False
    for project in arguments.projects:
        with tempfile.TemporaryDirectory(prefix="loopsafe-soak-") as folder:
            place = Path(folder).resolve() / project.name
            shutil.copytree(project, place, ignore=shutil.ignore_patterns(".git", ".venv"))
            try:
                failed |= not _soak(place, arguments, Path(folder) / "cache")
            except Failed as error:
                print(f"soak: {project.name}: {error}", file=sys.stderr)
                failed = True
    return int(failed)


@dataclass(slots=True)
class Seen:
    """What a session came to."""

    waits: list[float] = field(default_factory=list)
    """Seconds from a pull to its answer."""
    work: list[float] = field(default_factory=list)
    """Seconds of processor time in each of these, which a busy machine does not change."""
    again: list[float] = field(default_factory=list)
    """Those of the first pulls of files after others have come or gone on disk: they are apart."""
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Share of the session that is over, and bytes that the server and its helpers hold."""
    keys: int = 0

    def at(self, share: float) -> int:
        """The memory at a share of the session."""
        return next(size for passed, size in self.memory if passed >= share)

    def growth(self) -> float:
        """How much more memory the last part holds than the first after the warm-up."""
        warm = [size for share, size in self.memory if share >= _WARM_SHARE]
        part = max(len(warm) // 5, 1)
        first, last = statistics.median(warm[:part]), statistics.median(warm[-part:])
        return last / first - 1


def _soak(folder: Path, arguments: argparse.Namespace, cache: Path) -> bool:
    files = chosen(folder, 6)
    if not files:
        raise Failed("no file with an async function to edit")
    # The second opinion has a process of its own, whose memory comes and goes.
    settings = {"delay": 150, "codeLens": "on", "secondOpinion": False}
    variables = {**os.environ, "LOOPSAFE_CACHE_DIR": str(cache)}
    server = os.environ.get("LOOPSAFE_SERVER") or str(ROOT / "bundled" / "libs")
    command = [sys.executable, "-I", "-S", "-X", "utf8", server, "server"]
    with Client(command, folder, settings, variables) as client:
        seen = _play(client, files, arguments)
        errors = client.errors
    growth = seen.growth()
    p95, work = (_milliseconds(times, 0.95) for times in (seen.waits, seen.work))
    curve = " -> ".join(f"{seen.at(share) / 1e6:.0f}" for share in (0, _WARM_SHARE, 0.5, 0.75, 1))
    print(
        f"{folder.name}: {seen.keys} keys, {len(seen.waits) + len(seen.again)} pulls, median "
        f"{_milliseconds(seen.waits, 0.5):.0f} ms, p95 {p95:.0f} ms (150 ms of it the pause), "
        f"of processor time {_milliseconds(seen.work, 0.5):.0f} and {work:.0f} ms "
        f"({_milliseconds(seen.again, 0.5):.0f} ms once files came or went), "
        f"memory {curve} MB at each quarter, {growth:+.1%} after the first, "
        f"{len(errors)} errors in the log"
    )
    for message in errors[:5]:
        print(f"  {message.splitlines()[0]}")
    return growth <= _MOST_GROWTH and not errors


def _milliseconds(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)] * 1000 if times else 0.0


def _play(client: Client, files: list[Edited], arguments: argparse.Namespace) -> Seen:
    """The session; time that the server takes does not count as time that the user waits."""
    chance = random.Random(arguments.seed)
    seen = Seen()
    typed: dict[Path, dict[tuple[int, str], str]] = {file.path: {} for file in files}
    for file in files:
        client.open(file.path, file.text)
        client.diagnostics(file.path)
    client.rest()
    began, length = time.monotonic(), arguments.minutes * 60 / arguments.speed
    measured = 0.0
    unsettled: set[Path] = set()
    while (share := (time.monotonic() - began) / length) < 1:
        if share >= measured:
            seen.memory.append((share, client.memory))
            measured += 0.01
        file = chance.choice(files)
        own = typed[file.path]
        place = chance.choice(file.places)
        for is_key in _typed(own, place, chance):
            if is_key:
                client.change(file.path, file.having(own))
                seen.keys += 1
                time.sleep(1 / _KEYS_PER_SECOND / arguments.speed)
            else:
                _pull(client, file.path, seen, unsettled)
        _look(client, file, file.having(own), chance)
        if _taken_back(own, place, chance):
            client.change(file.path, file.having(own))
        if chance.random() < 0.1:
            _by_others(client, chance.choice(files), chance)
            unsettled = {each.path for each in files}
        time.sleep(chance.uniform(*_PAUSE_SECONDS) / arguments.speed)
    seen.memory.append((1.0, client.memory))
    return seen


def _typed(
    own: dict[tuple[int, str], str], place: tuple[int, str], chance: random.Random
) -> Iterator[bool]:
    """Types a line key by key; True after each, False where whoever types it stops and looks."""
    own[place] = ""
    parts = chance.choice(_LINES)
    for part in parts:
        for key in part:
            own[place] += key
            yield True
        if part is parts[-1] or chance.random() < _PAUSES_WITHIN:
            yield False


def _taken_back(
    own: dict[tuple[int, str], str], place: tuple[int, str], chance: random.Random
) -> bool:
    """Whether the last line is deleted again, or all that were typed in a file are."""
    is_enough = len(own) > _MOST_LINES or chance.random() < 0.1
    if is_enough:
        own.clear()
    elif chance.random() < 0.3:
        del own[place]
        return True
    return is_enough


def _pull(client: Client, path: Path, seen: Seen, unsettled: set[Path]) -> None:
    """Asks for a file's findings; `unsettled` are those that are to be found anew."""
    start, used = time.perf_counter(), client.cpu or 0.0
    client.diagnostics(path)
    took, worked = time.perf_counter() - start, (client.cpu or 0.0) - used
    if path in unsettled:
        unsettled.remove(path)
        seen.again.append(worked)
    else:
        seen.waits.append(took)
        seen.work.append(worked)


def _look(client: Client, file: Edited, text: str, chance: random.Random) -> None:
    """What editors ask of themselves, and what people rest the mouse on."""
    line = chance.randrange(text.count("\n") + 1)
    document = {"textDocument": {"uri": file.path.as_uri()}}
    position = {"line": line, "character": 8}
    client.ask("textDocument/hover", {**document, "position": position})
    range_ = {"start": position, "end": position}
    client.ask(
        "textDocument/codeAction", {**document, "range": range_, "context": {"diagnostics": []}}
    )
    for lens in (client.ask("textDocument/codeLens", document) or ())[:5]:
        if "command" not in lens:
            client.ask("codeLens/resolve", lens)


def _by_others(client: Client, file: Edited, chance: random.Random) -> None:
    """A file that appears and goes, as when a branch is switched or another tool works."""
    path = file.path.with_name(f"loopsafe_soak_{chance.randrange(5)}.py")
    kind = 3 if path.exists() else 1
    if kind == 3:
        path.unlink()
    else:
        path.write_text("import time\n\n\ndef work():\n    time.sleep(1)\n", "utf-8")
    client.tell(
        "workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind}]}
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run soak --", description=__doc__)
    add = parser.add_argument
    own = [ROOT / "examples" / "shop", ROOT / "server"]
    add("projects", nargs="*", type=Path, default=own, help="default: the sample, and Loopsafe")
    add("--minutes", type=float, default=120, help="of editing in each; default: 120")
    add("--speed", type=float, default=10, help="times as fast as life; default: 10")
    add("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
