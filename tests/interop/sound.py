"""Tones in, tones found: how a test tells who heard whom."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soundfile as sf

from tests.call.scripted_worker import tone

RATE_HZ = 8000


def write_tone(path: Path, hz: float, seconds: float) -> str:
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE_HZ)
        f.writeframes(tone(hz, seconds))
    return str(path)


def read(path: Path, channel: int = 0) -> np.ndarray:
    sound, rate = sf.read(path, always_2d=True)
    assert rate == RATE_HZ
    return np.asarray(sound[:, channel])


def span(x: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return x[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]


def share_of(x: np.ndarray, hz: float) -> float:
    """Share of the energy of ``x`` that is at ``hz`` ± 10 Hz."""
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    freqs = np.fft.rfftfreq(len(x), 1 / RATE_HZ)
    return float(spectrum[np.abs(freqs - hz) < 10].sum() / (spectrum.sum() + 1e-12))


def level_db(x: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(x))) + 1e-9))


def seconds_of(x: np.ndarray, hz: float) -> float:
    """How long ``x`` is mainly a tone at ``hz``, in windows of 100 ms."""
    n = RATE_HZ // 10
    windows = x[: len(x) // n * n].reshape(-1, n)
    return sum(level_db(w) > -45 and share_of(w, hz) > 0.6 for w in windows) / 10
