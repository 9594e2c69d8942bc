"""Words of a turn while it is still spoken, for people who follow a call live. Last of all work, and only if asked for.

Nothing is decided by them: they are `Transcribed` with ``final`` false, and the turn's own recognition starts afresh.

Hears from: `voice.pipeline.caller_leg`. Tells: the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import structlog
from numpy.typing import NDArray

from telephony.facts import Fact, Transcribed
from voice.engines.transcription import Captioner

log = structlog.get_logger(__name__)

EVERY_S = 1.0
"""Of speech between two captions; a pass over a whole turn every second costs four times its one recognition."""

Sound = Callable[[float, float], tuple[NDArray[np.float32], float]]


class Captions:
    """Of one caller. ``sound``: what was heard between two call times."""

    def __init__(self, captioner: Captioner, sound: Sound, emit: Callable[[Fact], None]) -> None:
        self._captioner, self._sound, self._emit = captioner, sound, emit
        self._turn_s: float | None = None
        self._due_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def follow(self, turn_s: float | None, now_s: float) -> None:
        """Every window: the present turn's start, if there is one, and the call time."""
        if turn_s != self._turn_s:
            self.close()
            self._turn_s = turn_s
            self._due_s = now_s + EVERY_S
        if turn_s is None or now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._caption(turn_s, now_s))

    def close(self) -> None:
        """Nothing more of this turn."""
        if self._task is not None:
            self._task.cancel()

    async def _caption(self, start_s: float, end_s: float) -> None:
        samples, _ = self._sound(start_s, end_s)
        try:
            text = await self._captioner.caption(samples)
        except Exception as exc:  # noqa: BLE001 - whatever the recogniser raises: nobody waits for a caption
            log.warning("no caption", why=type(exc).__name__)
            return
        if text:
            self._emit(Transcribed(leg="caller", start=start_s, end=end_s, text=text, final=False))
