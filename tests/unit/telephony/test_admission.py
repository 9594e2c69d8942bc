"""Who is let in: by lines, by calls just begun, by how far the agent lags."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.admission import LAG_MOST_S, LAG_OVER_S, SETTING_UP_MOST, refusal, smoothed


def test_an_idle_agent_takes_all_who_dial_at_once_up_to_its_lines() -> None:
    for setting_up in range(12):
        assert refusal(calls=setting_up, setting_up=setting_up, most=12, lag_s=0.0) == ""
    assert refusal(calls=12, setting_up=12, most=12, lag_s=0.0) == "all lines busy"


def test_an_agent_that_lags_takes_fewer_at_once_and_at_last_none() -> None:
    half = SETTING_UP_MOST // 2
    assert refusal(calls=9, setting_up=half - 1, most=40, lag_s=LAG_MOST_S / 2) == ""
    assert refusal(calls=9, setting_up=half, most=40, lag_s=LAG_MOST_S / 2) == "agent busy"
    assert refusal(calls=1, setting_up=0, most=40, lag_s=LAG_MOST_S) == "agent busy"


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0, 1), st.floats(0, 1))
def test_more_lag_or_more_calls_never_let_anybody_in(calls: int, setting_up: int, lag_s: float, more_s: float) -> None:
    if refusal(calls=calls, setting_up=setting_up, most=20, lag_s=lag_s):
        assert refusal(calls=calls + 1, setting_up=setting_up, most=20, lag_s=lag_s)
        assert refusal(calls=calls, setting_up=setting_up + 1, most=20, lag_s=lag_s)
        assert refusal(calls=calls, setting_up=setting_up, most=20, lag_s=lag_s + more_s)


def test_one_slow_turn_refuses_nobody_a_lasting_lag_does_and_passes() -> None:
    lag_s = 0.0
    for now_s in [0.4] * 4 + [0.0] * 40:
        lag_s = smoothed(lag_s, now_s, 0.05)
        assert lag_s < LAG_MOST_S / 10
    for _ in range(round(3 * LAG_OVER_S / 0.05)):
        lag_s = smoothed(lag_s, 0.4, 0.05)
    assert lag_s > LAG_MOST_S
    for _ in range(round(LAG_OVER_S / 0.05)):
        lag_s = smoothed(lag_s, 0.0, 0.05)
    assert lag_s < LAG_MOST_S
    assert smoothed(0.0, 20.0, 60.0) == 20.0
