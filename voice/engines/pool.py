"""The threads that run models: few, fed by urgency, so that one call's long sentence never delays another's ears.

One queue for every call of the process. As many threads as cores: short windows leave nothing to
parallelise inside a model, and two threads per model are what ruins the 95th percentile under load.

Hears from: every engine. Tells: the event loop, through futures.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Priority(IntEnum):
    """Smaller runs first.

    ``FIRST_AUDIO``: a caller has finished and waits; recognition is begun while the end of a turn is still waited for,
    so it has 0.1 s to spare (with recognition first, twelve callers in step waited 0.9 s for words). ``EAR``: 14 ms
    a window. ``SOON``: speech that a caller will run out of within a second. ``AHEAD``: made on the guess that the turn
    is over. ``REST``: speech for later.
    """

    FIRST_AUDIO = 0
    RECOGNITION = 1
    EAR = 2
    SOON = 3
    AHEAD = 4
    REST = 5
    CAPTION = 6
    STOP = 9


class Job(Future[T]):
    """One piece of work. It may stand in the queue more than once: the first thread to `take` it does it."""

    def __init__(self, work: Callable[[], T], priority: Priority) -> None:
        super().__init__()
        self.work, self.priority, self.since = work, priority, time.monotonic()
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Whether this is the first to ask, and nobody has cancelled it."""
        return self._taken.acquire(blocking=False) and self.set_running_or_notify_cancel()


class EnginePool:
    """A fixed number of daemon threads behind one priority queue; first in, first out within a priority."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or max(2, os.cpu_count() or 1)
        self._queue: queue.PriorityQueue[tuple[int, int, Job[Any]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._urgent: deque[Job[Any]] = deque()
        self._unfinished = 0
        self._count = threading.Lock()
        self._workers = [
            threading.Thread(target=self._work, name=f"engine-{n}", daemon=True) for n in range(self.workers)
        ]
        for worker in self._workers:
            worker.start()
        # A thread still alive when CTranslate2's own are torn down aborts the process (exit 134).
        atexit.register(self.close)

    @property
    def waiting(self) -> int:
        """Pieces of work that no thread has taken yet."""
        return self._queue.qsize()

    @property
    def unfinished(self) -> int:
        """Pieces of work that wait or run."""
        return self._unfinished

    def urgent_wait_s(self) -> float:
        """How long the oldest recognition or first words that no thread has taken have waited. One caller only."""
        while self._urgent and (self._urgent[0].running() or self._urgent[0].done()):
            self._urgent.popleft()
        return time.monotonic() - self._urgent[0].since if self._urgent else 0.0

    def submit(self, priority: Priority, work: Callable[[], T]) -> Job[T]:
        job = Job(work, priority)
        with self._count:
            self._unfinished += 1
        job.add_done_callback(self._finished)
        if priority <= Priority.RECOGNITION:
            self._urgent.append(job)
        self._queue.put((int(priority), next(self._order), job))
        return job

    def hurry(self, job: Job[Any], priority: Priority) -> None:
        """Work that waits is wanted sooner than it was."""
        if priority < job.priority and not job.done():
            job.priority = priority
            self._queue.put((int(priority), next(self._order), job))

    async def run(self, priority: Priority, work: Callable[[], T]) -> T:
        """Result of ``work`` from a thread. Cancelling drops it while it still waits; running work is let finish."""
        return await asyncio.wrap_future(self.submit(priority, work))

    def close(self) -> None:
        """Ends the threads after everything queued. Closing again does nothing."""
        atexit.unregister(self.close)
        workers, self._workers = self._workers, []
        for _ in workers:
            self.submit(Priority.STOP, _stop)
        for worker in workers:
            worker.join()

    def _finished(self, _: Future[Any]) -> None:
        with self._count:
            self._unfinished -= 1

    def _work(self) -> None:
        while True:
            _, _, job = self._queue.get()
            if not job.take():
                continue
            try:
                result = job.work()
            except _Stop:
                job.set_result(None)
                return
            except Exception as exc:  # noqa: BLE001 - whatever a model raises belongs to the one who asked
                job.set_exception(exc)
            else:
                job.set_result(result)
            del job


class _Stop(Exception):  # noqa: N818 - a signal, not an error
    pass


def _stop() -> None:
    raise _Stop
