"""Sound that looks and times like speech, without being anyone's: a pulse train through three formants, word by word.

A word is loud exactly between its start and end, so a test can tell whether a lit word is the one that sounds.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

RATE_HZ = 8000
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    start: float
    end: float
    text: str


def words_of(text: str, start: float, rate_wps: float) -> list[Word]:
    """Words with times [s] after ``start``; longer words take longer, 60 ms between two."""
    out, at = [], start
    for w in text.split():
        length = (0.12 + 0.055 * len(w)) * 2.6 / rate_wps
        out.append(Word(start=round(at, 3), end=round(at + length, 3), text=w))
        at += length + 0.06
    return out


def voice(total: Samples, words: list[Word], *, f0_hz: float, level_db: float, bend: float) -> None:
    """Adds words to ``total`` (call time 0 = sample 0). ``bend``: rise of F0 over a word, upset voices bend more."""
    for word in words:
        a, n = int(word.start * RATE_HZ), int((word.end - word.start) * RATE_HZ)
        t = np.arange(n) / RATE_HZ
        rng = np.random.default_rng(zlib.crc32(word.text.encode()))
        f0 = f0_hz * (1 + bend * np.sin(np.pi * t / t[-1]) + 0.01 * rng.standard_normal())
        phase = np.cumsum(f0) / RATE_HZ
        source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(n)
        for centre in (350 + 500 * rng.random(), 1100 + 900 * rng.random(), 2500.0):
            r, w = np.exp(-np.pi * 90 / RATE_HZ), 2 * np.pi * centre / RATE_HZ
            source = lfilter([1.0], [1.0, -2 * r * np.cos(w), r * r], source)
        syllables = max(1, round(len(word.text) / 3))
        shape = (0.35 + 0.65 * np.abs(np.sin(np.pi * syllables * t / t[-1]))) * np.minimum(
            1, np.minimum(t, t[::-1]) / 0.012
        )
        source = source * shape
        total[a : a + n] += source / (np.sqrt(np.mean(source**2)) + 1e-9) * 10 ** (level_db / 20)


def hold_sound(total: Samples, start: float, end: float) -> None:
    n = int((end - start) * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * f * t) for f in (262, 330, 392)) / 3
    total[int(start * RATE_HZ) :][:n] += 0.02 * chord * (0.6 + 0.4 * np.sin(2 * np.pi * 0.25 * t))


def finish(total: Samples) -> npt.NDArray[np.int16]:
    """Line noise at -66 dBFS and 16 bits."""
    noise = np.random.default_rng(0).standard_normal(len(total)) * 10 ** (-66 / 20)
    return (np.clip(total + noise, -1, 1) * 32767).astype(np.int16)
