"""Runs a program and says what it cost: time on the clock, time on processors, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CAN_COUNT = hasattr(os, "wait4")
"""Whether this system tells a parent what its children used; Windows does not."""

_KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""The unit of `ru_maxrss`: kilobytes on Linux, bytes on macOS."""


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


def measured(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Run:
    """Runs a program to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(variables), stdout=output, stderr=errors
        )
        cost = awaited(process, began)
        if process.returncode not in (0, 1):
            errors.seek(0)
            raise Failed(f"{command[0]} failed: {_last_line(errors.read())}")
        output.seek(0)
        return Run(cost, process.returncode, output.read().decode("utf-8", "replace"))


def awaited(process: subprocess.Popen[bytes], began: float) -> Cost:
    """What a process cost, once it has ended."""
    if not CAN_COUNT:
        process.wait()
        return Cost(time.perf_counter() - began, None, None)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _KILOBYTE)


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


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
