"""Phrases of danger: how many are found that no rule was written for, and what follows whatever was going on."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.facts import CallEnded, HandoffRequested, KeyPressed, Transcribed
from telephony.summary import summarise
from tests.unit.voice.conversation.line import Line
from voice.conversation.commands import Say
from voice.conversation.crisis import CrisisWords
from voice.conversation.words import tokens

LISTS = Path(__file__).parents[3] / "data" / "crisis"
CRISIS = CrisisWords.shipped()


def read(name: str) -> tuple[list[str], list[str]]:
    """Phrasings of danger, and sentences that only sound like it."""
    lines = [line.strip() for line in (LISTS / f"{name}.txt").read_text("utf-8").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    return [x for x in lines if not x.startswith("- ")], [x[2:] for x in lines if x.startswith("- ")]


@pytest.mark.parametrize(
    ("name", "outright", "asked", "alarms", "questions"),
    [
        ("seen", 0.94, 0.99, 0.0, 0.05),
        ("second", 0.75, 0.93, 0.1, 0.05),
        ("third", 0.14, 0.8, 0.06, 0.08),
        ("fourth", 0.42, 0.95, 0.07, 0.14),
    ],
)
def test_recall_and_false_alarms_are_no_worse_than_measured(
    name: str, outright: float, asked: float, alarms: float, questions: float
) -> None:
    """``outright``: number and person at once. ``asked``: that, or the question whether the caller is safe."""
    danger, harmless = read(name)
    assert len(danger) >= 60
    found = [x for x in danger if CRISIS.heard(tokens(x))]
    noticed = [x for x in danger if x in found or CRISIS.suspected(tokens(x))]
    wrong = [x for x in harmless if CRISIS.heard(tokens(x))]
    needless = [x for x in harmless if x not in wrong and CRISIS.suspected(tokens(x))]
    assert len(found) / len(danger) >= outright
    assert len(noticed) / len(danger) >= asked
    assert len(wrong) / len(harmless) <= alarms
    assert len(needless) / len(harmless) <= questions


SUSPICIOUS = "I can see no way out for me any more."


@pytest.mark.parametrize("answer", ["No.", "I don't know.", "Not really.", "Blah blah.", "I want to die."])
def test_a_suspicion_is_asked_about_and_anything_but_safe_brings_number_and_person(answer: str) -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    assert line.caller(SUSPICIOUS) == ["I want to be sure before we go on. Are you safe right now?"]
    assert line.emitted(HandoffRequested) == []
    assert "nine eight eight" in line.caller(answer)[0]
    assert [e.fact.reason for e in line.emitted(HandoffRequested)] == ["crisis"]


@pytest.mark.parametrize("answer", ["Yes.", "Yes, I am fine.", "No, no, I am just angry.", "Of course I am."])
def test_a_needless_question_costs_a_sentence(answer: str) -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    line.caller(SUSPICIOUS)
    assert line.caller(answer)[0].endswith("What is your order number?")
    assert line.emitted(HandoffRequested) == []
    line.caller(SUSPICIOUS)
    line.caller(answer)
    assert "sure before we go on" not in " ".join(line.caller(SUSPICIOUS)), "twice is enough"


def test_another_reading_of_a_doubtful_turn_is_asked_about() -> None:
    line = Line()
    line.start()
    heard = Transcribed(
        leg="caller", start=9.0, end=11.0, text="I want to chill myself.", log_prob=-0.7,
        alternatives=("I want to kill myself.",),
    )  # fmt: skip
    assert "Are you safe right now?" in line.commit(heard)[0]


@pytest.mark.parametrize("before", [[], ["Where is my order?"], ["Where is my order?", "4519"], ["Blah.", "Foo."]])
def test_number_at_once_person_due_marked_and_never_hung_up(before: list[str]) -> None:
    line = Line()
    line.start()
    for text in before:
        line.caller(text)
    assert "nine eight eight" in line.caller("I want to end my life.")[0]
    assert [e.fact.reason for e in line.emitted(HandoffRequested)] == ["crisis"]
    assert [a.keep for a in line.actions if isinstance(a, Say)][-1]
    assert summarise("c", [s.to_json() for s in line.log])["review"] == "crisis"
    line.state("IDLE")
    for text in ("No thanks.", "That's all, goodbye.", "Bye.", "No."):
        line.caller(text)
    line.commit(KeyPressed(leg="caller", key="#"))
    line.wait(900.0)
    assert not line.hung_up
    assert not line.facts(CallEnded)
