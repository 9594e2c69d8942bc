"""Active speech level after ITU-T P.56 (12/2011), method B: what "10 dB below the speech" is measured from.

Pauses do not count, the quiet parts of words do. The level of loud samples alone lies 4 to 6 dB higher.
Hears from: `voice.evaluation.spoken`. Tells: the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

_SMOOTHING_S, _HANGOVER_S, _MARGIN_DB = 0.03, 0.2, 15.9
"""Time constant of the envelope, time a sound goes on counting as speech, distance of the threshold from the level."""
_THRESHOLDS = 2.0 ** np.arange(-15, 0)


def active_level_db(samples: NDArray[np.float32], rate_hz: int) -> float:
    """Level [dB re full scale] of float samples [n] while speech is on; ``-inf`` for silence."""
    x = samples.astype(np.float64)
    smooth = np.exp(-1 / (rate_hz * _SMOOTHING_S))
    envelope = np.abs(x)
    for _ in range(2):
        envelope = lfilter([1 - smooth], [1, -smooth], envelope)
    energy, at = float(np.sum(x * x)), np.arange(len(x))
    before: tuple[float, float] | None = None
    for threshold in _THRESHOLDS:
        last = np.maximum.accumulate(np.where(envelope >= threshold, at, -len(x) - rate_hz))
        active = int(np.sum(at - last <= _HANGOVER_S * rate_hz))
        if not active or not energy:
            break
        level = 10 * np.log10(energy / active)
        distance = level - 20 * np.log10(threshold)
        if distance <= _MARGIN_DB:
            if before is None:
                return float(level)
            share = (before[1] - _MARGIN_DB) / (before[1] - distance)
            return float(before[0] + share * (level - before[0]))
        before = (float(level), float(distance))
    return before[0] if before else float("-inf")
