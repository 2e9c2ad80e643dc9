"""Runs a program and says what it cost: time on the clock, time on processors, peak memory."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAN_COUNT = hasattr(os, "wait4")
"""Whether this system tells a parent what its children used; Windows does not."""

_KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""The unit of `ru_maxrss`: kilobytes on Linux, bytes on macOS."""

_COUNTER = """
import json, os, sys, time
report, *command = sys.argv[1:]
began = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
with open(report, "w") as file:
    print(pid, file=file, flush=True)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps([wall, cpu, usage.ru_maxrss]), file=file)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""
"""A parent of its own for each program: a process counts the memory of the one that started it as
its own, so that one has to be small."""


class Failed(Exception):
    """A program that could not do what it was started for."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program used, with the children it waited for."""

    wall: float
    """Seconds."""
    cpu: float | None
    """Seconds, user and system together."""
    memory: float | None
    """Bytes at its peak, of the largest process."""


@dataclass(frozen=True, slots=True)
class Run:
    """A program that has ended."""

    cost: Cost
    code: int
    output: str


class Started:
    """A running program whose use is counted. Its streams are those of `process`."""

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], **streams: Any
    ) -> None:
        handle, name = tempfile.mkstemp(prefix="loopsafe-bench-")
        os.close(handle)
        self._report = Path(name)
        self._began = time.perf_counter()
        counter = (sys.executable, "-I", "-S", "-c", _COUNTER, name) if CAN_COUNT else ()
        self.process = subprocess.Popen(
            [*counter, *command], cwd=folder, env=dict(variables), **streams
        )

    @property
    def pid(self) -> int | None:
        """The program's own."""
        if not CAN_COUNT:
            return self.process.pid
        first = self._report.read_text("utf-8").partition("\n")[0]
        return int(first) if first else None

    def kill(self) -> None:
        """Ends the program, if it still runs."""
        if self.process.poll() is None and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # It has ended in this moment.
                os.kill(self.pid, signal.SIGTERM)

    def cost(self) -> Cost:
        """What it used, once it has ended."""
        self.process.wait()
        wall = time.perf_counter() - self._began
        try:
            _, _, told = self._report.read_text("utf-8").partition("\n")
        finally:
            self._report.unlink()
        if not told:
            return Cost(wall, None, None)
        wall, cpu, memory = json.loads(told)
        return Cost(wall, cpu, memory * _KILOBYTE)


def measured(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Run:
    """Runs a program to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = Started(command, folder, variables, stdout=output, stderr=errors)
        cost = started.cost()
        code = started.process.returncode
        if code not in (0, 1):
            errors.seek(0)
            raise Failed(f"{command[0]} failed: {_last_line(errors.read())}")
        output.seek(0)
        return Run(cost, code, output.read().decode("utf-8", "replace"))


def cpu_seconds(pid: int) -> float | None:
    """What a running process has used so far; None where the system does not say."""
    try:
        if sys.platform == "linux":
            # The program's name, in brackets, may hold spaces; the fields begin behind it.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if sys.platform == "darwin":
            told = subprocess.run(
                ["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True
            )
            minutes, seconds = told.stdout.strip().split(":")[-2:]
            return int(minutes) * 60 + float(seconds)
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        return None
    return None


def resident_bytes(pid: int) -> int:
    """Memory of a running process and of those below it, on Linux; elsewhere 0."""
    if sys.platform != "linux":
        return 0
    total = 0
    todo = [pid]
    while todo:
        here = todo.pop()
        try:
            total += int(Path(f"/proc/{here}/statm").read_text().split()[1])
            for thread in Path(f"/proc/{here}/task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
        except (OSError, ValueError, IndexError):
            continue  # It has ended meanwhile.
    return total * os.sysconf("SC_PAGE_SIZE")


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
