"""Makes calls of packages on a running loop and notes what each does to it: the truth for
`scripts/precision.py`.

    python -m venv scratch
    scratch/bin/pip install -r tests/observed/requirements.txt
    scratch/bin/python scripts/observe.py tests/observed/calls.toml tests/observed/truth.tsv

Names of packages behind that observe these anew. Every call runs in a process and a folder of its
own. No name is looked up and nothing outside is reached: all addresses lead to a socket of this
script, which accepts and never answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PATIENCE_SECONDS = 120
_SUBJECT = Path(__file__).with_name("observe_one.py")
HEADER = "package\tversion\tcall\ttruth\tseen\n"


def main(calls: Path, table: Path, names: list[str]) -> None:
    """Observes the calls of a list, or of some packages in it, and writes what was seen."""
    with calls.open("rb") as file:
        packages = tomllib.load(file)
    lines = table.read_text("utf-8").splitlines(keepends=True)[1:] if names else []
    kept = [line for line in lines if line.partition("\t")[0] not in names]
    with table.open("w", encoding="utf-8") as out:
        out.writelines([HEADER, *kept])
        for name in names or packages:
            for call, truth, seen in _observed(packages[name]):
                out.write(f"{name}\t{_version(name)}\t{call}\t{truth}\t{seen}\n")
            out.flush()
            print(name, file=sys.stderr)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _observed(package: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What each call of a package did: `blocks`, `clear`, or `unknown` with the reason."""
    calls = [line for line in package["calls"].splitlines() if line]
    for call in calls:
        told = json.dumps({"setup": package["setup"], "call": call})
        with tempfile.TemporaryDirectory(prefix="observed-") as folder:
            yield (call, *_verdict(_run(told, folder), call))


def _run(told: str, folder: str) -> dict[str, Any]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": folder,
        "XDG_CACHE_HOME": folder,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-W", "ignore", str(_SUBJECT), told]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return {"ended": "never"}
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("OBSERVED "):
            with contextlib.suppress(ValueError):
                found: dict[str, Any] = json.loads(line.removeprefix("OBSERVED "))
                return found
    lines = done.stderr.strip().splitlines() or [""]
    return {"ended": f"no answer: {lines[-1]}"}


def _verdict(found: dict[str, Any], call: str) -> tuple[str, str]:
    events = [e for e in found.get("events", ()) if call.startswith("await") or e != "metadata"]
    ended = " ".join(str(found.get("ended", "")).split())[:120]
    if events or found.get("stalled"):
        seen = sorted(set(events)) + ["stall"] * bool(found.get("stalled"))
        return "blocks", ", ".join(seen)
    return ("clear" if ended in ("returned", "waited") else "unknown"), ended


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
