"""What a process tree takes of the machine, read from ``/proc``: processor time and memory.

Hears from: Linux. Tells: `voice.evaluation.latency`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_MB = 1e6
_EVERY_S = 1.0


def cpu_s(pid: int) -> float:
    """User and system time of a process so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def rss_mb(pid: int) -> float:
    """Resident memory [MB]."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB
    except OSError:
        return 0.0


def group(pgid: int) -> dict[int, str]:
    """Processes of a process group: number → part of ``warmline`` (worker, gateway, web, serve)."""
    return {pid: part for pid, part in _parts() if _pgrp(pid) == pgid}


def _parts() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"voice.cli" in argv:
            yield int(entry.name), argv[argv.index(b"voice.cli") + 1].decode()


def _pgrp(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


@dataclass(slots=True)
class Meter:
    """Follows a system from `run` until it is cancelled. ``cores``: processor seconds per second, by part."""

    pgid: int
    worker_mb: list[float] = field(default_factory=list)
    """Resident memory of the largest worker, once a second."""
    system_mb: list[float] = field(default_factory=list)
    _cpu: dict[int, tuple[str, float, float]] = field(default_factory=dict)
    _began: float = 0.0

    async def run(self) -> None:
        self._began = time.monotonic()
        while True:
            sizes = {pid: (part, rss_mb(pid)) for pid, part in group(self.pgid).items()}
            for pid, (part, _) in sizes.items():
                first = self._cpu.get(pid, (part, cpu_s(pid), 0.0))[1]
                self._cpu[pid] = (part, first, cpu_s(pid))
            self.worker_mb.append(max((mb for part, mb in sizes.values() if part == "worker"), default=0.0))
            self.system_mb.append(sum(mb for _, mb in sizes.values()))
            await asyncio.sleep(_EVERY_S)

    @property
    def cores(self) -> dict[str, float]:
        wall_s = max(time.monotonic() - self._began, 1e-3)
        out: dict[str, float] = {}
        for part, first, last in self._cpu.values():
            out[part] = out.get(part, 0.0) + (last - first) / wall_s
        return out
