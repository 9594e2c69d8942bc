"""Which words stand: how sure the recogniser must be, by how far speech stands out of the line's noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines.certainty import (
    DROWNED_DB,
    MAX_NO_SPEECH,
    MIN_LOG_PROB,
    NOISY_LOG_PROB,
    QUIET_DB,
    least_log_prob,
    refusal,
    spread_db,
)

RATE_HZ = 8000
DB = st.floats(0, 90)


@given(DB, DB)
def test_the_noisier_the_line_the_surer_the_words_must_be(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert MIN_LOG_PROB <= least_log_prob(high) <= least_log_prob(low) <= NOISY_LOG_PROB


@given(DB, st.floats(-2, 0), st.floats(0, 1))
def test_words_stand_only_where_they_stand_on_any_quieter_line_too(
    spread: float, log_prob: float, no_speech: float
) -> None:
    if refusal("I lost my card.", log_prob, no_speech, spread) == "":
        assert spread >= DROWNED_DB
        assert no_speech <= MAX_NO_SPEECH
        assert refusal("I lost my card.", log_prob, no_speech, max(spread, QUIET_DB)) == ""


@pytest.mark.parametrize(
    ("text", "log_prob", "no_speech", "spread", "why"),
    [
        ("I lost my card.", -0.1, 0.3, 12.0, "noise"),
        ("", -0.9, 0.7, 12.0, "noise"),
        ("you", -0.5, 0.87, 12.0, "no speech"),
        ("you", -0.5, 0.87, 50.0, "no speech"),
        ("Thank you for watching!", -0.1, 0.1, 50.0, "no speech"),
        (". . .", -0.1, 0.1, 50.0, "no speech"),
        ("I lost my card.", -0.9, 0.1, 50.0, ""),
        ("I lost my card.", -0.9, 0.1, 20.0, "unsure"),
        ("I lost my card.", -1.1, 0.1, 50.0, "unsure"),
    ],
)
def test_why_words_do_not_stand(text: str, log_prob: float, no_speech: float, spread: float, why: str) -> None:
    assert refusal(text, log_prob, no_speech, spread) == why


@given(st.floats(2, 50), st.integers(0, 99))
def test_the_spread_of_a_tone_in_steps_is_the_step_at_any_level(step_db: float, seed: int) -> None:
    gain = 10 ** (-np.random.default_rng(seed).uniform(0, 20) / 20)
    tone = gain * 0.5 * np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ)
    tone[: RATE_HZ // 2] *= 10 ** (-step_db / 20)
    assert spread_db(tone.astype(np.float32)) == pytest.approx(step_db, abs=0.1)
    assert spread_db(np.zeros(100, np.float32)) == 0.0
