"""The ear beside the talk: once a second of the caller's speech, how it sounded. Never in the way of a turn.

Hears from: `voice.pipeline.hearing`. Tells: the facts of `voice.engines.ear`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from prosody.streaming import SpeechWindow
from telephony.facts import Fact
from voice.engines.ear import CallerVoice
from voice.engines.pool import Priority
from voice.pipeline.port import CallPort

if TYPE_CHECKING:
    from prosody.emotion import Ear

_WAITING_MOST = 3
"""Windows not yet scored; older ones are dropped: a score 3 s late explains nothing any more."""


class Scoring(Protocol):
    """Where windows are scored: the engine pool."""

    async def run(self, priority: Priority, work: Callable[[], tuple[Fact, ...]]) -> tuple[Fact, ...]: ...


class EarTap:
    """The caller's voice in one call. Off for good once told to stop."""

    def __init__(self, ear: Ear, pool: Scoring, port: CallPort) -> None:
        self._voice, self._pool, self._port = CallerVoice(ear), pool, port
        self._waiting: list[SpeechWindow] = []
        self._task: asyncio.Task[None] | None = None
        self._on = True

    def push(self, samples: NDArray[np.float32], *, start_s: float, speech: bool, lost: bool) -> None:
        if self._on:
            self._take(self._voice.push(samples, start_s=start_s, speech=speech, lost=lost))

    def turn_ended(self) -> None:
        if self._on:
            self._take(self._voice.turn_ended())

    def stop(self) -> None:
        """The caller said no, or a human took over: nothing more is measured, and what is under way is thrown away."""
        self._on = False
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def _take(self, windows: list[SpeechWindow]) -> None:
        self._waiting = [*self._waiting, *windows][-_WAITING_MOST:]
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._score_all())

    async def _score_all(self) -> None:
        while self._waiting:
            window = self._waiting.pop(0)
            facts = await self._pool.run(Priority.EAR, lambda w=window: self._voice.score(w))  # type: ignore[misc]
            for fact in facts if self._on else ():
                self._port.emit(fact)
