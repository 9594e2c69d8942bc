"""Memory across calls, at the rim: looked up when the caller is verified, written and erased as the log says.

Hears from: the call's log. Tells: the store; the log (`MatterRecalled`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from telephony.facts import CallAnswered, CallerVerified, ConsentChanged, MatterRemembered
from telephony.messages import Stamped
from voice.pipeline.port import CallPort
from voice.store.memory import Memories

log = structlog.get_logger(__name__)


class MemoryKeeper:
    """Memory in one call. Nothing is looked up for anybody who is not verified."""

    def __init__(self, memories: Memories, port: CallPort) -> None:
        self._memories, self._port = memories, port
        self._call = self._identity = ""
        self._refused = False
        self._tasks: set[asyncio.Task[None]] = set()

    def restore(self, log: Sequence[Stamped]) -> None:
        """What another worker has acted on."""
        for stamped in log:
            self._note(stamped)

    def _note(self, stamped: Stamped) -> None:
        match stamped.fact:
            case CallAnswered(call_id=call):
                self._call = call
            case CallerVerified(identity=identity):
                self._identity = identity
            case ConsentChanged(purpose="memory", allowed=allowed):
                self._refused = not allowed

    def committed(self, stamped: Stamped) -> None:
        """What follows from a fact, off the event loop."""
        self._note(stamped)
        match stamped.fact:
            case CallerVerified() if self._refused:
                self._aside(self._forget)
            case CallerVerified():
                self._aside(self._recall)
            case MatterRemembered() as kept:
                self._aside(lambda: self._memories.keep(kept, self._call))
            case ConsentChanged(purpose="memory", allowed=False) if self._identity:
                self._aside(self._forget)

    async def settled(self) -> None:
        """Waits until everything is written."""
        await asyncio.gather(*self._tasks)

    def _forget(self) -> None:
        self._memories.forget(self._identity)

    def _recall(self) -> None:
        if (known := self._memories.recall(self._identity)) is not None:
            self._loop.call_soon_threadsafe(self._port.emit, known)

    def _aside(self, work: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except (SQLAlchemyError, OSError) as exc:
            log.error("memory failed, the call goes on without it", why=type(exc).__name__)
