"""Jitter, shimmer and HNR: how regular the voice is from one glottal period to the next.

Hears from: `prosody.f0`. Tells: features.

Definitions after the Praat manual ("Voice 2. Jitter", "Voice 3. Shimmer", "Harmonicity"). Pulses are waveform peaks, as
in Praat's *To PointProcess (periodic, peaks)*: a peak costs microseconds, cross-correlation milliseconds. In the
telephone band these measures describe the transmitted wave, not the larynx; compare them only with themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.f0 import FRAME_S, HOP_S, F0Track
from prosody.samples import SAMPLE_RATE_HZ, Samples

MAX_PERIOD_FACTOR = 1.3
"""Neighbouring periods that differ by more are a voice break, not jitter (Praat's default)."""
MAX_AMPLITUDE_FACTOR = 1.6
_MIN_PULSES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """``None`` where fewer than five periods could be compared.

    Attributes:
        jitter_ratio: Mean absolute difference of consecutive periods over the mean period (jitter, local).
        shimmer_db: Mean absolute level difference of consecutive periods [dB] (shimmer, local, dB).
        hnr_db: Harmonics-to-noise ratio [dB], from the autocorrelation of voiced frames.
    """

    jitter_ratio: float | None
    shimmer_db: float | None
    hnr_db: float | None


def measure_perturbation(samples: Samples, track: F0Track) -> Perturbation:
    """Measures a window of speech (8 kHz, telephone band) along its F0 track."""
    differences, periods, levels = [], [], []
    polarity = 1.0 if samples.size and samples.max() >= -samples.min() else -1.0
    wave = samples * np.float32(polarity)
    for start, end in voiced_runs(track.voiced):
        times, heights = _pulses(wave, track, start, end)
        if len(times) < _MIN_PULSES:
            continue
        period = np.diff(times)
        first, second = period[:-1], period[1:]
        expected = 1.0 / np.interp(times[1:-1], _frame_times(len(track.f0_hz)), _filled(track.f0_hz))
        steady = np.maximum(first, second) / np.minimum(first, second) < MAX_PERIOD_FACTOR
        steady &= (np.abs(first / expected - 1.0) < 0.3) & (np.abs(second / expected - 1.0) < 0.3)
        differences.append(np.abs(first - second)[steady])
        periods.append(((first + second) / 2.0)[steady])
        ratio = heights[1:] / np.maximum(heights[:-1], 1e-9)
        even = (ratio < MAX_AMPLITUDE_FACTOR) & (ratio > 1.0 / MAX_AMPLITUDE_FACTOR)
        levels.append(np.abs(20.0 * np.log10(np.maximum(ratio, 1e-9)))[even])
    joined = np.concatenate(periods) if periods else np.zeros(0)
    amplitude = np.concatenate(levels) if levels else np.zeros(0)
    return Perturbation(
        jitter_ratio=float(np.concatenate(differences).mean() / joined.mean()) if joined.size >= 5 else None,
        shimmer_db=float(amplitude.mean()) if amplitude.size >= 5 else None,
        hnr_db=harmonicity_db(track),
    )


def harmonicity_db(track: F0Track) -> float | None:
    """Mean over voiced frames of ``10 log10(r / (1 - r))`` [dB], r the normalised autocorrelation."""
    strength = track.strength[track.voiced]
    if strength.size < 5:
        return None
    r = np.clip(strength, 1e-3, 1.0 - 1e-4)
    return float(np.mean(10.0 * np.log10(r / (1.0 - r))))


def voiced_runs(voiced: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of voiced frames as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _frame_times(count: int) -> NDArray[np.float64]:
    return np.asarray(np.arange(count) * HOP_S + FRAME_S / 2.0, np.float64)


def _filled(f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """F0 with unvoiced frames bridged, so that it can be looked up between frames."""
    index = np.flatnonzero(f0_hz)
    return np.interp(np.arange(len(f0_hz)), index, f0_hz[index])


def _pulses(wave: Samples, track: F0Track, start: int, end: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times [s] and heights of the peaks of one voiced run, one per period, refined by a parabola."""
    half = FRAME_S / 4.0
    begin = max(0, int((start * HOP_S + FRAME_S / 2.0 - half) * SAMPLE_RATE_HZ))
    stop = min(wave.size - 1, int(((end - 1) * HOP_S + FRAME_S / 2.0 + half) * SAMPLE_RATE_HZ))
    lags = (SAMPLE_RATE_HZ / track.f0_hz[start:end]).tolist()
    if stop - begin < 3:
        return np.zeros(0), np.zeros(0)
    middle = begin + int(wave[begin:stop].argmax())

    def lag_at(position: int) -> float:
        index = int((position / SAMPLE_RATE_HZ - FRAME_S / 2.0) / HOP_S + 0.5) - start
        return float(lags[min(max(index, 0), len(lags) - 1)])

    marks = [middle]
    for direction in (1, -1):
        here = middle
        while True:
            lag = lag_at(here)
            centre = here + direction * lag
            low, high = int(centre - 0.2 * lag), int(centre + 0.2 * lag) + 1
            if low <= begin or high >= stop:
                break
            here = low + int(wave[low:high].argmax())
            marks.append(here)
    index = np.sort(np.asarray(marks))
    index = index[(index > 0) & (index < wave.size - 1)]
    left, top, right = (wave[index + k].astype(np.float64) for k in (-1, 0, 1))
    bend = left - 2.0 * top + right
    safe = np.where(np.abs(bend) > 1e-12, bend, 1.0)
    shift = np.clip(np.where(np.abs(bend) > 1e-12, 0.5 * (left - right) / safe, 0.0), -0.5, 0.5)
    return (index + shift) / SAMPLE_RATE_HZ, top - 0.25 * (left - right) * shift
