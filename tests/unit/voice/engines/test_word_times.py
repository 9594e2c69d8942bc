"""Word times against words whose place is known: spoken one by one by the agent's voice and laid end to end."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from tests.unit.voice.engines.conftest import clip
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.word_times import word_times

SENTENCES = (
    "Hello, I am calling about my order. It has not arrived yet.",
    "Nobody told me that the engineer could not come on Monday morning.",
)


def joined(sentence: str, seed: int) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """8 kHz samples and the span [s] of each word; up to 120 ms between two, line noise under all."""
    voice, rng = PiperVoice(default_voice()), np.random.default_rng(seed)
    parts, spans, at = [np.zeros(2400)], [], 0.3
    for word in sentence.split():
        latents = voice.latents(word, 1.0)
        spoken = np.concatenate([voice.samples(latents, c) for c in voice.chunks(latents)])
        narrow = soxr.resample(spoken, voice.rate_hz, 8000)
        loud = np.flatnonzero(np.abs(narrow) > 0.02 * np.abs(narrow).max())
        narrow = narrow[loud[0] : loud[-1] + 1] / np.abs(narrow).max() * 0.3
        spans.append((at, at + len(narrow) / 8000))
        gap = np.zeros(rng.integers(0, 960))
        parts += [narrow, gap]
        at += (len(narrow) + len(gap)) / 8000
    sound = np.concatenate([*parts, np.zeros(2400)])
    return (sound + 5e-4 * rng.standard_normal(len(sound))).astype(np.float32), spans


def test_most_words_begin_within_50_ms_of_their_place() -> None:
    late = []
    for seed, sentence in enumerate(SENTENCES):
        samples, spans = joined(sentence, seed)
        found = word_times(samples, sentence.split())
        assert found is not None
        assert all(a[1] <= b[0] + 1e-9 for a, b in zip(found, found[1:], strict=False)), "words overlap"
        late += [abs(f[0] - s[0]) for f, s in zip(found, spans, strict=True)]
    assert np.median(late) <= 0.03
    assert np.mean(np.asarray(late) <= 0.05) >= 0.8


def test_digits_may_have_been_read_one_by_one() -> None:
    samples, spans = joined("My number is two zero four six please", 3)
    found = word_times(samples, "My number is 2046 please".split())
    assert found is not None
    assert found[3] == pytest.approx((spans[3][0], spans[6][1]), abs=0.1)


def test_what_holds_no_words_has_no_times() -> None:
    assert word_times(clip("librivox-0880"), []) is None
    assert word_times(clip("librivox-0880"), ["…", "-"]) is None
    assert word_times(np.zeros(400, np.float32), ["hello"]) is None
