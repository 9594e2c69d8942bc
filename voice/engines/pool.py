"""The threads that run models: few, fed by urgency, so that one call's long sentence never delays another's ears.

One queue for every call of the process. As many threads as cores: short windows leave nothing to
parallelise inside a model, and two threads per model are what ruins the 95th percentile under load.

Hears from: every engine. Tells: the event loop, through futures.
"""

from __future__ import annotations

import asyncio
import atexit
import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Priority(IntEnum):
    """Smaller runs first.

    ``FIRST_AUDIO``: a caller has finished and waits. ``EAR``: 40 ms a window, wanted 0.2 s after the speech.
    ``RECOGNITION``: begun while the end of a turn is still waited for, so it has 0.15 s to spare (ahead of first words,
    twelve callers in step waited 0.9 s for them). ``SOON``: speech that a caller will run out of within a second.
    ``AHEAD``: made on the guess that the turn is over. ``REST``: speech for later.
    """

    FIRST_AUDIO = 0
    EAR = 1
    RECOGNITION = 2
    SOON = 3
    AHEAD = 4
    REST = 5
    CAPTION = 6
    STOP = 9


URGENT = (Priority.FIRST_AUDIO, Priority.RECOGNITION)
"""What a caller waits for."""
PATIENT = (Priority.REST, Priority.CAPTION)
"""Not beside what is urgent, which it would slow down (the event loop and the calls' sound need the cores too), and
never on every thread at once, or what becomes urgent would wait 40 to 90 ms for one of them."""


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
        self._queue: list[tuple[int, int, Job[Any]]] = []
        self._order = itertools.count()
        self._unfinished = self._patient = self._pressing = 0
        """Wait or run; of those that run, `PATIENT` and `URGENT` ones."""
        self._ready = threading.Condition()
        self._workers = [
            threading.Thread(target=self._work, name=f"engine-{n}", daemon=True) for n in range(self.workers)
        ]
        for worker in self._workers:
            worker.start()
        # A thread still alive when CTranslate2's own are torn down aborts the process (exit 134).
        atexit.register(self.close)

    @property
    def unfinished(self) -> int:
        """Pieces of work that wait or run."""
        return self._unfinished

    def urgent_waiting(self) -> int:
        """How many recognitions and first words no thread has taken yet."""
        return len(self._urgent())

    @property
    def crowded(self) -> bool:
        """Somebody's words or first sound wait for a thread: nothing should be done that may turn out useless."""
        return self.urgent_waiting() > 0

    def urgent_wait_s(self) -> float:
        """How long the oldest of them has waited."""
        return max((time.monotonic() - job.since for job in self._urgent()), default=0.0)

    def submit(self, priority: Priority, work: Callable[[], T]) -> Job[T]:
        job = Job(work, priority)
        with self._ready:
            self._unfinished += 1
        job.add_done_callback(self._finished)
        self._put(job, priority)
        return job

    def hurry(self, job: Job[Any], priority: Priority) -> None:
        """Work that waits is wanted sooner than it was."""
        if priority < job.priority and not job.done():
            job.priority = priority
            self._put(job, priority)

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

    def _put(self, job: Job[Any], priority: Priority) -> None:
        with self._ready:
            heapq.heappush(self._queue, (int(priority), next(self._order), job))
            self._ready.notify()

    def _urgent(self) -> list[Job[Any]]:
        with self._ready:
            return [job for p, _, job in self._queue if p in URGENT and not (job.running() or job.done())]

    def _finished(self, _: Future[Any]) -> None:
        with self._ready:
            self._unfinished -= 1

    def _may_run(self) -> bool:
        if not self._queue:
            return False
        patient = self._queue[0][0] in PATIENT
        return not patient or (not self._pressing and self._patient < max(1, self.workers - 1))

    def _take(self) -> tuple[Job[Any], int]:
        """The next piece of work, once there is one that may run now, and the priority it runs at."""
        with self._ready:
            self._ready.wait_for(self._may_run)
            priority, _, job = heapq.heappop(self._queue)
            self._patient += priority in PATIENT
            self._pressing += priority in URGENT
            return job, priority

    def _ran(self, priority: int) -> None:
        with self._ready:
            self._patient -= priority in PATIENT
            self._pressing -= priority in URGENT
            self._ready.notify()

    def _work(self) -> None:
        while True:
            job, priority = self._take()
            try:
                if job.take():
                    _do(job)
            except _Stop:
                job.set_result(None)
                return
            finally:
                self._ran(priority)
            del job


def _do(job: Job[Any]) -> None:
    try:
        result = job.work()
    except _Stop:
        raise
    except Exception as exc:  # noqa: BLE001 - whatever a model raises belongs to the one who asked
        job.set_exception(exc)
    else:
        job.set_result(result)


class _Stop(Exception):  # noqa: N818 - a signal, not an error
    pass


def _stop() -> None:
    raise _Stop
