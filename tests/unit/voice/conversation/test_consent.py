"""What callers are told about themselves matches what is on, and what they refuse in words is off at once."""

from __future__ import annotations

import itertools

import pytest

from telephony.facts import ConsentChanged
from telephony.settings import Privacy, Settings
from tests.unit.voice.conversation.line import Line, conversation
from voice.conversation.disclosure import MAX_WORDS, disclosure, recording_off, refusals
from voice.conversation.refusal import refused
from voice.conversation.words import tokens

ALL = [
    Privacy(record=r, transcribe=t, analyse_emotion=e, remember=m)
    for r, t, e, m in itertools.product((True, False), repeat=4)
]


def ids(p: Privacy) -> str:
    return f"record={p.record} transcribe={p.transcribe} emotion={p.analyse_emotion} remember={p.remember}"


@pytest.mark.parametrize("privacy", ALL, ids=ids)
def test_the_disclosure_names_what_is_on_and_nothing_else(privacy: Privacy) -> None:
    text = disclosure(privacy)
    assert len(text.split()) <= MAX_WORDS
    assert "automated assistant" in text.lower()
    assert "0" in text
    assert ("8" in text and "record" in text) == privacy.record
    assert ("9" in text and "mood" in text) == privacy.analyse_emotion
    assert ("this call unless" in text or "notes" in text) == privacy.transcribe
    assert ("not recorded" in text) == (not (privacy.record or privacy.transcribe or privacy.analyse_emotion))


@pytest.mark.parametrize("privacy", ALL, ids=ids)
def test_the_answer_on_privacy_names_a_way_out_of_each_purpose(privacy: Privacy) -> None:
    text = refusals(privacy)
    assert ("Press 8" in text) == privacy.record
    assert ("Press 9" in text) == privacy.analyse_emotion
    assert ("no notes" in text) == privacy.transcribe
    assert ("forget me" in text) == privacy.remember
    assert ("no notes" in recording_off(privacy)) == privacy.transcribe


@pytest.mark.parametrize(
    ("said", "purpose"),
    [
        ("No notes, please.", "transcription"),
        ("No nodes.", "transcription"),
        ("Please don't write this down.", "transcription"),
        ("I do not want you to keep my words.", "transcription"),
        ("Stop transcribing.", "transcription"),
        ("Forget me.", "memory"),
        ("Please do not remember this call.", "memory"),
        ("Don't forget me.", None),
        ("There were no notes in the parcel that came to my house.", None),
        ("Did you note my address?", None),
        ("I want to know where my order is.", None),
    ],
)
def test_a_spoken_refusal_is_heard(said: str, purpose: str | None) -> None:
    assert refused(tokens(said)) == purpose


def test_no_notes_is_a_fact_and_the_question_comes_again() -> None:
    line = Line()
    line.start()
    asked = line.caller("Where is my order?")[-1]
    said = line.caller("No notes.")
    assert "keep no words" in said[0]
    assert said[0].endswith(asked.split(". ")[-1])
    assert line.facts(ConsentChanged) == [ConsentChanged(purpose="transcription", allowed=False)]
    assert line.caller("Where is my order?")


def test_what_is_off_already_is_confirmed_without_a_fact() -> None:
    line = Line(talk=conversation(Settings(privacy=Privacy(transcribe=False))))
    line.start()
    assert "keep no words" in line.caller("No notes.")[0]
    assert not line.facts(ConsentChanged)
