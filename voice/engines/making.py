"""A piece of speech while it is made: once for everybody who wants it, dropped when nobody does any more.

Calls that say the same sentence at the same time share it, and a reply that was begun on a guess is taken over where
it stands.

Hears from: synthesis. Tells: synthesis, chunks of sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

from voice.engines.pool import EnginePool, Job, Priority

T = TypeVar("T")
Urgency = Callable[[], Priority]


class Making:
    """``made``: what there is so far. The most urgent listener says how urgent the next step is."""

    def __init__(self, pool: EnginePool, over: Callable[[Making], None]) -> None:
        """``over`` is called once, when it is whole or given up."""
        self._pool, self._over = pool, over
        self._wanted: list[Urgency] = []
        self._job: Job[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.made: list[bytes] = []
        self.whole = False

    def begin(self, chunks: AsyncIterator[bytes]) -> None:
        """``chunks`` does its work through `step`."""
        self._task = asyncio.get_running_loop().create_task(self._run(chunks))

    async def step(self, work: Callable[[], T]) -> T:
        """Result of one piece of work on the pool."""
        job = self._pool.submit(self._urgency(), work)
        self._job = job
        return await asyncio.wrap_future(job)

    async def listen(self, urgency: Urgency) -> AsyncGenerator[bytes]:
        """Every chunk from the first on. The last listener to leave before the end stops the work.

        Raises:
            Exception: Whatever the voice raised.
        """
        self._wanted.append(urgency)
        if self._job is not None:
            self._pool.hurry(self._job, self._urgency())
        n = 0
        try:
            while True:
                while n < len(self.made):
                    n += 1
                    yield self.made[n - 1]
                if self._task is None or self._task.done():
                    if self._task is not None:
                        self._task.result()
                    return
                await self._news.wait()
        finally:
            self._wanted.remove(urgency)
            if not self._wanted and self._task is not None:
                self._task.cancel()

    async def _run(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                self.made.append(chunk)
                self._tell()
            self.whole = True
        finally:
            self._over(self)
            # The task is done only after this: whoever listens looks again then.
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _urgency(self) -> Priority:
        return min((wanted() for wanted in self._wanted), default=Priority.REST)
