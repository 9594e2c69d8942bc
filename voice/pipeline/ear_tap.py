"""The ear beside the talk: once a second of the caller's speech, how it sounded. Never in the way of a turn.

What cannot be measured is *unknown*, never calm: a failing ear says so in the record and the call goes on.

Hears from: `voice.pipeline.hearing`. Tells: facts `ProsodyMeasured`, `EmotionScored`.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

from prosody.loudness import CallReference
from prosody.streaming import SpeechWindow, WindowStream
from telephony.facts import EmotionScored, ProsodyMeasured
from voice.engines.pool import EnginePool, Priority
from voice.pipeline.port import CallPort

if TYPE_CHECKING:
    from prosody.emotion import Ear, WindowScore

log = structlog.get_logger(__name__)

_WAITING_MOST = 3
"""Windows not yet scored; older ones are dropped: a score 3 s late explains nothing any more."""


class EarTap:
    """The caller's voice in one call. Off for good once told to stop."""

    def __init__(self, ear: Ear, pool: EnginePool, port: CallPort) -> None:
        self._ear, self._pool, self._port = ear, pool, port
        self._stream = WindowStream()
        self._reference = CallReference()
        self._waiting: list[SpeechWindow] = []
        self._task: asyncio.Task[None] | None = None
        self._on = True

    def push(self, samples: NDArray[np.float32], *, start_s: float, speech: bool, lost: bool) -> None:
        if self._on:
            self._take(self._stream.push(samples, start_s=start_s, speech=speech, lost=lost))

    def turn_ended(self) -> None:
        if self._on:
            self._take(self._stream.flush())

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
            try:
                score = await self._pool.run(Priority.EAR, lambda w=window: self._ear.score(w, self._reference))  # type: ignore[misc]
            except Exception as exc:  # noqa: BLE001 - whatever the model raises: unknown, and the call goes on
                log.warning("ear failed", error=type(exc).__name__)
                self._unknown(window, f"ear failed: {type(exc).__name__}")
                continue
            if not _finite(score):
                # A broken model may answer "not a number" without raising: no number, no statement.
                log.warning("ear failed", error="not a number")
                self._unknown(window, "ear failed: not a number")
            elif self._on:
                self._report(score)

    def _report(self, score: WindowScore) -> None:
        m = score.measures
        self._port.emit(
            ProsodyMeasured(
                start=score.start,
                end=score.end,
                f0_hz=m.f0_hz,
                f0_range_st=m.f0_range_st,
                loudness_db=m.loudness_db,
                rate_syl_s=m.rate_syl_s,
                pause_ratio=m.pause_ratio,
                jitter_ratio=m.jitter_ratio,
                shimmer_db=m.shimmer_db,
                hnr_db=m.hnr_db,
                snr_db=m.snr_db,
            )
        )
        self._port.emit(
            EmotionScored(
                start=score.start,
                end=score.end,
                arousal=score.arousal,
                p_distress=score.p_distress,
                classes=dict(score.classes),
                abstained=score.abstained,
                reason=score.reason,
                model=f"{self._ear.name}:{self._ear.version[:12]}",
            )
        )

    def _unknown(self, window: SpeechWindow, reason: str) -> None:
        if self._on:
            scored = EmotionScored(
                start=window.start, end=window.end, arousal=None, p_distress=None, abstained=True, reason=reason
            )
            self._port.emit(scored)


def _finite(score: WindowScore) -> bool:
    values = (score.arousal, score.p_distress, *score.classes.values())
    return all(math.isfinite(v) for v in values if v is not None)
