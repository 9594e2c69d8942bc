"""Turns whose words do not stand: asked for again, with the reason, and never acted on unasked."""

from __future__ import annotations

import pytest

from telephony.facts import HandoffRequested, IntentRecognised, SlotFilled, Transcribed
from tests.unit.voice.conversation.line import Line


@pytest.fixture
def line() -> Line:
    call = Line()
    call.start()
    return call


def refused(line: Line, why: str, *alternatives: str) -> list[str]:
    line.t += 3.0
    return line.commit(
        Transcribed(leg="caller", start=line.t - 2, end=line.t, text="", refused=why, alternatives=alternatives)
    )


def test_whoever_cannot_be_heard_for_noise_is_told_so_once_and_then_offered_a_person(line: Line) -> None:
    [said] = refused(line, "noise")
    assert said.startswith("It is too loud on the line for me to hear you well. I did not catch that.")
    assert "colleague" in refused(line, "noise")[0]
    assert "too loud" not in refused(line, "noise")[0]


def test_the_detail_that_noise_swallowed_is_asked_for_again_by_key(line: Line) -> None:
    line.caller("Where is my order?")
    [said] = refused(line, "noise")
    assert said.startswith("It is too loud on the line")
    assert said.endswith("one digit at a time, or type it on your keypad.")
    assert line.facts(SlotFilled) == []


def test_nothing_that_noise_left_in_doubt_is_acted_on_unasked(line: Line) -> None:
    assert "Is it about a bill you dispute?" in refused(line, "noise", "My bill is wrong.")[0]
    assert line.facts(IntentRecognised) == []
    line.caller("Yes.")
    assert [f.intent for f in line.facts(IntentRecognised)] == ["billing_dispute"]


def test_a_cry_for_help_in_the_noise_is_asked_about(line: Line) -> None:
    assert "Are you safe right now?" in refused(line, "noise", "I want to kill myself.")[0]


def test_a_person_asked_for_in_the_noise_is_asked_about(line: Line) -> None:
    [said] = refused(line, "unsure", "Let me talk to a person.")
    assert "Do you want to talk to a person?" in said
    assert line.facts(HandoffRequested) == []
