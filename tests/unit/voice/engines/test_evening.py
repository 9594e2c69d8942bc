"""What a voice does by chance, evened: on sound whose levels and silences were put there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.engines.evening import END_S, LONGEST_PAUSE_S, MOST_DB, Evener, quiet_end_s
from voice.engines.levels import RATE_HZ, TARGET_DB, active_level_db


def speech(seconds: float, db: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (10 ** (db / 20) * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def evened(samples: np.ndarray, chunk_s: float = 0.5, gain: float = 1.0) -> np.ndarray:
    evener, step = Evener(gain), round(chunk_s * RATE_HZ)
    chunks = [samples[k : k + step] for k in range(0, len(samples), step)]
    return np.concatenate([evener.feed(c, last=k == len(chunks) - 1) for k, c in enumerate(chunks)])


@pytest.mark.parametrize("off_db", [-3.5, -2.0, 2.0, 3.5])
def test_a_sentence_ends_nearer_to_the_level_than_it_begins(off_db: float) -> None:
    out = evened(speech(3.0, TARGET_DB + off_db))
    assert abs(active_level_db(out[-RATE_HZ:]) - TARGET_DB) <= 0.25 * abs(off_db) + 0.1
    assert active_level_db(out[: RATE_HZ // 4]) == pytest.approx(TARGET_DB + off_db, abs=0.3), "nothing was heard yet"


def test_no_sentence_is_turned_by_more_than_it_may() -> None:
    out = evened(speech(3.0, TARGET_DB - 15))
    assert active_level_db(out[-RATE_HZ:]) == pytest.approx(TARGET_DB - 15 + MOST_DB, abs=0.3)


@pytest.mark.parametrize("pause_s", [0.1, 0.3, 0.8])
def test_a_pause_is_shortened_and_never_lengthened(pause_s: float) -> None:
    said = np.concatenate([speech(0.5, -20), quiet(pause_s), speech(0.5, -20)])
    assert len(evened(said)) / RATE_HZ == pytest.approx(1.0 + min(pause_s, LONGEST_PAUSE_S), abs=0.011)


def test_of_the_quiet_behind_a_piece_a_little_stays() -> None:
    said = np.concatenate([speech(0.5, -20), quiet(0.6)])
    assert len(evened(said)) / RATE_HZ == pytest.approx(0.5 + END_S, abs=0.011)
    assert quiet_end_s(said, RATE_HZ) == pytest.approx(0.6, abs=0.011)
    assert quiet_end_s(quiet(1.0), RATE_HZ) == 0.0
    assert len(evened(quiet(1.0))) / RATE_HZ == pytest.approx(END_S, abs=0.011)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1500), min_size=1, max_size=12))
def test_however_it_is_cut_nothing_loud_is_lost(sizes: list[int]) -> None:
    whole = speech(1.0, -20)
    evener, out, at = Evener(1.0), [], 0
    for size in sizes:
        out.append(evener.feed(whole[at : at + size], last=False))
        at += size
    out.append(evener.feed(whole[at:], last=True))
    made = np.concatenate(out)
    assert 0 <= len(made) - len(whole) < RATE_HZ // 100
    assert np.corrcoef(made[: len(whole)], whole)[0, 1] > 0.95
