"""Sound as it reaches the ear: 8 kHz, one fixed telephone band, one level.

Hears from: whoever has caller audio. Tells: every measurement of this package.

A score collapses when the channel is one it never saw (UAR 0.57 -> 0.17 from narrow band to wide band), so every
caller, wide band or not, passes the same 300-3400 Hz filter (ITU-T G.712's pass band) before anything is measured.
"""

from __future__ import annotations

import functools

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

SAMPLE_RATE_HZ = 8000
BAND_HZ = (300.0, 3400.0)
LEVEL_DBFS = -26.0
"""Nominal speech level of a telephone line (ITU-T P.56 active level as used in P.862)."""
SILENCE_DB = -120.0
_TAPS = 161
_EPS = 1e-12

Samples = NDArray[np.float32]


@functools.cache
def _band_filter() -> NDArray[np.float32]:
    taps = signal.firwin(_TAPS, BAND_HZ, pass_zero=False, fs=SAMPLE_RATE_HZ, window=("kaiser", 5.0))
    return np.asarray(taps, np.float32)


def phone_band(samples: Samples) -> Samples:
    """Limits to 300-3400 Hz without delay (linear phase, 20 ms of context), 8 kHz in and out."""
    if not samples.size:
        return np.zeros(0, np.float32)
    return np.asarray(signal.oaconvolve(samples, _band_filter(), mode="same"), np.float32)


def level_db(samples: Samples) -> float:
    """Root mean square level [dB re full scale]."""
    if not samples.size:
        return SILENCE_DB
    return float(max(10.0 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + _EPS), SILENCE_DB))


def frame(samples: Samples, length: int, hop: int) -> NDArray[np.float32]:
    """Overlapping frames ``[n, length]``; a rest shorter than ``length`` is left out."""
    if samples.size < length:
        return np.zeros((0, length), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]


def frame_levels_db(samples: Samples, length: int = 160, hop: int = 80) -> NDArray[np.float64]:
    """Level of each frame ``[n]`` [dB re full scale]."""
    frames = frame(samples, length, hop)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / length
    return np.asarray(np.maximum(10.0 * np.log10(power + _EPS), SILENCE_DB))


def at_level(samples: Samples, target_db: float = LEVEL_DBFS) -> Samples:
    """The same sound with its louder half at ``target_db``, so that distance to the microphone is no feature.

    The louder half rather than the mean, so that pauses inside the window do not raise the voice.
    """
    levels = frame_levels_db(samples)
    if not levels.size or levels.max() <= SILENCE_DB:
        return samples
    loud = levels[levels >= np.median(levels)]
    active_db = 10.0 * np.log10(np.mean(10.0 ** (loud / 10.0)))
    return np.asarray(samples * np.float32(10.0 ** ((target_db - active_db) / 20.0)), np.float32)


def front_end(samples: Samples) -> Samples:
    """What every caller goes through: telephone band, then one level."""
    return at_level(phone_band(samples))


def resample(samples: Samples, source_hz: float, target_hz: float) -> Samples:
    """Sample rate conversion (soxr, high quality)."""
    if source_hz == target_hz:
        return np.asarray(samples, np.float32)
    return np.asarray(soxr.resample(np.asarray(samples, np.float32), source_hz, target_hz), np.float32)
