"""The stages of a turn's delay add up to what the caller waited."""

from __future__ import annotations

import pytest

from telephony.facts import Said, TurnTimed
from voice.conversation.endpointing import TurnEnded
from voice.pipeline.stopwatch import STAGES, Stopwatch


def timed(*, sound_s: float, starts_s: float) -> TurnTimed:
    watch = Stopwatch()
    watch.turn_ended(TurnEnded(pause=1, start_s=8.0, end_s=10.0, waited_s=0.25, rule="sounds finished"), 10.3)
    watch.decided(10.32)
    watch.first_sound(3, sound_s, ready=False)
    found = watch.said(Said(leg="caller", start=starts_s, end=12.0, text="Yes.", rate_wpm=165.0, turn=3))
    assert found is not None
    return found


def test_stages_add_up_to_the_callers_wait() -> None:
    found = timed(sound_s=10.4, starts_s=10.42)
    assert list(found.stages_ms) == list(STAGES)
    assert list(found.stages_ms.values()) == pytest.approx([250, 50, 20, 80, 20], abs=0.11)
    assert found.total_ms == pytest.approx(420, abs=0.3)


def test_a_stage_below_zero_is_zero() -> None:
    """The two clocks differ by 10 ms: the tick that played the sound seems to lie before it was sent."""
    found = timed(sound_s=10.43, starts_s=10.42)
    assert found.stages_ms["link"] == 0
    assert found.total_ms == pytest.approx(430, abs=0.3)
