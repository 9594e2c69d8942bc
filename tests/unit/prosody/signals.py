"""Closed-form signals: voices whose F0, jitter, shimmer and noise are known because they were put there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE_HZ = 8000
OVERSAMPLED_HZ = 64000
FORMANTS = ((500.0, 80.0), (1500.0, 120.0), (2500.0, 160.0))


def voice(
    f0_hz: float | NDArray[np.float64],
    seconds: float = 2.0,
    *,
    jitter: float = 0.0,
    shimmer_db: float = 0.0,
    hnr_db: float | None = None,
    syllables_hz: float = 0.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """A pulse train through three formants, 8 kHz, level about -20 dBFS.

    Args:
        f0_hz: Constant, or one value per sample of 8 kHz.
        seconds: Length.
        jitter: Consecutive periods alternate by ``+-jitter / 2`` of the period, so jitter (local) is ``jitter``.
        shimmer_db: Consecutive amplitudes alternate by this many dB.
        hnr_db: White noise is added at this ratio; ``None``: no noise.
        syllables_hz: Raised-cosine amplitude modulation, full depth.
        seed: Of the noise.
    """
    count = int(seconds * OVERSAMPLED_HZ)
    track = np.broadcast_to(np.asarray(f0_hz, float), int(seconds * RATE_HZ)) if np.ndim(f0_hz) else None
    source = np.zeros(count)
    time, k = 0.01, 0
    while time < seconds - 0.01:
        place = time * OVERSAMPLED_HZ
        whole, part = int(place), place - int(place)
        height = 10.0 ** ((shimmer_db / 2.0 if k % 2 else -shimmer_db / 2.0) / 20.0)
        source[whole] += height * (1.0 - part)
        source[whole + 1] += height * part
        here = float(track[int(time * RATE_HZ)]) if track is not None else float(f0_hz)
        time += (1.0 + (jitter / 2.0 if k % 2 else -jitter / 2.0)) / here
        k += 1
    for frequency, width in FORMANTS:
        radius = np.exp(-np.pi * width / OVERSAMPLED_HZ)
        source = signal.lfilter(
            [1.0], [1.0, -2 * radius * np.cos(2 * np.pi * frequency / OVERSAMPLED_HZ), radius**2], source
        )
    out = signal.resample_poly(source, RATE_HZ, OVERSAMPLED_HZ)
    out *= 0.1 / np.std(out)
    if syllables_hz:
        out *= 0.5 - 0.5 * np.cos(2 * np.pi * syllables_hz * np.arange(out.size) / RATE_HZ)
    if hnr_db is not None:
        noise = np.random.default_rng(seed).standard_normal(out.size)
        out = out + noise * np.std(out) * 10.0 ** (-hnr_db / 20.0)
    return out.astype(np.float32)


def noise(seconds: float, level_db: float, seed: int = 0) -> NDArray[np.float32]:
    """White noise at ``level_db`` dBFS, 8 kHz."""
    samples = np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))
    return (samples * 10.0 ** (level_db / 20.0)).astype(np.float32)
