"""Turns whose words do not stand: asked for again, with the reason, and never acted on unasked."""

from __future__ import annotations

import pytest

from telephony.facts import HandoffOffered, HandoffRequested, IntentRecognised, Refused, SlotFilled, Transcribed
from tests.unit.voice.conversation.line import Line

LOUD = "It is too loud on the line to hear you well."


@pytest.fixture
def line() -> Line:
    call = Line()
    call.start()
    return call


def unheard(line: Line, why: Refused, *alternatives: str) -> list[str]:
    line.t += 3.0
    return line.commit(
        Transcribed(leg="caller", start=line.t - 2, end=line.t, text="", refused=why, alternatives=alternatives)
    )


def test_amid_noise_the_caller_is_told_why_then_offered_a_person_then_brought_one(line: Line) -> None:
    assert unheard(line, "noise") == [f"{LOUD} Please say it again, or press 0 for a person."]
    assert "colleague" in unheard(line, "noise")[0]
    assert [f.reason for f in line.facts(HandoffOffered)] == ["stuck"]
    assert "stay on the line" in unheard(line, "noise")[0]
    assert [(e.fact.reason, e.decision and e.decision.rule) for e in line.emitted(HandoffRequested)] == [
        ("stuck", "noise.person")
    ]


def test_a_word_that_is_understood_begins_the_count_again(line: Line) -> None:
    unheard(line, "noise")
    line.caller("Where is my order?")
    assert unheard(line, "noise")[0].startswith(LOUD)
    unheard(line, "noise")
    assert line.facts(HandoffRequested) == []


def test_after_a_handoff_that_failed_the_next_noise_rings_nobody_at_once(line: Line) -> None:
    for _ in range(3):
        unheard(line, "noise")
    line.state("HOLDING")
    line.state("FAILED")
    line.state("IDLE")
    unheard(line, "noise")
    unheard(line, "noise")
    assert len(line.emitted(HandoffRequested)) == 1


def test_a_number_that_noise_swallowed_is_asked_for_by_key(line: Line) -> None:
    line.caller("Where is my order?")
    [said] = unheard(line, "noise")
    assert said.startswith(LOUD)
    assert said.endswith("one digit at a time, or type it on your keypad.")
    assert line.facts(SlotFilled) == []
    assert "four five one nine" in line.caller("4519")[0]


def test_what_was_heard_unsurely_is_asked_about(line: Line) -> None:
    assert "Is it about a bill you dispute?" in unheard(line, "unsure", "My bill is wrong.")[0]
    assert line.facts(IntentRecognised) == []
    line.caller("Yes.")
    assert [f.intent for f in line.facts(IntentRecognised)] == ["billing_dispute"]


def test_a_cry_for_help_heard_unsurely_is_asked_about(line: Line) -> None:
    assert "Are you safe right now?" in unheard(line, "unsure", "I want to kill myself.")[0]


def test_a_person_asked_for_unsurely_is_asked_about(line: Line) -> None:
    assert "Do you want to talk to a person?" in unheard(line, "unsure", "Let me talk to a person.")[0]
    assert line.facts(HandoffRequested) == []
