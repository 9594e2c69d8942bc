"""Gives memory that nothing uses any more back to the machine (glibc only; elsewhere nothing happens).

Loading converts weights and leaves holes of 100 MB; each thread's own heap keeps more of them. With two heaps and one
trim after loading the worker has 490 MB instead of 590.

Hears from: `voice.worker`. Tells: the C library.
"""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
"""``malloc.h``; mallopt(3)."""
_ARENAS = 2


def few_heaps() -> None:
    """Threads share two heaps instead of having eight per core. Before any thread starts."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Returns what is free: some milliseconds in which no thread can allocate, so not while a call is up."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
