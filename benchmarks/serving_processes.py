"""Processor time and memory of a process and of all that it started, as the kernel counts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and its descendants that live; a child hangs under the thread that started it."""
    found = [pid]
    for process in found:
        found += children(process)
    return found


def children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, _text(thread).split())
    return found


def cpu_seconds(pid: int) -> float:
    """Of the tree, user and system, with descendants that have ended (proc(5): utime, stime, cutime, cstime)."""
    return sum(map(_ticks, tree(pid))) / TICKS


def _ticks(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def pss_mib(*pids: int) -> float:
    """Memory of the processes, what they share divided among its sharers (proc(5): smaps_rollup)."""
    rows = (row for pid in pids for row in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def _text(file: Path) -> str:
    """The file's text; nothing where the process has ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass
class Peak:
    """The most memory that a tree was seen with."""

    pid: int
    mib: float = 0.0

    def look(self) -> None:
        self.mib = max(self.mib, pss_mib(*tree(self.pid)))

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def peak_memory(pid: int) -> AsyncIterator[Peak]:
    peak = Peak(pid)
    watching = asyncio.create_task(peak.watch())
    try:
        yield peak
    finally:
        watching.cancel()
        peak.look()
