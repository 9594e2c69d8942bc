"""What the far ends' recordings say of a handoff: silences, and when each first heard the other. Pure.

Hears from: recordings of telephones (sent, heard; 8 kHz). Tells: `voice.evaluation.handoff_calls`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from telephony.phone_audio import RATE_HZ

Samples = npt.NDArray[np.float64]
FRAME = 160
SILENT_DB = -50.0
"""Dead air is below this, measured in 20 ms frames (``docs/glossary.md``)."""
TONE_SHARE = 0.5
"""A frame is a tone's when half of its power lies at the tone's pitch; speech and hold sound stay below 0.2."""


def levels_db(samples: Samples) -> Samples:
    """Level of each 20 ms frame [dBFS]."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12), dtype=np.float64)


def longest_silence_s(stereo: Samples, start_s: float, end_s: float) -> float:
    """Longest run between two moments in which neither side is above -50 dBFS [s]."""
    first, last = int(start_s * RATE_HZ), int(max(start_s, end_s) * RATE_HZ)
    both = np.maximum(levels_db(stereo[first:last, 0]), levels_db(stereo[first:last, 1]))
    longest = run = 0
    for silent in both < SILENT_DB:
        run = run + 1 if silent else 0
        longest = max(longest, run)
    return longest * FRAME / RATE_HZ


def first_tone_s(samples: Samples, hz: float, start_s: float) -> float | None:
    """First moment from ``start_s`` on at which a tone is heard for 60 ms [s]; None when it never is."""
    t = np.arange(FRAME) / RATE_HZ
    probe = np.exp(-2j * np.pi * hz * t) * np.hanning(FRAME)
    first = int(start_s * RATE_HZ) // FRAME
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    window_power = float(np.sum(np.hanning(FRAME) ** 2))
    run = 0
    for k in range(first, len(frames)):
        power = float(np.sum((frames[k] * np.hanning(FRAME)) ** 2))
        # A sine of amplitude A: |X|^2 = (A * sum(w) / 2)^2, power = A^2 / 2 * sum(w^2).
        share = abs(frames[k] @ probe) ** 2 * 2 / (np.sum(np.hanning(FRAME)) ** 2) * window_power / max(power, 1e-12)
        run = run + 1 if power / window_power > 1e-5 and share > TONE_SHARE else 0
        if run == 3:
            return (k - 2) * FRAME / RATE_HZ
    return None


def resemblance(sound: Samples, within: Samples) -> float:
    """Largest normalised correlation of ``sound`` with any stretch of ``within``; 1 = it is in there as it is."""
    if not len(sound) or len(within) < len(sound):
        return 0.0
    dots = fftconvolve(within, sound[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(within**2)])
    of_stretch = np.maximum(energy[len(sound) :] - energy[: -len(sound)], 1e-9)
    return float(np.max(np.abs(dots) / np.sqrt(of_stretch * max(float(np.sum(sound**2)), 1e-9))))
