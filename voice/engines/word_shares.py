"""Times of words where nobody has listened for each: the stretch of speech, shared out. Pure.

`voice.engines.word_times` is for those who want to hear a word begin. Hears from: `voice.engines.transcription`. Tells:
the same.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_RATE_HZ = 8000

Word = tuple[float, float, str]


def speech_span(samples: NDArray[np.float32]) -> tuple[float, float]:
    """First and last second with sound within 30 dB of the loudest 20 ms."""
    frame = _RATE_HZ // 50
    n = len(samples) // frame
    if n == 0:
        return 0.0, len(samples) / _RATE_HZ
    level = np.sqrt(np.mean(samples[: n * frame].reshape(n, frame).astype(np.float64) ** 2, axis=1))
    loud = np.flatnonzero(level >= level.max() * 10 ** (-30 / 20))
    return float(loud[0]) * frame / _RATE_HZ, float(loud[-1] + 1) * frame / _RATE_HZ


def proportional_words(text: str, span_s: tuple[float, float]) -> tuple[Word, ...]:
    """Word times by their share of letters: right to about a word, enough to find the place in a replay."""
    words = text.split()
    weights = [len(re.sub(r"\W", "", w)) + 1.5 for w in words]
    start, end = span_s
    scale = (end - start) / sum(weights) if weights else 0.0
    out: list[Word] = []
    for word, weight in zip(words, weights, strict=True):
        out.append((round(start, 3), round(start + weight * scale, 3), word))
        start += weight * scale
    return tuple(out)
