"""Phrases of danger: how many are found that no rule was written for, and what follows whatever was going on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.facts import CallEnded, HandoffRequested, KeyPressed, Transcribed
from telephony.summary import summarise
from tests.unit.voice.conversation.line import Line
from voice.conversation.commands import Say
from voice.conversation.crisis import CrisisWords
from voice.conversation.danger import features, share
from voice.conversation.words import tokens
from voice.evaluation.danger import figures, read
from voice.evaluation.danger_training import fit, turns

LISTS = Path(__file__).parents[3] / "data" / "crisis"
CRISIS = CrisisWords.shipped()


@pytest.mark.parametrize("name", sorted(p.name for p in LISTS.glob("*.txt")))
def test_what_was_learned_is_kept(name: str) -> None:
    """On lists the model has seen: says nothing about other wordings, but a broken model or phrase shows at once."""
    got = {f.name: f.value for f in figures(LISTS / name)}
    danger = [x for x in read(LISTS / name) if x.danger]
    if danger:
        assert got["danger/outright"] >= 0.85
        assert got["danger/outright_or_asked"] >= 0.97
    assert got["danger/needless_alarms"] <= 0.07
    assert got["danger/needless_questions"] <= 0.1


def test_a_stranger_is_understood_by_a_model_that_never_met_them() -> None:
    """As the shipped model is trained, without one writer's lists: what a new wording may expect."""
    listed = turns(LISTS)
    words = [[t.text for t in tokens(x.text)] for x in listed]
    found, shares = [features(w) for w in words], np.array([share(w) for w in words])
    theirs = np.array([x.author == "writer2" for x in listed])
    danger, heard = np.array([x.danger for x in listed]), np.array([x.heard for x in listed])
    model = fit([f for f, t in zip(found, theirs, strict=True) if not t], shares[~theirs], danger[~theirs])
    of = theirs & ~heard
    scores = model.scores([f for f, t in zip(found, of, strict=True) if t], shares[of])
    ask = np.log(CRISIS.model.ask / (1 - CRISIS.model.ask))
    assert np.mean(scores[danger[of]] > ask) >= 0.8
    assert np.mean(scores[~danger[of]] > ask) <= 0.2


def test_a_list_nothing_was_learned_from() -> None:
    """`docs/benchmarks/dialogue.md` has the figures; here only that they do not fall apart."""
    got = {f.name: f.value for f in figures(LISTS / "held_out" / "fifth.txt")}
    assert got["danger/outright"] >= 0.75
    assert got["danger/outright_or_asked"] >= 0.9
    assert got["danger/needless_alarms"] <= 0.03
    assert got["danger/needless_questions"] <= 0.12


@pytest.mark.parametrize("text", ["", "...", "No.", "4519", "Yes please."])
def test_next_to_nothing_is_no_danger(text: str) -> None:
    assert CRISIS.model.probability(tokens(text)) < CRISIS.model.ask


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_a_probability(text: str) -> None:
    assert 0.0 <= CRISIS.model.probability(tokens(text)) <= 1.0


SUSPICIOUS = "I don't see a way on from here."


@pytest.mark.parametrize("answer", ["No.", "I don't know.", "Not really.", "Blah blah.", "I want to die."])
def test_a_suspicion_is_asked_about_and_anything_but_safe_brings_number_and_person(answer: str) -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    assert line.caller(SUSPICIOUS) == ["I want to be sure before we go on. Are you safe right now?"]
    assert line.emitted(HandoffRequested) == []
    assert "nine eight eight" in line.caller(answer)[0]
    assert [e.fact.reason for e in line.emitted(HandoffRequested)] == ["crisis"]


def test_where_a_person_is_offered_anyway_nobody_is_asked_first() -> None:
    line = Line()
    line.start()
    line.caller("I would like to change my address.")
    line.voice(0.05, 0.1, 0.05, 0.9, 0.95, 0.95)
    text = f"I have told you so often, nobody helps me, I am desperate. {SUSPICIOUS}"
    assert CRISIS.suspected(tokens(text))
    assert "Is that all right?" in line.caller(text)[0]
    assert "Are you safe right now?" in line.caller(f"No. {SUSPICIOUS}")[0]


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
        leg="caller", start=9.0, end=11.0, text="I want the chilled shelf.", log_prob=-0.7,
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
