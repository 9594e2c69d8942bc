"""Windows come out the same however the audio was cut, and hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody.streaming import MAX_PAUSE_S, SpeechWindow, WindowStream
from tests.unit.prosody.signals import RATE_HZ

SAMPLES = np.random.default_rng(1).standard_normal(9 * RATE_HZ).astype(np.float32)


def feed(verdicts: list[tuple[float, bool]], block_s: list[float]) -> list[SpeechWindow]:
    """Runs of (length [s], speech) cut into blocks of the lengths in ``block_s``, in turn."""
    stream, windows, place, turn = WindowStream(), [], 0, 0
    for length, speech in verdicts:
        end = place + round(length * RATE_HZ)
        while place < end:
            stop = min(place + max(round(block_s[turn % len(block_s)] * RATE_HZ), 1), end)
            windows += stream.push(SAMPLES[place:stop], start_s=place / RATE_HZ, speech=speech)
            place, turn = stop, turn + 1
    return windows + stream.flush()


runs = st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.4, 0.9, 1.3]), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(runs, st.lists(st.sampled_from([0.02, 0.032, 0.01, 0.3, 0.0333]), min_size=1, max_size=3))
def test_cutting_makes_no_difference(verdicts: list[tuple[float, bool]], block_s: list[float]) -> None:
    whole, cut = feed(verdicts, [60.0]), feed(verdicts, block_s)
    assert len(whole) == len(cut)
    for a, b in zip(whole, cut, strict=True):
        assert (a.start, a.end) == (pytest.approx(b.start), pytest.approx(b.end))
        assert a.pause_ratio == pytest.approx(b.pause_ratio)
        np.testing.assert_array_equal(a.samples, b.samples)


def test_two_seconds_of_speech_then_one_more_each() -> None:
    windows = feed([(5.3, True)], [0.032])
    assert [w.end for w in windows] == pytest.approx([2.0, 3.0, 4.0, 5.0])
    assert [w.start for w in windows] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    for window in windows:
        np.testing.assert_array_equal(
            window.samples, SAMPLES[round(window.start * RATE_HZ) : round(window.end * RATE_HZ)]
        )


def test_a_short_turn_is_scored_from_one_and_a_half_seconds() -> None:
    assert feed([(1.4, True)], [0.02]) == []
    (window,) = feed([(1.6, True)], [0.02])
    assert window.speech_s == pytest.approx(1.6)


def test_the_rest_of_a_scored_turn_is_not_scored_twice() -> None:
    assert len(feed([(2.9, True)], [0.02])) == 1


def test_pauses_are_kept_short_and_counted() -> None:
    (window,) = feed([(1.0, True), (2.0, False), (1.0, True)], [0.02])
    assert window.speech_s == pytest.approx(2.0)
    assert window.samples.size == pytest.approx((2.0 + MAX_PAUSE_S) * RATE_HZ, abs=2)
    assert (window.start, window.end) == (0.0, pytest.approx(4.0))
    assert window.pause_ratio == pytest.approx(0.5)


def test_lost_audio_is_counted() -> None:
    stream = WindowStream()
    stream.push(SAMPLES[: RATE_HZ // 2], start_s=0.0, speech=True, lost=True)
    (window,) = stream.push(SAMPLES[: 3 * RATE_HZ // 2], start_s=0.5, speech=True)
    assert window.lost_ratio == pytest.approx(0.25)


def test_noise_between_words_is_heard() -> None:
    stream = WindowStream()
    stream.push(SAMPLES[:RATE_HZ] * np.float32(0.01), start_s=0.0, speech=False)
    (window,) = stream.push(SAMPLES[: 2 * RATE_HZ], start_s=1.0, speech=True)
    assert window.noise_db == pytest.approx(-40.0, abs=0.5)


def test_a_long_turn_does_not_grow_the_buffer() -> None:
    stream = WindowStream()
    for i in range(600):
        stream.push(SAMPLES[:1600], start_s=i * 0.2, speech=True)
    rest = stream.rest()
    assert rest is not None
    assert rest.samples.size <= 4 * RATE_HZ
