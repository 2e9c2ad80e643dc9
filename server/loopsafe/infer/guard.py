"""Fences the worker process in: no code but our own runs there, nothing is started or dialled.

jedi and astroid read source; they import only extension modules of the standard library, to look
at them. This holds even where they would do more: an audit hook refuses it inside Python itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import CodeType
from typing import Any

_MEMORY_BYTES = 3 << 30

_FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "subprocess.Popen",
        "webbrowser.open",
    }
)

_ACTS_WHEN_IMPORTED = frozenset({"antigravity", "idlelib", "test", "this", "turtledemo"})
"""Modules of the standard library that do something when they are imported, as `__main__`s do."""


class Forbidden(ImportError):
    """Something that must not happen in the worker process."""


class Refusal:
    """A finder that refuses modules which act when they are imported."""

    @classmethod
    def find_spec(cls, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name.partition(".")[0] in _ACTS_WHEN_IMPORTED or name.rpartition(".")[2] == "__main__":
            raise Forbidden(f"{name} acts when it is imported")


def fence(libraries: Sequence[str]) -> None:
    """Ends all imports but those of the standard library. There is no way back.

    `libraries` are the folders of our own packages, whose modules may still load each other.
    """
    standard = [path for path in sys.path if path not in libraries]
    sys.path[:] = standard
    sys.path_importer_cache.clear()
    sys.meta_path.insert(0, Refusal)
    trusted = tuple(os.path.join(os.path.abspath(p), "") for p in (*standard, *libraries) if p)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            raise Forbidden(event)
        if event == "exec":
            code = arguments[0]
            file = code.co_filename if isinstance(code, CodeType) else ""
        elif event == "import":
            file = arguments[1] or ""
        else:
            return
        if os.path.isabs(file) and not file.startswith(trusted):
            raise Forbidden(f"{file} is not ours to run")

    sys.addaudithook(hook)


def limit_memory() -> None:
    """An analysed `"a" * 10**11` fails instead of taking the machine's memory."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the server's own time limit remains.
        return
    try:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = _MEMORY_BYTES if most == resource.RLIM_INFINITY else min(_MEMORY_BYTES, most)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))
    except (ValueError, OSError):
        return


def resident_bytes() -> int:
    """The most memory this process had so far; 0 where the platform does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
