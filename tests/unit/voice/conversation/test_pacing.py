"""Rate of speech, and the caller's silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import LEVELS, Level
from voice.conversation.pacing import BASE_WPM, CEILING_WPM, FLOOR_WPM, STEP_WPM, Pacer, patience
from voice.conversation.silence import GRACE_S, Silence


def test_starts_at_the_base_rate_and_slows_at_once_for_an_upset_caller() -> None:
    pacer = Pacer()
    assert pacer.turn("calm") == BASE_WPM
    assert pacer.turn("attend") == pytest.approx(BASE_WPM * 0.92, abs=0.1)
    for _ in range(5):
        last = pacer.turn("distress")
    assert last == pytest.approx(BASE_WPM * 0.88, abs=0.3)
    assert last >= FLOOR_WPM


def test_a_step_is_at_most_four_percent() -> None:
    assert STEP_WPM / FLOOR_WPM <= 0.04


@given(st.lists(st.tuples(st.floats(0.5, 12.0), st.sampled_from(LEVELS)), max_size=40))
def test_never_more_than_one_step_a_turn_but_for_calming(turns: list[tuple[float, Level]]) -> None:
    pacer, last, level, leaps = Pacer(), BASE_WPM, "calm", 0
    for syllables, now in turns:
        pacer.heard(syllables)
        rate = pacer.turn(now)
        assert FLOOR_WPM <= rate <= CEILING_WPM
        if not (now != "calm" and level == "calm") and abs(rate - last) > STEP_WPM + 0.11:
            leaps += 1
            assert pacer.caller_wpm is not None
            assert rate == pytest.approx(min(max(pacer.caller_wpm, FLOOR_WPM), CEILING_WPM), abs=0.06)
        last, level = rate, now
    assert leaps <= 1, "only to begin near the caller"


@pytest.mark.parametrize(("syllables", "wpm"), [(3.5, 150.0), (4.1, 175.7), (9.0, CEILING_WPM)])
def test_begins_near_the_caller_as_soon_as_their_rate_is_known(syllables: float, wpm: float) -> None:
    pacer = Pacer()
    assert pacer.turn("calm") == BASE_WPM
    pacer.heard(syllables)
    assert pacer.turn("calm") == BASE_WPM, "one window is a guess"
    for _ in range(3):
        pacer.heard(syllables)
    assert pacer.turn("calm") == pytest.approx(wpm, abs=0.1)
    assert pacer.turn("attend") == pytest.approx(min(wpm, BASE_WPM * 0.92), abs=0.1)
    assert pacer.turn("attend") >= min(wpm, BASE_WPM * 0.92) - STEP_WPM - 0.1


def test_follows_a_slow_caller() -> None:
    pacer = Pacer()
    for _ in range(8):
        pacer.heard(3.5)
        rate = pacer.turn("calm")
    assert rate == pytest.approx(150.0, abs=1.0)


def test_unmeasured_rate_changes_nothing() -> None:
    pacer = Pacer()
    pacer.heard(None)
    assert pacer.turn("calm") == BASE_WPM


def test_upset_callers_get_half_as_long_again() -> None:
    assert not patience("calm").upset
    assert patience("attend").upset
    assert patience("distress", "digits", 4).digits == 4
    assert patience("attend", base=2.0).factor == 2.0


def test_silence_stages() -> None:
    silence = Silence()
    assert silence.deadline_s() is None
    silence.saying(10.0, "one two three", 180.0)
    assert silence.deadline_s() == pytest.approx(10.0 + 1.0 + 6.0 + 5.0)
    silence.said(11.0, prompt=False)
    assert silence.deadline_s() == 16.0
    assert [silence.next_stage() for _ in range(3)] == [1, 2, 3]
    assert silence.deadline_s() is None
    silence.turn_taken(20.0)
    assert silence.deadline_s() == 25.0
    silence.grace = True
    assert silence.deadline_s() == 25.0 + GRACE_S
    silence.speech(26.0, on=True)
    assert silence.deadline_s() is None
