"""Levels of speech for a telephone: measured, set, bent under the peak, and where the first of it begins. Pure.

Hears from: synthesis, samples. Tells: synthesis, 8 kHz 16-bit mono.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
TARGET_DB = -20.0
"""RMS while speaking [dBFS]; ITU-T P.56 active speech level of telephone prompts is set around there."""

PEAK = 0.7

LEAD_S, LEAD_DB = 0.01, -50.0
"""The voice begins a piece with 45-80 ms of silence; before a reply only this much of it is kept [s, dBFS]."""


def active_level_db(samples: NDArray[np.float32]) -> float:
    """RMS of the 20 ms frames within 30 dB of the loudest [dBFS]: a simple active speech level."""
    frame = max(1, len(samples) // 160)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return float(10 * np.log10(np.mean(power[power > power.max() * 1e-3]) + 1e-12))


def to_pcm(samples: NDArray[np.float32]) -> bytes:
    """With a soft knee under `PEAK` so that no phone clips it; 16-bit little-endian."""
    over = np.abs(samples) > PEAK / 2
    bent = np.sign(samples) * (PEAK / 2 + PEAK / 2 * np.tanh((np.abs(samples) - PEAK / 2) / (PEAK / 2)))
    return (np.where(over, bent, samples) * 32767).astype("<i2").tobytes()


def without_lead(pcm: bytes) -> bytes:
    """Sound from `LEAD_S` before its first 5 ms above `LEAD_DB`; nothing if there is none."""
    step = RATE_HZ // 200
    samples = np.frombuffer(pcm, "<i2").astype(np.float64) / 32768
    power = np.mean(samples[: len(samples) // step * step].reshape(-1, step) ** 2, axis=1)
    loud = np.flatnonzero(power > 10 ** (LEAD_DB / 10))
    return pcm[2 * max(0, int(loud[0]) * step - int(LEAD_S * RATE_HZ)) :] if len(loud) else b""
