"""When a human is due, and the four modes."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.handoff.policy import Signs, complexity, due, is_stuck, mode
from voice.playbooks.schema import Mode

unit = st.floats(0, 1)


@pytest.mark.parametrize(
    ("affect", "hard", "confidence", "expected"),
    [
        (0.9, 0.9, 0.9, "human-led"),
        (0.1, 0.1, 0.9, "ai-led"),
        (0.9, 0.1, 0.9, "tag-team"),
        (0.1, 0.9, 0.9, "ai-gathers"),
        (0.5, 0.5, 0.4, "human-led"),
        (0.49, 0.49, 0.4, "ai-led"),
        (0.1, 0.1, 0.39, "ai-gathers"),
        (0.9, 0.1, 0.2, "human-led"),
    ],
)
def test_modes(affect: float, hard: float, confidence: float, expected: str) -> None:
    assert mode(affect, hard, confidence) == expected


@given(unit, unit, unit)
def test_mode_is_total(affect: float, hard: float, confidence: float) -> None:
    assert mode(affect, hard, confidence) in get_args(Mode)


@given(unit, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_complexity_is_bounded_and_grows(weight: float, slots: int, failed: int, idle: int) -> None:
    value = complexity(touchpoint=weight, open_slots=slots, failed_steps=failed, without_progress=idle)
    assert 0 <= value <= 1
    assert complexity(touchpoint=weight, open_slots=slots, failed_steps=failed + 1, without_progress=idle) >= value


def test_the_most_pressing_reason_comes_first() -> None:
    everything = Signs(danger=True, requested=True, level="distress", misunderstood=2)
    assert due(everything) == "crisis"
    assert due(Signs(requested=True, level="distress")) == "request"
    assert due(Signs(level="distress", misunderstood=2)) == "distress"
    assert due(Signs(misunderstood=2)) == "stuck"
    assert due(Signs(without_progress=3)) == "stuck"
    assert due(Signs(level="attend", misunderstood=1, without_progress=2)) is None
    assert not is_stuck(1, 2)
