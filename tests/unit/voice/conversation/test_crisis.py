"""Phrases of danger: how many are found that no rule was written for, and what follows whatever was going on."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.facts import CallEnded, HandoffRequested, KeyPressed
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


@pytest.mark.parametrize(("name", "recall", "alarms"), [("seen", 0.94, 0.0), ("unseen", 0.75, 0.1)])
def test_recall_and_false_alarms_are_no_worse_than_measured(name: str, recall: float, alarms: float) -> None:
    danger, harmless = read(name)
    assert len(danger) >= 60
    found = [x for x in danger if CRISIS.heard(tokens(x))]
    wrong = [x for x in harmless if CRISIS.heard(tokens(x))]
    assert len(found) / len(danger) >= recall
    assert len(wrong) / len(harmless) <= alarms


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
