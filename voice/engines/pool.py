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
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Priority(IntEnum):
    """Smaller runs first."""

    RECOGNITION = 0
    FIRST_AUDIO = 1
    EAR = 2
    REST = 3
    STOP = 9


class EnginePool:
    """A fixed number of daemon threads behind one priority queue; first in, first out within a priority."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or max(2, os.cpu_count() or 1)
        self._queue: queue.PriorityQueue[tuple[int, int, Future[Any], Callable[[], Any]]] = queue.PriorityQueue()
        self._order = itertools.count()
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

    def submit(self, priority: Priority, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._count:
            self._unfinished += 1
        future.add_done_callback(self._finished)
        self._queue.put((int(priority), next(self._order), future, work))
        return future

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
            _, _, future, work = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = work()
            except _Stop:
                future.set_result(None)
                return
            except Exception as exc:  # noqa: BLE001 - whatever a model raises belongs to the one who asked
                future.set_exception(exc)
            else:
                future.set_result(result)
            del future, work


class _Stop(Exception):  # noqa: N818 - a signal, not an error
    pass


def _stop() -> None:
    raise _Stop
