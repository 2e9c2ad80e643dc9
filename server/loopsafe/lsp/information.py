"""The page that a bug report needs: versions, folders, environments, caches and times."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from importlib import import_module

from loopsafe import __version__
from loopsafe.lsp.workbench import Bench, Workbench

_SHOWN_SLOW = 5
_LIBRARIES = ("pygls", "lsprotocol", "jedi", "parso", "astroid")


def debug_information(workbench: Workbench, folders: tuple[str, ...], waiting: int) -> str:
    """Markdown about the server's state. Runs on the analysis thread."""
    client = workbench.client
    lines = [
        "# Loopsafe: debug information",
        "",
        "## Server",
        f"- Loopsafe {__version__}",
        f"- {platform.python_implementation()} {platform.python_version()} at `{sys.executable}`",
        f"- {platform.platform()}",
        f"- Libraries: {', '.join(_library(name) for name in _LIBRARIES)}",
        f"- Memory: {_memory()}; {len(gc.get_objects())} collectable objects",
        f"- Waiting jobs: {waiting}",
        "",
        "## Client",
        f"- {client.name}, positions in {client.encoding}",
        f"- {'Pulls' if client.pull else 'Is sent'} diagnostics",
        f"- Workspace {'trusted' if client.trusted else 'not trusted'}",
        f"- Folders: {', '.join(f'`{uri}`' for uri in folders) or 'none'}",
    ]
    for bench in workbench.benches:
        lines += ["", f"## Engine of `{bench.home.root}`", *_bench(bench)]
    lines += ["", "## Cache", *_cache(workbench)]
    for problem in workbench.problems:
        lines += ["", f"Settings not in force: `{problem.path}`:{problem.line}: {problem.message}"]
    lines += ["", "## Analyses", *_timings(workbench)]
    return "\n".join(lines) + "\n"


def _bench(bench: Bench) -> Iterator[str]:
    settings = bench.home.settings
    environment = bench.engine.environment
    yield f"- Environment: {environment.label}"
    yield f"- Environment chosen: `{bench.home.python or 'found by looking'}`"
    if environment.problem:
        yield f"- Environment not usable: {environment.problem}"
    yield f"- Settings from: `{settings.base or 'defaults'}`"
    yield f"- Open buffers: {len(bench.open)}"
    yield f"- Modules read: {len(bench.engine.table.loaded())}"


def _cache(workbench: Workbench) -> Iterator[str]:
    """Where answers are kept on disk, and how much of it there is."""
    folder = workbench.cache_folder
    yield f"- Folder: `{folder}`"
    try:
        sizes = [entry.stat().st_size for entry in os.scandir(folder) if entry.is_file()]
    except OSError as error:
        yield f"- Not readable: {error.strerror or error}"
        return
    yield f"- Size: {sum(sizes) / 1e6:.1f} MB in {len(sizes)} files"


def _timings(workbench: Workbench) -> Iterator[str]:
    times = [seconds * 1000 for _, seconds in workbench.timings]
    if not times:
        yield "- None yet"
        return
    yield f"- Last {len(times)}: median {statistics.median(times):.1f} ms, max {max(times):.1f} ms"
    for path, seconds in list(workbench.timings)[-10:]:
        yield f"- {seconds * 1000:.1f} ms `{path}`"
    yield from ("", "Slowest files, at their slowest:")
    slowest = sorted(workbench.slowest.items(), key=lambda item: item[1], reverse=True)
    for path, seconds in slowest[:_SHOWN_SLOW]:
        yield f"- {seconds * 1000:.1f} ms `{path}`"


def _library(name: str) -> str:
    """A library's version; bundles carry no package metadata, but some modules say it."""
    from importlib.metadata import PackageNotFoundError, version  # Slow, and rarely needed.

    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        try:
            return f"{name} {getattr(import_module(name), '__version__', 'bundled')}"
        except ImportError:
            return f"{name} missing"


def _memory() -> str:
    if sys.platform == "win32":
        return "unknown"
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    most = f"{peak / (1024 * 1024 if sys.platform == 'darwin' else 1024):.0f} MB at most"
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:  # Only Linux has it.
        return most
    return f"{pages * resource.getpagesize() / 2**20:.0f} MB now, {most}"
