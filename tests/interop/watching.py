"""Waits for files of other processes by the kernel's word (inotify), not by asking again and again."""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE, _IN_DELETE = 0x2, 0x80, 0x100, 0x200
"""inotify(7)."""
_LIBC = ctypes.CDLL(None, use_errno=True)


async def until(root: Path, found: Callable[[], T], timeout_s: float) -> T:
    """The first true answer of ``found``, asked whenever something below ``root`` has changed.

    Raises:
        TimeoutError: None came.
    """
    fd = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def drain() -> None:
        os.read(fd, 1 << 16)
        changed.set()

    loop.add_reader(fd, drain)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                changed.clear()
                # Watched before asked: what comes in between wakes us again; a folder made meanwhile is watched then.
                _watch(fd, root)
                if answer := found():
                    return answer
                await changed.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)


def _watch(fd: int, root: Path) -> None:
    nearest = next(p for p in (root, *root.parents) if p.is_dir())
    for folder in [nearest, *(p for p in nearest.rglob("*") if p.is_dir())] if nearest == root else [nearest]:
        _LIBC.inotify_add_watch(fd, str(folder).encode(), _IN_MODIFY | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE)
