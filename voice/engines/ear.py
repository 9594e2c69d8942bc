"""The ear of one call: sound in, windows out, each window as the facts of the record. The same live and offline.

What cannot be measured is *unknown*, never calm: an ear that fails says so in the record.

Hears from: `voice.pipeline.ear_tap`, `voice.scoring_ears`. Tells: facts `ProsodyMeasured`, `EmotionScored`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

from prosody.loudness import CallReference
from prosody.streaming import SpeechWindow, WindowStream
from telephony.facts import EmotionScored, Fact, ProsodyMeasured

if TYPE_CHECKING:
    from prosody.emotion import Ear, WindowScore

log = structlog.get_logger(__name__)


class CallerVoice:
    """One caller's voice. `push` and `turn_ended` belong to one thread, `score` may run in another, one at a time."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._stream = WindowStream()
        self._reference = CallReference()
        self._model = f"{ear.name}:{ear.version[:12]}"

    def push(
        self, samples: NDArray[np.float32], *, start_s: float, speech: bool, lost: bool = False
    ) -> list[SpeechWindow]:
        """Takes 8 kHz samples with one verdict on them; returns the windows they complete."""
        return self._stream.push(samples, start_s=start_s, speech=speech, lost=lost)

    def turn_ended(self) -> list[SpeechWindow]:
        return self._stream.flush()

    def score(self, window: SpeechWindow) -> tuple[Fact, ...]:
        """A window as facts. Blocking, about 10 ms; never raises."""
        try:
            score = self._ear.score(window, self._reference)
        except Exception as exc:  # noqa: BLE001 - whatever the model raises: unknown, and the call goes on
            return self._unknown(window, type(exc).__name__)
        if not _finite(score):
            # A broken model may answer "not a number" without raising: no number, no statement.
            return self._unknown(window, "not a number")
        m = score.measures
        measured = ProsodyMeasured(
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
        low, high = score.p_band or (None, None)
        scored = EmotionScored(
            start=score.start,
            end=score.end,
            arousal=score.arousal,
            p_distress=score.p_distress,
            classes=dict(score.classes),
            abstained=score.abstained,
            reason=score.reason,
            model=self._model,
            p_low=low,
            p_high=high,
        )
        return measured, scored

    def _unknown(self, window: SpeechWindow, why: str) -> tuple[Fact, ...]:
        log.warning("ear failed", error=why)
        return (
            EmotionScored(
                start=window.start, end=window.end, arousal=None, p_distress=None, abstained=True,
                reason=f"ear failed: {why}",
            ),
        )  # fmt: skip


def _finite(score: WindowScore) -> bool:
    values = (score.arousal, score.p_distress, *score.classes.values())
    return all(math.isfinite(v) for v in values if v is not None)
