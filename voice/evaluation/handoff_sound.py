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
TONE_DROP_DB = 8.0
"""A line and its codec take less than this from a tone; a jitter buffer's first frames are cut, not soft."""
TONE_APART_HZ, TONE_ABOVE_DB = 150.0, 10.0
"""A tone is that much stronger than what lies beside it; a sibilant of the same power is as strong there."""
TONE_RUN = 3
"""[frames] A click or a consonant is shorter."""


def levels_db(samples: Samples) -> Samples:
    """Level of each 20 ms frame [dBFS]."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12), dtype=np.float64)


def longest_silence_s(channels: Samples, start_s: float, end_s: float) -> float:
    """Longest run between two moments in which no channel is above -50 dBFS [s]."""
    first, last = int(start_s * RATE_HZ), int(max(start_s, end_s) * RATE_HZ)
    loudest = np.max([levels_db(channel) for channel in channels[first:last].T], axis=0)
    longest = run = 0
    for silent in loudest < SILENT_DB:
        run = run + 1 if silent else 0
        longest = max(longest, run)
    return longest * FRAME / RATE_HZ


def first_sound_s(samples: Samples, start_s: float) -> float | None:
    """First moment from ``start_s`` on that is not digital silence [s]; None when all is."""
    first = int(start_s * RATE_HZ)
    found = np.flatnonzero(samples[first:])
    return (first + int(found[0])) / RATE_HZ if len(found) else None


def first_tone_s(samples: Samples, hz: float, amplitude: float, start_s: float) -> float | None:
    """First moment from ``start_s`` on at which a sine is heard for 60 ms beside anything else [s]; None if never."""
    first = int(start_s * RATE_HZ) // FRAME
    frames = samples[first * FRAME : len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    at, below, above = (_amplitudes(frames, f) for f in (hz, hz - TONE_APART_HZ, hz + TONE_APART_HZ))
    loud = at > amplitude * 10 ** (-TONE_DROP_DB / 20)
    alone = at > np.maximum(below, above) * 10 ** (TONE_ABOVE_DB / 20)
    run = 0
    for k, heard in enumerate(loud & alone):
        run = run + 1 if heard else 0
        if run == TONE_RUN:
            return (first + k - TONE_RUN + 1) * FRAME / RATE_HZ
    return None


def _amplitudes(frames: Samples, hz: float) -> Samples:
    """Of the sine of that frequency in each frame; a Hann window is 100 Hz wide at 20 ms."""
    window = np.hanning(FRAME)
    probe = window * np.exp(-2j * np.pi * hz * np.arange(FRAME) / RATE_HZ)
    return np.asarray(2 * np.abs(frames @ probe) / np.sum(window), dtype=np.float64)


def resemblance(sound: Samples, within: Samples) -> float:
    """Largest normalised correlation of ``sound`` with any stretch of ``within``; 1 = it is in there as it is."""
    if not len(sound) or len(within) < len(sound):
        return 0.0
    dots = fftconvolve(within, sound[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(within**2)])
    of_stretch = np.maximum(energy[len(sound) :] - energy[: -len(sound)], 1e-9)
    return float(np.max(np.abs(dots) / np.sqrt(of_stretch * max(float(np.sum(sound**2)), 1e-9))))
